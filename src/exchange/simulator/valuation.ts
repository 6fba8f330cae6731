/** What positions are worth: average entry, profit, value and a simplified liquidation price. */
import { type Decimal, dec } from "../../domain/decimal.js";
import { truncate } from "./formats.js";
import { type SimInstrument, maxPrice, minPrice } from "./instruments.js";
import { type Account, type Leg, type LegView, type WireSide, ZERO } from "./world.js";

const MAINTENANCE_RATE = dec("0.005");

export function averageEntry(instrument: SimInstrument, leg: LegView, quantity: Decimal, price: Decimal): Decimal {
  if (leg.size.isZero()) return price;
  const size = leg.size.plus(quantity);
  const average =
    instrument.category === "linear"
      ? leg.size.times(leg.entryPrice).plus(quantity.times(price)).div(size)
      : size.div(leg.size.div(leg.entryPrice).plus(quantity.div(price)));
  return average.toDecimalPlaces(8);
}

/** In the settle coin; without fees and funding. */
export function profit(
  instrument: SimInstrument,
  side: WireSide,
  entry: Decimal,
  exit: Decimal,
  quantity: Decimal,
): Decimal {
  const long =
    instrument.category === "linear"
      ? exit.minus(entry).times(quantity)
      : quantity.div(entry).minus(quantity.div(exit));
  return side === "Buy" ? long : long.negated();
}

/** In the settle coin. */
export function valueOf(instrument: SimInstrument, size: Decimal, price: Decimal): Decimal {
  if (size.isZero() || price.isZero()) return ZERO;
  return instrument.category === "linear" ? size.times(price) : size.div(price);
}

/**
 * Null: none. A simplification: every position is treated as isolated with its leverage's margin, also where the
 * account says cross; portfolio margin states none (docs/v5/position).
 */
export function liquidationPrice(account: Account, leg: Leg, view: LegView = leg): Decimal | null {
  if (account.marginMode === "PORTFOLIO_MARGIN" || view.size.isZero() || view.side === "") return null;
  if (leg.liquidation !== "estimate") return leg.liquidation;
  const margin = dec("1").div(leg.leverage).minus(MAINTENANCE_RATE);
  const signed = view.side === "Buy" ? margin : margin.negated();
  const exact =
    leg.instrument.category === "linear"
      ? view.entryPrice.times(dec("1").minus(signed))
      : view.entryPrice.div(dec("1").plus(signed));
  const price = truncate(exact, leg.instrument.tickSize);
  return price.lte(minPrice(leg.instrument)) || price.gte(maxPrice(leg.instrument)) ? null : price;
}
