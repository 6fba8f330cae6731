/** Time as a test wants it: stands still, and beats when it is told to. */
import type { Timing } from "../../src/http/timing.js";

export interface FakeTiming extends Timing {
  /** What runs each that many milliseconds runs once. */
  beat(ms: number): void;
  running(): number;
}

export const STANDING_MS = Date.UTC(2026, 0, 1);

export function fakeTiming(): FakeTiming {
  const works = new Set<{ readonly ms: number; readonly work: () => void }>();
  return {
    now: () => STANDING_MS,
    every: (ms, work) => {
      const entry = { ms, work };
      works.add(entry);
      return () => void works.delete(entry);
    },
    beat: (ms) => {
      for (const entry of works) if (entry.ms === ms) entry.work();
    },
    running: () => works.size,
  };
}
