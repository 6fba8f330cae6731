/** How a step is told once more, after what became of the tries before. */
import type { Assessed } from "../assess/assess.js";
import { dec } from "../domain/decimal.js";
import type { Side } from "../domain/position.js";
import { isPast, isTighterStop, roundAwayFromMark, tightestTick } from "../domain/price.js";
import { objection } from "../plan/guard.js";
import { answersPast, type Step, type StepStop } from "../plan/step.js";
import { strictBase } from "../policy/levels.js";
import type { Page } from "./page.js";
import { isAtLastWrite } from "./tries.js";

/** Share of the price by which a nearest stop moves away after each refusal. */
const ROOM_PER_REFUSAL = dec("0.001");

/**
 * The step as it may be sent now. A take-profit that was refused is left out, also where no write would be left for
 * the stop alone; and after a write that never showed, the same stop is asked for again where it still fits, so that
 * a late first effect changes nothing. What answered a level that was past is void once the price has come back.
 */
export function retold(step: Step, page: Page, assessed: Assessed, nowMs: number): Step | null {
  if (step.action !== "set-trading-stop") return step;
  const { stopLoss: stop } = step;
  const isStopAlone = stop !== null && isAtLastWrite(page, nowMs);
  const takeProfit = page.takeProfitRefused || isStopAlone ? null : step.takeProfit;
  if (stop === null) return takeProfit === null ? null : { ...step, takeProfit };
  const earlier = neverSeen(stop, step.side, page);
  if (earlier !== null && answersPast(earlier) === answersPast(stop)) {
    const { price, triggerBy } = earlier;
    // It counts as what it is sent for now, and not as the wish that it was.
    const purpose = answersPast(stop) ? earlier.purpose : stop.purpose;
    const again = { ...step, takeProfit, stopLoss: { ...stop, price, triggerBy, purpose } };
    if (objection(again, assessed) === null) return again;
  }
  const stopLoss = yielding(believing(stop, page, assessed), page, assessed);
  return stopLoss === null ? null : { ...step, takeProfit, stopLoss };
}

/**
 * The stop that was sent last and may take effect yet; null: there is none, or it gave way, or somebody else's wish
 * counts by now and is tighter: a late effect of the older one leaves no more than asking for it again would.
 */
function neverSeen(stop: StepStop, side: Side, { entries }: Page): StepStop | null {
  const last = entries.findLast(({ verdict }) => verdict?.outcome === "uncertain");
  const earlier = last?.isSuperseded === false ? last.attempt.step : null;
  if (earlier?.action !== "set-trading-stop" || earlier.side !== side || earlier.stopLoss === null) return null;
  const isOver = earlier.stopLoss.intentId !== stop.intentId || earlier.stopLoss.isLearned !== stop.isLearned;
  return isOver && isTighterStop(stop.price, earlier.stopLoss.price, side) ? null : earlier.stopLoss;
}

/**
 * The mark and the price that the stop waits for are far apart, and the exchange has refused by the one that had not
 * counted: the nearest level by that one is set, where nothing stands and the operator wants any; null: none is.
 */
function believing(stop: StepStop | null, page: Page, assessed: Assessed): StepStop | null {
  const { position, market, policy } = assessed;
  if (stop === null || market === null || refusalsAsPast(page) === 0) return stop;
  const { triggerBy } = stop;
  const base = strictBase(position, market, triggerBy, "stop-loss");
  if (base === null || !isPast(stop.price, base, position.side, "stop-loss")) return stop;
  if (policy.protection.pastStop === "alert" || assessed.stop.standingFull !== null) return null;
  const price = tightestTick(base, market.instrument.tickSize, position.side, "stop-loss");
  return price.lte(0) ? null : { price, triggerBy, purpose: "nearest" };
}

function refusalsAsPast({ entries }: Page): number {
  return entries.filter(({ attempt: { answer } }) => answer.kind === "refused" && answer.cause === "stop-loss-past")
    .length;
}

/** The nearest level was refused because the price is running: each further try leaves it more room. */
function yielding(stop: StepStop | null, page: Page, { position, market }: Assessed): StepStop | null {
  if (stop?.purpose !== "nearest" || market === null) return stop;
  const room = stop.price.times(ROOM_PER_REFUSAL).times(refusalsAsPast(page));
  const exact = position.side === "long" ? stop.price.minus(room) : stop.price.plus(room);
  const price = roundAwayFromMark(exact, market.instrument.tickSize, position.side, "stop-loss");
  return price.gt(0) ? { ...stop, price } : stop;
}
