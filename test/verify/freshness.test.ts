/** How old what is known may be that a step is decided from, and sent from. */
import { describe, expect, test } from "vitest";
import { lookedAgain, type Picture, pictureOf } from "../../src/domain/picture.js";
import type { Step } from "../../src/plan/step.js";
import { isFreshEnough, mayStillLeave } from "../../src/verify/freshness.js";
import { aPosition } from "../builders/position.js";
import { aSnapshot, planned } from "../builders/snapshot.js";

const START_MS = 1_700_000_000_000;
const { key } = aPosition();
const CONTRACT = { category: "linear", symbol: "BTCUSDT" } as const;

const first = pictureOf(aSnapshot({ positions: [aPosition()], requestedAtMs: START_MS }));
/** A look at the contract alone that took so long. */
const again = (tookMs: number): Picture =>
  lookedAgain(first, {
    ...aSnapshot({ positions: [aPosition()], scope: [CONTRACT], requestedAtMs: START_MS }),
    receivedAtMs: START_MS + tookMs,
  });
const after = (ms: number, wokeAfterMs?: number) => ({
  now: () => START_MS + ms,
  ...(wokeAfterMs === undefined ? {} : { wokeAtMs: () => START_MS + wokeAfterMs }),
});

const [addStop] = planned({ positions: [aPosition()] }).map(({ step }) => step);
if (addStop === undefined) throw new RangeError("a naked position has a step");
const close: Step = { ...addStop, action: "close-position" } as never;

describe("a step is decided", () => {
  test.each([
    ["a stop", addStop, 1_500],
    ["a close", close, 1_000],
  ])("%s, from a first look for %o ms after it was asked for", (_what, step, withinMs) => {
    expect(isFreshEnough(step, first, after(withinMs))).toBe(true);
    expect(isFreshEnough(step, first, after(withinMs + 1))).toBe(false);
  });

  test("from a slow look only where that was made again: the exchange shows nothing younger", () => {
    expect(isFreshEnough(addStop, again(4_000), after(5_500))).toBe(true);
    expect(isFreshEnough(addStop, again(4_000), after(5_501))).toBe(false);
  });

  test("and not from one that took longer than an exchange may take: who looked has stood still", () => {
    expect(isFreshEnough(addStop, again(20_000), after(21_500))).toBe(true);
    expect(isFreshEnough(addStop, again(20_001), after(20_001))).toBe(false);
  });

  test("and a slow look at others makes nothing younger", () => {
    const other = { category: "linear", symbol: "ETHUSDT" } as const;
    const later = aSnapshot({ scope: [other], requestedAtMs: START_MS + 100 });
    const picture = lookedAgain(first, { ...later, receivedAtMs: START_MS + 9_000 });
    expect(isFreshEnough(addStop, picture, after(1_600))).toBe(false);
  });
});

test("a step that waited leaves for two and a half seconds after what is known was asked for", () => {
  expect(mayStillLeave(key, first, after(2_500))).toBe(true);
  expect(mayStillLeave(key, first, after(2_501))).toBe(false);
  expect(mayStillLeave(key, again(700), after(3_200))).toBe(true);
});

test("what was seen before the machine slept is of any age", () => {
  expect(isFreshEnough(addStop, first, after(20, 10))).toBe(false);
  expect(mayStillLeave(key, first, after(20, 0))).toBe(false);
  expect(mayStillLeave(key, first, after(20, -1))).toBe(true);
});
