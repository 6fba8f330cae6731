/** The simulated exchange's whole state as plain data, and the small questions everyone asks of it. */
import { type Decimal, dec } from "../../domain/decimal.js";
import type { Category, PositionIdx, TriggerBy } from "../../domain/position.js";
import type { FaultList } from "./faults.js";
import type { Channel } from "./formats.js";
import type { SimInstrument } from "./instruments.js";
import type { Random } from "./random.js";
import { ControlError, invalidParameter } from "./refusal.js";

export type WireSide = "Buy" | "Sell";
export type TpslMode = "Full" | "Partial";
export type PositionMode = "one-way" | "hedge";
export type MarginModeName = "ISOLATED_MARGIN" | "REGULAR_MARGIN" | "PORTFOLIO_MARGIN";
export type Row = Record<string, unknown>;
export type Topic = "position" | "order" | "execution";

export interface Prices {
  readonly mark: Decimal;
  readonly last: Decimal;
  readonly index: Decimal;
}

/** What a leg looked like before a change that is not yet visible. */
export interface LegView {
  readonly side: WireSide | "";
  readonly size: Decimal;
  readonly entryPrice: Decimal;
}

/** One leg of one contract; it stays when flat, as the exchange's rows do. */
export interface Leg {
  /** Rank in lists and cursors. */
  readonly rank: number;
  readonly instrument: SimInstrument;
  readonly positionIdx: PositionIdx;
  side: WireSide | "";
  size: Decimal;
  entryPrice: Decimal;
  leverage: Decimal;
  /** "estimate": computed from leverage; null: stated as none, and never liquidated. */
  liquidation: Decimal | "estimate" | null;
  status: "Normal" | "Liq";
  currentRealised: Decimal;
  cumulativeRealised: Decimal;
  seq: number;
  readonly createdAtMs: number;
  openedAtMs: number;
  updatedAtMs: number;
  lag: (LegView & { readonly untilMs: number }) | null;
}

export type OrderStatus = "New" | "PartiallyFilled" | "Untriggered" | "Triggered" | "Filled" | "Cancelled" | "Rejected";

/** Exits that an entry order brings along; they come alive when it fills. */
export interface AttachedExits {
  stopLoss: Decimal | null;
  takeProfit: Decimal | null;
  slTriggerBy: TriggerBy;
  tpTriggerBy: TriggerBy;
  readonly mode: TpslMode;
}

export interface SimOrder {
  readonly rank: number;
  readonly orderId: string;
  readonly orderLinkId: string;
  readonly parentOrderLinkId: string;
  readonly instrument: SimInstrument;
  readonly positionIdx: PositionIdx;
  readonly side: WireSide;
  readonly orderType: "Market" | "Limit";
  readonly timeInForce: string;
  /** "" for plain orders. */
  readonly stopOrderType:
    | ""
    | "Stop"
    | "StopLoss"
    | "TakeProfit"
    | "PartialStopLoss"
    | "PartialTakeProfit"
    | "TrailingStop";
  readonly createType: string;
  readonly reduceOnly: boolean;
  readonly closeOnTrigger: boolean;
  readonly tpslMode: TpslMode | "";
  price: Decimal | null;
  qty: Decimal;
  filledQty: Decimal;
  filledValue: Decimal;
  status: OrderStatus;
  triggerPrice: Decimal | null;
  triggerBy: TriggerBy | null;
  readonly triggerDirection: 0 | 1 | 2;
  attached: AttachedExits | null;
  /** Exits made together: the end of one is the end of the other. */
  pairId: string | null;
  trailing: { distance: Decimal; activePrice: Decimal | null; best: Decimal | null } | null;
  cancelType: string;
  rejectReason: string;
  readonly lastPriceOnCreated: Decimal;
  readonly createdAtMs: number;
  updatedAtMs: number;
  visibleAtMs: number;
  /** What reads still show of an amended exit. */
  lag: { readonly untilMs: number; readonly triggerPrice: Decimal | null; readonly triggerBy: TriggerBy | null } | null;
  /** The price move in which a triggered limit order came to rest: the same move cannot fill it. */
  restedInMove: number;
}

export interface Account {
  readonly name: string;
  readonly key: string;
  readonly secret: string;
  permissions: Readonly<Record<string, readonly string[]>>;
  readOnly: boolean;
  /** Empty: bound to no address. */
  ips: readonly string[];
  marginMode: MarginModeName;
  isMasterTrader: boolean;
  /** Disconnect protection for derivatives. */
  dcp: boolean;
  positionMode: PositionMode;
  optionPositions: number;
  /** False: position rows say `openTime: 0`, as they did before 2026-05 and elsewhere still may. */
  statesOpenTime: boolean;
  /** How long fills and closed profits can be asked for; null: for ever. */
  fillsKeptMs: number | null;
  readonly uid: number;
  readonly modes: Map<string, PositionMode>;
  readonly legs: Map<string, Leg>;
  readonly orders: SimOrder[];
  readonly executions: Row[];
  readonly closedPnl: Row[];
  readonly balances: Map<string, Decimal>;
  readonly realised: Map<string, Decimal>;
}

