/** Cursors that end, cursors that lie, and lists that never end. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { BybitSession } from "../../src/exchange/bybit/index.js";
import {
  type Asked,
  closeStage,
  failureOf,
  instrument,
  ok,
  openStage,
  order,
  page,
  position,
  settled,
  ticker,
  type Told,
  type Venue,
} from "./venue.js";

let venue: Venue;
let session: BybitSession;

beforeEach(() => {
  ({ venue, session } = openStage());
  venue.answers("/v5/market/tickers", () => ok({ list: symbols(400).map(ticker) }));
  venue.answers("/v5/market/instruments-info", ({ query }) =>
    ok({ list: query["status"] ? [] : symbols(400).map((symbol) => instrument(symbol)) }),
  );
});

afterEach(() => closeStage(session));

const POSITIONS = "/v5/position/list";
const ORDERS = "/v5/order/realtime";

function symbols(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, index) => `S${from + index}USDT`);
}

function rows(count: number, from = 0): object[] {
  return symbols(count, from).map((symbol) => position({ symbol }));
}

/** The linear list answers by cursor; the first page has none. By symbol every position is there. */
function pages(byCursor: (cursor: string | undefined, asked: Asked) => Told): void {
  venue.answers(POSITIONS, (asked) => {
    const { category, symbol, cursor } = asked.query;
    if (category !== "linear") return ok(page(category, []));
    if (symbol !== undefined) return ok(page("linear", [position({ symbol })]));
    return byCursor(cursor, asked);
  });
}

function listRequests(): readonly Asked[] {
  return venue.asks(POSITIONS).filter(({ query }) => query["category"] === "linear" && query["symbol"] === undefined);
}

