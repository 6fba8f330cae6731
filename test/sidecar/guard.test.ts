/** How one account is guarded over time: sweeps, drops, refusals, pauses, and the end. */
import { describe, expect, test } from "vitest";
import { dec } from "../../src/domain/decimal.js";
import type { PositionKey } from "../../src/domain/position.js";
import type { Gap } from "../../src/domain/snapshot.js";
import { ExchangeFailure, type FailureCause } from "../../src/exchange/failure.js";
import type { SidecarEvent } from "../../src/sidecar/event.js";
import { failure, lie, refuses } from "../builders/fake-exchange.js";
import { guarded, stopWrites } from "../builders/guard.js";
import { anInstrument } from "../builders/market.js";
import { fullStop } from "../builders/order.js";
import { takeProfitAt } from "../builders/policy.js";
import { anUnreadablePosition, aPosition, aShort } from "../builders/position.js";

const long = aPosition();
const { key } = long;
const IN_AUCTION = anInstrument({ preMarketPhase: "CallAuction" });

async function seconds(scene: Awaited<ReturnType<typeof guarded>>, count: number): Promise<void> {
  for (let second = 0; second < count; second += 1) {
    scene.guard.tick();
    await scene.clock.sleep(1_000);
  }
}

describe("at the start", () => {
  test("everything is looked at, and what is naked gets its stop", async () => {
    const scene = await guarded({ positions: [long] });
    expect(scene.exchange.reads[0]?.scope).toBe("account");
    expect(scene.exchange.stopOf(key)).toBe("98");
    expect(scene.guard.status()).toMatchObject({ reachable: true, positions: { protected: 1, unprotected: 0 } });
    await scene.close();
  });

  test("it is ready only after a pass that saw everything", async () => {
    let isWhole = false;
    const scene = await guarded({
      positions: [long],
      beforeRead: () => (isWhole ? undefined : [{ category: "inverse", what: "positions", reason: "timeout" }]),
    });
    expect(scene.guard.status().lastCompletePassAtMs).toBeNull();
    isWhole = true;
    scene.guard.wake("schedule");
    await scene.clock.sleep(1_000);
    expect(scene.guard.status().lastCompletePassAtMs).not.toBeNull();
    await scene.close();
  });
});

describe("while the stream is down", () => {
  test("everything is looked at every five seconds, so that whatever opens is protected by then", async () => {
    const scene = await guarded({ isLive: false });
    scene.stream.drops();
    await seconds(scene, 7);
    scene.exchange.hand.put(long);
    await seconds(scene, 6);
    expect(scene.exchange.stopOf(key)).toBe("98");
    const whole = scene.exchange.reads.filter(({ scope }) => scope === "account");
    expect(whole.length).toBeLessThanOrEqual(4);
    await scene.close();
  });

  test("while it is live, nothing is looked at without a reason", async () => {
    const scene = await guarded();
    const reads = scene.exchange.reads.length;
    await seconds(scene, 30);
    expect(scene.exchange.reads).toHaveLength(reads);
    await scene.close();
  });
});

test("after each time that the stream comes live, everything is looked at", async () => {
  const scene = await guarded();
  for (let nth = 0; nth < 3; nth += 1) {
    scene.stream.drops();
    const before = scene.exchange.reads.length;
    scene.stream.comesLive();
    await scene.clock.sleep(1_000);
    expect(scene.exchange.reads.slice(before).map(({ scope }) => scope)).toContain("account");
  }
  await scene.close();
});

test("a second look at an account where nothing changes sends nothing", async () => {
  const scene = await guarded({ positions: [long] });
  const writes = scene.exchange.writes.length;
  for (let nth = 0; nth < 5; nth += 1) {
    scene.guard.wake("schedule");
    await scene.clock.sleep(5_000);
  }
  expect(scene.exchange.writes).toHaveLength(writes);
  await scene.close();
});

test("a burst of a thousand pushes of one contract is looked at together", async () => {
  const scene = await guarded({ positions: [aPosition({ fullStop: "97" })] });
  const reads = scene.exchange.reads.length;
  for (let nth = 0; nth < 1_000; nth += 1) scene.pushesStop(long, `9${nth % 7}.${nth % 10}`);
  await scene.clock.sleep(2_000);
  expect(scene.exchange.reads.length - reads).toBeLessThanOrEqual(3);
  await scene.close();
});

