/** What stays silent holds no stop of others back, and is neither written to nor forgotten. */
import { describe, expect, test } from "vitest";
import type { PositionKey } from "../../src/domain/position.js";
import { aPosition } from "../builders/position.js";
import { exitCode } from "../../src/report/verdict.js";
import { failure } from "../builders/fake-exchange.js";
import { play, type Played, type Scene, told } from "../builders/pass.js";

const silent = aPosition({ symbol: "SOLPERP" });
const SILENT = { symbols: ["SOLPERP"] };
const SOON_MS = 2_000;

const naked = (count: number) => Array.from({ length: count }, (_, nth) => aPosition({ symbol: `F${nth}USDT` }));

const startedAtMs = ({ exchange }: Played) => exchange.reads[0]?.atMs ?? Number.NaN;

/** How long after the first look its writes came, by symbol. */
const writtenAfterMs = (played: Played): ReadonlyMap<string, number> =>
  new Map(played.exchange.writes.map(({ request, atMs }) => [request.key.symbol, atMs - startedAtMs(played)]));

const statusOf = ({ report }: Played, key: PositionKey) => told(report, key).status;

describe("a contract whose orders stay silent", () => {
  test.each([1, 4, 5, 6, 9, 20])("keeps none of %i others waiting, and is not written to", async (count) => {
    const others = naked(count);
    const played = await play({ positions: [...others, silent], silence: SILENT, othersTakeMs: 0, latencyMs: 100 });
    const afterMs = writtenAfterMs(played);
    expect([...afterMs.keys()].toSorted()).toEqual(others.map(({ key }) => key.symbol).toSorted());
    expect(Math.max(...afterMs.values())).toBeLessThan(SOON_MS + count * 120);
    expect(others.map(({ key }) => statusOf(played, key))).toEqual(others.map(() => "protected"));
    expect(statusOf(played, silent.key)).toBe("unknown");
    expect(played.clock.now() - startedAtMs(played)).toBeLessThan(15_000);
  });

  test.each([
    ["with a report", { othersTakeMs: 0 }],
    ["among many passes", {}],
  ])(
    "is waited for once others are protected, and gets its stop if it answers then (a pass %s)",
    async (_what, how) => {
      const [other] = naked(1);
      const played = await play({
        positions: [...(other === undefined ? [] : [other]), silent],
        silence: { ...SILENT, answersAfterMs: 3_000 },
        ...how,
      });
      const afterMs = writtenAfterMs(played);
      expect(afterMs.get("F0USDT")).toBeLessThan(SOON_MS);
      expect(played.exchange.stopOf(silent.key)).toBe("98");
      expect(statusOf(played, silent.key)).toBe("protected");
      expect(played.result.assessment.snapshot.gaps).toEqual([]);
    },
  );

  test("is waited for by who only reads", async () => {
    const positions = [...naked(1), silent];
    const played = await play({ positions, silence: { ...SILENT, answersAfterMs: 3_000 }, writes: false });
    expect(played.report.positions.map(({ status }) => status)).toEqual(["unprotected", "unprotected"]);
  });

  test("is waited for before a person is shown the plan, and not once they have agreed", async () => {
    let shown = 0;
    let agreedAtMs = Number.NaN;
    const played = await play({
      positions: [...naked(5), silent],
      silence: SILENT,
      approve: async (_exchange, clock) => {
        shown = clock.now();
        await clock.sleep(10_000);
        agreedAtMs = clock.now();
        return true;
      },
    });
    expect(shown - startedAtMs(played)).toBeGreaterThan(5_000);
    expect(Math.min(...played.exchange.writes.map(({ atMs }) => atMs)) - agreedAtMs).toBeLessThan(SOON_MS);
  });
});

test("what is told once others were waited for is looked at again, however long they took", async () => {
  const played = await play({ positions: [...naked(1), silent], silence: SILENT, othersTakeMs: 60_000 });
  const lastLookMs = played.exchange.reads.findLast(({ scope }) => scope === "account")?.atMs ?? Number.NaN;
  expect(played.clock.now() - lastLookMs).toBeLessThan(8_000);
});

