/** Directions of prices: what "toward the mark", "tighter" and "past" mean for each side and exit. */
import { Decimal } from "./decimal.js";
import type { Side } from "./position.js";

export type Exit = "stop-loss" | "take-profit";

/** Where an exit lies relative to the mark: a long's stop and a short's take-profit lie below it. */
export function liesBelowMark(side: Side, exit: Exit): boolean {
  return (side === "long") === (exit === "stop-loss");
}

/** Rounds to a whole number of ticks, up or down; the result may be zero, which no price may be. */
export function toTick(price: Decimal, tickSize: Decimal, direction: "up" | "down"): Decimal {
  const rounding = direction === "up" ? Decimal.ROUND_CEIL : Decimal.ROUND_FLOOR;
  return price.div(tickSize).toDecimalPlaces(0, rounding).times(tickSize);
}

/** Toward the mark side: never looser than asked (a long's stop up, its take-profit down; a short's mirrored). */
export function roundTowardMark(price: Decimal, tickSize: Decimal, side: Side, exit: Exit): Decimal {
  return toTick(price, tickSize, liesBelowMark(side, exit) ? "up" : "down");
}

export function roundAwayFromMark(price: Decimal, tickSize: Decimal, side: Side, exit: Exit): Decimal {
  return toTick(price, tickSize, liesBelowMark(side, exit) ? "down" : "up");
}

/** The tick nearest to the base price that is still strictly on the exit's side of it. */
export function tightestTick(base: Decimal, tickSize: Decimal, side: Side, exit: Exit): Decimal {
  const rounded = roundAwayFromMark(base, tickSize, side, exit);
  if (!rounded.eq(base)) return rounded;
  return liesBelowMark(side, exit) ? rounded.minus(tickSize) : rounded.plus(tickSize);
}

/** True when the base price has reached or crossed the level: the exchange refuses it (equality included). */
export function isPast(level: Decimal, base: Decimal, side: Side, exit: Exit): boolean {
  return liesBelowMark(side, exit) ? level.gte(base) : level.lte(base);
}

/** True when a stop at `candidate` exits strictly sooner than one at `standing`. */
export function isTighterStop(candidate: Decimal, standing: Decimal, side: Side): boolean {
  return side === "long" ? candidate.gt(standing) : candidate.lt(standing);
}

/** True when a stop at `candidate` exits strictly later than one at `standing`. */
export function isLooserStop(candidate: Decimal, standing: Decimal, side: Side): boolean {
  return isTighterStop(standing, candidate, side);
}

/** True when liquidation comes at or before the stop. */
export function isBeyondLiquidation(stop: Decimal, liquidationPrice: Decimal, side: Side): boolean {
  return side === "long" ? stop.lte(liquidationPrice) : stop.gte(liquidationPrice);
}
