/** A step as logs and the ledger tell it: plain text and names, nothing that could hold a secret. */
import { print } from "../../domain/decimal.js";
import type { LifeRecord, UnprovenStep } from "../../domain/life.js";
import type { IntentDocument } from "../../intents/document.js";
import type { PositionKey } from "../../domain/position.js";
import type { AmendOrder } from "../../plan/attach.js";
import type { Step } from "../../plan/step.js";
import type { FindingPlace } from "../../sidecar/event.js";

export interface KeyFacts {
  readonly account: string;
  readonly category: PositionKey["category"];
  readonly symbol: string;
  readonly positionIdx: PositionKey["positionIdx"];
}

export function keyFacts({ account, category, symbol, positionIdx }: PositionKey): KeyFacts {
  return { account, category, symbol, positionIdx };
}

/** As much as the row tells of where it stands. */
export function placeFacts({ account, category, symbol, positionIdx }: FindingPlace) {
  return {
    account,
    ...(category === null ? {} : { category }),
    ...(symbol === null ? {} : { symbol }),
    ...(positionIdx === null ? {} : { positionIdx }),
  };
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

/** A step that was sent by the process before this one, with the levels of it that stand. */
export function foundFacts({ entryId, stopLoss, takeProfit }: UnprovenStep): Record<string, string | number> {
  const stop = stopLoss === null ? {} : { stopLoss: print(stopLoss.price), slTriggerBy: stopLoss.triggerBy };
  const profit = takeProfit === null ? {} : { takeProfit: print(takeProfit.price), tpTriggerBy: takeProfit.triggerBy };
  return { action: "set-trading-stop", ...stop, ...profit, intended: entryId };
}

/** The exits that an entry order is to bring, without whose it is. */
export function amendFacts({ action, reason, orderId, stopLoss, takeProfit }: AmendOrder): Record<string, string> {
  const stop = { stopLoss: print(stopLoss.price), slTriggerBy: stopLoss.triggerBy, purpose: "add" };
  const profit = takeProfit === null ? {} : { takeProfit: print(takeProfit.price), tpTriggerBy: takeProfit.triggerBy };
  return { action, reason, orderId, ...stop, ...profit };
}

/** By whose wish: `intent of http`, `learned level`, `another hand's stop`, or the rule of the config. */
export function wishText(step: Step, { intent }: LifeRecord, rule: string): string {
  const config = `config: ${rule}`;
  if (step.action === "close-position") return config;
  const { stopLoss } = step;
  const asked = intent === null ? null : `intent of ${intent.who}`;
  if (stopLoss === null) return intent?.takeProfit == null ? config : (asked ?? config);
  if (stopLoss.purpose === "give-back") return "another hand's stop";
  const byPolicy = ["rebase", "nearest", "tighten", "inside-liquidation"].includes(stopLoss.purpose);
  if (asked !== null && intent?.stopLoss != null && !byPolicy) return asked;
  return stopLoss.isLearned === true ? "learned level" : config;
}

/** What was asked for and refused, and why. */
export function intentFacts(wish: IntentDocument, message: string): Record<string, string> {
  const { stopLoss, takeProfit, who } = wish;
  return {
    ...(stopLoss === undefined ? {} : { stopLoss }),
    ...(takeProfit === undefined ? {} : { takeProfit }),
    ...(who === undefined ? {} : { who }),
    message,
  };
}
