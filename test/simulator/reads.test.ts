/** Reads: rows, spellings of no value, page limits and cursors. */
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Bench, bench } from "./client.js";

const LIST = "/v5/position/list";
const REALTIME = "/v5/order/realtime";

function withSynthetics(count: number): Bench {
  const made = bench({ syntheticInstruments: count });
  for (let index = 0; index < count; index += 1) {
    made.exchange.open({ symbol: `SYN${String(index).padStart(4, "0")}USDT`, side: "long", size: "5", stopLoss: "9" });
  }
  return made;
}

/** Follows cursors as bybit-api does: what came in JSON goes out percent-encoded once more. */
function pages({ get }: Bench, path: string, params: Record<string, string>, most = 20): Record<string, string>[][] {
  const found: Record<string, string>[][] = [];
  let cursor = "";
  do {
    const { result } = get(path, cursor === "" ? params : { ...params, cursor });
    found.push(result.list);
    cursor = result.nextPageCursor;
  } while (cursor !== "" && found.length < most);
  return found;
}

describe("position list", () => {
  it("shows twenty rows unless asked, two hundred at most, and every position once over all pages", () => {
    const made = withSynthetics(230);
    const params = { category: "linear", settleCoin: "USDT" };
    expect(made.get(LIST, params).result.list).toHaveLength(20);
    const found = pages(made, LIST, { ...params, limit: "200" });
    expect(found.map((page) => page.length)).toEqual([200, 30]);
    expect(new Set(found.flat().map((row) => row["symbol"])).size).toBe(230);
    expect(made.get(LIST, { ...params, limit: "201" }).retCode).toBe(10001);
  });

  it("keeps its place when a position of an earlier page closes meanwhile", () => {
    const made = withSynthetics(30);
    const params = { category: "linear", settleCoin: "USDT", limit: "10" };
    const first = made.get(LIST, params).result;
    made.exchange.close({ symbol: "SYN0003USDT" });
    const second = made.get(LIST, { ...params, cursor: first.nextPageCursor }).result;
    expect(second.list[0]?.["symbol"]).toBe("SYN0010USDT");
  });

  it("by settle coin holds only what is open, by symbol the flat row too", () => {
    const { exchange, get } = bench();
    exchange.open({ symbol: "BTCPERP", side: "long", size: "0.1" });
    exchange.open({ symbol: "ETHUSDT", side: "short", size: "1" });
    exchange.close({ symbol: "ETHUSDT" });
    const bySettle = (settleCoin: string) =>
      get(LIST, { category: "linear", settleCoin }).result.list.map((row) => row["symbol"]);
    expect(bySettle("USDC")).toEqual(["BTCPERP"]);
    expect(bySettle("USDT")).toEqual([]);
    const flat = get(LIST, { category: "linear", symbol: "ETHUSDT" }).result.list;
    expect(flat).toMatchObject([{ symbol: "ETHUSDT", side: "", size: "0", positionIdx: 0 }]);
    const untraded = get(LIST, { category: "linear", symbol: "SOLUSDT" }).result.list;
    expect(untraded).toMatchObject([{ symbol: "SOLUSDT", seq: -1, size: "0" }]);
  });

  it("of linear contracts wants a symbol or a settle coin; of inverse ones neither", () => {
    const { exchange, get } = bench();
    exchange.open({ symbol: "BTCUSD", side: "short", size: "300" });
    expect(get(LIST, { category: "linear" }).retCode).toBe(10001);
    expect(get(LIST, { category: "inverse" }).result.list).toMatchObject([
      { symbol: "BTCUSD", size: "300", side: "Sell" },
    ]);
  });

  it("in hedge mode has two rows in an order that means nothing", () => {
    const { exchange, get } = bench();
    exchange.open({ symbol: "BTCUSDT", side: "short", size: "0.1", hedge: true });
    const orders = Array.from({ length: 30 }, () =>
      get(LIST, { category: "linear", symbol: "BTCUSDT" })
        .result.list.map((row) => `${row["positionIdx"]}${row["side"]}`)
        .join(" "),
    );
    expect(new Set(orders)).toEqual(new Set(["1 2Sell", "2Sell 1"]));
  });

  it("spells no value in every known way", () => {
    const { exchange, position } = bench();
    exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
    const spellings = Array.from({ length: 60 }, () => position("BTCUSDT")["stopLoss"]);
    expect(new Set(spellings)).toEqual(new Set(["", "0", "0.00", "0.00000"]));
  });

  it("states no liquidation price in portfolio margin, and an estimate inside the leverage's margin otherwise", () => {
    const { exchange, position } = bench();
    exchange.open({ symbol: "ETHUSDT", side: "long", size: "1", entryPrice: "3000", leverage: "10" });
    expect(position("ETHUSDT")["liqPrice"]).toBe("2715.00");
    exchange.setAccount({ marginMode: "PORTFOLIO_MARGIN" });
    expect(position("ETHUSDT")["liqPrice"]).toBe("");
  });

  it("counts option positions that were asked for, and none by default", () => {
    const { exchange, get } = bench();
    expect(get(LIST, { category: "option" }).result.list).toEqual([]);
    exchange.setAccount({ optionPositions: 3 });
    expect(get(LIST, { category: "option" }).result.list).toHaveLength(3);
  });
});

