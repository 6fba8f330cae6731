/** What a pass with a report does before it ends: a report speaks of the moment in which it is made. */
import { describe, expect, test } from "vitest";
import { exitCode } from "../../src/report/verdict.js";
import { failure, type Fate, truth } from "../builders/fake-exchange.js";
import { play, type Scene, told } from "../builders/pass.js";
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
