/** Properties of every level that policy asks for. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dec } from "../../src/domain/decimal.js";
import { isBeyondLiquidation, isLooserStop, isPast, liesBelowMark } from "../../src/domain/price.js";
import {
  basePrice,
  configuredStop,
  configuredTakeProfit,
  knownLiquidation,
  type Market,
  nearestLevel,
  newStop,
  rebasedStop,
  type Wanted,
} from "../../src/policy/levels.js";
import { aStanding, aWish, anExit, aTrigger, type Standing, violation } from "../builders/arbitrary.js";
import { anInstrument, aTicker } from "../builders/market.js";

function marketOf({ tick, mark, last }: Standing): Market {
  const ticker = aTicker({ mark: mark.toFixed(), last: last?.toFixed() ?? null });
  return { instrument: anInstrument({ tick: tick.toFixed() }), ticker, marginMode: "isolated" };
}

const scene = fc.tuple(aStanding(), aWish);

/** Holds for every level that comes out; a level that is past or impossible claims nothing. */
function always(
  check: (standing: Standing, wanted: Level, market: Market, wish: Wish) => boolean,
  from: From,
): string | null {
  return violation(
    fc.property(scene, ([standing, wish]) => {
      const market = marketOf(standing);
      const wanted = from(standing, wish, market);
      return wanted.kind !== "level" || check(standing, wanted, market, wish);
    }),
    { numRuns: 300 },
  );
}

type Level = Extract<Wanted, { kind: "level" }>;
type Wish = typeof aWish extends fc.Arbitrary<infer Value> ? Value : never;
type From = (standing: Standing, wish: Wish, market: Market) => Wanted;

const fresh: From = ({ position }, wish, market) => newStop(position, wish, market);
const rebased: From = ({ position }, wish, market) => rebasedStop(position, wish, market);
const profit: From = ({ position }, wish, market) => configuredTakeProfit(position, wish, market);
const plainStop: From = ({ position }, wish, market) =>
  wish.stopLoss === null ? { kind: "none" } : configuredStop(position, wish.stopLoss, market);

describe.each([
  ["a new stop", fresh, "stop-loss"],
  ["a stop without regard to liquidation", plainStop, "stop-loss"],
  ["a rebased stop", rebased, "stop-loss"],
  ["a take-profit", profit, "take-profit"],
] as const)("%s", (_name, from, exit) => {
  test("is above zero and an exact multiple of the tick", () => {
    expect(always(({ tick }, { price }) => price.gt(0) && price.mod(tick).isZero(), from)).toBeNull();
  });

  test("is on its own side of the price that triggers it", () => {
    expect(
      always(({ position }, { price, triggerBy }, market) => {
        const base = basePrice(position, market, triggerBy, exit);
        return base !== null && !isPast(price, base, position.side, exit);
      }, from),
    ).toBeNull();
  });

  test("triggers by what the operator asked for", () => {
    expect(
      always((_standing, { triggerBy }, _market, wish) => {
        return triggerBy === (exit === "stop-loss" ? wish.stopLoss : wish.takeProfit)?.triggerBy;
      }, from),
    ).toBeNull();
  });
});

describe("a new stop", () => {
  test("is never looser than configured, but for the tick that is told as coarse", () => {
    expect(
      always(({ position, tick }, { price, coarse }, _market, wish) => {
        const distance = wish.stopLoss?.distance ?? dec("0");
        const factor = position.side === "long" ? dec("1").minus(distance) : dec("1").plus(distance);
        const exact = position.entryPrice.times(factor);
        const isLooser = isLooserStop(price, exact, position.side);
        return coarse ? !isLooser || price.minus(exact).abs().lt(tick) : !isLooser;
      }, fresh),
    ).toBeNull();
  });

  test.each([
    ["new", fresh],
    ["rebased", rebased],
  ] as const)("is inside liquidation, where one is known: %s", (_name, from) => {
    expect(
      always(({ position, mark }, { price }) => {
        const liquidation = knownLiquidation(position, mark);
        return liquidation === null || !isBeyondLiquidation(price, liquidation, position.side);
      }, from),
    ).toBeNull();
  });

  test("keeps the buffer to liquidation, or half the way where less than a quarter would be left", () => {
    expect(
      always(({ position, mark }, { price, coarse }, _market, wish) => {
        const liquidation = knownLiquidation(position, mark);
        if (liquidation === null || coarse) return true;
        const away = price.minus(liquidation).abs();
        const way = mark.minus(liquidation).abs();
        const buffer = liquidation.times(wish.liquidationBuffer);
        return away.gte(way.minus(buffer).lt(way.div(4)) ? way.div(2) : buffer);
      }, fresh),
    ).toBeNull();
  });

  test("is past exactly when the trigger price has reached the exact level, liquidation aside", () => {
    expect(
      violation(
        fc.property(scene, ([{ position, ...standing }, wish]) => {
          const alone = { ...position, liquidationPrice: null };
          const market = marketOf({ position, ...standing });
          const wanted = newStop(alone, wish, market);
          const base = basePrice(alone, market, wish.stopLoss?.triggerBy ?? "MarkPrice", "stop-loss");
          if (base === null || wanted.kind === "impossible" || wish.stopLoss === null) return true;
          const { distance } = wish.stopLoss;
          const factor = position.side === "long" ? dec("1").minus(distance) : dec("1").plus(distance);
          const isReached = isPast(position.entryPrice.times(factor), base, position.side, "stop-loss");
          return (wanted.kind === "past") === isReached;
        }),
      ),
    ).toBeNull();
  });
});

describe("a rebased stop", () => {
  test("lies at most the configured distance from the trigger price, give or take a tick", () => {
    expect(
      always(({ position, tick }, { price, triggerBy }, market, wish) => {
        const base = basePrice(position, market, triggerBy, "stop-loss");
        if (base === null) return false;
        return base
          .minus(price)
          .abs()
          .lte(base.times(wish.stopLoss?.distance ?? dec("0")).plus(tick));
      }, rebased),
    ).toBeNull();
  });
});

describe("a take-profit in R", () => {
  test("lies that many times as far from the entry as the stop is configured, within a tick", () => {
    expect(
      always(({ position, tick }, { price }, _market, wish) => {
        if (wish.takeProfit?.distance.kind !== "risk-multiple" || wish.stopLoss === null) return true;
        const wanted = position.entryPrice.times(wish.stopLoss.distance).times(wish.takeProfit.distance.multiple);
        return price.minus(position.entryPrice).abs().minus(wanted).abs().lt(tick);
      }, profit),
    ).toBeNull();
  });
});

test("the nearest level is the tightest that is accepted: one tick further would be past", () => {
  expect(
    violation(
      fc.property(aStanding(), aTrigger, anExit, (standing, triggerBy, exit) => {
        const { position, tick } = standing;
        const market = marketOf(standing);
        const base = basePrice(position, market, triggerBy, exit);
        const wanted = nearestLevel(position, market, triggerBy, exit);
        if (wanted.kind !== "level" || base === null) return base === null || base.lte(tick);
        const next = liesBelowMark(position.side, exit) ? wanted.price.plus(tick) : wanted.price.minus(tick);
        return !isPast(wanted.price, base, position.side, exit) && isPast(next, base, position.side, exit);
      }),
    ),
  ).toBeNull();
});
