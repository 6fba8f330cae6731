/** bybit-api over the simulated exchange: what its fills tell of positions opened, scaled, flipped and closed while nobody looked. */
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { dec, print } from "../../src/domain/decimal.js";
import type { PositionIdx } from "../../src/domain/position.js";
import { type BybitSession, connectBybit } from "../../src/exchange/bybit/index.js";
import { type Simulator, startSimulator } from "../../src/exchange/simulator/index.js";
import { systemClock } from "../../src/runtime/index.js";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let simulator: Simulator;
let session: BybitSession;
/** How long ago the exchange's present is; zero while it is asked. */
let agoMs = 0;
let startMs = 0;

beforeEach(async () => {
  startMs = systemClock.now();
  agoMs = 0;
  const key = "c".repeat(18);
  const secret = "d".repeat(36);
  const instruments = ["AUSDT", "HUSDT"].map((symbol) => ({ symbol, price: "100.0", tickSize: "0.1" }));
  const accounts = [{ name: "main", key, secret }];
  const now = () => (agoMs === 0 ? systemClock.now() : startMs - agoMs);
  simulator = await startSimulator({ seed: 5, accounts, instruments, now });
  simulator.exchange.setAccount({ statesOpenTime: false });
  session = connectBybit({
    account: "main",
    environment: "custom",
    region: "default",
    restUrl: simulator.restUrl,
    key,
    secret,
    categories: ["linear"],
    budget: { writesPerSecond: 9, ipShare: 0.5 },
    clock: systemClock,
  });
});

afterEach(async () => {
  await session.close();
  await simulator.close();
});

const keyOf = (symbol: string, positionIdx: PositionIdx) =>
  ({ account: "main", category: "linear", symbol, positionIdx }) as const;

/** The exchange does this so long ago, and is back in the present. */
function past(thatLongMs: number, deed: () => unknown): number {
  agoMs = thatLongMs;
  deed();
  agoMs = 0;
  return startMs - thatLongMs;
}

/** Of each position that is open now, by leg, as its row shows it and as its fills tell it. */
async function openings(symbol: string) {
  const { positions } = await session.reader.snapshot([{ category: "linear", symbol }]);
  const told = positions.map(async (position) => {
    expect(position.openedAtMs).toBeNull();
    return [position.key.positionIdx, await session.fills.openedAtMs(position)] as const;
  });
  return Object.fromEntries(await Promise.all(told));
}

describe("the opening of a position whose row does not state it", () => {
  const exchange = () => simulator.exchange;
  const long = (size: string) => exchange().open({ symbol: "AUSDT", side: "long", size });

  test("is found through growth, partial closes and weeks without a fill", async () => {
    past(40 * DAY_MS, () => long("1"));
    past(39 * DAY_MS, () => exchange().close({ symbol: "AUSDT" }));
    const openedAtMs = past(30 * DAY_MS, () => long("2"));
    past(29 * DAY_MS, () => exchange().reduce({ symbol: "AUSDT", size: "1.5" }));
    past(2 * HOUR_MS, () => long("3"));
    past(1 * HOUR_MS, () => exchange().deleverage({ symbol: "AUSDT", size: "0.5" }));
    expect(await openings("AUSDT")).toEqual({ 0: openedAtMs });
  });

  test("is the flip of the one before", async () => {
    past(3 * DAY_MS, () => long("1"));
    const openedAtMs = past(DAY_MS, () => exchange().flip({ symbol: "AUSDT", size: "2" }));
    past(HOUR_MS, () => exchange().open({ symbol: "AUSDT", side: "short", size: "1" }));
    expect(await openings("AUSDT")).toEqual({ 0: openedAtMs });
  });

  test("is its own for each leg of a hedge", async () => {
    const leg = (side: "long" | "short", size: string) => exchange().open({ symbol: "HUSDT", side, size, hedge: true });
    const longAtMs = past(9 * DAY_MS, () => leg("long", "1"));
    past(8 * DAY_MS, () => leg("short", "2"));
    past(7 * DAY_MS, () => exchange().close({ symbol: "HUSDT", positionIdx: 2 }));
    past(6 * DAY_MS, () => leg("long", "1"));
    const shortAtMs = past(5 * DAY_MS, () => leg("short", "3"));
    expect(await openings("HUSDT")).toEqual({ 1: longAtMs, 2: shortAtMs });
  });

  test("survives more fills than a page holds, and cursors that lie", async () => {
    const openedAtMs = past(8 * DAY_MS, () => long("1"));
    for (let index = 0; index < 230; index += 1) past(6 * DAY_MS - (index * HOUR_MS) / 2, () => long("0.1"));
    for (const kind of ["lastCursorEmptyPage", "lastCursorRepeat"] as const) {
      exchange().setFault({ kind, path: "/v5/execution/list" });
      expect(await openings("AUSDT")).toEqual({ 0: openedAtMs });
    }
  });

  test("is not guessed where the exchange has forgotten the fills", async () => {
    past(3 * DAY_MS, () => long("1"));
    past(HOUR_MS, () => long("1"));
    exchange().setAccount({ fillsKeptMs: DAY_MS });
    expect(await openings("AUSDT")).toEqual({ 0: null });
  });

  test("is what the row states, where it states it", async () => {
    exchange().setAccount({ statesOpenTime: true });
    const openedAtMs = past(DAY_MS, () => long("1"));
    const [position] = (await session.reader.snapshot([{ category: "linear", symbol: "AUSDT" }])).positions;
    if (position === undefined) throw new Error("no position");
    expect(position.openedAtMs).toBe(openedAtMs);
    expect(await session.fills.openedAtMs(position)).toBe(openedAtMs);
  });
});