describe("an account whose key is refused", () => {
  test("is tried once a minute, and told each time", async () => {
    const refused = new ExchangeFailure({ kind: "refused", cause: "key", endpoint: "GET /v5/position/list" });
    const scene = await guarded({
      beforeRead: () => {
        throw refused;
      },
    });
    await seconds(scene, 170);
    expect(scene.exchange.reads).toHaveLength(3);
    expect(scene.guard.status()).toMatchObject({ reachable: false });
    expect(scene.events.filter((event) => event.kind === "pass" && event.cause === "key")).toHaveLength(3);
    await scene.close();
  });

  const told = (events: readonly SidecarEvent[]) =>
    events.flatMap((event) =>
      event.kind === "finding" && event.place.category === null
        ? [`${event.place.account} ${event.finding.severity} ${event.finding.code}`]
        : [],
    );

  async function refusedAfterAWhile(cause: FailureCause) {
    const state: { refusedBy: FailureCause | null } = { refusedBy: null };
    const scene = await guarded({
      positions: [aPosition({ fullStop: "98" })],
      beforeRead: () => {
        if (state.refusedBy !== null) throw failure("refused", state.refusedBy);
      },
    });
    state.refusedBy = cause;
    scene.guard.wake("schedule");
    return { scene, state };
  }

  test("is a critical finding for as long as that lasts, told again every minute", async () => {
    const { scene, state } = await refusedAfterAWhile("key");
    await seconds(scene, 130);
    expect(told(scene.events)).toEqual([
      "main critical key-refused",
      "main critical key-refused",
      "main critical key-refused",
    ]);
    expect(scene.guard.status()).toMatchObject({ refusal: { code: "key-refused", severity: "critical" } });
    state.refusedBy = null;
    await seconds(scene, 60);
    expect(scene.guard.status()).toMatchObject({ refusal: null, trouble: null });
    await seconds(scene, 120);
    expect(told(scene.events)).toHaveLength(3);
    await scene.close();
  });

  test("stays refused while the line is down", async () => {
    const { scene, state } = await refusedAfterAWhile("key");
    await seconds(scene, 2);
    state.refusedBy = "network";
    await seconds(scene, 62);
    expect(scene.guard.status()).toMatchObject({ trouble: expect.stringContaining("no connection") });
    expect(scene.guard.status()).toMatchObject({ refusal: { code: "key-refused" } });
    await scene.close();
  });

  test.each<[FailureCause, readonly string[]]>([
    ["permission", ["main critical key-refused", "main critical key-refused"]],
    ["clock", ["main critical clock-skew", "main critical clock-skew"]],
    ["network", []],
  ])("%s: what the exchange says of the account is told no more than once a minute", async (cause, lines) => {
    const { scene } = await refusedAfterAWhile(cause);
    await seconds(scene, 65);
    expect(told(scene.events)).toEqual(lines);
    await scene.close();
  });

  test("for writing alone is told too", async () => {
    const scene = await guarded({ positions: [long], fate: () => refuses("key") });
    expect(told(scene.events)).toEqual(["main critical key-refused"]);
    await scene.close();
  });
});

test("an exchange that cannot be reached is tried again soon, and what was open is protected when it answers", async () => {
  let isDown = true;
  const scene = await guarded({
    positions: [long],
    silentForMs: () => (isDown ? 60_000 : 0),
    beforeRead: () => {
      if (isDown) throw failure("not-happened", "network", "no connection");
    },
  });
  expect(scene.guard.status()).toMatchObject({ reachable: false });
  isDown = false;
  await scene.clock.sleep(3_000);
  expect(scene.guard.status()).toMatchObject({ reachable: true, trouble: null });
  expect(scene.exchange.stopOf(key)).toBe("98");
  await scene.close();
});

