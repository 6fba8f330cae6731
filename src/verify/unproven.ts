/** What a look shows standing of what the process before this one has sent, and nobody has seen since. */
import type { Assessed } from "../assess/assess.js";
import type { LifeRecord, UnprovenStep } from "../domain/life.js";
import { shows } from "./judge.js";
import { learnedAsSet } from "./learn.js";

export interface FoundStanding {
  /** Each with the levels alone that stand. */
  readonly steps: readonly UnprovenStep[];
  readonly change: Partial<LifeRecord>;
}

export function foundStanding(assessed: Assessed): FoundStanding {
  const { life, stop, takeProfit } = assessed;
  const steps = life.unproven.flatMap(({ entryId, ...sent }): readonly UnprovenStep[] => {
    const stopLoss = sent.stopLoss !== null && shows(stop.all?.legs, sent.stopLoss) ? sent.stopLoss : null;
    const profit = sent.takeProfit !== null && shows(takeProfit?.legs, sent.takeProfit) ? sent.takeProfit : null;
    return stopLoss === null && profit === null ? [] : [{ entryId, stopLoss, takeProfit: profit }];
  });
  const stopLoss = steps.findLast((step) => step.stopLoss !== null)?.stopLoss;
  const profit = steps.findLast((step) => step.takeProfit !== null)?.takeProfit;
  return {
    steps,
    change: {
      ...(stopLoss == null ? {} : { ourStopLoss: stopLoss.price, ...learnedAsSet(stopLoss, assessed) }),
      ...(profit == null ? {} : { ourTakeProfit: profit.price }),
    },
  };
}
