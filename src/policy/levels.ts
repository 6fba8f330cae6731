/** Where the operator's distances put a stop-loss and a take-profit: exact, on the tick, inside liquidation. */
import { type Decimal, dec, print } from "../domain/decimal.js";
import type { Instrument, Ticker } from "../domain/instrument.js";
import { triggerBase } from "../domain/instrument.js";
import type { MarginMode, Position, TriggerBy } from "../domain/position.js";
import {
  type Exit,
  isBeyondLiquidation,
  isPast,
  isTighterStop,
  liesBelowMark,
  roundAwayFromMark,
  roundTowardMark,
  tightestTick,
} from "../domain/price.js";
import type { Protection, StopLossWish, TakeProfitWish } from "./protection.js";

/** Within this many ticks of the base price a level is rounded away from it, lest noise or the next tick trigger it. */
const NEAR_TICKS = 3;

/** The prices of one contract are no further apart than this share, whichever trigger they belong to. */
const MOST_APART = dec("0.3");

/** Everything a level is computed from. */
export interface Market {
  readonly instrument: Instrument;
  readonly ticker: Ticker;
  readonly marginMode: MarginMode | null;
}

/** A wanted level, or why there is none. */
export type Wanted =
  | { readonly kind: "level"; readonly price: Decimal; readonly triggerBy: TriggerBy; readonly coarse: boolean }
  /** The base price has reached `level`: what to do is the operator's `pastStop` or `pastTakeProfit`. */
  | { readonly kind: "past"; readonly level: Decimal; readonly base: Decimal; readonly triggerBy: TriggerBy }
  | { readonly kind: "impossible"; readonly reason: string }
  | { readonly kind: "none" };

/**
 * Current price that a trigger of this kind compares with; the position's own mark stands in for a missing one. Where
 * the two are far apart one of them is wrong, and counts is the one by which a level of this exit is less past.
 */
export function basePrice(position: Position, market: Market, triggerBy: TriggerBy, exit: Exit): Decimal | null {
  const stated = usable(triggerBase(market.ticker, triggerBy));
  const own = usable(position.markPrice);
  if (stated === null) return triggerBy === "MarkPrice" ? own : null;
  if (own === null || !areApart(stated, own)) return stated;
  return isPast(stated, own, position.side, exit) ? stated : own;
}

/** Of two prices that are far apart the other one: by it the exchange may refuse a level that is right by `basePrice`. */
export function strictBase(position: Position, market: Market, triggerBy: TriggerBy, exit: Exit): Decimal | null {
  const stated = usable(triggerBase(market.ticker, triggerBy));
  const own = usable(position.markPrice);
  const base = basePrice(position, market, triggerBy, exit);
  return stated !== null && own !== null && base === stated && areApart(stated, own) ? own : (stated ?? base);
}

function areApart(stated: Decimal, own: Decimal): boolean {
  return stated.minus(own).abs().gt(own.times(MOST_APART));
}

function usable(price: Decimal | null): Decimal | null {
  return price?.gt(0) ? price : null;
}

/** The configured stop without regard to liquidation: what an existing stop is measured against. */
export function configuredStop(position: Position, wish: StopLossWish, market: Market): Wanted {
  return levelAt(position, market, offset(position, wish.distance, "stop-loss"), wish.triggerBy, "stop-loss");
}

/** The configured stop for a new order: moved inside liquidation where the distance would reach beyond it. */
export function newStop(position: Position, protection: Protection, market: Market): Wanted {
  const wish = protection.stopLoss;
  if (wish === null) return { kind: "none" };
  const exact = offset(position, wish.distance, "stop-loss");
  return stopLevelInside(position, protection, market, exact, wish.triggerBy);
}

/** A stop at this exact price, without regard to liquidation. */
export function stopLevel(position: Position, market: Market, exact: Decimal, triggerBy: TriggerBy): Wanted {
  return levelAt(position, market, exact, triggerBy, "stop-loss");
}

export function takeProfitLevel(position: Position, market: Market, exact: Decimal, triggerBy: TriggerBy): Wanted {
  return levelAt(position, market, exact, triggerBy, "take-profit");
}

/** A stop at `distance` from the current price instead of the entry, for a position already past its level. */
export function rebasedStop(position: Position, protection: Protection, market: Market): Wanted {
  const wish = protection.stopLoss;
  if (wish === null) return { kind: "none" };
  const base = basePrice(position, market, wish.triggerBy, "stop-loss");
  if (base === null) return noBase(wish.triggerBy);
  const factor = position.side === "long" ? dec("1").minus(wish.distance) : dec("1").plus(wish.distance);
  return stopLevelInside(position, protection, market, base.times(factor), wish.triggerBy);
}

/** The tightest level that the exchange accepts now. */
export function nearestLevel(position: Position, market: Market, triggerBy: TriggerBy, exit: Exit): Wanted {
  const base = basePrice(position, market, triggerBy, exit);
  if (base === null) return noBase(triggerBy);
  const price = tightestTick(base, market.instrument.tickSize, position.side, exit);
  return price.gt(0) ? { kind: "level", price, triggerBy, coarse: false } : belowOneTick(market.instrument);
}

/** The configured take-profit; "2R" is twice the stop's configured distance from the entry. */
export function configuredTakeProfit(position: Position, protection: Protection, market: Market): Wanted {
  const wish = protection.takeProfit;
  if (wish === null) return { kind: "none" };
  const distance = takeProfitDistance(wish, protection.stopLoss);
  if (distance === null) return { kind: "impossible", reason: "a multiple of R needs a stop-loss distance" };
  return levelAt(position, market, offset(position, distance, "take-profit"), wish.triggerBy, "take-profit");
}