export interface Push {
  readonly account: string;
  readonly category: Category;
  readonly topic: Topic;
  readonly row: Row;
  /** Not before this; later than now where a lag is configured. */
  readonly atMs: number;
}

export interface RowContext {
  readonly kind: "position" | "order" | "instrument" | "ticker";
  readonly account: string | null;
  readonly channel: Channel;
}
export type RowMutation = (row: Row, context: RowContext) => Row;

export interface World {
  readonly now: () => number;
  readonly random: Random;
  readonly lags: { fillToPositionMs: number; stopToVisibleMs: number };
  readonly instruments: Map<string, SimInstrument>;
  readonly prices: Map<string, Prices>;
  /** Share of a market order that finds a counterparty, by symbol; absent: all of it. */
  readonly liquidity: Map<string, Decimal>;
  readonly accounts: Map<string, Account>;
  readonly faults: FaultList;
  readonly outbox: Push[];
  readonly deferred: { readonly atMs: number; readonly run: () => void }[];
  mutation: RowMutation | null;
  rank: number;
  seq: number;
  moves: number;
}

export const ZERO = dec("0");
export const DEFAULT_LEVERAGE = dec("10");

export const instrumentKey = (category: string, symbol: string): string => `${category}/${symbol}`;
export const legKey = (instrument: SimInstrument, positionIdx: PositionIdx): string =>
  `${instrument.category}/${instrument.symbol}/${positionIdx}`;

/** @throws Refusal 10001 as trading-stop words it */
export function instrumentOf(world: World, category: string, symbol: string): SimInstrument {
  const instrument = world.instruments.get(instrumentKey(category, symbol));
  if (instrument === undefined) throw invalidParameter("symbol");
  return instrument;
}

/** For control requests, which name no category. */
export function instrumentBySymbol(world: World, symbol: string): SimInstrument {
  const found = [...world.instruments.values()].find((instrument) => instrument.symbol === symbol);
  if (found === undefined) throw new ControlError(`no contract "${symbol}"`);
  return found;
}

export function pricesOf(world: World, instrument: SimInstrument): Prices {
  const prices = world.prices.get(instrumentKey(instrument.category, instrument.symbol));
  return prices ?? { mark: instrument.startPrice, last: instrument.startPrice, index: instrument.startPrice };
}

export function basePrice(prices: Prices, triggerBy: TriggerBy): Decimal {
  switch (triggerBy) {
    case "MarkPrice":
      return prices.mark;
    case "LastPrice":
      return prices.last;
    case "IndexPrice":
      return prices.index;
  }
}

/** Hedge mode exists for USDT perpetuals only (docs/v5/position/position-mode). */
export const hedgeable = (instrument: SimInstrument): boolean =>
  instrument.contractType === "LinearPerpetual" && instrument.settleCoin === "USDT";

export function modeOf(account: Account, instrument: SimInstrument): PositionMode {
  if (!hedgeable(instrument)) return "one-way";
  return account.modes.get(instrument.symbol) ?? account.positionMode;
}

export function legsOf(account: Account, instrument: SimInstrument): Leg[] {
  return [...account.legs.values()].filter((leg) => leg.instrument === instrument);
}

/** The leg, made on its first trade. */
export function legFor(world: World, account: Account, instrument: SimInstrument, positionIdx: PositionIdx): Leg {
  const key = legKey(instrument, positionIdx);
  const known = account.legs.get(key);
  if (known !== undefined) return known;
  const leg: Leg = {
    rank: ++world.rank,
    instrument,
    positionIdx,
    side: "",
    size: ZERO,
    entryPrice: ZERO,
    leverage: DEFAULT_LEVERAGE,
    liquidation: "estimate",
    status: "Normal",
    currentRealised: ZERO,
    cumulativeRealised: ZERO,
    seq: -1,
    createdAtMs: world.now(),
    openedAtMs: 0,
    updatedAtMs: world.now(),
    lag: null,
  };
  account.legs.set(key, leg);
  return leg;
}

/** The leg as reads and trading-stop see it: a fill becomes visible only after the configured lag. */
export function visibleLeg(world: World, leg: Leg): LegView {
  return leg.lag !== null && world.now() < leg.lag.untilMs ? leg.lag : leg;
}

export const isOpen = (order: SimOrder): boolean =>
  order.status === "New" || order.status === "PartiallyFilled" || order.status === "Untriggered";

export function openOrdersOf(account: Account, instrument: SimInstrument): SimOrder[] {
  return account.orders.filter((order) => order.instrument === instrument && isOpen(order));
}

export const opposite = (side: WireSide): WireSide => (side === "Buy" ? "Sell" : "Buy");

export function accountNamed(world: World, name: string | undefined): Account {
  const account = name === undefined ? [...world.accounts.values()][0] : world.accounts.get(name);
  if (account === undefined) throw new ControlError(`no account "${name ?? ""}"`);
  return account;
}
