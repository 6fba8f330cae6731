/** The schedule that sweeps, and the sidecar that knows when it is stuck; on timers and a wall clock that tests move. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Snapshot } from "../../src/domain/snapshot.js";
import { ExchangeFailure } from "../../src/exchange/failure.js";
import { inMemory } from "../../src/ledger/memory.js";
import type { GuardParts } from "../../src/sidecar/parts.js";
import { startSchedule } from "../../src/sidecar/schedule.js";
import { type Sidecar, startSidecar, StuckError } from "../../src/sidecar/sidecar.js";
import { resolved } from "../builders/policy.js";
import { aSnapshot } from "../builders/snapshot.js";

const log = { warn: () => undefined, debug: () => undefined };
let movedMs = 0;
const monotonicMs = (): number => movedMs;
const clock = { now: () => Date.now(), monotonicMs };

/** Time passes; the wall clock goes along, from wherever it is. */
async function pass(seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    movedMs += 1_000;
    await vi.advanceTimersByTimeAsync(1_000);
  }
}

beforeEach(() => {
  movedMs = 0;
  vi.useFakeTimers({ now: new Date("2026-01-01T12:00:00.500Z") });
});
afterEach(() => {
  vi.useRealTimers();
});

describe("the schedule", () => {
  function scheduled(cron = "*/5 * * * * *") {
    const sweeps: string[] = [];
    const schedule = startSchedule({
      cron,
      clock,
      log,
      onSweep: (reason) => sweeps.push(reason),
      onTick: () => undefined,
    });
    return { schedule, sweeps };
  }

  test("sweeps by its cron line, and knows the longest time between two sweeps", async () => {
    const { schedule, sweeps } = scheduled("0,10,25 * * * * *");
    expect(schedule.intervalMs).toBe(35_000);
    await pass(60);
    expect(sweeps).toEqual(["schedule", "schedule", "schedule"]);
    schedule.close();
  });

  test.each([
    ["an hour back", -3_600_000],
    ["a day back", -86_400_000],
    ["an hour forward", 3_600_000],
  ])("goes on when the wall clock is set %s", async (_what, stepMs) => {
    const { schedule, sweeps } = scheduled();
    await pass(20);
    const before = sweeps.length;
    vi.setSystemTime(Date.now() + stepMs);
    await pass(60);
    expect(sweeps.length - before).toBeGreaterThanOrEqual(8);
    schedule.close();
  });

  test.each([
    ["a second and a half", -1_500],
    ["an hour", -3_600_000],
  ])("comes no later than in one interval when the wall clock is set back by %s", async (_what, stepMs) => {
    const { schedule, sweeps } = scheduled("0 * * * * *");
    await pass(61);
    vi.setSystemTime(Date.now() + stepMs);
    await pass(1);
    expect(sweeps).toEqual(["schedule"]);
    await pass(60);
    expect(sweeps.slice(1)).toContain("schedule");
    schedule.close();
  });

  test("sweeps at once when the wall clock is set ahead by years, and counts no run that it has missed", async () => {
    const { schedule, sweeps } = scheduled("*/30 * * * * *");
    await pass(2);
    vi.setSystemTime(new Date("2056-01-01T12:00:00.500Z"));
    await pass(2);
    expect(sweeps).toEqual(["watchdog"]);
    await pass(60);
    expect(sweeps).toEqual(["watchdog", "schedule", "schedule"]);
    schedule.close();
  });

  test("sweeps late, where its time came while the process stood still", async () => {
    const { schedule, sweeps } = scheduled("0 * * * * *");
    await pass(50);
    movedMs += 30_000;
    vi.setSystemTime(Date.now() + 30_000);
    await pass(10);
    expect(sweeps).toEqual(["schedule"]);
    await pass(40);
    expect(sweeps).toEqual(["schedule", "schedule"]);
    schedule.close();
  });

  test("sweeps no more after its end", async () => {
    const { schedule, sweeps } = scheduled();
    schedule.close();
    await pass(60);
    expect(sweeps).toEqual([]);
  });
});

