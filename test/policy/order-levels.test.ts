/** Where the exits of a resting entry order lie, and which orders they do not fit: worked examples. */
import { describe, expect, test } from "vitest";
import { dec } from "../../src/domain/decimal.js";
import type { Wanted } from "../../src/policy/levels.js";
import { entryPrice, orderStop, orderTakeProfit, unfit } from "../../src/policy/order-levels.js";
import { aMarket, type MarketShape } from "../builders/market.js";
import { anEntry, type EntryShape } from "../builders/order.js";
import { aProtection, stopAt, takeProfitAt, takeProfitInR } from "../builders/policy.js";

function text(wanted: Wanted | null): string {
  if (wanted === null) return "fits";
  switch (wanted.kind) {
    case "level":
      return `${wanted.price.toFixed()} by ${wanted.triggerBy}`;
    case "past":
      return `${wanted.level.toFixed()} is past ${wanted.base.toFixed()} by ${wanted.triggerBy}`;
    case "impossible":
      return `impossible: ${wanted.reason}`;
    case "none":
      return "none";
  }
}

describe("the stop of an order", () => {
  test.each<readonly [string, EntryShape, MarketShape, string]>([
    ["lies at the distance from its limit", { price: "90" }, {}, "88.2 by MarkPrice"],
    ["of a sell lies above it", { side: "short", price: "110" }, {}, "112.2 by MarkPrice"],
    [
      "of a conditional market order lies at the distance from its trigger",
      { price: null, trigger: "105" },
      {},
      "102.9 by MarkPrice",
    ],
    [
      "cannot be had where the order has no price",
      { price: null },
      {},
      "impossible: the order has no price of its own",
    ],
    ["is past where the mark has reached it", {}, { mark: "98" }, "98 is past 98 by MarkPrice"],
    [
      "is not past where an order that waits will fill elsewhere",
      { trigger: "105", price: "106" },
      { mark: "100" },
      "103.9 by MarkPrice",
    ],
    [
      "is past where a stop-limit's trigger lies beyond it",
      { trigger: "105", price: "110" },
      {},
      "107.8 is past 105 by MarkPrice",
    ],
    [
      "cannot be had while no mark is known",
      {},
      { mark: null },
      "impossible: the exchange states no current MarkPrice",
    ],
    ["cannot be had while the mark is zero", {}, { mark: "0" }, "impossible: the exchange states no current MarkPrice"],
  ])("%s", (_what, order, market, expected) => {
    expect(text(orderStop(anEntry(order), aProtection(), aMarket(market)))).toBe(expected);
  });

  test("is none where none is configured", () => {
    expect(orderStop(anEntry(), aProtection({ stopLoss: null }), aMarket())).toEqual({ kind: "none" });
  });

  test("goes by the configured trigger price, which it is also held against", () => {
    const byLast = aProtection({ stopLoss: stopAt("0.02", "LastPrice") });
    expect(text(orderStop(anEntry(), byLast, aMarket({ mark: "97", last: "99" })))).toBe("98 by LastPrice");
    expect(text(orderStop(anEntry(), byLast, aMarket({ last: null })))).toBe(
      "impossible: the exchange states no current LastPrice",
    );
  });
});

describe("the take-profit of an order", () => {
  const at = (takeProfit: Parameters<typeof aProtection>[0]) => (order: EntryShape) =>
    text(orderTakeProfit(anEntry(order), aProtection(takeProfit), aMarket()));

  test("lies at the distance from its own price", () => {
    expect(at({ takeProfit: takeProfitAt("0.04") })({ price: "90" })).toBe("93.6 by LastPrice");
    expect(at({ takeProfit: takeProfitInR("2") })({ side: "short" })).toBe("96 by LastPrice");
  });

  test("is none where none is configured", () => {
    expect(orderTakeProfit(anEntry(), aProtection(), aMarket())).toEqual({ kind: "none" });
  });

  test("cannot be had as a multiple of R without a stop, below zero, or of an order without a price", () => {
    expect(at({ stopLoss: null, takeProfit: takeProfitInR("2") })({})).toBe(
      "impossible: a multiple of R needs a stop-loss distance",
    );
    expect(at({ stopLoss: stopAt("0.6"), takeProfit: takeProfitInR("2") })({ side: "short" })).toBe(
      "impossible: the configured distance puts the take-profit at or below zero",
    );
    expect(at({ takeProfit: takeProfitAt("0.04") })({ price: null })).toBe(
      "impossible: the order has no price of its own",
    );
  });
});

describe("a stop at a given price", () => {
  const judged = (price: string, order: EntryShape = {}, market: MarketShape = {}) =>
    text(unfit(dec(price), anEntry(order), aMarket(market), "MarkPrice"));

  test("fits where it lies strictly beyond everything that the order may fill at", () => {
    expect(judged("99.9")).toBe("fits");
    expect(judged("100")).toBe("100 is past 100 by MarkPrice");
    expect(judged("104.9", { trigger: "105", price: "106" })).toBe("fits");
    expect(judged("105", { trigger: "105", price: "106" })).toBe("105 is past 105 by MarkPrice");
    expect(judged("99.5", {}, { mark: "99" })).toBe("99.5 is past 99 by MarkPrice");
  });

  test("does not fit off the tick", () => {
    expect(judged("99.95")).toBe("impossible: 99.95 is not on the tick 0.1");
  });
});

test("an order's own price is its limit, else its trigger", () => {
  expect(entryPrice(anEntry({ price: "106", trigger: "105" }))?.toFixed()).toBe("106");
  expect(entryPrice(anEntry({ price: null, trigger: "105" }))?.toFixed()).toBe("105");
  expect(entryPrice(anEntry({ price: null }))).toBeNull();
});
