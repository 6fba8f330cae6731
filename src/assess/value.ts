/** What a position is worth and what an exit would lose, by the contract's own arithmetic. */
import type { Decimal } from "../domain/decimal.js";
import type { Ticker } from "../domain/instrument.js";
import type { Position } from "../domain/position.js";

/** Size at the mark in quote coin; an inverse contract's size is its value (one contract is one USD). */
export function notionalQuote(position: Position, ticker: Ticker | undefined): Decimal {
  if (position.key.category === "inverse") return position.size;
  const price = ticker?.markPrice ?? position.markPrice ?? position.entryPrice;
  return position.size.times(price);
}

/** Loss at an exit price, before fees: quote coin for linear, settle coin for inverse; positive loses. */
export function lossAt(position: Position, exitPrice: Decimal): Decimal {
  const { entryPrice, size, side } = position;
  const isLong = side === "long";
  if (position.key.category === "linear") {
    return (isLong ? entryPrice.minus(exitPrice) : exitPrice.minus(entryPrice)).times(size);
  }
  const atEntry = size.div(entryPrice);
  const atExit = size.div(exitPrice);
  return isLong ? atExit.minus(atEntry) : atEntry.minus(atExit);
}

/** Signed distance of an exit from the entry in percent: negative where it would lose. */
export function distancePct(position: Position, exitPrice: Decimal): Decimal {
  const moved = exitPrice.minus(position.entryPrice).div(position.entryPrice).times(100);
  return position.side === "long" ? moved : moved.neg();
}
