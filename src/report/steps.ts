/** Steps as the report tells them: planned ones, and those that were sent with what became of them. */
import type { Assessed } from "../assess/assess.js";
import { finding } from "../assess/finding.js";
import { lossAt } from "../assess/value.js";
import { print } from "../domain/decimal.js";
import type { PlannedStep, Step } from "../plan/step.js";
import type { StepRecord } from "../verify/book.js";
import type { ReportPosition, ReportStep } from "./report.js";

export function plannedStep({ step, held }: PlannedStep, assessed: Assessed | null): ReportStep {
  return { ...stepFields(step, assessed), outcome: held === null ? "planned" : "skipped", ...detailOf(held) };
}

export function doneStep({ step, outcome, detail }: StepRecord, assessed: Assessed | null): ReportStep {
  return { ...stepFields(step, assessed), outcome, ...detailOf(detail) };
}

function stepFields(step: Step, assessed: Assessed | null): Omit<ReportStep, "outcome"> {
  const { action, reason } = step;
  if (step.action === "close-position") return { action, reason };
  const { stopLoss, takeProfit } = step;
  const loss = stopLoss === null || assessed === null ? null : lossAt(assessed.position, stopLoss.price);
  return {
    action,
    ...(stopLoss === null ? {} : { stopLoss: print(stopLoss.price) }),
    ...(takeProfit === null ? {} : { takeProfit: print(takeProfit.price) }),
    ...(loss === null ? {} : { lossQuote: print(loss.toSignificantDigits(12)) }),
    reason,
  };
}

function detailOf(detail: string | null): { detail?: string } {
  return detail === null ? {} : { detail };
}

/** A position that is gone after the pass had to do with it: size 0, nothing left to find. */
export function closedPosition(records: readonly StepRecord[]): ReportPosition | null {
  return withoutRow(records, { size: "0", notional: "0", status: "closed", findings: [] });
}

/** A position that was written to and is missing from the last read, which does not prove it flat. */
export function lostPosition(records: readonly StepRecord[]): ReportPosition | null {
  const symbol = records[0]?.step.key.symbol ?? "a position";
  const message = `${symbol} was written to and is missing from the last read, which does not prove it closed`;
  return withoutRow(records, {
    size: null,
    notional: null,
    status: "unknown",
    findings: [finding("unreadable", message)],
  });
}

type Verdict = Pick<ReportPosition, "size" | "notional" | "status" | "findings">;

function withoutRow(records: readonly StepRecord[], verdict: Verdict): ReportPosition | null {
  // The earlier ones may be of a life before, on the other side.
  const step = records.at(-1)?.step;
  if (step === undefined) return null;
  return {
    account: step.key.account,
    category: step.key.category,
    symbol: step.key.symbol,
    positionIdx: step.key.positionIdx,
    side: step.side,
    entryPrice: null,
    markPrice: null,
    liquidationPrice: null,
    leverage: null,
    marginMode: null,
    nakedForMs: null,
    rule: null,
    intent: null,
    stopLoss: null,
    takeProfit: null,
    steps: records.map((record) => doneStep(record, null)),
    ...verdict,
  };
}