/** A liquidation price that can be judged against: stated, and not reached already. */
export function knownLiquidation(position: Position, mark: Decimal | null): Decimal | null {
  const liquidation = position.liquidationPrice;
  if (liquidation === null) return null;
  const isReached = mark !== null && isBeyondLiquidation(mark, liquidation, position.side);
  return isReached ? null : liquidation;
}

/** As a fraction; null: a multiple of R without a stop to measure it by. */
export function takeProfitDistance(wish: TakeProfitWish, stop: StopLossWish | null): Decimal | null {
  if (wish.distance.kind === "fraction") return wish.distance.fraction;
  return stop === null ? null : stop.distance.times(wish.distance.multiple);
}

function offset({ entryPrice, side }: Position, distance: Decimal, exit: Exit): Decimal {
  return offsetFrom(entryPrice, side, distance, exit);
}

/** At this distance from the entry, not yet on the tick. */
export function offsetFrom(entry: Decimal, side: Position["side"], distance: Decimal, exit: Exit): Decimal {
  const one = dec("1");
  return entry.times(liesBelowMark(side, exit) ? one.minus(distance) : one.plus(distance));
}

/** A stop at this exact price, moved inside liquidation where it would reach beyond it: for a new order. */
export function stopLevelInside(
  position: Position,
  protection: Protection,
  market: Market,
  exact: Decimal,
  triggerBy: TriggerBy,
): Wanted {
  const mark = basePrice(position, market, "MarkPrice", "stop-loss");
  const liquidation = knownLiquidation(position, mark);
  if (liquidation === null || mark === null) return levelAt(position, market, exact, triggerBy, "stop-loss");
  const limit = insideLimit(position, liquidation, mark, protection.liquidationBuffer);
  const inside = isTighterStop(limit, exact, position.side) ? limit : exact;
  const wanted = levelAt(position, market, inside, triggerBy, "stop-loss");
  if (wanted.kind !== "level" || !isBeyondLiquidation(wanted.price, liquidation, position.side)) return wanted;
  // Rounded away from the mark, or with no buffer: the next tick toward the mark is the widest that is inside.
  const { tickSize } = market.instrument;
  const next = position.side === "long" ? wanted.price.plus(tickSize) : wanted.price.minus(tickSize);
  const tight = levelAt(position, market, next, triggerBy, "stop-loss");
  if (tight.kind === "level") return { ...tight, coarse: wanted.coarse };
  // Outside isolated margin the liquidation price is an estimate: a stop at it is better than none.
  return market.marginMode !== "isolated"
    ? wanted
    : { kind: "impossible", reason: `no tick of ${print(tickSize)} between mark and liquidation` };
}

/** The widest price that is still inside liquidation: the buffer away, or halfway where that leaves too little room. */
function insideLimit(position: Position, liquidation: Decimal, mark: Decimal, buffer: Decimal): Decimal {
  const keepAway = liquidation.times(buffer);
  const limit = position.side === "long" ? liquidation.plus(keepAway) : liquidation.minus(keepAway);
  const way = mark.minus(liquidation).abs();
  const left = position.side === "long" ? mark.minus(limit) : limit.minus(mark);
  return left.lt(way.div(4)) ? mark.plus(liquidation).div(2) : limit;
}

function levelAt(position: Position, market: Market, exact: Decimal, triggerBy: TriggerBy, exit: Exit): Wanted {
  const base = basePrice(position, market, triggerBy, exit);
  if (base === null) return noBase(triggerBy);
  return levelAgainst(base, exact, { side: position.side, instrument: market.instrument, triggerBy, exit });
}

/** What kind of level is put where. */
export interface Placing {
  readonly side: Position["side"];
  readonly instrument: Instrument;
  readonly triggerBy: TriggerBy;
  readonly exit: Exit;
}

/** Puts an exact level on the tick, as seen from the price that the exchange holds it against. */
export function levelAgainst(base: Decimal, exact: Decimal, { side, instrument, triggerBy, exit }: Placing): Wanted {
  if (exact.lte(0)) return { kind: "impossible", reason: `the configured distance puts the ${exit} at or below zero` };
  if (isPast(exact, base, side, exit)) {
    return { kind: "past", level: roundTowardMark(exact, instrument.tickSize, side, exit), base, triggerBy };
  }
  const toward = roundTowardMark(exact, instrument.tickSize, side, exit);
  const near = base.minus(toward).abs().lte(instrument.tickSize.times(NEAR_TICKS));
  const coarse = !toward.eq(exact) && near;
  const away = roundAwayFromMark(exact, instrument.tickSize, side, exit);
  // Away from the mark there may be no price left above zero: one near to it is better than none.
  const price = coarse && away.gt(0) ? away : toward;
  return isPast(price, base, side, exit) ? belowOneTick(instrument) : { kind: "level", price, triggerBy, coarse };
}

export function noBase(triggerBy: TriggerBy): Wanted {
  return { kind: "impossible", reason: `the exchange states no current ${triggerBy}` };
}

function belowOneTick(instrument: Instrument): Wanted {
  return { kind: "impossible", reason: `the level is below one tick of ${print(instrument.tickSize)}` };
}

/** Near the mark a level is rounded the other way: what stands a tick beside the wish may be the same wish. */
export function isWithinTick(price: Decimal, level: Decimal, market: Market | null): boolean {
  const differs = price.minus(level).abs();
  return market === null ? differs.isZero() : differs.lte(market.instrument.tickSize);
}

/** What is wanted stands: at the level itself, or beside it where the mark is too near for that. */
export function isMetBy(price: Decimal, wanted: Wanted, market: Market | null): boolean {
  if (wanted.kind !== "level") return false;
  return wanted.coarse ? isWithinTick(price, wanted.price, market) : price.eq(wanted.price);
}
