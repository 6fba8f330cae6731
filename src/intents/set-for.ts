/** Whether a life may take up an intent that waits: one that was set for an open position is for that life and no other. */
import { isOtherOpening, type Side } from "../domain/position.js";
import type { Intent, Life, SetFor } from "../ledger/port.js";

export type Fit =
  /** It may be taken up. */
  | "fits"
  /** Not by this life, or nothing tells yet. */
  | "waits"
  /** By no life any more. */
  | { readonly over: string };

/** Fill, push and read of the same opening are not stamped alike, nor by the same clock. */
export const CLOCKS_APART_MS = 5_000;

export const CLOSED_SINCE = "the position that it was set for has closed since";
export const UNPROVEN = "nothing proves that the position is still the one that it was set for";
const UNTOLD = "an older version has set it, and whether it was for this position cannot be told";

/** For one that waits for no order. */
export function fitOf(intent: Intent, life: Life): Fit {
  const { setFor, mayLoosenFrom, createdAtMs, ttlMs } = intent;
  if (setFor?.kind === "open") return fitOfOpen(setFor, life);
  const beganMs = life.openedAtMs ?? life.firstSeenMs;
  if (setFor === null && life.openedAtMs === null) return "waits";
  if (setFor === null && beganMs <= createdAtMs) return { over: UNTOLD };
  // It speaks of the stop of a position that was open by then.
  if (mayLoosenFrom !== null && beganMs > createdAtMs + CLOCKS_APART_MS) return "waits";
  if (setFor?.kind === "next" && beganMs < setFor.seenAtMs - CLOCKS_APART_MS) return "waits";
  return beganMs <= createdAtMs + ttlMs ? "fits" : "waits";
}

/** Whoever was open on that side when it was seen, and has been ever since, is the one. */
function fitOfOpen(
  { openedAtMs: meantMs, seenAtMs }: Extract<SetFor, { kind: "open" }>,
  { openedAtMs, firstSeenMs }: Life,
): Fit {
  if (meantMs !== null && openedAtMs !== null) {
    if (!isOtherOpening(meantMs, openedAtMs)) return "fits";
    // A row that is seconds old may still show the one before.
    return openedAtMs > meantMs ? { over: CLOSED_SINCE } : "waits";
  }
  if (firstSeenMs <= seenAtMs) return "fits";
  if (openedAtMs === null) return "waits";
  if (openedAtMs <= seenAtMs - CLOCKS_APART_MS) return "fits";
  return { over: openedAtMs > seenAtMs + CLOCKS_APART_MS ? CLOSED_SINCE : UNPROVEN };
}

/** One that waits to be held to the life that it was set for, as far as is known. */
export function isForOneLife({ state, orderLinkId, setFor }: Intent): boolean {
  return state === "pending" && orderLinkId === null && (setFor === null || setFor.kind === "open");
}

/** It waits for the next position of that side; one that waits for another order, or belongs to a life, does not. */
export function isForNext(intent: Intent, wanted: Side, nowMs: number): boolean {
  const { side, state, orderLinkId, createdAtMs, ttlMs } = intent;
  const isWaiting = state === "pending" && orderLinkId === null && !isForOneLife(intent);
  return side === wanted && isWaiting && nowMs <= createdAtMs + ttlMs;
}
