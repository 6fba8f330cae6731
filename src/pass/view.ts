/** What a pass knows at one moment: the picture of the account, what it means, and what is to be done. */
import { type Assessed, type AssessInput, type Assessment, assess, reassess } from "../assess/assess.js";
import { lookedAgain, outOfSight, type Picture, scopeToSettle } from "../domain/picture.js";
import { keyText, type Position } from "../domain/position.js";
import { type Contract, isBlindFor, type ReadScope } from "../domain/snapshot.js";
import { ExchangeFailure } from "../exchange/failure.js";
import type { ReadManner } from "../exchange/port.js";
import type { Attention } from "./attention.js";
import type { PassOptions } from "./options.js";
import type { Remembered } from "./remembered.js";
import { changeBrake, plan } from "../plan/plan.js";
import type { PlannedStep, Step } from "../plan/step.js";
import type { Judged, PassBook } from "../verify/book.js";
import { learnedChange } from "../verify/learn.js";
import { provenChange } from "../verify/life.js";
import { foundStanding } from "../verify/unproven.js";

/** A list that has failed is asked for again after so long. */
const LIST_AGAIN_MS = 10_000;

/** The options of a pass that knows what it cares for, and where it keeps account. */
export type Attentive = PassOptions & {
  readonly attention: Attention;
  readonly book: PassBook;
  readonly remembered: Remembered;
};

export interface View {
  readonly picture: Picture;
  readonly assessment: Assessment;
  readonly planned: readonly PlannedStep[];
  /** Why the first plan of this pass may not move stops; null: it may. */
  readonly braked: string | null;
  /** In doubt at the first look, and not looked at a second time yet: others have a stop to wait for. */
  readonly inDoubt: readonly Contract[];
}

/** Null: the look failed, and everything is as it was known. */
export async function nextView(
  view: View,
  wanted: ReadScope,
  options: Attentive,
  manner: ReadManner,
): Promise<View | null> {
  const sinceMs = options.clock.now() - LIST_AGAIN_MS;
  const isMissed = wanted !== "account" && wasMissedByName(view.picture, wanted);
  const scope = wanted === "account" || isMissed ? "account" : scopeToSettle(view.picture, wanted, sinceMs);
  const looked = await lookOrNull(scope, options, manner);
  const later = looked === null && isMissed ? await lookOrNull(wanted, options, manner) : looked;
  if (later === null) return null;
  const before = { ...view, inDoubt: scope === "account" && looked !== null ? [] : view.inDoubt };
  const next = viewOf(lookedAgain(view.picture, later, options.isToldFlat), before, options);
  const judgments = options.book.judge(next.assessment, next.picture);
  for (const judged of judgments) {
    const found = positionOf(next, judged.attempt.step);
    if (found === undefined) continue;
    options.memory.remember(found.position, provenChange(judged, found));
    if (standsElsewhere(judged, found)) options.refreshInstruments?.();
  }
  // What is proven now is remembered, and counts for the plan.
  return judgments.length === 0 ? next : viewOf(next.picture, before, options);
}

/** Lists may show what the latest look, by name, did not. */
function wasMissedByName({ latest, snapshot }: Picture, wanted: readonly Contract[]): boolean {
  const isGap = (contract: Contract) =>
    snapshot.gaps.some((gap) => gap.symbols !== undefined && isBlindFor(gap, contract));
  return latest.scope !== "account" && wanted.some(isGap);
}

export const NOTHING_BEFORE: Pick<View, "braked" | "inDoubt"> = { braked: null, inDoubt: [] };

export function viewOf(picture: Picture, before: Pick<View, "braked" | "inDoubt">, options: Attentive): View {
  const { frozen, heldStep, manyChangesAgreed, attention, onLook } = options;
  const steadyMs = options.clock.now();
  const instant = { nowMs: options.clock.calendarMs?.() ?? steadyMs, steadyMs };
  const unseen = (position: Position) => outOfSight(picture, position.key);
  const first = assess({ snapshot: picture.snapshot, ...knownTo(options), ...instant, outOfSight: unseen });
  rememberLook(first, options);
  onLook?.(picture, first);
  // What the look has brought to memory counts for this plan already.
  const assessment = reassess(first, { ...knownTo(options), ...instant, outOfSight: unseen });
  const braked = before.braked ?? changeBrake(assessment);
  const heldBack = ({ position }: Assessed) => options.heldBack?.(position) ?? null;
  const held = { frozen: frozen(picture), heldBack, ...(heldStep === undefined ? {} : { heldStep }) };
  const planned = plan(assessment, {
    ...held,
    manyChangesAgreed,
    brakedBefore: braked ?? onlyPartSeen(picture, options),
  });
  const { inDoubt } = before;
  return { picture, assessment, planned: planned.filter(({ step }) => attention.has(step.key)), braked, inDoubt };
}

/** How many of the stops that stand would be moved can be told once all were waited for. */
function onlyPartSeen({ snapshot }: Picture, { scope = "account" }: Attentive): string | null {
  return snapshot.wentOnWithout && scope === "account" ? "not everything of the account has been seen yet" : null;
}

/** A triggered stop leaves the list of open orders as it fills or lapses; what is left of the position remembers it. */
function rememberLook({ positions }: Assessment, { memory, journal }: Attentive): void {
  for (const assessed of positions) {
    const seen = assessed.stop.triggered.length > 0 ? { stopTriggered: true } : {};
    const standing = foundStanding(assessed);
    if (standing.steps.length > 0) journal?.found?.(standing.steps, assessed.position);
    const change = { ...seen, ...learnedChange(assessed), ...standing.change };
    if (Object.keys(change).length > 0) memory.remember(assessed.position, change);
  }
}

/** A stop that the exchange took and put at another price: it goes by another tick than we know. */
function standsElsewhere({ attempt, verdict }: Judged, { stop }: Assessed): boolean {
  const isStop = attempt.step.action === "set-trading-stop" && attempt.step.stopLoss !== null;
  return isStop && verdict.kind === "unseen" && stop.standingFull !== null;
}

function knownTo({ policyOf, memory }: Attentive): Pick<AssessInput, "policyOf" | "lifeOf"> {
  return { policyOf: ({ key, side }) => policyOf(key, side), lifeOf: (position) => memory.recall(position) };
}

async function lookOrNull(scope: ReadScope, { remembered }: Attentive, manner: ReadManner) {
  try {
    return await remembered.look(scope, manner);
  } catch (error) {
    if (error instanceof ExchangeFailure) return null;
    throw error;
  }
}

export function positionOf({ assessment }: View, step: Step): Assessed | undefined {
  const key = keyText(step.key);
  return assessment.positions.find(({ position }) => keyText(position.key) === key);
}
