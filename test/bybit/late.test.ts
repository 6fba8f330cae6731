/** What a look does not wait for, what stands for it meanwhile, and what becomes of it when it comes. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { BybitSession } from "../../src/exchange/bybit/index.js";
import type { ReadScope } from "../../src/domain/snapshot.js";
import {
  after,
  closeStage,
  failureOf,
  instrument,
  NEVER,
  ok,
  openStage,
  page,
  position,
  refusal,
  settled,
  ticker,
  timePasses,
  type Told,
  type Venue,
} from "./venue.js";

let venue: Venue;
let session: BybitSession;

beforeEach(() => {
  ({ venue, session } = openStage());
  venue.answers(POSITIONS, ({ query }) =>
    ok(page(query["category"], query["category"] === "linear" ? [position()] : [])),
  );
});

afterEach(() => closeStage(session));

const MINUTE_MS = 60_000;
const CONTRACTS = "/v5/market/instruments-info";
const POSITIONS = "/v5/position/list";
const INFO = "/v5/account/info";
const DCP = "/v5/account/query-dcp-info";
const BTC = { category: "linear", symbol: "BTCUSDT" } as const;

async function look(scope: ReadScope = "account") {
  const startedAtMs = Date.now();
  const snapshot = await settled(session.reader.snapshot(scope));
  return { ...snapshot, tookMs: Date.now() - startedAtMs };
}

/** Lists by their status ("" for the contracts in trading), and what asking by name brings. */
function lists(
  byStatus: Readonly<Record<string, () => Told | Promise<Told>>>,
  byName?: (symbol: string) => Told | Promise<Told>,
) {
  venue.answers(CONTRACTS, ({ query }) => {
    const { status = "", symbol } = query;
    if (symbol !== undefined) return byName?.(symbol) ?? ok({ list: [instrument(symbol)] });
    return byStatus[status]?.() ?? ok({ list: status === "" ? [instrument("BTCUSDT")] : [] });
  });
}

const asksForLists = (status?: string) =>
  venue.asks(CONTRACTS).filter(({ query }) => query["symbol"] === undefined && query["status"] === status).length;
const FAILS = () => refusal(10016, "Server error.");
const info = (marginMode: string, isMasterTrader: boolean) => () => ok({ marginMode, isMasterTrader });

describe("a list of contracts that are not in trading", () => {
  it.each(["PreLaunch", "Delivering"])(
    "(%s) that does not come holds nothing back, and is told as a gap",
    async (status) => {
      lists({ [status]: () => NEVER });
      const first = await look();
      expect(first.positions).toHaveLength(1);
      expect(first.instruments.has("linear/BTCUSDT")).toBe(true);
      expect(first.gaps).toMatchObject([{ category: "linear", what: "positions" }]);
      expect(first.gaps[0]?.reason).toContain("no answer in time");
      expect(first.tookMs).toBeLessThan(2_500);
      const second = await look();
      expect(second.gaps).toEqual(first.gaps);
      expect(asksForLists(status)).toBe(1);
    },
  );

  it("that comes late counts for the next look", async () => {
    lists({ PreLaunch: () => after(3_000, () => ok({ list: [instrument("NEWEURX", { settleCoin: "EURX" })] })) });
    expect((await look()).gaps).toHaveLength(1);
    await timePasses(3_000);
    venue.asked.length = 0;
    expect((await look()).gaps).toEqual([]);
    expect(venue.asks(POSITIONS).map(({ query }) => query["settleCoin"])).toContain("EURX");
    expect(asksForLists("PreLaunch")).toBe(0);
  });

  it("that fails is not asked for by looks at a contract, and by looks at everything twice a minute, in the background", async () => {
    lists({ PreLaunch: FAILS });
    expect((await look()).gaps).toHaveLength(1);
    await timePasses(2_000);
    venue.asked.length = 0;
    const alone = await look([BTC]);
    expect(alone.instruments.has("linear/BTCUSDT")).toBe(true);
    expect((await look()).gaps).toHaveLength(1);
    expect(venue.asks(CONTRACTS)).toEqual([]);
    await timePasses(30_000);
    lists({ PreLaunch: () => after(1_000, () => ok({ list: [] })) });
    const again = await look();
    expect(again.gaps).toHaveLength(1);
    expect(asksForLists("PreLaunch")).toBe(1);
    expect(again.tookMs).toBeLessThan(800);
    await timePasses(1_000);
    expect((await look()).gaps).toEqual([]);
    expect(asksForLists("PreLaunch")).toBe(1);
    expect(asksForLists()).toBe(0);
  });

  it("keeps its coins read while it cannot be had anew, which is a gap after an hour", async () => {
    lists({ PreLaunch: () => ok({ list: [instrument("NEWEURX", { settleCoin: "EURX" })] }) });
    expect((await look()).gaps).toEqual([]);
    session.refreshInstruments();
    lists({ PreLaunch: () => NEVER });
    for (const [waitMs, gaps] of [
      [0, 0],
      [61 * MINUTE_MS, 1],
    ] as const) {
      await vi.advanceTimersByTimeAsync(waitMs);
      venue.asked.length = 0;
      expect((await look()).gaps).toHaveLength(gaps);
      expect(venue.asks(POSITIONS).map(({ query }) => query["settleCoin"])).toContain("EURX");
    }
  });
});

