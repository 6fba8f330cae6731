/** What a look does where something stays silent and the rest has come. */
import { afterEach, beforeEach, describe, expect, it, test } from "vitest";
import type { BybitSession } from "../../src/exchange/bybit/index.js";
import { Pace } from "../../src/exchange/bybit/pace.js";
import { Patience } from "../../src/exchange/bybit/patience.js";
import type { Client } from "../../src/exchange/bybit/client.js";
import type { ReadScope } from "../../src/domain/snapshot.js";
import type { ReadManner } from "../../src/exchange/port.js";
import {
  after,
  type Asked,
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
  timePasses,
  type Told,
  type Venue,
} from "./venue.js";

const CONTRACTS = "/v5/market/instruments-info";
const POSITIONS = "/v5/position/list";
const ORDERS = "/v5/order/realtime";
const TICKERS = "/v5/market/tickers";
const COINS: Readonly<Record<string, string>> = { SOLPERP: "USDC", BTCUSD: "BTC" };

let venue: Venue;
let session: BybitSession;
let held: readonly string[];
let isSilent: (asked: Asked) => boolean;
let answersAfterMs: number;

beforeEach(async () => {
  ({ venue, session } = openStage());
  await settled(session.close());
  session = connect({ categories: ["linear", "inverse"] });
  venue.tellsOfUsdc = true;
  held = [...usdt(5), "SOLPERP", "BTCUSD"];
  isSilent = () => false;
  answersAfterMs = 0;
  for (const path of Object.keys(ROWS)) {
    venue.answers(path, (asked): Told | Promise<Told> => {
      if (isSilent(asked)) return NEVER;
      return answersAfterMs === 0 ? usual(asked) : after(answersAfterMs, () => usual(asked));
    });
  }
});

afterEach(() => closeStage(session));

const usdt = (count: number) => Array.from({ length: count }, (_, nth) => `F${nth}USDT`);
const categoryOf = (symbol: string) => (symbol === "BTCUSD" ? "inverse" : "linear");
const contract = (symbol: string) => ({ category: categoryOf(symbol), symbol }) as const;

/** The held contracts that a request is about. */
function asksAbout({ query: { category, symbol, settleCoin } }: Asked): readonly string[] {
  return held.filter(
    (each) =>
      categoryOf(each) === category &&
      (symbol ?? each) === each &&
      (settleCoin === undefined || settleCoin === (COINS[each] ?? "USDT")),
  );
}

const ROWS: Readonly<Record<string, (asked: Asked) => readonly object[]>> = {
  [CONTRACTS]: (asked) =>
    asked.query["status"] === undefined
      ? asksAbout(asked).map((symbol) => instrument(symbol, { settleCoin: COINS[symbol] ?? "USDT" }))
      : [],
  [TICKERS]: (asked) => asksAbout(asked).map(ticker),
  [POSITIONS]: (asked) => asksAbout(asked).map((symbol) => position({ symbol })),
  [ORDERS]: (asked) => asksAbout(asked).map((symbol) => order({ symbol, orderId: symbol })),
};

const usual = (asked: Asked): Told => ok(page(asked.query["category"], ROWS[asked.path]?.(asked) ?? []));

async function look(manner: ReadManner, scope: ReadScope = "account") {
  const startedAtMs = Date.now();
  const snapshot = await settled(session.reader.snapshot(scope, manner));
  return { ...snapshot, tookMs: Date.now() - startedAtMs };
}

type Looked = Awaited<ReturnType<typeof look>>;

/** Contracts whose position, orders and rules were all shown. */
const whole = ({ positions, orders, instruments, tickers }: Looked) =>
  positions
    .map(({ key }) => key.symbol)
    .filter(
      (symbol) =>
        orders.some((each) => each.symbol === symbol) &&
        instruments.has(`${categoryOf(symbol)}/${symbol}`) &&
        tickers.has(`${categoryOf(symbol)}/${symbol}`),
    )
    .toSorted();

const isAbout = (symbols: readonly string[], path: string) => (asked: Asked) =>
  asked.path === path && asksAbout(asked).some((each) => symbols.includes(each));
const isCategory =
  (category: string, path: string) =>
  ({ query, ...asked }: Asked) =>
    asked.path === path && query["category"] === category;

