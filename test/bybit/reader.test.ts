/** What a read of the account shows, and what it admits not to have seen. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { BybitSession } from "../../src/exchange/bybit/index.js";
import {
  closeStage,
  connect,
  failureOf,
  instrument,
  ok,
  openStage,
  order,
  page,
  position,
  refusal,
  settled,
  ticker,
  timePasses,
  type Venue,
} from "./venue.js";

let venue: Venue;
let session: BybitSession;

beforeEach(() => {
  ({ venue, session } = openStage());
});

afterEach(() => closeStage(session));

const POSITIONS = "/v5/position/list";
const ORDERS = "/v5/order/realtime";

function holds(rows: readonly Record<string, unknown>[]): void {
  venue.answers(POSITIONS, ({ query }) => {
    if (query["category"] !== "linear") return ok(page(query["category"], []));
    const own = query["symbol"] === undefined ? rows : rows.filter((row) => row["symbol"] === query["symbol"]);
    return ok(page("linear", own));
  });
}

const ENTRY = {
  orderType: "Limit",
  orderStatus: "New",
  stopOrderType: "",
  side: "Buy",
  price: "48000",
  triggerPrice: "",
  reduceOnly: false,
  closeOnTrigger: false,
};

describe("a read of the whole account", () => {
  it("shows the position, its stop order, its tick and its prices", async () => {
    holds([position()]);
    venue.answers(ORDERS, () => ok(page("linear", [order()])));
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.gaps).toEqual([]);
    expect(snapshot.positions[0]).toMatchObject({
      key: { account: "main", category: "linear", symbol: "BTCUSDT", positionIdx: 0 },
      side: "long",
      state: "normal",
      openedAtMs: 1700000000123,
    });
    expect(snapshot.positions[0]?.fullStopLoss?.toFixed()).toBe("49000");
    expect(snapshot.positions[0]?.fullTakeProfit).toBeNull();
    expect(snapshot.orders[0]).toMatchObject({ kind: "full-stop-loss", direction: "sell", reducesOnly: true });
    expect(snapshot.instruments.get("linear/BTCUSDT")?.tickSize.toFixed()).toBe("0.1");
    expect(snapshot.tickers.get("linear/BTCUSDT")?.markPrice?.toFixed()).toBe("50100");
    expect(snapshot.marginMode).toBe("cross");
    expect(snapshot.notCovered).toEqual(["inverse: not configured", "spot"]);
  });

  it("asks for each list once, for a first that is empty once more and for its orders, and then for no prices", async () => {
    await settled(session.reader.snapshot("account"));
    expect(venue.asks(POSITIONS).map(({ query }) => [query["category"], query["settleCoin"], query["limit"]])).toEqual(
      expect.arrayContaining([
        ["option", undefined, "200"],
        ["linear", "USDT", "200"],
      ]),
    );
    expect(venue.asks(POSITIONS)).toHaveLength(3);
    expect(venue.asks(ORDERS).map(({ query }) => query["settleCoin"])).toEqual(["USDT"]);
    expect(venue.asks("/v5/market/tickers")).toHaveLength(0);
  });

  it("shows entry orders without a position, with rules and prices of their contracts, to those who want all", async () => {
    await settled(session.close());
    session = connect({ orderLists: "all" });
    venue.answers(ORDERS, () => ok(page("linear", [order(ENTRY)])));
    venue.answers("/v5/market/tickers", () => ok({ list: [ticker("BTCUSDT"), ticker("ETHUSDT")] }));
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot).toMatchObject({ positions: [], gaps: [], orders: [{ kind: "plain", symbol: "BTCUSDT" }] });
    expect([...snapshot.instruments.keys(), ...snapshot.tickers.keys()]).toEqual(["linear/BTCUSDT", "linear/BTCUSDT"]);
  });

  it("takes it for no gap where an entry order's contract has no prices", async () => {
    await settled(session.close());
    session = connect({ orderLists: "all" });
    venue.answers(ORDERS, () => ok(page("linear", [order(ENTRY)])));
    venue.answers("/v5/market/tickers", () => ({ status: 502, body: "" }));
    expect((await settled(session.reader.snapshot("account"))).gaps).toEqual([]);
  });

  it("keeps the list of contracts for the next read", async () => {
    await settled(session.reader.snapshot("account"));
    const before = venue.asks("/v5/market/instruments-info").length;
    await settled(session.reader.snapshot("account"));
    expect(venue.asks("/v5/market/instruments-info")).toHaveLength(before);
    session.refreshInstruments();
    await settled(session.reader.snapshot("account"));
    expect(venue.asks("/v5/market/instruments-info")).toHaveLength(before * 2);
  });

  it("reads every coin that linear contracts settle in, also one that nobody thought of", async () => {
    const coins = ["USDT", "USDC", "EURX"];
    venue.answers("/v5/market/instruments-info", ({ query }) =>
      ok({ list: query["status"] ? [] : coins.map((settleCoin) => instrument(`A${settleCoin}`, { settleCoin })) }),
    );
    venue.tellsOfUsdc = true;
    await settled(session.reader.snapshot("account"));
    const asked = venue.asks(POSITIONS).flatMap(({ query }) => query["settleCoin"] ?? []);
    expect([...new Set(asked)].toSorted()).toEqual(["EURX", "USDC", "USDT"]);
  });

  it.each<readonly [string, readonly object[]]>([
    ["names USDT contracts only", []],
    [
      "has USDC rows that cannot be read",
      [
        instrument("BTCPERP", { settleCoin: "USDC", priceFilter: { tickSize: "" } }),
        { symbol: "ETHPERP", settleCoin: "USDC" },
      ],
    ],
  ])("sees USDC positions also where the list of contracts %s", async (_what, more) => {
    venue.tellsOfUsdc = true;
    venue.answers("/v5/market/instruments-info", ({ query }) => {
      if (query["symbol"] !== undefined) return ok({ list: [instrument(query["symbol"], { settleCoin: "USDC" })] });
      return ok({ list: query["status"] ? [] : [instrument("BTCUSDT"), ...more] });
    });
    venue.answers("/v5/market/tickers", () => ok({ list: [ticker("BTCUSDT"), ticker("BTCPERP")] }));
    venue.answers(POSITIONS, ({ query }) =>
      ok(page(query["category"], query["settleCoin"] === "USDC" ? [position({ symbol: "BTCPERP" })] : [])),
    );
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.positions.map(({ key }) => key.symbol)).toEqual(["BTCPERP"]);
    expect(snapshot.gaps).toEqual([]);
  });

  it("asks for the positions of a third coin, also where its only contract has no tick that can be read", async () => {
    venue.answers("/v5/market/instruments-info", ({ query }) =>
      ok({ list: query["status"] ? [] : [instrument("AXUSD", { settleCoin: "XUSD", priceFilter: { tickSize: "" } })] }),
    );
    venue.answers(POSITIONS, ({ query }) =>
      ok(page(query["category"], query["settleCoin"] === "XUSD" ? [position({ symbol: "AXUSD" })] : [])),
    );
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.positions.map(({ key }) => key.symbol)).toEqual(["AXUSD"]);
  });

  it.each([
    ["a contract names no coin", [instrument("BTCUSDT"), { symbol: "AXUSD" }], false],
    ["the list of contracts before their launch fails", [instrument("BTCUSDT")], true],
  ])("says that coins may be missing where %s", async (_what, listed, failsForStatus) => {
    venue.answers("/v5/market/instruments-info", ({ query }) => {
      if (query["status"] === undefined) return ok({ list: listed });
      return failsForStatus ? refusal(10016, "Server error.") : ok({ list: [] });
    });
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.gaps).toMatchObject([{ category: "linear", what: "positions" }]);
  });

  it.each([
    ["no field at all", {}],
    ["an empty margin mode", { marginMode: "" }],
    ["a margin mode that nobody knows", { marginMode: "WEIRD" }],
  ])(
    "takes an account's own description with %s for unread: a gap, and perhaps a copy-trading master",
    async (_what, info) => {
      venue.answers("/v5/account/info", () => ok(info));
      const snapshot = await settled(session.reader.snapshot("account"));
      expect(snapshot).toMatchObject({ marginMode: null, copyTradingMaster: "unread" });
      expect(snapshot.gaps).toMatchObject([{ category: "account", what: "account-info" }]);
    },
  );

  it.each([
    ["mark price", { markPrice: "" }, { markPrice: "" }, {}],
    ["last price of a stop that waits for it", {}, { lastPrice: "" }, { triggerBy: "LastPrice" }],
    ["index price of a stop that waits for it", {}, { indexPrice: "0" }, { triggerBy: "IndexPrice" }],
  ])(
    "names a position without the %s as not seen: whether its stop is overdue cannot be told",
    async (_what, row, price, stop) => {
      holds([position({ stopLoss: "49000", ...row })]);
      venue.answers(ORDERS, () => ok(page("linear", [order(stop)])));
      venue.answers("/v5/market/tickers", () => ok({ list: [{ ...ticker("BTCUSDT"), ...price }] }));
      const snapshot = await settled(session.reader.snapshot("account"));
      expect(snapshot.gaps).toMatchObject([{ category: "linear", what: "tickers", symbols: ["BTCUSDT"] }]);
    },
  );

  it("of a server that ignores the coin and lists everything twice tells each position and order once", async () => {
    venue.tellsOfUsdc = true;
    venue.answers("/v5/market/instruments-info", ({ query }) =>
      ok({ list: query["status"] ? [] : [instrument("BTCUSDT"), instrument("BTCPERP", { settleCoin: "USDC" })] }),
    );
    const legs = [position({ positionIdx: 1 }), position({ positionIdx: 2, side: "Sell", stopLoss: "51000" })];
    holds(legs);
    const exits = [
      order({ positionIdx: 1 }),
      order({ orderId: "sl-2", positionIdx: 2, side: "Buy", triggerDirection: 1 }),
    ];
    venue.answers(ORDERS, () => ok(page("linear", exits)));
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.positions.map(({ key }) => key.positionIdx)).toEqual([1, 2]);
    expect(snapshot.orders.map(({ orderId }) => orderId)).toEqual(["sl-1", "sl-2"]);
    expect(snapshot.gaps).toEqual([]);
  });

  it("of such a server tells a row that cannot be read once, too", async () => {
    venue.tellsOfUsdc = true;
    holds([position({ positionStatus: "Odd" })]);
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.unreadablePositions).toMatchObject([{ symbol: "BTCUSDT", positionIdx: 0 }]);
  });

  it("still sees USDT and USDC positions when the contracts cannot be listed, and says what is missing", async () => {
    venue.answers("/v5/market/instruments-info", ({ query }) =>
      query["symbol"] === undefined ? { status: 502, body: "<html>" } : ok({ list: [instrument("BTCUSDT")] }),
    );
    venue.answers(POSITIONS, ({ query }) => ok(page("linear", query["settleCoin"] === "USDT" ? [position()] : [])));
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.positions).toHaveLength(1);
    expect(snapshot.instruments.has("linear/BTCUSDT")).toBe(true);
    expect(snapshot.gaps).toMatchObject([{ category: "linear", what: "positions" }]);
  });

  it("finds the rules of a contract that is no longer listed by asking for it by name", async () => {
    holds([position({ symbol: "OLDUSDT" })]);
    venue.answers("/v5/market/instruments-info", ({ query }) => {
      if (query["symbol"] === "OLDUSDT") return ok({ list: [instrument("OLDUSDT", { status: "Delivering" })] });
      return ok({ list: query["status"] ? [] : [instrument("BTCUSDT")] });
    });
    venue.answers("/v5/market/tickers", () => ok({ category: "linear", list: [ticker("OLDUSDT")] }));
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.instruments.get("linear/OLDUSDT")?.status).toBe("delivering");
    expect(snapshot.gaps).toEqual([]);
  });

  it("counts options without guarding them, and a failing option list is no gap", async () => {
    venue.answers(POSITIONS, ({ query }) =>
      ok(page(query["category"], query["category"] === "option" ? [position({ symbol: "BTC-C" })] : [])),
    );
    expect((await settled(session.reader.snapshot("account"))).notCovered).toContain("option: 1 position");
    venue.answers(POSITIONS, ({ query }) =>
      query["category"] === "option" ? refusal(10005, "Permission denied") : ok(page("linear", [])),
    );
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.notCovered).toEqual(["inverse: not configured", "option: not read", "spot"]);
    expect(snapshot.gaps).toEqual([]);
  });

  it("tells that disconnect protection is on, and goes on where the account knows nothing of it", async () => {
    const dcp = "/v5/account/query-dcp-info";
    expect((await settled(session.reader.snapshot("account"))).disconnectProtection).toBeNull();
    venue.answers(dcp, () => ok({ dcpInfos: [{ product: "DERIVATIVES", dcpStatus: "ON", timeWindow: "10" }] }));
    expect((await settled(session.reader.snapshot("account"))).disconnectProtection).toBe(true);
    venue.answers(dcp, () => ok({ dcpInfos: [{ product: "SPOT", dcpStatus: "ON", timeWindow: "10" }] }));
    expect((await settled(session.reader.snapshot("account"))).disconnectProtection).toBe(false);
  });

  it.each([1, "1", "yes", { of: "many" }])(
    "takes an account that says %j of copy trading for one that may be a master",
    async (isMasterTrader) => {
      venue.answers("/v5/account/info", () => ok({ marginMode: "REGULAR_MARGIN", isMasterTrader }));
      const snapshot = await settled(session.reader.snapshot("account"));
      expect(snapshot).toMatchObject({ marginMode: "cross", copyTradingMaster: "unread" });
      expect(snapshot.gaps).toMatchObject([{ category: "account", what: "account-info" }]);
    },
  );

  it.each([true, false])(
    "remembers that an account is a copy-trading master: %j, while it does not answer",
    async (said) => {
      venue.answers("/v5/account/info", () => ok({ marginMode: "REGULAR_MARGIN", isMasterTrader: said }));
      await settled(session.reader.snapshot("account"));
      venue.answers("/v5/account/info", () => refusal(10016, "Server error"));
      // Tried three times, it may fail too late for the look that asks.
      expect((await settled(session.reader.snapshot("account"))).copyTradingMaster).toBe(said);
      await timePasses(3_000);
      const snapshot = await settled(session.reader.snapshot("account"));
      expect(snapshot).toMatchObject({ marginMode: null, copyTradingMaster: said });
      expect(snapshot.gaps).toMatchObject([{ category: "account", what: "account-info" }]);
      await timePasses(3_000);
      venue.answers("/v5/account/info", () => ok({ marginMode: "REGULAR_MARGIN", isMasterTrader: 1 }));
      expect((await settled(session.reader.snapshot("account"))).copyTradingMaster).toBe("unread");
    },
  );

  it("does not forget that an account is a copy-trading master when the right to ask is taken away", async () => {
    venue.answers("/v5/account/info", () => ok({ marginMode: "REGULAR_MARGIN", isMasterTrader: true }));
    await settled(session.reader.snapshot("account"));
    venue.answers("/v5/account/info", () => refusal(10005, "Permission denied"));
    expect((await settled(session.reader.snapshot("account"))).copyTradingMaster).toBe(true);
  });

  it.each([
    ["refused", refusal(10032, "Demo trading are not supported.")],
    ["not there", { status: 404, body: "" }],
  ])("takes it for no copy-trading master where that is %s for good", async (_what, told) => {
    venue.answers("/v5/account/info", () => told);
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot).toMatchObject({ marginMode: null, copyTradingMaster: null });
    expect(snapshot.gaps).toMatchObject([{ category: "account", what: "account-info" }]);
  });

  it("takes it for none also where it could not be asked at first", async () => {
    venue.answers("/v5/account/info", () => refusal(10016, "Server error"));
    expect((await settled(session.reader.snapshot("account"))).copyTradingMaster).toBe("unread");
    venue.answers("/v5/account/info", () => refusal(10005, "Permission denied"));
    expect((await settled(session.reader.snapshot("account"))).copyTradingMaster).toBeNull();
  });

  it("goes on without the margin mode, and says that it was not seen", async () => {
    venue.answers("/v5/account/info", () => refusal(10016, "Server error"));
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.marginMode).toBeNull();
    expect(snapshot.copyTradingMaster).toBe("unread");
    expect(snapshot.gaps).toMatchObject([{ category: "account", what: "account-info" }]);
  });

  it("measures how far our clock is ahead", async () => {
    await settled(session.close());
    const ours = Date.now();
    session = connect({ clock: { now: () => ours, monotonicMs: () => performance.now(), steadyMs: () => ours } });
    for (const path of ["/v5/market/instruments-info", POSITIONS, ORDERS, "/v5/account/info", "/v5/market/time"]) {
      venue.answers(path, ({ query }) => ok({ category: query["category"], list: [] }, { time: ours - 700 }));
    }
    expect((await settled(session.reader.snapshot("account"))).clockSkewMs).toBe(700);
    expect(await settled(session.reader.clockSkewMs())).toBe(700);
  });

  it("names the contract whose prices are missing", async () => {
    holds([position({ symbol: "BTCUSDT" })]);
    venue.answers("/v5/market/tickers", () => ({ status: 502, body: "<html>bad gateway</html>" }));
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.gaps).toMatchObject([{ category: "linear", what: "tickers", symbols: ["BTCUSDT"] }]);
  });
});

describe("a key that is refused", () => {
  it.each([10003, 10004, 10010, 33004, 10005])("ends the read with retCode %i", async (retCode) => {
    venue.answers(POSITIONS, () => refusal(retCode, "no"));
    const { facts } = await failureOf(session.reader.snapshot("account"));
    expect(facts).toMatchObject({ kind: "refused", retCode });
    expect(["key", "permission"]).toContain(facts.cause);
  });

  it("for one list only leaves the others judged, and that list a gap", async () => {
    await settled(session.close());
    session = connect({ categories: ["linear", "inverse"] });
    venue.answers(POSITIONS, ({ query }) =>
      query["category"] === "inverse" ? refusal(10005, "Permission denied") : ok(page("linear", [position()])),
    );
    venue.answers(ORDERS, () => ok(page("linear", [order()])));
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.positions.map(({ key }) => key.symbol)).toEqual(["BTCUSDT"]);
    expect(snapshot.orders).toHaveLength(1);
    expect(snapshot.gaps).toMatchObject([{ category: "inverse", what: "positions" }]);
    expect(snapshot.gaps[0]?.reason).toContain("Permission denied");
  });

  it("for every list ends the read", async () => {
    await settled(session.close());
    session = connect({ categories: ["linear", "inverse"] });
    venue.answers(POSITIONS, () => refusal(10005, "Permission denied"));
    const { facts } = await failureOf(session.reader.snapshot("account"));
    expect(facts).toMatchObject({ kind: "refused", cause: "permission" });
  });

  it("is not tried again", async () => {
    venue.answers(POSITIONS, () => refusal(10003, "API key is invalid."));
    await failureOf(session.reader.snapshot("account"));
    expect(venue.asks(POSITIONS).filter(({ query }) => query["category"] === "linear")).toHaveLength(1);
  });
});

describe("a list that cannot be read", () => {
  it("ends the read when it was the only one", async () => {
    venue.answers(POSITIONS, () => ({ status: 502, body: "<html>bad gateway</html>" }));
    const { facts } = await failureOf(session.reader.snapshot("account"));
    expect(facts).toMatchObject({ kind: "not-happened", cause: "server", httpStatus: 502 });
    expect(venue.asks(POSITIONS).filter(({ query }) => query["category"] === "linear")).toHaveLength(3);
  });

  it("is a gap when another one could be read", async () => {
    await settled(session.close());
    session = connect({ categories: ["linear", "inverse"] });
    venue.answers(POSITIONS, ({ query }) =>
      query["category"] === "inverse" ? { body: "" } : ok(page(query["category"], [])),
    );
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.gaps).toMatchObject([{ category: "inverse", what: "positions" }]);
  });

  it("of orders is replaced by looking at each contract with a position", async () => {
    holds([position()]);
    venue.answers(ORDERS, ({ query }) =>
      query["settleCoin"] === "USDT" ? refusal(10016, "Server error") : ok(page("linear", [order()])),
    );
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.orders).toHaveLength(1);
    expect(snapshot.gaps).toEqual([]);
  });

  it("of orders leaves a gap for exactly the contracts that stay dark", async () => {
    holds([position(), position({ symbol: "ETHUSDT" })]);
    venue.answers("/v5/market/tickers", () => ok({ list: [ticker("BTCUSDT"), ticker("ETHUSDT")] }));
    venue.answers("/v5/market/instruments-info", ({ query }) =>
      ok({ list: query["status"] ? [] : [instrument("BTCUSDT"), instrument("ETHUSDT")] }),
    );
    venue.answers(ORDERS, ({ query }) =>
      query["symbol"] === "ETHUSDT" || query["settleCoin"] === "USDT"
        ? refusal(10016, "Server error")
        : ok(page("linear", [order()])),
    );
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.gaps).toMatchObject([{ category: "linear", what: "orders", symbols: ["ETHUSDT"] }]);
  });

  it("that is empty although a position was known is not believed before that position was looked at", async () => {
    holds([position()]);
    await settled(session.reader.snapshot("account"));
    venue.answers(POSITIONS, ({ query }) =>
      ok(page(query["category"], query["symbol"] === "BTCUSDT" ? [position()] : [])),
    );
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.positions).toHaveLength(1);
  });

  it("that is empty is asked for once more where nothing was known yet: one that lags is empty too", async () => {
    let lists = 0;
    venue.answers(POSITIONS, ({ query }) => {
      const isEmpty = query["category"] !== "linear" || lists++ === 0;
      return ok(page(query["category"], isEmpty ? [] : [position()]));
    });
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.positions).toHaveLength(1);
  });

  it.each([
    ["for good is completed by that contract's own rows, and may lack others", Number.POSITIVE_INFINITY, 1],
    ["for a moment is read once more", 1, 0],
  ])("that lacks a position whose stop rests %s", async (_what, times, gaps) => {
    let short = 0;
    venue.answers(POSITIONS, ({ query }) => {
      const { symbol, category, settleCoin } = query;
      if (category !== "linear") return ok(page(category, []));
      const rows = [position(), position({ symbol: "ETHUSDT" })];
      if (symbol === undefined && settleCoin !== "USDT") return ok(page("linear", []));
      const isShort = symbol === undefined && short++ < times;
      return ok(
        page(
          "linear",
          symbol === undefined ? rows.slice(0, isShort ? 1 : 2) : rows.filter((row) => row["symbol"] === symbol),
        ),
      );
    });
    venue.answers("/v5/market/tickers", () => ok({ list: [ticker("BTCUSDT"), ticker("ETHUSDT")] }));
    venue.answers("/v5/market/instruments-info", ({ query }) =>
      ok({ list: query["status"] ? [] : [instrument("BTCUSDT"), instrument("ETHUSDT")] }),
    );
    const orders = [order(), order({ symbol: "ETHUSDT", orderId: "of-ether" })];
    venue.answers(ORDERS, ({ query }) =>
      ok(
        page(
          "linear",
          query["symbol"] === undefined ? orders : orders.filter((row) => row["symbol"] === query["symbol"]),
        ),
      ),
    );
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.positions.map(({ key }) => key.symbol)).toEqual(["BTCUSDT", "ETHUSDT"]);
    expect(snapshot.gaps).toHaveLength(gaps);
  });

  it("that lacks a position whose stop rests, and which cannot be read alone, leaves only that one a gap", async () => {
    venue.answers(POSITIONS, ({ query }) => {
      if (query["category"] !== "linear") return ok(page(query["category"], []));
      return query["symbol"] === "ETHUSDT" ? refusal(10016, "Server error") : ok(page("linear", [position()]));
    });
    const orders = [order(), order({ symbol: "ETHUSDT", orderId: "of-ether" })];
    venue.answers(ORDERS, ({ query }) => {
      const { symbol } = query;
      return ok(page("linear", symbol === undefined ? orders : orders.filter((row) => row["symbol"] === symbol)));
    });
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.positions.map(({ key }) => key.symbol)).toEqual(["BTCUSDT"]);
    expect(snapshot.gaps).toMatchObject([{ category: "linear", what: "positions", symbols: ["ETHUSDT"] }]);
  });

  it("that answers for another category is not believed", async () => {
    venue.answers(POSITIONS, () => ok(page("spot", [])));
    expect((await failureOf(session.reader.snapshot("account"))).facts.cause).toBe("garbage");
  });
});

describe("rows", () => {
  it("of a hedged book keep their legs whatever their order", async () => {
    holds([
      position({ positionIdx: 2, side: "Sell", size: "1" }),
      position({ positionIdx: 1, side: "", size: "0", avgPrice: "" }),
    ]);
    const { positions, unreadablePositions } = await settled(session.reader.snapshot("account"));
    expect(positions.map(({ key, side }) => [key.positionIdx, side])).toEqual([[2, "short"]]);
    expect(unreadablePositions).toEqual([]);
  });

  it("of a list that say nothing in any field are no flat ones: such a list is of what is open", async () => {
    holds([position(), position({ symbol: "ETHUSDT", side: "", size: "", avgPrice: "", stopLoss: "" })]);
    const { unreadablePositions } = await settled(session.reader.snapshot("account"));
    expect(unreadablePositions).toMatchObject([{ symbol: "ETHUSDT" }]);
  });

  it("of a contract that say nothing but that a stop stands are no flat ones", async () => {
    holds([position({ side: "", size: "", avgPrice: "", stopLoss: "49000" })]);
    const contract = { category: "linear", symbol: "BTCUSDT" } as const;
    const { flatLegs, unreadablePositions } = await settled(session.reader.snapshot([contract]));
    expect(flatLegs).toEqual([]);
    expect(unreadablePositions).toHaveLength(1);
  });

  it.each(["", null])(
    "of an empty leg of a contract asked for by name that says nothing in any field (%j) are flat",
    async (none) => {
      holds([
        position({ positionIdx: 2, side: "Sell", size: "1" }),
        position({ positionIdx: 1, side: none, size: none, avgPrice: none, stopLoss: "", liqPrice: none }),
      ]);
      const contract = { category: "linear", symbol: "BTCUSDT" } as const;
      const { positions, flatLegs, unreadablePositions } = await settled(session.reader.snapshot([contract]));
      expect(positions.map(({ key }) => key.positionIdx)).toEqual([2]);
      expect(flatLegs.map(({ positionIdx }) => positionIdx)).toEqual([1]);
      expect(unreadablePositions).toEqual([]);
    },
  );

  it.each([
    ["a side nobody knows", { side: "Both" }, "side"],
    ["no side", { side: "None" }, "side"],
    ["a state nobody knows", { positionStatus: "Frozen" }, "positionStatus"],
    ["no size", { size: undefined }, "size"],
    ["a size of nothing", { size: null }, "size"],
    ["a size that is no number", { size: "1e" }, "size"],
    ["an empty size", { size: "" }, "size"],
    ["an empty size and no side, at a price", { size: "", side: "" }, "size"],
    ["no size, no side and no price", { size: undefined, side: "", avgPrice: "" }, "size"],
    ["a negative size", { size: "-1" }, "size"],
    ["no entry price", { avgPrice: "" }, "avgPrice"],
    ["a stop that is no number", { stopLoss: "soon" }, "stopLoss"],
    ["no word about a stop", { stopLoss: undefined }, "stopLoss"],
    ["a liquidation price that is no number", { liqPrice: "abc" }, "liqPrice"],
    ["a liquidation price of another shape", { liqPrice: {} }, "liqPrice"],
    ["a long leg that is short", { positionIdx: 1, side: "Sell" }, "side of positionIdx 1"],
    ["a short leg that is long", { positionIdx: 2, side: "Buy" }, "side of positionIdx 2"],
    ["a leg nobody knows", { positionIdx: 3 }, "positionIdx"],
  ])("with %s make only that position unknown", async (_what, over, field) => {
    holds([position({ symbol: "ETHUSDT", ...over }), position()]);
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.positions.map(({ key }) => key.symbol)).toEqual(["BTCUSDT"]);
    expect(snapshot.unreadablePositions).toMatchObject([{ account: "main", category: "linear", symbol: "ETHUSDT" }]);
    expect(snapshot.unreadablePositions[0]?.reason).toContain(field);
  });

  it.each([[""], ["0"], ["0.00"], ["0.00000"], ["0E-8"], ["0e0"], [0], [null]])(
    "with a stop of %j have none",
    async (stopLoss) => {
      holds([position({ stopLoss, takeProfit: stopLoss })]);
      const { positions } = await settled(session.reader.snapshot("account"));
      expect(positions).toMatchObject([{ fullStopLoss: null, fullTakeProfit: null }]);
    },
  );

  it.each([[""], ["0"], ["0.00"], ["0E-8"], [0], [null], [undefined]])(
    "with a liquidation price of %j have none",
    async (liqPrice) => {
      holds([position({ liqPrice })]);
      const { positions, unreadablePositions } = await settled(session.reader.snapshot("account"));
      expect(positions).toMatchObject([{ liquidationPrice: null }]);
      expect(unreadablePositions).toEqual([]);
    },
  );

  it("with numbers instead of text read the same", async () => {
    holds([position({ size: 0.5, avgPrice: 0.0000001, positionIdx: "0", stopLoss: 5e-8, takeProfit: "2.5E+3" })]);
    const { positions } = await settled(session.reader.snapshot("account"));
    expect(positions[0]?.entryPrice.toFixed()).toBe("0.0000001");
    expect(positions[0]?.fullStopLoss?.toFixed()).toBe("0.00000005");
    expect(positions[0]?.fullTakeProfit?.toFixed()).toBe("2500");
  });

  it("that come twice with another mark price are one position, the later one", async () => {
    holds([position({ markPrice: "1" }), position({ markPrice: "2" })]);
    const { positions } = await settled(session.reader.snapshot("account"));
    expect(positions.map(({ markPrice }) => markPrice?.toFixed())).toEqual(["2"]);
  });

  it.each([
    ["size", { size: "0.7" }],
    ["side", { side: "Sell" }],
    ["stop", { stopLoss: "48000" }],
    ["openness", { size: "0" }],
  ])("that come twice with another %s make the position unknown", async (_what, over) => {
    holds([position(), position(over)]);
    const { positions, unreadablePositions } = await settled(session.reader.snapshot("account"));
    expect(positions).toEqual([]);
    expect(unreadablePositions).toMatchObject([{ symbol: "BTCUSDT", positionIdx: 0, reason: "two different rows" }]);
  });

  it.each([
    ["then Cancelled", ["Untriggered", "Cancelled"]],
    ["Cancelled, then open", ["Cancelled", "Untriggered"]],
    ["Triggered, then open", ["Triggered", "Untriggered"]],
  ])("of one order that is open, %s, are no cover but an order that cannot be read", async (_what, statuses) => {
    holds([position()]);
    venue.answers(ORDERS, () =>
      ok(
        page(
          "linear",
          statuses.map((orderStatus) => order({ orderStatus })),
        ),
      ),
    );
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.orders).toEqual([]);
    expect(snapshot.unreadableOrders).toMatchObject([
      { symbol: "BTCUSDT", positionIdx: 0, reason: "two different rows" },
    ]);
  });

  it("of orders that cannot be read are reported as such", async () => {
    holds([position()]);
    venue.answers(ORDERS, () =>
      ok(page("linear", [order(), order({ orderId: "x", stopOrderType: "MoonStop", positionIdx: 0 })])),
    );
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.orders).toHaveLength(1);
    expect(snapshot.unreadableOrders).toMatchObject([{ symbol: "BTCUSDT", positionIdx: 0 }]);
    expect(snapshot.unreadableOrders[0]?.reason).toContain("MoonStop");
  });
});

describe("a read of some contracts", () => {
  /** What it returns lets the process stand still, while whatever was asked is answered. */
  async function inProcessThatStops(): Promise<(ms: number) => void> {
    await settled(session.close());
    let stoodMs = 0;
    const monotonicMs = () => performance.now() + stoodMs;
    session = connect({ clock: { now: () => Date.now(), monotonicMs, steadyMs: () => Date.now() } });
    return (ms) => {
      stoodMs += ms;
    };
  }

  it.each([
    [
      "is asked again whose answer has lain there for longer than a request may take: the process stood still",
      60_000,
      2,
    ],
    ["is believed whose answer has been there not quite so long", 10_900, 1],
  ])("%s", async (_what, stoodMs, times) => {
    const standStill = await inProcessThatStops();
    let asked = 0;
    venue.answers(POSITIONS, () => {
      asked += 1;
      if (asked === 1) standStill(stoodMs);
      return ok(page("linear", [position({ size: asked === 1 ? "0.5" : "0.2" })]));
    });
    const read = session.reader.snapshot([{ category: "linear", symbol: "BTCUSDT" }]);
    const [seen] = (await settled(read)).positions;
    expect({ asked, size: seen?.size.toFixed() }).toEqual({ asked: times, size: times === 2 ? "0.2" : "0.5" });
  });

  it("believes a ban, however long its answer has lain there, and asks nothing more", async () => {
    const standStill = await inProcessThatStops();
    venue.answers(POSITIONS, () => {
      standStill(60_000);
      return { status: 403, body: "<html>access too frequent</html>" };
    });
    const { facts } = await failureOf(session.reader.snapshot([{ category: "linear", symbol: "BTCUSDT" }]));
    expect(facts.cause).toBe("ip-ban");
    expect(venue.asks(POSITIONS)).toHaveLength(1);
  });

  it("asks for each contract by name and for nothing else", async () => {
    holds([position()]);
    await settled(session.reader.snapshot("account"));
    venue.asked.length = 0;
    const snapshot = await settled(session.reader.snapshot([{ category: "linear", symbol: "BTCUSDT" }]));
    expect(snapshot.positions).toHaveLength(1);
    expect(venue.asked.map(({ path, query }) => [path, query["symbol"]].join(" ")).toSorted()).toEqual([
      "/v5/market/tickers BTCUSDT",
      "/v5/order/realtime BTCUSDT",
      "/v5/position/list BTCUSDT",
    ]);
  });

  it("looks twice before it believes an answer without any row", async () => {
    venue.answers(POSITIONS, () => ok(page("linear", [])));
    const scope = [{ category: "linear", symbol: "BTCUSDT" }] as const;
    const snapshot = await settled(session.reader.snapshot(scope));
    expect(snapshot.positions).toEqual([]);
    expect(venue.asks(POSITIONS)).toHaveLength(2);
  });

  it("does not take an answer about another contract for an empty one", async () => {
    venue.answers(POSITIONS, () => ok(page("linear", [position({ symbol: "ETHUSDT" })])));
    const { facts } = await failureOf(session.reader.snapshot([{ category: "linear", symbol: "BTCUSDT" }]));
    expect(facts.cause).toBe("garbage");
  });

  it("reads everything, and says so, when that costs less", async () => {
    const symbols = ["AUSDT", "BUSDT", "CUSDT", "DUSDT"];
    holds(symbols.map((symbol) => position({ symbol })));
    venue.answers("/v5/market/instruments-info", ({ query }) =>
      ok({ list: query["status"] ? [] : symbols.map((symbol) => instrument(symbol)) }),
    );
    await settled(session.reader.snapshot("account"));
    venue.asked.length = 0;
    const scope = ["AUSDT", "BUSDT", "CUSDT"].map((symbol) => ({ category: "linear", symbol }) as const);
    const snapshot = await settled(session.reader.snapshot(scope));
    expect(snapshot.scope).toBe("account");
    expect(snapshot.positions.map(({ key }) => key.symbol)).toEqual(symbols);
    expect(venue.asks(POSITIONS)).toHaveLength(1);
    expect(venue.asks(ORDERS)).toHaveLength(1);
    expect(snapshot.flatLegs).toEqual([]);
  });

  it("brings the rules and prices of a single contract, also where one list would show that there is no position", async () => {
    await settled(session.close());
    session = connect({ categories: ["inverse"] });
    for (let nth = 0; nth < 2; nth += 1) await settled(session.reader.snapshot("account"));
    const snapshot = await settled(session.reader.snapshot([{ category: "inverse", symbol: "BTCUSD" }]));
    expect(snapshot.instruments.has("inverse/BTCUSD")).toBe(true);
    expect(snapshot.tickers.has("inverse/BTCUSD")).toBe(true);
  });

  it("asks by name for what the list of everything does not show, and says which those are", async () => {
    const symbols = ["AUSDT", "BUSDT", "CUSDT", "DUSDT"];
    const rows = symbols.map((symbol) => position({ symbol }));
    holds(rows);
    venue.answers("/v5/market/instruments-info", ({ query }) =>
      ok({ list: query["status"] ? [] : symbols.map((symbol) => instrument(symbol)) }),
    );
    await settled(session.reader.snapshot("account"));
    rows[1] = position({ symbol: "BUSDT", side: "", size: "0" });
    venue.asked.length = 0;
    const scope = ["AUSDT", "BUSDT", "CUSDT"].map((symbol) => ({ category: "linear", symbol }) as const);
    const snapshot = await settled(session.reader.snapshot(scope));
    expect(snapshot.flatLegs).toEqual([{ category: "linear", symbol: "BUSDT", positionIdx: 0 }]);
    expect(venue.asks(POSITIONS).flatMap(({ query }) => query["symbol"] ?? [])).toEqual(["BUSDT"]);
    expect(snapshot.positions.map(({ key }) => key.symbol)).toEqual(["AUSDT", "CUSDT", "DUSDT"]);
  });
});

