/** How long the exchange has been silent, and how long it has been asked and not answered. */
import type { Clock } from "./budget.js";

export interface Hearing {
  /** A request leaves. */
  asked(): void;
  /** It has ended; `isHeard`: something came back, be it a page in the exchange's place. */
  ended(isHeard: boolean): void;
  /** The exchange itself has answered, be it with a refusal. */
  answered(): void;
  /** Milliseconds since anything came back at all; infinite before. */
  silentForMs(): number;
  /** Milliseconds from the first request that it has not answered to the last, which may be under way; 0: it has. */
  unansweredForMs(): number;
}

export function createHearing(clock: Pick<Clock, "monotonicMs">): Hearing {
  let heardMs = Number.NEGATIVE_INFINITY;
  let askedMs: number | null = null;
  let endedMs = Number.NEGATIVE_INFINITY;
  let underWay = 0;
  return {
    asked: () => {
      underWay += 1;
      askedMs ??= clock.monotonicMs();
    },
    ended: (isHeard) => {
      underWay -= 1;
      endedMs = clock.monotonicMs();
      if (isHeard) heardMs = endedMs;
    },
    answered: () => {
      askedMs = underWay > 0 ? clock.monotonicMs() : null;
    },
    silentForMs: () => clock.monotonicMs() - heardMs,
    unansweredForMs: () => (askedMs === null ? 0 : (underWay > 0 ? clock.monotonicMs() : endedMs) - askedMs),
  };
}
