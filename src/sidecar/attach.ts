/** Gives resting entry orders their exits, one at a time, each order once, and believes only what a later look shows. */
import type { SendAttach } from "../apply/attach.js";
import type { Answer } from "../apply/attempt.js";
import type { Picture } from "../domain/picture.js";
import type { PositionKey, Side } from "../domain/position.js";
import { type AmendOrder, planAttach } from "../plan/attach.js";
import type { OrderCircumstances } from "../plan/entry.js";
import type { ResolvedPolicy } from "../policy/resolve.js";
import { type AgeClock, mayStillLeave } from "../verify/freshness.js";
import { type AttachEvent, createAttachBook } from "./attach-book.js";
import { type LeftAlone, SENT_ONCE, watchOrders } from "./attach-memory.js";

export type { AttachEvent } from "./attach-book.js";

export interface AttacherOptions {
  readonly send: SendAttach;
  readonly policyOf: (key: PositionKey, side: Side) => ResolvedPolicy;
  readonly isSpokenFor: OrderCircumstances["isSpokenFor"];
  /** Never jumps; the clock of the pictures. */
  readonly clock: AgeClock;
  /** The exchange's time, against which the age of an order is told. */
  readonly exchangeNow: () => number;
  /** Why nothing of this account may be written at this moment; null: it may. */
  readonly frozen: () => string | null;
  readonly leftAlone: LeftAlone;
  /** Told at once and in order; what it throws is a bug. */
  readonly on: (event: AttachEvent) => void;
}

export interface Attacher {
  /**
   * Judges what was sent, then sends what this picture wants. While an earlier call still sends, it goes on from the
   * new picture, and this call resolves at once. Rejects only by a bug of ours.
   */
  consider(picture: Picture): Promise<void>;
}

export function createAttacher(options: AttacherOptions): Attacher {
  const { send, policyOf, isSpokenFor, clock, exchangeNow, frozen, leftAlone, on } = options;
  const watch = watchOrders(leftAlone);
  const book = createAttachBook(on);
  let latest: Picture | null = null;
  let isSending = false;

  /** `own`: an order on the wire, which is asked for as if it had not been sent yet. */
  function wanted(picture: Picture, own: string | null): readonly AmendOrder[] {
    const has = (orderId: string) => leftAlone.has(orderId) || (orderId !== own && book.has(orderId));
    const snapshot = book.withIntended(picture.snapshot, own);
    return planAttach({ snapshot, policyOf, isSpokenFor, nowMs: exchangeNow(), leftAlone: { has } });
  }

  function isFresh(picture: Picture, { key }: AmendOrder): boolean {
    return mayStillLeave(key, picture, clock);
  }

  function vetoOf(step: AmendOrder): string | null {
    const reason = frozen();
    if (reason !== null) return reason;
    if (latest === null || !isFresh(latest, step)) return "what it was decided from has become too old";
    return wanted(latest, step.orderId).some((again) => isSame(again, step)) ? null : "it is no longer wanted";
  }

  function next(tried: ReadonlySet<string>): AmendOrder | undefined {
    const picture = latest;
    if (picture === null || frozen() !== null) return undefined;
    return wanted(picture, null).find((step) => !tried.has(step.orderId) && isFresh(picture, step));
  }

  async function sendOne(step: AmendOrder): Promise<Answer> {
    book.started(step);
    let hasLeft = false;
    const answer = await send(step, () => {
      const reason = vetoOf(step);
      if (reason === null && !hasLeft) on({ orderId: step.orderId, step, outcome: "sent", detail: null });
      hasLeft ||= reason === null;
      return reason;
    });
    if (answer.kind !== "not-sent") leftAlone.add(step.orderId, `${SENT_ONCE}: ${answer.kind}`);
    book.answered(step, answer, { atMs: clock.now(), hasLeft });
    return answer;
  }

  return {
    consider: async (picture) => {
      latest = picture;
      watch.look(picture.snapshot, clock.now());
      book.judge(picture);
      if (isSending) return;
      isSending = true;
      try {
        const tried = new Set<string>();
        let step = next(tried);
        while (step !== undefined) {
          tried.add(step.orderId);
          if (endsRound(await sendOne(step))) return;
          step = next(tried);
        }
      } finally {
        isSending = false;
      }
    },
  };
}

function isSame(one: AmendOrder, other: AmendOrder): boolean {
  const text = ({ orderId, stopLoss, takeProfit }: AmendOrder) =>
    [orderId, stopLoss, takeProfit]
      .map((part) => (part === null || typeof part === "string" ? part : `${part.price.toFixed()} ${part.triggerBy}`))
      .join("/");
  return text(one) === text(other);
}

/** What closes the whole account to us would only cost the other orders their one try. */
function endsRound(answer: Answer): boolean {
  if (answer.kind === "refused") return answer.cause === "key" || answer.cause === "permission";
  return answer.kind === "not-sent" && answer.cause !== "vetoed";
}