describe("a list of positions", () => {
  it("of 250 needs two requests, and one more for what may have moved to the first page", async () => {
    pages((cursor) =>
      cursor === undefined ? ok(page("linear", rows(200), "a%2Cb")) : ok(page("linear", rows(50, 200))),
    );
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.positions).toHaveLength(250);
    expect(snapshot.gaps).toEqual([]);
    expect(listRequests().map(({ query }) => query["cursor"])).toEqual([undefined, "a%2Cb", undefined]);
  });

  it("misses no position that moves to an earlier page while others close", async () => {
    let hasClosed = false;
    const open = () => (hasClosed ? rows(249, 1) : rows(250));
    pages((cursor) => {
      if (cursor === undefined) return ok(page("linear", open().slice(0, 200), "second"));
      hasClosed = true;
      return ok(page("linear", open().slice(200)));
    });
    const snapshot = await settled(session.reader.snapshot("account"));
    const seen = new Set(snapshot.positions.map(({ key }) => key.symbol));
    expect(symbols(249, 1).filter((symbol) => !seen.has(symbol))).toEqual([]);
    expect(snapshot.gaps).toEqual([]);
  });

  it("misses no position that moves to the first page although nothing is left for the second", async () => {
    let hasClosed = false;
    const open = () => (hasClosed ? rows(200, 1) : rows(201));
    pages((cursor) => {
      if (cursor === undefined) return ok(page("linear", open().slice(0, 200), "second"));
      hasClosed = true;
      return ok(page("linear", open().slice(200)));
    });
    const snapshot = await settled(session.reader.snapshot("account"));
    const seen = new Set(snapshot.positions.map(({ key }) => key.symbol));
    expect(symbols(200, 1).filter((symbol) => !seen.has(symbol))).toEqual([]);
    expect(snapshot.gaps).toEqual([]);
  });

  it("is followed over an empty page in its middle", async () => {
    pages((cursor) => {
      if (cursor === undefined) return ok(page("linear", rows(200), "second"));
      return ok(cursor === "second" ? page("linear", [], "third") : page("linear", rows(1, 200)));
    });
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.positions).toHaveLength(201);
    expect(snapshot.gaps).toEqual([]);
  });

  it("ends where four pages in a row are empty, whatever they name", async () => {
    pages((cursor) => ok(cursor === undefined ? page("linear", rows(200), "0") : page("linear", [], `${cursor}0`)));
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.positions).toHaveLength(200);
    expect(snapshot.gaps).toEqual([]);
    expect(listRequests().map(({ query }) => query["cursor"])).toEqual([
      undefined,
      "0",
      "00",
      "000",
      "0000",
      undefined,
    ]);
  });

  it("whose first page cannot be looked at again is void", async () => {
    pages((cursor) => {
      if (cursor !== undefined) return ok(page("linear", rows(1, 200)));
      return listRequests().length === 1 ? ok(page("linear", rows(200), "next")) : { status: 502, body: "<html>" };
    });
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.positions).toHaveLength(201);
    expect(snapshot.gaps).toContainEqual(expect.objectContaining({ category: "linear", what: "positions" }));
  });

  it("that begins with an empty page and a cursor is followed to the next page", async () => {
    pages((cursor) => ok(cursor === undefined ? page("linear", [], "next") : page("linear", rows(2))));
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.positions).toHaveLength(2);
    expect(snapshot.gaps).toEqual([]);
  });

  it("of a server that knows neither limit nor cursor proves nothing: its page may be full", async () => {
    pages(() => ok(page("linear", rows(20), "next")));
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.positions).toHaveLength(20);
    expect(snapshot.gaps).toMatchObject([{ category: "linear", what: "positions" }]);
  });

  it("of exactly 200 without a cursor is complete", async () => {
    pages(() => ok(page("linear", rows(200))));
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.positions).toHaveLength(200);
    expect(listRequests()).toHaveLength(1);
  });

  it.each([
    ["empty", []],
    ["a repetition", rows(2)],
  ])("of a server with small pages is followed over one in its middle that is %s", async (_what, odd) => {
    const next: Record<string, Told> = {
      "1": ok(page("linear", odd, "2")),
      "2": ok(page("linear", rows(2, 2), "3")),
      "3": ok(page("linear", rows(2, 4))),
    };
    pages((cursor) => next[cursor ?? ""] ?? ok(page("linear", rows(2), "1")));
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.positions.map(({ key }) => key.symbol)).toEqual(symbols(6));
    expect(snapshot.gaps).toEqual([]);
  });

  it("ends at a fourth empty page although each page before named a cursor", async () => {
    pages((cursor) =>
      ok(page("linear", cursor === undefined ? rows(3) : [], cursor === undefined ? "1" : `${cursor}0`)),
    );
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.positions).toHaveLength(3);
    expect(snapshot.gaps).toEqual([]);
    expect(listRequests().map(({ query }) => query["cursor"])).toEqual([undefined, "1", "10", "100", "1000"]);
  });

  it("proves nothing when pages only repeat under new cursors: each contract seen is read alone", async () => {
    pages(() => ok(page("linear", rows(3), `cursor ${listRequests().length}`)));
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.positions).toHaveLength(3);
    expect(snapshot.gaps).toMatchObject([{ category: "linear", what: "positions" }]);
    expect(listRequests()).toHaveLength(5);
  });

  it.each([1, 2, 3])("is followed over %i pages in its middle that are empty", async (count) => {
    pages((cursor) => {
      const passed = Number(cursor ?? "0");
      if (cursor !== undefined && passed <= count) return ok(page("linear", [], String(passed + 1)));
      return ok(cursor === undefined ? page("linear", rows(2), "1") : page("linear", rows(2, 2)));
    });
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.positions.map(({ key }) => key.symbol)).toEqual(symbols(4));
    expect(snapshot.gaps).toEqual([]);
  });

  it("ends at a short page that repeats under the cursor that led to it", async () => {
    pages(() => ok(page("linear", rows(3), "again")));
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.positions).toHaveLength(3);
    expect(snapshot.gaps).toEqual([]);
    expect(listRequests()).toHaveLength(2);
  });

  it.each([
    ["the cursor that led to it", 2, () => "again"],
    ["new cursors", 5, () => `cursor ${listRequests().length}`],
  ])(
    "proves nothing when a full page comes again under %s: each contract seen is read alone",
    async (_what, asked, next) => {
      pages(() => ok(page("linear", rows(200), next())));
      const snapshot = await settled(session.reader.snapshot("account"));
      expect(snapshot.positions).toHaveLength(200);
      expect(snapshot.gaps).toMatchObject([{ category: "linear", what: "positions" }]);
      expect(venue.asks(POSITIONS).filter(({ query }) => query["symbol"] !== undefined)).toHaveLength(200);
      expect(listRequests()).toHaveLength(asked);
    },
  );

  it.each([
    ["an empty one", ""],
    ["an empty one with a cursor", "third"],
  ])("proves nothing when a full page comes again and then %s", async (_what, last) => {
    const next: Record<string, Told> = {
      first: ok(page("linear", rows(200), "second")),
      second: ok(page("linear", [], last)),
      third: ok(page("linear", [], "fourth")),
    };
    pages((cursor) => next[cursor ?? ""] ?? ok(page("linear", rows(200), "first")));
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.positions).toHaveLength(200);
    expect(snapshot.gaps).toMatchObject([{ category: "linear", what: "positions" }]);
  });

  it.each([3, 20, 200])("of %i ends at an empty page that only leads back to itself", async (count) => {
    pages((cursor) => ok(page("linear", cursor === undefined ? rows(count) : [], "same")));
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.positions).toHaveLength(count);
    expect(snapshot.gaps).toEqual([]);
  });

  it("without a row proves nothing where it only leads back to itself", async () => {
    pages(() => ok(page("linear", [], "same")));
    const { gaps } = await settled(session.reader.snapshot("account"));
    expect(gaps).toContainEqual(expect.objectContaining({ category: "linear", what: "positions" }));
  });

  it.each(["", "same"])(
    "is read on where an empty page that led back to itself was so for a moment (%j)",
    async (last) => {
      pages((cursor) => {
        if (cursor === undefined) return ok(page("linear", rows(200), "same"));
        return listRequests().length <= 2 ? ok(page("linear", [], "same")) : ok(page("linear", rows(30, 200), last));
      });
      const snapshot = await settled(session.reader.snapshot("account"));
      expect(snapshot.positions).toHaveLength(230);
      expect(snapshot.gaps).toEqual([]);
    },
  );

  it("proves nothing where an empty page leads back to a full one", async () => {
    const next: Record<string, Told> = { second: ok(page("linear", [], "first")) };
    pages(
      (cursor) =>
        next[cursor ?? ""] ??
        ok(page("linear", rows(200, cursor === "first" ? 200 : 0), cursor === "first" ? "second" : "first")),
    );
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.positions).toHaveLength(400);
    expect(snapshot.gaps).toMatchObject([{ category: "linear", what: "positions" }]);
  });

  it("of a server with smaller pages proves nothing when one of them comes again", async () => {
    const next: Record<string, Told> = {
      second: ok(page("linear", rows(20, 20), "third")),
      third: ok(page("linear", rows(20, 20), "fourth")),
    };
    pages((cursor) => next[cursor ?? ""] ?? ok(page("linear", rows(20), "second")));
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.positions).toHaveLength(40);
    expect(snapshot.gaps).toMatchObject([{ category: "linear", what: "positions" }]);
  });

  it("ends when a cursor points at itself after a page that is not full", async () => {
    pages((cursor) =>
      cursor === undefined ? ok(page("linear", rows(200), "self")) : ok(page("linear", rows(7, 200), "self")),
    );
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.positions).toHaveLength(207);
    expect(snapshot.gaps).toEqual([]);
  });

  it("ends when cursors go round after a page that is not full", async () => {
    const next: Record<string, Told> = {
      first: ok(page("linear", rows(200, 200), "second")),
      second: ok(page("linear", rows(5, 395), "first")),
    };
    pages((cursor) => next[cursor ?? ""] ?? ok(page("linear", rows(200), "first")));
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.positions).toHaveLength(400);
    expect(snapshot.gaps).toEqual([]);
    expect(listRequests()).toHaveLength(5);
  });

  it("proves nothing when a cursor comes twice after a full page: each contract seen is read alone", async () => {
    pages((cursor) => ok(page("linear", cursor === undefined ? rows(200) : rows(200, 200), "again")));
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.positions).toHaveLength(400);
    expect(snapshot.gaps).toMatchObject([{ category: "linear", what: "positions" }]);
    expect(snapshot.gaps[0]).not.toHaveProperty("symbols");
    expect(venue.asks(POSITIONS).filter(({ query }) => query["symbol"] !== undefined)).toHaveLength(400);
  });

  it("knows a full page also from a server that serves smaller ones", async () => {
    pages((cursor) => ok(page("linear", cursor === undefined ? rows(20) : rows(20, 20), "again")));
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.positions).toHaveLength(40);
    expect(snapshot.gaps).toMatchObject([{ category: "linear", what: "positions" }]);
  });

  it("that never ends is given up after a hundred pages", async () => {
    pages((cursor) => ok(page("linear", rows(1, Number(cursor ?? "0")), `${Number(cursor ?? "0") + 1}`)));
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(listRequests()).toHaveLength(100);
    expect(snapshot.gaps).toMatchObject([{ category: "linear", what: "positions" }]);
    expect(snapshot.positions).toHaveLength(100);
  });

  it("whose second page fails for good is void: what was seen is read anew, one by one", async () => {
    pages((cursor) => (cursor === undefined ? ok(page("linear", rows(3), "next")) : { status: 502, body: "<html>" }));
    venue.answers(ORDERS, () => ok(page("linear", [])));
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(listRequests()).toHaveLength(4);
    expect(snapshot.positions).toHaveLength(3);
    expect(snapshot.gaps).toMatchObject([{ category: "linear", what: "positions" }]);
  });

  it("whose contract has no row when it is read alone leaves that contract unknown, not flat", async () => {
    const [symbol] = symbols(1);
    venue.answers(POSITIONS, ({ query }) => {
      if (query["category"] !== "linear" || query["symbol"] !== undefined) return ok(page(query["category"], []));
      return query["cursor"] === undefined ? ok(page("linear", rows(1), "next")) : { status: 502, body: "<html>" };
    });
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.positions).toEqual([]);
    expect(snapshot.unreadablePositions).toMatchObject([{ symbol, positionIdx: null }]);
  });

  it("whose contract answers neither in the list nor alone is unknown, by its name", async () => {
    const [symbol] = symbols(1);
    venue.answers(POSITIONS, ({ query }) => {
      if (query["category"] !== "linear") return ok(page(query["category"], []));
      const isFirstPage = query["symbol"] === undefined && query["cursor"] === undefined;
      if (query["settleCoin"] === "USDC") return ok(page("linear", []));
      return isFirstPage ? ok(page("linear", rows(1), "next")) : { status: 502, body: "<html>" };
    });
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.positions).toEqual([]);
    expect(snapshot.unreadablePositions).toMatchObject([{ symbol, positionIdx: null, side: null }]);
    expect(snapshot.unreadablePositions[0]?.reason).toContain("HTTP 502");
  });

  it("whose contracts name a cursor that fails, also alone, is read from the legs that were told", async () => {
    venue.answers(POSITIONS, ({ query }) => {
      const { category, symbol, cursor } = query;
      if (category !== "linear") return ok(page(category, []));
      if (cursor !== undefined) return { status: 502, body: "<html>" };
      return ok(page("linear", symbol === undefined ? rows(2) : [position({ symbol })], "next"));
    });
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.positions.map(({ key }) => key.symbol)).toEqual(symbols(2));
    expect(snapshot.unreadablePositions).toEqual([]);
  });

  it("whose second page fails once is complete all the same", async () => {
    let failures = 0;
    pages((cursor) => {
      if (cursor === undefined) return ok(page("linear", rows(200), "next"));
      failures += 1;
      return failures === 1 ? { status: 502, body: "<html>" } : ok(page("linear", rows(1, 200)));
    });
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.positions).toHaveLength(201);
    expect(snapshot.gaps).toEqual([]);
  });

  it("whose void read shows nothing ends the read", async () => {
    pages(() => ({ status: 503, body: "" }));
    expect((await failureOf(session.reader.snapshot("account"))).facts.cause).toBe("server");
  });

  it("with one flat row and a cursor is flat", async () => {
    venue.answers(POSITIONS, ({ query }) => {
      const avgPrice = query["cursor"] === undefined ? "" : "0";
      return ok(
        page("linear", [position({ symbol: "S0USDT", side: "", size: "0", avgPrice, stopLoss: "" })], "S0USDT%2C1%2C0"),
      );
    });
    const snapshot = await settled(session.reader.snapshot([{ category: "linear", symbol: "S0USDT" }]));
    expect(snapshot.positions).toEqual([]);
    expect(snapshot.unreadablePositions).toEqual([]);
    expect(snapshot.gaps).toEqual([]);
  });
});

