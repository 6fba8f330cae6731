/** Whether a look proves a write: every answer that a look can give. */
import { describe, expect, test } from "vitest";
import { dec } from "../../src/domain/decimal.js";
import { UNWRITTEN_LIFE } from "../../src/domain/life.js";
import type { OpenOrder } from "../../src/domain/order.js";
import type { ClosePosition, SetTradingStop, Step } from "../../src/plan/step.js";
import { judge } from "../../src/verify/judge.js";
import { answeredChange, provenChange } from "../../src/verify/life.js";
import { conditionalStop, fullStop, partialStop, reduceOnlyLimit, takeProfit } from "../builders/order.js";
import { aPosition, aShort } from "../builders/position.js";
import { firstOf } from "../builders/snapshot.js";

const long = aPosition();

function aStep(overrides: Partial<SetTradingStop> = {}): SetTradingStop {
  return {
    action: "set-trading-stop",
    key: long.key,
    side: "long",
    stopLoss: { price: dec("98"), triggerBy: "MarkPrice", purpose: "add" },
    takeProfit: null,
    reason: "stop-missing",
    ...overrides,
  };
}

const withProfit = aStep({ takeProfit: { price: dec("104"), triggerBy: "LastPrice" } });
const profitOnly = { ...withProfit, stopLoss: null };
const aClose: ClosePosition = {
  action: "close-position",
  key: long.key,
  side: "long",
  quantity: dec("1"),
  reason: "stop-past",
};

function seen(orders: readonly OpenOrder[], position = long) {
  return firstOf({ positions: [position], orders });
}

describe("a stop that was written", () => {
  test.each<readonly [string, SetTradingStop, readonly OpenOrder[], string]>([
    ["shows at its price and trigger", aStep(), [fullStop(long, "98")], "confirmed"],
    ["shows at its price in another spelling", aStep(), [fullStop(long, "98.00")], "confirmed"],
    ["shows beside another leg", aStep(), [partialStop(long, "99", "0.5"), fullStop(long, "98")], "confirmed"],
    ["does not show", aStep(), [], "unseen"],
    ["shows at another, looser price", aStep(), [fullStop(long, "97.9")], "unseen"],
    ["shows with another trigger", aStep(), [fullStop(long, "98", { triggerBy: "LastPrice" })], "unseen"],
    ["is a Partial leg at the price", aStep(), [partialStop(long, "98", "1")], "unseen"],
    ["is a conditional at the price", aStep(), [conditionalStop(long, "98", "1")], "unseen"],
    ["has triggered already", aStep(), [fullStop(long, "98", { state: "triggered" })], "unseen"],
    ["gave way to a tighter one", aStep(), [fullStop(long, "99")], "superseded"],
    ["gave way to a tighter one for a part only", aStep(), [partialStop(long, "99", "0.5")], "unseen"],
    ["shows with its take-profit", withProfit, [fullStop(long, "98"), takeProfit(long, "104")], "confirmed"],
    ["shows without its take-profit", withProfit, [fullStop(long, "98")], "unseen"],
    ["does not show, only its take-profit does", withProfit, [takeProfit(long, "104")], "unseen"],
    ["was not part of it", profitOnly, [takeProfit(long, "104")], "confirmed"],
    [
      "was not part of it, and a limit order is no Full take-profit",
      profitOnly,
      [reduceOnlyLimit(long, "104", "1")],
      "unseen",
    ],
  ])("%s", (_what, step, orders, verdict) => {
    expect(judge(step, seen(orders)).kind).toBe(verdict);
  });

  test("and what does not show is told by its price", () => {
    expect(judge(withProfit, seen([]))).toEqual({ kind: "unseen", detail: "no read shows the stop at 98" });
    expect(judge(withProfit, seen([fullStop(long, "98")]))).toEqual({
      kind: "unseen",
      detail: "no read shows the take-profit at 104",
    });
    expect(judge(withProfit, seen([fullStop(long, "99")]))).toEqual({
      kind: "superseded",
      detail: "a tighter stop stands at 99",
    });
  });

  test("that the position row states without an open order is not proven", () => {
    expect(judge(aStep(), seen([], aPosition({ fullStop: "98" }))).kind).toBe("unseen");
  });

  test("of a position that is gone, or has flipped, has nothing left to protect", () => {
    expect(judge(aStep(), null).kind).toBe("closed");
    expect(judge(aStep(), seen([], aShort())).kind).toBe("closed");
  });

  test("that the flipped side has taken is told: it stands where it was not meant", () => {
    const flipped = aShort({ mark: "97" });
    const verdict = judge(aStep(), seen([fullStop(flipped, "98")], flipped));
    expect(verdict).toMatchObject({ kind: "superseded", detail: expect.stringContaining("flipped to short") });
  });
});

describe("a close that was written", () => {
  test("is proven by the position being gone, and by nothing else", () => {
    expect(judge(aClose, null).kind).toBe("closed");
    expect(judge(aClose, seen([]))).toEqual({ kind: "unseen", detail: "1 is still open" });
  });

  test("is proven where the position has flipped: what it was to close is gone", () => {
    const flipped = aShort({ mark: "97" });
    expect(judge(aClose, seen([fullStop(flipped, "98")], flipped)).kind).toBe("closed");
  });
});

