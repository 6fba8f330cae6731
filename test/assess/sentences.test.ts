/** What each finding says, with its numbers: the sentences that people act on. */
import { describe, expect, test } from "vitest";
import { assess } from "../../src/assess/assess.js";
import { dec } from "../../src/domain/decimal.js";
import type { PositionIntent } from "../../src/domain/intent.js";
import { UNWRITTEN_LIFE } from "../../src/domain/life.js";
import { anInstrument, aTicker, instrumentFor } from "../builders/market.js";
import {
  anUnreadableOrder,
  conditionalStop,
  fullStop,
  partialStop,
  partialTakeProfit,
  stopLimit,
  takeProfit,
} from "../builders/order.js";
import { resolved, stopAt, takeProfitAt, takeProfitInR } from "../builders/policy.js";
import { anUnreadablePosition, aPosition, aShort } from "../builders/position.js";
import { aSnapshot, assessed, firstOf, type Judging, type SnapshotShape } from "../builders/snapshot.js";

const NOW_MS = 1_700_000_000_000;
const HOUR_MS = 3_600_000;
/** Liquidation far away, so that nothing is said of it. */
const long = aPosition({ liquidation: "50" });
const short = aShort({ liquidation: "150" });
const half = aPosition({ liquidation: "50", size: "0.5" });
const past = aPosition({ liquidation: "50", mark: "97" });
const deep = aPosition({ liquidation: "95" });
const profit = { takeProfit: takeProfitAt("0.04") };

function intent(over: Partial<PositionIntent>): PositionIntent {
  return { id: "i-1", stopLoss: null, takeProfit: null, waiver: null, mayLoosenFrom: null, who: "the bot", ...over };
}

function learned(stopLoss: string) {
  return { stopLoss: { price: dec(stopLoss), triggerBy: "MarkPrice" }, takeProfit: null, size: dec("1") } as const;
}

type Scene = readonly [SnapshotShape, Judging?];

const stands = (price: string, position = long): SnapshotShape => ({
  positions: [position],
  orders: [fullStop(position, price)],
});

