/** What counts as cover, and how much of it: scenarios as data. */
import { describe, expect, test } from "vitest";
import { ordersOf } from "../../src/assess/coverage.js";
import type { OpenOrder } from "../../src/domain/order.js";
import type { Position } from "../../src/domain/position.js";
import { anInstrument } from "../builders/market.js";
import {
  conditionalEntry,
  conditionalStop,
  conditionalTakeProfit,
  fullStop,
  partialStop,
  partialTakeProfit,
  reduceOnlyLimit,
  stopLimit,
  takeProfit,
  trailing,
} from "../builders/order.js";
import { aPosition, aShort } from "../builders/position.js";
import { firstOf } from "../builders/snapshot.js";
import { dec } from "../../src/domain/decimal.js";

const long = aPosition({ size: "2" });
const short = aShort({ size: "2" });
const longLeg = aPosition({ size: "2", positionIdx: 1 });
const leg1 = aPosition({ size: "2", positionIdx: 1 });
const leg2 = aShort({ size: "2", positionIdx: 2 });

interface Scenario {
  readonly what: string;
  readonly position: Position;
  readonly orders: readonly OpenOrder[];
  /** The largest market order; absent: not known. */
  readonly largest?: string;
  /** `coverage at price by source`; null: no cover. */
  readonly cover: string | null;
}

