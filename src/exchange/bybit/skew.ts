/** Measures the exchange's clock against ours, from the time that each answer carries. */
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
  /** Our wall clock minus the exchange's; null before the first answer with a time. */
  skewMs(): number | null;
  /**
   * The exchange's time at this moment, never too early by more than an answer's way back; null before the first
   * answer with a time, and from a jump of our wall clock, also by a sleep of the machine, until the next.
   */
  exchangeNowMs(): number | null;
}

/** An older measurement gives way to any newer one, a younger one only to a quicker answer. */
const LIFETIME_MS = 60_000;
/** Wall clocks are corrected by less than this within a lifetime. */
const LEAST_JUMP_MS = 1_000;

interface Measurement {
  readonly skewMs: number;
  readonly roundTripMs: number;
  readonly measuredAtMs: number;
  /** How far the wall clock was ahead of the monotonic one. */
  readonly aheadMs: number;
  /** The exchange's time minus the monotonic one, as if the request had taken no time to get there. */
  readonly exchangeAheadMs: number;
}

export function createSkewMeter(clock: Clock): SkewMeter {
  let best: Measurement | null = null;
  const aheadMs = () => clock.now() - clock.monotonicMs();
  const hasJumpedSince = (measured: Measurement) => Math.abs(aheadMs() - measured.aheadMs) > LEAST_JUMP_MS;
  return {
    note: (answer) => {
      const measuredAtMs = clock.monotonicMs();
      const isFresh = best !== null && measuredAtMs - best.measuredAtMs <= LIFETIME_MS && !hasJumpedSince(best);
      if (isFresh && best !== null && answer.roundTripMs > best.roundTripMs) return;
      const { roundTripMs, serverMs } = answer;
      best = {
        skewMs: skewOf(answer),
        roundTripMs,
        measuredAtMs,
        aheadMs: aheadMs(),
        exchangeAheadMs: serverMs + roundTripMs - measuredAtMs,
      };
    },
    skewMs: () => best?.skewMs ?? null,
    exchangeNowMs: () => (best === null || hasJumpedSince(best) ? null : clock.monotonicMs() + best.exchangeAheadMs),
  };
}

export function skewOf(answer: TimedAnswer): number {
  return Math.round((answer.sentAtMs + answer.receivedAtMs) / 2 - answer.serverMs);
}
