/** A scripted exchange behind nock: what it was asked, and what it answers. */
import nock from "nock";
import { vi } from "vitest";
import { type BybitConnection, type BybitSession, connectBybit } from "../../src/exchange/bybit/index.js";
import { ExchangeFailure } from "../../src/exchange/failure.js";

export const HOST = "http://exchange.test";
export const KEY = "CANARYKEY7f3a9c";
export const SECRET = "CANARYSECRETd41d8cd98f00b204";

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly atMs: number;
}

export interface Told {
  readonly status?: number;
  readonly body: unknown;
  readonly headers?: Record<string, string>;
}

type Answering = (asked: Asked) => Told | Promise<Told>;

export interface Venue {
  readonly asked: Asked[];
  /** False: the lists of USDC positions and their orders, which are always asked for, fail as the others do, else are empty; and are not written down. */
  tellsOfUsdc: boolean;
  answers(path: string, answering: Answering): void;
  /** Every request to this path fails below HTTP. */
  breaks(method: "GET" | "POST", path: string, code: string, more?: object): void;
  asks(path: string): readonly Asked[];
}

/** Starts with a quiet exchange: one linear and one inverse contract, no positions. */
export function openVenue(): Venue {
  const asked: Asked[] = [];
  const routes = new Map<string, Answering>([
    ["/v5/market/instruments-info", ({ query }) => ok({ list: instruments(query["category"] ?? "", query) })],
    ["/v5/account/info", () => ok({ marginMode: "REGULAR_MARGIN", isMasterTrader: false })],
    ["/v5/position/list", ({ query }) => ok(page(query["category"], []))],
    ["/v5/order/realtime", ({ query }) => ok(page(query["category"], []))],
    [
      "/v5/market/tickers",
      ({ query }) => ok({ category: query["category"], list: [ticker("BTCUSDT"), ticker("BTCUSD")] }),
    ],
    ["/v5/market/time", () => ok({ timeSecond: "1", timeNano: "1" })],
    ["/v5/position/trading-stop", () => ok({})],
    ["/v5/order/amend", () => ok({ orderId: "1", orderLinkId: "" })],
    ["/v5/order/create", () => ok({ orderId: "1", orderLinkId: "" })],
  ]);
  const reply = (method: string) =>
    async function (this: nock.ReplyFnContext, uri: string, body: nock.Body): Promise<nock.ReplyFnResult> {
      const url = new URL(uri, HOST);
      const text = typeof body === "string" ? body : JSON.stringify(body);
      const headers: Record<string, string> = {};
      for (const [name, value] of Object.entries(this.req.headers)) headers[name] = value;
      const seen: Asked = {
        method,
        path: url.pathname,
        query: Object.fromEntries(url.searchParams),
        body: text,
        headers,
        atMs: Date.now(),
      };
      const isUsdc = LISTS.includes(seen.path) && seen.query["settleCoin"] === "USDC";
      const isSilent = isUsdc && !venue.tellsOfUsdc;
      if (!isSilent) asked.push(seen);
      const answer = (await routes.get(url.pathname)?.(seen)) ?? { status: 404, body: "" };
      const told = isSilent && listsRows(answer) ? withoutRows(answer) : answer;
      const payload = typeof told.body === "string" ? told.body : JSON.stringify(told.body);
      return [told.status ?? 200, payload, { "content-type": "application/json", ...told.headers }];
    };
  nock(HOST).persist().get(/.*/).reply(reply("GET"));
  nock(HOST).persist().post(/.*/).reply(reply("POST"));
  const venue: Venue = {
    asked,
    tellsOfUsdc: false,
    answers: (path, answering) => void routes.set(path, answering),
    breaks: (method, path, code, more = {}) => {
      const others = nock.pendingMocks();
      nock.cleanAll();
      const error = Object.assign(new Error(`${code} ${SECRET}`), { code, ...more });
      const match = (uri: string): boolean => uri.startsWith(path);
      nock(HOST).persist()[method === "GET" ? "get" : "post"](match).replyWithError(error);
      if (others.length > 0) {
        nock(HOST).persist().get(/.*/).reply(reply("GET"));
        nock(HOST).persist().post(/.*/).reply(reply("POST"));
      }
    },
    asks: (path) => asked.filter((each) => each.path === path),
  };
  return venue;
}

const LISTS = ["/v5/position/list", "/v5/order/realtime"];

/** The same answer, its time included, with an empty list. */
function withoutRows({ body, ...told }: Told): Told {
  return { ...told, body: { ...(body as object), result: page("linear", []) } };
}

function listsRows({ status = 200, body }: Told): boolean {
  const text = JSON.stringify(body) ?? "";
  return status === 200 && text.includes('"retCode":0') && text.includes('"category":"linear"');
}

export function ok(result: unknown, more: object = {}): Told {
  return { body: { retCode: 0, retMsg: "OK", result, retExtInfo: {}, time: Date.now(), ...more } };
}

export function refusal(retCode: number, retMsg: string, headers: Record<string, string> = {}): Told {
  return { body: { retCode, retMsg, result: {}, retExtInfo: {}, time: Date.now() }, headers };
}