describe("it says", () => {
  test.each<readonly [string, Scene, readonly string[]]>([
    [
      "which position is naked",
      [{ positions: [half] }],
      ["stop-missing: no stop-loss rests at the exchange for 0.5 BTCUSDT long"],
    ],
    [
      "why no stop can be placed",
      [{ positions: [aPosition({ liquidation: "50", mark: null })], tickers: [aTicker({ mark: null })] }],
      [
        "stop-missing: no stop-loss rests at the exchange for 1 BTCUSDT long, and none can be placed: the exchange states no current MarkPrice",
      ],
    ],
    [
      "how much is covered, never more than is",
      [{ positions: [aPosition({ liquidation: "50", size: "3" })], orders: [partialStop(long, "98", "2")] }],
      ["stop-partial: stops cover only 66.66% of 3 BTCUSDT long"],
    ],
    [
      "what has passed the configured stop, and what is to be done",
      [{ positions: [past] }, { protection: { pastStop: "nearest" } }],
      [
        "stop-missing: no stop-loss rests at the exchange for 1 BTCUSDT long",
        "stop-past: MarkPrice 97 has passed the configured stop 98; pastStop is nearest",
      ],
    ],
    [
      "at which price a stop has triggered",
      [{ positions: [half], orders: [fullStop(half, "98", { state: "triggered" })] }],
      [
        "stop-triggered-not-filled: a stop at 98 has triggered and 0.5 is still open",
        "stop-missing: no stop-loss rests at the exchange for 0.5 BTCUSDT long",
      ],
    ],
    [
      "that a stop has triggered whose price is not told",
      [{ positions: [half], orders: [fullStop(half, "98", { state: "triggered", triggerPrice: null })] }],
      [
        "stop-triggered-not-filled: a stop at ? has triggered and 0.5 is still open",
        "stop-missing: no stop-loss rests at the exchange for 0.5 BTCUSDT long",
      ],
    ],
    [
      "that a stop has triggered which is gone by now",
      [{ positions: [half] }, { life: { stopTriggered: true } }],
      [
        "stop-triggered-not-filled: a stop of this position has triggered and 0.5 is still open",
        "stop-missing: no stop-loss rests at the exchange for 0.5 BTCUSDT long",
      ],
    ],
    [
      "that one has triggered also where what is left is half covered",
      [{ positions: [half], orders: [partialStop(half, "98", "0.25")] }, { life: { stopTriggered: true } }],
      [
        "stop-triggered-not-filled: a stop of this position has triggered and 0.5 is still open",
        "stop-partial: stops cover only 50% of 0.5 BTCUSDT long",
      ],
    ],
    [
      "nothing of a stop that has triggered where another one protects",
      [stands("98"), { life: { stopTriggered: true } }],
      [],
    ],
    [
      "once that a stop has triggered, also where that is remembered",
      [
        { positions: [long], orders: [fullStop(long, "98", { state: "triggered" })] },
        { life: { stopTriggered: true } },
      ],
      [
        "stop-triggered-not-filled: a stop at 98 has triggered and 1 is still open",
        "stop-missing: no stop-loss rests at the exchange for 1 BTCUSDT long",
      ],
    ],
    [
      "that a stop-limit may rest",
      [{ positions: [long], orders: [stopLimit(long, "98", "1")] }],
      ["stop-limit: a stop is a stop-limit order: once triggered it may rest unfilled"],
    ],
    [
      "that a Full stop is larger than a market order may be",
      [
        {
          ...stands("98", aPosition({ liquidation: "50", size: "5" })),
          instruments: [anInstrument({ largestMarketOrder: "4" })],
        },
      ],
      ["stop-size-over-limit: size 5 is above the largest market order 4; the stop may be filled in parts"],
    ],
    [
      "that one Partial leg is larger than a market order may be",
      [
        {
          positions: [aPosition({ liquidation: "50", size: "5" })],
          orders: [partialStop(long, "98", "5")],
          instruments: [anInstrument({ largestMarketOrder: "4" })],
        },
      ],
      ["stop-size-over-limit: size 5 is above the largest market order 4; the stop may be filled in parts"],
    ],
    [
      "that the Full stop behind a small leg is larger than a market order may be",
      [
        {
          positions: [aPosition({ liquidation: "50", size: "5" })],
          orders: [partialStop(long, "98", "1"), fullStop(long, "97")],
          instruments: [anInstrument({ largestMarketOrder: "4" })],
        },
        { protection: { stopLoss: stopAt("0.03") } },
      ],
      ["stop-size-over-limit: size 5 is above the largest market order 4; the stop may be filled in parts"],
    ],
    [
      "nothing where each leg is small enough, or the position as large as a market order may be",
      [
        {
          positions: [aPosition({ liquidation: "50", size: "8" })],
          orders: [partialStop(long, "98", "4"), conditionalStop(long, "98", "4")],
          instruments: [anInstrument({ largestMarketOrder: "4" })],
        },
      ],
      [],
    ],
    [
      "nothing of a Full stop that is as large as a market order may be",
      [
        {
          ...stands("98", aPosition({ liquidation: "50", size: "4" })),
          instruments: [anInstrument({ largestMarketOrder: "4" })],
        },
      ],
      [],
    ],
    [
      "that liquidation is not known",
      [stands("98", aPosition())],
      ["liquidation-unknown: the exchange states no liquidation price, so stops are not checked against it"],
    ],
    [
      "that a stop comes after liquidation",
      [stands("94", deep)],
      ["stop-beyond-liquidation: the stop at 94 comes only after liquidation at 95"],
    ],
    [
      "which stop comes last after liquidation",
      [{ positions: [deep], orders: [partialStop(deep, "93", "0.5"), partialStop(deep, "94", "0.5")] }],
      ["stop-beyond-liquidation: the stop at 94 comes only after liquidation at 95"],
    ],
    ...(["cross", "portfolio"] as const).map(
      (marginMode) =>
        [
          `that the liquidation price is an estimate in ${marginMode} margin`,
          [{ ...stands("94", deep), marginMode }],
          ["stop-beyond-liquidation: the stop at 94 comes only after estimated liquidation at 95"],
        ] as const satisfies readonly [string, Scene, readonly string[]],
    ),
    ["how much wider a stop is", [stands("90")], ["stop-too-wide: the stop stands at 90, the configured level is 98"]],
    [
      "how much tighter a stop is",
      [stands("99")],
      ["stop-tighter-than-configured: the stop stands at 99, the configured level is 98"],
    ],
    [
      "how much tighter a short's stop is",
      [stands("101", short)],
      ["stop-tighter-than-configured: the stop stands at 101, the configured level is 102"],
    ],
    [
      "whose intent wants a wider one",
      [stands("99"), { life: { intent: intent({ stopLoss: dec("96") }) } }],
      ["stop-tighter-than-configured: the stop stands at 99, the level that the intent of the bot wants is 96"],
    ],
    [
      "whose intent wants a tighter one",
      [stands("94"), { life: { intent: intent({ stopLoss: dec("96") }) } }],
      ["intent-drift: the stop stands at 94, the level that the intent of the bot wants is 96"],
    ],
    [
      "the configured level where an intent names only a take-profit",
      [stands("90"), { life: { intent: intent({ takeProfit: dec("110") }) } }],
      [
        "stop-too-wide: the stop stands at 90, the configured level is 98",
        "take-profit-missing: no take-profit rests at the exchange",
      ],
    ],
    [
      "where a stop stood before it was loosened",
      [stands("96"), { life: { learned: learned("97") } }],
      ["intent-drift: the stop stands at 96, and stood at 97 before"],
    ],
    [
      "that it is not moved back a fourth time in an hour",
      [stands("96"), { life: { learned: learned("97"), restoredAtMs: [NOW_MS, NOW_MS, NOW_MS] } }],
      [
        "intent-drift: the stop stands at 96, and stood at 97 before; it was moved back three times in this hour, and is not again",
      ],
    ],
    [
      "nothing of a stop that stands where an intent wants it",
      [stands("96"), { life: { intent: intent({ stopLoss: dec("96") }) } }],
      [],
    ],
    [
      "nothing of width where the mark has passed what an intent wants",
      [stands("96"), { life: { intent: intent({ stopLoss: dec("101") }) } }],
      [],
    ],
    [
      "how much of the size a take-profit covers",
      [
        { positions: [long], orders: [fullStop(long, "98"), partialTakeProfit(long, "104", "0.333")] },
        { protection: profit },
      ],
      ["take-profit-partial: take-profits cover only 33.3% of the position"],
    ],
    [
      "how much a take-profit covers where only an intent wants one",
      [
        { positions: [long], orders: [fullStop(long, "98"), partialTakeProfit(long, "104", "0.5")] },
        { life: { intent: intent({ takeProfit: dec("110") }) } },
      ],
      ["take-profit-partial: take-profits cover only 50% of the position"],
    ],
    [
      "what has passed the configured take-profit",
      [
        stands("98", aPosition({ liquidation: "50", mark: "105" })),
        { protection: { ...profit, pastTakeProfit: "close" } },
      ],
      ["take-profit-past: LastPrice 105 has passed the configured take-profit 104; pastTakeProfit is close"],
    ],
    [
      "that a take-profit is missing",
      [stands("98"), { protection: profit }],
      ["take-profit-missing: no take-profit rests at the exchange"],
    ],
    [
      "why no take-profit can be had",
      [stands("98"), { protection: { stopLoss: null, takeProfit: takeProfitInR("2") } }],
      ["take-profit-missing: no take-profit rests at the exchange: a multiple of R needs a stop-loss distance"],
    ],
    [
      "why no take-profit can be seen",
      [{ ...stands("98"), unreadableOrders: [anUnreadableOrder()] }, { protection: profit }],
      [
        'take-profit-missing: no take-profit can be seen: one of its open orders cannot be read: orderStatus is "Paused"',
      ],
    ],
    [
      "whose intent wants another take-profit",
      [
        { positions: [long], orders: [fullStop(long, "98"), takeProfit(long, "104")] },
        { life: { intent: intent({ takeProfit: dec("110") }) } },
      ],
      ["intent-drift: the take-profit stands at 104, the intent of the bot wants 110"],
    ],
    [
      "nothing where the take-profit stands a tick beside it, which is the same wish nearer the mark",
      [
        { positions: [long], orders: [fullStop(long, "98"), takeProfit(long, "109.9")] },
        { life: { intent: intent({ takeProfit: dec("110") }) } },
      ],
      [],
    ],
    [
      "nothing where the take-profit stands where the intent wants it",
      [
        { positions: [long], orders: [fullStop(long, "98"), takeProfit(long, "110")] },
        { life: { intent: intent({ takeProfit: dec("110") }) } },
      ],
      [],
    ],
    [
      "nothing of a whole take-profit that is not the configured one",
      [{ positions: [long], orders: [fullStop(long, "98"), takeProfit(long, "110")] }, { protection: profit }],
      [],
    ],
    [
      "nothing of a whole take-profit that is not the configured one where an intent names only a stop",
      [
        { positions: [long], orders: [fullStop(long, "98"), takeProfit(long, "110")] },
        { protection: profit, life: { intent: intent({ stopLoss: dec("98") }) } },
      ],
      [],
    ],
    [
      "nothing of Partial take-profits in place of what an intent wants",
      [
        { positions: [long], orders: [fullStop(long, "98"), partialTakeProfit(long, "104", "1")] },
        { life: { intent: intent({ takeProfit: dec("110") }) } },
      ],
      [],
    ],
    [
      "nothing of a take-profit whose intent the price has passed",
      [
        { positions: [long], orders: [fullStop(long, "98"), takeProfit(long, "104")] },
        { life: { intent: intent({ takeProfit: dec("99") }) } },
      ],
      [],
    ],
    [
      "why a contract takes no exits, and when that is tried again",
      [{ positions: [long], tickers: [aTicker({ preMarketPhase: "CallAuction" })] }],
      [
        "unprotectable: no stop-loss can rest now: the contract is in its pre-market CallAuction; exits are accepted in continuous trading; it is tried again in every pass",
      ],
    ],
    [
      "nothing of an auction where a stop stands already",
      [{ ...stands("98"), tickers: [aTicker({ preMarketPhase: "CallAuction" })] }],
      [],
    ],
    [
      "that a contract is being settled",
      [{ positions: [long], instruments: [anInstrument({ status: "closed" })] }],
      [
        "unprotectable: no stop-loss can rest now: the contract is closed; the exchange settles the position itself; it is tried again in every pass",
      ],
    ],
    [
      "in how many hours a contract ends",
      [{ ...stands("98"), instruments: [anInstrument({ deliveryAtMs: NOW_MS + 72 * HOUR_MS })] }],
      ["delisting-soon: the contract is delivered or delisted in about 72 h; all orders end then"],
    ],
    [
      "that a contract ends now where its time has passed",
      [{ ...stands("98"), instruments: [anInstrument({ deliveryAtMs: NOW_MS - 5 * HOUR_MS })] }],
      ["delisting-soon: the contract is delivered or delisted in about 0 h; all orders end then"],
    ],
    [
      "nothing of a contract that ends in more than three days",
      [{ ...stands("98"), instruments: [anInstrument({ deliveryAtMs: NOW_MS + 72 * HOUR_MS + 1 })] }],
      [],
    ],
  ])("%s", (_what, [shape, judging], expected) => {
    expect(messages(shape, judging)).toEqual(expected);
  });

  function messages(shape: SnapshotShape, judging: Judging = {}): readonly string[] {
    return firstOf(shape, judging).findings.map(({ code, message }) => `${code}: ${message}`);
  }

  test("who wants no stop, until when, and why", () => {
    const waiver = { reason: "hedged", untilMs: NOW_MS + 1, until: "2023-11-14T22:13:20.001Z" };
    const waived = { life: { intent: intent({ waiver }) } };
    const sentence = "stop-waived: no stop is wanted until 2023-11-14T22:13:20.001Z: hedged (asked for by the bot)";
    expect(messages({ positions: [long] }, waived)).toEqual([sentence]);
    expect(messages(stands("90"), waived)).toEqual([sentence]);
    expect(messages(stands("90"), { life: { ...waived.life, learned: learned("97") } })).toEqual([sentence]);
    const { wanted } = firstOf(stands("90"), { life: { ...waived.life, learned: learned("97") } });
    expect([wanted.stopLoss, wanted.stopBenchmark, wanted.reference]).toEqual([
      { kind: "none" },
      { kind: "none" },
      null,
    ]);
  });

  test("what is missing of the take-profit, also where no stop is wanted; not of a hedge that is ignored", () => {
    const waiver = { reason: "hedged", untilMs: NOW_MS + 1, until: "2023-11-14T22:13:20.001Z" };
    const waived = { life: { intent: intent({ waiver }) } };
    const missing = "take-profit-missing: no take-profit rests at the exchange";
    expect(messages({ positions: [long] }, { ...waived, protection: profit })).toContain(missing);
    const legs = [aPosition({ positionIdx: 1 }), aShort({ positionIdx: 2 })];
    const ignored = { ...waived, protection: { ...profit, hedged: "ignore" as const } };
    expect(messages({ positions: legs }, ignored)).not.toContain(missing);
  });

  test("which legs offset a position, and how such are treated", () => {
    const legs = [
      aPosition({ positionIdx: 1, liquidation: "50" }),
      aShort({ positionIdx: 2 }),
      aShort({ symbol: "BTCPERP" }),
    ];
    const sentence = "hedge-leg: offset by BTCUSDT short, BTCPERP short; such legs are set to: alert";
    expect(messages({ positions: legs }, { protection: { hedged: "alert" } })).toContain(sentence);
  });

  test("which row cannot be read, and why", () => {
    const { unseen } = assessed({
      unreadablePositions: [anUnreadablePosition(), anUnreadablePosition({ symbol: null })],
    });
    const counts = 'cannot be read (side is "Both"); it counts as not protected and is left untouched';
    expect(unseen.flatMap(({ findings }) => findings.map(({ message }) => message))).toEqual([
      `BTCUSDT ${counts}`,
      `a position ${counts}`,
    ]);
    expect(unseen.map(({ kind }) => kind)).toEqual(["unseen", "unseen"]);
  });
});

