/** Properties of cover: what more legs, other orders of rows and other sizes can and cannot do to it. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { assess, type Assessed } from "../../src/assess/assess.js";
import { isWhole } from "../../src/assess/coverage.js";
import { dec } from "../../src/domain/decimal.js";
import { UNWRITTEN_LIFE } from "../../src/domain/life.js";
import type { OpenOrder } from "../../src/domain/order.js";
import type { Position } from "../../src/domain/position.js";
import { isBeyondLiquidation } from "../../src/domain/price.js";
import { anAccount, aStanding, aWish, holds } from "../builders/arbitrary.js";
import { anInstrument, aTicker } from "../builders/market.js";
import { conditionalEntry, fullStop, partialStop, takeProfit, trailing } from "../builders/order.js";
import { aProtection, resolved } from "../builders/policy.js";
import { aSnapshot } from "../builders/snapshot.js";

const standing = aStanding();
const ZERO = dec("0");

function seen(position: Position, orders: readonly OpenOrder[], mark = position.markPrice): Assessed {
  const snapshot = aSnapshot({
    positions: [position],
    orders,
    instruments: [anInstrument({ tick: "0.00000005" })],
    tickers: [aTicker({ mark: mark?.toFixed() ?? null })],
  });
  const [found] = assess({ snapshot, policyOf: () => resolved(), lifeOf: () => UNWRITTEN_LIFE }).positions;
  if (found === undefined) throw new RangeError("one position in, one out");
  return found;
}

const coverage = (found: Assessed["takeProfit"]) => found?.coverage ?? ZERO;

describe("coverage", () => {
  test("is above zero and at most one, or there is none", () => {
    expect(
      holds(standing, ({ position, orders }) => {
        const { stop, takeProfit: profit } = seen(position, orders);
        return [stop.all, stop.inside, profit].every(
          (found) => found === null || (found.coverage.gt(0) && found.coverage.lte(1)),
        );
      }),
    ).toBeNull();
  });

  test("does not depend on the order of the rows", () => {
    const shuffled = standing.chain((one) =>
      fc.tuple(fc.constant(one), fc.shuffledSubarray([...one.orders], { minLength: one.orders.length })),
    );
    expect(
      holds(shuffled, ([{ position, orders }, turned]) => {
        const [one, other] = [seen(position, orders), seen(position, turned)];
        return (
          coverage(one.stop.all).eq(coverage(other.stop.all)) &&
          one.status === other.status &&
          (one.stop.inside?.price.eq(other.stop.inside?.price ?? ZERO) ?? other.stop.inside === null)
        );
      }),
    ).toBeNull();
  });

  test("never falls by a leg more", () => {
    expect(
      holds(
        standing,
        fc.integer({ min: 500, max: 1_500 }),
        fc.integer({ min: 1, max: 300 }),
        (one, permille, percent) => {
          const { position, orders, mark } = one;
          const leg = partialStop(
            position,
            mark.times(permille).div(1_000).toFixed(),
            position.size.times(percent).div(100).toFixed(),
          );
          const more = seen(position, [...orders, leg]).stop;
          const before = seen(position, orders).stop;
          return coverage(more.all).gte(coverage(before.all)) && coverage(more.inside).gte(coverage(before.inside));
        },
      ),
    ).toBeNull();
  });

  test("grows by exactly the leg, until the position is whole", () => {
    expect(
      holds(standing, fc.integer({ min: 1, max: 150 }), ({ position, mark }, percent) => {
        const share = dec(String(percent)).div(100);
        const leg = partialStop(position, mark.toFixed(), position.size.times(share).toFixed());
        const expected = share.gt(1) ? dec("1") : share;
        return coverage(seen(position, [leg]).stop.all).eq(expected);
      }),
    ).toBeNull();
  });

  test("inside liquidation is never more than everywhere", () => {
    expect(
      holds(standing, ({ position, orders }) => {
        const { stop } = seen(position, orders);
        return coverage(stop.inside).lte(coverage(stop.all));
      }),
    ).toBeNull();
  });

  test("inside liquidation counts no leg at or beyond it", () => {
    expect(
      holds(standing, ({ position, orders }) => {
        const { stop } = seen(position, orders);
        const { liquidationPrice, side } = position;
        if (liquidationPrice === null || position.state !== "normal") return stop.beyondLiquidation.length === 0;
        return (stop.inside?.legs ?? []).every(({ price }) => !isBeyondLiquidation(price, liquidationPrice, side));
      }),
    ).toBeNull();
  });

  test("ignores trailing stops, entries that carry stops, and the other leg's orders", () => {
    expect(
      holds(standing, ({ position, orders, mark }) => {
        const otherLeg = { ...position, key: { ...position.key, positionIdx: 2 as const } };
        const noise = [
          trailing(position, mark.toFixed()),
          conditionalEntry(position, mark.toFixed(), mark.toFixed()),
          fullStop(otherLeg, mark.toFixed()),
          takeProfit(otherLeg, mark.toFixed()),
        ];
        const [one, other] = [seen(position, orders), seen(position, [...noise, ...orders])];
        return (
          coverage(one.stop.all).eq(coverage(other.stop.all)) && coverage(one.takeProfit).eq(coverage(other.takeProfit))
        );
      }),
    ).toBeNull();
  });

  test("says the price where the last covered unit leaves: every earlier leg is reached before it", () => {
    expect(
      holds(standing, ({ position, orders }) => {
        const found = seen(position, orders).stop.all;
        if (found === null) return true;
        const price = found.price;
        const isReached = (leg: { price: typeof price }) =>
          position.side === "long" ? leg.price.gte(price) : leg.price.lte(price);
        const until = found.legs.filter(isReached).reduce((sum, { quantity }) => sum.plus(quantity), ZERO);
        return until.div(position.size).gte(found.coverage);
      }),
    ).toBeNull();
  });
});

describe("status", () => {
  test("a position is protected exactly when stops inside liquidation cover the whole of it", () => {
    expect(
      holds(standing, ({ position, orders }) => {
        const { status, stop } = seen(position, orders);
        return (status === "protected") === isWhole(stop.inside);
      }),
    ).toBeNull();
  });

  test("what is not protected always has a critical finding, or says why nothing can be done", () => {
    expect(
      holds(anAccount, aWish, (account, wish) => {
        const { positions } = assess({
          snapshot: aSnapshot(account),
          policyOf: () => resolved({ protection: wish }),
          lifeOf: () => UNWRITTEN_LIFE,
        });
        return positions.every(({ status, findings }) => {
          const isCross = account.marginMode === "cross" || account.marginMode === "portfolio";
          const isTold = findings.some(({ severity, code }) => severity === "critical" || code === "unprotectable");
          const warns = findings.some(({ code }) => code === "stop-beyond-liquidation");
          return (
            status === "protected" || status === "ignored" || isTold || (isCross && status === "misplaced" && warns)
          );
        });
      }),
    ).toBeNull();
  });

  test("a protected position has no critical finding but a triggered stop's", () => {
    expect(
      holds(standing, ({ position, orders }) => {
        const { status, findings } = seen(position, orders);
        const critical = findings.filter(({ severity }) => severity === "critical").map(({ code }) => code);
        return status !== "protected" || critical.every((code) => code === "stop-triggered-not-filled");
      }),
    ).toBeNull();
  });

  test("every position of the snapshot is judged once, in the order of the rows", () => {
    expect(
      holds(anAccount, (account) => {
        const { positions } = assess({
          snapshot: aSnapshot(account),
          policyOf: () => resolved({ protection: aProtection() }),
          lifeOf: () => UNWRITTEN_LIFE,
        });
        expect(positions.map(({ position }) => position)).toEqual(account.positions);
      }),
    ).toBeNull();
  });
});
