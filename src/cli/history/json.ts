/** The history for machines: times in ISO 8601, prices as the decimal text that was stored. */
import type { Entry } from "../../ledger/port.js";
import { printableJson } from "../../report/escaping.js";
import { bodyOf, safeBody } from "./body.js";
import { isProof, type SetStop } from "./stops.js";
import { isoTime } from "./time.js";

const SCHEMA = "bybit-backstop/history@1";

export function entriesJson(entries: readonly Entry[]): string {
  return document({ entries: entries.map(shownEntry) });
}

export function stopsJson(stops: readonly SetStop[]): string {
  return document({ stops: stops.map(shownStop) });
}

/** One line, for `--follow`. */
export function entryLine(entry: Entry): string {
  return `${printableJson(JSON.stringify(shownEntry(entry)))}\n`;
}

function document(content: object): string {
  return `${printableJson(JSON.stringify({ schema: SCHEMA, ...content }, null, 2))}\n`;
}

function shownEntry(entry: Entry): object {
  const { id, kind, body } = entry;
  return { id, time: isoTime(entry.atMs), kind, ...placeOf(entry), body: safeBody(body) };
}

function placeOf({ account, category, symbol, positionIdx, side, lifeId }: Entry): object {
  return { account, category, symbol, positionIdx, side, lifeId };
}

function shownStop({ entry, isIntentWritten, answer, judgement }: SetStop): object {
  const body = bodyOf(entry);
  const field = (name: string) => body.text(name);
  return {
    id: entry.id,
    time: isoTime(entry.atMs),
    ...placeOf(entry),
    action: field("action"),
    orderId: field("orderId"),
    stopLoss: field("stopLoss"),
    slTriggerBy: field("slTriggerBy"),
    takeProfit: field("takeProfit"),
    reason: field("reason"),
    purpose: field("purpose"),
    by: field("by"),
    intentWritten: isIntentWritten,
    answer: answer === null ? null : became(answer, "answer"),
    judged: judgement === null ? null : became(judgement, "outcome"),
    provenAt: judgement !== null && isProof(judgement) ? isoTime(judgement.atMs) : null,
  };
}

function became(entry: Entry, name: "answer" | "outcome"): object {
  const body = bodyOf(entry);
  return { id: entry.id, time: isoTime(entry.atMs), [name]: body.text(name), detail: body.text("detail") };
}
