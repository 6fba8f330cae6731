/** Notices that the process, or its machine, has stood still: whatever happened meanwhile, nobody has seen it. */
import { systemClock, type WakefulClock } from "../../runtime/index.js";

/** A busy event loop is no standstill: positions that close and open anew take longer. */
const STOOD_STILL_MS = 10_000;
const BEAT_MS = 1_000;

export interface Stillness {
  /** Asked before anything is recalled: a timer may be later than what is decided after a standstill. */
  look(): void;
  close(): void;
}

export function watchStillness(
  clock: Pick<WakefulClock, "wokeAtMs">,
  onStill: () => void,
  monotonicMs: () => number = () => systemClock.monotonicMs(),
): Stillness {
  let beatMs = monotonicMs();
  let wokeAtMs = clock.wokeAtMs();
  const look = (): void => {
    const nowMs = monotonicMs();
    const wokeNowMs = clock.wokeAtMs();
    const hasStood = nowMs - beatMs > STOOD_STILL_MS || wokeNowMs !== wokeAtMs;
    beatMs = nowMs;
    wokeAtMs = wokeNowMs;
    if (hasStood) onStill();
  };
  const timer = setInterval(look, BEAT_MS);
  return { look, close: () => clearInterval(timer) };
}
