/** What an intent may look like: the forms that are taken, and the words in which others are refused. */
import { expect, test } from "vitest";
import { intentDocument, legProblem } from "../../src/intents/document.js";

const UNTIL = { reason: "hedged elsewhere", until: "2026-01-02T00:00:00+01:00" };

test.each([
  ["a stop alone", { side: "long", stopLoss: "49000" }],
  ["a take-profit alone", { side: "short", takeProfit: "0.00000001" }],
  ["a waiver with its reason and end", { side: "long", stopLoss: "none", ...UNTIL }],
  ["a waiver beside a take-profit", { side: "long", stopLoss: "none", takeProfit: "52000", ...UNTIL }],
  ["a month of waiting", { side: "long", stopLoss: "1", ttlSeconds: 2_678_400 }],
  ["an order's own id", { side: "long", stopLoss: "1", orderLinkId: "bot_1-A" }],
  ["a name", { side: "long", stopLoss: "1", who: "grid bot@home" }],
])("%s is taken as it is written", (_what, written) => {
  expect(intentDocument.parse(written)).toEqual({ ttlSeconds: 600, allowLoosen: false, ...written });
});

const PRICE = 'must be a positive decimal in plain notation, such as "49000.5"';

test.each([
  ["no side", { stopLoss: "1" }, "side"],
  ["a side of the exchange's", { side: "Buy", stopLoss: "1" }, "side"],
  ["no level", { side: "long" }, "must name stopLoss, takeProfit or both"],
  ["a stop of 0", { side: "long", stopLoss: "0.00" }, PRICE],
  ["a price below zero", { side: "long", stopLoss: "-1" }, PRICE],
  ["a price as a number", { side: "long", stopLoss: 49_000 }, PRICE],
  ["a price with an exponent", { side: "long", takeProfit: "4e4" }, PRICE],
  ["a price with a comma", { side: "long", takeProfit: "1,5" }, PRICE],
  ["a take-profit that is waived", { side: "long", takeProfit: "none" }, PRICE],
  ["a waiver without a reason", { side: "long", stopLoss: "none", until: UNTIL.until }, "needs reason and until"],
  ["a waiver without an end", { side: "long", stopLoss: "none", reason: "why" }, "needs reason and until"],
  ["an end without a time zone", { side: "long", stopLoss: "none", ...UNTIL, until: "2026-01-02T00:00:00" }, "until"],
  ["an end of a level", { side: "long", takeProfit: "1", until: UNTIL.until }, 'until belongs to stopLoss "none"'],
  ["no time to wait", { side: "long", stopLoss: "1", ttlSeconds: 0 }, "ttlSeconds"],
  ["more than a month", { side: "long", stopLoss: "1", ttlSeconds: 2_678_401 }, "ttlSeconds"],
  ["half a second", { side: "long", stopLoss: "1", ttlSeconds: 1.5 }, "ttlSeconds"],
  ["an id that the exchange would not take", { side: "long", stopLoss: "1", orderLinkId: "a b" }, "orderLinkId"],
  ["a key that is not ours", { side: "long", stopLoss: "1", stoploss: "2" }, "stoploss"],
])("%s is refused", (_what, written, names) => {
  const { error } = intentDocument.safeParse(written);
  expect(error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ")).toContain(names);
});

test.each([
  { positionIdx: 0, side: "long", problem: null },
  { positionIdx: 0, side: "short", problem: null },
  { positionIdx: 1, side: "long", problem: null },
  { positionIdx: 2, side: "short", problem: null },
  { positionIdx: 1, side: "short", problem: "side: positionIdx 1 is the long leg of hedge mode, and side says short" },
  { positionIdx: 2, side: "long", problem: "side: positionIdx 2 is the short leg of hedge mode, and side says long" },
] as const)("a $side at positionIdx $positionIdx: $problem", ({ problem, ...asked }) => {
  expect(legProblem(asked)).toBe(problem);
});
