/** Histories whose truth is known: the opening and the end of a position are told rightly, or not at all. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { dec } from "../../src/domain/decimal.js";
import { type Closing, closingOf, type Fill, legSize, openingOf } from "../../src/domain/fills.js";
import type { PositionIdx, Side } from "../../src/domain/position.js";
import { violation } from "../builders/arbitrary.js";

interface Trade {
  readonly direction: Fill["direction"];
  readonly isOfLong: boolean;
  readonly quantity: number;
  /** It is matched in so many parts. */
  readonly parts: number;
  /** Since the trade before; zero: in the same millisecond. */
  readonly waitMs: number;
}

interface Leg {
  readonly positionIdx: PositionIdx;
  /** Signed; after each trade, the newest last. */
  readonly sizes: { readonly atMs: number; readonly size: number }[];
}

interface History {
  readonly fills: readonly Fill[];
  readonly legs: readonly Leg[];
}

const trades = fc.array(
  fc.record({
    direction: fc.constantFrom<Fill["direction"]>("buy", "sell"),
    isOfLong: fc.boolean(),
    quantity: fc.integer({ min: 1, max: 4 }),
    parts: fc.integer({ min: 1, max: 3 }),
    waitMs: fc.integer({ min: 0, max: 3 }),
  }),
  { minLength: 1, maxLength: 25 },
);

function sizeOf(leg: Leg): number {
  return leg.sizes.at(-1)?.size ?? 0;
}

/** As the exchange nets: in hedge mode what would shrink a leg below zero is cut to it. */
function happened(wanted: readonly Trade[], isHedged: boolean): History {
  const legs: readonly Leg[] = (isHedged ? ([1, 2] as const) : ([0] as const)).map((positionIdx) => ({
    positionIdx,
    sizes: [],
  }));
  const fills: Fill[] = [];
  let atMs = 1_000;
  wanted.forEach((trade, index) => {
    atMs += trade.waitMs;
    const [one, other] = legs;
    const leg = isHedged && !trade.isOfLong ? other : one;
    if (leg === undefined) return;
    const size = sizeOf(leg);
    const change = trade.direction === "buy" ? trade.quantity : -trade.quantity;
    const closes = Math.sign(size) === -Math.sign(change) ? Math.min(Math.abs(size), trade.quantity) : 0;
    const isClosing = isHedged && (trade.direction === "buy") !== trade.isOfLong;
    const quantity = isClosing ? closes : trade.quantity;
    if (quantity === 0) return;
    fills.push(...parts({ ...trade, quantity }, closes, atMs, index));
    leg.sizes.push({ atMs, size: size + Math.sign(change) * quantity });
  });
  return { fills, legs };
}

/** What closes comes first, whatever the parts. */
function parts({ direction, quantity, parts: wanted }: Trade, closes: number, atMs: number, seq: number): Fill[] {
  const count = Math.min(wanted, quantity);
  let left = closes;
  return Array.from({ length: count }, (_, part) => {
    const share = part === count - 1 ? quantity - (count - 1) : 1;
    const closed = Math.min(left, share);
    left -= closed;
    const facts = { direction, quantity: dec(`${share}`), closed: dec(`${closed}`), atMs, seq };
    return {
      kind: "fill",
      execId: `${seq}/${part}`,
      orderLinkId: "",
      by: seq % 2 === 0 ? "its stop" : "an order",
      ...facts,
    } as const;
  });
}

function trueOpening({ sizes }: Leg): number {
  const last = sizes.at(-1)?.size ?? 0;
  const before = sizes.findLastIndex(({ size }) => Math.sign(size) !== Math.sign(last));
  return sizes[before + 1]?.atMs ?? Number.NaN;
}

function sideOf(size: number): Side {
  return size > 0 ? "long" : "short";
}

function now({ positionIdx, sizes }: Leg, more = 0) {
  const size = (sizes.at(-1)?.size ?? 0) + more;
  return legSize(positionIdx, sideOf(size), dec(`${Math.abs(size)}`));
}