describe("a hasty look", () => {
  it.each<readonly [string, (asked: Asked) => boolean, readonly string[]]>([
    ["the orders of another coin", isAbout(["SOLPERP"], ORDERS), ["SOLPERP"]],
    ["the positions of another coin", isAbout(["SOLPERP"], POSITIONS), ["SOLPERP"]],
    ["the orders of another category", isCategory("inverse", ORDERS), ["BTCUSD"]],
    ["the positions of another category", isCategory("inverse", POSITIONS), ["BTCUSD"]],
    ["the rules of another category", isCategory("inverse", CONTRACTS), ["BTCUSD"]],
    ["the prices of another category", isCategory("inverse", TICKERS), ["BTCUSD"]],
    ["its own list and the orders of one contract", isAbout(["F0USDT"], ORDERS), ["F0USDT"]],
    ["the list of contracts in trading", ({ path, query }) => path === CONTRACTS && query["symbol"] === undefined, []],
  ])("goes on without %s, shows the rest, and names the gap", async (_what, silent, lacking) => {
    for (const count of [1, 5, 20]) {
      held = [...usdt(count), "SOLPERP", "BTCUSD"];
      await settled(session.close());
      session = connect({ categories: ["linear", "inverse"] });
      isSilent = silent;
      const looked = await look("hasty");
      expect(whole(looked)).toEqual(held.filter((symbol) => !lacking.includes(symbol)).toSorted());
      expect(looked.gaps.length).toBeGreaterThan(0);
      expect(looked.tookMs).toBeLessThan(2_600);
    }
  });

  it("shows the position whose orders stay silent, under a gap of its own", async () => {
    isSilent = isAbout(["SOLPERP"], ORDERS);
    const looked = await look("hasty");
    expect(looked.positions.map(({ key }) => key.symbol)).toContain("SOLPERP");
    expect(looked).toMatchObject({ gaps: [{ what: "orders", symbols: ["SOLPERP"] }], wentOnWithout: true });
  });

  it.each([5, 20])(
    "at %i contracts that one of them leaves out is made by name, not at everything, and keeps none of the others",
    async (count) => {
      held = [...usdt(count), "SOLPERP"];
      await look("hasty");
      isSilent = isAbout(["SOLPERP"], ORDERS);
      await look("hasty");
      venue.asked.length = 0;
      const looked = await look("hasty", usdt(count).map(contract));
      expect(looked).toMatchObject({ gaps: [], wentOnWithout: false });
      expect(looked.tookMs).toBeLessThan(800);
      expect(venue.asks(POSITIONS).every(({ query }) => query["symbol"] !== undefined)).toBe(true);
      const mixed = await look("hasty", held.map(contract));
      expect(whole(mixed)).toEqual(usdt(count).toSorted());
      expect(mixed.tookMs).toBeLessThan(2_000);
    },
  );

  it("at one contract alone waits for it", async () => {
    await look("prompt");
    answersAfterMs = 3_000;
    expect(await look("hasty", [contract("SOLPERP")])).toMatchObject({ gaps: [], positions: [{}] });
  });

  it("at one contract alone gives it up soon where its price comes and its position does not", async () => {
    await look("prompt");
    isSilent = isAbout(["SOLPERP"], POSITIONS);
    const startedAtMs = Date.now();
    await expect(look("hasty", [contract("SOLPERP")])).rejects.toThrow("no answer in time");
    expect(Date.now() - startedAtMs).toBeLessThan(2_000);
  });

  it("at one contract alone shows its row where its orders stay silent", async () => {
    await look("prompt");
    isSilent = isAbout(["SOLPERP"], ORDERS);
    const looked = await look("hasty", [contract("SOLPERP")]);
    expect(looked).toMatchObject({ positions: [{}], orders: [], gaps: [{ what: "orders", symbols: ["SOLPERP"] }] });
    expect(looked.tookMs).toBeLessThan(2_000);
  });

  it.each<readonly [string, (asked: Asked) => boolean, object]>([
    [
      "shows its row where its orders stay silent",
      isAbout(["SOLPERP"], ORDERS),
      { orders: [], gaps: [{ what: "orders" }] },
    ],
    ["shows all that there is", () => false, { orders: [{}], gaps: [] }],
  ])("of one contract for a write %s", async (_what, silent, shown) => {
    await look("prompt");
    isSilent = silent;
    const looked = await look("for-a-write", [contract("SOLPERP")]);
    expect(looked).toMatchObject({ positions: [{}], ...shown });
    expect(looked.tookMs).toBeLessThan(2_000);
  });

  it("of one contract for a write, by a key that is refused, ends in order", async () => {
    await look("prompt");
    // A rejection that nobody handles fails the test.
    for (const path of [POSITIONS, ORDERS])
      venue.answers(path, () => after(path === ORDERS ? 200 : 0, () => refusal(10_003, "API key is invalid.")));
    await expect(look("for-a-write", [contract("SOLPERP")])).rejects.toThrow("10003");
    await timePasses(1_000);
  });

  it("of one contract for a write waits for its row", async () => {
    await look("prompt");
    venue.answers(POSITIONS, (asked) => after(3_000, () => usual(asked)));
    expect(await look("for-a-write", [contract("SOLPERP")])).toMatchObject({ positions: [{}], gaps: [] });
  });

  it("waits longer for what came too late for the look before", async () => {
    venue.answers(ORDERS, (asked) => {
      return asksAbout(asked).includes("SOLPERP") ? after(1_500, () => usual(asked)) : usual(asked);
    });
    expect(await look("hasty")).toMatchObject({ gaps: [{ symbols: ["SOLPERP"] }], wentOnWithout: true });
    await timePasses(2_000);
    expect(await look("hasty")).toMatchObject({ gaps: [], wentOnWithout: false });
    await timePasses(130_000);
    answersAfterMs = 0;
    expect((await look("hasty")).gaps).toHaveLength(1);
  });

  it("waits for a further try that our own budget holds back", async () => {
    let asked = 0;
    const isFirst = (one: Asked) => isAbout(["SOLPERP"], POSITIONS)(one) && ++asked === 1;
    venue.answers(POSITIONS, (one) => (isFirst(one) ? refusal(10_006, "Too many visits!") : usual(one)));
    expect(await look("hasty")).toMatchObject({ gaps: [], wentOnWithout: false });
  });

  it("waits where everything is slow", async () => {
    answersAfterMs = 1_500;
    const looked = await look("hasty");
    expect(whole(looked)).toEqual([...held].toSorted());
    expect(looked).toMatchObject({ gaps: [], wentOnWithout: false });
  });

  it("waits for requests that our own budget holds back", async () => {
    held = usdt(90);
    const looked = await look("hasty", held.map(contract));
    expect(looked.tookMs).toBeGreaterThan(1_000);
    expect(looked).toMatchObject({ gaps: [], wentOnWithout: false });
  });
});