test("an exchange that answers and yet shows no positions can be reached, and everything that was open is unknown", async () => {
  let isFailing = false;
  const scene = await guarded({
    positions: [aPosition({ fullStop: "97" })],
    beforeRead: () => {
      if (isFailing) throw failure("not-happened", "server", "Server error.");
    },
  });
  expect(scene.guard.status().positions).toMatchObject({ protected: 1, unknown: 0 });
  isFailing = true;
  scene.guard.wake("schedule");
  await scene.clock.sleep(2_000);
  scene.opens(aPosition({ symbol: "ETHUSDT" }));
  expect(scene.guard.status()).toMatchObject({ reachable: true, positions: { protected: 0, unknown: 2 } });
  await scene.close();
});

test("a paused position is not written, is told as naked, and gets its stop when the pause ends", async () => {
  let isPaused = true;
  const scene = await guarded({ positions: [long], paused: () => (isPaused ? "paused by hand" : null) });
  expect(scene.exchange.writes).toEqual([]);
  expect(scene.guard.status().positions.unprotected).toBe(1);
  expect(scene.events.some((event) => event.kind === "finding" && event.finding.code === "stop-missing")).toBe(true);
  isPaused = false;
  scene.guard.wake("schedule");
  await scene.clock.sleep(3_000);
  expect(stopWrites(scene, key)).toEqual(["98"]);
  await scene.close();
});

test("a dry run sends nothing and says what it would send", async () => {
  const scene = await guarded({ positions: [long], writes: false });
  expect(scene.exchange.writes).toEqual([]);
  expect(scene.events.flatMap((event) => (event.kind === "would-send" ? [event.step.action] : []))).toEqual([
    "set-trading-stop",
  ]);
  await scene.close();
});

describe("when it is told to end", () => {
  test("the write in flight is awaited, and nothing more is sent", async () => {
    const positions = ["A", "B", "C"].map((name) => aPosition({ symbol: `${name}USDT` }));
    const scene = await guarded({ latencyMs: 1_500, spacingMs: 400 });
    for (const position of positions) scene.opens(position);
    await scene.clock.sleep(500);
    const closing = scene.close();
    await closing;
    const sent = scene.exchange.writes.length;
    expect(sent).toBeGreaterThan(0);
    await scene.clock.sleep(10_000);
    expect(scene.exchange.writes).toHaveLength(sent);
  });

  test("it ends also where nothing woke it", async () => {
    const scene = await guarded();
    await scene.close();
    await expect(scene.guard.done).resolves.toBeUndefined();
  });
});

test("a mistake of ours ends the guard instead of letting it sleep on", async () => {
  const scene = await guarded({
    beforeRead: (nth) => {
      if (nth > 1) throw new RangeError("a bug");
    },
  });
  scene.guard.wake("schedule");
  await expect(scene.guard.done).rejects.toThrow("a bug");
});

test.each([
  ["what is critical", "stop-missing", { paused: () => "paused by hand" }],
  ["what is naked because no stop can rest now", "unprotectable", { instruments: [IN_AUCTION] }],
] as const)("%s is told again every minute for as long as it lasts", async (_what, code, more) => {
  const scene = await guarded({ positions: [long], ...more });
  for (let nth = 0; nth < 12; nth += 1) {
    scene.guard.wake("schedule");
    await scene.clock.sleep(10_000);
  }
  const told = scene.events.filter((event) => event.kind === "finding" && event.finding.code === code);
  expect(told).toHaveLength(2);
  await scene.close();
});

test("a stop that its position's row does not state is looked at again until they agree, with no push and no sweep", async () => {
  let isLagging = true;
  const scene = await guarded({ positions: [aPosition({ fullStop: "98" })], hidesRowStops: () => isLagging });
  scene.guard.wake("schedule");
  await scene.clock.sleep(4_000);
  const status = () => scene.guard.latest()?.assessment.positions.map((one) => one.status);
  expect(status()).toEqual(["unknown"]);
  isLagging = false;
  await scene.clock.sleep(1_500);
  expect(status()).toEqual(["protected"]);
  expect(scene.exchange.writes).toEqual([]);
  await scene.close();
});

