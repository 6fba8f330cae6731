/** Ctrl+C and SIGTERM while something may be on the wire: what was sent is reported, and nothing else is awaited. */
import { systemClock } from "../runtime/index.js";
import type { Console } from "./console.js";

export interface Interruption {
  readonly signal: AbortSignal;
  /** Something leaves: from here on there is something to report. */
  sent(): void;
  over(): void;
}

/** From a terminal through npx, one Ctrl+C comes twice. */
const ONE_KEYPRESS_MS = 1_000;
/** Where nothing was sent, reads are awaited so long and no longer. */
const ENDS_WITHIN_MS = 1_000;

const AWAITED = "Nothing more is sent; what is on the wire is awaited. Once more ends the program at once.\n";
const NOTHING_SENT = "Nothing was sent, and nothing will be.\n";

/**
 * The first signal lets what was sent be answered and reported; where that is nothing, it ends the program soon. A
 * later one ends it as it is.
 */
export function interruption(console: Console): Interruption {
  const signals = ["SIGINT", "SIGTERM"] as const;
  const stop = new AbortController();
  let firstMs: number | null = null;
  let isSent = false;
  let ending: NodeJS.Timeout | undefined;
  const over = (): void => {
    clearTimeout(ending);
    for (const signal of signals) process.off(signal, hear);
  };
  const end = (signal: NodeJS.Signals): void => {
    over();
    process.kill(process.pid, signal);
  };
  const hear = (signal: NodeJS.Signals): void => {
    const nowMs = systemClock.monotonicMs();
    if (firstMs === null) {
      firstMs = nowMs;
      console.err(isSent ? AWAITED : NOTHING_SENT);
      ending = setTimeout(() => isSent || end(signal), ENDS_WITHIN_MS);
      return stop.abort();
    }
    if (nowMs - firstMs >= ONE_KEYPRESS_MS) end(signal);
  };
  for (const signal of signals) process.on(signal, hear);
  const sent = (): void => void (isSent = true);
  return { signal: stop.signal, sent, over };
}
