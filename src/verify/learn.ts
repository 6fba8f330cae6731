/** What a look at a position that is well teaches: the levels that stand, and that an intent has been met. */
import type { Assessed } from "../assess/assess.js";
import type { Cover } from "../assess/coverage.js";
import type { Learned, LearnedLevel, LifeRecord } from "../domain/life.js";
import { isMetBy } from "../policy/levels.js";
import { isLooserStop, isTighterStop } from "../domain/price.js";

/** Empty where nothing is to be learned: a position that is not well, or whose orders could not be read. */
export function learnedChange(assessed: Assessed): Partial<LifeRecord> {
  const { status, stop, takeProfit } = assessed;
  if (status !== "protected" || stop.doubt !== null) return {};
  const standing = fullLevel(stop.inside);
  const profit = fullLevel(takeProfit);
  const met = metChange(assessed, standing, profit);
  const learned = learnedFrom(assessed, standing, profit, met.metStopIntent !== undefined);
  return isSame(learned, assessed.life.learned) ? met : { ...met, learned };
}

export function fullLevel(found: Cover | null): LearnedLevel | null {
  const leg = found?.legs.find(({ source }) => source === "full");
  return leg?.triggerBy == null ? null : { price: leg.price, triggerBy: leg.triggerBy };
}

type Met = Partial<Pick<LifeRecord, "metStopIntent" | "metTakeProfitIntent">>;

/**
 * A tighter stop than the intent's meets it, unless it was asked for to be loosened: then only the price itself does,
 * or any other than the one it spoke of once that was loosened. A level kept inside liquidation moves with its estimate.
 */
function metChange(
  { life, wanted, position, market }: Assessed,
  standing: LearnedLevel | null,
  profit: LearnedLevel | null,
): Met {
  const { intent } = life;
  if (intent === null) return {};
  const { stopLoss, stopBenchmark: target, takeProfit } = wanted;
  const isAt = standing !== null && stopLoss.kind === "level" && standing.price.eq(stopLoss.price);
  const isTighter =
    standing !== null && target.kind === "level" && !isLooserStop(standing.price, target.price, position.side);
  const isUsedUp =
    standing !== null && life.loosenedFor === intent.id && intent.mayLoosenFrom?.eq(standing.price) === false;
  const isStopMet = intent.stopLoss !== null && (isAt || isUsedUp || (intent.mayLoosenFrom === null && isTighter));
  const isProfitMet = intent.takeProfit !== null && profit !== null && isMetBy(profit.price, takeProfit, market);
  return {
    ...(isStopMet && life.metStopIntent !== intent.id ? { metStopIntent: intent.id } : {}),
    ...(isProfitMet && life.metTakeProfitIntent !== intent.id ? { metTakeProfitIntent: intent.id } : {}),
  };
}

/**
 * What another hand has loosened is drift and is not learned, until size was added, or an intent has been met anew:
 * then what stands is what is wanted.
 */
function learnedFrom(
  { life, position }: Assessed,
  standing: LearnedLevel | null,
  profit: LearnedLevel | null,
  isNewlyMet: boolean,
): Learned | null {
  const before = life.learned;
  if (standing === null && profit === null && before === null) return null;
  const stood = before?.stopLoss ?? null;
  const isAnew = before === null || stood === null || isNewlyMet || position.size.gt(before.size);
  const isKept = standing === null || (!isAnew && !isTighterStop(standing.price, stood.price, position.side));
  return {
    stopLoss: isKept ? stood : standing,
    takeProfit: profit ?? before?.takeProfit ?? null,
    size: position.size,
  };
}

/**
 * A stop of ours that stands is what is wanted now, also where it is looser than one that vanished: no other hand put it
 * there. A look whose orders are in doubt teaches nothing.
 */
export function learnedAsSet(
  { price, triggerBy }: LearnedLevel,
  { life, position, stop }: Assessed,
): Partial<Pick<LifeRecord, "learned">> {
  if (stop.doubt !== null) return {};
  const takeProfit = life.learned?.takeProfit ?? null;
  return { learned: { stopLoss: { price, triggerBy }, takeProfit, size: position.size } };
}

function isSame(one: Learned | null, other: Learned | null): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