test.each([
  ["is no alarm where the next look settles it", 1, 0],
  ["is an alarm where it lasts", 30, 1],
])("a row that states no stop while one is open %s", async (_what, looks, alarms) => {
  let splitFrom = Number.POSITIVE_INFINITY;
  const scene = await guarded({
    positions: [aPosition({ fullStop: "98" })],
    hidesRowStops: (nth) => nth >= splitFrom && nth < splitFrom + looks,
  });
  splitFrom = scene.exchange.reads.length + 1;
  scene.guard.wake("schedule");
  await scene.clock.sleep(9_000);
  const told = scene.events.filter((event) => event.kind === "finding" && event.finding.code === "unreadable");
  expect(told).toHaveLength(alarms);
  await scene.close();
});

test("a look at everything that is due does not wait until a write that never shows is given up", async () => {
  const scene = await guarded({ fate: () => lie });
  scene.opens(long);
  await scene.clock.sleep(1_000);
  const dueMs = scene.clock.now();
  scene.guard.wake("schedule");
  await scene.clock.sleep(10_000);
  const whole = scene.exchange.reads.find(({ scope, atMs }) => scope === "account" && atMs >= dueMs);
  expect((whole?.atMs ?? Number.POSITIVE_INFINITY) - dueMs).toBeLessThan(3_000);
  await scene.close();
});

test("a step that was decided before a flip is not sent after it", async () => {
  const scene = await guarded({
    protection: { takeProfit: takeProfitAt("0.04") },
    pass: { journal: { intended: () => scene.clock.sleep(200), answered: () => undefined } },
  });
  scene.opens(aPosition({ fullStop: "98", openedAtMs: 2_000 }));
  await scene.clock.sleep(100);
  expect(scene.exchange.writes).toEqual([]);
  scene.opens(aShort({ openedAtMs: 3_000 }));
  await scene.clock.sleep(5_000);
  expect(new Set(scene.exchange.writes.map(({ request }) => request.side))).toEqual(new Set(["short"]));
  expect(scene.exchange.stopOf(key)).toBe("102");
  await scene.close();
});

describe("that a leg is flat still, told again with an order of its contract", () => {
  test("wakes nothing, and a position that opens then gets its stop without a look", async () => {
    const scene = await guarded({ latencyMs: 60 });
    const reads = scene.exchange.reads.length;
    for (let order = 0; order < 10; order += 1) {
      const atMs = scene.clock.now();
      scene.pushes({ kind: "position-flat", key: long.key, changedAtMs: atMs - 600_000, atMs });
      await scene.clock.sleep(500);
    }
    expect(scene.exchange.reads).toHaveLength(reads);
    scene.opens(long);
    await scene.clock.sleep(2_000);
    expect(scene.events.filter(({ kind }) => kind === "sent")).toMatchObject([{ path: "push" }]);
    await scene.close();
  });

  test("does not end a life that looks still show, where it was told long after", async () => {
    const open = aPosition({ openedAtMs: 1_000 });
    const scene = await guarded({ positions: [open], latencyMs: 60 });
    const lives = scene.lives();
    const atMs = scene.clock.now();
    scene.pushes({ kind: "position-flat", key: open.key, changedAtMs: atMs - 10_000, atMs });
    await scene.clock.sleep(3_000);
    expect(scene.lives()).toEqual(lives);
    await scene.close();
  });
});

test("late news of the life before ends nothing of the one that a look has shown", async () => {
  const scene = await guarded({ latencyMs: 60 });
  const nowMs = scene.clock.now();
  const former = aPosition({ openedAtMs: nowMs - 4_000 });
  const present = aPosition({ entry: "90", mark: "90", openedAtMs: nowMs - 1_000 });
  scene.exchange.hand.put(present);
  scene.guard.wake("asked");
  await scene.clock.sleep(500);
  scene.pushes({ kind: "position-open", position: former, atMs: nowMs - 3_500 });
  await scene.clock.sleep(3_000);
  expect(scene.lives()).toEqual(["opened BTCUSDT long 1"]);
  expect(stopWrites(scene, present.key)).toEqual(["88.2"]);
  await scene.close();
});

