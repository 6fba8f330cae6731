/** The last look before a step is sent: what must never be sent is refused here, whoever planned it. */
import type { Assessed } from "../assess/assess.js";
import { type Decimal, print } from "../domain/decimal.js";
import { keyText } from "../domain/position.js";
import { type Exit, isPast, isTighterStop } from "../domain/price.js";
import { basePrice, type Market } from "../policy/levels.js";
import type { Step, StepLevel, StepStop } from "./step.js";

/** Why this step would be unsafe for the position as it was last seen; null: it is safe. */
export function objection(step: Step, assessed: Assessed): string | null {
  const { position, market } = assessed;
  if (keyText(step.key) !== keyText(position.key)) return "the step is for another position";
  if (step.side !== position.side) return `the position is ${position.side}, the step is for a ${step.side}`;
  if (!isAllowed(assessed)) return "its policy allows no writes";
  if (!legFits(step)) return `positionIdx ${step.key.positionIdx} is not a ${step.side} leg`;
  if (step.action === "close-position") {
    return step.quantity.gt(position.size) ? "the close is larger than the position" : null;
  }
  if (market === null) return "the contract's tick size is not known";
  if (step.stopLoss === null && step.takeProfit === null) return "the step sets nothing";
  return (
    levelObjection(step.stopLoss, "stop-loss", assessed, market) ??
    levelObjection(step.takeProfit, "take-profit", assessed, market) ??
    looseningObjection(step.stopLoss, assessed)
  );
}

/** Also of what nobody has planned, such as a tighter stop of another hand that is put back. */
function isAllowed({ policy }: Assessed): boolean {
  return policy.protection.mode !== "report-only" && !policy.ignored && policy.inScope;
}

/** Hedge mode's leg 1 is only ever long and leg 2 only ever short (docs/v5/position). */
function legFits(step: Step): boolean {
  switch (step.key.positionIdx) {
    case 0:
      return true;
    case 1:
      return step.side === "long";
    case 2:
      return step.side === "short";
  }
}

function levelObjection(level: StepLevel | null, exit: Exit, { position }: Assessed, market: Market): string | null {
  if (level === null) return null;
  const { tickSize } = market.instrument;
  if (!level.price.isFinite() || level.price.lte(0)) return `the ${exit} is not above zero`;
  if (!level.price.mod(tickSize).isZero())
    return `the ${exit} ${print(level.price)} is not on the tick ${print(tickSize)}`;
  const base = basePrice(position, market, level.triggerBy, exit);
  if (base === null) return `the exchange states no current ${level.triggerBy}`;
  const isWrongSide = isPast(level.price, base, position.side, exit);
  return isWrongSide ? `the ${exit} ${print(level.price)} is past ${level.triggerBy} ${print(base)}` : null;
}

function looseningObjection(stop: StepStop | null, assessed: Assessed): string | null {
  const { stop: view, position } = assessed;
  const standing: Decimal | null = view.standingFull;
  if (stop === null || standing === null || isTighterStop(stop.price, standing, position.side)) return null;
  if (stop.purpose === "loosen" && isAskedFor(stop.price, standing, assessed)) return null;
  return `a stop stands at ${print(standing)}; ${print(stop.price)} would not be tighter`;
}

/** By an intent of this very life that names the price, and while no tighter stop than the one it spoke of stands. */
function isAskedFor(price: Decimal, standing: Decimal, { life, wanted, position }: Assessed): boolean {
  const { intent } = life;
  if (intent === null || intent.mayLoosenFrom === null || life.metStopIntent === intent.id) return false;
  const isTheLevel = wanted.stopBy === "intent" && wanted.stopLoss.kind === "level" && wanted.stopLoss.price.eq(price);
  return isTheLevel && !isTighterStop(standing, intent.mayLoosenFrom, position.side);
}
