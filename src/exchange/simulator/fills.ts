/** What a fill does: netting into the leg, realised profit, exits that come and go with the position. */
import { type Decimal, minOf } from "../../domain/decimal.js";
import { announceExecution, announceOrder, announcePosition } from "./events.js";
import { bringExits, cancelOrder, exitsOf, followSize } from "./exits.js";
import { truncate } from "./formats.js";
import { newOrder } from "./order-record.js";
import { type ExecType, type FillFacts, closedPnlRow, executionRow } from "./rows.js";
import { averageEntry, profit, valueOf } from "./valuation.js";
import {
  type Account,
  type Leg,
  type LegView,
  type SimOrder,
  type WireSide,
  type World,
  ZERO,
  legFor,
  openOrdersOf,
} from "./world.js";

export interface FillOptions {
  readonly isMaker?: boolean;
  readonly execType?: ExecType;
  /** Why the exits go when the position closes. */
  readonly clearedBy?: string;
  /** Fills whole, however thin the book is. */
  readonly ignoresBook?: boolean;
}

/** How much of the order would reduce the leg, and how much would open or grow it. */
export function splitQuantity(leg: LegView & Pick<Leg, "positionIdx">, order: SimOrder): [Decimal, Decimal] {
  const quantity = order.qty.minus(order.filledQty);
  const reduces = leg.positionIdx === 0 ? leg.side !== "" && leg.side !== order.side : order.side !== legSide(leg);
  if (!reduces) return [ZERO, order.reduceOnly ? ZERO : quantity];
  const closing = minOf(quantity, leg.size);
  const opens = leg.positionIdx === 0 && !order.reduceOnly;
  return [closing, opens ? quantity.minus(closing) : ZERO];
}

const legSide = (leg: Pick<Leg, "positionIdx">): WireSide => (leg.positionIdx === 2 ? "Sell" : "Buy");

/** Fills what can be filled of an order at one price; what cannot is cancelled. */
export function fillOrder(
  world: World,
  account: Account,
  order: SimOrder,
  price: Decimal,
  options: FillOptions = {},
): void {
  const leg = legFor(world, account, order.instrument, order.positionIdx);
  const wanted = splitQuantity(leg, order);
  const [closing, opening] = limitToLiquidity(world, order, wanted, options);
  if (closing.plus(opening).isZero()) {
    const cancelType = order.reduceOnly ? "CancelByReduceOnly" : "UNKNOWN";
    endUnfilled(world, account, order, cancelType, "EC_NoImmediateQtyToFill");
    return;
  }
  // What may only reduce is cut to the position.
  order.qty = order.filledQty.plus(wanted[0]).plus(wanted[1]);
  rememberView(world, leg);
  world.seq += 1;
  leg.seq = world.seq;
  const atMs = world.now();
  leg.updatedAtMs = atMs + world.random.between(1, 10);
  const realised = closing.isZero() ? ZERO : reduce(account, leg, closing, price);
  takeFill(order, closing.plus(opening), price);
  const facts: FillFacts = {
    order,
    quantity: closing.plus(opening),
    price,
    closedQuantity: closing,
    realised,
    isMaker: options.isMaker ?? false,
    execType: options.execType ?? "Trade",
    atMs,
  };
  announceOrder(world, account, order);
  recordFill(world, account, leg, facts);
  if (closing.gt(0) && leg.size.isZero()) goFlat(world, account, leg, options.clearedBy ?? "CancelByTpSlTsClear");
  if (opening.gt(0)) grow(world, account, leg, order, opening, price);
  followSize(world, account, leg);
  if (order.status === "PartiallyFilled" && order.timeInForce === "IOC") {
    endUnfilled(world, account, order, "UNKNOWN", "EC_NoImmediateQtyToFill");
  }
  announcePosition(world, account, leg);
}

function reduce(account: Account, leg: Leg, quantity: Decimal, price: Decimal): Decimal {
  const { instrument } = leg;
  const realised = profit(instrument, leg.side === "Buy" ? "Buy" : "Sell", leg.entryPrice, price, quantity);
  leg.size = leg.size.minus(quantity);
  leg.currentRealised = leg.currentRealised.plus(realised);
  leg.cumulativeRealised = leg.cumulativeRealised.plus(realised);
  const coin = instrument.settleCoin;
  account.balances.set(coin, (account.balances.get(coin) ?? ZERO).plus(realised));
  account.realised.set(coin, (account.realised.get(coin) ?? ZERO).plus(realised));
  return realised;
}

