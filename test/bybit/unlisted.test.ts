/** Positions that the lists of open positions lack: found by the exits that rest for them, or because somebody remembers them. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Contract } from "../../src/domain/snapshot.js";
import type { BybitSession } from "../../src/exchange/bybit/index.js";
import type { ReadManner } from "../../src/exchange/port.js";
import {
  closeStage,
  connect,
  instrument,
  NEVER,
  ok,
  openStage,
  order,
  page,
  position,
  refusal,
  settled,
  ticker,
  type Told,
  type Venue,
} from "./venue.js";

let venue: Venue;
let session: BybitSession;

beforeEach(() => {
  ({ venue, session } = openStage());
  venue.answers("/v5/market/tickers", () => ok({ list: ["BTCUSDT", "ETHUSDT", "BTCUSD"].map(ticker) }));
  venue.answers(CONTRACTS, ({ query }) => {
    const listed =
      query["category"] === "inverse" ? [instrument("BTCUSD")] : [instrument("BTCUSDT"), instrument("ETHUSDT")];
    return ok({ list: query["status"] ? [] : listed });
  });
});

afterEach(() => closeStage(session));

const POSITIONS = "/v5/position/list";
const ORDERS = "/v5/order/realtime";
const CONTRACTS = "/v5/market/instruments-info";
const BTC: Contract = { category: "linear", symbol: "BTCUSDT" };
const ETHER: Contract = { category: "linear", symbol: "ETHUSDT" };
const FLAT = position({ side: "", size: "0", avgPrice: "", stopLoss: "" });

/** Every list of positions is empty but for these rows; asked for by name, a contract answers so. */
function lists(rows: readonly object[], byName: (symbol: string) => Told | Promise<Told>): void {
  venue.answers(POSITIONS, ({ query }) => {
    const { category, symbol, settleCoin } = query;
    if (symbol !== undefined) return byName(symbol);
    return ok(page(category, category === "inverse" || settleCoin === "USDT" ? rows : []));
  });
}

/** These orders rest, whoever asks. */
function rests(...rows: readonly Record<string, unknown>[]): void {
  venue.answers(ORDERS, ({ query }) => {
    const { category, symbol, settleCoin } = query;
    const isOfCategory = (row: Record<string, unknown>) => (row["symbol"] === "BTCUSD") === (category === "inverse");
    const own = rows.filter((row) => isOfCategory(row) && (symbol === undefined || row["symbol"] === symbol));
    return ok(page(category, settleCoin === "USDC" ? [] : own));
  });
}

async function look(remembered: readonly Contract[] = [], manner: ReadManner = "prompt") {
  const startedAtMs = Date.now();
  const snapshot = await settled(session.reader.snapshot("account", manner, remembered));
  return { ...snapshot, tookMs: Date.now() - startedAtMs, symbols: snapshot.positions.map(({ key }) => key.symbol) };
}

const askedByName = (path: string) => venue.asks(path).flatMap(({ query }) => query["symbol"] ?? []);
const LIMIT = { orderType: "Limit", orderStatus: "New", stopOrderType: "", createType: "CreateByUser", price: "52000" };
const RESTING = { ...LIMIT, triggerPrice: "", triggerBy: "", closeOnTrigger: false };
const CONDITIONAL = { stopOrderType: "Stop", createType: "CreateByUser" };

