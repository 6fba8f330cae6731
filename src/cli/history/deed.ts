/** A step in words, from the facts that were written down: what it does, why, and by whose wish. */
import type { StepReason, StopPurpose } from "../../plan/step.js";
import type { Body } from "./body.js";

/** What `deedText` and `whyText` tell; the rest of a body is told beside them. */
export const DEED_FIELDS: readonly string[] = [
  "action",
  "reason",
  "stopLoss",
  "slTriggerBy",
  "purpose",
  "takeProfit",
  "tpTriggerBy",
  "quantity",
  "orderId",
  "by",
];

/** The code itself tells what is not listed: a later version knows more reasons. */
const REASONS: Readonly<Record<string, string>> = {
  "stop-missing": "no stop stood",
  "stop-partial": "the stop covered only a part",
  "stop-past": "the level was past already",
  "stop-triggered-not-filled": "the stop had triggered and size was left",
  "stop-beyond-liquidation": "the stop stood beyond liquidation",
  "stop-too-wide": "the stop was wider than wanted",
  "stop-limit": "the stop was a limit order",
  "stop-replaced": "a write of ours had replaced it",
  "take-profit-missing": "no take-profit stood",
  "take-profit-partial": "the take-profit covered only a part",
  "take-profit-past": "the take-profit was past already",
  "take-profit-differs": "the take-profit was not the one wanted",
  "intent-drift": "it had drifted from what was wanted",
} satisfies Partial<Record<StepReason, string>>;

const PURPOSES: Readonly<Record<string, string>> = {
  add: "put at the wanted level",
  rebase: "measured anew from the mark, as the wanted level was past",
  nearest: "put as near as possible, as the wanted level was past",
  tighten: "moved closer, to the wanted level",
  "inside-liquidation": "moved before the liquidation price",
  "give-back": "another hand's tighter stop, put back",
  intent: "moved to what an intent names",
  restore: "moved back, as another hand had loosened it",
  loosen: "loosened, as somebody asked for this position by name",
} satisfies Record<StopPurpose, string>;

/** "set stop 98 (MarkPrice), take-profit 104 (LastPrice)". */
export function deedText(body: Body): string {
  const action = body.text("action") ?? "a step";
  const levels = [
    levelText("stop", body.text("stopLoss"), body.text("slTriggerBy")),
    levelText("take-profit", body.text("takeProfit"), body.text("tpTriggerBy")),
  ].filter((level) => level !== null);
  const order = body.text("orderId");
  switch (action) {
    case "set-trading-stop":
      return `set ${levels.join(", ")}`.trim();
    case "amend-order":
      return `attach ${levels.join(", ")} to the entry order ${order ?? "(not named)"}`;
    case "close-position":
      return `close ${body.text("quantity") ?? "it"} at market, reduce-only`;
    default:
      return [action, ...levels].join(" ");
  }
}

function levelText(what: string, price: string | null, triggerBy: string | null): string | null {
  if (price === null) return null;
  return `${what} ${price}${triggerBy === null ? "" : ` (${triggerBy})`}`;
}

/** "no stop stood; put at the wanted level"; null: nothing of it was written. */
export function whyText(body: Body): string | null {
  const reason = body.text("reason");
  const purpose = body.text("purpose");
  const parts = [
    reason === null ? null : (REASONS[reason] ?? reason),
    purpose === null ? null : (PURPOSES[purpose] ?? purpose),
  ].filter((part) => part !== null);
  return parts.length === 0 ? null : parts.join("; ");
}
