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

const STARTED_AT_MS = Date.now() - performance.now();

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  steadyMs: () => STARTED_AT_MS + performance.now(),
  sleep: (ms) => wait(ms),
};
