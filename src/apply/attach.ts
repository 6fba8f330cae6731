/** Sends the exits of a resting entry order, behind everything that an open position needs. */
import { ExchangeFailure } from "../exchange/failure.js";
import type { AttachRequest, Writer } from "../exchange/port.js";
import type { AmendOrder } from "../plan/attach.js";
import { answerOf } from "./apply.js";
import type { Answer } from "./attempt.js";

/** Below every step of a position: those begin at one. */
const PRIORITY = -1;

/** `veto` is asked right before the request leaves, also before each further try. Rejects only by a bug of ours. */
export type SendAttach = (step: AmendOrder, veto: () => string | null) => Promise<Answer>;

export function attachThrough(writer: Writer): SendAttach {
  return async (step, veto) => {
    try {
      await writer.attachExits(attachRequest(step), { priority: PRIORITY, veto });
      return { kind: "acknowledged" };
    } catch (error) {
      if (!(error instanceof ExchangeFailure)) throw error;
      return answerOf(error);
    }
  };
}

function attachRequest({ key, side, orderId, stopLoss, takeProfit }: AmendOrder): AttachRequest {
  return { key, side, orderId, stopLoss, ...(takeProfit === null ? {} : { takeProfit }) };
}
