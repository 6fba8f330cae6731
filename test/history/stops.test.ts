/** Every stop that was set: why, by whom, what was answered, and whether it was proven. */
import { describe, expect, test } from "vitest";
import type { Choice } from "../../src/cli/history/choice.js";
import { stopsJson } from "../../src/cli/history/json.js";
import { findStops, type SetStop } from "../../src/cli/history/stops.js";
import { stopsTable } from "../../src/cli/history/table.js";
import type { Entry } from "../../src/ledger/port.js";
import { DEED, entry, holding, START_MS } from "./stage.js";

const ALL: Choice = { accounts: [], symbols: [], kinds: [], sinceMs: null };
const PLACED = { ...DEED, by: "config: defaults" };

async function stopsIn(entries: readonly Entry[], choice: Partial<Choice> = {}, limit = 50) {
  return findStops(holding(...entries), { ...ALL, ...choice }, limit);
}

/** Each as `[id, answer, outcome]`. */
const brief = (stops: readonly SetStop[]) =>
  stops.map(({ entry: { id }, answer, judgement }) => [id, answer?.id ?? null, judgement?.id ?? null]);

describe("a stop is put together", () => {
  test("from what names its number, however its neighbours are mixed", async () => {
    const { shown } = await stopsIn([
      entry(1, "step-intended", PLACED),
      entry(2, "step-intended", PLACED),
      entry(3, "step-answered", { ...PLACED, answer: "refused", intended: 2 }),
      entry(4, "step-answered", { ...PLACED, answer: "acknowledged", intended: 1 }),
      entry(5, "step-judged", { ...PLACED, outcome: "confirmed", intended: 1 }),
    ]);
    expect(brief(shown)).toEqual([
      [2, 3, null],
      [1, 4, 5],
    ]);
  });

  test("from the same deed on the same position, where an older version named no number", async () => {
    const other = { symbol: "ETHUSDT" };
    const { shown } = await stopsIn([
      entry(1, "step-intended", DEED),
      entry(2, "step-judged", { ...DEED, outcome: "uncertain" }),
      entry(3, "step-intended", DEED),
      entry(4, "step-intended", DEED, other),
      entry(5, "step-answered", { ...DEED, answer: "acknowledged" }),
      entry(6, "step-judged", { ...DEED, outcome: "confirmed" }),
    ]);
    expect(brief(shown)).toEqual([
      [4, null, null],
      [3, 5, 6],
      [1, null, 2],
    ]);
  });

  test("with the judgement that proves it, whatever was judged before and after", async () => {
    const judged = (id: number, outcome: string) => entry(id, "step-judged", { ...PLACED, outcome, intended: 1 });
    const intended = entry(1, "step-intended", PLACED);
    const proven = await stopsIn([intended, judged(2, "uncertain"), judged(3, "confirmed"), judged(4, "uncertain")]);
    expect(brief(proven.shown)).toEqual([[1, null, 3]]);
    const unproven = await stopsIn([intended, judged(2, "uncertain"), judged(3, "refused")]);
    expect(brief(unproven.shown)).toEqual([[1, null, 3]]);
  });

  test("also without its intention: it was sent while the ledger took no writes", async () => {
    const { shown } = await stopsIn([
      entry(1, "step-answered", { ...PLACED, answer: "acknowledged" }),
      entry(2, "step-judged", { ...PLACED, outcome: "confirmed" }),
      entry(3, "step-judged", { ...PLACED, stopLoss: "97", outcome: "skipped", detail: "paused" }),
    ]);
    expect(brief(shown)).toEqual([[1, 1, 2]]);
    expect(shown[0]?.isIntentWritten).toBe(false);
  });

  test("and is not made of what sets none: a take-profit alone, a close", async () => {
    const { shown } = await stopsIn([
      entry(1, "step-intended", { action: "set-trading-stop", reason: "take-profit-missing", takeProfit: "104" }),
      entry(2, "step-intended", { action: "close-position", reason: "stop-past", quantity: "1" }),
    ]);
    expect(shown).toEqual([]);
  });
});