describe("the list of contracts in trading", () => {
  it("that names no coin for one of them is asked for again twice a minute, and holds no look back", async () => {
    lists({ "": () => ok({ list: [instrument("BTCUSDT"), { symbol: "AXUSD" }] }) });
    expect((await look()).gaps).toHaveLength(1);
    await timePasses(1_000);
    venue.asked.length = 0;
    expect((await look([BTC])).gaps).toEqual([]);
    expect((await look()).gaps).toHaveLength(1);
    expect(venue.asks(CONTRACTS)).toEqual([]);
    await timePasses(30_000);
    lists({});
    await look();
    await timePasses(1_000);
    expect((await look()).gaps).toEqual([]);
    expect(asksForLists()).toBe(1);
  });

  it("that does not come leaves the documented coins, and contracts that are asked for by name", async () => {
    lists({ "": () => NEVER });
    const first = await look();
    expect(first.positions).toHaveLength(1);
    expect(first.instruments.has("linear/BTCUSDT")).toBe(true);
    expect(first.gaps).toMatchObject([{ category: "linear", what: "positions" }]);
    expect(first.tookMs).toBeLessThan(9_000);
  });

  it.each([
    ["when its rules are in doubt", () => session.refreshInstruments(), []],
    ["after an hour, and is told as a gap", () => void vi.advanceTimersByTime(61 * MINUTE_MS), [{ what: "positions" }]],
  ])("that does not come again stands as it was %s", async (_when, happens, gaps) => {
    await look();
    happens();
    lists({ "": () => NEVER });
    const again = await look();
    expect(again.instruments.has("linear/BTCUSDT")).toBe(true);
    expect(again.gaps).toMatchObject(gaps);
    expect(again.tookMs).toBeLessThan(2_500);
  });

  it("is renewed before its hour is over, and no look waits for that", async () => {
    await look();
    await vi.advanceTimersByTimeAsync(55 * MINUTE_MS);
    lists({ "": () => after(2_000, () => ok({ list: [instrument("BTCUSDT")] })) });
    venue.asked.length = 0;
    expect((await look()).tookMs).toBeLessThan(800);
    await timePasses(2_000);
    await vi.advanceTimersByTimeAsync(10 * MINUTE_MS);
    expect(await look()).toMatchObject({ gaps: [] });
    expect([asksForLists(), asksForLists("PreLaunch"), asksForLists("Delivering")]).toEqual([1, 1, 1]);
  });
});

it("a contract whose rules are late keeps no other waiting, is asked for once, and is known to the next look", async () => {
  const rows = [position(), position({ symbol: "OLDUSDT" })];
  venue.answers(POSITIONS, ({ query }) => ok(page(query["category"], query["category"] === "linear" ? rows : [])));
  venue.answers("/v5/market/tickers", () => ok({ list: [ticker("BTCUSDT"), ticker("OLDUSDT")] }));
  lists({}, (symbol) => after(4_000, () => ok({ list: [instrument(symbol)] })));
  const first = await look();
  expect([...first.instruments.keys()]).toEqual(["linear/BTCUSDT"]);
  expect(first.gaps).toMatchObject([{ what: "instruments", symbols: ["OLDUSDT"] }]);
  expect(first.tookMs).toBeLessThan(2_500);
  expect((await look()).gaps).toHaveLength(1);
  await timePasses(4_000);
  expect((await look()).gaps).toEqual([]);
  expect(venue.asks(CONTRACTS).filter(({ query }) => query["symbol"] === "OLDUSDT")).toHaveLength(1);
});

it("what a look waits for after its rows makes them no younger", async () => {
  venue.answers("/v5/market/tickers", () => NEVER);
  for (const scope of ["account", [BTC]] as const) {
    const { requestedAtMs, receivedAtMs, tookMs } = await look(scope);
    const waitedMs = Date.now() - receivedAtMs;
    expect(waitedMs).toBeGreaterThanOrEqual(800);
    expect(receivedAtMs - requestedAtMs).toBeLessThanOrEqual(tookMs - waitedMs);
  }
});

it("prices that are late are asked for no further when the look is over", async () => {
  venue.answers("/v5/market/tickers", () => NEVER);
  for (const scope of ["account", [BTC]] as const) {
    venue.asked.length = 0;
    await look(scope);
    await timePasses(20_000);
    expect(venue.asks("/v5/market/tickers")).toHaveLength(1);
  }
});

