/** Intents as lines for people, and what is wrong with one in the words of the command's options. */
import type { ZodError } from "zod";
import { INTENT_RULES, type IntentView, intentDocument } from "../intents/document.js";
import { formProblems } from "../intents/form-problems.js";
import { LEAVE_TO_LOOSEN } from "../intents/judge.js";
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

const IN_OPTIONS: ReadonlyMap<string, string> = new Map([
  ["side", "--side"],
  ["stopLoss", "--stop-loss"],
  ["takeProfit", "--take-profit"],
  ["ttlSeconds", "--ttl"],
  ["orderLinkId", "--order-link-id"],
  ["reason", "--reason"],
  ["until", "--until"],
  [INTENT_RULES.level, "name --stop-loss, --take-profit or both"],
  [INTENT_RULES.waiver, "--stop-loss none needs --reason and --until"],
  [INTENT_RULES.end, "--until belongs to --stop-loss none; a level stays wanted until its position closes"],
]);

/** Who typed options knows no keys. */
export function intentProblems(error: ZodError, given: unknown): readonly string[] {
  return formProblems(intentDocument, error, given, (words) => IN_OPTIONS.get(words) ?? words);
}

/** The same of what the market speaks against. */
export function refusalText(message: string): string {
  return message.replace(LEAVE_TO_LOOSEN, "--allow-loosen");
}
