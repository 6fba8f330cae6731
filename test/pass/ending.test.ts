/** What a pass with a report does before it ends: a report speaks of the moment in which it is made. */
import { describe, expect, test } from "vitest";
import type { Picture } from "../../src/domain/picture.js";
import { exitCode } from "../../src/report/verdict.js";
import { failure, type Fate, lie, truth } from "../builders/fake-exchange.js";
import { outcomesOf, play, type Scene, told } from "../builders/pass.js";
import { aPosition } from "../builders/position.js";

const guarded = aPosition({ fullStop: "98" });
const naked = aPosition({ symbol: "ETHUSDT" });
const GONE_AT_MS = 1_000;

const tooFast: Fate = { kind: "fails", failure: "not-happened", cause: "rate-limit" };

/** While one position is written to for seconds, another hand takes away the stop of one that was seen protected. */
function slowly(more: Partial<Scene> = {}): Scene {
  let startedAtMs: number | null = null;
  return {
    positions: [guarded, naked],
    fate: (_request, nth) => (nth === 1 ? tooFast : truth),
    lagMs: 2_500,
    beforeWrite: ({ atMs }, hand) => {
      startedAtMs ??= atMs;
      if (atMs - startedAtMs < GONE_AT_MS) hand.put(aPosition());
    },
    othersTakeMs: 0,
    ...more,
  };
}

describe("a stop that vanishes while others are written to", () => {
  test("is seen before the report is made, and put back", async () => {
    const { exchange, report } = await play(slowly());
    expect(exchange.stopOf(guarded.key)).toBe("98");
    expect(told(report, guarded.key).status).toBe("protected");
    expect(exitCode(report, "warning")).toBe(0);
  });

  test("is unknown where nothing can be looked at any more, and so is everything else", async () => {
    let hasFailed = false;
    const { report } = await play(
      slowly({
        beforeRead: (nth, _hand, scope) => {
          if (nth === 1 || scope !== "account") return;
          hasFailed = true;
          throw failure("not-happened", "network");
        },
      }),
    );
    expect(hasFailed).toBe(true);
    expect(report.positions.map(({ status }) => status)).toEqual(["unknown", "unknown"]);
    expect(exitCode(report, "never")).toBe(3);
  });

  test("is looked for again where only one of the looks at the end fails", async () => {
    let failed = 0;
    const { report } = await play(
      slowly({
        beforeRead: (nth, _hand, scope) => {
          if (nth === 1 || scope !== "account" || failed > 0) return;
          failed += 1;
          throw failure("not-happened", "network");
        },
      }),
    );
    expect(failed).toBe(1);
    expect(exitCode(report, "warning")).toBe(0);
  });
});

test("others that take longer are waited for, and then everything is looked at once more", async () => {
  const { exchange, report } = await play({
    positions: [guarded],
    othersTakeMs: 10_000,
    beforeRead: (nth, hand) => {
      if (nth === 2) hand.close(guarded.key);
    },
  });
  expect(exchange.reads.length).toBeGreaterThan(1);
  expect(report.positions.map(({ status }) => status)).not.toContain("protected");
});

test("who was done before the program is to end is told as a last look shows it", async () => {
  let reads = 0;
  const { report } = await play({
    positions: [naked],
    othersTakeMs: 5_000,
    beforeRead: (nth) => void (reads = nth),
    pass: { isStopping: () => reads >= 3 },
  });
  expect(reads).toBeGreaterThanOrEqual(3);
  expect(told(report, naked.key)).toMatchObject({ status: "protected", steps: [{ outcome: "confirmed" }] });
  expect(exitCode(report, "warning")).toBe(0);
});

test("who was looked at long before the exchange fell silent is unknown, as is what was written meanwhile", async () => {
  const { report } = await play({
    positions: [guarded, naked],
    othersTakeMs: 0,
    beforeRead: (nth) => {
      if (nth > 1) throw failure("not-happened", "timeout");
    },
    failsAfterMs: 2_000,
  });
  expect(report.positions.map(({ status }) => status)).toEqual(["unknown", "unknown"]);
  expect(exitCode(report, "never")).toBe(3);
});

