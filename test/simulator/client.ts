/** A model of the simulated exchange under a hand-held clock, and signed requests to it without any socket. */
import {
  createExchange,
  type ModelOptions,
  type Push,
  type Reply,
  type SimulatedExchange,
  sign,
  signatureText,
} from "../../src/exchange/simulator/index.js";

export const KEY = "testkey";
export const SECRET = "testsecret";

/** Rows as a stranger reads them; the few fields that are no strings are compared as they come. */
export type Row = Record<string, string>;
export type Result = { list: Row[]; nextPageCursor: string } & Record<string, unknown>;

export interface Answer {
  retCode: number;
  retMsg: string;
  result: Result;
  time: number;
  headers: Record<string, unknown>;
}

export interface Bench {
  exchange: SimulatedExchange;
  clock: { nowMs: number };
  pushes: Push[];
  get(path: string, params?: Record<string, string>): Answer;
  post(path: string, body: object): Answer;
  tradingStop(body: object): Answer;
  position(symbol: string, positionIdx?: number): Row;
  orders(symbol: string): Row[];
}

export function bench(options: Partial<ModelOptions> = {}): Bench {
  const clock = { nowMs: 1_700_000_000_000 };
  const accounts = [{ name: "main", key: KEY, secret: SECRET }];
  const exchange = createExchange({ now: () => clock.nowMs, seed: 7, accounts, rateLimits: false, ...options });
  const pushes: Push[] = [];
  exchange.onPush((push) => pushes.push(push));
  const get: Bench["get"] = (path, params = {}) =>
    read(exchange.handle(signedRequest(clock.nowMs, "GET", path, new URLSearchParams(params).toString())));
  const post: Bench["post"] = (path, body) =>
    read(exchange.handle(signedRequest(clock.nowMs, "POST", path, JSON.stringify(body))));
  const categoryOf = (symbol: string): string => (symbol.endsWith("USD") ? "inverse" : "linear");
  return {
    exchange,
    clock,
    pushes,
    get,
    post,
    tradingStop: (body) =>
      post("/v5/position/trading-stop", {
        category: "linear",
        symbol: "BTCUSDT",
        tpslMode: "Full",
        positionIdx: 0,
        ...body,
      }),
    position(symbol, positionIdx = 0) {
      const rows = get("/v5/position/list", { category: categoryOf(symbol), symbol }).result.list;
      const found = rows.find((row) => Number(row["positionIdx"]) === positionIdx);
      if (found === undefined) throw new Error(`no row ${symbol} ${positionIdx}`);
      return found;
    },
    orders: (symbol) => get("/v5/order/realtime", { category: categoryOf(symbol), symbol, limit: "50" }).result.list,
  };
}

export function signedRequest(
  timestampMs: number,
  method: string,
  path: string,
  payload: string,
  extra: Record<string, string> = {},
): Parameters<SimulatedExchange["handle"]>[0] {
  const timestamp = String(timestampMs);
  return {
    method,
    path,
    rawQuery: method === "GET" ? payload : "",
    rawBody: method === "GET" ? "" : payload,
    ip: "127.0.0.1",
    headers: {
      "x-bapi-api-key": KEY,
      "x-bapi-timestamp": timestamp,
      "x-bapi-recv-window": "5000",
      "x-bapi-sign": sign(SECRET, signatureText(KEY, timestamp, "5000", payload)),
      ...extra,
    },
  };
}

export function read(reply: Reply): Answer {
  if (reply.kind !== "answer") throw new Error(`no answer but ${reply.kind}`);
  return { ...JSON.parse(reply.body), headers: reply.headers };
}
