/** Findings: what is wrong or worth knowing, each with a code that users filter on and a sentence they read. */

export type Severity = "critical" | "warning" | "info";

const SEVERITIES = {
  "stop-missing": "critical",
  "stop-partial": "critical",
  "stop-past": "critical",
  "stop-triggered-not-filled": "critical",
  unreadable: "critical",
  "take-profit-missing": "warning",
  "take-profit-partial": "warning",
  "intent-drift": "warning",
  "stop-limit": "warning",
  "stop-size-over-limit": "warning",
  "tick-too-coarse": "warning",
  "delisting-soon": "warning",
  unprotectable: "warning",
  "stop-too-wide": "info",
  "stop-tighter-than-configured": "info",
  "take-profit-past": "info",
  "hedge-leg": "info",
  "stop-waived": "info",
  "liquidation-unknown": "info",
} as const satisfies Record<string, Severity>;

/** `stop-beyond-liquidation` alone has no fixed severity: critical in isolated margin, a warning in cross. */
export type FindingCode = keyof typeof SEVERITIES | "stop-beyond-liquidation";

export interface Finding {
  readonly code: FindingCode;
  readonly severity: Severity;
  /** One sentence with the numbers. */
  readonly message: string;
}

export function finding(code: keyof typeof SEVERITIES, message: string): Finding {
  return { code, severity: SEVERITIES[code], message };
}

/** In cross margin the liquidation price is an estimate, so a stop beyond it warns; elsewhere it is critical. */
export function beyondLiquidation(severity: "critical" | "warning", message: string): Finding {
  return { code: "stop-beyond-liquidation", severity, message };
}
