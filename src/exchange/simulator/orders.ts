/** POST /v5/order/create: validation as the exchange words it, then resting, waiting for a trigger, or filling at once. */
import type { Decimal } from "../../domain/decimal.js";
import type { TriggerBy } from "../../domain/position.js";
import { announceOrder, announcePosition } from "./events.js";
import { wrongSide } from "./exit-rules.js";
import { attachedLevels } from "./exits.js";
import { endUnfilled, fillOrder, splitQuantity } from "./fills.js";
import { scaledPrice, truncate } from "./formats.js";
import { type SimInstrument, inCallAuction } from "./instruments.js";
import { newOrder } from "./order-record.js";
import {
  type Params,
  decimalOf,
  flagOf,
  oneOf,
  positionIdxOf,
  requiredText,
  textOf,
  triggerByOf,
} from "./parameters.js";
import { Refusal, invalid, invalidParameter } from "./refusal.js";
import { checkMode } from "./trading-stop.js";
import {
  type Account,
  type AttachedExits,
  type SimOrder,
  type World,
  ZERO,
  basePrice,
  instrumentOf,
  isOpen,
  legKey,
  openOrdersOf,
  pricesOf,
} from "./world.js";

const CONDITIONAL_CAP = 10;
const ACTIVE_CAP = 500;

export interface OrderIds {
  readonly [name: string]: unknown;
  readonly orderId: string;
  readonly orderLinkId: string;
}

export function createOrder(world: World, account: Account, params: Params): OrderIds {
  const instrument = instrumentOf(world, requiredText(params, "category"), requiredText(params, "symbol"));
  const order = parseOrder(world, account, instrument, params);
  refuseInAuction(instrument, order);
  checkMode(account, instrument, order.positionIdx);
  checkLink(account, order.orderLinkId);
  checkCaps(account, order);
  checkReducible(account, order);
  checkTrigger(world, order);
  checkAttached(world, order);
  account.orders.push(order);
  announceOrder(world, account, order);
  if (order.status === "New") matchNow(world, account, order);
  const leg = account.legs.get(legKey(instrument, order.positionIdx));
  if (leg !== undefined && isOpen(order)) announcePosition(world, account, leg);
  return { orderId: order.orderId, orderLinkId: order.orderLinkId };
}

/** Market orders fill at the last price; limit orders too where they cross it, otherwise they rest. */
export function matchNow(world: World, account: Account, order: SimOrder): void {
  const { last } = pricesOf(world, order.instrument);
  const crosses = order.price === null || (order.side === "Buy" ? order.price.gte(last) : order.price.lte(last));
  if (crosses && order.timeInForce === "PostOnly") {
    endUnfilled(world, account, order, "UNKNOWN", "EC_PostOnlyWillTakeLiquidity");
  } else if (crosses) {
    fillOrder(world, account, order, last);
  } else if (order.timeInForce === "IOC" || order.timeInForce === "FOK") {
    endUnfilled(world, account, order, "UNKNOWN", "EC_NoImmediateQtyToFill");
  }
}

function parseOrder(world: World, account: Account, instrument: SimInstrument, params: Params): SimOrder {
  const side = oneOf(params, "side", ["Buy", "Sell"]);
  const orderType = oneOf(params, "orderType", ["Market", "Limit"]);
  if (side === undefined) throw invalidParameter("side");
  if (orderType === undefined) throw invalidParameter("orderType");
  const reduceOnly = flagOf(params, "reduceOnly");
  const closeOnTrigger = flagOf(params, "closeOnTrigger");
  const positionIdx = positionIdxOf(params);
  const triggerPrice = decimalOf(params, "triggerPrice");
  const conditional = triggerPrice !== undefined && !triggerPrice.isZero();
  const timeInForce = oneOf(params, "timeInForce", ["GTC", "IOC", "FOK", "PostOnly"]);
  const held = account.legs.get(legKey(instrument, positionIdx))?.size ?? ZERO;
  return newOrder(world, {
    instrument,
    positionIdx,
    side,
    orderType,
    createType: conditional ? "CreateByStopOrder" : "CreateByUser",
    orderLinkId: textOf(params, "orderLinkId") ?? "",
    ...(orderType === "Limit" ? { timeInForce: timeInForce ?? "GTC" } : {}),
    stopOrderType: conditional ? "Stop" : "",
    status: conditional ? "Untriggered" : "New",
    reduceOnly,
    closeOnTrigger,
    price: orderType === "Limit" ? limitPrice(params, instrument) : null,
    qty: quantityOf(params, instrument, reduceOnly && closeOnTrigger ? held : null),
    triggerPrice: conditional ? truncate(triggerPrice, instrument.tickSize) : null,
    triggerBy: conditional ? (triggerByOf(params, "triggerBy") ?? "LastPrice") : null,
    triggerDirection: conditional ? directionOf(params) : 0,
    attached: attachedOf(params, instrument, reduceOnly),
  });
}

function limitPrice(params: Params, instrument: SimInstrument): Decimal {
  const price = truncate(decimalOf(params, "price") ?? ZERO, instrument.tickSize);
  if (price.isZero()) throw invalidParameter("price");
  return price;
}

