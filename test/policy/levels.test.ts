/** Where distances put stops and take-profits: worked examples. */
import { describe, expect, test } from "vitest";
import type { Position } from "../../src/domain/position.js";
import {
  configuredTakeProfit,
  isMetBy,
  isWithinTick,
  knownLiquidation,
  type Market,
  nearestLevel,
  newStop,
  rebasedStop,
  stopLevel,
  strictBase,
  takeProfitLevel,
  type Wanted,
} from "../../src/policy/levels.js";
import type { Protection } from "../../src/policy/protection.js";
import { aMarket, type MarketShape } from "../builders/market.js";
import { aProtection, stopAt, takeProfitAt, takeProfitInR } from "../builders/policy.js";
import { aPosition, aShort } from "../builders/position.js";
import { dec } from "../../src/domain/decimal.js";

function text(wanted: Wanted): string {
  switch (wanted.kind) {
    case "level":
      return `${wanted.price.toFixed()}${wanted.coarse ? " coarse" : ""}`;
    case "past":
      return `past ${wanted.level.toFixed()}`;
    case "impossible":
      return `impossible: ${wanted.reason}`;
    case "none":
      return "none";
  }
}

const stop = (distance: string) => aProtection({ stopLoss: stopAt(distance) });

describe("a new stop", () => {
  test.each<readonly [string, Position, Protection, Market, string]>([
    ["a long's lies below its entry", aPosition(), stop("0.02"), aMarket(), "98"],
    ["a short's lies above its entry", aShort(), stop("0.02"), aMarket(), "102"],
    [
      "a long's is rounded up to the tick",
      aPosition({ entry: "101.23", mark: "101.23" }),
      stop("0.02"),
      aMarket({ mark: "101.23" }),
      "99.3",
    ],
    [
      "a short's is rounded down to the tick",
      aShort({ entry: "101.23", mark: "101.23" }),
      stop("0.02"),
      aMarket({ mark: "101.23" }),
      "103.2",
    ],
    ["a tick of 5", aPosition({ entry: "50003" }), stop("0.02"), aMarket({ tick: "5", mark: "50000" }), "49005"],
    [
      "a tiny price",
      aPosition({ entry: "0.00001234" }),
      stop("0.02"),
      aMarket({ tick: "0.00000001", mark: "0.00001234" }),
      "0.0000121",
    ],
    [
      "a coarse tick near the mark is rounded away",
      aPosition(),
      stop("0.02"),
      aMarket({ tick: "0.75" }),
      "97.5 coarse",
    ],
    [
      "where away from the mark there is no price above zero, it is rounded toward it",
      aPosition({ entry: "0.00003", mark: "0.00003" }),
      stop("0.99"),
      aMarket({ tick: "0.00001", mark: "0.00003" }),
      "0.00001 coarse",
    ],
    ["a short's coarse tick is rounded away upwards", aShort(), stop("0.02"), aMarket({ tick: "0.8" }), "102.4 coarse"],
    [
      "rounded to three ticks from the mark is too near",
      aPosition(),
      stop("0.035"),
      aMarket({ tick: "1" }),
      "96 coarse",
    ],
    ["rounded to four ticks from the mark is not", aPosition(), stop("0.045"), aMarket({ tick: "1" }), "96"],
    [
      "three ticks from the mark and on the tick already needs no rounding",
      aPosition(),
      stop("0.02"),
      aMarket({ tick: "1" }),
      "98",
    ],
    ["from the mark's far side the level is past", aPosition(), stop("0.02"), aMarket({ mark: "97" }), "past 98"],
    ["the mark at the level is past", aShort(), stop("0.02"), aMarket({ mark: "102" }), "past 102"],
    [
      "by last price it is the last price that counts",
      aPosition(),
      aProtection({ stopLoss: stopAt("0.02", "LastPrice") }),
      aMarket({ mark: "100", last: "97" }),
      "past 98",
    ],
    [
      "without the trigger's price there is no level",
      aPosition(),
      aProtection({ stopLoss: stopAt("0.02", "IndexPrice") }),
      aMarket({ index: null }),
      "impossible: the exchange states no current IndexPrice",
    ],
    ["without a ticker the row's own mark stands in", aPosition(), stop("0.02"), aMarket({ mark: null }), "98"],
    [
      "a price of zero is no price",
      aPosition({ mark: null }),
      stop("0.02"),
      aMarket({ mark: "0" }),
      "impossible: the exchange states no current MarkPrice",
    ],
    [
      "without any mark a stop that goes by another price is not held against liquidation",
      aPosition({ mark: null, liquidation: "95" }),
      aProtection({ stopLoss: stopAt("0.1", "LastPrice") }),
      aMarket({ mark: null, last: "100" }),
      "90",
    ],
    [
      "without a distance none is wanted",
      aPosition(),
      aProtection({ stopLoss: null, mode: "report-only" }),
      aMarket(),
      "none",
    ],
    ["inside liquidation by the buffer", aPosition({ liquidation: "95" }), stop("0.1"), aMarket(), "95.5"],
    ["a short inside liquidation by the buffer", aShort({ liquidation: "105" }), stop("0.1"), aMarket(), "104.4"],
    [
      "halfway, where the buffer would leave less than a quarter",
      aPosition({ liquidation: "99.6" }),
      stop("0.1"),
      aMarket({ tick: "0.01" }),
      "99.8",
    ],
    [
      "without a buffer, and liquidation on the tick: one tick inside it",
      aPosition({ liquidation: "95" }),
      aProtection({ stopLoss: stopAt("0.1"), liquidationBuffer: dec("0") }),
      aMarket(),
      "95.1",
    ],
    [
      "a short without a buffer, and liquidation on the tick: one tick inside it",
      aShort({ liquidation: "105" }),
      aProtection({ stopLoss: stopAt("0.1"), liquidationBuffer: dec("0") }),
      aMarket(),
      "104.9",
    ],
    [
      "a nearer configured stop is not moved by liquidation",
      aPosition({ liquidation: "95" }),
      stop("0.02"),
      aMarket(),
      "98",
    ],
    [
      "a liquidation price on the far side of the mark is none",
      aPosition({ liquidation: "101" }),
      stop("0.02"),
      aMarket(),
      "98",
    ],
    [
      "no tick fits between mark and liquidation",
      aPosition({ entry: "10", mark: "10", liquidation: "9.6" }),
      stop("0.02"),
      aMarket({ tick: "1", mark: "10" }),
      "impossible: no tick of 1 between mark and liquidation",
    ],
    [
      "rounded away from the mark to beyond liquidation: the next tick toward it",
      aPosition({ entry: "12", mark: "12", liquidation: "9.6" }),
      stop("0.3"),
      aMarket({ tick: "1", mark: "12" }),
      "10 coarse",
    ],
    [
      "a short's, rounded away to beyond liquidation: the next tick toward the mark",
      aShort({ entry: "12", mark: "12", liquidation: "14.4" }),
      stop("0.3"),
      aMarket({ tick: "1", mark: "12" }),
      "14 coarse",
    ],
  ])("%s", (_what, position, protection, market, expected) => {
    expect(text(newStop(position, protection, market))).toBe(expected);
  });
});