test("a position shown long before the look ended is looked at anew before it is written to", async () => {
  const opened = aPosition({ symbol: "ETHUSDT" });
  let looksAtAll = 0;
  const played = await play({
    positions: [...naked(1), silent],
    silence: SILENT,
    beforeRead: (_nth, hand, scope) => {
      if (scope === "account") {
        looksAtAll += 1;
        if (looksAtAll === 2) hand.put(opened);
      } else if (scope.some(({ symbol }) => symbol === "ETHUSDT")) hand.setStop(opened.key, "99.5");
    },
  });
  expect(looksAtAll).toBeGreaterThan(1);
  expect(played.exchange.stopOf(opened.key)).toBe("99.5");
  expect([...writtenAfterMs(played).keys()]).toEqual(["F0USDT"]);
});

test("stops that stand are not moved before it is seen how many there are", async () => {
  const stands = (nth: number) => aPosition({ symbol: `F${nth}USDT`, fullStop: "80" });
  const all = Array.from({ length: 14 }, (_, nth) => stands(nth));
  const slow = all.slice(0, 5).map(({ key }) => key.symbol);
  const played = await play({
    positions: all,
    protection: { mode: "tighten-only" },
    silence: { symbols: slow, answersAfterMs: 3_000 },
  });
  expect(played.exchange.writes).toEqual([]);
  expect(played.result.planned.map(({ held }) => held)).toEqual(all.map(() => expect.stringContaining("of 14")));
});

test("what is in doubt at the first look gets its second once others have their stops", async () => {
  const doubtful = aPosition({ symbol: "ETHUSDT" });
  const played = await play({
    positions: [...naked(1), doubtful],
    beforeRead: (nth) =>
      nth === 1 ? [{ category: "linear", what: "orders", symbols: ["ETHUSDT"], reason: "no answer" }] : undefined,
  });
  const afterMs = writtenAfterMs(played);
  expect(afterMs.get("F0USDT")).toBeLessThan(500);
  expect(statusOf(played, doubtful.key)).toBe("protected");
});

test.each<readonly [string, Partial<Scene>]>([
  ["by who only reads", { writes: false }],
  ["by who writes", {}],
])(
  "a stop that the position's own row does not state is not proven by a second look that fails (%s)",
  async (_who, how) => {
    const stated = aPosition({ symbol: "ETHUSDT", fullStop: "98" });
    const { report } = await play({
      positions: [stated],
      hidesRowStops: () => true,
      beforeRead: (_nth, _hand, scope) => {
        if (scope !== "account") throw failure("not-happened", "network");
        return undefined;
      },
      ...how,
    });
    expect(told(report, stated.key).status).toBe("unknown");
    expect(exitCode(report, "warning")).toBeGreaterThan(0);
  },
);

test("what is in doubt keeps its second look, though a look at everything fails meanwhile", async () => {
  const doubtful = aPosition({ symbol: "ETHUSDT", fullStop: "98" });
  let whole = 0;
  const seen: string[] = [];
  await play({
    positions: [...naked(1), doubtful],
    hidesRowStops: (nth) => nth === 1,
    beforeRead: (nth, _hand, scope) => {
      if (scope === "account") {
        whole += 1;
        if (whole > 1) throw failure("not-happened", "network");
        return undefined;
      }
      seen.push(...scope.map(({ symbol }) => symbol));
      const [first] = naked(1);
      return nth === 2 && first !== undefined
        ? [{ category: "linear", what: "orders", symbols: [first.key.symbol], reason: "no answer" }]
        : undefined;
    },
  });
  expect(seen).toContain("ETHUSDT");
});

test("a last look that stays silent keeps no other stop from leaving", async () => {
  const others = naked(5);
  const played = await play({
    positions: [silent, ...others],
    silence: { ...SILENT, onlyByName: true },
    latencyMs: 150,
  });
  const afterMs = writtenAfterMs(played);
  for (const { key } of others) expect(afterMs.get(key.symbol)).toBeLessThan(3_000);
  // Lists show its orders all the same.
  expect(played.exchange.stopOf(silent.key)).toBe("98");
  expect(statusOf(played, silent.key)).toBe("protected");
});