describe("a level near the mark", () => {
  const coarse = (shape: SnapshotShape, judging: Judging = {}) =>
    firstOf({ instruments: [anInstrument({ tick: "0.75" })], ...shape }, judging)
      .findings.filter(({ code }) => code === "tick-too-coarse")
      .map(({ message }) => message);
  const byTicks = (exit: string, price: string) =>
    `the ${exit} is within 3 ticks of the mark, so it is rounded away from it, to ${price}`;
  const near = { protection: { takeProfit: takeProfitAt("0.021") } };

  test("is told for each exit that is still to be placed", () => {
    expect(coarse({ positions: [long] }, near)).toEqual([
      byTicks("stop-loss", "97.5"),
      byTicks("take-profit", "102.75"),
    ]);
  });

  test("is told of a stop that stands there or farther away, and not where a tighter one stands", () => {
    expect(coarse(stands("97.5"))).toEqual([byTicks("stop-loss", "97.5")]);
    expect(coarse(stands("96.75"))).toEqual([byTicks("stop-loss", "97.5")]);
    expect(coarse(stands("98.25"))).toEqual([]);
    expect(coarse({ positions: [long], orders: [partialStop(long, "98.25", "0.5")] })).toEqual([
      byTicks("stop-loss", "97.5"),
    ]);
  });

  test("is told of a take-profit that stands just there, and of no other", () => {
    const at = (price: string) => ({ positions: [long], orders: [fullStop(long, "98.25"), takeProfit(long, price)] });
    expect(coarse(at("102.75"), near)).toEqual([byTicks("take-profit", "102.75")]);
    expect(coarse(at("103.5"), near)).toEqual([]);
    expect(coarse(at("103.5"))).toEqual([]);
  });
});