test("where no tick fits between the mark and an estimated liquidation, a stop beyond it is better than none", () => {
  const market = aMarket({ tick: "1", mark: "10", marginMode: "cross" });
  const wanted = newStop(aPosition({ entry: "10", mark: "10", liquidation: "9.6" }), stop("0.02"), market);
  expect(text(wanted)).toBe("9 coarse");
});

describe("a rebased stop", () => {
  test("is measured from the mark", () => {
    expect(text(rebasedStop(aPosition(), stop("0.02"), aMarket({ mark: "90" })))).toBe("88.2");
    expect(text(rebasedStop(aShort(), stop("0.02"), aMarket({ mark: "110" })))).toBe("112.2");
  });

  test("is none where no distance is configured", () => {
    expect(rebasedStop(aPosition(), aProtection({ stopLoss: null }), aMarket())).toEqual({ kind: "none" });
  });

  test("needs the price that its trigger goes by", () => {
    const byIndex = aProtection({ stopLoss: stopAt("0.02", "IndexPrice") });
    expect(text(rebasedStop(aPosition(), byIndex, aMarket({ index: null })))).toBe(
      "impossible: the exchange states no current IndexPrice",
    );
  });

  test("stays inside liquidation", () => {
    expect(text(rebasedStop(aPosition({ liquidation: "89.5" }), stop("0.02"), aMarket({ mark: "90" })))).toBe(
      "89.7 coarse",
    );
  });
});

describe("the price by which the exchange may refuse a level", () => {
  const strict = (market: MarketShape, position = aPosition()) =>
    strictBase(position, aMarket(market), "LastPrice", "stop-loss")?.toFixed() ?? null;

  test.each<readonly [string, string | null, MarketShape, Position]>([
    ["the one that its trigger goes by, where the two agree", "99", { last: "99" }, aPosition()],
    ["the other one, where they are far apart and that is less past", "60", { last: "60" }, aPosition()],
    ["the mark, where the last price is far on the safe side", "100", { last: "140" }, aPosition()],
    ["for a short the higher one", "160", { last: "160" }, aShort()],
    ["that of the trigger where the row states no mark", "60", { last: "60" }, aPosition({ mark: null })],
    ["none where neither is known for this trigger", null, { last: null }, aPosition()],
  ])("is %s", (_what, expected, market, position) => {
    expect(strict(market, position)).toBe(expected);
  });

  test("is the row's own mark for a stop by mark price that no ticker states", () => {
    const market = aMarket({ mark: null });
    expect(strictBase(aPosition(), market, "MarkPrice", "stop-loss")?.toFixed()).toBe("100");
  });
});

