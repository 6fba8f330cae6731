/** How fast requests leave, and which goes first. */
import nock from "nock";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { dec } from "../../src/domain/decimal.js";
import { type BybitConnection, type BybitSession, createIpBudget } from "../../src/exchange/bybit/index.js";
import { connect, holdTime, instrument, ok, openVenue, page, position, refusal, settled, type Venue } from "./venue.js";

let venue: Venue;
let sessions: BybitSession[];

beforeEach(() => {
  nock.disableNetConnect();
  holdTime();
  venue = openVenue();
  sessions = [];
});

afterEach(async () => {
  for (const session of sessions) await settled(session.close());
  nock.cleanAll();
  nock.enableNetConnect();
  vi.useRealTimers();
});

const TRADING_STOP = "/v5/position/trading-stop";
const POSITIONS = "/v5/position/list";
const INSTRUMENTS = "/v5/market/instruments-info";

function open(over: Partial<BybitConnection> = {}): BybitSession {
  const session = connect(over);
  sessions.push(session);
  return session;
}

function write(session: BybitSession, priority: number, symbol = `P${priority}USDT`): Promise<number> {
  return session
    .writer()
    .setTradingStop(
      {
        key: { account: "main", category: "linear", symbol, positionIdx: 0 },
        side: "long",
        stopLoss: { price: dec("1"), triggerBy: "MarkPrice" },
      },
      { priority, veto: () => null },
    )
    .then(({ sentAtMs }) => sentAtMs);
}

function gapsBetween(times: readonly number[]): number[] {
  const sorted = times.toSorted((first, second) => first - second);
  return sorted.slice(1).map((time, index) => time - (sorted[index] ?? time));
}

describe("writes", () => {
  it("leave evenly spaced at nine per second, without waiting for answers", async () => {
    const session = open();
    const started = Date.now();
    const sent = await settled(Promise.all(Array.from({ length: 19 }, (_, index) => write(session, index))));
    for (const gap of gapsBetween(sent)) expect(gap).toBeGreaterThanOrEqual(100);
    const lastMs = Math.max(...sent) - started;
    expect(lastMs).toBeGreaterThanOrEqual(1_980);
    expect(lastMs).toBeLessThanOrEqual(2_050);
  });

  it("leave in order of urgency, not of arrival", async () => {
    const session = open();
    await settled(Promise.all([0, 1, 5, 3, 4].map((priority) => write(session, priority))));
    const order = venue.asks(TRADING_STOP).map(({ body }) => JSON.parse(body).symbol);
    expect(order).toEqual(["P0USDT", "P5USDT", "P4USDT", "P3USDT", "P1USDT"]);
  });

  it("let a more urgent one overtake that comes while others wait", async () => {
    const session = open();
    const waiting = Promise.all([0, 1, 2, 3].map((priority) => write(session, priority)));
    await vi.advanceTimersByTimeAsync(150);
    await settled(Promise.all([waiting, write(session, 9)]));
    expect(venue.asks(TRADING_STOP).map(({ body }) => JSON.parse(body).symbol)).toEqual([
      "P0USDT",
      "P3USDT",
      "P9USDT",
      "P2USDT",
      "P1USDT",
    ]);
  });

  it("go on when the wall clock steps back an hour", async () => {
    const session = open();
    await settled(write(session, 0));
    vi.setSystemTime(Date.now() - 3_600_000);
    const startedMs = performance.now();
    await settled(Promise.all([write(session, 1), write(session, 2)]));
    expect(performance.now() - startedMs).toBeLessThan(1_000);
  });

  it("rest until the reset when the exchange says that none are left", async () => {
    const session = open();
    const resetMs = Date.now() + 2_000;
    venue.answers(TRADING_STOP, () => ({
      ...ok({}),
      headers: {
        "x-bapi-limit": "10",
        "x-bapi-limit-status": "0",
        "x-bapi-limit-reset-timestamp": String(resetMs),
      },
    }));
    await settled(write(session, 0));
    expect(await settled(write(session, 1))).toBeGreaterThanOrEqual(resetMs);
  });

  it("are not held up by a reset time that lies in the past, as it does while requests are left", async () => {
    const session = open();
    venue.answers(TRADING_STOP, () => ({
      ...ok({}),
      headers: { "x-bapi-limit": "10", "x-bapi-limit-status": "0", "x-bapi-limit-reset-timestamp": String(Date.now()) },
    }));
    const first = await settled(write(session, 0));
    expect((await settled(write(session, 1))) - first).toBeLessThan(500);
  });
});