describe("paging as it has misbehaved", () => {
  const params = { category: "linear", settleCoin: "USDT", limit: "10" };

  it("a cursor on the last page can lead to an empty page", () => {
    const made = withSynthetics(20);
    made.exchange.setFault({ kind: "lastCursorEmptyPage", path: LIST });
    expect(pages(made, LIST, params).map((page) => page.length)).toEqual([10, 10, 0]);
  });

  it("or to the same rows again", () => {
    const made = withSynthetics(5);
    made.exchange.setFault({ kind: "lastCursorRepeat", path: LIST, times: 2 });
    const found = pages(made, LIST, params).map((page) => page.map((row) => row["symbol"]));
    expect(found[0]).toHaveLength(5);
    expect(found).toEqual([found[0], found[0], []]);
  });

  it("or a cursor can point at itself", () => {
    const made = withSynthetics(40);
    made.exchange.setFault({ kind: "selfCursor", path: LIST, times: 9 });
    const symbols = pages(made, LIST, params, 4).map((page) => page[0]?.["symbol"]);
    expect(symbols).toEqual(["SYN0000USDT", "SYN0010USDT", "SYN0010USDT", "SYN0010USDT"]);
  });
});

describe("open orders", () => {
  it("come newest first, twenty unless asked, fifty at most", () => {
    const made = withSynthetics(70);
    const params = { category: "linear", settleCoin: "USDT", orderFilter: "StopOrder" };
    expect(made.get(REALTIME, params).result.list).toHaveLength(20);
    expect(made.get(REALTIME, { ...params, limit: "51" }).retCode).toBe(10001);
    const found = pages(made, REALTIME, { ...params, limit: "50" });
    expect(found.map((page) => page.length)).toEqual([50, 20]);
    expect(found[0]?.[0]?.["symbol"]).toBe("SYN0069USDT");
    expect(new Set(found.flat().map((row) => row["orderId"])).size).toBe(70);
  });

  it("are told apart by filter", () => {
    const { exchange, get } = bench();
    exchange.open({ symbol: "ETHUSDT", side: "long", size: "1", stopLoss: "2900" });
    exchange.placeOrder({
      symbol: "ETHUSDT",
      side: "Sell",
      orderType: "Limit",
      qty: "1",
      price: "3500",
      reduceOnly: true,
    });
    const kinds = (orderFilter: string) =>
      get(REALTIME, { category: "linear", symbol: "ETHUSDT", orderFilter }).result.list.map(
        (row) => row["orderStatus"],
      );
    expect(kinds("StopOrder")).toEqual(["Untriggered"]);
    expect(kinds("Order")).toEqual(["New"]);
  });

  it("need a symbol or coin for linear contracts", () => {
    expect(bench().get(REALTIME, { category: "linear" }).retCode).toBe(10001);
  });
});

