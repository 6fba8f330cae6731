/** Measures how far our wall clock is from the exchange's, from the time that each answer carries. */
import type { Clock } from "./budget.js";

/** One answer: when it was asked for and received by our clock, and the time stated in it. */
export interface TimedAnswer {
  readonly sentAtMs: number;
  readonly receivedAtMs: number;
  readonly roundTripMs: number;
  readonly serverMs: number;
}

export interface SkewMeter {
  note(answer: TimedAnswer): void;
  /** Our clock minus the exchange's; null before the first answer with a time. */
  skewMs(): number | null;
}

/** An older measurement gives way to any newer one, a younger one only to a quicker answer. */
const LIFETIME_MS = 60_000;

export function createSkewMeter(clock: Clock): SkewMeter {
  let best: { skewMs: number; roundTripMs: number; measuredAtMs: number } | null = null;
  return {
    note: (answer) => {
      const measuredAtMs = clock.monotonicMs();
      const isFresh = best !== null && measuredAtMs - best.measuredAtMs <= LIFETIME_MS;
      if (isFresh && best !== null && answer.roundTripMs > best.roundTripMs) return;
      best = { skewMs: skewOf(answer), roundTripMs: answer.roundTripMs, measuredAtMs };
    },
    skewMs: () => best?.skewMs ?? null,
  };
}

export function skewOf(answer: TimedAnswer): number {
  return Math.round((answer.sentAtMs + answer.receivedAtMs) / 2 - answer.serverMs);
}
