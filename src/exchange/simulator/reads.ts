/** What an account may read of its positions, orders, fills and closed profits, with the documented limits. */
import { print } from "../../domain/decimal.js";
import type { Category } from "../../domain/position.js";
import type { FaultTarget } from "./faults.js";
import type { SimInstrument } from "./instruments.js";
import { pageOf, rankIn } from "./paging.js";
import { type Params, limitOf, oneOf, requiredText, textOf, timeOf } from "./parameters.js";
import { invalid, invalidParameter } from "./refusal.js";
import { isVisible, orderRow, positionRow } from "./rows.js";
import {
  type Account,
  DEFAULT_LEVERAGE,
  type Leg,
  type Row,
  type SimOrder,
  type World,
  ZERO,
  hedgeable,
  instrumentOf,
  isOpen,
  legsOf,
  modeOf,
  visibleLeg,
} from "./world.js";

export function listPositions(world: World, account: Account, params: Params): Row {
  const category = requiredCategory(params, ["linear", "inverse", "option"]);
  const limit = limitOf(params, 20, 200);
  if (category === "option") return optionPositions(account);
  const symbol = textOf(params, "symbol");
  const legs =
    symbol === undefined
      ? heldLegs(world, account, category, textOf(params, "settleCoin"))
      : legsShown(world, account, instrumentOf(world, category, symbol));
  const target: FaultTarget = { path: "/v5/position/list", account: account.name };
  const listing = {
    items: legs,
    cursorOf: (leg: Leg) => `${leg.instrument.symbol},${leg.createdAtMs},${leg.rank}`,
    isBehind: (leg: Leg, cursor: string) => leg.rank > rankIn(cursor),
  };
  const page = pageOf(world, listing, limit, textOf(params, "cursor"), target);
  const list = page.items.map((leg) => positionRow(world, account, leg, "rest"));
  return { list, nextPageCursor: page.nextPageCursor, category };
}

/** Only open ones; linear needs a settle coin then (docs/v5/position). */
function heldLegs(world: World, account: Account, category: Category, settleCoin: string | undefined): Leg[] {
  if (category === "linear" && settleCoin === undefined) throw invalid("params error: symbol or settleCoin required");
  return [...account.legs.values()]
    .filter((leg) => leg.instrument.category === category && visibleLeg(world, leg).size.gt(0))
    .filter((leg) => settleCoin === undefined || leg.instrument.settleCoin === settleCoin)
    .sort((one, other) => one.rank - other.rank);
}

/** By symbol flat legs show too; the two of hedge mode come in no guaranteed order. */
function legsShown(world: World, account: Account, instrument: SimInstrument): Leg[] {
  const known = legsOf(account, instrument);
  const wanted = modeOf(account, instrument) === "hedge" ? ([1, 2] as const) : ([0] as const);
  return world.random.shuffle(
    wanted.map((idx) => known.find((leg) => leg.positionIdx === idx) ?? untraded(instrument, idx)),
  );
}

/** A row for a symbol that was never traded: sequence -1. */
function untraded(instrument: SimInstrument, positionIdx: 0 | 1 | 2): Leg {
  return {
    rank: 0,
    instrument,
    positionIdx,
    side: "",
    size: ZERO,
    entryPrice: ZERO,
    leverage: DEFAULT_LEVERAGE,
    liquidation: null,
    status: "Normal",
    currentRealised: ZERO,
    cumulativeRealised: ZERO,
    seq: -1,
    createdAtMs: 0,
    openedAtMs: 0,
    updatedAtMs: 0,
    lag: null,
  };
}

function optionPositions(account: Account): Row {
  const list = Array.from({ length: account.optionPositions }, (_, index) => ({
    symbol: `BTC-25DEC26-${70_000 + index * 1000}-C-USDT`,
    positionIdx: 0,
    side: "Buy",
    size: "0.1",
    avgPrice: "1200",
    markPrice: "1250",
    stopLoss: "",
    takeProfit: "",
    positionStatus: "Normal",
  }));
  return { list, nextPageCursor: "", category: "option" };
}

/** GET /v5/order/realtime: newest first. */
export function listOpenOrders(world: World, account: Account, params: Params): Row {
  const category = requiredCategory(params, ["linear", "inverse", "option", "spot"]);
  if (category === "linear" && !["symbol", "settleCoin", "baseCoin"].some((name) => textOf(params, name))) {
    throw invalid("params error: symbol or settleCoin or baseCoin required");
  }
  const wantsClosed = textOf(params, "openOnly") === "1";
  const orders = matchingOrders(account, category, params).filter(
    (order) => isOpen(order) !== wantsClosed && isVisible(world, order),
  );
  const recent = wantsClosed ? orders.slice(0, 500) : orders;
  return orderPage(world, account, params, category, recent, "/v5/order/realtime");
}

export function listClosedOrders(world: World, account: Account, params: Params): Row {
  const category = requiredCategory(params, ["linear", "inverse", "option", "spot"]);
  const orders = matchingOrders(account, category, params).filter((order) => !isOpen(order));
  return orderPage(world, account, params, category, orders, "/v5/order/history");
}

