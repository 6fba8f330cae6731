/** The time that the window lives by; tests hand in their own. */
import { systemClock } from "../runtime/index.js";

export interface Timing {
  /** Wall clock, milliseconds since 1970. */
  now(): number;
  /** Until the returned function is called. */
  every(ms: number, work: () => void): () => void;
}

export const systemTiming: Timing = {
  now: () => systemClock.now(),
  every: (ms, work) => {
    const timer = setInterval(work, ms);
    return () => clearInterval(timer);
  },
};