describe("the key's own description", () => {
  const described = {
    readOnly: 0,
    permissions: { ContractTrade: ["Order", "Position"], Wallet: [] },
    ips: ["*"],
    deadlineDay: 88,
    expiredAt: "2026-04-01T00:00:00Z",
    isMaster: true,
  };

  it("tells rights, addresses and expiry", async () => {
    venue.answers("/v5/user/query-api", () => ok(described));
    expect(await settled(session.reader.keyInfo())).toEqual({
      readOnly: false,
      permissions: { ContractTrade: ["Order", "Position"], Wallet: [] },
      boundAddresses: [],
      expiresAtMs: Date.parse("2026-04-01T00:00:00Z"),
      isMaster: true,
    });
  });

  it.each([
    [{ expiredAt: "1970-01-01T00:00:00Z" }],
    [{ expiredAt: "" }],
    [{ ips: ["10.0.0.1"], deadlineDay: -2 }],
    [{ ips: ["10.0.0.1"], deadlineDay: 0 }],
  ])("has no expiry with %j", async (over) => {
    venue.answers("/v5/user/query-api", () => ok({ ...described, ...over }));
    expect((await settled(session.reader.keyInfo())).expiresAtMs).toBeNull();
  });

  it.each([[[]], [""], [null], ["*"]])("is bound to no address with ips %j", async (ips) => {
    venue.answers("/v5/user/query-api", () => ok({ ...described, ips }));
    expect((await settled(session.reader.keyInfo())).boundAddresses).toEqual([]);
  });
});