describe("a list of open positions that is empty, and wrongly so,", () => {
  it.each([
    ["a Full stop", {}],
    ["a Partial stop", { stopOrderType: "PartialStopLoss", tpslMode: "Partial" }],
    ["a reduce-only limit order", { ...RESTING, reduceOnly: true }],
    ["a conditional order that closes on its trigger", { ...CONDITIONAL, reduceOnly: false, closeOnTrigger: true }],
    ["an order that cannot be read", { stopOrderType: "MoonStop" }],
  ])("is completed by the own rows of a contract for which there rests %s, and may lack others", async (_what, row) => {
    lists([], () => ok(page("linear", [position()])));
    rests(order(row));
    const { symbols, gaps, tickers, instruments } = await look();
    expect(symbols).toEqual(["BTCUSDT"]);
    expect(gaps).toMatchObject([{ category: "linear", what: "positions" }]);
    expect(gaps[0]?.reason).toContain("lacks BTCUSDT");
    expect([tickers.has("linear/BTCUSDT"), instruments.has("linear/BTCUSDT")]).toEqual([true, true]);
  });

  it("is so in inverse contracts too", async () => {
    await settled(session.close());
    session = connect({ categories: ["inverse"] });
    lists([], (symbol) => ok(page("inverse", [position({ symbol })])));
    rests(order({ symbol: "BTCUSD" }));
    const { symbols, gaps } = await look();
    expect(symbols).toEqual(["BTCUSD"]);
    expect(gaps).toMatchObject([{ category: "inverse", what: "positions" }]);
  });

  it("is a gap for a contract whose exits rest and whose own rows cannot be read", async () => {
    lists([], () => refusal(10016, "Server error."));
    rests(order());
    const { positions, gaps } = await look();
    expect(positions).toEqual([]);
    expect(gaps).toMatchObject([{ what: "positions", symbols: ["BTCUSDT"] }]);
    expect(gaps[0]?.reason).toContain("10016");
  });

  it("is a gap where its orders cannot be read, and no doubt about the positions of another coin", async () => {
    lists([position()], () => NEVER);
    venue.tellsOfUsdc = true;
    venue.answers(ORDERS, ({ query }) =>
      query["settleCoin"] === "USDC" ? { status: 502, body: "<html>" } : ok(page("linear", [order()])),
    );
    const { symbols, gaps } = await look();
    expect(symbols).toEqual(["BTCUSDT"]);
    expect(gaps).toMatchObject([{ category: "linear", what: "orders", symbols: [] }]);
    expect(gaps[0]?.reason).toContain("HTTP 502");
  });

  it("is so for an order row that names no contract: it is none of another coin's", async () => {
    lists([position()], () => NEVER);
    venue.tellsOfUsdc = true;
    venue.answers(ORDERS, ({ query }) =>
      ok(page("linear", query["settleCoin"] === "USDC" ? [order({ symbol: "" })] : [order()])),
    );
    const { unreadableOrders, gaps } = await look();
    expect(unreadableOrders).toEqual([]);
    expect(gaps).toMatchObject([{ category: "linear", what: "orders", symbols: [] }]);
  });

  it.each([ORDERS, POSITIONS])("keeps no other coin waiting where %s hangs beside it", async (path) => {
    const ofUsdc = order({ symbol: "BTCPERP", orderId: "of-usdc" });
    lists([position()], () => NEVER);
    venue.tellsOfUsdc = true;
    venue.answers(ORDERS, ({ query }) => {
      if (query["settleCoin"] === "USDC") return path === ORDERS ? NEVER : ok(page("linear", [ofUsdc]));
      return ok(page("linear", [order()]));
    });
    const { symbols, gaps, tookMs } = await look([], "hasty");
    expect(symbols).toEqual(["BTCUSDT"]);
    expect(gaps[0]?.reason).toContain("no answer in time");
    expect(tookMs).toBeLessThan(2_500);
  });
});

it("an entry order that rests without a position is no sign of one", async () => {
  lists([], () => ok(page("linear", [position()])));
  rests(order({ ...RESTING, side: "Buy", price: "48000", reduceOnly: false }));
  expect(await look()).toMatchObject({ symbols: [], gaps: [] });
  expect(askedByName(POSITIONS)).toEqual([]);
});

it("a stop that has outlived its position costs one look at the contract", async () => {
  lists([], () => ok(page("linear", [FLAT])));
  rests(order());
  expect(await look()).toMatchObject({ symbols: [], gaps: [] });
  expect(askedByName(POSITIONS)).toEqual(["BTCUSDT"]);
});

it("a reduce-only order that has outlived its position costs one request, and no more for its orders", async () => {
  lists([], () => ok(page("linear", [FLAT])));
  rests(order({ ...RESTING, reduceOnly: true }));
  expect(await look()).toMatchObject({ symbols: [], gaps: [] });
  expect([askedByName(POSITIONS), askedByName(ORDERS)]).toEqual([["BTCUSDT"], []]);
});

