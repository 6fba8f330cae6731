/** Which open orders would close how much of a position, and at what price the last covered unit leaves. */
import { type Decimal, dec, minOf } from "../domain/decimal.js";
import type { OpenOrder } from "../domain/order.js";
import type { Position, TriggerBy } from "../domain/position.js";
import { type Exit, liesBelowMark } from "../domain/price.js";

export type CoverSource = "full" | "partial" | "conditional" | "limit";

/** One order that closes a part of the position. */
export interface CoverLeg {
  readonly source: CoverSource;
  /** Trigger price; for a resting limit order its price. */
  readonly price: Decimal;
  /** At most the position's size. */
  readonly quantity: Decimal;
  readonly triggerBy: TriggerBy | null;
  readonly orderId: string;
  /** "limit" may rest unfilled once triggered. */
  readonly execution: "market" | "limit";
}

/** All legs of one exit together. */
export interface Cover {
  /** Where the last covered unit exits. */
  readonly price: Decimal;
  readonly triggerBy: TriggerBy | null;
  readonly source: CoverSource;
  /** Covered quantity ÷ size, at most 1. */
  readonly coverage: Decimal;
  /** In the order in which the price would reach them. */
  readonly legs: readonly CoverLeg[];
}

/** The orders that belong to a position's leg. */
export function ordersOf(position: Position, orders: readonly OpenOrder[]): readonly OpenOrder[] {
  const { category, symbol, positionIdx } = position.key;
  return orders.filter(
    (order) => order.category === category && order.symbol === symbol && order.positionIdx === positionIdx,
  );
}

/**
 * Stops that wait at the exchange. A trailing stop is none (it is no hard stop), nor is an entry that carries one.
 * `mostPerOrder`: the largest market order, which bounds a close-all order (docs/v5/order/create-order); null: unknown.
 */
export function stopLegs(
  position: Position,
  orders: readonly OpenOrder[],
  mostPerOrder: Decimal | null = null,
): readonly CoverLeg[] {
  return ordersOf(position, orders).flatMap((order) => {
    const source = closes(position, order) && order.state === "waiting" ? stopSource(position, order) : null;
    if (source === null) return [];
    const isBounded = source === "conditional" && order.quantity.isZero() && mostPerOrder !== null;
    return legOf(position, order, source, order.triggerPrice).map((leg) =>
      isBounded ? { ...leg, quantity: minOf(leg.quantity, mostPerOrder) } : leg,
    );
  });
}

/** Take-profits that wait, and resting reduce-only limit orders. */
export function takeProfitLegs(position: Position, orders: readonly OpenOrder[]): readonly CoverLeg[] {
  return ordersOf(position, orders).flatMap((order) => {
    if (!closes(position, order)) return [];
    const waiting = order.state === "waiting" ? takeProfitSource(position, order) : null;
    if (waiting !== null) return legOf(position, order, waiting, order.triggerPrice);
    return restsOnProfitSide(position, order) ? legOf(position, order, "limit", order.price) : [];
  });
}

/** Stops whose trigger was reached and that nevertheless are still open: they no longer wait for anything. */
export function triggeredStops(position: Position, orders: readonly OpenOrder[]): readonly OpenOrder[] {
  return ordersOf(position, orders).filter(
    (order) => closes(position, order) && order.state !== "waiting" && stopSource(position, order) !== null,
  );
}

/** Sums legs against the size; null where there is none. */
export function cover(position: Position, exit: Exit, legs: readonly CoverLeg[]): Cover | null {
  const reached = [...legs].sort((one, other) => reachOrder(position, exit, one, other));
  let covered = dec("0");
  let last: CoverLeg | undefined;
  for (const leg of reached) {
    if (covered.gte(position.size)) break;
    if (leg.quantity.lte(0)) continue;
    covered = minOf(position.size, covered.plus(leg.quantity));
    last = leg;
  }
  if (last === undefined) return null;
  const coverage = covered.div(position.size);
  return { price: last.price, triggerBy: last.triggerBy, source: last.source, coverage, legs: reached };
}

/** None covers nothing. */
export function coveredShare(found: Cover | null): Decimal {
  return found?.coverage ?? dec("0");
}

export function isWhole(found: Cover | null): boolean {
  return found !== null && found.coverage.gte(1);
}

/** Null: it covers less than the whole. */
export function wholeOf(found: Cover | null): Cover | null {
  return isWhole(found) ? found : null;
}

function reachOrder(position: Position, exit: Exit, one: CoverLeg, other: CoverLeg): number {
  return liesBelowMark(position.side, exit) ? other.price.cmp(one.price) : one.price.cmp(other.price);
}

function closes(position: Position, order: OpenOrder): boolean {
  return order.direction === (position.side === "long" ? "sell" : "buy");
}

function stopSource(position: Position, order: OpenOrder): CoverSource | null {
  if (order.kind === "full-stop-loss") return "full";
  if (isNoStopLimit(position, order)) return null;
  if (order.kind === "partial-stop-loss") return "partial";
  const lossDirection = position.side === "long" ? "fall" : "rise";
  return isReducingConditional(order) && order.triggerDirection === lossDirection ? "conditional" : null;
}

function takeProfitSource(position: Position, order: OpenOrder): CoverSource | null {
  if (order.kind === "full-take-profit") return "full";
  if (order.kind === "partial-take-profit") return "partial";
  const profitDirection = position.side === "long" ? "rise" : "fall";
  // Nothing is set beside what only closes, whatever closes it.
  const isReducing = order.kind === "conditional" && (reducesByMode(order) || order.closesOnTrigger === true);
  return isReducing && order.triggerDirection === profitDirection ? "conditional" : null;
}

function isReducingConditional(order: OpenOrder): boolean {
  return order.kind === "conditional" && order.reducesOnly;
}

/** In hedge mode an order against its own leg closes, whatever its flags say (docs/v5/position/position-mode). */
function reducesByMode(order: OpenOrder): boolean {
  return order.reducesOnly || order.positionIdx !== 0;
}

/** Once triggered it rests on the profit side, and waits for the price to come back. */
function isNoStopLimit({ side }: Position, { execution, price, triggerPrice }: OpenOrder): boolean {
  if (execution !== "limit" || price === null || triggerPrice === null) return false;
  return side === "long" ? price.gt(triggerPrice) : price.lt(triggerPrice);
}

/** A closing limit order that rests can only be on the profit side: on the other it would have filled. */
function restsOnProfitSide(position: Position, order: OpenOrder): boolean {
  const isTriggeredTakeProfit = takeProfitSource(position, order) !== null;
  const isReducing = (order.kind === "plain" && reducesByMode(order)) || isTriggeredTakeProfit;
  return isReducing && order.execution === "limit" && order.state !== "waiting";
}

function legOf(position: Position, order: OpenOrder, source: CoverSource, price: Decimal | null): CoverLeg[] {
  if (price === null) return [];
  const { triggerBy, orderId, execution } = order;
  return [{ source, price, quantity: legQuantity(position, order, source), triggerBy, orderId, execution }];
}

/**
 * A Full stop follows the position whatever its row says; one that is not called Full throughout covers what it rests
 * with, and on whole-position rows of some captures that is zero. A zero quantity on a conditional is the close-all order,
 * which works only with closeOnTrigger (docs/v5/order/create-order).
 */
function legQuantity(position: Position, order: OpenOrder, source: CoverSource): Decimal {
  const isCloseAll = source === "conditional" && order.quantity.isZero() && order.closesOnTrigger === true;
  const isFull = source === "full" && (order.followsSize || order.quantity.isZero());
  return isFull || isCloseAll ? position.size : minOf(position.size, order.quantity);
}
