/** The last look before a write: what waited for its turn is held against its contract as it stands now. */
import { assess } from "../assess/assess.js";
import { pictureOf, seenAtMs, slownessMs, wasSeen } from "../domain/picture.js";
import { ExchangeFailure } from "../exchange/failure.js";
import { plan } from "../plan/plan.js";
import type { Step } from "../plan/step.js";
import type { PassOptions } from "./options.js";
import type { View } from "./view.js";

/** What was asked for within this time is as good as a look made now. */
const KNOWN_WITHIN_MS = 100;

/** The contract of the step alone, as it is now; null: what is known is young enough, or nothing newer can be had. */
export async function lastLook(step: Step, latest: View, options: PassOptions): Promise<View | null> {
  const { reader, clock, policyOf, memory } = options;
  const answeredAtMs = seenAtMs(latest.picture, step.key) + slownessMs(latest.picture, step.key);
  if (clock.now() - answeredAtMs <= KNOWN_WITHIN_MS) return null;
  const { category, symbol } = step.key;
  try {
    const snapshot = await reader.snapshot([{ category, symbol }]);
    const { requestedAtMs, receivedAtMs } = snapshot;
    const picture = { ...pictureOf(snapshot), again: { requestedAtMs, tookMs: receivedAtMs - requestedAtMs } };
    // Without the rows, the prices or the rules of the contract it says nothing.
    if (!wasSeen(picture, step.key) || snapshot.gaps.length > 0) return null;
    const assessment = assess({
      snapshot,
      policyOf: ({ key, side }) => policyOf(key, side),
      lifeOf: (position) => memory.recall(position),
      nowMs: clock.calendarMs?.() ?? clock.now(),
      steadyMs: clock.now(),
    });
    const planned = plan(assessment, { frozen: null, manyChangesAgreed: true });
    return { picture, assessment, planned, braked: null };
  } catch (error) {
    if (error instanceof ExchangeFailure) return null;
    throw error;
  }
}

/** Lets so many in at a time as `most` says at that moment; each leaves by what it was given. */
export function createGate(most: () => number): () => Promise<() => void> {
  const waiting: (() => void)[] = [];
  let inside = 0;
  const letIn = (): void => {
    while (inside < most()) {
      const next = waiting.shift();
      if (next === undefined) return;
      inside += 1;
      next();
    }
  };
  const leave = (): void => {
    inside -= 1;
    letIn();
  };
  return async () => {
    const entered = new Promise<void>((resolve) => void waiting.push(resolve));
    letIn();
    await entered;
    let isInside = true;
    return () => {
      if (isInside) leave();
      isInside = false;
    };
  };
}
