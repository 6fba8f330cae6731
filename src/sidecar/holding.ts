/** Reasons to wait before a stop is set: its bot may be about to do it. */
import type { LifeRecord } from "../domain/life.js";
import type { Protection } from "../policy/protection.js";
import type { Life } from "./lives.js";

export interface Hold {
  readonly reason: string;
  /** On the steady clock. */
  readonly untilMs: number;
}

/** Position and fill are pushed apart, in any order: so long the one waits for the other, or for the fills to tell. */
const AWAIT_ORDER_MS = 1_000;

/** Null: nothing is waited for. A stop that has triggered is gone for good, so no bot is putting it back. */
export function holdOf(
  life: Life | undefined,
  record: LifeRecord,
  protection: Protection,
  isAwaited: boolean,
  nowMs: number,
): Hold | null {
  if (life === undefined || record.stopTriggered) return null;
  const { graceMs, vanishMs } = protection;
  if (isAwaited && life.openedHere && nowMs < life.firstSeenMs + AWAIT_ORDER_MS) {
    const reason = "an intent waits for an order that may have opened it; its fill is told in a moment";
    return { reason, untilMs: life.firstSeenMs + AWAIT_ORDER_MS };
  }
  if (life.openedHere && !life.wasProtected && nowMs < life.firstSeenMs + graceMs) {
    return { reason: `its bot has ${graceMs} ms to set a stop of its own`, untilMs: life.firstSeenMs + graceMs };
  }
  if (life.stopGoneMs !== null && nowMs < life.stopGoneMs + vanishMs) {
    return {
      reason: `its stop is gone; a bot that moves it has ${vanishMs} ms to put it back`,
      untilMs: life.stopGoneMs + vanishMs,
    };
  }
  return null;
}

export interface LaterLook {
  readonly why: "hold" | "waiver";
  readonly afterMs: number;
}

/** A look that was asked for a moment too early would still find the waiver in force. */
const AFTER_THE_END_MS = 250;
/** Timers hold no more than some weeks; what ends later is found by a sweep. */
const LONGEST_WAIT_MS = 86_400_000;

/** When a reason to wait ends, the position is looked at again. */
export function looksAfter(hold: Hold | null, { intent }: LifeRecord, nowMs: number): readonly LaterLook[] {
  const looks: LaterLook[] = hold === null ? [] : [{ why: "hold", afterMs: hold.untilMs - nowMs }];
  const waivedMs = (intent?.waiver?.untilMs ?? 0) - nowMs;
  if (waivedMs <= 0 || waivedMs > LONGEST_WAIT_MS) return looks;
  return [...looks, { why: "waiver", afterMs: waivedMs + AFTER_THE_END_MS }];
}
