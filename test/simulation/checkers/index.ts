/** The checkers of a run: they know the invariants and the exchange's own record, and nothing of how the product decides. */
import type { NewEntry } from "../../../src/ledger/port.js";
import type { Disk } from "../disk.js";
import type { Instance, Run, Sent, Watcher } from "../run-parts.js";
import type { Running } from "../sidecar.js";
import { KEY, SECRET } from "../venue.js";
import { watchAlerts } from "./alerts.js";
import { checkCalm } from "./calm.js";
import { createClaims } from "./claims.js";
import { checkEffect } from "./effects.js";
import { count, type Knowledge, openNotes, type Notes, type Violation, type Wished } from "./ledger.js";
import { checkPurpose } from "./modes.js";
import { watchOrder } from "./order.js";
import { watchPings } from "./pings.js";
import { checkWrite } from "./writes.js";

export type { Violation } from "./ledger.js";

export interface Checkers {
  readonly watcher: Watcher;
  wished(wish: Wished): void;
  /** A process has ended by itself. */
  failed(error: unknown): void;
  calm(wait: (ms: number) => Promise<void>, writer: () => Running | undefined): Promise<void>;
  violations(): readonly Violation[];
  figures(): Readonly<Record<string, number>>;
}

const CANARIES = [KEY, SECRET];
const SIGNATURE = /(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/;
/** So long a process may believe in a position that has closed: its stream may be silent, and a sweep is due. */
const BELIEVED_MS = 600_000;
const LATEST_WRITTEN = 400;

export function createCheckers(run: Run, disk: Disk): Checkers {
  const notes = openNotes(run, disk);
  const claims = createClaims(notes);
  const alerts = watchAlerts(notes);
  const order = watchOrder(notes);
  const pings = watchPings(notes);

  function printed(text: string): void {
    const found = CANARIES.find((canary) => text.includes(canary));
    if (found !== undefined || SIGNATURE.test(text)) notes.broken("S16", `a secret in: ${text.slice(0, 120)}`);
  }

  const watcher: Watcher = {
    sent: (sent) => checkWrite(notes, sent),
    answered: (sent, body) => noteAnswer(notes, sent, body),
    pushed: (instance, symbol, row) => notePush(notes, instance, symbol, row),
    changed: (change) => {
      run.trace(
        `${change.actor} ${change.after.leg} ${change.after.side ?? "flat"} ${change.after.size.toFixed()} ${change.after.stop?.price.toFixed() ?? "none"}`,
      );
      const { after, actor } = change;
      run.tell?.(
        `${actor}: ${after.leg} ${after.side ?? "flat"} ${after.size.toFixed()} at ${after.entryPrice.toFixed(4)}, stop ${after.stop?.price.toFixed() ?? "none"}${after.isWhole ? "" : ", not whole"}`,
      );
      checkEffect(notes, change);
    },
    told: (instance, event) => {
      printed(JSON.stringify(event));
      run.trace(`${instance.name} ${event.kind}`);
      if (run.tell !== null && event.kind !== "pass-started")
        run.tell(`${instance.name} tells ${JSON.stringify(event)}`);
      claims.told(instance, event);
      alerts.told(instance, event);
      pings.told(instance, event);
    },
    intended: (instance, entry) => order.intended(instance, entry),
    pinged: (instance, ping) => {
      printed(ping.text);
      pings.heard(instance, ping);
    },
    written: (instance, entry) => {
      printed(JSON.stringify(entry.body));
      noteRestore(notes, entry);
      checkPurpose(notes, entry);
      const written = notes.written(instance);
      written.push({ atMs: run.time.elapsedMs, entry });
      if (written.length > 2 * LATEST_WRITTEN) written.splice(0, LATEST_WRITTEN);
    },
    notWritten: () => {
      notes.journalTroubleMs = run.time.elapsedMs;
    },
    printed: (text) => {
      count(notes, "lines");
      printed(text);
    },
  };
  return {
    watcher,
    wished: (wish) => {
      const state = run.venue.state(wish.leg);
      let lifeBefore: number | null = null;
      notes.everSince(wish.leg, run.time.elapsedMs - BELIEVED_MS, (one) => {
        if (one.side === wish.side) lifeBefore = one.life;
        return one.side === wish.side;
      });
      notes.wishes.push({
        ...wish,
        lifeBefore,
        life: wish.orderLinkId === null && wish.isOpen && state?.side === wish.side ? state.life : null,
      });
      if (notes.wishes.length > 300) notes.wishes.shift();
    },
    failed: (error) => {
      const words = error instanceof Error ? (error.stack ?? error.message) : String(error);
      notes.broken(words.includes("StuckError") ? "L5" : "F46", `a process has failed: ${words}`);
    },
    calm: (wait, writer) => checkCalm(notes, claims, wait, writer),
    violations: () => notes.violations,
    figures: () => Object.fromEntries(notes.counts),
  };
}

function noteRestore({ run, restores }: Notes, { kind, category, symbol, positionIdx, body }: NewEntry): void {
  if (kind !== "step-intended" || (body as Record<string, unknown>)["purpose"] !== "restore") return;
  const leg = `${String(category)}/${String(symbol)}/${String(positionIdx)}`;
  restores.set(leg, [...(restores.get(leg) ?? []), run.time.elapsedMs]);
}

interface ListBody {
  readonly retCode?: unknown;
  readonly result?: { readonly list?: readonly Record<string, unknown>[] };
}

const READS_KEPT = 8;

function noteAnswer(notes: Notes, sent: Sent, body: unknown): void {
  const { path, method, params } = sent.outgoing;
  const { retCode, result } = body as ListBody;
  if (method === "POST") {
    const write = [...notes.writes.values()].flat().find((one) => one.sent === sent);
    if (write === undefined) return;
    write.retCode = typeof retCode === "number" ? retCode : null;
    write.answeredAtMs = notes.run.time.elapsedMs;
    return;
  }
  if (path !== "/v5/position/list" || retCode !== 0) return;
  const read = { askedMs: sent.atMs, atMs: notes.run.time.elapsedMs };
  const list = listName(params, body);
  if (list !== null) noteRead(notes.knowledge(sent.instance, list), read);
  const symbol = typeof params["symbol"] === "string" ? params["symbol"] : null;
  for (const state of notes.run.venue.states()) {
    const row = result?.list?.find((one) => one["symbol"] === state.symbol && one["positionIdx"] === state.positionIdx);
    if (row === undefined && symbol !== state.symbol) continue;
    const known = notes.knowledge(sent.instance, state.leg);
    noteRead(known, read);
    if (row !== undefined) noteStop(notes, sent.instance, state.leg, row["stopLoss"]);
  }
}

function noteRead({ reads }: Knowledge, read: Knowledge["reads"][number]): void {
  reads.push(read);
  if (reads.length > READS_KEPT) reads.shift();
}

/** A whole list that does not show a leg says that it is flat. */
function listName(params: Sent["outgoing"]["params"], body: unknown): string | null {
  const cursor = (body as { result?: { nextPageCursor?: unknown } }).result?.nextPageCursor;
  const isWhole = params["symbol"] === undefined && (cursor === undefined || cursor === "");
  return isWhole ? `${String(params["category"])}/${String(params["settleCoin"] ?? "")}` : null;
}

function notePush(notes: Notes, instance: Instance, symbol: string, row: unknown): void {
  const { positionIdx, size, stopLoss } = row as Record<string, unknown>;
  const { run } = notes;
  for (const state of run.venue.states()) {
    if (state.symbol !== symbol) continue;
    notes.knowledge(instance, state.leg).pushedAtMs = run.time.elapsedMs;
    if (size !== undefined && positionIdx === state.positionIdx && stopLoss !== undefined)
      noteStop(notes, instance, state.leg, stopLoss);
  }
}

function noteStop(notes: Notes, instance: Instance, leg: string, shown: unknown): void {
  const known = notes.knowledge(instance, leg);
  const price =
    typeof shown === "string" && Number(shown) > 0 ? shown.replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "") : null;
  if (price === null) known.stop = null;
  else if (known.stop?.price !== price) known.stop = { price, atMs: notes.run.time.elapsedMs };
}
