/** The clock of the real process; everything else is handed one. */
import { setTimeout as wait } from "node:timers/promises";

export interface Clock {
  /** Wall clock, milliseconds since 1970; may jump. */
  now(): number;
  /** Milliseconds since some start; never jumps, and goes on while the wall clock is being set. */
  monotonicMs(): number;
  sleep(ms: number): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms) => wait(ms),
};