/** Rows come twice and in any order. */
function muddled(fills: readonly Fill[]): fc.Arbitrary<readonly Fill[]> {
  const doubled = [...fills, ...fills.filter((_, index) => index % 3 === 0)];
  return fc.shuffledSubarray(doubled, { minLength: doubled.length });
}

const histories = fc
  .tuple(trades, fc.boolean())
  .map(([wanted, isHedged]) => happened(wanted, isHedged))
  .chain((history) => fc.record({ history: fc.constant(history), muddle: muddled(history.fills) }));

const RUNS = { numRuns: 400 };

test("the opening is told exactly, in both modes, whatever the order of the rows", () => {
  const property = fc.property(histories, ({ history, muddle }) => {
    for (const leg of history.legs.filter((each) => sizeOf(each) !== 0)) {
      expect(openingOf(now(leg), muddle)).toEqual({ kind: "opened", atMs: trueOpening(leg) });
    }
  });
  expect(violation(property, RUNS)).toBeNull();
});

test("a history that ends before the opening says that it is further back, and nothing else", () => {
  const property = fc.property(histories, fc.integer({ min: 995, max: 1_040 }), ({ history, muddle }, keptFromMs) => {
    const kept = muddle.filter(({ atMs }) => atMs >= keptFromMs);
    for (const leg of history.legs.filter((each) => sizeOf(each) !== 0)) {
      const openedAtMs = trueOpening(leg);
      const expected = openedAtMs >= keptFromMs ? { kind: "opened", atMs: openedAtMs } : { kind: "further-back" };
      expect(openingOf(now(leg), kept)).toEqual(expected);
    }
  });
  expect(violation(property, RUNS)).toBeNull();
});

test("where an order is missing from the history, or the size is of another moment, no wrong opening is told", () => {
  const holes = fc.tuple(fc.nat(), fc.integer({ min: -2, max: 2 }));
  const property = fc.property(histories, holes, ({ history, muddle }, [hole, more]) => {
    const missing = more === 0 ? history.fills[hole % history.fills.length]?.seq : null;
    const left = muddle.filter(({ seq }) => seq !== missing);
    for (const leg of history.legs.filter((each) => Math.sign(sizeOf(each)) * Math.sign(sizeOf(each) + more) === 1)) {
      const told = openingOf(now(leg, more), left);
      const claimed = told.kind === "opened" ? told.atMs : trueOpening(leg);
      expect(claimed).toBe(trueOpening(leg));
    }
  });
  expect(violation(property, { numRuns: 2_000 })).toBeNull();
});

/** The moments at which the position was open, and what ended it first after each. */
function endings({ sizes }: Leg, fills: readonly Fill[]) {
  const last = new Map(sizes.map(({ atMs, size }) => [atMs, size]));
  return [...last]
    .filter(([, size]) => size !== 0)
    .map(([sinceMs, size]) => {
      const end = sizes.find((later) => later.atMs > sinceMs && Math.sign(later.size) !== Math.sign(size));
      const by = fills.filter(({ atMs, closed }) => atMs === end?.atMs && !closed.isZero()).map((fill) => fill.by);
      return { sinceMs, side: sideOf(size), endedAtMs: end?.atMs ?? null, by };
    });
}

test("what ended a position that was open at some moment is told exactly, also where others followed it", () => {
  const property = fc.property(histories, ({ history, muddle }) => {
    for (const leg of history.legs) {
      for (const { sinceMs, side, endedAtMs, by } of endings(leg, history.fills)) {
        const told: Closing | null = closingOf(now(leg), side, sinceMs, muddle);
        expect(told?.atMs ?? null).toBe(endedAtMs);
        expect(told === null || by.includes(told.by)).toBe(true);
      }
    }
  });
  expect(violation(property, RUNS)).toBeNull();
});