describe("a look that holds nothing back", () => {
  it("waits for one that is lost on the wire, and asked for again", async () => {
    let asked = 0;
    isSilent = (one) => isAbout(["SOLPERP"], POSITIONS)(one) && ++asked === 1;
    const looked = await look("prompt");
    expect(whole(looked)).toEqual([...held].toSorted());
    expect(looked.gaps).toEqual([]);
  });

  it("goes on without one that answers no try, and no further try leaves for it", async () => {
    isSilent = isAbout(["SOLPERP"], ORDERS);
    const looked = await look("prompt");
    expect(looked.tookMs).toBeLessThan(9_000);
    expect(looked).toMatchObject({ gaps: [{ what: "orders", symbols: ["SOLPERP"] }], wentOnWithout: false });
    venue.asked.length = 0;
    await timePasses(20_000);
    expect(venue.asks(ORDERS)).toEqual([]);
  });
});

describe("one contract that stays silent costs no other of its list,", () => {
  const isAlone = ({ path, query }: Asked) => path === POSITIONS && query["symbol"] === "F0USDT";
  const others = () => held.filter((each) => each !== "F0USDT").toSorted();
  const answer = (asked: Asked) => (isSilent(asked) ? NEVER : usual(asked));

  it.each(["hasty", "prompt"] as const)("where the list is void (%s)", async (manner) => {
    isSilent = isAlone;
    venue.answers(POSITIONS, (asked) => {
      const { settleCoin, symbol, cursor } = asked.query;
      if (cursor !== undefined) return refusal(10_001, "no such page");
      return settleCoin === "USDT" && symbol === undefined
        ? ok(page("linear", ROWS[POSITIONS]?.(asked) ?? [], "next"))
        : answer(asked);
    });
    const looked = await look(manner);
    expect(whole(looked)).toEqual(others());
    expect(looked.gaps).toMatchObject([{ what: "positions" }]);
    expect(looked.unreadablePositions).toMatchObject([{ symbol: "F0USDT" }]);
  });

  it("where a list is empty all at once, and its contracts are looked at by name", async () => {
    await look("prompt");
    isSilent = isAlone;
    venue.answers(POSITIONS, (asked) =>
      asked.query["settleCoin"] === "USDT" ? ok(page("linear", [])) : answer(asked),
    );
    const looked = await look("hasty");
    expect(looked.positions.map(({ key }) => key.symbol).toSorted()).toEqual(others());
    expect(looked.gaps[0]).toMatchObject({ what: "positions" });
  });

  it("where it is the second page that does not come, those of the first are looked at by name", async () => {
    venue.answers(POSITIONS, (asked) => {
      const { category, settleCoin, symbol, cursor } = asked.query;
      if (cursor !== undefined) return NEVER;
      const isPaged = settleCoin === "USDT" && symbol === undefined;
      const rows = ROWS[POSITIONS]?.(asked) ?? [];
      return ok(page(category, rows, isPaged ? "next" : ""));
    });
    const looked = await look("hasty");
    expect(whole(looked)).toEqual([...held].toSorted());
    expect(looked.gaps).toMatchObject([{ what: "positions" }]);
    expect(looked.tookMs).toBeLessThan(3_000);
  });
});

