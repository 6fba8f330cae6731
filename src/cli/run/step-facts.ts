/** A step as logs and the ledger tell it: plain text and names, nothing that could hold a secret. */
import { print } from "../../domain/decimal.js";
import type { PositionKey } from "../../domain/position.js";
import type { Step } from "../../plan/step.js";

export interface KeyFacts {
  readonly account: string;
  readonly category: PositionKey["category"];
  readonly symbol: string;
  readonly positionIdx: PositionKey["positionIdx"];
}

export function keyFacts({ account, category, symbol, positionIdx }: PositionKey): KeyFacts {
  return { account, category, symbol, positionIdx };
}

/** What the step would do, without whose it is. */
export function deedFacts(step: Step): Record<string, string> {
  const { action, reason } = step;
  if (step.action === "close-position") return { action, reason, quantity: print(step.quantity) };
  const { stopLoss, takeProfit } = step;
  return {
    action,
    reason,
    ...(stopLoss === null
      ? {}
      : { stopLoss: print(stopLoss.price), slTriggerBy: stopLoss.triggerBy, purpose: stopLoss.purpose }),
    ...(takeProfit === null ? {} : { takeProfit: print(takeProfit.price), tpTriggerBy: takeProfit.triggerBy }),
  };
}
