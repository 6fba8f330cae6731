/** Exits that belong to a position: Full ones are set and follow its size, Partial ones are only ever added. */
import type { Decimal } from "../../domain/decimal.js";
import type { TriggerBy } from "../../domain/position.js";
import { announceOrder } from "./events.js";
import { newOrder } from "./order-record.js";
import { fullExit } from "./rows.js";
import {
  type Account,
  type AttachedExits,
  type Leg,
  type SimOrder,
  type World,
  isOpen,
  opposite,
  pricesOf,
} from "./world.js";

export type ExitKind = "StopLoss" | "TakeProfit";

export interface ExitOrder {
  readonly kind: ExitKind;
  readonly price: Decimal;
  readonly triggerBy: TriggerBy;
}

export interface PartialExit extends ExitOrder {
  readonly quantity: Decimal;
  readonly limitPrice: Decimal | null;
}

/** Sets, moves or (with null) clears the Full exit of one kind. */
export function setFullExit(
  world: World,
  account: Account,
  leg: Leg,
  kind: ExitKind,
  level: { readonly price: Decimal; readonly triggerBy: TriggerBy } | null,
  pairId: string | null,
): void {
  const standing = fullExit(account, leg, kind);
  if (level === null) {
    if (standing !== undefined) {
      unbind(account, standing);
      cancelOrder(world, account, standing, "CancelByUser");
    }
    return;
  }
  if (standing === undefined) {
    addExit(world, account, leg, { kind, ...level }, { mode: "Full", quantity: leg.size, pairId });
    return;
  }
  unbind(account, standing);
  hideChange(world, standing);
  standing.triggerPrice = level.price;
  standing.triggerBy = level.triggerBy;
  standing.pairId = pairId;
  announceOrder(world, account, standing);
}

export function addPartialExits(
  world: World,
  account: Account,
  leg: Leg,
  exits: readonly PartialExit[],
  parentOrderLinkId = "",
): SimOrder[] {
  const pairId = exits.length > 1 ? world.random.uuid() : null;
  return exits.map((exit) =>
    addExit(world, account, leg, exit, {
      mode: "Partial",
      quantity: exit.quantity,
      pairId,
      limitPrice: exit.limitPrice,
      parentOrderLinkId,
    }),
  );
}

interface ExitShape {
  readonly mode: "Full" | "Partial";
  readonly quantity: Decimal;
  readonly pairId: string | null;
  readonly limitPrice?: Decimal | null;
  readonly parentOrderLinkId?: string;
}

function addExit(world: World, account: Account, leg: Leg, exit: ExitOrder, shape: ExitShape): SimOrder {
  const name = shape.mode === "Full" ? exit.kind : (`Partial${exit.kind}` as const);
  const order = newExitOrder(world, leg, {
    stopOrderType: name,
    tpslMode: shape.mode,
    qty: shape.quantity,
    triggerPrice: exit.price,
    triggerBy: exit.triggerBy,
    triggerDirection: (leg.side === "Buy") === (exit.kind === "StopLoss") ? 2 : 1,
    price: shape.limitPrice ?? null,
    pairId: shape.pairId,
    parentOrderLinkId: shape.parentOrderLinkId ?? "",
  });
  account.orders.push(order);
  announceOrder(world, account, order);
  return order;
}

type ExitFacts = Pick<SimOrder, "stopOrderType" | "tpslMode" | "qty" | "triggerPrice" | "triggerDirection"> &
  Partial<Pick<SimOrder, "triggerBy" | "price" | "pairId" | "parentOrderLinkId" | "trailing">>;

function newExitOrder(world: World, leg: Leg, facts: ExitFacts): SimOrder {
  return newOrder(world, {
    instrument: leg.instrument,
    positionIdx: leg.positionIdx,
    side: opposite(leg.side === "Buy" ? "Buy" : "Sell"),
    orderType: (facts.price ?? null) === null ? "Market" : "Limit",
    createType: `CreateBy${facts.stopOrderType}`,
    reduceOnly: true,
    closeOnTrigger: true,
    status: "Untriggered",
    visibleAtMs: world.now() + world.lags.stopToVisibleMs,
    triggerBy: "LastPrice",
    ...facts,
  });
}

