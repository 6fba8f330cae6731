/** Closing: the socket and every timer are gone, and nothing is told afterwards. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { StreamConnection } from "../../src/exchange/bybit/index.js";
import {
  type BareExchange,
  bareExchange,
  countTimers,
  handClock,
  type TimerCount,
  type Watched,
  watch,
} from "./stage.js";

const ACCOUNT = { key: "testkey", secret: "testsecret" };
let exchange: BareExchange;
let timers: TimerCount;

beforeEach(async () => {
  exchange = await bareExchange();
  timers = countTimers();
});
afterEach(async () => {
  vi.unstubAllGlobals();
  await exchange.close();
});

function start(changes: Partial<StreamConnection> = {}, interfere: Parameters<typeof watch>[3] = {}): Watched {
  return watch(exchange.wsUrl, ACCOUNT, changes, interfere);
}

async function expectNothingLeft(): Promise<void> {
  await exchange.deserted();
  expect(timers.pending()).toBe(0);
}

describe("closing a stream", () => {
  it("that is live ends its socket and its timers", async () => {
    const watched = start();
    await watched.live();
    expect(timers.pending()).toBeGreaterThan(0);
    await watched.stream.close();
    expect(watched.stream.isLive()).toBe(false);
    await expectNothingLeft();
    expect(watched.told.all).toEqual([{ what: "live" }]);
  });

  it("in the moment of its creation leaves no connection behind", async () => {
    const watched = start();
    await watched.stream.close();
    await expectNothingLeft();
    expect(watched.told.all).toEqual([]);
    expect(exchange.frames.all).toEqual([]);
  });

  it.each([1, 2, 3, 4, 5, 6])("%i steps of the program later leaves no connection behind either", async (steps) => {
    const watched = start();
    for (let step = 0; step < steps; step += 1) await Promise.resolve();
    await watched.stream.close();
    await expectNothingLeft();
    expect(watched.told.all).toEqual([]);
  });

  it("that waits for the answer to its login ends it, too", async () => {
    exchange.answers["auth"] = undefined;
    const watched = start();
    await exchange.frames.next(({ op }) => op === "auth");
    await watched.stream.close();
    await expectNothingLeft();
    expect(watched.told.all).toEqual([]);
  });

  it("that waits for its next attempt cancels the attempt", async () => {
    const hand = handClock();
    const watched = start({ ...hand, timing: {} });
    await watched.live();
    exchange.drop();
    await watched.down();
    expect(hand.nextDueMs()).not.toBeNull();
    await watched.stream.close();
    expect(hand.nextDueMs()).toBeNull();
    hand.advance(600_000);
    expect(exchange.connections()).toBe(1);
    expect(watched.told.all.map(({ what }) => what)).toEqual(["live", "down"]);
  });

  it.each(["live", "pushed", "down"] as const)("from within the listener's own `%s` is its last word", async (what) => {
    const closing: Promise<void>[] = [];
    const watched: Watched = start({}, { [what]: () => void closing.push(watched.stream.close()) });
    await exchange.frames.next(({ op }) => op === "subscribe");
    if (what !== "live") {
      await watched.live();
      exchange.send({ topic: "nobody knows", data: [] });
    }
    if (what === "down") {
      await watched.push("unreadable");
      exchange.drop();
    }
    await watched.told.next((one) => one.what === what);
    await Promise.all(closing);
    await expectNothingLeft();
    expect(closing).toHaveLength(1);
    expect(watched.told.all.at(-1)?.what).toBe(what);
  });

  it("may be asked for twice", async () => {
    const watched = start();
    await watched.live();
    await Promise.all([watched.stream.close(), watched.stream.close()]);
    await watched.stream.close();
    await expectNothingLeft();
    expect(watched.told.all).toEqual([{ what: "live" }]);
  });

  it("leaves nothing of the connections that were given up before", async () => {
    const watched = start();
    for (let drop = 0; drop < 5; drop += 1) {
      await watched.live();
      exchange.drop();
      await watched.down();
    }
    await watched.live();
    // The SDK's pings and our watch over frames, of one connection.
    expect(timers.pending()).toBe(2);
    await watched.stream.close();
    await expectNothingLeft();
  });
});