describe("what everybody may ask", () => {
  it("rests until the reset when it is refused for its number, and is asked again then", async () => {
    const session = open();
    const resetMs = Date.now() + 2_500;
    const told = (list: readonly unknown[]) =>
      Date.now() < resetMs ? refusal(10006, "Too many visits!") : ok({ list });
    const headers = {
      "x-bapi-limit": "10",
      "x-bapi-limit-status": "0",
      "x-bapi-limit-reset-timestamp": String(resetMs),
    };
    venue.answers(POSITIONS, ({ query }) =>
      ok(page(query["category"], query["category"] === "linear" ? [position()] : [])),
    );
    venue.answers(INSTRUMENTS, ({ query }) => ({ ...told(query["status"] ? [] : [instrument("BTCUSDT")]), headers }));
    const snapshot = await settled(session.reader.snapshot("account"));
    expect(snapshot.instruments.get("linear/BTCUSDT")?.tickSize.toFixed()).toBe("0.1");
    const early = venue.asks(INSTRUMENTS).filter(({ atMs }) => atMs < resetMs);
    expect(early).toHaveLength(3);
  });
});

describe("the address", () => {
  it("sends no more than its share in any five seconds, all accounts together", async () => {
    const ipBudget = createIpBudget(0.01);
    const budget = { writesPerSecond: 100, ipShare: 1 };
    const both = [open({ ipBudget, budget }), open({ ipBudget, budget })];
    const sent = await settled(
      Promise.all(both.flatMap((session) => [1, 2, 3, 4, 5].map((each) => write(session, each)))),
    );
    const sorted = sent.toSorted((first, second) => first - second);
    for (const [index, time] of sorted.entries()) {
      const inWindow = sorted.slice(index).filter((other) => other - time < 5_000);
      expect(inWindow.length).toBeLessThanOrEqual(6);
    }
    expect((sorted.at(-1) ?? 0) - (sorted[0] ?? 0)).toBeGreaterThanOrEqual(5_000);
  });

  it("lets writes go before reads when it is used up", async () => {
    // Far enough apart that what leaves later also arrives later.
    const session = open({ ipBudget: createIpBudget(0.01), budget: { writesPerSecond: 5, ipShare: 1 } });
    venue.answers("/v5/user/query-api", () => ok({ readOnly: 0, permissions: {} }));
    await settled(Promise.all([1, 2, 3, 4, 5].map((each) => write(session, each))));
    const reads = [session.reader.keyInfo(), session.reader.keyInfo(), session.reader.keyInfo()];
    await vi.advanceTimersByTimeAsync(50);
    await settled(Promise.all([...reads, write(session, 1)]));
    const later = venue.asked.slice(5).map(({ path }) => path);
    expect(later.indexOf(TRADING_STOP)).toBe(1);
  });
});

describe("reads", () => {
  it("of many contracts stay within what the exchange allows per second", async () => {
    const session = open({ budget: { writesPerSecond: 9, ipShare: 1 } });
    venue.answers(POSITIONS, ({ query }) => ok(page("linear", [position({ symbol: query["symbol"] })])));
    const scope = Array.from({ length: 120 }, (_, index) => ({ category: "linear", symbol: `S${index}` }) as const);
    const { gaps } = await settled(session.reader.snapshot(scope));
    expect(gaps.filter(({ what }) => what === "positions")).toEqual([]);
    const asked = venue.asks(POSITIONS);
    expect(asked).toHaveLength(120);
    const spanMs = (asked.at(-1)?.atMs ?? 0) - (asked[0]?.atMs ?? 0);
    expect(spanMs).toBeGreaterThanOrEqual(1_900);
  });

  const scopeOf = (name: string, contracts: number) =>
    Array.from({ length: contracts }, (_, index) => ({ category: "linear", symbol: `${name}${index}` }) as const);
  const firstAsk = (symbol: string) => venue.asks(POSITIONS).find(({ query }) => query["symbol"] === symbol)?.atMs ?? 0;

  it("that are patient leave half of each second to those of a pass, which overtake them", async () => {
    const session = open({ budget: { writesPerSecond: 9, ipShare: 1 } });
    venue.answers(POSITIONS, ({ query }) => ok(page("linear", [position({ symbol: query["symbol"] })])));
    const startedMs = Date.now();
    const patient = session.reader.snapshot(scopeOf("PATIENT", 60), "patient");
    await vi.advanceTimersByTimeAsync(100);
    const prompt = session.reader.snapshot(scopeOf("PROMPT", 20));
    await settled(Promise.all([patient, prompt]));
    expect(firstAsk("PROMPT19") - startedMs).toBeLessThan(1_000);
    expect(firstAsk("PATIENT59") - startedMs).toBeGreaterThan(1_500);
  });

  it("that are patient leave half of the address's share to everybody else", async () => {
    const ipBudget = createIpBudget(0.1);
    const budget = { writesPerSecond: 9, ipShare: 1 };
    const [one, other] = [open({ ipBudget, budget }), open({ ipBudget, budget })];
    venue.answers(POSITIONS, ({ query }) => ok(page("linear", [position({ symbol: query["symbol"] })])));
    const startedMs = Date.now();
    const patient = one.reader.snapshot(scopeOf("PATIENT", 30), "patient");
    await vi.advanceTimersByTimeAsync(100);
    const prompt = other.reader.snapshot(scopeOf("PROMPT", 4));
    await settled(Promise.all([patient, prompt]));
    expect(firstAsk("PROMPT3") - startedMs).toBeLessThan(1_000);
  });
});
