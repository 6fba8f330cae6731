/** Positions counted by what their stop is worth, and how long they have gone without a whole one. */
import type { Assessment } from "../assess/assess.js";
import type { Status } from "../assess/status.js";
import type { Life } from "./lives.js";

const NONE: Readonly<Record<Status, number>> = {
  protected: 0,
  unprotected: 0,
  underprotected: 0,
  misplaced: 0,
  unprotectable: 0,
  unknown: 0,
  ignored: 0,
};

/** Rows that cannot be read count as unknown. */
export function countByStatus(assessment: Assessment | null): Readonly<Record<Status, number>> {
  if (assessment === null) return NONE;
  const counts = { ...NONE, unknown: assessment.unseen.length };
  for (const { status } of assessment.positions) counts[status] += 1;
  return counts;
}

/** Milliseconds, summed over all positions without a whole stop. */
export function nakedMs(lives: readonly Life[], nowMs: number): number {
  return lives.reduce((sum, { nakedSinceMs }) => sum + (nakedSinceMs === null ? 0 : nowMs - nakedSinceMs), 0);
}