it("a contract for which a stop rests and of which no row is shown by name is a gap", async () => {
  lists([], () => ok(page("linear", [])));
  rests(order());
  expect((await look()).gaps).toMatchObject([{ what: "positions", symbols: ["BTCUSDT"] }]);
});

it("a list that is empty all at once, and lacks what is open, is a gap: it may lack others that nobody knows of", async () => {
  lists([position()], () => ok(page("linear", [position()])));
  rests(order());
  await look();
  lists([], () => ok(page("linear", [position()])));
  const { symbols, gaps } = await look();
  expect(symbols).toEqual(["BTCUSDT"]);
  expect(gaps).toMatchObject([{ category: "linear", what: "positions" }]);
  expect(gaps[0]).not.toHaveProperty("symbols");
});

it("a list that shows one leg of a hedge where both are open is a gap, and hides neither", async () => {
  const legs = [position({ positionIdx: 1 }), position({ positionIdx: 2, side: "Sell", stopLoss: "51000" })];
  lists([], () => ok(page("linear", legs)));
  rests();
  venue.answers(POSITIONS, ({ query: { category, symbol, settleCoin } }) =>
    ok(page(category, settleCoin === "USDC" && symbol === undefined ? [] : legs)),
  );
  await look();
  let nth = 0;
  venue.answers(POSITIONS, ({ query: { category, symbol, settleCoin } }) => {
    if (symbol !== undefined) return ok(page(category, legs));
    const isShort = settleCoin === "USDT" && ++nth > 1;
    return ok(page(category, isShort ? legs.slice(0, 1) : []));
  });
  const { positions, gaps } = await look();
  expect(new Set(positions.map(({ key }) => key.positionIdx))).toEqual(new Set([1, 2]));
  expect(gaps).toMatchObject([{ category: "linear", what: "positions" }]);
});

it("a leg that cannot be read in the repeated list hides no other, and one that was garbage by name counts as listed", async () => {
  const legs = [position({ positionIdx: 1 }), position({ positionIdx: 2, side: "Sell", stopLoss: "51000" })];
  const odd = position({ positionIdx: 1, size: "many" });
  rests();
  for (const [byName, repeated, shown, gaps] of [
    [legs, [odd], [2], [{ what: "positions" }]],
    [[odd, legs[1]], legs, [1, 2], []],
  ] as const) {
    await settled(session.close());
    session = connect();
    let nth = -1;
    venue.answers(POSITIONS, ({ query: { category, symbol, settleCoin } }) => {
      if (symbol !== undefined) return ok(page(category, byName));
      if (settleCoin !== "USDT") return ok(page(category, []));
      nth += 1;
      return ok(page(category, nth === 0 ? legs : nth === 1 ? [] : repeated));
    });
    await look();
    const again = await look();
    expect(new Set(again.positions.map(({ key }) => key.positionIdx))).toEqual(new Set(shown));
    expect(again.gaps).toMatchObject(gaps);
  }
});

it("a list that was empty for a moment is read once more, and counts", async () => {
  let lacks = 0;
  lists([position()], () => ok(page("linear", [position()])));
  rests(order());
  await look();
  venue.answers(POSITIONS, ({ query }) => {
    const { category, symbol, settleCoin } = query;
    const isEmpty = symbol === undefined && settleCoin === "USDT" && ++lacks === 1;
    return ok(
      page(
        category,
        isEmpty || settleCoin === "USDC"
          ? []
          : [position(), position({ symbol: "ETHUSDT" })].filter((row) => (symbol ?? row["symbol"]) === row["symbol"]),
      ),
    );
  });
  expect(await look()).toMatchObject({ symbols: ["BTCUSDT", "ETHUSDT"], gaps: [] });
});