describe("of all stops", () => {
  const many = Array.from({ length: 2_400 }, (_, index) =>
    entry(
      index + 1,
      "step-intended",
      { ...PLACED, stopLoss: `${index + 1}` },
      index % 2 === 0 ? {} : { account: "grid" },
    ),
  );

  test("the newest are shown, and that there are more is said", async () => {
    const { shown, isCut } = await stopsIn(many, {}, 2);
    expect(brief(shown).map(([id]) => id)).toEqual([2_400, 2_399]);
    expect(isCut).toBe(true);
  });

  test("all can be had, and those of an account, a symbol, a time", async () => {
    expect((await stopsIn(many, {}, 9_999)).shown).toHaveLength(2_400);
    expect((await stopsIn(many, { accounts: ["grid"] }, 9_999)).shown).toHaveLength(1_200);
    expect((await stopsIn(many, { symbols: ["btc*"] }, 9_999)).shown).toHaveLength(2_400);
    expect((await stopsIn(many, { symbols: ["ETH*"] }, 9_999)).shown).toEqual([]);
    expect((await stopsIn(many, { sinceMs: START_MS + 2_390_000 }, 9_999)).shown).toHaveLength(11);
  });
});

const STORY = [
  entry(1, "step-intended", PLACED),
  entry(2, "step-answered", { ...PLACED, answer: "acknowledged", intended: 1 }),
  entry(3, "step-judged", { ...PLACED, outcome: "confirmed", intended: 1 }),
  entry(4, "step-intended", {
    ...PLACED,
    reason: "stop-too-wide",
    purpose: "tighten",
    stopLoss: "99",
    by: "intent of http",
  }),
  entry(5, "step-answered", { ...PLACED, stopLoss: "99", answer: "refused", detail: "10001 no", intended: 4 }),
];

test("the table answers why, by whom and whether it was proven, in one line each", async () => {
  const table = stopsTable(await stopsIn(STORY), { color: false, width: Number.POSITIVE_INFINITY });
  const lines = table.split("\n").map((line) => line.replaceAll(/ {2,}/g, " | "));
  expect(lines).toEqual([
    "time | account | position | stop | trigger | why | by | answered | proven",
    "2026-01-01 00:00:04 UTC | main | BTCUSDT long | 99 | MarkPrice | the stop was wider than wanted; moved closer, to the wanted level | intent of http | refused: 10001 no | no",
    "2026-01-01 00:00:01 UTC | main | BTCUSDT long | 98 | MarkPrice | no stop stood; put at the wanted level | config: defaults | acknowledged | 2026-01-01 00:00:03 UTC",
    "2 stops, newest first",
    "",
  ]);
});

test("what a narrow terminal has no room for stands beneath", async () => {
  const table = stopsTable(await stopsIn(STORY.slice(0, 3)), { color: false, width: 80 });
  for (const line of table.split("\n")) expect(line.length).toBeLessThanOrEqual(90);
  const words = table.replaceAll(/\s+/g, " ");
  expect(words).toContain("why: no stop stood; put at the wanted level");
  expect(words).toContain("by: config: defaults");
  expect(words).toContain("2026-01-01 00:00:03 UTC");
});

test("JSON has it as fields", async () => {
  const { shown } = await stopsIn(STORY.slice(0, 3));
  expect(JSON.parse(stopsJson(shown))).toMatchObject({
    schema: "bybit-backstop/history@1",
    stops: [
      {
        id: 1,
        time: "2026-01-01T00:00:01.000Z",
        stopLoss: "98",
        slTriggerBy: "MarkPrice",
        reason: "stop-missing",
        purpose: "add",
        by: "config: defaults",
        intentWritten: true,
        answer: { id: 2, answer: "acknowledged", detail: null },
        judged: { id: 3, outcome: "confirmed" },
        provenAt: "2026-01-01T00:00:03.000Z",
      },
    ],
  });
});