describe("the rows of one contract", () => {
  const scope = [{ category: "linear", symbol: "S0USDT" }] as const;

  it.each([
    ["one row", [position({ symbol: "S0USDT" })]],
    [
      "both legs",
      [
        position({ symbol: "S0USDT", positionIdx: 1 }),
        position({ symbol: "S0USDT", positionIdx: 2, side: "Sell", stopLoss: "51000" }),
      ],
    ],
  ])("are complete with %s, whatever cursor they name", async (_what, list) => {
    venue.answers(POSITIONS, () => ok(page("linear", list, "S0USDT%2C1%2C0")));
    const snapshot = await settled(session.reader.snapshot(scope));
    expect(snapshot.positions).toHaveLength(list.length);
    expect(snapshot.gaps).toEqual([]);
    expect(venue.asks(POSITIONS)).toHaveLength(1);
  });

  it("are followed to the other leg of a hedge", async () => {
    const legs = [
      position({ symbol: "S0USDT", positionIdx: 2, side: "Sell", stopLoss: "51000" }),
      position({ symbol: "S0USDT", positionIdx: 1 }),
    ];
    venue.answers(POSITIONS, ({ query }) =>
      ok(query["cursor"] === undefined ? page("linear", legs.slice(0, 1), "other") : page("linear", legs.slice(1))),
    );
    const snapshot = await settled(session.reader.snapshot(scope));
    expect(snapshot.positions.map(({ key }) => key.positionIdx)).toEqual([2, 1]);
  });
});