test("a known position whose row stays unreadable is told so, and the passes are complete all the same", async () => {
  let isSpoilt = false;
  const row = anUnreadablePosition({ side: null, reason: "side is Both" });
  const scene = await guarded({
    positions: [aPosition({ fullStop: "98" }), aPosition({ symbol: "ETHUSDT", fullStop: "98" })],
    unreadable: () => (isSpoilt ? [row] : []),
  });
  isSpoilt = true;
  const before = scene.events.length;
  scene.guard.wake("schedule");
  await scene.clock.sleep(60_000);
  const passes = scene.events.slice(before).flatMap((event) => (event.kind === "pass" ? [event.result] : []));
  expect(passes.length).toBeGreaterThan(0);
  expect(new Set(passes)).toEqual(new Set(["complete"]));
  expect(scene.guard.status().positions).toMatchObject({ protected: 1, unknown: 1 });
  expect(scene.exchange.writes).toEqual([]);
  await scene.close();
});

test("a position that was only pushed is not told closed by a look that could not see its category", async () => {
  let sees: "all" | "nothing" | "no positions" = "all";
  const gap: Gap = { category: "linear", what: "positions", reason: "the clocks differ too much" };
  const scene = await guarded({
    beforeRead: (_nth, hand) => {
      if (sees === "nothing") throw failure("not-happened", "ip-ban", "this address is blocked");
      if (sees === "all") return undefined;
      hand.close(key);
      return [gap];
    },
  });
  sees = "nothing";
  scene.opens(long);
  await scene.clock.sleep(10_000);
  sees = "no positions";
  await scene.clock.sleep(10_000);
  expect(scene.lives()).toEqual(["opened BTCUSDT long 1"]);
  await scene.close();
});

describe("a position that was pushed and that no look has shown yet", () => {
  test.each([
    ["", []],
    [", though one before it was proven closed", [aPosition({ fullStop: "98" })]],
  ])("is not told closed by lists that lack it while its own row shows it%s", async (_what, positions) => {
    let isBlind = false;
    let hidden = false;
    const scene = await guarded({
      positions,
      writes: false,
      beforeRead: (_nth, hand, scope) => {
        if (isBlind) throw failure("not-happened", "ip-ban", "this address is blocked");
        if (!hidden) return;
        if (scope === "account") hand.close(key);
        else hand.put(long);
      },
    });
    scene.exchange.hand.close(key);
    for (let look = 0; look < 3; look += 1) {
      scene.guard.wake("schedule");
      await scene.clock.sleep(10_000);
    }
    const before = scene.lives();
    isBlind = true;
    scene.opens(long);
    await scene.clock.sleep(10_000);
    hidden = true;
    isBlind = false;
    await scene.clock.sleep(20_000);
    expect(scene.lives().slice(before.length)).toEqual(["opened BTCUSDT long 1"]);
    await scene.close();
  });

  test("is told closed once its own row has said flat for longer than reads lag", async () => {
    const scene = await guarded({ writes: false });
    scene.opens(long);
    scene.exchange.hand.close(key);
    await scene.clock.sleep(1_500);
    expect(scene.lives()).toEqual(["opened BTCUSDT long 1"]);
    await scene.clock.sleep(10_000);
    expect(scene.lives()).toEqual(["opened BTCUSDT long 1", "closed BTCUSDT long 1 by another hand"]);
    await scene.close();
  });
});

test("a position is not called protected by what was seen before, where its category cannot be read any more", async () => {
  let isBlind = false;
  const gap: Gap = { category: "linear", what: "positions", reason: "the exchange had an error" };
  const stands = aPosition({ fullStop: "98" });
  const scene = await guarded({
    positions: [stands],
    orders: [fullStop(stands, "98")],
    beforeRead: (_nth, hand) => {
      if (!isBlind) return undefined;
      hand.close(key);
      return [gap];
    },
  });
  expect(scene.guard.status().positions).toMatchObject({ protected: 1, unknown: 0 });
  isBlind = true;
  scene.guard.wake("schedule");
  await scene.clock.sleep(3_000);
  expect(scene.guard.status().positions).toMatchObject({ protected: 0, unknown: 1 });
  expect(scene.exchange.writes).toEqual([]);
  await scene.close();
});