describe("it cannot be told what protects a position", () => {
  const doubt = (shape: SnapshotShape) => firstOf(shape).stop.doubt;
  const gap = { category: "linear", what: "orders", reason: "timeout" } as const;

  test.each<readonly [string, SnapshotShape, string | null]>([
    ["where orders were not seen", { positions: [long], gaps: [gap] }, "its open orders could not be read: timeout"],
    [
      "but not where those of another category were not",
      { positions: [long], gaps: [{ ...gap, category: "inverse" }] },
      null,
    ],
    [
      "but not where those of another contract were not",
      { positions: [long], gaps: [{ ...gap, symbols: ["ETHUSDT"] }] },
      null,
    ],
    ["but not where positions were not", { positions: [long], gaps: [{ ...gap, what: "positions" }] }, null],
    [
      "where an order's row cannot be read",
      { positions: [long], unreadableOrders: [anUnreadableOrder({ positionIdx: null })] },
      'one of its open orders cannot be read: orderStatus is "Paused"',
    ],
    [
      "but not for a row of another category",
      { positions: [long], unreadableOrders: [anUnreadableOrder({ category: "inverse", symbol: null })] },
      null,
    ],
    [
      "but not for a row of another contract",
      { positions: [long], unreadableOrders: [anUnreadableOrder({ symbol: "ETHUSDT" })] },
      null,
    ],
    [
      "where the row states a stop that is not open",
      { positions: [aPosition({ fullStop: "98" })], orders: [partialStop(long, "97", "1")] },
      "the position states a stop at 98, but no such order is open",
    ],
    ["but not where the row and the order agree", stands("98", aPosition({ fullStop: "98" })), null],
    [
      "where a stop should have triggered",
      stands("98", past),
      "its stop at 98 should have triggered by MarkPrice and still waits",
    ],
    [
      "where a short's stop should have triggered by its own price",
      {
        positions: [short],
        orders: [fullStop(short, "102", { triggerBy: "LastPrice" })],
        tickers: [aTicker({ mark: "100", last: "103" })],
      },
      "its stop at 102 should have triggered by LastPrice and still waits",
    ],
    ["but not where the price has just arrived at it", stands("97", past), null],
    [
      "where all prices have passed it, of which nobody knows which it goes by",
      {
        positions: [past],
        orders: [fullStop(past, "98", { triggerBy: null })],
        tickers: [aTicker({ mark: "97", last: "97", index: "97.9" })],
      },
      "its stop at 98 should have triggered by any price and still waits",
    ],
    [
      "but not where one of them has not, of which nobody knows whether it goes by that",
      {
        positions: [past],
        orders: [fullStop(past, "98", { triggerBy: null })],
        tickers: [aTicker({ mark: "97", last: "97", index: "98.1" })],
      },
      null,
    ],
  ])("%s", (_when, shape, expected) => {
    expect(doubt(shape)).toBe(expected);
  });

  test.each([
    ["MarkPrice", "its stop at 98 should have triggered by MarkPrice and still waits", "unknown"],
    ["LastPrice", null, "protected"],
  ] as const)(
    "without the contract's rules the row's own mark is all that is known of a %s stop",
    (triggerBy, ...told) => {
      const shape = { positions: [past], orders: [fullStop(past, "98", { triggerBy })] };
      const snapshot = { ...aSnapshot(shape), instruments: new Map() };
      const [blind] = assess({ snapshot, policyOf: () => resolved(), lifeOf: () => UNWRITTEN_LIFE }).positions;
      expect([blind?.stop.doubt, blind?.status]).toEqual(told);
    },
  );
});

