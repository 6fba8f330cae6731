/** What a guard does, over time, where the exchange refuses what it is asked for. */
import { expect, test } from "vitest";
import { dec } from "../../src/domain/decimal.js";
import type { PositionIntent } from "../../src/domain/intent.js";
import type { FailureCause } from "../../src/exchange/failure.js";
import { inMemory, type Memory } from "../../src/ledger/memory.js";
import { type Fate, lie, refuses, truth } from "../builders/fake-exchange.js";
import { type Guarded, type GuardScene, guarded } from "../builders/guard.js";
import { aPosition } from "../builders/position.js";

const long = aPosition();
const ether = aPosition({ symbol: "ETHUSDT" });
const intent = { id: "i-1", stopLoss: dec("99"), takeProfit: null, waiver: null, mayLoosenFrom: null, who: "bot" };

/** From `begin` on somebody wants the stop of every position at 99, or what is given. */
function wishing(wish: Partial<PositionIntent> = {}): { readonly memory: Memory; readonly begin: () => void } {
  const memory = inMemory();
  let isWished = false;
  return {
    memory: {
      ...memory,
      recall: (position) => ({ ...memory.recall(position), intent: isWished ? { ...intent, ...wish } : null }),
    },
    begin: () => {
      isWished = true;
    },
  };
}

/** Seconds until the position has a stop, looked at twice a second; null: it has none after three minutes. */
async function nakedFor({ clock, exchange }: Guarded, position = long, meanwhile?: (ms: number) => void) {
  for (let ms = 0; ms < 180_000; ms += 500) {
    if (exchange.stopOf(position.key) !== null) return ms / 1_000;
    meanwhile?.(ms);
    await clock.sleep(500);
  }
  return null;
}

test.each<FailureCause>(["stop-loss-past", "zero-position", "mode-mismatch", "other", "limit"])(
  "a wish by name that is refused as %s is tried three times in twenty seconds at most, and sweeps go on",
  async (cause) => {
    const { memory, begin } = wishing();
    const scene = await guarded({
      positions: [aPosition({ fullStop: "97" }), aPosition({ symbol: "ETHUSDT", fullStop: "99" })],
      fate: () => refuses(cause),
      latencyMs: 60,
      pass: { memory },
    });
    begin();
    const startedMs = scene.clock.now();
    const sweeps = () => scene.exchange.reads.filter(({ scope }) => scope === "account").length;
    const before = sweeps();
    for (let second = 0; second < 60; second += 1) {
      if (second % 5 === 0) scene.guard.wake("schedule");
      await scene.clock.sleep(1_000);
    }
    const writes = scene.exchange.writes.map(({ atMs }) => atMs);
    // In each twenty seconds of the minute.
    for (const fromMs of [0, 20_000, 40_000])
      expect(writes.some((atMs) => atMs >= startedMs + fromMs && atMs < startedMs + fromMs + 20_500)).toBe(true);
    for (const atMs of writes)
      expect(writes.filter((other) => other >= atMs && other < atMs + 20_000).length).toBeLessThanOrEqual(3);
    expect(sweeps() - before).toBe(12);
    await scene.close();
  },
);

test("a wish by name that is refused for ever keeps no other position naked", async () => {
  const { memory, begin } = wishing();
  const scene = await guarded({
    positions: [aPosition({ fullStop: "97" })],
    fate: (request) => ("key" in request && request.key.symbol === "BTCUSDT" ? refuses("stop-loss-past") : truth),
    latencyMs: 60,
    spacingMs: 111,
    pass: { memory },
  });
  begin();
  scene.stream.drops();
  scene.guard.wake("asked");
  await scene.clock.sleep(2_000);
  scene.exchange.hand.put(ether);
  expect(await nakedFor(scene, ether, () => void scene.guard.tick())).toBeLessThan(8);
  await scene.close();
});

test("a wish whose level moves at each look, and is refused each time, is tried three times in twenty seconds", async () => {
  const { memory, begin } = wishing({ stopLoss: dec("80"), mayLoosenFrom: dec("98") });
  let looks = 0;
  const standing = (liquidation: string) => aPosition({ fullStop: "98", liquidation });
  const scene = await guarded({
    marginMode: "cross",
    positions: [standing("90")],
    beforeRead: (_nth, hand) => hand.put(standing((90 + (looks++ % 40) / 10).toFixed(1))),
    fate: () => refuses("other"),
    latencyMs: 60,
    pass: { memory },
  });
  begin();
  scene.guard.wake("asked");
  await scene.clock.sleep(18_000);
  expect(scene.exchange.writes).toHaveLength(3);
  await scene.close();
});

const LATER: readonly (readonly [FailureCause, number])[] = [
  ["other", 1],
  ["market-state", 1],
  ["limit", 1],
  ["stop-loss-past", 3],
];
const toLong = (fate: (nth: number) => Fate): NonNullable<GuardScene["fate"]> => {
  return (request, nth) => ("key" in request && request.key.symbol === "BTCUSDT" ? fate(nth) : lie);
};

test.each(LATER)(
  "a stop refused as %s, %i times, is tried again after twenty seconds, with no push and no sweep, also by early timers",
  async (cause, times) => {
    const fate = toLong((nth) => (nth <= times ? refuses(cause) : truth));
    const scene = await guarded({ positions: [long], fate, latencyMs: 60, timersEarlyMs: 0.5 });
    expect(await nakedFor(scene)).toBeLessThan(20);
    await scene.close();
  },
);

test.each(LATER)(
  "a stop refused as %s, %i times, is tried again also where a pass goes on at that moment",
  async (cause, times) => {
    const fate = toLong((nth) => (nth <= times ? refuses(cause) : truth));
    const scene = await guarded({ positions: [long], fate, latencyMs: 60 });
    const meanwhile = (ms: number) => {
      if (ms === 15_500) scene.opens(ether);
    };
    expect(await nakedFor(scene, long, meanwhile)).toBeLessThan(32);
    await scene.close();
  },
);

test("three refusals whose cause nobody knows, at another level each, leave a position naked for twenty seconds", async () => {
  let price = 97;
  const scene = await guarded({
    positions: [aPosition({ mark: "97" })],
    protection: { pastStop: "nearest" },
    beforeRead: (_nth, hand) => hand.price("BTCUSDT", (price -= 0.1).toFixed(1)),
    fate: (_request, nth) => (nth <= 3 ? refuses("other") : truth),
    latencyMs: 60,
  });
  expect(await nakedFor(scene)).toBeLessThan(21);
  await scene.close();
});

test("a wish that is over is not asked for again in place of a tighter stop, though its write never showed", async () => {
  const memory = inMemory();
  let wish: typeof intent | null = { ...intent, stopLoss: dec("90") };
  const scene = await guarded({
    positions: [long],
    fate: (_request, nth) => (nth === 1 ? lie : truth),
    latencyMs: 60,
    pass: { memory: { ...memory, recall: (position) => ({ ...memory.recall(position), intent: wish }) } },
  });
  wish = null;
  scene.guard.wake("asked");
  await scene.clock.sleep(10_000);
  expect(scene.exchange.stopOf(long.key)).toBe("98");
  await scene.close();
});