describe("the sidecar", () => {
  const sidecars: Sidecar[] = [];
  afterEach(async () => {
    for (const sidecar of sidecars.splice(0)) await sidecar.close();
  });

  function parts(
    name: string,
    snapshot: () => Promise<Snapshot>,
    silentForMs = 0,
    unansweredForMs: () => number = () => 0,
  ): GuardParts {
    return {
      name,
      random: () => 0.5,
      pass: {
        reader: {
          account: name,
          snapshot,
          knows: async () => true,
          keyInfo: () => Promise.reject(new Error()),
          clockSkewMs: async () => 0,
        },
        policyOf: () => resolved(),
        memory: inMemory(),
        clock: { now: monotonicMs, sleep: (ms) => new Promise((resolve) => void setTimeout(resolve, ms)) },
        writesPerSecond: 9,
        newOrderLinkId: () => "link",
        frozen: () => null,
      },
      instrumentOf: () => null,
      paused: () => null,
      silentForMs: () => silentForMs,
      unansweredForMs,
      exchangeNowMs: () => movedMs,
      openStream: (listener) => {
        listener.down("no connection");
        return { account: name, isLive: () => false, close: async () => undefined };
      },
      timers: {
        after: (ms, callback) => {
          const timer = setTimeout(callback, ms);
          return () => clearTimeout(timer);
        },
      },
      tell: () => undefined,
    };
  }

  function start(...accounts: GuardParts[]): { readonly sidecar: Sidecar; readonly ended: () => unknown } {
    const schedule = { cron: "*/10 * * * * *", clock, log };
    const sidecar = startSidecar({ accounts, schedule, now: monotonicMs });
    sidecars.push(sidecar);
    let end: unknown = null;
    sidecar.done.catch((error: unknown) => {
      end = error;
    });
    return { sidecar, ended: () => end };
  }

  /** It waits for a pass that never ends. */
  function neverCloses(sidecar: Sidecar): void {
    sidecars.length = 0;
    void sidecar.close();
  }

  const gappy = async () =>
    aSnapshot({ requestedAtMs: movedMs, gaps: [{ category: "linear", what: "positions", reason: "timeout" }] });
  const whole = async () => aSnapshot({ requestedAtMs: movedMs });
  const unreachable = () =>
    Promise.reject(new ExchangeFailure({ kind: "not-happened", cause: "network", endpoint: "GET /v5/position/list" }));

  test("is stuck when no pass is complete for five intervals although the exchange answers", async () => {
    const { ended } = start(parts("main", gappy));
    await pass(45);
    expect(ended()).toBeNull();
    await pass(10);
    expect(ended()).toBeInstanceOf(StuckError);
  });

  test("is not stuck while its passes are complete, nor while the exchange cannot be reached", async () => {
    const { ended } = start(parts("main", whole), parts("gone", unreachable, Number.POSITIVE_INFINITY));
    const alone = start(parts("gone", unreachable, Number.POSITIVE_INFINITY));
    await pass(120);
    expect(ended()).toBeNull();
    expect(alone.ended()).toBeNull();
  });

  test("is not stuck where nothing was answered lately, also before that is taken for unreachable", async () => {
    const { ended, sidecar } = start(parts("hung", () => new Promise(() => undefined), 25_000));
    await pass(120);
    expect(ended()).toBeNull();
    neverCloses(sidecar);
  });

  test("does not call an account well whose pass has waited in vain for ten seconds", async () => {
    const { sidecar } = start(parts("hung", () => new Promise(() => undefined), 12_000));
    await pass(8);
    expect(sidecar.status().accounts).toMatchObject([{ trouble: null, reachable: true }]);
    await pass(4);
    expect(sidecar.status().accounts).toMatchObject([{ trouble: "the exchange does not answer", reachable: true }]);
    neverCloses(sidecar);
  });

  test.each([
    ["has been silent", 6_000],
    ["has shut us out", Number.POSITIVE_INFINITY],
  ])("counts five intervals anew from when the exchange answers again that %s", async (_what, forMs) => {
    let unansweredForMs = 0;
    const { ended } = start(parts("main", gappy, 0, () => unansweredForMs));
    await pass(44);
    unansweredForMs = forMs;
    await pass(10);
    unansweredForMs = 0;
    await pass(48);
    expect(ended()).toBeNull();
    await pass(5);
    expect(ended()).toBeInstanceOf(StuckError);
  });

  test("takes an answer that is late for an answer", async () => {
    const { ended } = start(parts("main", gappy, 0, () => 4_000));
    await pass(55);
    expect(ended()).toBeInstanceOf(StuckError);
  });

  test("counts five intervals anew from when the process goes on that has stood still", async () => {
    const { ended } = start(parts("main", gappy));
    await pass(44);
    movedMs += 8_000;
    await pass(48);
    expect(ended()).toBeNull();
    await pass(5);
    expect(ended()).toBeInstanceOf(StuckError);
  });

  test("counts five intervals of an account from when it is guarded", async () => {
    const { sidecar, ended } = start(parts("gone", unreachable, Number.POSITIVE_INFINITY));
    await pass(100);
    sidecar.add(parts("main", gappy));
    await pass(48);
    expect(ended()).toBeNull();
    await pass(5);
    expect(ended()).toBeInstanceOf(StuckError);
  });

  test("is not stuck when the process itself stood still for long, and sweeps as it goes on", async () => {
    const { ended } = start(parts("main", whole));
    await pass(20);
    movedMs += 3_600_000;
    await pass(3);
    expect(ended()).toBeNull();
    await pass(60);
    expect(ended()).toBeNull();
  });

  test("is stuck when a pass of one account never ends, while the others go on", async () => {
    const { ended, sidecar } = start(
      parts("main", whole),
      parts("hung", () => new Promise(() => undefined)),
    );
    await pass(890);
    expect(ended()).toBeNull();
    await pass(20);
    expect(ended()).toMatchObject({ message: expect.stringContaining("hung") });
    neverCloses(sidecar);
  });

  test("tells of each account for itself", async () => {
    const { sidecar } = start(parts("main", whole), parts("gone", unreachable, Number.POSITIVE_INFINITY));
    await pass(5);
    const reachable = sidecar.status().accounts.map(({ name, reachable: isReachable }) => [name, isReachable]);
    expect(reachable).toEqual([
      ["main", true],
      ["gone", false],
    ]);
  });
});
