/** What a look at a position that is well teaches, and what it does not. */
import { describe, expect, test } from "vitest";
import { dec } from "../../src/domain/decimal.js";
import type { PositionIntent } from "../../src/domain/intent.js";
import type { Learned, LifeRecord } from "../../src/domain/life.js";
import type { OpenOrder } from "../../src/domain/order.js";
import type { TriggerBy } from "../../src/domain/position.js";
import { learnedChange } from "../../src/verify/learn.js";
import { fullStop, partialStop, partialTakeProfit, takeProfit } from "../builders/order.js";
import { aPosition } from "../builders/position.js";
import { firstOf } from "../builders/snapshot.js";

const long = aPosition();

function level(price: string | null, triggerBy: TriggerBy) {
  return price === null ? null : { price: dec(price), triggerBy };
}

function learned(stopLoss: string | null, profit: string | null = null, size = "1"): Learned {
  return { stopLoss: level(stopLoss, "MarkPrice"), takeProfit: level(profit, "LastPrice"), size: dec(size) };
}

function intent(over: Partial<PositionIntent>): PositionIntent {
  return { id: "i-1", stopLoss: null, takeProfit: null, waiver: null, mayLoosenFrom: null, who: "bot", ...over };
}

function taught(orders: readonly OpenOrder[], life: Partial<LifeRecord> = {}, position = long) {
  return learnedChange(firstOf({ positions: [position], orders }, { life }));
}

const stopAt = (price: string) => fullStop(long, price);
const profitAt = (price: string) => takeProfit(long, price);

describe("the levels that stand", () => {
  test.each<readonly [string, readonly OpenOrder[], Partial<LifeRecord>, Learned]>([
    ["are learned with their triggers", [stopAt("97"), profitAt("104")], {}, learned("97", "104")],
    ["are learned one by one", [stopAt("97")], {}, learned("97")],
    [
      "are learned where only the take-profit is a Full one",
      [partialStop(long, "97", "1"), profitAt("104")],
      {},
      learned(null, "104"),
    ],
    [
      "are learned beside Partial legs that are reached before them",
      [partialStop(long, "98", "0.5"), stopAt("97"), partialTakeProfit(long, "103", "0.5"), profitAt("104")],
      {},
      learned("97", "104"),
    ],
    [
      "are learned where only a take-profit was known",
      [stopAt("97")],
      { learned: learned(null, "104") },
      learned("97", "104"),
    ],
    ["are the tighter ones", [stopAt("98")], { learned: learned("97") }, learned("98")],
    [
      "are the ones of a larger size, also where they are looser",
      [stopAt("96")],
      { learned: learned("97", null, "0.5") },
      learned("96"),
    ],
    [
      "are the tightest of a smaller size",
      [stopAt("96")],
      { learned: learned("97", null, "2") },
      learned("97", null, "1"),
    ],
    [
      "are the last take-profit, wherever it stands",
      [stopAt("97"), profitAt("103")],
      { learned: learned("97", "104") },
      learned("97", "103"),
    ],
    [
      "are kept where a take-profit is taken away as the stop is tightened",
      [stopAt("98")],
      { learned: learned("97", "104") },
      learned("98", "104"),
    ],
    [
      "are kept where Partial legs take their place",
      [partialStop(long, "97", "1")],
      { learned: learned("96", "104", "2") },
      learned("96", "104"),
    ],
  ])("%s", (_what, orders, life, expected) => {
    expect(taught(orders, life)).toEqual({ learned: expected });
  });

  test.each<readonly [string, readonly OpenOrder[], Partial<LifeRecord>]>([
    ["that are known already", [stopAt("97"), profitAt("104")], { learned: learned("97", "104") }],
    ["that another hand has loosened", [stopAt("96")], { learned: learned("97") }],
    ["of Partial legs, which are not put back", [partialStop(long, "97", "1")], {}],
    ["of a position without a stop", [profitAt("104")], {}],
    ["of which no trigger price is known", [fullStop(long, "97", { triggerBy: null })], {}],
  ])("teach nothing where they are ones %s", (_what, orders, life) => {
    expect(taught(orders, life)).toEqual({});
  });

  test("teach nothing while the orders could not all be read", () => {
    const gaps = [{ category: "linear", what: "orders", reason: "no answer" }] as const;
    const seen = firstOf({ positions: [long], orders: [stopAt("97")], gaps });
    expect([seen.status, learnedChange(seen)]).toEqual(["protected", {}]);
  });
});

