/** The clock of the real process; everything else is handed one. */
import { setTimeout as wait } from "node:timers/promises";

export interface Clock {
  /** Wall clock, milliseconds since 1970; may jump. */
  now(): number;
  /** Milliseconds since some start; never jumps, and goes on while the wall clock is being set. */
  monotonicMs(): number;
  /** Wall clock as it was when the process started, plus the time that has really passed: for ages and for order. */
  steadyMs(): number;
  sleep(ms: number): Promise<void>;
}

/** More than the wall clock is ever corrected by between two looks at it; a clock set forward passes for a sleep. */
const LEAST_SLEEP_MS = 1_000;
const STARTED_AT_MS = Date.now() - performance.now();

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  steadyMs: () => STARTED_AT_MS + performance.now(),
  sleep: (ms) => wait(ms),
};

/** Goes by the steady clock, and notices when the machine has slept. */
export interface WakefulClock {
  now(): number;
  /** When, on this clock, it was last noticed that the machine had slept: what was known before is of any age. */
  wokeAtMs(): number;
  /** By whichever clock is further: while the machine sleeps this one stands still, and the wall clock may be set. */
  calendarMs(): number;
  sleep(ms: number): Promise<void>;
}

/** While a machine sleeps its monotonic clock stands still and its wall clock goes on. */
export function createWakefulClock(clock: Clock = systemClock): WakefulClock {
  const aheadMs = () => clock.now() - clock.monotonicMs();
  let lastAheadMs = aheadMs();
  let wokeAtMs = Number.NEGATIVE_INFINITY;
  return {
    now: () => clock.steadyMs(),
    wokeAtMs: () => {
      const nowAheadMs = aheadMs();
      if (nowAheadMs - lastAheadMs > LEAST_SLEEP_MS) wokeAtMs = clock.steadyMs();
      lastAheadMs = nowAheadMs;
      return wokeAtMs;
    },
    calendarMs: () => Math.max(clock.steadyMs(), clock.now()),
    sleep: (ms) => clock.sleep(ms),
  };
}