function takeFill(order: SimOrder, quantity: Decimal, price: Decimal): void {
  order.filledQty = order.filledQty.plus(quantity);
  order.filledValue = order.filledValue.plus(valueOf(order.instrument, quantity, price));
  order.status = order.filledQty.gte(order.qty) ? "Filled" : "PartiallyFilled";
}

function recordFill(world: World, account: Account, leg: Leg, facts: FillFacts): void {
  const row = executionRow(world, facts);
  account.executions.push(row);
  announceExecution(world, account, leg.instrument, row);
  if (facts.closedQuantity.gt(0)) account.closedPnl.push(closedPnlRow(leg, leg.entryPrice, facts));
}

function goFlat(world: World, account: Account, leg: Leg, clearedBy: string): void {
  for (const exit of exitsOf(account, leg)) cancelOrder(world, account, exit, clearedBy);
  const resting = openOrdersOf(account, leg.instrument).filter(
    (order) => order.positionIdx === leg.positionIdx && order.status !== "Untriggered" && order.reduceOnly,
  );
  for (const order of resting) cancelOrder(world, account, order, "CancelByReduceOnly");
  leg.side = "";
  leg.size = ZERO;
  leg.entryPrice = ZERO;
  leg.liquidation = "estimate";
  leg.status = "Normal";
  leg.openedAtMs = 0;
}

function grow(world: World, account: Account, leg: Leg, order: SimOrder, quantity: Decimal, price: Decimal): void {
  const fresh = leg.size.isZero();
  leg.entryPrice = averageEntry(leg.instrument, leg, quantity, price);
  leg.side = order.side;
  leg.size = leg.size.plus(quantity);
  if (fresh) {
    leg.openedAtMs = world.now();
    leg.currentRealised = ZERO;
  }
  bringExits(world, account, leg, order, quantity);
}

/** A thin book: market orders find only a share of their quantity (`setLiquidity`). */
function limitToLiquidity(
  world: World,
  order: SimOrder,
  [closing, opening]: [Decimal, Decimal],
  options: FillOptions,
): [Decimal, Decimal] {
  const share = world.liquidity.get(order.instrument.symbol);
  if (share === undefined || options.isMaker || options.ignoresBook || (options.execType ?? "Trade") !== "Trade")
    return [closing, opening];
  const found = truncate(closing.plus(opening).times(share), order.instrument.qtyStep);
  const closed = minOf(closing, found);
  return [closed, found.minus(closed)];
}

export function endUnfilled(
  world: World,
  account: Account,
  order: SimOrder,
  cancelType: string,
  rejectReason: string,
): void {
  order.status = "Cancelled";
  order.cancelType = cancelType;
  order.rejectReason = rejectReason;
  announceOrder(world, account, order);
}

function rememberView(world: World, leg: Leg): void {
  const { fillToPositionMs } = world.lags;
  if (fillToPositionMs === 0) return;
  const pending = leg.lag !== null && world.now() < leg.lag.untilMs ? leg.lag : leg;
  const { side, size, entryPrice } = pending;
  leg.lag = { side, size, entryPrice, untilMs: world.now() + fillToPositionMs };
}

/** The exchange takes the position over at its liquidation price; before that every order of the leg goes. */
export function liquidate(world: World, account: Account, leg: Leg, price: Decimal): void {
  leg.status = "Liq";
  announcePosition(world, account, leg);
  const orders = openOrdersOf(account, leg.instrument).filter((order) => order.positionIdx === leg.positionIdx);
  for (const order of orders) cancelOrder(world, account, order, "CancelAllBeforeLiq");
  const takeover = marketOrder(world, leg, "CreateByLiq");
  account.orders.push(takeover);
  fillOrder(world, account, takeover, price, { execType: "BustTrade", clearedBy: "CancelAllBeforeLiq" });
}

/** A reduce-only market order for the whole leg that no user sent. */
export function marketOrder(world: World, leg: Leg, createType: string): SimOrder {
  const side = leg.side === "Buy" ? "Sell" : "Buy";
  const { instrument, positionIdx, size: qty } = leg;
  return newOrder(world, { instrument, positionIdx, side, qty, orderType: "Market", createType, reduceOnly: true });
}