describe("the Full stop that stands", () => {
  const standing = (position: typeof long, orders: SnapshotShape["orders"] = []) =>
    firstOf({ positions: [position], orders }).stop.standingFull?.toFixed() ?? null;

  test("is the tightest one that the row or an order tells of", () => {
    expect(standing(aPosition({ fullStop: "97" }), [fullStop(long, "98")])).toBe("98");
    expect(standing(aPosition({ fullStop: "99" }), [fullStop(long, "98")])).toBe("99");
    expect(standing(aShort({ fullStop: "103" }), [fullStop(short, "102")])).toBe("102");
    expect(standing(aPosition({ fullStop: "97" }))).toBe("97");
  });

  test("is none where only legs stand", () => {
    expect(standing(long, [partialStop(long, "98", "1"), conditionalStop(long, "97", "1")])).toBeNull();
  });
});

describe("a contract of which little is known", () => {
  const judged = (over: Partial<ReturnType<typeof aSnapshot>>, judging: Judging = {}) =>
    assess({
      snapshot: { ...aSnapshot({ positions: [long] }), ...over },
      policyOf: () => resolved(),
      lifeOf: () => ({ ...UNWRITTEN_LIFE, ...judging.life }),
    }).positions[0];

  test("without its rules has no level, and says why", () => {
    const found = judged({ instruments: new Map() }, { life: { learned: learned("97") } });
    const unknown = { kind: "impossible", reason: "the contract's tick size is not known" };
    expect(found?.wanted).toEqual({
      stopLoss: unknown,
      stopPlaced: unknown,
      stopBenchmark: unknown,
      takeProfit: unknown,
      stopBy: "config",
      takeProfitBy: "config",
      reference: null,
      mayRestore: true,
      waiver: null,
    });
    expect(found?.market).toBeNull();
    expect(found?.findings.map(({ message }) => message)).toEqual([
      "no stop-loss rests at the exchange for 1 BTCUSDT long, and none can be placed: the contract's tick size is not known",
    ]);
  });

  test("without its prices goes by the row's own mark", () => {
    const found = judged({ tickers: new Map() });
    expect(found?.market?.ticker).toEqual({
      category: "linear",
      symbol: "BTCUSDT",
      markPrice: null,
      lastPrice: null,
      indexPrice: null,
      preMarketPhase: null,
    });
    expect(found?.wanted.stopLoss).toMatchObject({ kind: "level", price: dec("98") });
  });

  test("is judged all the same", () => {
    expect([judged({})?.kind, judged({})?.hedgedBy]).toEqual(["assessed", []]);
  });

  test("is judged by its own rules, not by those of the same name elsewhere", () => {
    const inverse = instrumentFor(long, { category: "inverse", tick: "5" });
    const found = firstOf({ positions: [long], instruments: [inverse] }, { protection: { stopLoss: stopAt("0.021") } });
    expect(found.wanted.stopLoss).toMatchObject({ price: dec("97.9") });
  });
});
