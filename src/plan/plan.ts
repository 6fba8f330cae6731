/** All steps of a pass, riskiest first, with those held back that must not be sent. */
import type { Assessed, Assessment } from "../assess/assess.js";
import { coveredShare } from "../assess/coverage.js";
import { hedgeDoubt } from "../assess/hedge.js";
import { dec } from "../domain/decimal.js";
import { contractText } from "../domain/position.js";
import { notionalQuote } from "../assess/value.js";
import { objection } from "./guard.js";
import { stepFor } from "./position.js";
import type { PlannedStep, Step, StopPurpose } from "./step.js";

/** A pass that would move more than this share of the standing stops is more likely a mistake than a wish. */
const CHANGE_BRAKE_SHARE = 0.3;
const CHANGE_BRAKE_FROM = 10;

export interface PlanOptions {
  /** A person has seen the plan and agreed to moving many existing stops at once. */
  readonly manyChangesAgreed: boolean;
  /** The brake of this pass's first plan: stops that were added since must not make its moves look few. */
  readonly brakedBefore?: string | null;
  /** Why nothing of this account may be written now; null: it may. */
  readonly frozen: string | null;
  /** Why nothing may be written for this position at this moment; null: nothing speaks against it. */
  readonly heldBack?: (assessed: Assessed) => string | null;
  /** Why this step must wait while others may go; null: nothing speaks against it. */
  readonly heldStep?: (step: Step) => string | null;
}

export function plan(assessment: Assessment, options: PlanOptions): readonly PlannedStep[] {
  const drafts = draftsOf(assessment);
  const braked = options.manyChangesAgreed ? null : (options.brakedBefore ?? brakeOn(drafts, assessment));
  const ranked = [...drafts].sort((one, other) => riskOrder(one, other, assessment));
  return ranked.map(({ step, assessed }) => ({
    step,
    priority: urgency({ step, assessed }, assessment),
    held:
      options.frozen ??
      options.heldBack?.(assessed) ??
      options.heldStep?.(step) ??
      (movesStop(step) ? braked : null) ??
      unseenHedge(assessed, assessment) ??
      objection(step, assessed),
  }));
}

/** Why stops that stand must not be moved unless a person agrees; null: so few would move that they may. */
export function changeBrake(assessment: Assessment): string | null {
  return brakeOn(draftsOf(assessment), assessment);
}

interface Draft {
  readonly step: Step;
  readonly assessed: Assessed;
}

function draftsOf({ positions }: Assessment): readonly Draft[] {
  return positions.flatMap((assessed) => {
    const step = stepFor(assessed);
    return step === null ? [] : [{ step, assessed }];
  });
}

/** Where hedged legs are not to be written, a leg whose other side may be out of sight is not written either. */
function unseenHedge({ position, policy }: Assessed, { snapshot }: Assessment): string | null {
  const { hedged } = policy.protection;
  const doubt = hedged === "protect" ? null : hedgeDoubt(position, snapshot);
  return doubt === null ? null : `hedged legs are set to: ${hedged}, and ${doubt}`;
}

/** Those that nobody has asked for by name. */
const MOVES: readonly StopPurpose[] = ["tighten", "inside-liquidation", "restore"];

function movesStop(step: Step): boolean {
  return step.action === "set-trading-stop" && step.stopLoss !== null && MOVES.includes(step.stopLoss.purpose);
}

function brakeOn(drafts: readonly Draft[], { positions }: Assessment): string | null {
  const standing = positions.filter(({ stop }) => stop.all !== null).length;
  const moves = drafts.filter(({ step }) => movesStop(step)).length;
  if (standing < CHANGE_BRAKE_FROM || moves <= standing * CHANGE_BRAKE_SHARE) return null;
  const many = `would move ${moves} of ${standing} existing stops, more than 30%`;
  return `${many}: look at the plan, then agree with \`npx bybit-backstop protect --yes\` while no \`run\` writes`;
}

/** Naked first, then half-covered, then moves, then take-profits; within a class the largest notional first. */
function riskOrder(one: Draft, other: Draft, assessment: Assessment): number {
  const byUrgency = urgency(other, assessment) - urgency(one, assessment);
  return byUrgency !== 0
    ? byUrgency
    : (one.assessed.position.openedAtMs ?? 0) - (other.assessed.position.openedAtMs ?? 0);
}

/** Above any value at risk, so that a class is never overtaken by a lower one. */
const CLASS_STRIDE = 1e15;

/** Holds also between plans, for steps of one account wait in one queue: it ranks, and is no amount of money. */
function urgency(draft: Draft, { snapshot }: Assessment): number {
  const { position, stop } = draft.assessed;
  const naked = dec("1").minus(coveredShare(stop.inside));
  const value = notionalQuote(position, snapshot.tickers.get(contractText(position.key))).times(naked);
  return riskClass(draft) * CLASS_STRIDE + Math.min(value.toNumber(), CLASS_STRIDE - 1);
}

function riskClass({ step, assessed }: Draft): number {
  if (step.action === "close-position") return step.reason === "stop-past" ? 4 : 0;
  if (step.stopLoss === null) return 0;
  if (movesStop(step) || assessed.status === "protected") return 1;
  return assessed.stop.inside === null ? 3 : 2;
}