describe("what an account says of itself", () => {
  it("is not waited for where it never came: it may be a copy-trading master", async () => {
    venue.answers(INFO, () => NEVER);
    const first = await look();
    expect(first).toMatchObject({ marginMode: null, copyTradingMaster: "unread", positions: [{}] });
    expect(first.gaps).toMatchObject([{ category: "account", what: "account-info" }]);
    expect(first.tookMs).toBeLessThan(4_000);
    expect(await look([BTC])).toMatchObject({ copyTradingMaster: "unread" });
  });

  it("is waited for again by the next look at everything, unless stops wait for that look", async () => {
    venue.answers(INFO, () => after(4_500, info("REGULAR_MARGIN", false)));
    expect(await look()).toMatchObject({ copyTradingMaster: "unread" });
    const hasty = await settled(session.reader.snapshot("account", "hasty"));
    expect(hasty).toMatchObject({ copyTradingMaster: "unread" });
    expect(await look()).toMatchObject({ copyTradingMaster: false, gaps: [] });
    expect(venue.asks(INFO)).toHaveLength(1);
  });

  it("is asked for by looks at a contract too as long as it was not told", async () => {
    venue.answers(INFO, FAILS);
    expect(await look()).toMatchObject({ copyTradingMaster: "unread" });
    venue.asked.length = 0;
    await settled(session.reader.snapshot([BTC], "for-a-write"));
    expect(venue.asks(INFO)).toEqual([]);
    venue.answers(INFO, info("REGULAR_MARGIN", false));
    expect(await look([BTC])).toMatchObject({ copyTradingMaster: false, marginMode: "cross" });
    venue.asked.length = 0;
    await look([BTC]);
    expect(venue.asks(INFO)).toEqual([]);
  });

  it("is as it was last told where it is late, and no gap", async () => {
    venue.answers(INFO, info("ISOLATED_MARGIN", true));
    await look();
    venue.answers(INFO, () => NEVER);
    const again = await look();
    expect(again).toMatchObject({ marginMode: "isolated", copyTradingMaster: true, gaps: [] });
    expect(again.tookMs).toBeLessThan(2_000);
  });

  it("counts for the next look where it comes late", async () => {
    venue.answers(INFO, info("ISOLATED_MARGIN", false));
    await look();
    venue.answers(INFO, () => after(2_000, info("REGULAR_MARGIN", true)));
    expect(await look()).toMatchObject({ marginMode: "isolated", copyTradingMaster: false });
    await timePasses(2_000);
    expect(await look([BTC])).toMatchObject({ marginMode: "cross", copyTradingMaster: true });
    expect(await look()).toMatchObject({ marginMode: "cross", copyTradingMaster: true });
  });

  it("in a way that cannot be read counts, however late it comes", async () => {
    await look();
    venue.answers(INFO, () => after(2_000, () => ok({ marginMode: "REGULAR_MARGIN", isMasterTrader: "perhaps" })));
    expect(await look()).toMatchObject({ copyTradingMaster: false });
    await timePasses(2_000);
    expect(await look()).toMatchObject({ copyTradingMaster: "unread" });
  });

  it("by refusing the key too late is told to the look that asks next", async () => {
    await look();
    venue.answers(INFO, () => after(2_000, () => refusal(10003, "API key is invalid.")));
    expect(await look()).toMatchObject({ marginMode: "cross" });
    await timePasses(2_000);
    venue.answers(INFO, () => refusal(10003, "API key is invalid."));
    expect((await failureOf(session.reader.snapshot("account"))).facts.cause).toBe("key");
  });

  it("is waited for where nothing else is asked for", async () => {
    venue.answers(INFO, () => after(4_000, info("REGULAR_MARGIN", false)));
    venue.answers(DCP, () => after(4_000, () => ok({ dcpInfos: [{ product: "DERIVATIVES", dcpStatus: "ON" }] })));
    expect(await look([])).toMatchObject({ copyTradingMaster: false, disconnectProtection: true });
  });
});

it("disconnect protection is not waited for, and as it was last told", async () => {
  venue.answers(DCP, () => NEVER);
  const first = await look();
  expect(first).toMatchObject({ disconnectProtection: null, gaps: [] });
  expect(first.tookMs).toBeLessThan(2_000);
  await timePasses(20_000);
  venue.answers(DCP, () => ok({ dcpInfos: [{ product: "DERIVATIVES", dcpStatus: "ON" }] }));
  expect((await look()).disconnectProtection).toBe(true);
  venue.answers(DCP, () => NEVER);
  expect((await look()).disconnectProtection).toBe(true);
});

it("options are not waited for, and counted as they were last told", async () => {
  let options: () => Told | Promise<Told> = () => NEVER;
  venue.answers(POSITIONS, ({ query }) =>
    query["category"] === "option" ? options() : ok(page(query["category"], [position()])),
  );
  const first = await look();
  expect(first.notCovered).toContain("option: not read");
  expect(first.tookMs).toBeLessThan(2_000);
  await timePasses(20_000);
  options = () => ok(page("option", [position({ symbol: "BTC-C" })]));
  expect((await look()).notCovered).toContain("option: 1 position");
  options = () => NEVER;
  expect((await look()).notCovered).toContain("option: 1 position");
});
