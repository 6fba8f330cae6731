/** When a connection is given up and the next one tried, on a clock moved by hand. */
import { createServer, type AddressInfo } from "node:net";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { startSimulator } from "../../src/exchange/simulator/index.js";
import { bareExchange, handClock, type Watched, watch } from "./stage.js";

const ACCOUNT = { key: "testkey", secret: "testsecret" };
const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

function start(wsUrl: string, changes: Parameters<typeof watch>[2] = {}): Watched {
  const watched = watch(wsUrl, ACCOUNT, changes);
  closers.push(() => watched.stream.close());
  return watched;
}

async function bare() {
  const exchange = await bareExchange();
  closers.push(() => exchange.close());
  return exchange;
}

/** A port where nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

const endOf = (watched: Watched) => watched.logged.next(({ retryInMs }) => retryInMs !== undefined);

describe("a connection that does not get through", () => {
  it("is given up 10 s after its start where the login stays without an answer, and tried anew", async () => {
    const exchange = await bare();
    const { auth } = exchange.answers;
    exchange.answers["auth"] = undefined;
    const hand = handClock();
    const watched = start(exchange.wsUrl, { ...hand, timing: {} });
    await exchange.frames.next(({ op }) => op === "auth");
    hand.advance(9_999);
    expect(watched.told.all).toEqual([]);
    hand.advance(1);
    expect(watched.told.all).toEqual([{ what: "down", reason: "no answer to the login within 10 s" }]);
    exchange.answers["auth"] = auth;
    hand.advance(hand.nextDueMs() ?? 0);
    await watched.live();
    expect(exchange.connections()).toBe(2);
  });

  it("is given up where the subscription stays without an answer: logged in is not live", async () => {
    const exchange = await bare();
    exchange.answers["subscribe"] = undefined;
    const hand = handClock();
    const watched = start(exchange.wsUrl, { ...hand, timing: {} });
    await exchange.frames.next(({ op }) => op === "subscribe");
    expect(watched.stream.isLive()).toBe(false);
    hand.advance(10_000);
    expect(await watched.down()).toBe("no answer to the subscription within 10 s");
  });

  it("is given up where the host takes the connection and says nothing", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const taken = once(server, "connection");
    closers.push(async () => {
      server.close();
      (await taken)[0].destroy();
    });
    const hand = handClock();
    const watched = start(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/`, { ...hand, timing: {} });
    await taken;
    hand.advance(10_000);
    expect(await watched.down()).toBe("no connection within 10 s");
  });

  it("is ended by the refusal of one topic, and the next one may succeed", async () => {
    const exchange = await bare();
    const { subscribe } = exchange.answers;
    exchange.answers["subscribe"] = ({ req_id }) => ({
      success: false,
      ret_msg: "error:handler not found,topic:execution",
      op: "subscribe",
      req_id,
    });
    const watched = start(exchange.wsUrl);
    expect(await watched.down()).toBe("the subscription was refused: error:handler not found,topic:execution");
    exchange.answers["subscribe"] = subscribe;
    await watched.live();
    expect(watched.told.all.map(({ what }) => what)).toEqual(["down", "live"]);
  });

  it("is not live while a topic is still without acknowledgement", async () => {
    const exchange = await bare();
    exchange.answers["subscribe"] = () => ({ success: true, ret_msg: "", op: "subscribe", req_id: "position,order" });
    const watched = start(exchange.wsUrl);
    await exchange.frames.next(({ op }) => op === "subscribe");
    exchange.send({ topic: "position", data: ["marker"] });
    await watched.push("unreadable");
    expect(watched.stream.isLive()).toBe(false);
    exchange.send({ success: true, ret_msg: "", op: "subscribe", req_id: "execution" });
    await watched.live();
  });

  it("names the reason where nobody listens", async () => {
    const watched = start(`ws://127.0.0.1:${await closedPort()}/v5/private`);
    expect(await watched.down()).toMatch(/^the connection failed: connect ECONNREFUSED/);
  });
});

describe("a live connection", () => {
  it("is left after 30 s without any frame, though the wall clock stands still", async () => {
    const exchange = await bare();
    const hand = handClock();
    const watched = start(exchange.wsUrl, {
      timers: hand.timers,
      clock: { now: () => 0, monotonicMs: hand.clock.monotonicMs },
      timing: {},
    });
    await watched.live();
    hand.advance(29_999);
    expect(watched.stream.isLive()).toBe(true);
    hand.advance(1);
    expect(await watched.down()).toBe("nothing was heard for 30 s");
  });

  it("is kept by pongs alone", async () => {
    const exchange = await bare();
    const hand = handClock();
    const timing = { pingEveryMs: 10, pongWithinMs: 5_000 };
    const watched = start(exchange.wsUrl, { ...hand, timing });
    await watched.live();
    for (let round = 0; round < 4; round += 1) {
      hand.advance(20_000);
      exchange.frames.skip();
      // The SDK pings again only when the pong before has come.
      for (let ping = 0; ping < 3; ping += 1) await exchange.frames.next(({ op }) => op === "ping");
    }
    expect(watched.stream.isLive()).toBe(true);
    expect(watched.told.all).toEqual([{ what: "live" }]);
  });

  it("signs its login by the exchange's clock, asked for anew each time", async () => {
    const exchange = await bare();
    const offsets = [3_600_000, 7_200_000];
    let logins = 0;
    const watched = start(exchange.wsUrl, {
      offsetMs: () => {
        logins += 1;
        return offsets[logins - 1] ?? 0;
      },
    });
    for (const offsetMs of offsets) {
      const { args } = await exchange.frames.next(({ op }) => op === "auth");
      const validForMs = Number(args?.[1]) - Date.now() - offsetMs;
      expect(validForMs).toBeGreaterThan(3_000);
      expect(validForMs).toBeLessThanOrEqual(5_000);
      await watched.live();
      exchange.drop();
      await watched.down();
    }
  });
});

describe("attempts", () => {
  it("start at least 2 s apart, and after some failures 15 to 30 s apart: far below 500 in 5 minutes", async () => {
    const hand = handClock();
    const watched = start(`ws://127.0.0.1:${await closedPort()}/v5/private`, { ...hand, timing: {} });
    const startsMs = [0];
    for (let attempt = 0; attempt < 25; attempt += 1) {
      await endOf(watched);
      hand.advance(hand.nextDueMs() ?? 0);
      startsMs.push(hand.clock.monotonicMs());
    }
    const gapsMs = startsMs.slice(1).map((atMs, index) => atMs - (startsMs[index] ?? 0));
    expect(Math.min(...gapsMs)).toBeGreaterThanOrEqual(2_000);
    expect(Math.max(...gapsMs)).toBeLessThanOrEqual(30_000);
    expect(Math.min(...gapsMs.slice(5))).toBeGreaterThanOrEqual(15_000);
    expect(startsMs.filter((atMs) => atMs < 300_000).length).toBeLessThan(30);
    expect(new Set(gapsMs.slice(5)).size).toBeGreaterThan(1);
    expect(watched.told.all.map(({ what }) => what)).toEqual(["down"]);
  });

  it("grow apart also where each one gets through and is dropped at once", async () => {
    const simulator = await startSimulator({ accounts: [{ name: "main", ...ACCOUNT }] });
    closers.push(() => simulator.close());
    simulator.exchange.setFault({ kind: "streamDropAfterSubscribe", times: 100 });
    const hand = handClock();
    const watched = start(simulator.wsUrl, { ...hand, random: () => 0.999, timing: {} });
    const gapsMs: number[] = [];
    for (let attempt = 0; attempt < 8; attempt += 1) {
      await endOf(watched);
      const gapMs = hand.nextDueMs() ?? 0;
      gapsMs.push(gapMs);
      hand.advance(gapMs);
    }
    expect(gapsMs.map((gapMs) => Math.round(gapMs / 1_000))).toEqual([4, 8, 16, 30, 30, 30, 30, 30]);
  });

  it("start anew at once after a connection that was live for a minute", async () => {
    const simulator = await startSimulator({ accounts: [{ name: "main", ...ACCOUNT }] });
    closers.push(() => simulator.close());
    simulator.exchange.setFault({ kind: "streamRefuseAuth", times: 6 });
    const hand = handClock();
    const watched = start(simulator.wsUrl, { ...hand, timing: { silentAfterMs: 300_000 } });
    for (let attempt = 0; attempt < 6; attempt += 1) {
      await endOf(watched);
      hand.advance(hand.nextDueMs() ?? 0);
    }
    await watched.live();
    hand.advance(60_000);
    simulator.exchange.dropStreams();
    await endOf(watched);
    const pauseMs = hand.nextDueMs() ?? Number.NaN;
    expect(pauseMs).toBeLessThanOrEqual(500);
    // No further than the start: the next gap counts from there.
    hand.advance(pauseMs);
    await watched.live();
    hand.advance(1_000);
    simulator.exchange.dropStreams();
    await endOf(watched);
    expect(hand.nextDueMs()).toBeGreaterThanOrEqual(1_000);
  });
});
