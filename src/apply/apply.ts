/** Sends steps and says truthfully what is known to have happened; the only room that is handed a writer. */
import { ExchangeFailure, MEETS_STOP_TOO } from "../exchange/failure.js";
import type { TradingStopRequest, Writer } from "../exchange/port.js";
import type { ClosePosition, PlannedStep, SetTradingStop, Step } from "../plan/step.js";
import type { Answer, Attempt } from "./attempt.js";

export interface ApplyOptions {
  readonly writer: Writer;
  readonly now: () => number;
  /** A fresh orderLinkId for a close. */
  readonly newOrderLinkId: () => string;
  /** Asked right before a request leaves: why it must not; null: it may. */
  readonly veto: (step: Step) => string | null;
}

/** One step to its end: the request, and the stop alone where its take-profit was refused. */
export async function applyStep({ step, priority }: PlannedStep, options: ApplyOptions): Promise<readonly Attempt[]> {
  const first = await send(step, priority, options);
  if (step.action !== "set-trading-stop" || !needsStopAlone(step, first)) return [first];
  return [first, await send({ ...step, takeProfit: null }, priority, options)];
}

function needsStopAlone(step: SetTradingStop, { answer }: Attempt): boolean {
  if (step.stopLoss === null || step.takeProfit === null || answer.kind !== "refused") return false;
  return !answer.meetsStopToo;
}

async function send(step: Step, priority: number, options: ApplyOptions): Promise<Attempt> {
  const startedAtMs = options.now();
  const answer = await answerTo(step, priority, options);
  return { step, startedAtMs, answeredAtMs: options.now(), answer };
}

async function answerTo(step: Step, priority: number, options: ApplyOptions): Promise<Answer> {
  try {
    await request(step, priority, options);
    return { kind: "acknowledged" };
  } catch (error) {
    if (!(error instanceof ExchangeFailure)) throw error;
    return answerOf(error);
  }
}

function request(step: Step, priority: number, options: ApplyOptions): Promise<unknown> {
  const urgency = { priority, veto: () => options.veto(step) };
  switch (step.action) {
    case "set-trading-stop":
      return options.writer.setTradingStop(tradingStop(step), urgency);
    case "close-position":
      return options.writer.closePosition(closeRequest(step, options.newOrderLinkId()), urgency);
  }
}

function tradingStop(step: SetTradingStop): TradingStopRequest {
  const { key, side, stopLoss, takeProfit } = step;
  return {
    key,
    side,
    ...(stopLoss === null ? {} : { stopLoss: { price: stopLoss.price, triggerBy: stopLoss.triggerBy } }),
    ...(takeProfit === null ? {} : { takeProfit: { price: takeProfit.price, triggerBy: takeProfit.triggerBy } }),
  };
}

function closeRequest({ key, side, quantity }: ClosePosition, orderLinkId: string) {
  return { key, side, quantity, orderLinkId };
}

export function answerOf({ facts, message }: ExchangeFailure): Answer {
  const detail = facts.retMsg === undefined ? message : `${facts.retCode ?? ""} ${facts.retMsg}`.trim();
  switch (facts.kind) {
    case "unknown":
      return { kind: "uncertain", detail };
    case "not-happened":
      return { kind: "not-sent", cause: facts.cause, detail };
    case "refused":
      return { kind: "refused", cause: facts.cause, meetsStopToo: MEETS_STOP_TOO.includes(facts.cause), detail };
    case "bug":
      return { kind: "refused", cause: "other", meetsStopToo: true, detail: `bug: ${detail}` };
  }
}
