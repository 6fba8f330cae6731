/** The whole state as JSON for people and tests: positions, open orders, balances and realised profit per account. */
import { type Decimal, print } from "../../domain/decimal.js";
import { dollarRate, unrealised } from "./account-reads.js";
import { amountText } from "./formats.js";
import { fullExit } from "./rows.js";
import { liquidationPrice, profit } from "./valuation.js";
import { type Account, type Leg, type SimOrder, type World, ZERO, isOpen, pricesOf } from "./world.js";

export interface ExchangeSnapshot {
  readonly atMs: number;
  readonly accounts: readonly AccountSnapshot[];
}

export interface AccountSnapshot {
  readonly name: string;
  /** In US dollars, open profit included. */
  readonly equityUsd: string;
  /** By coin. */
  readonly balances: Readonly<Record<string, string>>;
  readonly realisedPnl: Readonly<Record<string, string>>;
  readonly realisedPnlUsd: string;
  readonly positions: readonly PositionSnapshot[];
  readonly orders: readonly OrderSnapshot[];
}

export interface PositionSnapshot {
  readonly category: string;
  readonly symbol: string;
  readonly positionIdx: number;
  readonly side: "long" | "short";
  readonly size: string;
  readonly entryPrice: string;
  readonly markPrice: string;
  readonly lastPrice: string;
  readonly liquidationPrice: string | null;
  readonly unrealisedPnl: string;
  readonly stopLoss: string | null;
  readonly takeProfit: string | null;
}

export interface OrderSnapshot {
  readonly orderId: string;
  readonly orderLinkId: string;
  readonly category: string;
  readonly symbol: string;
  readonly positionIdx: number;
  readonly side: "Buy" | "Sell";
  readonly orderType: string;
  readonly stopOrderType: string;
  readonly status: string;
  readonly qty: string;
  readonly price: string | null;
  readonly triggerPrice: string | null;
  readonly triggerBy: string | null;
  readonly reduceOnly: boolean;
}

export function snapshotOf(world: World): ExchangeSnapshot {
  return { atMs: world.now(), accounts: [...world.accounts.values()].map((account) => accountState(world, account)) };
}

function accountState(world: World, account: Account): AccountSnapshot {
  const open = unrealised(world, account);
  const inDollars = (amounts: Iterable<readonly [string, Decimal]>): Decimal =>
    [...amounts].reduce((sum, [coin, amount]) => sum.plus(amount.times(dollarRate(world, coin))), ZERO);
  const texts = (amounts: ReadonlyMap<string, Decimal>): Record<string, string> =>
    Object.fromEntries([...amounts].map(([coin, amount]) => [coin, amountText(amount)]));
  return {
    name: account.name,
    equityUsd: amountText(inDollars(account.balances).plus(inDollars(open))),
    balances: texts(account.balances),
    realisedPnl: texts(account.realised),
    realisedPnlUsd: amountText(inDollars(account.realised)),
    positions: [...account.legs.values()].flatMap((leg) => positionState(world, account, leg)),
    orders: account.orders.filter(isOpen).map(orderState),
  };
}

function positionState(world: World, account: Account, leg: Leg): PositionSnapshot[] {
  const { instrument, side } = leg;
  if (side === "" || leg.size.isZero()) return [];
  const { mark, last } = pricesOf(world, instrument);
  return [
    {
      category: instrument.category,
      symbol: instrument.symbol,
      positionIdx: leg.positionIdx,
      side: side === "Buy" ? "long" : "short",
      size: print(leg.size),
      entryPrice: print(leg.entryPrice),
      markPrice: print(mark),
      lastPrice: print(last),
      liquidationPrice: textOrNull(liquidationPrice(account, leg)),
      unrealisedPnl: amountText(profit(instrument, side, leg.entryPrice, mark, leg.size)),
      stopLoss: textOrNull(fullExit(account, leg, "StopLoss")?.triggerPrice),
      takeProfit: textOrNull(fullExit(account, leg, "TakeProfit")?.triggerPrice),
    },
  ];
}

function orderState(order: SimOrder): OrderSnapshot {
  return {
    orderId: order.orderId,
    orderLinkId: order.orderLinkId,
    category: order.instrument.category,
    symbol: order.instrument.symbol,
    positionIdx: order.positionIdx,
    side: order.side,
    orderType: order.orderType,
    stopOrderType: order.stopOrderType,
    status: order.status,
    qty: print(order.qty),
    price: textOrNull(order.price),
    triggerPrice: textOrNull(order.triggerPrice),
    triggerBy: order.triggerBy,
    reduceOnly: order.reduceOnly,
  };
}

const textOrNull = (value: Decimal | null | undefined): string | null =>
  value === null || value === undefined ? null : print(value);
