/** Orders that are not ours to touch any more, kept in the ledger: at hand at once, written behind. */
import { LedgerError } from "../../ledger/port.js";
import { systemClock } from "../../runtime/index.js";
import { type LeftAlone, leftAloneInMemory } from "../../sidecar/attach-memory.js";
import type { Books } from "./books.js";

/** Without a ledger, or with one that cannot be read, it lasts as long as the process: one more try at most. */
export async function openLeftAlone(account: string, { ledger }: Books): Promise<LeftAlone> {
  const atHand = leftAloneInMemory();
  if (ledger === null) return atHand;
  const { store } = ledger;
  const behind = (write: Promise<void>): void => void write.catch(ledgerTrouble);
  try {
    for (const { orderId, reason } of await store.leftAlone(account)) atHand.add(orderId, reason);
  } catch (error) {
    ledgerTrouble(error);
  }
  return {
    has: (orderId) => atHand.has(orderId),
    isAttached: (orderId) => atHand.isAttached(orderId),
    add: (orderId, reason) => {
      if (atHand.has(orderId)) return;
      atHand.add(orderId, reason);
      behind(store.leaveAlone({ account, orderId, reason, atMs: systemClock.now() }));
    },
    forget: (orderId) => {
      atHand.forget(orderId);
      behind(store.forgetLeftAlone(account, orderId));
    },
  };
}

/** It is told by the books, and holds back what can wait. */
function ledgerTrouble(error: unknown): void {
  if (!(error instanceof LedgerError)) throw error;
}