describe("fills and closed profits", () => {
  const DAY_MS = 24 * 3_600_000;
  const FILLS = "/v5/execution/list";
  const params = { category: "linear", symbol: "ETHUSDT" };

  /** One long of 1, opened and closed on each of so many days, the last one today. */
  function traded(days: number): Bench {
    const made = bench();
    for (let day = 0; day < days; day += 1) {
      if (day > 0) made.clock.nowMs += DAY_MS;
      made.exchange.open({ symbol: "ETHUSDT", side: "long", size: "1" });
      made.exchange.close({ symbol: "ETHUSDT" });
    }
    return made;
  }

  it.each([
    ["the last seven where none is named", () => ({}), 16, 8],
    ["seven from a start", (nowMs: number) => ({ startTime: `${nowMs - 14 * DAY_MS}` }), 16, 8],
    ["seven to an end", (nowMs: number) => ({ endTime: `${nowMs - 10 * DAY_MS}` }), 16, 8],
    [
      "those between both",
      (nowMs: number) => ({ startTime: `${nowMs - 4 * DAY_MS}`, endTime: `${nowMs - 2 * DAY_MS}` }),
      6,
      3,
    ],
  ])("of days: %s", (_what, times, fills, closed) => {
    const made = traded(20);
    const wanted = { ...params, limit: "100", ...times(made.clock.nowMs) };
    expect(made.get(FILLS, wanted).result.list).toHaveLength(fills);
    expect(made.get("/v5/position/closed-pnl", wanted).result.list).toHaveLength(closed);
  });

  it("more than seven days at once, or more than a hundred rows, are refused", () => {
    const { get, clock } = traded(1);
    const tooLong = { startTime: `${clock.nowMs - 8 * DAY_MS}`, endTime: `${clock.nowMs}` };
    expect(get(FILLS, { ...params, ...tooLong }).retCode).toBe(10001);
    expect(get(FILLS, { ...params, startTime: "yesterday" }).retCode).toBe(10001);
    expect(get(FILLS, { ...params, limit: "101" }).retCode).toBe(10001);
  });

  it("come newest first, fifty fills unless asked, and all of a window by its cursor", () => {
    const made = bench();
    for (let index = 0; index < 120; index += 1) {
      made.clock.nowMs += 60_000;
      made.exchange.open({ symbol: "ETHUSDT", side: "long", size: "1" });
    }
    expect(made.get(FILLS, params).result.list).toHaveLength(50);
    const found = pages(made, FILLS, { ...params, limit: "100" }).flat();
    const times = found.map((row) => Number(row["execTime"]));
    expect(times).toHaveLength(120);
    expect(times).toEqual(times.toSorted((one, other) => other - one));
  });

  it("are forgotten, and openings are not stated, where an account is told so", () => {
    const made = traded(3);
    made.exchange.setAccount({ fillsKeptMs: DAY_MS / 2, statesOpenTime: false });
    expect(made.get(FILLS, params).result.list).toHaveLength(2);
    made.exchange.open({ symbol: "ETHUSDT", side: "long", size: "1" });
    expect(made.position("ETHUSDT")["openTime"]).toBe(0);
    made.exchange.setAccount({ fillsKeptMs: null, statesOpenTime: true });
    expect(made.get(FILLS, params).result.list).toHaveLength(7);
    expect(made.position("ETHUSDT")["openTime"]).toBe(made.clock.nowMs);
  });
});

