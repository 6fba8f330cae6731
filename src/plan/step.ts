/** A step: one request to the exchange that a person can read before it is sent. */
import type { FindingCode } from "../assess/finding.js";
import type { Decimal } from "../domain/decimal.js";
import type { PositionKey, Side, TriggerBy } from "../domain/position.js";

/**
 * The finding that the step answers; a take-profit that `sync` moves answers none, nor does a tighter stop of another
 * hand that a write of ours has replaced on the way and that is given back.
 */
export type StepReason = FindingCode | "take-profit-differs" | "stop-replaced";

export interface StepLevel {
  /** Above zero, on the tick. */
  readonly price: Decimal;
  readonly triggerBy: TriggerBy;
}

/**
 * Why the stop is where it is. `add` puts the configured level where none stood; `rebase` and `nearest` answer a
 * level that is already past; `tighten` moves one that is wider than configured; `inside-liquidation` moves one that
 * only an estimated liquidation price calls misplaced; `give-back` restores another hand's tighter one that ours replaced;
 * `intent` moves one to what an intent names; `restore` moves one back that another hand has loosened; `loosen` is the
 * only one that moves a stop away from the mark: somebody has asked for it by name, for this position, and once.
 */
export type StopPurpose =
  | "add"
  | "rebase"
  | "nearest"
  | "tighten"
  | "inside-liquidation"
  | "give-back"
  | "intent"
  | "restore"
  | "loosen";

export interface StepStop extends StepLevel {
  readonly purpose: StopPurpose;
  /** True: what stood before it vanished, put back. */
  readonly isLearned?: true;
  /** The intent that names the level. Absent: none does. */
  readonly intentId?: string;
}

/** True: measured from the current price, because the price has passed the level that is wanted. */
export function answersPast({ purpose }: StepStop): boolean {
  return purpose === "rebase" || purpose === "nearest";
}

export interface SetTradingStop {
  readonly action: "set-trading-stop";
  readonly key: PositionKey;
  readonly side: Side;
  /** Null: left alone. */
  readonly stopLoss: StepStop | null;
  readonly takeProfit: StepLevel | null;
  readonly reason: StepReason;
}

export interface ClosePosition {
  readonly action: "close-position";
  readonly key: PositionKey;
  readonly side: Side;
  readonly quantity: Decimal;
  readonly reason: StepReason;
}

export type Step = SetTradingStop | ClosePosition;

/** A step with its place in the queue, or with the reason why it will not be sent. */
export interface PlannedStep {
  readonly step: Step;
  /** Higher is sent first. */
  readonly priority: number;
  /** Null: to be sent. */
  readonly held: string | null;
}
