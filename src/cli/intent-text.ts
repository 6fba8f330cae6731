/** Intents as lines for people. */
import type { IntentView } from "../intents/document.js";
import { oneLine } from "../report/escaping.js";

export function intentLine(intent: IntentView): string {
  const { account, category, symbol, positionIdx, side, stopLoss, takeProfit, waiver, state, expiresAt, who } = intent;
  const levels = [
    waiver === null
      ? stopLoss === null
        ? null
        : `stop ${stopLoss}`
      : `no stop until ${waiver.until} (${waiver.reason})`,
    takeProfit === null ? null : `take-profit ${takeProfit}`,
  ].filter((level) => level !== null);
  const order = intent.orderLinkId === null ? "" : `, for order ${intent.orderLinkId}`;
  const waits = expiresAt === null ? "" : `, waits until ${expiresAt}`;
  const loosens = intent.allowLoosen ? ", may loosen" : "";
  const place = `${account} ${category} ${symbol} ${side}${positionIdx === 0 ? "" : ` (positionIdx ${positionIdx})`}`;
  return oneLine(`${place}: ${levels.join(", ")}${order}${loosens}; ${state}${waits}; asked for by ${who}`);
}

export function intentsTable(intents: readonly IntentView[]): string {
  if (intents.length === 0) return "No intents are pending or in force.\n";
  return intents.map((intent) => `${intentLine(intent)}\n`).join("");
}