const STOPS: readonly Scenario[] = [
  { what: "no order at all", position: long, orders: [], cover: null },
  {
    what: "a Full stop covers the whole long",
    position: long,
    orders: [fullStop(long, "98")],
    cover: "1 at 98 by full",
  },
  {
    what: "a Full stop covers the whole short",
    position: short,
    orders: [fullStop(short, "102")],
    cover: "1 at 102 by full",
  },
  {
    what: "a Full stop whose row says quantity 0 covers the whole",
    position: long,
    orders: [fullStop(long, "98", { quantity: dec("0") })],
    cover: "1 at 98 by full",
  },
  {
    what: "a Full stop whose row still says an older, smaller quantity follows the position",
    position: long,
    orders: [fullStop(long, "98", { quantity: dec("0.5") })],
    cover: "1 at 98 by full",
  },
  {
    what: "one Partial leg covers its own quantity only",
    position: long,
    orders: [partialStop(long, "97", "0.5")],
    cover: "0.25 at 97 by partial",
  },
  {
    what: "Partial legs add up, and the last one reached says the price",
    position: long,
    orders: [partialStop(long, "95", "1"), partialStop(long, "97", "1")],
    cover: "1 at 95 by partial",
  },
  {
    what: "a short's Partial legs are reached upwards",
    position: short,
    orders: [partialStop(short, "105", "1"), partialStop(short, "103", "1")],
    cover: "1 at 105 by partial",
  },
  {
    what: "legs larger than the position cover it once",
    position: long,
    orders: [partialStop(long, "97", "5"), partialStop(long, "95", "5")],
    cover: "1 at 97 by partial",
  },
  {
    what: "a Partial leg of nothing covers nothing",
    position: long,
    orders: [partialStop(long, "97", "0")],
    cover: null,
  },
  {
    what: "a reduce-only conditional on the loss side counts",
    position: long,
    orders: [conditionalStop(long, "96", "2")],
    cover: "1 at 96 by conditional",
  },
  {
    what: "a Full stop whose row does not call itself Full throughout covers what it rests with",
    position: long,
    orders: [fullStop(long, "96", { followsSize: false, quantity: dec("0.5") })],
    cover: "0.25 at 96 by full",
  },
  {
    what: "such a row of quantity 0 covers the whole, as in some captures",
    position: long,
    orders: [fullStop(long, "96", { followsSize: false, quantity: dec("0") })],
    cover: "1 at 96 by full",
  },
  {
    what: "a conditional for quantity 0 whose closeOnTrigger cannot be read closes nothing",
    position: long,
    orders: [conditionalStop(long, "96", "0", { closesOnTrigger: null })],
    cover: null,
  },
  {
    what: "a conditional for quantity 0 is the close-all order",
    position: long,
    orders: [conditionalStop(long, "96", "0", { closesOnTrigger: true })],
    cover: "1 at 96 by conditional",
  },
  {
    what: "a Partial leg of nothing covers nothing, whatever else it says",
    position: long,
    orders: [partialStop(long, "97", "0", { closesOnTrigger: true })],
    cover: null,
  },
  {
    what: "a conditional for a quantity covers that, also where it closes on trigger",
    position: long,
    orders: [conditionalStop(long, "96", "0.5", { closesOnTrigger: true })],
    cover: "0.25 at 96 by conditional",
  },
  {
    what: "a conditional for quantity 0 without closeOnTrigger closes nothing",
    position: long,
    orders: [conditionalStop(long, "96", "0")],
    cover: null,
  },
  {
    what: "the close-all order closes no more than one market order may",
    position: long,
    orders: [conditionalStop(long, "96", "0", { closesOnTrigger: true })],
    largest: "0.5",
    cover: "0.25 at 96 by conditional",
  },
  {
    what: "the close-all order closes no more than there is",
    position: long,
    orders: [conditionalStop(long, "96", "0", { closesOnTrigger: true })],
    largest: "5",
    cover: "1 at 96 by conditional",
  },
  {
    what: "a conditional for a quantity is not bounded by the largest market order, nor is a Full stop",
    position: long,
    orders: [conditionalStop(long, "96", "1"), fullStop(long, "95", { quantity: dec("0") })],
    largest: "0.5",
    cover: "1 at 95 by full",
  },
  {
    what: "a conditional for a quantity above the largest market order counts as it says",
    position: long,
    orders: [conditionalStop(long, "96", "1")],
    largest: "0.5",
    cover: "0.5 at 96 by conditional",
  },
  {
    what: "a stop whose trigger price is not told covers nothing",
    position: long,
    orders: [conditionalStop(long, "96", "2", { triggerPrice: null })],
    cover: null,
  },
  {
    what: "the trigger's direction decides, not its price",
    position: long,
    orders: [conditionalStop(long, "96", "2", { triggerDirection: null })],
    cover: null,
  },
  {
    what: "a short's reduce-only conditional on the loss side counts",
    position: short,
    orders: [conditionalStop(short, "104", "2")],
    cover: "1 at 104 by conditional",
  },
  {
    what: "a short's conditional on the profit side is no stop",
    position: short,
    orders: [conditionalTakeProfit(short, "96", "2")],
    cover: null,
  },
  {
    what: "an order of another contract is no cover",
    position: long,
    orders: [fullStop(long, "98", { symbol: "ETHUSDT" })],
    cover: null,
  },
  {
    what: "a leg that adds nothing does not say the price",
    position: long,
    orders: [partialStop(long, "97", "1"), partialStop(long, "95", "0")],
    cover: "0.5 at 97 by partial",
  },
  {
    what: "a stop-limit counts",
    position: long,
    orders: [stopLimit(long, "96", "2")],
    cover: "1 at 96 by conditional",
  },
  {
    what: "a stop-limit whose limit waits on the profit side once it has triggered is none",
    position: long,
    orders: [stopLimit(long, "96", "2", { price: dec("96.1") })],
    cover: null,
  },
  {
    what: "a short's stop-limit whose limit waits on the profit side once it has triggered is none",
    position: short,
    orders: [stopLimit(short, "104", "2", { price: dec("103.9") })],
    cover: null,
  },
  {
    what: "Partial leg and conditional add up",
    position: long,
    orders: [partialStop(long, "97", "1"), conditionalStop(long, "96", "0.5")],
    cover: "0.75 at 96 by conditional",
  },
  {
    what: "a conditional that may also open is no cover",
    position: long,
    orders: [conditionalStop(long, "96", "2", { reducesOnly: false })],
    cover: null,
  },
  {
    what: "a conditional on the profit side is no stop",
    position: long,
    orders: [conditionalTakeProfit(long, "104", "2")],
    cover: null,
  },
  {
    what: "a conditional entry that carries a stop is no cover",
    position: long,
    orders: [conditionalEntry(long, "97", "90")],
    cover: null,
  },
  {
    what: "a plain entry order with an attached stop is no cover",
    position: long,
    orders: [reduceOnlyLimit(long, "97", "2", { direction: "buy", reducesOnly: false, attachedStopLoss: dec("90") })],
    cover: null,
  },
  { what: "a trailing stop is no hard stop", position: long, orders: [trailing(long)], cover: null },
  {
    what: "a trailing stop with an activation price is none either",
    position: long,
    orders: [trailing(long, "98")],
    cover: null,
  },
  {
    what: "a take-profit is no stop",
    position: long,
    orders: [takeProfit(long, "104")],
    cover: null,
  },
  {
    what: "a stop that has triggered no longer waits for anything",
    position: long,
    orders: [fullStop(long, "98", { state: "triggered" })],
    cover: null,
  },
  {
    what: "the other leg's stop covers only the other leg",
    position: leg1,
    orders: [fullStop(leg2, "102")],
    cover: null,
  },
  {
    what: "each leg has its own stop, whatever the order of the rows",
    position: leg1,
    orders: [fullStop(leg2, "102"), fullStop(leg1, "98")],
    cover: "1 at 98 by full",
  },
  {
    what: "an order of the wrong direction under the same positionIdx is no cover",
    position: long,
    orders: [fullStop(long, "98", { direction: "buy" })],
    cover: null,
  },
  {
    what: "the same symbol in another category is another contract",
    position: long,
    orders: [fullStop(long, "98", { category: "inverse" })],
    cover: null,
  },
];