describe("an intent", () => {
  const stop = (price: string, over: Partial<PositionIntent> = {}) => ({
    intent: intent({ stopLoss: dec(price), ...over }),
  });
  const met = (orders: readonly OpenOrder[], life: Partial<LifeRecord>, position = long) => {
    const { metStopIntent = null, metTakeProfitIntent = null } = taught(orders, life, position);
    return [metStopIntent, metTakeProfitIntent];
  };

  test.each<readonly [string, readonly OpenOrder[], Partial<LifeRecord>, readonly (string | null)[]]>([
    ["is met by its stop", [stopAt("97")], stop("97"), ["i-1", null]],
    ["is met by a tighter one", [stopAt("98")], stop("97"), ["i-1", null]],
    ["is not met by a looser one", [stopAt("96")], stop("97"), [null, null]],
    ["is not met by Partial legs", [partialStop(long, "97", "1")], stop("97"), [null, null]],
    [
      "that may loosen is met by its very price",
      [stopAt("95")],
      stop("95", { mayLoosenFrom: dec("97") }),
      ["i-1", null],
    ],
    [
      "that may loosen is not met by the tighter one it spoke of",
      [stopAt("97")],
      stop("95", { mayLoosenFrom: dec("97") }),
      [null, null],
    ],
    [
      "that has loosened is met by any other stop than the one it spoke of, since it may do so once",
      [stopAt("95.2")],
      { ...stop("95", { mayLoosenFrom: dec("97") }), loosenedFor: "i-1" },
      ["i-1", null],
    ],
    [
      "that has loosened without an effect is not met",
      [stopAt("97")],
      { ...stop("95", { mayLoosenFrom: dec("97") }), loosenedFor: "i-1" },
      [null, null],
    ],
    [
      "that has loosened is not met where no stop stands any more",
      [profitAt("104")],
      { ...stop("95", { mayLoosenFrom: dec("97") }), loosenedFor: "i-1" },
      [null, null],
    ],
    [
      "that has loosened, and may not any more, is met by its own stop only",
      [stopAt("94")],
      { ...stop("95"), loosenedFor: "i-1" },
      [null, null],
    ],
    [
      "is not met by what another one has loosened",
      [stopAt("96")],
      { ...stop("95", { mayLoosenFrom: dec("97") }), loosenedFor: "i-0" },
      [null, null],
    ],
    ["is met once", [stopAt("97")], { ...stop("97"), metStopIntent: "i-1" }, [null, null]],
    ["is met where another one was before", [stopAt("97")], { ...stop("97"), metStopIntent: "i-0" }, ["i-1", null]],
    ["that names no stop is met by none", [stopAt("98")], { intent: intent({}) }, [null, null]],
    [
      "is met by its take-profit",
      [stopAt("97"), profitAt("110")],
      { intent: intent({ takeProfit: dec("110") }) },
      [null, "i-1"],
    ],
    [
      "is not met by another take-profit",
      [stopAt("97"), profitAt("109")],
      { intent: intent({ takeProfit: dec("110") }) },
      [null, null],
    ],
    [
      "is not met a tick beside it",
      [stopAt("97"), profitAt("109.9")],
      { intent: intent({ takeProfit: dec("110") }) },
      [null, null],
    ],
    [
      "is met a tick beside it where the mark is so near that it is rounded the other way",
      [stopAt("97"), profitAt("100.2")],
      { intent: intent({ takeProfit: dec("100.25") }) },
      [null, "i-1"],
    ],
    ["is not met without a take-profit", [stopAt("97")], { intent: intent({ takeProfit: dec("110") }) }, [null, null]],
    ["that names no take-profit is met by none", [stopAt("96"), profitAt("110")], stop("97"), [null, null]],
    [
      "is met by its take-profit once",
      [stopAt("97"), profitAt("110")],
      { intent: intent({ takeProfit: dec("110") }), metTakeProfitIntent: "i-1" },
      [null, null],
    ],
    [
      "whose take-profit the price has passed is not met",
      [stopAt("97"), profitAt("104")],
      { intent: intent({ takeProfit: dec("99") }) },
      [null, null],
    ],
  ])("%s", (_what, orders, life, expected) => {
    expect(met(orders, life)).toEqual(expected);
  });

  test("that names no take-profit is not met by the configured one", () => {
    const shape = { positions: [long], orders: [stopAt("96"), profitAt("104")] };
    const protection = {
      takeProfit: { distance: { kind: "fraction", fraction: dec("0.04") }, triggerBy: "LastPrice" },
    } as const;
    const { metTakeProfitIntent } = learnedChange(firstOf(shape, { life: stop("97"), protection }));
    expect(metTakeProfitIntent).toBeUndefined();
  });

  test("that may loosen is met by the price that it gets inside liquidation", () => {
    const deep = aPosition({ liquidation: "95" });
    const life = stop("94", { mayLoosenFrom: dec("97") });
    expect(met([stopAt("95.5")], life, deep)).toEqual(["i-1", null]);
    expect(met([stopAt("96")], life, deep)).toEqual([null, null]);
  });

  test("whose level the mark has passed is met by no stop", () => {
    expect(met([stopAt("97")], stop("101"))).toEqual([null, null]);
  });

  test("that was met anew makes what stands the level to keep, also a looser one", () => {
    const life = { ...stop("95", { mayLoosenFrom: dec("97") }), learned: learned("97") };
    expect(taught([stopAt("95")], life)).toEqual({ metStopIntent: "i-1", learned: learned("95") });
    expect(taught([stopAt("95")], { ...life, metStopIntent: "i-1" })).toEqual({});
  });
});
