/** How late a push is: the least delay of late is taken for the way and what our clock is off; more of it was waiting. */
export interface Lateness {
  /** Milliseconds that a push of that time, by the exchange's clock, has waited; `nowMs`: on a clock that never jumps. */
  lateMs(pushedAtMs: number, nowMs: number): number;
}

/** Clocks drift: what is older than one or two of these says nothing any more. */
const WINDOW_MS = 10 * 60_000;

export function createLateness(): Lateness {
  let before = Number.POSITIVE_INFINITY;
  let least = Number.POSITIVE_INFINITY;
  let sinceMs = Number.NEGATIVE_INFINITY;
  return {
    lateMs: (pushedAtMs, nowMs) => {
      const delayMs = nowMs - pushedAtMs;
      if (nowMs - sinceMs > WINDOW_MS) {
        before = least;
        least = Number.POSITIVE_INFINITY;
        sinceMs = nowMs;
      }
      least = Math.min(least, delayMs);
      return delayMs - Math.min(before, least);
    },
  };
}
