/** Where the operator's distances put the exits of an order that would open a position: measured from its own price. */
import { type Decimal, print } from "../domain/decimal.js";
import { triggerBase } from "../domain/instrument.js";
import type { OpenOrder } from "../domain/order.js";
import type { Side, TriggerBy } from "../domain/position.js";
import { type Exit, isPast } from "../domain/price.js";
import { levelAgainst, type Market, noBase, offsetFrom, takeProfitDistance, type Wanted } from "./levels.js";
import type { Protection } from "./protection.js";

/** The side of the position that the order would open or grow. */
export function entrySide({ direction }: Pick<OpenOrder, "direction">): Side {
  return direction === "buy" ? "long" : "short";
}

/** What the exchange holds attached exits against: the limit price, else the trigger price (docs/v5/order/create-order). */
export function entryPrice({ price, triggerPrice }: OpenOrder): Decimal | null {
  return price ?? triggerPrice;
}

/** The configured stop of the position that the order would open. */
export function orderStop(order: OpenOrder, { stopLoss }: Protection, market: Market): Wanted {
  if (stopLoss === null) return { kind: "none" };
  const wanted = levelFrom(order, stopLoss.distance, stopLoss.triggerBy, "stop-loss", market);
  return wanted.kind === "level" ? (unfit(wanted.price, order, market, stopLoss.triggerBy) ?? wanted) : wanted;
}

export function orderTakeProfit(order: OpenOrder, { stopLoss, takeProfit }: Protection, market: Market): Wanted {
  if (takeProfit === null) return { kind: "none" };
  const distance = takeProfitDistance(takeProfit, stopLoss);
  if (distance === null) return { kind: "impossible", reason: "a multiple of R needs a stop-loss distance" };
  return levelFrom(order, distance, takeProfit.triggerBy, "take-profit", market);
}

/** Why a stop at this price must not be attached to the order; null: it lies strictly beyond everything it may fill at. */
export function unfit(price: Decimal, order: OpenOrder, market: Market, triggerBy: TriggerBy): Wanted | null {
  const side = entrySide(order);
  const { tickSize } = market.instrument;
  if (!price.mod(tickSize).isZero()) {
    return { kind: "impossible", reason: `${print(price)} is not on the tick ${print(tickSize)}` };
  }
  // A buy stop-limit with room above its trigger fills near the trigger: a stop measured from its limit may be past there.
  const bases = [order.price, order.triggerPrice].filter((base) => base !== null);
  if (order.state !== "waiting") {
    // The mark may have left the last price behind, at which the order rests: its stop would fire with the fill.
    const current = triggerBase(market.ticker, triggerBy);
    if (current === null || current.lte(0)) return noBase(triggerBy);
    bases.push(current);
  }
  const reached = bases.find((base) => isPast(price, base, side, "stop-loss"));
  return reached === undefined ? null : { kind: "past", level: price, base: reached, triggerBy };
}

function levelFrom(order: OpenOrder, distance: Decimal, triggerBy: TriggerBy, exit: Exit, market: Market): Wanted {
  const base = entryPrice(order);
  if (base === null) return { kind: "impossible", reason: "the order has no price of its own" };
  const side = entrySide(order);
  const { instrument } = market;
  return levelAgainst(base, offsetFrom(base, side, distance, exit), { side, instrument, triggerBy, exit });
}