test("a list that keeps failing while a close waits for it keeps nobody else naked, and is asked for now and then", async () => {
  const gap = { category: "linear", what: "positions", reason: "502" } as const;
  const eth = aPosition({ symbol: "ETHUSDT", fullStop: "98" });
  let isBlind = false;
  const scene = await guarded({
    isLive: false,
    positions: [aPosition({ fullStop: "98" }), eth],
    beforeRead: (_nth, _hand, scope) => (isBlind && scope === "account" ? [gap] : undefined),
  });
  isBlind = true;
  scene.exchange.hand.close(key);
  scene.guard.lookAt({ category: "linear", symbol: "BTCUSDT" });
  await scene.clock.sleep(6_000);
  scene.exchange.hand.close(eth.key);
  scene.exchange.hand.put(aPosition({ symbol: "ETHUSDT" }));
  const before = scene.exchange.reads.length;
  scene.guard.wake("schedule");
  await scene.clock.sleep(8_000);
  expect(scene.exchange.stopOf(eth.key)).toBe("98");
  expect(scene.exchange.writes).toHaveLength(1);
  await scene.clock.sleep(52_000);
  const whole = scene.exchange.reads.slice(before).filter(({ scope }) => scope === "account");
  expect(whole.length).toBeLessThanOrEqual(9);
  expect(scene.lives()).not.toContain("closed BTCUSDT long 1 by another hand");
  await scene.close();
});

test("an exchange that is overloaded is asked less and less often, and soon again once it answers", async () => {
  let isFailing = false;
  const scene = await guarded({
    positions: [long],
    beforeRead: () => {
      if (isFailing) throw failure("not-happened", "server", "Server error.");
    },
  });
  isFailing = true;
  scene.guard.wake("schedule");
  await scene.clock.sleep(30_000);
  const before = scene.exchange.reads.length;
  await scene.clock.sleep(60_000);
  expect(scene.exchange.reads.length - before).toBeLessThanOrEqual(16);
  expect(scene.exchange.reads.length - before).toBeGreaterThanOrEqual(6);
  isFailing = false;
  await scene.clock.sleep(9_000);
  expect(scene.guard.status().reachable).toBe(true);
  await scene.close();
});

test("a close that a push has told, and that no look could see before the stream dropped, is proven later", async () => {
  let isBlind = false;
  const scene = await guarded({
    positions: [aPosition({ fullStop: "98" })],
    // Its own row, which would say flat, is missing as well.
    hidesFlatRows: () => isBlind,
  });
  isBlind = true;
  scene.exchange.hand.close(key);
  scene.guard.wake("schedule");
  await scene.clock.sleep(400);
  scene.pushes({ kind: "position-flat", key, atMs: scene.clock.now() });
  expect(scene.lives()).toContain("closed BTCUSDT long 1 by another hand");
  await scene.clock.sleep(15_000);
  scene.stream.drops();
  isBlind = false;
  scene.stream.comesLive();
  await scene.clock.sleep(20_000);
  expect(scene.guard.status().positions).toMatchObject({ unknown: 0 });
  await scene.close();
});

describe("a row that cannot be read", () => {
  const findings = (events: readonly SidecarEvent[]) =>
    events.flatMap((event) => (event.kind === "finding" ? [`${event.place.symbol} ${event.finding.code}`] : []));

  test("is told at once, and once a minute for as long as it lasts", async () => {
    let isSpoilt = true;
    const row = anUnreadablePosition({ symbol: "BTCUSDT", side: null, reason: "side is Both" });
    const scene = await guarded({ unreadable: () => (isSpoilt ? [row] : []) });
    expect(findings(scene.events)).toEqual(["BTCUSDT unreadable"]);
    for (let minute = 0; minute < 6; minute += 1) {
      await scene.clock.sleep(15_000);
      scene.guard.wake("schedule");
    }
    expect(findings(scene.events)).toEqual(["BTCUSDT unreadable", "BTCUSDT unreadable"]);
    isSpoilt = false;
    scene.guard.wake("schedule");
    await scene.clock.sleep(70_000);
    scene.guard.wake("schedule");
    await scene.clock.sleep(1_000);
    expect(findings(scene.events)).toHaveLength(2);
    await scene.close();
  });

  test("is told without a name where it has none", async () => {
    const row = anUnreadablePosition({ symbol: null, side: null, reason: "symbol is missing" });
    const scene = await guarded({ unreadable: () => [row] });
    expect(findings(scene.events)).toEqual(["null unreadable"]);
    await scene.close();
  });

  test("is looked at soon again, and for as long as it lasts every five seconds", async () => {
    let isSpoilt = false;
    const scene = await guarded({
      positions: [aPosition({ fullStop: "98" })],
      unreadable: () => (isSpoilt ? [anUnreadablePosition({})] : []),
    });
    isSpoilt = true;
    scene.guard.wake("schedule");
    await scene.clock.sleep(10_000);
    const soon = scene.exchange.reads.length;
    expect(soon).toBeGreaterThan(10);
    await scene.clock.sleep(60_000);
    expect(scene.exchange.reads.length - soon).toBeGreaterThanOrEqual(10);
    expect(scene.exchange.reads.length - soon).toBeLessThanOrEqual(16);
    await scene.close();
  });

  test("is not told of a position that closes, which takes some looks to prove", async () => {
    const scene = await guarded({ positions: [aPosition({ fullStop: "98" })] });
    scene.exchange.hand.close(key);
    scene.guard.wake("schedule");
    await scene.clock.sleep(20_000);
    expect(scene.lives()).toContain("closed BTCUSDT long 1 by another hand");
    expect(findings(scene.events)).toEqual([]);
    await scene.close();
  });
});

