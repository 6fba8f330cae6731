/** What a judged step adds to the memory of a position's life. */
import type { Attempt } from "../apply/attempt.js";
import type { Assessed } from "../assess/assess.js";
import type { LifeRecord } from "../domain/life.js";
import type { Judged } from "./book.js";
import { shows } from "./judge.js";
import { learnedAsSet } from "./learn.js";

/** Enough to see whether one more may be made within an hour. */
const RESTORES_KEPT = 8;

/** After a read has judged the step; `found`: as that read shows the position. */
export function provenChange({ attempt, verdict }: Judged, found: Assessed): Partial<LifeRecord> {
  const { step } = attempt;
  if (step.action !== "set-trading-stop" || verdict.kind === "superseded" || verdict.kind === "closed") return {};
  const { stopLoss, takeProfit } = step;
  const isConfirmed = verdict.kind === "confirmed";
  // A take-profit that does not show takes nothing away from the stop that was sent with it.
  const isShown = stopLoss !== null && found.stop.doubt === null && shows(found.stop.all?.legs, stopLoss);
  const isStopProven = stopLoss !== null && (isConfirmed || isShown);
  return {
    ...(isStopProven ? { ourStopLoss: stopLoss.price, grown: false, ...learnedAsSet(stopLoss, found) } : {}),
    ...(isConfirmed && takeProfit !== null ? { ourTakeProfit: takeProfit.price } : {}),
  };
}

/** As soon as it is answered: what may have happened counts as done where it may be done only once in a life. */
export function answeredChange(
  { step, answer, answeredAtMs }: Attempt,
  { restoredAtMs, intent }: Pick<LifeRecord, "restoredAtMs" | "intent">,
): Partial<LifeRecord> {
  // A close that was refused is not tried again either: what is left open gets a stop.
  if (step.action === "close-position") return answer.kind === "not-sent" ? {} : { closeSent: true };
  if (answer.kind !== "acknowledged" && answer.kind !== "uncertain") return {};
  const purpose = step.stopLoss?.purpose;
  if (purpose === "rebase") return { rebased: true };
  if (purpose === "restore") return { restoredAtMs: [...restoredAtMs, answeredAtMs].slice(-RESTORES_KEPT) };
  if (purpose === "loosen") return { loosenedFor: intent?.id ?? null };
  return purpose === "inside-liquidation" ? { movedForLiquidation: true } : {};
}
