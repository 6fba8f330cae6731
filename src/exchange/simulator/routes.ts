/** Which method and path answers with what. */
import { accountInfo, disconnectInfo, keyFacts, switchMode, walletBalance } from "./account-reads.js";
import { amendOrder, cancelByRequest } from "./amends.js";
import { listInstruments, listTickers, serverTime } from "./market-reads.js";
import { createOrder } from "./orders.js";
import type { Params } from "./parameters.js";
import {
  listClosedOrders,
  listClosedPnl,
  listExecutions,
  listOpenOrders,
  listPositions,
  listSymbolInfo,
} from "./reads.js";
import { tradingStop } from "./trading-stop.js";
import type { Account, Row, World } from "./world.js";

export type Route =
  | { readonly access: "public"; readonly run: (world: World, params: Params) => Row }
  | { readonly access: "signed"; readonly run: (world: World, account: Account, params: Params) => Row };

const open = (run: (world: World, params: Params) => Row): Route => ({ access: "public", run });
const signed = (run: (world: World, account: Account, params: Params) => Row): Route => ({ access: "signed", run });

export const ROUTES: ReadonlyMap<string, Route> = new Map([
  ["GET /v5/market/time", open(serverTime)],
  ["GET /v5/market/instruments-info", open(listInstruments)],
  ["GET /v5/market/tickers", open(listTickers)],
  ["GET /v5/position/list", signed(listPositions)],
  ["GET /v5/position/symbol-info", signed(listSymbolInfo)],
  ["GET /v5/position/closed-pnl", signed(listClosedPnl)],
  ["GET /v5/order/realtime", signed(listOpenOrders)],
  ["GET /v5/order/history", signed(listClosedOrders)],
  ["GET /v5/execution/list", signed(listExecutions)],
  ["GET /v5/account/info", signed((_world, account) => accountInfo(account))],
  ["GET /v5/account/query-dcp-info", signed((_world, account) => disconnectInfo(account))],
  ["GET /v5/account/wallet-balance", signed(walletBalance)],
  ["GET /v5/user/query-api", signed((_world, account) => keyFacts(account))],
  ["POST /v5/position/trading-stop", signed(tradingStop)],
  ["POST /v5/position/switch-mode", signed(switchMode)],
  ["POST /v5/order/create", signed(createOrder)],
  ["POST /v5/order/amend", signed(amendOrder)],
  ["POST /v5/order/cancel", signed(cancelByRequest)],
]);
