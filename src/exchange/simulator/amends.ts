/** POST /v5/order/amend and /v5/order/cancel: changes to orders that are still open. */
import type { Decimal } from "../../domain/decimal.js";
import type { TriggerBy } from "../../domain/position.js";
import { announceOrder, announcePosition } from "./events.js";
import { wrongSide } from "./exit-rules.js";
import { cancelOrder, hideChange } from "./exits.js";
import { truncate } from "./formats.js";
import { inCallAuction } from "./instruments.js";
import { type OrderIds, checkAttached, checkTrigger, matchNow } from "./orders.js";
import { type Params, decimalOf, oneOf, requiredText, textOf, triggerByOf } from "./parameters.js";
import { Refusal, invalid } from "./refusal.js";
import {
  type Account,
  type AttachedExits,
  type SimOrder,
  type World,
  basePrice,
  instrumentOf,
  isOpen,
  legKey,
  opposite,
  pricesOf,
} from "./world.js";

export function amendOrder(world: World, account: Account, params: Params): OrderIds {
  const order = openOrder(world, account, params, "order not exists or too late to replace");
  const before = { ...order };
  try {
    changeOrder(world, order, params);
  } catch (refusal) {
    Object.assign(order, before);
    throw refusal;
  }
  announceOrder(world, account, order);
  if (order.status === "New") matchNow(world, account, order);
  repeatPosition(world, account, order);
  return { orderId: order.orderId, orderLinkId: order.orderLinkId };
}

function changeOrder(world: World, order: SimOrder, params: Params): void {
  const changes = [
    changeTrigger(world, order, params),
    changePrice(world, order, params),
    changeAttached(world, order, params),
    changeQuantity(order, params),
  ];
  if (!changes.includes(true)) throw invalid("order not modified");
}

/** Of a bound pair both legs go (docs/v5/position/trading-stop). */
export function cancelByRequest(world: World, account: Account, params: Params): OrderIds {
  const order = openOrder(world, account, params, "order not exists or too late to cancel");
  cancelOrder(world, account, order, "CancelByUser");
  repeatPosition(world, account, order);
  return { orderId: order.orderId, orderLinkId: order.orderLinkId };
}

function openOrder(world: World, account: Account, params: Params, missing: string): SimOrder {
  const instrument = instrumentOf(world, requiredText(params, "category"), requiredText(params, "symbol"));
  const orderId = textOf(params, "orderId");
  const orderLinkId = textOf(params, "orderLinkId");
  if (orderId === undefined && orderLinkId === undefined)
    throw invalid("params error: orderId or orderLinkId required");
  const order = account.orders.find(
    (candidate) =>
      candidate.instrument === instrument &&
      isOpen(candidate) &&
      (orderId === undefined ? candidate.orderLinkId === orderLinkId : candidate.orderId === orderId),
  );
  if (order === undefined) throw new Refusal(110001, missing);
  return order;
}

/** The only in-place edit of a Partial leg; the new trigger is judged like a new one. */
function changeTrigger(world: World, order: SimOrder, params: Params): boolean {
  const asked = decimalOf(params, "triggerPrice");
  if (asked === undefined || order.status !== "Untriggered") return false;
  const price = truncate(asked, order.instrument.tickSize);
  const triggerBy = triggerByOf(params, "triggerBy") ?? order.triggerBy ?? "LastPrice";
  if (order.triggerPrice?.eq(price) && order.triggerBy === triggerBy) return false;
  if (order.stopOrderType === "Stop") checkTrigger(world, { ...order, triggerPrice: price, triggerBy });
  else checkExitSide(world, order, price, triggerBy);
  hideChange(world, order);
  order.triggerPrice = price;
  order.triggerBy = triggerBy;
  return true;
}

function checkExitSide(world: World, order: SimOrder, price: Decimal, triggerBy: TriggerBy): void {
  const refusal = wrongSide({
    instrument: order.instrument,
    side: opposite(order.side),
    kind: order.stopOrderType.endsWith("TakeProfit") ? "TakeProfit" : "StopLoss",
    partial: order.tpslMode === "Partial",
    price,
    base: basePrice(pricesOf(world, order.instrument), triggerBy),
    triggerBy,
  });
  if (refusal !== null) throw refusal;
}

function changeAttached(world: World, order: SimOrder, params: Params): boolean {
  const stopLoss = decimalOf(params, "stopLoss");
  const takeProfit = decimalOf(params, "takeProfit");
  if (stopLoss === undefined && takeProfit === undefined) return false;
  if (order.reduceOnly) throw invalid("reduceOnly order can not have takeProfit or stopLoss");
  if (order.filledQty.gt(0)) {
    throw new Refusal(110059, "You can not change take profit and stop loss of a partly filled order.");
  }
  const level = (asked: Decimal | undefined, standing: Decimal | null | undefined): Decimal | null => {
    if (asked === undefined) return standing ?? null;
    return asked.isZero() ? null : truncate(asked, order.instrument.tickSize);
  };
  if (inCallAuction(order.instrument)) {
    throw new Refusal(110099, "You cannot create TP/SL orders during the Call Auction for Pre-Market Perpetuals.");
  }
  const before = order.attached;
  const attached: AttachedExits = {
    stopLoss: level(stopLoss, before?.stopLoss),
    takeProfit: level(takeProfit, before?.takeProfit),
    slTriggerBy: triggerByOf(params, "slTriggerBy") ?? before?.slTriggerBy ?? "LastPrice",
    tpTriggerBy: triggerByOf(params, "tpTriggerBy") ?? before?.tpTriggerBy ?? "LastPrice",
    mode: oneOf(params, "tpslMode", ["Full", "Partial"]) ?? before?.mode ?? "Full",
  };
  if (attachedText(attached) === attachedText(before)) return false;
  order.attached = attached;
  checkAttached(world, order);
  return true;
}

/** Exits that are not there have neither trigger nor mode. */
function attachedText(attached: AttachedExits | null): string {
  if (attached === null) return "";
  const { stopLoss, takeProfit, slTriggerBy, tpTriggerBy, mode } = attached;
  const stop = stopLoss === null ? "" : `stop ${stopLoss.toFixed()} ${slTriggerBy} ${mode} `;
  return takeProfit === null ? stop : `${stop}profit ${takeProfit.toFixed()} ${tpTriggerBy} ${mode}`;
}

function changeQuantity(order: SimOrder, params: Params): boolean {
  const asked = decimalOf(params, "qty");
  if (asked === undefined) return false;
  const quantity = truncate(asked, order.instrument.qtyStep);
  if (quantity.lte(order.filledQty)) throw new Refusal(110064, "The qty should be greater than the filled qty.");
  if (quantity.eq(order.qty)) return false;
  order.qty = quantity;
  return true;
}

/** The new price is judged against the exits attached before this request, even where both change in it. */
function changePrice(world: World, order: SimOrder, params: Params): boolean {
  const asked = decimalOf(params, "price");
  if (asked === undefined || order.price === null) return false;
  const price = truncate(asked, order.instrument.tickSize);
  if (price.isZero() || price.eq(order.price)) return false;
  checkAttached(world, { ...order, price });
  order.price = price;
  return true;
}

function repeatPosition(world: World, account: Account, order: SimOrder): void {
  const leg = account.legs.get(legKey(order.instrument, order.positionIdx));
  if (leg !== undefined) announcePosition(world, account, leg);
}