describe("a stop that vanishes before a pass is broken off", () => {
  const brokenOff = (more: Partial<Scene> = {}) => {
    let looks = 0;
    return play({
      positions: [guarded, naked],
      // The effect never shows, and is waited for.
      fate: () => lie,
      othersTakeMs: 2_000,
      beforeWrite: (_write, hand) => hand.put(aPosition()),
      ...more,
      pass: { isStopping: () => looks >= 2, progress: () => (looks += 1) },
    });
  };

  test("by its user is seen by a last look", async () => {
    const { report, exchange } = await brokenOff();
    expect(exchange.stopOf(guarded.key)).toBeNull();
    expect(told(report, guarded.key).status).toBe("unprotected");
  });

  test("leaves it unknown where that look fails, or does not come in time", async () => {
    for (const failsAfterMs of [100, 60_000]) {
      const { report, clock, exchange } = await brokenOff({
        failsAfterMs,
        beforeRead: (nth, _hand, scope) => {
          if (nth > 1 && scope === "account") throw failure("not-happened", "timeout");
        },
      });
      expect(told(report, guarded.key).status).toBe("unknown");
      expect(clock.now() - (exchange.writes[0]?.atMs ?? 0)).toBeLessThan(30_000);
    }
  });
});

test("a pass that is woken again and again waits no shorter for the effect of what it wrote", async () => {
  const other = { category: "linear", symbol: "SOLUSDT" } as const;
  const { result } = await play({ positions: [naked], lagMs: 2_900, latencyMs: 50, pass: { woken: () => [other] } });
  expect(outcomesOf(result, naked.key)).toEqual(["confirmed"]);
});

test("a pass that gives way to another one hands over what is under way, and a mistake of ours in it", async () => {
  let isOverdue = false;
  const { result } = await play({
    positions: [naked],
    beforeWrite: () => void (isOverdue = true),
    latencyMs: 2_000,
    pass: {
      isOverdue: () => isOverdue,
      onAnswer: () => {
        throw new TypeError("a bug");
      },
    },
  });
  await expect(result.underWay).rejects.toThrow("a bug");
});

test("whoever ends a program while a last look is under way does not wait for it", async () => {
  let isStopping = false;
  const { report, clock, exchange } = await play({
    positions: [guarded],
    othersTakeMs: 2_000,
    failsAfterMs: 60_000,
    beforeRead: (nth) => {
      isStopping = nth > 1;
      if (nth > 1) throw failure("not-happened", "timeout");
    },
    pass: { isStopping: () => isStopping },
  });
  expect(told(report, guarded.key).status).toBe("unknown");
  expect(clock.now() - (exchange.reads.at(-1)?.atMs ?? 0)).toBeLessThan(10_000);
});

describe("an account that has not said yet whether others copy its trades", () => {
  const untoldFor = (looks: number) => {
    let nth = 0;
    return {
      positions: [naked],
      facts: () => ({ copyTradingMaster: (nth += 1) > looks ? null : "unread" }) as const,
      pass: {
        frozen: ({ snapshot }: Picture) => (snapshot.copyTradingMaster === "unread" ? "it may be a master" : null),
      },
    };
  };

  test.each([undefined, 0])(
    "is asked again before the pass ends, and then protected (a report: %s)",
    async (othersTakeMs) => {
      const { exchange } = await play({ ...untoldFor(3), ...(othersTakeMs === undefined ? {} : { othersTakeMs }) });
      expect(exchange.stopOf(naked.key)).toBe("98");
    },
  );

  test("and never does is not asked for ever", async () => {
    const { exchange, report } = await play(untoldFor(Number.POSITIVE_INFINITY));
    expect(exchange.writes).toEqual([]);
    expect(exchange.reads.length).toBeLessThan(10);
    expect(told(report, naked.key).status).toBe("unprotected");
  });

  test("is asked once where something else freezes it as well", async () => {
    const { exchange } = await play({ ...untoldFor(Number.POSITIVE_INFINITY), pass: { frozen: () => "a standby" } });
    expect(exchange.reads).toHaveLength(1);
  });

  test("is asked once where nothing waits for it", async () => {
    const { exchange } = await play({ ...untoldFor(Number.POSITIVE_INFINITY), positions: [guarded] });
    expect(exchange.reads).toHaveLength(1);
  });
});

test("what was written in the moment in which a program is stopped is looked at", async () => {
  let isStopping = false;
  const { report } = await play({
    positions: [naked],
    othersTakeMs: 0,
    // A look at it is under way when it is answered.
    latencyMs: 250,
    beforeWrite: () => void (isStopping = true),
    pass: { isStopping: () => isStopping },
  });
  expect(told(report, naked.key)).toMatchObject({ status: "protected", steps: [{ outcome: "confirmed" }] });
});

test("a pass that is done within a moment is not followed by another look at everything", async () => {
  const { exchange } = await play({ positions: [naked], othersTakeMs: 0 });
  expect(exchange.reads.filter(({ scope }) => scope === "account")).toHaveLength(1);
});

test("where others look on, nobody waits", async () => {
  const { othersTakeMs, ...alone } = slowly();
  expect(othersTakeMs).toBe(0);
  const { exchange } = await play(alone);
  expect(exchange.reads.filter(({ scope }) => scope === "account")).toHaveLength(1);
});