test("rows are as old as they are, however long the look waited for others", async () => {
  isSilent = isAbout(["SOLPERP"], POSITIONS);
  const { shownAtMs, requestedAtMs, receivedAtMs } = await look("prompt");
  expect(receivedAtMs - requestedAtMs).toBeGreaterThan(5_000);
  expect((shownAtMs.get("linear/F0USDT") ?? Number.NaN) - requestedAtMs).toBeLessThan(500);
});

describe("to have read all orders", () => {
  beforeEach(async () => {
    await settled(session.close());
    session = connect({ categories: ["linear", "inverse"], orderLists: "all" });
  });

  it("a list that is a little slow is waited for, though its contracts have come by name", async () => {
    venue.answers(ORDERS, (asked) => {
      return asked.query["symbol"] === undefined ? after(1_000, () => usual(asked)) : usual(asked);
    });
    expect(await look("hasty")).toMatchObject({ gaps: [], allOrders: true });
  });

  it("the coins of all contracts must be known", async () => {
    isSilent = ({ path, query }) => path === CONTRACTS && query["symbol"] === undefined;
    expect(await look("hasty")).toMatchObject({ allOrders: false });
  });
});

describe("a list of orders", () => {
  const isUsdtList = ({ path, query }: Asked) => path === ORDERS && query["settleCoin"] === "USDT";

  it("that stays silent is replaced by its contracts, asked for by name meanwhile", async () => {
    isSilent = isUsdtList;
    for (const manner of ["hasty", "prompt"] as const) {
      const looked = await look(manner);
      expect(whole(looked)).toEqual([...held].toSorted());
      expect(looked.gaps).toEqual([]);
      expect(looked.tookMs).toBeLessThan(2_000);
    }
  });

  it("that is only slow counts, though its contracts were asked for by name", async () => {
    venue.answers(ORDERS, (asked) => {
      return asked.query["symbol"] === undefined ? after(700, () => usual(asked)) : NEVER;
    });
    expect(whole(await look("hasty"))).toEqual([...held].toSorted());
  });

  it("that goes on page by page is not asked for by name", async () => {
    const pages = 8;
    venue.answers(ORDERS, ({ query }) => {
      const nth = Number(query["cursor"] ?? "0");
      const rows = Array.from({ length: 50 }, (_, row) => order({ symbol: "F0USDT", orderId: `${nth}/${row}` }));
      const isUsdt = query["settleCoin"] === "USDT";
      const cursor = isUsdt && nth < pages - 1 ? String(nth + 1) : "";
      return after(200, () => ok(page(query["category"], isUsdt ? rows : [], cursor)));
    });
    const looked = await look("hasty");
    expect(looked.orders).toHaveLength(50 * pages);
    expect(looked.gaps).toEqual([]);
    expect(venue.asks(ORDERS).filter(({ query }) => query["symbol"] !== undefined)).toEqual([]);
  });
});

it.each<readonly [string, number]>([
  ["while it goes on", 300],
  ["while its requests by name are under way", 600],
  ["when it has gone on without them", 2_000],
])("closing the connection %s ends a look with silent parts in order", async (_when, afterMs) => {
  isSilent = ({ path, query }) => path === ORDERS || (path === POSITIONS && query["settleCoin"] === "USDC");
  const looking = session.reader.snapshot("account", "hasty").catch((error: unknown) => error);
  await timePasses(afterMs);
  await settled(session.close());
  await settled(looking);
  venue.asked.length = 0;
  // A rejection that nobody handles fails the test.
  await timePasses(20_000);
  expect(venue.asked).toEqual([]);
});

it("a process that stood still has heard nothing meanwhile, and listens on", async () => {
  let nowMs = 0;
  const clock = { now: () => nowMs, monotonicMs: () => nowMs, steadyMs: () => nowMs };
  const patience = new Patience({ client: {} as Client, clock, pace: new Pace(clock), silentMs: 800 });
  const comesAfter = (ms: number) =>
    patience.wait(
      timePasses(ms).then(() => "answered"),
      () => true,
      () => "silent",
    );
  await comesAfter(0);
  const late = comesAfter(900);
  nowMs += 5_000;
  expect(await late).toBe("answered");
  expect(patience.wentOn()).toBe(false);
});
