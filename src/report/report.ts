/** The report: one value, named as users rely on it (`bybit-backstop/report@1`); every format renders it. */

export type Severity = "critical" | "warning" | "info";
export type PositionStatus =
  | "protected"
  | "unprotected"
  | "underprotected"
  | "misplaced"
  | "unprotectable"
  | "unknown"
  | "ignored"
  | "closed";

export interface ReportFinding {
  /** `stop-missing` and the like; documented with their cures in docs/findings.md. */
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
}

export interface ReportExit {
  /** Where the last covered unit exits. Decimal string. */
  readonly price: string;
  readonly triggerBy: string | null;
  /** Covered quantity ÷ size, at most "1". */
  readonly coverage: string;
  readonly source: "full" | "partial" | "conditional" | "limit";
  /** `ours`: recorded as set by us; the exchange itself cannot tell. */
  readonly origin: "ours" | "foreign" | "unknown";
  /** Distance from the entry in percent, signed: negative where the exit would lose. */
  readonly distancePct: string;
  /** What the whole size would lose at this price, before fees, in the settle coin; negative is a gain. */
  readonly lossQuote: string;
  readonly covers: readonly ReportCover[];
}

/** What a bot or a person wants for this life of the position, beside the config. */
export interface ReportIntent {
  /** Decimal string; null: config decides. */
  readonly stopLoss: string | null;
  readonly takeProfit: string | null;
  /** No stop is wanted until then (ISO 8601). */
  readonly waiver: { readonly reason: string; readonly until: string } | null;
  readonly who: string;
}

export interface ReportCover {
  readonly source: "full" | "partial" | "conditional" | "limit";
  readonly price: string;
  readonly quantity: string;
  readonly triggerBy: string | null;
  readonly orderId: string | null;
}

export interface ReportStep {
  readonly action: "set-trading-stop" | "amend-order" | "close-position";
  readonly stopLoss?: string;
  readonly takeProfit?: string;
  /** What the whole size would lose at `stopLoss`, before fees, in the settle coin; negative is a gain. */
  readonly lossQuote?: string;
  readonly reason: string;
  readonly outcome: "planned" | "confirmed" | "refused" | "uncertain" | "skipped";
  /** What the exchange answered or why it was skipped. */
  readonly detail?: string;
}

export interface ReportPosition {
  readonly account: string;
  readonly category: string;
  readonly symbol: string | null;
  readonly positionIdx: number | null;
  readonly side: "long" | "short" | null;
  readonly size: string | null;
  readonly entryPrice: string | null;
  readonly markPrice: string | null;
  readonly liquidationPrice: string | null;
  readonly leverage: string | null;
  readonly marginMode: "isolated" | "cross" | "portfolio" | null;
  /** Size at the mark, in quote coin (for inverse: the size itself, which is USD). */
  readonly notional: string | null;
  readonly status: PositionStatus;
  /**
   * For how long a whole stop has been missing: as `run` has watched it, else at most since the position opened, as a
   * single look cannot tell more. Null: none is missing, or not known.
   */
  readonly nakedForMs: number | null;
  readonly rule: string | null;
  /** Null: none is in force. */
  readonly intent: ReportIntent | null;
  readonly stopLoss: ReportExit | null;
  readonly takeProfit: ReportExit | null;
  readonly findings: readonly ReportFinding[];
  readonly steps: readonly ReportStep[];
}

export interface ReportGap {
  readonly category: string;
  readonly what: string;
  readonly reason: string;
}

export interface ReportAccount {
  readonly name: string;
  readonly complete: boolean;
  /** False: nothing of this account could be judged. */
  readonly readable: boolean;
  readonly gaps: readonly ReportGap[];
  readonly findings: readonly ReportFinding[];
  readonly notCovered: readonly string[];
}

export interface ReportSummary {
  readonly positions: number;
  readonly protected: number;
  readonly unprotected: number;
  readonly underprotected: number;
  readonly misplaced: number;
  readonly unprotectable: number;
  readonly unknown: number;
  readonly ignored: number;
  readonly closed: number;
  readonly steps: number;
  readonly confirmed: number;
}

export interface Report {
  readonly schema: "bybit-backstop/report@1";
  readonly generatedAt: string;
  readonly command: "audit" | "protect" | "run";
  readonly complete: boolean;
  readonly accounts: readonly ReportAccount[];
  readonly summary: ReportSummary;
  /** Most dangerous first. */
  readonly positions: readonly ReportPosition[];
}
