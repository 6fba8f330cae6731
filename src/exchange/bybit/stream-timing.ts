/** When the private stream gives up on a connection, and how long it waits before the next one. */
import type { Clock } from "./budget.js";

export interface StreamTiming {
  /** From the first byte to the last subscription's acknowledgement. */
  readonly settleWithinMs: number;
  readonly pingEveryMs: number;
  readonly pongWithinMs: number;
  /** Longest time without any frame, pongs included. */
  readonly silentAfterMs: number;
  /** Least time from the start of one attempt to the start of the next. */
  readonly shortestGapMs: number;
  readonly longestGapMs: number;
  /** A connection that was live for so long starts the gaps anew. */
  readonly steadyAfterMs: number;
}

/** docs/v5/ws/connect: ping about every 20 s, at most 500 connections per 5 minutes and address. */
export const STREAM_TIMING: StreamTiming = {
  settleWithinMs: 10_000,
  pingEveryMs: 10_000,
  pongWithinMs: 8_000,
  silentAfterMs: 30_000,
  shortestGapMs: 2_000,
  longestGapMs: 30_000,
  steadyAfterMs: 60_000,
};

export interface Timers {
  /** Calls back once, unless what it gave back is called before. */
  after(ms: number, callback: () => void): () => void;
}

export const systemTimers: Timers = {
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

export interface Pacing {
  /** An attempt starts. */
  started(): void;
  /** It came through. */
  live(): void;
  /** It is over, one way or the other: how long to wait before the next one. */
  waitAfterEndMs(): number;
}

const MOST_DOUBLINGS = 10;

/**
 * Gaps count from start to start, as the exchange counts connections: one that held for a while has waited already.
 * Each attempt that was not steady doubles the gap.
 */
export function createPacing(clock: Pick<Clock, "monotonicMs">, random: () => number, timing: StreamTiming): Pacing {
  const { shortestGapMs, longestGapMs, steadyAfterMs } = timing;
  let doublings = 0;
  let startedMs = 0;
  let liveSinceMs: number | null = null;
  return {
    started: () => {
      startedMs = clock.monotonicMs();
      liveSinceMs = null;
    },
    live: () => {
      liveSinceMs = clock.monotonicMs();
    },
    waitAfterEndMs: () => {
      const nowMs = clock.monotonicMs();
      const wasSteady = liveSinceMs !== null && nowMs - liveSinceMs >= steadyAfterMs;
      doublings = wasSteady ? 0 : Math.min(doublings + 1, MOST_DOUBLINGS);
      const widestMs = Math.min(shortestGapMs * 2 ** doublings, longestGapMs);
      const gapMs = Math.max(shortestGapMs, widestMs * (0.5 + random() / 2));
      // Also after a steady life not all accounts of an address at the same moment.
      return Math.max(startedMs + gapMs - nowMs, (random() * shortestGapMs) / 4);
    },
  };
}