describe("what a life remembers", () => {
  const answer = { kind: "acknowledged" } as const;
  const attempt = { step: withProfit, startedAtMs: 0, answeredAtMs: 1, answer };
  const confirmed = { kind: "confirmed" } as const;
  const found = firstOf({ positions: [long] });
  const proven = (step: Step) => provenChange({ attempt: { ...attempt, step }, verdict: confirmed }, found);
  const set = { stopLoss: { price: dec("98"), triggerBy: "MarkPrice" }, takeProfit: null, size: dec("1") } as const;

  test("confirmed levels are ours, and the stop is what is wanted from now on", () => {
    expect(proven(withProfit)).toEqual({
      ourStopLoss: dec("98"),
      grown: false,
      learned: set,
      ourTakeProfit: dec("104"),
    });
  });

  test("a confirmed stop takes the place of a tighter one that has vanished; the take-profit that stood is kept", () => {
    const profit = { price: dec("105"), triggerBy: "LastPrice" } as const;
    const stood = { price: dec("99"), triggerBy: "LastPrice" } as const;
    const learned = { stopLoss: stood, takeProfit: profit, size: dec("1") };
    const change = provenChange(
      { attempt: { ...attempt, step: aStep() }, verdict: confirmed },
      firstOf({ positions: [long] }, { life: { learned } }),
    );
    expect(change.learned).toEqual({ ...set, takeProfit: profit });
  });

  test("a stop that stands is ours though the take-profit that was sent with it does not show", () => {
    const detail = "no read shows the take-profit at 104";
    const judged = { attempt: { ...attempt, step: withProfit }, verdict: { kind: "unseen", detail } } as const;
    const stands = firstOf({ positions: [long], orders: [fullStop(long, "98")] });
    expect(provenChange(judged, stands)).toEqual({ ourStopLoss: dec("98"), grown: false, learned: set });
    const elsewhere = firstOf({ positions: [long], orders: [fullStop(long, "97")] });
    expect(provenChange(judged, elsewhere)).toEqual({});
  });

  test("a look whose orders are in doubt proves no stop", () => {
    const judged = {
      attempt: { ...attempt, step: withProfit },
      verdict: { kind: "unseen", detail: "no answer" },
    } as const;
    const gaps = [{ category: "linear", what: "orders", reason: "no answer" }] as const;
    const doubtful = firstOf({ positions: [long], orders: [fullStop(long, "98")], gaps });
    expect(provenChange(judged, doubtful)).toEqual({});
  });

  test("a stop that is proven by a look whose other orders are in doubt is ours, and is not what is wanted yet", () => {
    const gaps = [{ category: "linear", what: "orders", reason: "no answer" }] as const;
    const doubtful = firstOf({ positions: [long], orders: [fullStop(long, "98")], gaps });
    const judged = { attempt: { ...attempt, step: aStep() }, verdict: confirmed };
    expect(provenChange(judged, doubtful)).toEqual({ ourStopLoss: dec("98"), grown: false });
  });

  test("only what was asked for is ours", () => {
    expect(proven(aStep())).toEqual({ ourStopLoss: dec("98"), grown: false, learned: set });
    expect(proven(profitOnly)).toEqual({ ourTakeProfit: dec("104") });
    expect(proven(aClose)).toEqual({});
  });

  test("the latest eight restores are remembered", () => {
    const step = aStep({ stopLoss: { price: dec("98"), triggerBy: "MarkPrice", purpose: "restore" } });
    const before = { ...UNWRITTEN_LIFE, restoredAtMs: [1, 2, 3, 4, 5, 6, 7, 8] };
    expect(answeredChange({ ...attempt, step, answeredAtMs: 9 }, before)).toEqual({
      restoredAtMs: [2, 3, 4, 5, 6, 7, 8, 9],
    });
  });

  test("a take-profit that may have happened leaves nothing that may be done only once", () => {
    expect(answeredChange({ ...attempt, step: profitOnly }, UNWRITTEN_LIFE)).toEqual({});
  });

  test("a level that was not proven is not ours", () => {
    expect(provenChange({ attempt, verdict: { kind: "unseen", detail: "" } }, found)).toEqual({});
    expect(provenChange({ attempt, verdict: { kind: "superseded", detail: "" } }, found)).toEqual({});
  });

  test.each([
    ["rebase", { rebased: true }],
    ["inside-liquidation", { movedForLiquidation: true }],
    ["restore", { restoredAtMs: [attempt.answeredAtMs] }],
    ["nearest", {}],
    ["tighten", {}],
  ] as const)("a %s that may have happened counts as done: %j", (purpose, change) => {
    const step = aStep({ stopLoss: { price: dec("98"), triggerBy: "MarkPrice", purpose } });
    const uncertain = { kind: "uncertain", detail: "no answer" } as const;
    expect(answeredChange({ ...attempt, step }, UNWRITTEN_LIFE)).toEqual(change);
    expect(answeredChange({ ...attempt, step, answer: uncertain }, UNWRITTEN_LIFE)).toEqual(change);
    expect(
      answeredChange(
        { ...attempt, step, answer: { kind: "refused", cause: "limit", meetsStopToo: false, detail: "" } },
        UNWRITTEN_LIFE,
      ),
    ).toEqual({});
  });

  test.each([
    [{ kind: "acknowledged" }, { closeSent: true }],
    [{ kind: "uncertain", detail: "" }, { closeSent: true }],
    [{ kind: "refused", cause: "limit", meetsStopToo: false, detail: "" }, { closeSent: true }],
    [{ kind: "not-sent", cause: "vetoed", detail: "" }, {}],
  ] as const)("a close answered with %j leaves %j", (closeAnswer, change) => {
    expect(answeredChange({ ...attempt, step: aClose, answer: closeAnswer }, UNWRITTEN_LIFE)).toEqual(change);
  });

  test("an answered stop leaves nothing before it is proven", () => {
    expect(answeredChange(attempt, UNWRITTEN_LIFE)).toEqual({});
  });
});
