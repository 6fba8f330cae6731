/** Properties of decimals and of rounding to ticks. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dec, maxOf, minOf, parseDecimal, print } from "../../src/domain/decimal.js";
import {
  isBeyondLiquidation,
  isLooserStop,
  isPast,
  isTighterStop,
  liesBelowMark,
  roundAwayFromMark,
  roundTowardMark,
  tightestTick,
  toTick,
} from "../../src/domain/price.js";
import { anExit, aSide, tickAndPrice, holds } from "../builders/arbitrary.js";

const plain = fc
  .tuple(fc.bigInt({ min: 0n, max: 10n ** 18n }), fc.integer({ min: 0, max: 12 }))
  .map(([digits, scale]) => dec(digits.toString()).div(dec("10").pow(scale)));

describe("decimals", () => {
  test("what is printed reads back as the same value", () => {
    expect(holds(plain, (value) => parseDecimal(print(value))?.eq(value) ?? false)).toBeNull();
  });

  test("what is printed is plain notation: no exponent, no trailing zero, no sign of zero", () => {
    expect(
      holds(plain, (value) => /^(0|[1-9]\d*)(\.\d*[1-9])?$/.test(print(value)) && print(value.neg()) !== "-0"),
    ).toBeNull();
  });

  test("reading ignores trailing zeros in value", () => {
    expect(
      holds(plain, fc.integer({ min: 1, max: 5 }), (value, zeros) => {
        const text = print(value);
        const padded = `${text.includes(".") ? text : `${text}.`}${"0".repeat(zeros)}`;
        return parseDecimal(padded)?.eq(value) ?? false;
      }),
    ).toBeNull();
  });

  test.each(["", " ", "abc", "1e5", "1E-7", "0x10", "1,5", "--1", "NaN", "Infinity", ".", "1_000", "٣"])(
    "%j is no decimal",
    (text) => {
      expect(parseDecimal(text)).toBeNull();
      expect(() => dec(text)).toThrow(/not a plain decimal/);
    },
  );

  test("every spelling of none is zero, and equal", () => {
    expect(["0", "0.00", "0.00000", "-0", "+0"].map((text) => parseDecimal(text)?.isZero())).toEqual(
      Array.from({ length: 5 }, () => true),
    );
  });

  test("the smaller and the larger of two are both of the two", () => {
    expect(
      holds(plain, plain, (one, other) => minOf(one, other).plus(maxOf(one, other)).eq(one.plus(other))),
    ).toBeNull();
  });

  test("a tenth and two tenths are three tenths", () => {
    expect(dec("0.1").plus(dec("0.2")).eq(dec("0.3"))).toBe(true);
  });
});

describe("rounding to the tick", () => {
  test("gives an exact multiple of the tick, either way", () => {
    expect(
      holds(tickAndPrice, aSide, anExit, ({ tick, price }, side, exit) =>
        [roundTowardMark(price, tick, side, exit), roundAwayFromMark(price, tick, side, exit)].every((rounded) =>
          rounded.mod(tick).isZero(),
        ),
      ),
    ).toBeNull();
  });

  test("toward the mark never loosens a stop", () => {
    expect(
      holds(tickAndPrice, aSide, ({ tick, price }, side) => {
        return !isLooserStop(roundTowardMark(price, tick, side, "stop-loss"), price, side);
      }),
    ).toBeNull();
  });

  test("toward the mark never puts a take-profit further away", () => {
    expect(
      holds(tickAndPrice, aSide, ({ tick, price }, side) => {
        const rounded = roundTowardMark(price, tick, side, "take-profit");
        return side === "long" ? rounded.lte(price) : rounded.gte(price);
      }),
    ).toBeNull();
  });

  test("moves by less than one tick", () => {
    expect(
      holds(tickAndPrice, aSide, anExit, ({ tick, price }, side, exit) =>
        roundTowardMark(price, tick, side, exit).minus(price).abs().lt(tick),
      ),
    ).toBeNull();
  });

  test("twice is once", () => {
    expect(
      holds(tickAndPrice, aSide, anExit, ({ tick, price }, side, exit) => {
        const once = roundTowardMark(price, tick, side, exit);
        return roundTowardMark(once, tick, side, exit).eq(once) && roundAwayFromMark(once, tick, side, exit).eq(once);
      }),
    ).toBeNull();
  });

  test("a price on the tick stays", () => {
    expect(
      holds(tickAndPrice, fc.constantFrom("up" as const, "down" as const), ({ tick, price }, direction) => {
        const onTick = toTick(price, tick, "down");
        return toTick(onTick, tick, direction).eq(onTick);
      }),
    ).toBeNull();
  });

  test("toward and away are the same tick, or neighbours with the price between them", () => {
    expect(
      holds(tickAndPrice, aSide, anExit, ({ tick, price }, side, exit) => {
        const toward = roundTowardMark(price, tick, side, exit);
        const away = roundAwayFromMark(price, tick, side, exit);
        return price.mod(tick).isZero() ? toward.eq(away) : toward.minus(away).abs().eq(tick);
      }),
    ).toBeNull();
  });

  test("a long's stop is rounded like a short's take-profit, and the other way round", () => {
    expect(
      holds(tickAndPrice, ({ tick, price }) => {
        const asStop = roundTowardMark(price, tick, "long", "stop-loss");
        const asProfit = roundTowardMark(price, tick, "short", "take-profit");
        return asStop.eq(asProfit) && liesBelowMark("long", "stop-loss") === liesBelowMark("short", "take-profit");
      }),
    ).toBeNull();
  });

  test("long and short are mirror images about any tick", () => {
    expect(
      holds(tickAndPrice, fc.integer({ min: 1_000_001, max: 2_000_000 }), ({ tick, price }, ticks) => {
        const axis = tick.times(ticks);
        const long = roundTowardMark(price, tick, "long", "stop-loss");
        const short = roundTowardMark(axis.times(2).minus(price), tick, "short", "stop-loss");
        return axis.minus(long).eq(short.minus(axis));
      }),
    ).toBeNull();
  });

  test("plain notation survives it: no rounded price needs an exponent", () => {
    expect(
      holds(tickAndPrice, aSide, anExit, ({ tick, price }, side, exit) =>
        /^\d+(\.\d+)?$/.test(print(roundTowardMark(price, tick, side, exit))),
      ),
    ).toBeNull();
  });
});

describe("the tightest accepted tick", () => {
  test("is on the exit's own side of the base price, and the next one is not", () => {
    expect(
      holds(tickAndPrice, aSide, anExit, ({ tick, price }, side, exit) => {
        const tightest = tightestTick(price, tick, side, exit);
        const next = liesBelowMark(side, exit) ? tightest.plus(tick) : tightest.minus(tick);
        return !isPast(tightest, price, side, exit) && isPast(next, price, side, exit);
      }),
    ).toBeNull();
  });

  test("is an exact multiple of the tick, at most one tick away", () => {
    expect(
      holds(tickAndPrice, aSide, anExit, ({ tick, price }, side, exit) => {
        const tightest = tightestTick(price, tick, side, exit);
        return tightest.mod(tick).isZero() && tightest.minus(price).abs().lte(tick);
      }),
    ).toBeNull();
  });
});

describe("tighter, looser, past", () => {
  test("of two different stops exactly one is tighter", () => {
    expect(
      holds(plain, plain, aSide, (one, other, side) => {
        const tighter = isTighterStop(one, other, side);
        const looser = isLooserStop(one, other, side);
        return one.eq(other) ? !tighter && !looser : tighter !== looser;
      }),
    ).toBeNull();
  });

  test("a tighter stop is never beyond a liquidation price that the looser one is inside of", () => {
    expect(
      holds(plain, plain, plain, aSide, (one, other, liquidation, side) => {
        const isInside = !isBeyondLiquidation(other, liquidation, side);
        return !isInside || !isTighterStop(one, other, side) || !isBeyondLiquidation(one, liquidation, side);
      }),
    ).toBeNull();
  });

  test("equality is past, and beyond liquidation", () => {
    expect(
      holds(plain, aSide, anExit, (price, side, exit) => {
        return isPast(price, price, side, exit) && isBeyondLiquidation(price, price, side);
      }),
    ).toBeNull();
  });
});