const PROFITS: readonly Scenario[] = [
  { what: "no order at all", position: long, orders: [], cover: null },
  { what: "a Full take-profit", position: long, orders: [takeProfit(long, "104")], cover: "1 at 104 by full" },
  {
    what: "Partial take-profits add up, and the last one reached says the price",
    position: long,
    orders: [partialTakeProfit(long, "110", "1"), partialTakeProfit(long, "104", "1")],
    cover: "1 at 110 by partial",
  },
  {
    what: "a resting reduce-only limit order",
    position: long,
    orders: [reduceOnlyLimit(long, "105", "1")],
    cover: "0.5 at 105 by limit",
  },
  {
    what: "a short's resting reduce-only limit order",
    position: short,
    orders: [reduceOnlyLimit(short, "95", "2")],
    cover: "1 at 95 by limit",
  },
  {
    what: "a partly filled reduce-only limit order covers what is left of it",
    position: long,
    orders: [reduceOnlyLimit(long, "105", "0.5", { state: "partly-filled", filledQuantity: dec("1.5") })],
    cover: "0.25 at 105 by limit",
  },
  {
    what: "a limit order that may also open is none",
    position: long,
    orders: [reduceOnlyLimit(long, "105", "2", { reducesOnly: false })],
    cover: null,
  },
  {
    what: "in hedge mode a limit order against its own leg closes, whatever its flags say",
    position: longLeg,
    orders: [reduceOnlyLimit(longLeg, "105", "2", { reducesOnly: false })],
    cover: "1 at 105 by limit",
  },
  {
    what: "in hedge mode a conditional order against its own leg closes, whatever its flags say",
    position: longLeg,
    orders: [conditionalTakeProfit(longLeg, "104", "2", { reducesOnly: false })],
    cover: "1 at 104 by conditional",
  },
  {
    what: "a conditional on the profit side that may also open is none",
    position: long,
    orders: [conditionalTakeProfit(long, "104", "2", { reducesOnly: false })],
    cover: null,
  },
  {
    what: "a conditional on the profit side that closes on its trigger",
    position: long,
    orders: [conditionalTakeProfit(long, "104", "2", { reducesOnly: false, closesOnTrigger: true })],
    cover: "1 at 104 by conditional",
  },
  {
    what: "a reduce-only conditional on the profit side",
    position: long,
    orders: [conditionalTakeProfit(long, "104", "2")],
    cover: "1 at 104 by conditional",
  },
  {
    what: "a take-profit-limit that has triggered and rests",
    position: long,
    orders: [conditionalTakeProfit(long, "104", "2", { execution: "limit", price: dec("104"), state: "resting" })],
    cover: "1 at 104 by limit",
  },
  {
    what: "a take-profit-limit that has triggered and filled in part covers what is left of it",
    position: long,
    orders: [
      takeProfit(long, "104", {
        kind: "partial-take-profit",
        execution: "limit",
        price: dec("104"),
        state: "partly-filled",
        quantity: dec("0.5"),
      }),
    ],
    cover: "0.25 at 104 by limit",
  },
  {
    what: "a take-profit that has triggered as a market order covers nothing",
    position: long,
    orders: [takeProfit(long, "104", { state: "triggered", price: dec("104") })],
    cover: null,
  },
  {
    what: "a reduce-only limit order that waits for something does not rest",
    position: long,
    orders: [reduceOnlyLimit(long, "105", "2", { state: "waiting" })],
    cover: null,
  },
  {
    what: "a reduce-only limit order whose price is not told",
    position: long,
    orders: [reduceOnlyLimit(long, "105", "2", { price: null })],
    cover: null,
  },
  {
    what: "a limit order of the other direction grows the position",
    position: long,
    orders: [reduceOnlyLimit(long, "105", "2", { direction: "buy" })],
    cover: null,
  },
  {
    what: "a short's conditional on the profit side",
    position: short,
    orders: [conditionalTakeProfit(short, "96", "2")],
    cover: "1 at 96 by conditional",
  },
  {
    what: "a short's Partial take-profits are reached downwards",
    position: short,
    orders: [partialTakeProfit(short, "90", "1"), partialTakeProfit(short, "96", "1")],
    cover: "1 at 90 by partial",
  },
  {
    what: "a short's stop is none",
    position: short,
    orders: [conditionalStop(short, "104", "1")],
    cover: null,
  },
  {
    what: "a conditional on the profit side that may also open is none",
    position: long,
    orders: [conditionalTakeProfit(long, "104", "2", { reducesOnly: false })],
    cover: null,
  },
  {
    what: "a stop is none",
    position: long,
    orders: [fullStop(long, "98"), conditionalStop(long, "97", "1")],
    cover: null,
  },
  {
    what: "a stop-limit that has triggered and rests is none",
    position: long,
    orders: [stopLimit(long, "98", "2", { state: "resting" })],
    cover: null,
  },
  { what: "the other leg's is none", position: leg1, orders: [takeProfit(leg2, "96")], cover: null },
];

