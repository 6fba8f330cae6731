/** Keeps account of every amendment until a look that was asked for after its answer shows it, or shows that it is too late. */
import type { Answer } from "../apply/attempt.js";
import { print } from "../domain/decimal.js";
import type { OpenOrder } from "../domain/order.js";
import { type Picture, seenAtMs } from "../domain/picture.js";
import { contractText } from "../domain/position.js";
import type { Contract, Snapshot } from "../domain/snapshot.js";
import type { AmendOrder } from "../plan/attach.js";

export interface AttachEvent {
  readonly orderId: string;
  readonly step: AmendOrder;
  /**
   * `sent` is told right before the request leaves; then what became of it, once or twice: what is `uncertain` may be
   * `confirmed` by a later look. `skipped`: it surely had no effect, and may be tried again.
   */
  readonly outcome: "sent" | "confirmed" | "refused" | "uncertain" | "skipped";
  readonly detail: string | null;
}

/** How long an effect may take to show in reads before its absence counts. */
const SETTLE_MS = 3_000;

interface Attempt {
  readonly step: AmendOrder;
  /** Null: on the wire. */
  answeredAtMs: number | null;
  isTold: boolean;
}

export interface AttachBook {
  has(orderId: string): boolean;
  /** Every order as it will be if all that was sent has its effect; `own` as it was seen. */
  withIntended(snapshot: Snapshot, own: string | null): Snapshot;
  started(step: AmendOrder): void;
  answered(step: AmendOrder, answer: Answer, when: { readonly atMs: number; readonly hasLeft: boolean }): void;
  judge(picture: Picture): void;
}

export function createAttachBook(on: (event: AttachEvent) => void): AttachBook {
  const attempts = new Map<string, Attempt>();

  const tell = (step: AmendOrder, outcome: AttachEvent["outcome"], detail: string | null): void =>
    on({ orderId: step.orderId, step, outcome, detail });

  function tellUncertain(attempt: Attempt, detail: string): void {
    if (!attempt.isTold) tell(attempt.step, "uncertain", detail);
    attempt.isTold = true;
  }

  function judgeOne(attempt: Attempt, answeredAtMs: number, picture: Picture): void {
    const { step } = attempt;
    const { orders } = picture.snapshot;
    const lookedAfterMs = seenAtMs(picture, step.key) - answeredAtMs;
    if (lookedAfterMs < 0 || !isInScope(step.key, picture.snapshot)) return;
    const order = orders.find(({ orderId }) => orderId === step.orderId);
    if (order !== undefined && shows(order, step)) {
      attempts.delete(step.orderId);
      tell(step, "confirmed", null);
      return;
    }
    if (lookedAfterMs < SETTLE_MS || isBlind(step.key, picture.snapshot)) return;
    if (order === undefined) {
      attempts.delete(step.orderId);
      tellUncertain(attempt, "no read shows the order any more");
      return;
    }
    tellUncertain(attempt, `no read shows the order with a stop at ${print(step.stopLoss.price)}`);
  }

  return {
    has: (orderId) => attempts.has(orderId),
    withIntended: (snapshot, own) => ({
      ...snapshot,
      orders: snapshot.orders.map((order) => {
        const attempt = order.orderId === own ? undefined : attempts.get(order.orderId);
        return attempt === undefined ? order : intended(order, attempt.step);
      }),
    }),
    started: (step) => void attempts.set(step.orderId, { step, answeredAtMs: null, isTold: false }),
    answered: (step, answer, { atMs, hasLeft }) => {
      const attempt = attempts.get(step.orderId);
      if (attempt === undefined) return;
      attempt.answeredAtMs = atMs;
      switch (answer.kind) {
        case "acknowledged":
          return;
        case "uncertain":
          return tellUncertain(attempt, answer.detail);
        case "refused":
          attempts.delete(step.orderId);
          return tell(step, "refused", answer.detail);
        case "not-sent":
          attempts.delete(step.orderId);
          if (hasLeft) tell(step, "skipped", answer.detail);
      }
    },
    judge: (picture) => {
      for (const attempt of attempts.values()) {
        if (attempt.answeredAtMs !== null) judgeOne(attempt, attempt.answeredAtMs, picture);
      }
    },
  };
}

function intended(order: OpenOrder, { stopLoss, takeProfit }: AmendOrder): OpenOrder {
  return {
    ...order,
    attachedStopLoss: order.attachedStopLoss ?? stopLoss.price,
    attachedTakeProfit: order.attachedTakeProfit ?? takeProfit?.price ?? null,
  };
}

function shows({ attachedStopLoss, attachedTakeProfit }: OpenOrder, { stopLoss, takeProfit }: AmendOrder): boolean {
  const hasStop = attachedStopLoss?.eq(stopLoss.price) ?? false;
  return hasStop && (takeProfit === null || (attachedTakeProfit?.eq(takeProfit.price) ?? false));
}

function isInScope(contract: Contract, { scope }: Snapshot): boolean {
  return scope === "account" || scope.some((seen) => contractText(seen) === contractText(contract));
}

function isBlind({ category, symbol }: Contract, { gaps, unreadableOrders }: Snapshot): boolean {
  const isHidden = unreadableOrders.some(
    (row) => row.category === category && (row.symbol === null || row.symbol === symbol),
  );
  const isOurs = (where: string) => where === category || where === "account";
  return (
    isHidden ||
    gaps.some(
      ({ what, category: where, symbols }) =>
        what === "orders" && isOurs(where) && (symbols === undefined || symbols.includes(symbol)),
    )
  );
}