export interface TrailingLevel {
  readonly distance: Decimal;
  readonly activePrice: Decimal | null;
}

/** The order row's trigger price is the activation price, never the moving trigger (docs/v5/order/open-order). */
export function setTrailingStop(world: World, account: Account, leg: Leg, level: TrailingLevel | null): void {
  const standing = fullExit(account, leg, "TrailingStop");
  if (standing !== undefined && (level === null || standing.trailing === null)) {
    cancelOrder(world, account, standing, "CancelByUser");
  }
  if (level === null) return;
  const best = level.activePrice === null ? pricesOf(world, leg.instrument).last : null;
  const trailing = { ...level, best };
  if (standing !== undefined && isOpen(standing)) {
    standing.trailing = trailing;
    standing.triggerPrice = level.activePrice;
    announceOrder(world, account, standing);
    return;
  }
  const order = newExitOrder(world, leg, {
    stopOrderType: "TrailingStop",
    tpslMode: "Full",
    qty: leg.size,
    triggerPrice: level.activePrice,
    triggerDirection: leg.side === "Buy" ? 2 : 1,
    trailing,
  });
  account.orders.push(order);
  announceOrder(world, account, order);
}

/** An entry order has filled: its Full exits replace the position's, its Partial ones join them for this quantity. */
export function bringExits(world: World, account: Account, leg: Leg, parent: SimOrder, quantity: Decimal): void {
  const attached = parent.attached;
  if (attached === null) return;
  const levels = attachedLevels(attached);
  if (attached.mode === "Full") {
    const pairId = levels.length > 1 ? world.random.uuid() : null;
    for (const level of levels) setFullExit(world, account, leg, level.kind, level, pairId);
    return;
  }
  const exits = levels.map((level) => ({ ...level, quantity, limitPrice: null }));
  addPartialExits(world, account, leg, exits, parent.orderLinkId);
}

export function attachedLevels(attached: AttachedExits): ExitOrder[] {
  const { stopLoss, takeProfit, slTriggerBy, tpTriggerBy } = attached;
  return [
    ...(takeProfit === null ? [] : [{ kind: "TakeProfit" as const, price: takeProfit, triggerBy: tpTriggerBy }]),
    ...(stopLoss === null ? [] : [{ kind: "StopLoss" as const, price: stopLoss, triggerBy: slTriggerBy }]),
  ];
}

export function exitsOf(account: Account, leg: Leg): SimOrder[] {
  return account.orders.filter(
    (order) =>
      isOpen(order) &&
      order.tpslMode !== "" &&
      order.stopOrderType !== "" &&
      order.stopOrderType !== "Stop" &&
      order.instrument === leg.instrument &&
      order.positionIdx === leg.positionIdx,
  );
}

/** The quantity of Full exits is the position's size, always. */
export function followSize(world: World, account: Account, leg: Leg): void {
  for (const order of exitsOf(account, leg)) {
    if (order.tpslMode !== "Full" || order.qty.eq(leg.size)) continue;
    order.qty = leg.size;
    announceOrder(world, account, order);
  }
}

/** Ends an open order; of a bound pair both go. */
export function cancelOrder(world: World, account: Account, order: SimOrder, cancelType: string): void {
  if (!isOpen(order)) return;
  order.status = "Cancelled";
  order.cancelType = cancelType;
  announceOrder(world, account, order);
  if (order.pairId === null) return;
  const partner = account.orders.find((other) => other.pairId === order.pairId && isOpen(other));
  if (partner !== undefined) cancelOrder(world, account, partner, cancelType);
}

/** Changing one side alone ends the bond (docs/v5/position/trading-stop). */
function unbind(account: Account, order: SimOrder): void {
  if (order.pairId === null) return;
  for (const other of account.orders) if (other !== order && other.pairId === order.pairId) other.pairId = null;
  order.pairId = null;
}

/** Reads show the earlier level until the configured lag is over. */
export function hideChange(world: World, order: SimOrder): void {
  const { stopToVisibleMs } = world.lags;
  if (stopToVisibleMs === 0) return;
  const { triggerPrice, triggerBy } = order;
  order.lag = { untilMs: world.now() + stopToVisibleMs, triggerPrice, triggerBy };
}