function matchingOrders(account: Account, category: string, params: Params): SimOrder[] {
  const orderId = textOf(params, "orderId");
  const orderLinkId = textOf(params, "orderLinkId");
  const symbol = textOf(params, "symbol");
  const settleCoin = textOf(params, "settleCoin");
  const baseCoin = textOf(params, "baseCoin");
  const filter = oneOf(params, "orderFilter", ["Order", "StopOrder"]);
  return account.orders
    .filter(({ instrument }) => instrument.category === category)
    .filter((order) => orderId === undefined || order.orderId === orderId)
    .filter((order) => orderLinkId === undefined || order.orderLinkId === orderLinkId)
    .filter(({ instrument }) => symbol === undefined || instrument.symbol === symbol)
    .filter(({ instrument }) => settleCoin === undefined || instrument.settleCoin === settleCoin)
    .filter(({ instrument }) => baseCoin === undefined || instrument.baseCoin === baseCoin)
    .filter((order) => filter === undefined || (filter === "StopOrder") === (order.status === "Untriggered"))
    .sort((one, other) => other.createdAtMs - one.createdAtMs || other.rank - one.rank);
}

function orderPage(
  world: World,
  account: Account,
  params: Params,
  category: string,
  orders: readonly SimOrder[],
  path: string,
): Row {
  const listing = {
    items: orders,
    cursorOf: (order: SimOrder) => `page_args=${order.orderId}&rank=${order.rank}&`,
    isBehind: (order: SimOrder, cursor: string) => order.rank < rankIn(cursor),
  };
  const target: FaultTarget = { path, account: account.name };
  const page = pageOf(world, listing, limitOf(params, 20, 50), textOf(params, "cursor"), target);
  const list = page.items.map((order) => orderRow(world, account, order, "rest"));
  return { list, nextPageCursor: page.nextPageCursor, category };
}

/** GET /v5/execution/list: newest first. */
export function listExecutions(world: World, account: Account, params: Params): Row {
  return recordPage(world, account, params, account.executions, "/v5/execution/list");
}

/** GET /v5/position/closed-pnl: newest first. */
export function listClosedPnl(world: World, account: Account, params: Params): Row {
  return recordPage(world, account, params, account.closedPnl, "/v5/position/closed-pnl");
}

function recordPage(world: World, account: Account, params: Params, records: readonly Row[], path: string): Row {
  const category = requiredCategory(params, ["linear", "inverse", "option", "spot"]);
  const symbol = textOf(params, "symbol");
  const isInTime = timeWindow(world, account, params);
  const numbered = records.map((row, index) => ({ row, rank: index + 1 })).toReversed();
  const listing = {
    items: numbered
      .filter(({ row }) => row["category"] === category && (symbol === undefined || row["symbol"] === symbol))
      .filter(({ row }) => isInTime(Number(row["execTime"] ?? row["updatedTime"]))),
    cursorOf: ({ rank }: { rank: number }) => `${category}:${rank}`,
    isBehind: ({ rank }: { rank: number }, cursor: string) => rank < rankIn(cursor),
  };
  const limit = limitOf(params, path === "/v5/execution/list" ? 50 : 20, 100);
  const page = pageOf(world, listing, limit, textOf(params, "cursor"), { path, account: account.name });
  return { list: page.items.map(({ row }) => row), nextPageCursor: page.nextPageCursor, category };
}

const WINDOW_MS = 7 * 24 * 3_600_000;

/** docs/v5/order/execution: seven days at most, and the last seven where no time is named. */
function timeWindow(world: World, account: Account, params: Params): (atMs: number) => boolean {
  const start = timeOf(params, "startTime");
  const end = timeOf(params, "endTime");
  const fromMs = start ?? (end ?? world.now()) - WINDOW_MS;
  const untilMs = end ?? fromMs + WINDOW_MS;
  if (untilMs < fromMs) throw invalid("params error: startTime must not be after endTime");
  if (untilMs - fromMs > WINDOW_MS) throw invalid("params error: the time range must not exceed 7 days");
  const keptFromMs = account.fillsKeptMs === null ? Number.NEGATIVE_INFINITY : world.now() - account.fillsKeptMs;
  return (atMs) => atMs >= Math.max(fromMs, keptFromMs) && atMs <= untilMs;
}

/** GET /v5/position/symbol-info: leverage and position mode, also without a position. */
export function listSymbolInfo(world: World, account: Account, params: Params): Row {
  const category = requiredCategory(params, ["linear", "inverse"]);
  if (account.marginMode === "PORTFOLIO_MARGIN") throw invalid("params error: not supported in portfolio margin");
  const symbol = textOf(params, "symbol");
  const instruments = [...world.instruments.values()].filter(
    (instrument) => instrument.category === category && (symbol === undefined || instrument.symbol === symbol),
  );
  const list = instruments.flatMap((instrument) => {
    const hedge = hedgeable(instrument) && modeOf(account, instrument) === "hedge";
    const indices = hedge ? [1, 2] : [0];
    const leverage = print(legsOf(account, instrument)[0]?.leverage ?? DEFAULT_LEVERAGE);
    return indices.map((positionIdx) => ({ symbol: instrument.symbol, positionIdx, leverage }));
  });
  return { list, nextPageCursor: "", category };
}

function requiredCategory<T extends string>(params: Params, allowed: readonly T[]): T {
  requiredText(params, "category");
  const category = oneOf(params, "category", allowed);
  if (category === undefined) throw invalidParameter("category");
  return category;
}
