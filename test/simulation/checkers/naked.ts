/** Which legs lack a stop that they ought to have, and how long that may last. */
import { isPast } from "../../../src/domain/price.js";
import type { Run } from "../run-parts.js";
import type { LegState } from "../venue.js";
import type { Notes } from "./ledger.js";

/** A request is given up after so long. */
const DEADLINE_MS = 10_000;
/** What was tried in vain before is tried again after a minute; so is a key that was refused. */
export const PATIENCE_MS = 75_000;

/** L1: one sweep and two deadlines, and what the config says to wait. */
export function promisedMs({ story }: Run): number {
  const { vanishMs, graceMs } = story.protection;
  return story.sweepSeconds * 1_000 + 2 * DEADLINE_MS + Math.max(vanishMs, graceMs);
}

export async function waitUntilProtected(
  notes: Notes,
  mostMs: number,
  wait: (ms: number) => Promise<void>,
  counts: (state: LegState) => boolean = () => true,
): Promise<void> {
  const endMs = notes.run.time.elapsedMs + mostMs;
  while (notes.run.time.elapsedMs < endMs && naked(notes).some(counts))
    await wait(Math.min(1_000, endMs - notes.run.time.elapsedMs));
}

/** Legs that ought to have a whole stop, and have none. */
export function naked(notes: Notes): readonly LegState[] {
  const { run, wishes } = notes;
  const { story } = run;
  if (story.protection.mode === "report-only") return [];
  const isWaived = ({ leg, life }: LegState) =>
    wishes.some((wish) => wish.leg === leg && wish.life === life && (wish.waivedUntilMs ?? 0) > run.time.elapsedMs);
  return run.venue.states().filter((state) => {
    if (state.side === null || state.isWhole || state.symbol === story.ignored || isWaived(state)) return false;
    return !(story.protection.pastStop === "alert" && isPastConfigured(notes, state));
  });
}

function isPastConfigured({ run }: Notes, state: LegState): boolean {
  const { side, entryPrice, symbol, leg, life } = state;
  if (side === null) return false;
  const share = run.story.protection.stopPercent / 100;
  const level = entryPrice.times(side === "long" ? 1 - share : 1 + share);
  // What an intent or a level that stood before asks for may be past as well.
  const stood = (run.venue.history.get(leg) ?? []).flatMap(({ after }) =>
    after.life === life && after.stop !== null ? [after.stop.price] : [],
  );
  const mark = run.venue.marks(symbol, run.time.elapsedMs).at(-1)?.mark;
  const near = level.times(0.001);
  const isNear = (price: typeof level) =>
    mark === undefined || isPast(price, mark, side, "stop-loss") || price.minus(mark).abs().lte(near);
  return isNear(level) || stood.some(isNear);
}
