/** An intent as it is told to bots and people: decimal strings and ISO times. */
import { print } from "../domain/decimal.js";
import type { Intent } from "../ledger/port.js";
import type { IntentView } from "./document.js";

const iso = (ms: number): string => new Date(ms).toISOString();

export function viewOfIntent(intent: Intent): IntentView {
  const { key, waiver, state, createdAtMs, ttlMs } = intent;
  const stopLoss = intent.stopLoss === null ? null : print(intent.stopLoss);
  return {
    account: key.account,
    category: key.category,
    symbol: key.symbol,
    positionIdx: key.positionIdx,
    id: intent.id,
    side: intent.side,
    stopLoss: waiver === null ? stopLoss : "none",
    takeProfit: intent.takeProfit === null ? null : print(intent.takeProfit),
    waiver: waiver === null ? null : { reason: waiver.reason, until: waiver.until },
    orderLinkId: intent.orderLinkId,
    ttlSeconds: ttlMs / 1_000,
    allowLoosen: intent.mayLoosenFrom !== null,
    state,
    createdAt: iso(createdAtMs),
    expiresAt: state === "pending" ? iso(createdAtMs + ttlMs) : null,
    endedHow: intent.endedHow,
    who: intent.who,
  };
}
