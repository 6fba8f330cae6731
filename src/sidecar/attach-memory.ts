/** Orders that are not ours to touch: changed by their bot, or tried by us once; kept while they are seen, and some time after. */
import type { OpenOrder } from "../domain/order.js";
import type { Snapshot } from "../domain/snapshot.js";

/** How the reason begins where exits were sent to an order. */
export const SENT_ONCE = "its exits were sent once";

/** Behind a port, so that it can outlive the process; a lost memory costs one more try at most. */
export interface LeftAlone {
  has(orderId: string): boolean;
  /** Exits were sent to it, as far as is remembered. */
  isAttached(orderId: string): boolean;
  add(orderId: string, reason: string): void;
  forget(orderId: string): void;
}

export function leftAloneInMemory(): LeftAlone {
  const reasons = new Map<string, string>();
  return {
    has: (orderId) => reasons.has(orderId),
    isAttached: (orderId) => {
      const reason = reasons.get(orderId) ?? "";
      return reason.startsWith(SENT_ONCE) && !reason.endsWith("refused");
    },
    add: (orderId, reason) => {
      if (!reasons.has(orderId)) reasons.set(orderId, reason);
    },
    forget: (orderId) => void reasons.delete(orderId),
  };
}

/** An order may be missing from a read and come back; after so long it is over. */
const FORGET_AFTER_MS = 3_600_000;

interface Look {
  readonly terms: string;
  readonly seenAtMs: number;
}

export interface OrderWatch {
  /** Compares each order with how it was seen before; `nowMs` never jumps. */
  look(snapshot: Snapshot, nowMs: number): void;
}

export function watchOrders(leftAlone: LeftAlone): OrderWatch {
  const looks = new Map<string, Look>();
  return {
    look: ({ orders }, nowMs) => {
      for (const order of orders) {
        const terms = termsOf(order);
        const before = looks.get(order.orderId);
        if (before !== undefined && before.terms !== terms)
          leftAlone.add(order.orderId, "its price or quantity has changed");
        looks.set(order.orderId, { terms, seenAtMs: nowMs });
      }
      for (const [orderId, { seenAtMs }] of looks) {
        if (nowMs - seenAtMs <= FORGET_AFTER_MS) continue;
        looks.delete(orderId);
        leftAlone.forget(orderId);
      }
    },
  };
}

/** What a bot changes when it moves its order; exits that we attach are no part of it. */
function termsOf({ price, triggerPrice, quantity }: OpenOrder): string {
  return [price, triggerPrice, quantity].map((value) => value?.toFixed() ?? "none").join("/");
}
