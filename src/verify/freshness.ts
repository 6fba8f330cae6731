/** How old what is known of a position may be that a step is decided from, and sent from. */
import { type Picture, seenAtMs, slownessMs } from "../domain/picture.js";
import type { Contract } from "../domain/snapshot.js";
import type { Step } from "../plan/step.js";

/** A look that is older when a step is decided is made anew: another hand may have set a tighter stop since. */
const DECIDED_WITHIN_MS = 1_500;
/** A close cannot be taken back. */
const CLOSE_DECIDED_WITHIN_MS = 1_000;
/** So long a batch may take to go out, held against every look that is made meanwhile. */
export const SENT_WITHIN_MS = 2_500;

/** Tells the time, and when the machine was last noticed to have slept, on the clock of the looks. */
export interface AgeClock {
  now(): number;
  wokeAtMs?(): number;
}

/** May this step be decided from what the picture shows? */
export function isFreshEnough(step: Step, picture: Picture, clock: AgeClock): boolean {
  const withinMs = step.action === "close-position" ? CLOSE_DECIDED_WITHIN_MS : DECIDED_WITHIN_MS;
  return isYounger(picture, step.key, withinMs, clock);
}

/** May a step of this contract that was decided before leave now? */
export function mayStillLeave(contract: Contract, picture: Picture, clock: AgeClock): boolean {
  return isYounger(picture, contract, SENT_WITHIN_MS, clock);
}

function isYounger(picture: Picture, contract: Contract, withinMs: number, clock: AgeClock): boolean {
  const seenMs = seenAtMs(picture, contract);
  const wokeAtMs = clock.wokeAtMs?.() ?? Number.NEGATIVE_INFINITY;
  return seenMs > wokeAtMs && clock.now() - seenMs <= withinMs + slownessMs(picture, contract);
}
