/** Whether a read that was requested after a write shows what the write intended. */
import type { Assessed } from "../assess/assess.js";
import { isWhole, type CoverLeg } from "../assess/coverage.js";
import { print } from "../domain/decimal.js";
import { isTighterStop } from "../domain/price.js";
import type { SetTradingStop, Step, StepLevel } from "../plan/step.js";

export type Verdict =
  | { readonly kind: "confirmed" }
  /** The position is gone: nothing is left to protect. */
  | { readonly kind: "closed" }
  /** The read does not show it; it may still come. */
  | { readonly kind: "unseen"; readonly detail: string }
  /** Another hand's tighter stop stands instead of ours; the position is covered, ours is not proven. */
  | { readonly kind: "superseded"; readonly detail: string };

/** `assessed` is null where a complete read shows no such position. */
export function judge(step: Step, assessed: Assessed | null): Verdict {
  if (assessed === null) return { kind: "closed" };
  if (assessed.position.side !== step.side) return flipped(step, assessed);
  if (step.action === "close-position") {
    return { kind: "unseen", detail: `${print(assessed.position.size)} is still open` };
  }
  return judgeLevels(step, assessed);
}

/** The position changed sides on the way: a level that the exchange took all the same now stands for the new side. */
function flipped(step: Step, { stop, position }: Assessed): Verdict {
  const stopLoss = step.action === "set-trading-stop" ? step.stopLoss : null;
  if (stopLoss === null || !shows(stop.all?.legs, stopLoss)) return { kind: "closed" };
  const sentence = `the position flipped to ${position.side} on the way and has taken the stop at ${print(stopLoss.price)}`;
  return { kind: "superseded", detail: sentence };
}

function judgeLevels({ stopLoss, takeProfit }: SetTradingStop, assessed: Assessed): Verdict {
  const { stop, position } = assessed;
  if (stopLoss !== null && !shows(stop.all?.legs, stopLoss)) {
    const standing = stop.inside;
    const isTighter = standing !== null && isTighterStop(standing.price, stopLoss.price, position.side);
    if (isWhole(standing) && isTighter) {
      return { kind: "superseded", detail: `a tighter stop stands at ${print(standing.price)}` };
    }
    return { kind: "unseen", detail: `no read shows the stop at ${print(stopLoss.price)}` };
  }
  if (takeProfit !== null && !shows(assessed.takeProfit?.legs, takeProfit)) {
    return { kind: "unseen", detail: `no read shows the take-profit at ${print(takeProfit.price)}` };
  }
  return { kind: "confirmed" };
}

/** The Full-mode order itself, at the intended price and trigger: the position row alone is no proof. */
export function shows(legs: readonly CoverLeg[] | undefined, level: StepLevel): boolean {
  const isIt = (leg: CoverLeg) =>
    leg.source === "full" && leg.price.eq(level.price) && leg.triggerBy === level.triggerBy;
  return legs?.some(isIt) ?? false;
}
