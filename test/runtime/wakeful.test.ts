/** The clock of the passes: it never jumps, and it notices when the machine has slept. */
import { expect, test } from "vitest";
import { createWakefulClock } from "../../src/runtime/index.js";

function host() {
  const state = { realMs: 0, wallMs: 0, sleptMs: 0 };
  const monotonicMs = () => state.realMs - state.sleptMs;
  const slept: number[] = [];
  const clock = createWakefulClock({
    now: () => state.realMs + state.wallMs,
    monotonicMs,
    steadyMs: () => 1_000_000 + monotonicMs(),
    sleep: async (ms) => void slept.push(ms),
  });
  return { clock, state, slept };
}

test("it goes by the steady clock, and waits as that does", async () => {
  const { clock, state, slept } = host();
  state.realMs += 250;
  expect(clock.now()).toBe(1_000_250);
  await clock.sleep(70);
  expect(slept).toEqual([70]);
});

test("a machine that never slept has never woken", () => {
  const { clock, state } = host();
  state.realMs += 3_600_000;
  expect(clock.wokeAtMs()).toBe(Number.NEGATIVE_INFINITY);
});

test("what somebody set an end to is over by the clock that is further", () => {
  const { clock, state } = host();
  state.realMs += 3_600_000;
  state.wallMs = 0;
  expect(clock.calendarMs()).toBe(4_600_000);
  state.wallMs = 5_000_000;
  expect(clock.calendarMs()).toBe(8_600_000);
  state.sleptMs += 3_600_000;
  expect(clock.calendarMs()).toBe(8_600_000);
});

test("a sleep is noticed when somebody asks, once", () => {
  const { clock, state } = host();
  state.realMs += 5_000;
  state.sleptMs += 1_001;
  expect(clock.wokeAtMs()).toBe(1_003_999);
  state.realMs += 500;
  expect(clock.wokeAtMs()).toBe(1_003_999);
});

test.each([
  ["corrected a little at a time", [900, 900, 900]],
  ["set back", [-3_600_000]],
])("a wall clock that is %s is no sleep", (_how, steps) => {
  const { clock, state } = host();
  for (const step of steps) {
    state.wallMs += step;
    expect(clock.wokeAtMs()).toBe(Number.NEGATIVE_INFINITY);
  }
});