describe("a list of orders", () => {
  it("ends with a short page that is repeated under new cursors: what rests is stated by the position's row too", async () => {
    pages(() => ok(page("linear", rows(1))));
    venue.answers(ORDERS, ({ query }) =>
      ok(page("linear", [order({ symbol: "S0USDT" })], `${query["cursor"] ?? ""}1`)),
    );
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.orders).toHaveLength(1);
    expect(snapshot.gaps).toEqual([]);
  });

  it("is followed over all its pages", async () => {
    pages(() => ok(page("linear", rows(1))));
    venue.answers(ORDERS, ({ query }) => {
      const from = Number(query["cursor"] ?? "0");
      const list = Array.from({ length: from < 100 ? 50 : 20 }, (_, index) =>
        order({ orderId: `${from + index}`, symbol: "S0USDT" }),
      );
      return ok(page("linear", list, from < 100 ? `${from + 50}` : ""));
    });
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.orders).toHaveLength(120);
    expect(venue.asks(ORDERS).map(({ query }) => [query["limit"], query["openOnly"]])).toEqual(
      Array.from({ length: 3 }, () => ["50", "0"]),
    );
  });

  it.each([
    ["the cursor that led to it", () => "again"],
    ["a new cursor", () => `cursor ${venue.asks(ORDERS).length}`],
  ])("whose full page comes again under %s is replaced by looking at each contract", async (_what, next) => {
    pages(() => ok(page("linear", rows(2))));
    const list = Array.from({ length: 50 }, (_, index) => order({ orderId: `${index}`, symbol: "S0USDT" }));
    venue.answers(ORDERS, ({ query: { symbol } }) =>
      ok(page("linear", symbol === undefined ? list : [order({ symbol, orderId: symbol })], symbol ? "" : next())),
    );
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.orders.map(({ orderId }) => orderId)).toEqual(["S0USDT", "S1USDT"]);
    expect(snapshot.gaps).toEqual([]);
  });

  it("with a lying cursor is replaced by looking at each contract with a position", async () => {
    pages(() => ok(page("linear", rows(2))));
    venue.answers(ORDERS, ({ query }) => {
      if (query["symbol"] !== undefined)
        return ok(page("linear", [order({ symbol: query["symbol"], orderId: query["symbol"] })]));
      const from = query["cursor"] === undefined ? 0 : 50;
      return ok(
        page(
          "linear",
          Array.from({ length: 50 }, (_, index) => order({ orderId: `${from + index}` })),
          "again",
        ),
      );
    });
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.orders.map(({ orderId }) => orderId)).toEqual(["S0USDT", "S1USDT"]);
    expect(snapshot.gaps).toEqual([]);
  });
});