describe("stop cover", () => {
  test.each(STOPS)("$what", ({ position, orders, cover, largest }) => {
    const instruments = largest === undefined ? [] : [anInstrument({ largestMarketOrder: largest })];
    expect(coverText(firstOf({ positions: [position], orders, instruments }).stop.all)).toBe(cover);
  });

  test("tells of each leg what it would close, where, and how, in the order in which the price reaches them", () => {
    const orders = [stopLimit(long, "95", "1", { triggerBy: "IndexPrice" }), partialStop(long, "97", "5")];
    const { all } = firstOf({ positions: [long], orders }).stop;
    expect(all).toMatchObject({ price: dec("97"), triggerBy: "MarkPrice", source: "partial" });
    expect(all?.legs).toEqual([
      {
        source: "partial",
        price: dec("97"),
        quantity: dec("2"),
        triggerBy: "MarkPrice",
        orderId: "partial-stop-loss-97",
        execution: "market",
      },
      {
        source: "conditional",
        price: dec("95"),
        quantity: dec("1"),
        triggerBy: "IndexPrice",
        orderId: "conditional-95",
        execution: "limit",
      },
    ]);
  });

  test("that has triggered is told as such, and no take-profit that has", () => {
    const orders = [
      fullStop(long, "98", { state: "triggered" }),
      conditionalStop(long, "97", "1", { state: "partly-filled" }),
      partialStop(long, "96", "1"),
      takeProfit(long, "104", { state: "triggered" }),
      fullStop(long, "95", { state: "triggered", direction: "buy" }),
      fullStop(leg2, "102", { state: "triggered" }),
    ];
    const { triggered } = firstOf({ positions: [long], orders }).stop;
    expect(triggered.map(({ orderId }) => orderId)).toEqual(["full-stop-loss-98", "conditional-97"]);
  });
});

describe("take-profit cover", () => {
  test.each(PROFITS)("$what", ({ position, orders, cover }) => {
    expect(coverText(firstOf({ positions: [position], orders }).takeProfit)).toBe(cover);
  });
});

test("only orders of the position's own leg of its own contract are its own", () => {
  const own = fullStop(leg1, "98");
  const others = [
    { ...own, category: "inverse" as const },
    { ...own, symbol: "ETHUSDT" },
    { ...own, positionIdx: 2 as const },
  ];
  expect(ordersOf(leg1, [...others, own])).toEqual([own]);
});

function coverText(found: ReturnType<typeof firstOf>["takeProfit"]): string | null {
  return found === null ? null : `${found.coverage.toFixed()} at ${found.price.toFixed()} by ${found.source}`;
}
