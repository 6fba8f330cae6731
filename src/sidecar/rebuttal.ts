/** Whether a push speaks against what a look has shown of a position: it is over, another one, or worse covered. */
import type { Assessed } from "../assess/assess.js";
import { cover, coveredShare, stopLegs } from "../assess/coverage.js";
import type { OpenOrder } from "../domain/order.js";
import { isOtherOpening, keyText, type Position, type PositionKey } from "../domain/position.js";
import type { Push } from "../exchange/stream.js";

/** `orders`: those that the look has shown. */
export function speaksAgainst(push: Push, shown: Assessed, orders: readonly OpenOrder[]): boolean {
  switch (push.kind) {
    case "position-flat":
      return isOf(shown, push.key) && !isBeforeOpening(shown, push.changedAtMs ?? push.atMs);
    case "position-open":
      return isOf(shown, push.position.key) && isOtherOrBarer(push.position, shown, orders);
    case "order-gone":
      return isLeg(shown, push.orderId);
    case "order-open":
      return isLeg(shown, push.order.orderId) && coversLess(shown.position, [push.order], shown, orders);
    case "execution":
      return isLeg(shown, push.execution.orderId);
    case "unreadable":
      return push.symbol === shown.position.key.symbol && push.category === shown.position.key.category;
  }
}

function isOf({ position }: Assessed, key: PositionKey): boolean {
  return keyText(position.key) === keyText(key);
}

/** It closed the position before this one. */
function isBeforeOpening({ position: { openedAtMs } }: Assessed, atMs: number): boolean {
  return openedAtMs !== null && atMs < openedAtMs;
}

function isLeg({ stop }: Assessed, orderId: string): boolean {
  return stop.all?.legs.some((leg) => leg.orderId === orderId) === true;
}

/** A row that states no Full stop says that there is none. */
function isOtherOrBarer(pushed: Position, shown: Assessed, orders: readonly OpenOrder[]): boolean {
  const { position, stop } = shown;
  if (pushed.side !== position.side || isOtherOpening(pushed.openedAtMs, position.openedAtMs)) return true;
  const isBare = pushed.fullStopLoss === null && stop.all?.legs.some(({ source }) => source === "full") === true;
  if (!isBare && pushed.size.lte(position.size)) return false;
  return coversLess(pushed, [], shown, isBare ? orders.filter(({ kind }) => kind !== "full-stop-loss") : orders);
}

/** Than the look has shown, by its own orders with these in the place of their former selves. */
function coversLess(
  position: Position,
  changed: readonly OpenOrder[],
  { stop, market }: Assessed,
  orders: readonly OpenOrder[],
): boolean {
  const ids = new Set(changed.map(({ orderId }) => orderId));
  const legs = orders.filter(({ orderId }) => stop.all?.legs.some((leg) => leg.orderId === orderId) === true);
  const left = [...legs.filter(({ orderId }) => !ids.has(orderId)), ...changed];
  const covered = cover(position, "stop-loss", stopLegs(position, left, market?.instrument.maxMarketQuantity ?? null));
  return coveredShare(covered).lt(coveredShare(stop.all));
}