/** "0" means the whole position, but only for orders that reduce and close on trigger. */
function quantityOf(params: Params, instrument: SimInstrument, whole: Decimal | null): Decimal {
  const asked = decimalOf(params, "qty");
  if (asked === undefined) throw invalidParameter("qty");
  if (asked.isZero() && whole !== null) return whole;
  const quantity = truncate(asked, instrument.qtyStep);
  if (quantity.isZero()) throw invalid("The number of contracts exceeds minimum limit allowed");
  if (quantity.gt(instrument.maxOrderQty)) throw invalid("The number of contracts exceeds maximum limit allowed");
  return quantity;
}

function directionOf(params: Params): 1 | 2 {
  const direction = params["triggerDirection"];
  if (direction !== 1 && direction !== 2) throw invalidParameter("TriggerDirection");
  return direction;
}

function attachedOf(params: Params, instrument: SimInstrument, reduceOnly: boolean): AttachedExits | null {
  const level = (name: string): Decimal | null => {
    const price = decimalOf(params, name);
    return price === undefined || price.isZero() ? null : truncate(price, instrument.tickSize);
  };
  const stopLoss = level("stopLoss");
  const takeProfit = level("takeProfit");
  if (stopLoss === null && takeProfit === null) return null;
  if (reduceOnly) throw invalid("reduceOnly order can not have takeProfit or stopLoss");
  return {
    stopLoss,
    takeProfit,
    slTriggerBy: triggerByOf(params, "slTriggerBy") ?? "LastPrice",
    tpTriggerBy: triggerByOf(params, "tpTriggerBy") ?? "LastPrice",
    mode: oneOf(params, "tpslMode", ["Full", "Partial"]) ?? "Full",
  };
}

/** Docs/v5/error 110095 to 110099: only plain limit orders that stay until cancelled. */
function refuseInAuction(instrument: SimInstrument, order: SimOrder): void {
  const live =
    instrument.status === "Trading" || instrument.status === "Delivering" || instrument.auctionPhase !== null;
  if (!live) throw new Refusal(110074, "This contract is not live");
  if (!inCallAuction(instrument)) return;
  if (order.attached !== null || order.triggerPrice !== null) {
    throw new Refusal(110099, "You cannot create TP/SL orders during the Call Auction for Pre-Market Perpetuals.");
  }
  if (order.orderType !== "Limit" || order.timeInForce !== "GTC") {
    throw new Refusal(110098, "Only Good-Till-Canceled (GTC) orders are supported during Call Auction.");
  }
}

function checkLink(account: Account, orderLinkId: string): void {
  if (orderLinkId === "") return;
  if (!/^[A-Za-z0-9_-]{1,36}$/.test(orderLinkId)) throw invalidParameter("orderLinkId");
  if (account.orders.some((order) => order.orderLinkId === orderLinkId)) {
    throw new Refusal(110072, "OrderLinkedID is duplicate");
  }
}

function checkCaps(account: Account, order: SimOrder): void {
  const open = openOrdersOf(account, order.instrument);
  const waiting = open.filter((other) => other.stopOrderType === "Stop").length;
  if (order.stopOrderType === "Stop" && waiting >= CONDITIONAL_CAP) {
    throw new Refusal(110009, "The number of stop orders exceeds the maximum allowable limit");
  }
  if (order.stopOrderType === "" && open.filter((other) => other.stopOrderType === "").length >= ACTIVE_CAP) {
    throw new Refusal(110020, "Not allowed to have more than 500 active orders.");
  }
}

/** Conditional orders need no position until they trigger. */
function checkReducible(account: Account, order: SimOrder): void {
  if (order.status === "Untriggered") return;
  const leg = account.legs.get(legKey(order.instrument, order.positionIdx));
  const view = leg ?? { side: "" as const, size: ZERO, entryPrice: ZERO, positionIdx: order.positionIdx };
  const [closing, opening] = splitQuantity(view, order);
  if (closing.plus(opening).gt(0)) return;
  const flat = view.size.isZero();
  throw new Refusal(
    110017,
    flat ? "current position is zero, cannot fix reduce-only order qty" : "Reduce-only rule not satisfied",
  );
}

export function checkTrigger(world: World, order: SimOrder): void {
  if (order.triggerPrice === null || order.triggerBy === null) return;
  const base = basePrice(pricesOf(world, order.instrument), order.triggerBy);
  const scaled = (value: Decimal): string => scaledPrice(value, order.instrument);
  const [trigger, current] = [scaled(order.triggerPrice), scaled(base)];
  if (order.triggerDirection === 1 && order.triggerPrice.lte(base)) {
    throw new Refusal(
      110092,
      `expect Rising, but trigger_price[${trigger}] <= current[${current}]??${order.triggerBy}`,
    );
  }
  if (order.triggerDirection === 2 && order.triggerPrice.gte(base)) {
    throw new Refusal(
      110093,
      `expect Falling, but trigger_price[${trigger}] >= current[${current}]??${order.triggerBy}`,
    );
  }
}

/** Against the order's own limit price, else its trigger price, else the current one. */
export function checkAttached(world: World, order: SimOrder): void {
  const { attached, instrument, side } = order;
  if (attached === null) return;
  const current = (triggerBy: TriggerBy): Decimal =>
    order.price ?? order.triggerPrice ?? basePrice(pricesOf(world, instrument), triggerBy);
  for (const level of attachedLevels(attached)) {
    const base = current(level.triggerBy);
    const refusal = wrongSide({ instrument, side, base, ...level, partial: attached.mode === "Partial" });
    if (refusal !== null) throw refusal;
  }
}
