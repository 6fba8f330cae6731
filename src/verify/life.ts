/** What a judged step adds to the memory of a position's life. */
import type { Attempt } from "../apply/attempt.js";
import type { LifeRecord } from "../domain/life.js";
import type { Judged } from "./book.js";

/** After a read has judged the step. */
export function provenChange({ attempt, verdict }: Judged): Partial<LifeRecord> {
  const { step } = attempt;
  if (step.action !== "set-trading-stop" || verdict.kind !== "confirmed") return {};
  return {
    ...(step.stopLoss === null ? {} : { ourStopLoss: step.stopLoss.price }),
    ...(step.takeProfit === null ? {} : { ourTakeProfit: step.takeProfit.price }),
    ...(step.stopLoss?.purpose === "rebase" ? { rebased: true } : {}),
    ...(step.stopLoss?.purpose === "inside-liquidation" ? { movedForLiquidation: true } : {}),
  };
}

/** As soon as it is answered: a close that may have happened is never sent a second time. */
export function answeredChange({ step, answer }: Attempt): Partial<LifeRecord> {
  const mayHaveHappened = answer.kind === "acknowledged" || answer.kind === "uncertain";
  return step.action === "close-position" && mayHaveHappened ? { closeSent: true } : {};
}