describe("a position that was closed while nobody looked", () => {
  const seen = 2 * DAY_MS;
  const since = () => session.fills.closedSince(keyOf("AUSDT", 0), "long", startMs - seen);
  const open = () =>
    simulator.exchange.open({ symbol: "AUSDT", side: "long", size: "2", stopLoss: "95.0", takeProfit: "110.0" });
  const price = (to: string) => simulator.exchange.setPrice({ symbol: "AUSDT", price: to });

  beforeEach(() => void past(9 * DAY_MS, open));

  test.each([
    ["its stop", () => price("94.0")],
    ["its take-profit", () => price("111.0")],
    ["settlement", () => simulator.exchange.deliver({ symbol: "AUSDT" })],
    ["deleveraging", () => simulator.exchange.deleverage({ symbol: "AUSDT", size: "2" })],
    ["an order", () => simulator.exchange.close({ symbol: "AUSDT" })],
    ["an order", () => simulator.exchange.flip({ symbol: "AUSDT" })],
  ] as const)("was ended by %s", async (by, deed) => {
    const atMs = past(DAY_MS, deed);
    expect(await since()).toEqual({ atMs, by });
  });

  test("was liquidated, where its stop was gone", async () => {
    past(DAY_MS + HOUR_MS, () => {
      simulator.exchange.tradingStop({ symbol: "AUSDT", tpslMode: "Full", positionIdx: 0, stopLoss: "0" });
    });
    const atMs = past(DAY_MS, () => price("80.0"));
    expect(await since()).toEqual({ atMs, by: "liquidation" });
  });

  test("and opened again the same, is seen through", async () => {
    const atMs = past(DAY_MS, () => price("94.0"));
    const again = past(HOUR_MS, () => simulator.exchange.open({ symbol: "AUSDT", side: "long", size: "2" }));
    expect(await since()).toEqual({ atMs, by: "its stop" });
    expect(await openings("AUSDT")).toEqual({ 0: again });
  });

  test("or was not, is told apart", async () => {
    past(DAY_MS, () => simulator.exchange.reduce({ symbol: "AUSDT", size: "1" }));
    expect(await since()).toBeNull();
  });
});

test("whatever was traded, the fills tell the opening that the exchange itself would state", async () => {
  const deeds = fc.array(
    fc.record({
      does: fc.constantFrom("long", "short", "reduce", "close", "flip"),
      symbol: fc.constantFrom("AUSDT", "HUSDT"),
      positionIdx: fc.constantFrom(1, 2),
      size: fc.integer({ min: 1, max: 30 }).map((tenths) => print(dec(`${tenths}`).div(10))),
    }),
    { minLength: 5, maxLength: 25 },
  );
  const [drawn = []] = fc.sample(deeds, { numRuns: 1, seed: 7 });
  const more = fc.sample(deeds, { numRuns: 8, seed: 11 }).flat();
  [...drawn, ...more].forEach((deed, index) => past(20 * DAY_MS - index * 2 * HOUR_MS, () => attempt(deed)));
  for (const symbol of ["AUSDT", "HUSDT"]) {
    const told = await openings(symbol);
    simulator.exchange.setAccount({ statesOpenTime: true });
    const { positions } = await session.reader.snapshot([{ category: "linear", symbol }]);
    simulator.exchange.setAccount({ statesOpenTime: false });
    expect(positions.length).toBeGreaterThan(0);
    expect(told).toEqual(Object.fromEntries(positions.map(({ key, openedAtMs }) => [key.positionIdx, openedAtMs])));
  }
});

type Deed = { does: string; symbol: string; positionIdx: number; size: string };

/** What makes no sense at the time is refused, and leaves no trace. */
function attempt({ does, symbol, positionIdx, size }: Deed): void {
  const { exchange } = simulator;
  const leg = { symbol, positionIdx: symbol === "AUSDT" ? 0 : (positionIdx as PositionIdx) } as const;
  try {
    if (does === "flip") exchange.flip({ symbol, size });
    else if (does === "close") exchange.close(leg);
    else if (does === "reduce") exchange.reduce({ ...leg, size });
    else exchange.open({ symbol, side: does === "long" ? "long" : "short", size, hedge: symbol === "HUSDT" });
  } catch {
    // Nothing was open, or the other way.
  }
}