describe("a stop beyond the liquidation price", () => {
  const beyond = aPosition({ fullStop: "80", liquidation: "85" });
  const told = ({ events }: Awaited<ReturnType<typeof guarded>>) =>
    events.filter((event) => event.kind === "finding" && event.finding.code === "stop-beyond-liquidation");

  test("in cross margin, where that price is an estimate, is told once two passes in a row have found it", async () => {
    const scene = await guarded({ positions: [beyond], marginMode: "cross" });
    expect(told(scene)).toHaveLength(0);
    scene.guard.wake("schedule");
    await scene.clock.sleep(1_000);
    expect(told(scene)).toHaveLength(1);
    await scene.close();
  });

  test("in cross margin is not told where the next pass finds it inside", async () => {
    const scene = await guarded({ positions: [beyond], marginMode: "cross" });
    for (const liquidation of ["75", "85"]) {
      scene.exchange.hand.put({ ...beyond, liquidationPrice: dec(liquidation) });
      scene.guard.wake("schedule");
      await scene.clock.sleep(1_000);
    }
    expect(told(scene)).toHaveLength(0);
    await scene.close();
  });

  test("in isolated margin is told at once", async () => {
    const scene = await guarded({ positions: [beyond], marginMode: "isolated" });
    expect(told(scene)).toHaveLength(1);
    await scene.close();
  });
});

test("while a pass runs, the latest is what its looks have shown, and not what the pass before had found", async () => {
  const ether = aPosition({ symbol: "ETHUSDT", fullStop: "98" });
  const paused = ({ symbol }: PositionKey) => (symbol === "ETHUSDT" ? "paused" : null);
  const scene = await guarded({ positions: [ether], fate: () => lie, paused });
  const statusOf = (symbol: string) =>
    scene.guard.latest()?.assessment.positions.find(({ position }) => position.key.symbol === symbol)?.status;
  expect(statusOf("ETHUSDT")).toBe("protected");
  scene.opens(long);
  await scene.clock.sleep(200);
  scene.exchange.hand.put(aPosition({ symbol: "ETHUSDT" }));
  scene.guard.lookAt(ether.key);
  await scene.clock.sleep(1_000);
  expect(scene.guard.runningMs()).toBeGreaterThan(0);
  expect(statusOf("ETHUSDT")).toBe("unprotected");
  await scene.close();
});

test("a finding that has held for one life of a position is told anew of the next", async () => {
  const scene = await guarded({ protection: { mode: "report-only" } });
  const told = () => scene.events.filter((event) => event.kind === "finding" && event.finding.code === "stop-missing");
  for (const [turn, openedAtMs] of [1_000, 9_000].entries()) {
    scene.opens(aPosition({ openedAtMs }));
    await scene.clock.sleep(3_000);
    expect(told()).toHaveLength(turn + 1);
    scene.exchange.hand.close(aPosition().key);
    scene.pushes({ kind: "position-flat", key: aPosition().key, atMs: scene.clock.now() });
    await scene.clock.sleep(3_000);
  }
  await scene.close();
});