describe("market data", () => {
  it("lists only contracts that trade, unless a status or a symbol is named", () => {
    const { get } = bench();
    const info = (params: Record<string, string>) =>
      get("/v5/market/instruments-info", { category: "linear", ...params }).result.list;
    const listed = info({ limit: "1000" });
    expect(listed.length).toBeGreaterThanOrEqual(60);
    expect(new Set(listed.map((one) => one["status"]))).toEqual(new Set(["Trading"]));
    expect(info({ status: "PreLaunch" }).map((one) => one["symbol"])).toContain("NOVAUSDT");
    expect(info({ status: "Delivering" }).map((one) => one["symbol"])).toEqual(["FADEUSDT"]);
    expect(info({ symbol: "FADEUSDT" })).toMatchObject([{ status: "Delivering" }]);
  });

  it("answers an unknown linear symbol with 10001", () => {
    const { retCode, retMsg } = bench().get("/v5/market/instruments-info", { category: "linear", symbol: "NOSUCH" });
    expect([retCode, retMsg]).toEqual([10001, "params error: symbol invalid"]);
  });

  it("serves all tickers of a category in one answer, at current prices", () => {
    const { exchange, get } = bench();
    exchange.setPrice({ symbol: "ETHUSDT", mark: "3000", last: "3001", index: "2999" });
    const { list } = get("/v5/market/tickers", { category: "linear" }).result;
    const found = list.find((row) => row["symbol"] === "ETHUSDT");
    expect(found).toMatchObject({ markPrice: "3000.00", lastPrice: "3001.00", indexPrice: "2999.00" });
  });

  it("has distinct symbols and ticks that divide every price", () => {
    const { exchange } = bench();
    const all = [...exchange.world.instruments.values()];
    expect(new Set(all.map((one) => one.symbol)).size).toBe(all.length);
    for (const one of all) expect([one.symbol, one.startPrice.mod(one.tickSize).toFixed()]).toEqual([one.symbol, "0"]);
    expect(new Set(all.map((one) => one.settleCoin))).toEqual(
      new Set(["USDT", "USDC", "BTC", "ETH", "SOL", "XRP", "EOS"]),
    );
  });

  it("tells a delisting by its delivery time", () => {
    const { get, clock } = bench();
    const [row] = get("/v5/market/instruments-info", { category: "linear", symbol: "DUSKUSDT" }).result.list;
    expect(row?.["status"]).toBe("Trading");
    expect(Number(row?.["deliveryTime"])).toBeGreaterThan(clock.nowMs);
  });
});

describe("the account", () => {
  it("states margin mode, balances and leverage", () => {
    const { exchange, get } = bench();
    exchange.setAccount({ marginMode: "REGULAR_MARGIN", isMasterTrader: true });
    expect(get("/v5/account/info").result).toMatchObject({ marginMode: "REGULAR_MARGIN", isMasterTrader: true });
    const [wallet] = get("/v5/account/wallet-balance", { accountType: "UNIFIED", coin: "USDT" }).result.list;
    expect(wallet?.["coin"]).toMatchObject([{ coin: "USDT", walletBalance: "100000" }]);
    const info = get("/v5/position/symbol-info", { category: "linear", symbol: "BTCUSDT" }).result.list;
    expect(info).toMatchObject([{ symbol: "BTCUSDT", positionIdx: 0 }]);
  });

  it("switches modes for flat USDT perpetuals only", () => {
    const { exchange, post } = bench();
    const to = (symbol: string, mode: number): number =>
      post("/v5/position/switch-mode", { category: "linear", symbol, mode }).retCode;
    expect(to("BTCUSDT", 3)).toBe(0);
    expect(to("BTCUSDT", 3)).toBe(110025);
    expect(to("BTCPERP", 3)).toBe(110029);
    exchange.open({ symbol: "ETHUSDT", side: "long", size: "1" });
    expect(to("ETHUSDT", 3)).toBe(110024);
  });
});

const samples = new URL("../../../shared/fixtures/official_docs/", import.meta.url);
/** The sample misspells one name; the table beside it has the right one. */
const MISSPELT = ["mmrSysUpdateTime"];

describe.skipIf(!existsSync(samples))(
  "rows against the documents' samples (skipped where the samples are absent)",
  () => {
    it.each([
      ["position_position_1.json", (made: Bench) => made.position("BTCUSDT")],
      ["order_open-order_1.json", (made: Bench) => made.orders("BTCUSDT")[0]],
      [
        "order_execution_1.json",
        (made: Bench) => made.get("/v5/execution/list", { category: "linear" }).result.list[0],
      ],
      [
        "market_instrument_4.json",
        (made: Bench) =>
          made.get("/v5/market/instruments-info", { category: "linear", symbol: "BTCUSDT" }).result.list[0],
      ],
    ])("%s: every field is there, with the same JSON type", (file, rowOf) => {
      const made = bench();
      made.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1", stopLoss: "60000" });
      const sample = JSON.parse(readFileSync(new URL(file, samples), "utf8")).result.list[0];
      const row = rowOf(made) as unknown as Record<string, unknown>;
      for (const [name, value] of Object.entries(sample)) {
        if (MISSPELT.includes(name)) continue;
        expect([name, typeof row[name]]).toEqual([name, typeof value]);
      }
    });
  },
);