describe("a contract that somebody remembers a position of", () => {
  it("is not asked for where the list shows it, nor where its list has failed", async () => {
    lists([position()], () => NEVER);
    rests(order());
    expect(await look([BTC])).toMatchObject({ symbols: ["BTCUSDT"], gaps: [] });
    await settled(session.close());
    session = connect({ categories: ["linear", "inverse"] });
    venue.answers(POSITIONS, ({ query }) =>
      query["category"] === "inverse" ? ok(page("inverse", [])) : { status: 502, body: "" },
    );
    await look([BTC]);
    expect(askedByName(POSITIONS)).toEqual([]);
  });

  it.each([
    ["alone", []],
    ["beside another", [position({ symbol: "ETHUSDT" })]],
  ])(
    "and that the list lacks is listed by its own rows where it is naked, %s, and may not be the only one",
    async (_what, rows) => {
      lists(rows, () => ok(page("linear", [position({ stopLoss: "" })])));
      const { symbols, gaps, tickers } = await look([BTC]);
      expect(symbols).toContain("BTCUSDT");
      expect(tickers.has("linear/BTCUSDT")).toBe(true);
      expect(gaps).toMatchObject([{ category: "linear", what: "positions" }]);
      expect(gaps[0]?.reason).toContain("lacks BTCUSDT");
    },
  );

  it("is believed closed where its own row agrees, for which one request is made", async () => {
    lists([], () => ok(page("linear", [FLAT])));
    const { symbols, gaps, flatLegs } = await look([BTC, BTC]);
    expect({ symbols, gaps }).toEqual({ symbols: [], gaps: [] });
    expect(flatLegs).toEqual([{ ...BTC, positionIdx: 0 }]);
    expect([askedByName(POSITIONS), askedByName(ORDERS)]).toEqual([["BTCUSDT"], []]);
  });

  it.each([
    ["cannot be read", () => refusal(10016, "Server error."), "10016"],
    ["do not come", () => NEVER, "no answer in time"],
    ["are none at all", () => ok(page("linear", [])), "it has no row"],
  ])(
    "is a gap where its own rows %s, and is waited for no longer than anything else",
    async (_what, byName, reason) => {
      lists([position({ symbol: "ETHUSDT" })], byName);
      const { symbols, gaps, tookMs } = await look([BTC]);
      expect(symbols).toEqual(["ETHUSDT"]);
      expect(gaps).toMatchObject([{ category: "linear", what: "positions", symbols: ["BTCUSDT"] }]);
      expect(gaps[0]?.reason).toContain(reason);
      expect(tookMs).toBeLessThan(8_000);
    },
  );

  it("is no flat one where only the other of its legs has a row", async () => {
    lists([], () => ok(page("linear", [{ ...FLAT, positionIdx: 2 }])));
    const { gaps } = await look([BTC]);
    expect(gaps).toMatchObject([{ what: "positions", symbols: ["BTCUSDT"] }]);
    expect(gaps[0]?.reason).toContain("only one of its legs");
  });

  it.each([
    ["is gone", "Closed", []],
    ["is a gap", "Trading", [{ what: "positions", symbols: ["ETHUSDT"] }]],
  ])("%s where its own rows are refused and the exchange names its contract: %s", async (_what, status, gaps) => {
    venue.answers(CONTRACTS, ({ query }) => {
      if (query["symbol"] === "ETHUSDT") return ok({ list: [instrument("ETHUSDT", { status })] });
      return ok({ list: query["status"] ? [] : [instrument("BTCUSDT")] });
    });
    lists([], () => refusal(10001, "params error: symbol invalid"));
    expect((await look([ETHER])).gaps).toMatchObject(gaps);
  });

  it("is gone with its contract where the exchange knows none of that name any more", async () => {
    venue.answers(CONTRACTS, ({ query }) => {
      if (query["symbol"] === "ETHUSDT") return refusal(10001, "params error: symbol invalid");
      return ok({ list: query["status"] ? [] : [instrument("BTCUSDT")] });
    });
    lists([], () => refusal(10001, "params error: symbol invalid"));
    expect(await look([ETHER])).toMatchObject({ symbols: [], gaps: [] });
    // Where it does know it, that it refuses to tell says nothing.
    expect((await look([BTC])).gaps).toMatchObject([{ what: "positions", symbols: ["BTCUSDT"] }]);
  });

  it("in a category that is not configured is nobody's business", async () => {
    await look([{ category: "inverse", symbol: "BTCUSD" }]);
    expect(askedByName(POSITIONS)).toEqual([]);
  });
});
