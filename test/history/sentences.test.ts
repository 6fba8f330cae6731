/** What an entry says to a person: in words where it is known, and with all that was written where it is not. */
import { describe, expect, test } from "vitest";
import { entriesJson, entryLine } from "../../src/cli/history/json.js";
import { sentenceOf } from "../../src/cli/history/sentence.js";
import { entriesTable, followedLine } from "../../src/cli/history/table.js";
import type { Json } from "../../src/ledger/port.js";
import { DEED, entry } from "./stage.js";

const said = (kind: string, body: Json) => sentenceOf(entry(1, kind, body));

describe("a sentence says", () => {
  test.each<[string, string, Json, string]>([
    [
      "what is to be done, why and by whose wish",
      "step-intended",
      { ...DEED, takeProfit: "104", tpTriggerBy: "LastPrice", by: "intent of http" },
      "to set stop 98 (MarkPrice), take-profit 104 (LastPrice): no stop stood; put at the wanted level; by intent of http",
    ],
    [
      "what is to be attached to which order",
      "step-intended",
      { action: "amend-order", orderId: "o-1", outcome: "sent", stopLoss: "98" },
      "to attach stop 98 to the entry order o-1",
    ],
    [
      "that a position is to be closed",
      "step-intended",
      { action: "close-position", reason: "stop-past", quantity: "0.1" },
      "to close 0.1 at market, reduce-only: the level was past already",
    ],
    ["an answer", "step-answered", { ...DEED, answer: "acknowledged" }, "set stop 98 (MarkPrice): acknowledged"],
    [
      "an answer with what was told",
      "step-answered",
      { ...DEED, answer: "refused", detail: "10001 wrong tick" },
      "set stop 98 (MarkPrice): refused: 10001 wrong tick",
    ],
    ["a proof", "step-judged", { ...DEED, outcome: "confirmed" }, "set stop 98 (MarkPrice): proven by a later read"],
    [
      "that there is none",
      "step-judged",
      { ...DEED, outcome: "uncertain", detail: "no read" },
      "set stop 98 (MarkPrice): not proven: no read",
    ],
    ["how a position changed", "life-closed", { size: "0", by: "stop-loss" }, "has closed, size 0, by stop-loss"],
    [
      "what was found",
      "finding",
      { code: "stop-missing", severity: "critical", message: "BTCUSDT has no stop" },
      "critical stop-missing: BTCUSDT has no stop",
    ],
    ["what somebody wanted", "intent-set", { stopLoss: "98", who: "http" }, "an intent was set: stopLoss 98, who http"],
    [
      "who writes",
      "writer-lost",
      { reason: "lock removed" },
      "this process is no longer the writer: reason lock removed",
    ],
    ["that writes were paused", "pause", { reason: "maintenance" }, "writes were paused: reason maintenance"],
  ])("%s", (_what, kind, body, sentence) => {
    expect(said(kind, body)).toBe(sentence);
  });

  test.each<[string, string, Json, string]>([
    ["a kind that is not known, by its body", "life-split", { into: 2, legs: ["a", "b"] }, 'into 2, legs ["a","b"]'],
    ["a kind and a body that are not known", "dream", "of a later version", "of a later version"],
    ["a body that is missing", "dream", null, ""],
    ["a body of another form", "step-intended", ["a"], 'to a step: ["a"]'],
    [
      "a reason that is not known",
      "step-intended",
      { ...DEED, reason: "new-code", purpose: "new" },
      "to set stop 98 (MarkPrice): new-code; new",
    ],
    [
      "an answer that is not known",
      "step-answered",
      { ...DEED, answer: "perhaps" },
      "set stop 98 (MarkPrice): perhaps",
    ],
    ["what is missing as missing", "step-judged", { action: "set-trading-stop" }, "set: no outcome written"],
    [
      "fields beside the known ones",
      "step-intended",
      { ...DEED, attempt: 2 },
      "to set stop 98 (MarkPrice): no stop stood; put at the wanted level; attempt 2",
    ],
  ])("also of another version: %s", (_what, kind, body, sentence) => {
    expect(said(kind, body)).toBe(sentence);
  });

  test("and never what may be a secret", () => {
    const body = { apiKey: "canary-1", nested: { secret: "canary-2" }, note: "kept" };
    expect(said("dream", body)).not.toContain("canary");
    expect(said("dream", body)).toContain("note kept");
    expect(entriesJson([entry(1, "dream", body)])).not.toContain("canary");
  });
});

const NASTY = "x\u001b[2J\u009b31m\u202ey\nz";

describe("a terminal is told nothing that it would obey", () => {
  const nasty = entry(1, "finding", { message: NASTY }, { symbol: NASTY, account: NASTY });
  const obeyed = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/;

  test("by the table, where every entry is one line", () => {
    const table = entriesTable({ shown: [nasty], isCut: false }, { color: false, width: 80 });
    expect(table).not.toMatch(obeyed);
    expect(table.trimEnd().split("\n")).toHaveLength(3);
    const line = followedLine(nasty, { color: false, width: 80 });
    expect(line).not.toMatch(obeyed);
    expect(line.trimEnd().split("\n")).toHaveLength(1);
  });

  test("by JSON, which keeps the value all the same", () => {
    for (const text of [entriesJson([nasty]), entryLine(nasty)]) expect(text).not.toMatch(obeyed);
    expect(JSON.parse(entryLine(nasty))).toMatchObject({ symbol: NASTY, body: { message: NASTY } });
  });
});

test("JSON has times in ISO 8601 and prices as they were stored", () => {
  const { schema, entries } = JSON.parse(entriesJson([entry(1, "finding", { price: "0.10" })])) as {
    readonly schema: string;
    readonly entries: readonly object[];
  };
  expect(schema).toBe("bybit-backstop/history@1");
  const place = { account: "main", category: "linear", symbol: "BTCUSDT", positionIdx: 0, side: "long", lifeId: null };
  const time = "2026-01-01T00:00:01.000Z";
  expect(entries).toEqual([{ id: 1, time, kind: "finding", ...place, body: { price: "0.10" } }]);
});

test("a time that is none does not hide the entry", () => {
  expect(entryLine(entry(1, "finding", null, { atMs: 8.64e15 + 1 }))).toContain('"8640000000000001"');
});

test("the table says when there is more than it shows, and when there is nothing", () => {
  const options = { color: false, width: 80 };
  const one = entry(1, "life-opened", { size: "0.1" });
  expect(entriesTable({ shown: [one], isCut: true }, options)).toBe(
    [
      "time                     account  position      kind         what",
      "2026-01-01 00:00:01 UTC  main     BTCUSDT long  life-opened  has opened, size 0.1",
      "1 entry, newest first; --limit shows older ones\n",
    ].join("\n"),
  );
  expect(entriesTable({ shown: [], isCut: false }, options)).toBe("no entries\n");
});
