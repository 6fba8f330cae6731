/** That the process, or its machine, has stood still is noticed before anything is decided from what was known before. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { watchStillness } from "../../src/service/run/stillness.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function watched() {
  const state = { nowMs: 0, wokeAtMs: Number.NEGATIVE_INFINITY, times: 0 };
  const stillness = watchStillness(
    { wokeAtMs: () => state.wokeAtMs },
    () => void (state.times += 1),
    () => state.nowMs,
  );
  /** A second passes, and its timer comes. */
  const second = async () => {
    state.nowMs += 1_000;
    await vi.advanceTimersByTimeAsync(1_000);
  };
  return { state, stillness, second };
}

test("nothing is told while the timers come, nor of a short stall", async () => {
  const { state, stillness, second } = watched();
  for (let nth = 0; nth < 60; nth += 1) await second();
  state.nowMs += 9_000;
  stillness.look();
  expect(state.times).toBe(0);
  stillness.close();
});

test.each(["by who recalls something", "by the next timer"])("a standstill is noticed %s, once", async (how) => {
  const { state, stillness, second } = watched();
  await second();
  state.nowMs += 10_001;
  if (how === "by the next timer") await second();
  else stillness.look();
  stillness.look();
  await second();
  expect(state.times).toBe(1);
  stillness.close();
});

test("a sleep of the machine, in which its clock stood still too, is noticed as well", () => {
  const { state, stillness } = watched();
  state.wokeAtMs = 500;
  stillness.look();
  stillness.look();
  expect(state.times).toBe(1);
  stillness.close();
});