describe("the nearest level", () => {
  test.each<readonly [string, Position, string, "stop-loss" | "take-profit", string]>([
    ["a long's stop, mark on the tick", aPosition(), "100", "stop-loss", "99.9"],
    ["a long's stop, mark between ticks", aPosition(), "100.05", "stop-loss", "100"],
    ["a short's stop", aShort(), "100", "stop-loss", "100.1"],
    ["a long's take-profit", aPosition(), "100", "take-profit", "100.1"],
    ["a short's take-profit", aShort(), "100.05", "take-profit", "100"],
    [
      "nothing below the first tick",
      aPosition({ mark: "0.1" }),
      "0.1",
      "stop-loss",
      "impossible: the level is below one tick of 0.1",
    ],
  ])("%s", (_what, position, mark, exit, expected) => {
    expect(text(nearestLevel(position, aMarket({ mark }), "MarkPrice", exit))).toBe(expected);
  });

  test("needs the price that its trigger goes by", () => {
    expect(text(nearestLevel(aPosition(), aMarket({ last: null }), "LastPrice", "stop-loss"))).toBe(
      "impossible: the exchange states no current LastPrice",
    );
  });
});

describe("a take-profit", () => {
  const at = (takeProfit: Protection["takeProfit"], distance = "0.02") =>
    aProtection({ takeProfit, stopLoss: stopAt(distance) });

  test.each<readonly [string, Position, Protection, Market, string]>([
    ["a long's lies above its entry", aPosition(), at(takeProfitAt("0.04")), aMarket(), "104"],
    ["a short's lies below its entry", aShort(), at(takeProfitAt("0.04")), aMarket(), "96"],
    ["2R is twice the stop's distance", aPosition(), at(takeProfitInR("2")), aMarket(), "104"],
    ["1.5R of a short", aShort(), at(takeProfitInR("1.5"), "0.01"), aMarket(), "98.5"],
    ["a long's is rounded down", aPosition({ entry: "101.23" }), at(takeProfitAt("0.04")), aMarket(), "105.2"],
    ["a short's is rounded up", aShort({ entry: "101.23" }), at(takeProfitAt("0.04")), aMarket(), "97.2"],
    ["past the last price", aPosition(), at(takeProfitAt("0.04")), aMarket({ last: "104" }), "past 104"],
    [
      "the mark does not make it past",
      aPosition(),
      at(takeProfitAt("0.04")),
      aMarket({ mark: "105", last: "103" }),
      "104",
    ],
    [
      "a short's below zero is impossible",
      aShort(),
      at(takeProfitInR("2"), "0.6"),
      aMarket(),
      "impossible: the configured distance puts the take-profit at or below zero",
    ],
    [
      "R without a stop distance is impossible",
      aPosition(),
      aProtection({ stopLoss: null, takeProfit: takeProfitInR("2") }),
      aMarket(),
      "impossible: a multiple of R needs a stop-loss distance",
    ],
    ["none wanted", aPosition(), at(null), aMarket(), "none"],
  ])("%s", (_what, position, protection, market, expected) => {
    expect(text(configuredTakeProfit(position, protection, market))).toBe(expected);
  });
});

test("what is put at an exact price is told by its own name where it cannot be", () => {
  expect(text(stopLevel(aPosition(), aMarket(), dec("0"), "MarkPrice"))).toMatch(/puts the stop-loss at or below zero/);
  expect(text(takeProfitLevel(aShort(), aMarket(), dec("0"), "LastPrice"))).toMatch(
    /puts the take-profit at or below zero/,
  );
});

describe("a liquidation price to judge by", () => {
  test("is none that the mark has reached", () => {
    const mark = dec("100");
    expect(knownLiquidation(aPosition({ liquidation: "95" }), mark)?.toFixed()).toBe("95");
    expect(knownLiquidation(aPosition({ liquidation: "95", state: "liquidating" }), mark)?.toFixed()).toBe("95");
    expect(knownLiquidation(aPosition({ liquidation: "100" }), mark)).toBeNull();
    expect(knownLiquidation(aPosition(), mark)).toBeNull();
  });

  test("stands where no mark contradicts it", () => {
    expect(knownLiquidation(aPosition({ liquidation: "95" }), null)?.toFixed()).toBe("95");
  });
});

describe("what stands where it was wanted", () => {
  const at = (price: string, coarse: boolean): Wanted => ({
    kind: "level",
    price: dec(price),
    triggerBy: "MarkPrice",
    coarse,
  });

  test.each<readonly [string, Wanted, string, boolean]>([
    ["stands at the level itself", at("104", false), "104", true],
    ["does not stand one tick beside it", at("104", false), "104.1", false],
    ["may stand one tick beside it where the mark is near", at("104", true), "103.9", true],
    ["but not two", at("104", true), "104.2", false],
    ["is nowhere where no level is wanted", { kind: "none" }, "104", false],
  ])("%s", (_what, wanted, standing, isMet) => {
    expect(isMetBy(dec(standing), wanted, aMarket())).toBe(isMet);
  });

  test("of a contract whose tick nobody knows only the same price is the same", () => {
    expect([isWithinTick(dec("104"), dec("104.0"), null), isWithinTick(dec("104"), dec("104.1"), null)]).toEqual([
      true,
      false,
    ]);
  });
});