/** The answer that never comes. */
export const NEVER = new Promise<Told>(() => undefined);

/** The answer that takes so long. */
export function after(ms: number, told: () => Told): Promise<Told> {
  return new Promise((resolve) => setTimeout(() => resolve(told()), ms));
}

export function page(category: string | undefined, list: readonly unknown[], nextPageCursor = ""): object {
  return { category, list, nextPageCursor };
}

export function position(over: object = {}): Record<string, unknown> {
  return {
    positionIdx: 0,
    riskId: 1,
    symbol: "BTCUSDT",
    side: "Buy",
    size: "0.5",
    avgPrice: "50000",
    markPrice: "50100",
    liqPrice: "",
    leverage: "10",
    positionStatus: "Normal",
    tpslMode: "Full",
    takeProfit: "",
    stopLoss: "49000",
    trailingStop: "0",
    openTime: 1700000000123,
    createdTime: "1676538056258",
    updatedTime: "1697673600012",
    seq: 102138292079,
    ...over,
  };
}

export function order(over: object = {}): Record<string, unknown> {
  return {
    orderId: "sl-1",
    orderLinkId: "",
    symbol: "BTCUSDT",
    positionIdx: 0,
    side: "Sell",
    orderType: "Market",
    orderStatus: "Untriggered",
    stopOrderType: "StopLoss",
    createType: "CreateByStopLoss",
    price: "0",
    qty: "0.5",
    leavesQty: "0.5",
    cumExecQty: "0",
    triggerPrice: "49000",
    triggerBy: "MarkPrice",
    triggerDirection: 2,
    reduceOnly: true,
    closeOnTrigger: true,
    takeProfit: "",
    stopLoss: "",
    createdTime: "1672364262444",
    updatedTime: "1672364262457",
    ...over,
  };
}

export function ticker(symbol: string): object {
  return { symbol, lastPrice: "50110", indexPrice: "50090", markPrice: "50100", curPreListingPhase: "" };
}

export function instrument(symbol: string, over: object = {}): object {
  return {
    symbol,
    contractType: "LinearPerpetual",
    status: "Trading",
    baseCoin: "BTC",
    quoteCoin: "USDT",
    settleCoin: "USDT",
    deliveryTime: "0",
    priceFilter: { minPrice: "0.1", maxPrice: "1999999.8", tickSize: "0.1" },
    lotSizeFilter: { qtyStep: "0.001", maxMktOrderQty: "100" },
    preListingInfo: null,
    ...over,
  };
}

function instruments(category: string, query: Readonly<Record<string, string>>): readonly object[] {
  if (query["status"] !== undefined) return [];
  const inverse = { quoteCoin: "USD", settleCoin: "BTC", contractType: "InversePerpetual" };
  const listed = category === "inverse" ? [instrument("BTCUSD", inverse)] : [instrument("BTCUSDT")];
  return listed;
}

export function connect(over: Partial<BybitConnection> = {}): BybitSession {
  return connectBybit({
    account: "main",
    environment: "custom",
    region: "default",
    restUrl: HOST,
    key: KEY,
    secret: SECRET,
    categories: ["linear"],
    budget: { writesPerSecond: 9, ipShare: 0.5 },
    clock: { now: () => Date.now(), monotonicMs: () => performance.now(), steadyMs: () => Date.now() },
    ...over,
  });
}

/** Time stands still except in `settled`; sockets and promises go on as ever. */
export function holdTime(): void {
  vi.useFakeTimers({
    now: new Date("2026-01-01T00:00:00Z"),
    toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date", "performance"],
  });
}

const realTimeout = globalThis.setTimeout;

/** Lets time pass, far faster than it does, until the promise has settled; real work gets a turn between steps. */
export async function settled<T>(work: Promise<T>): Promise<T> {
  const finished = work.then(
    () => true,
    () => true,
  );
  const turn = (): Promise<boolean> => new Promise((resolve) => realTimeout(() => resolve(false), 1));
  while (!(await Promise.race([finished, turn()]))) await vi.advanceTimersByTimeAsync(20);
  return work;
}

/** So much time passes, while whatever was asked is answered. */
export function timePasses(ms: number): Promise<void> {
  return settled(new Promise((resolve) => setTimeout(resolve, ms)));
}

export async function failureOf(work: Promise<unknown>): Promise<ExchangeFailure> {
  const error = await settled(work).then(
    () => new Error("nothing failed"),
    (reason: unknown) => reason,
  );
  if (error instanceof ExchangeFailure) return error;
  throw error;
}

/** No network, a held clock, a quiet exchange, and a connection to it. */
export function openStage(): { readonly venue: Venue; readonly session: BybitSession } {
  nock.disableNetConnect();
  holdTime();
  return { venue: openVenue(), session: connect() };
}

export async function closeStage(session: BybitSession): Promise<void> {
  await settled(session.close());
  nock.cleanAll();
  nock.enableNetConnect();
  vi.useRealTimers();
}
