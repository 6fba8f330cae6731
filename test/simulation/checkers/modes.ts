/** What a mode allows: create-only touches nothing that stands, tighten-only no take-profit that stands. */
import type { Decimal } from "../../../src/domain/decimal.js";
import type { NewEntry } from "../../../src/ledger/port.js";
import type { LegState } from "../venue.js";
import { isAsAsked, OLDEST_MS, stoodSince, wasKnown } from "./effects.js";
import type { Notes } from "./ledger.js";

type Exit = "stop" | "takeProfit";

export function checkMode(notes: Notes, before: LegState, after: LegState): void {
  const { mode } = notes.run.story.protection;
  if (mode === "sync") return;
  for (const exit of ["stop", "takeProfit"] as const) {
    const [from, to] = [before[exit]?.price, after[exit]?.price];
    if (from === undefined || to === undefined || from.eq(to) || (exit === "stop" && mode === "tighten-only")) continue;
    if (isExcused(notes, after, exit, to) || !wasLongKnown(notes, before, after, exit)) continue;
    notes.broken("S13", `${after.leg}: a ${exit} that stood at ${from.toFixed()} moved to ${to.toFixed()} in ${mode}`);
  }
}

/** Wanted by name, given back to the hand that had set it, or tightened for the size that was added. */
function isExcused({ run, wishes }: Notes, { leg, side, life }: LegState, exit: Exit, to: Decimal): boolean {
  if (wishes.some((wish) => wish.leg === leg && wish.side === side)) return true;
  const ofLife = (run.venue.history.get(leg) ?? []).filter(({ after }) => after.life === life);
  const hasStood = ofLife.some(({ after }) => after[exit]?.price.eq(to) === true);
  const hasGrown = ofLife.some(({ before, after }) => before?.life === life && after.size.gt(before.size));
  return exit === "stop" && (hasStood || (hasGrown && run.story.protection.onScaleIn === "tighten"));
}

/** Whoever decided to move it had long been able to see that it stood. */
function wasLongKnown(notes: Notes, before: LegState, { leg, symbol, stop }: LegState, exit: Exit): boolean {
  const write = (notes.writes.get(leg) ?? []).findLast(
    ({ stopLoss }) => exit === "takeProfit" || (stop !== null && isAsAsked(notes, symbol, stopLoss, stop.price)),
  );
  const from = before[exit]?.price.toFixed();
  if (write === undefined || from === undefined) return false;
  const stoodMs = write.sent.atMs - stoodSince(notes, before, exit);
  return stoodMs > OLDEST_MS || (exit === "stop" && wasKnown(notes, write, from));
}

const MOVES: readonly unknown[] = ["tighten", "restore", "inside-liquidation"];

/** What a step is written down for already tells whether the mode allows it, also where nobody had long seen the stop. */
export function checkPurpose({ run, broken }: Notes, { kind, symbol, body }: NewEntry): void {
  const { mode, onScaleIn } = run.story.protection;
  if (kind !== "step-intended" || mode === "sync") return;
  const { purpose, reason } = body as Record<string, unknown>;
  const isForGrowth = purpose === "tighten" && onScaleIn === "tighten";
  if (mode === "create-only" && MOVES.includes(purpose) && !isForGrowth)
    broken("S13", `${symbol}: a stop is to be moved (${String(purpose)}) in ${mode}`);
  if (reason === "take-profit-differs") broken("S13", `${symbol}: a take-profit is to be moved in ${mode}`);
}
