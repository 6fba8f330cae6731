/** What the operator wants for a position: modes, distances and the answers to awkward situations. */
import type { Decimal } from "../domain/decimal.js";
import type { Category, Side, TriggerBy } from "../domain/position.js";

/** `report-only` never writes; each later mode may do what the former may, and more. None loosens or removes a stop. */
export type Mode = "report-only" | "create-only" | "tighten-only" | "sync";

export interface StopLossWish {
  /** Fraction of the entry price, above 0 and below 1 (2% is 0.02). */
  readonly distance: Decimal;
  /** Default MarkPrice, because liquidation triggers by it. */
  readonly triggerBy: TriggerBy;
}

export interface TakeProfitWish {
  /** A fraction of the entry price, or a multiple of the stop's configured distance ("2R"). */
  readonly distance:
    | { readonly kind: "fraction"; readonly fraction: Decimal }
    | { readonly kind: "risk-multiple"; readonly multiple: Decimal };
  readonly triggerBy: TriggerBy;
}

export interface Protection {
  readonly mode: Mode;
  /** Null only with report-only. */
  readonly stopLoss: StopLossWish | null;
  /** Null: none wanted. */
  readonly takeProfit: TakeProfitWish | null;
  readonly pastStop: "rebase" | "nearest" | "close" | "alert";
  readonly pastTakeProfit: "skip" | "nearest" | "close";
  /** Fraction of the liquidation price that a stop keeps away from it. */
  readonly liquidationBuffer: Decimal;
  readonly onScaleIn: "keep" | "tighten";
  readonly onDrift: "restore" | "alert";
  readonly hedged: "protect" | "alert" | "ignore";
  readonly attachToOrders: boolean;
  readonly graceMs: number;
  readonly vanishMs: number;
}

export interface RuleMatch {
  /** Globs; absent matches everything. */
  readonly symbol?: string;
  readonly account?: string;
  readonly side?: Side;
  readonly category?: Category;
}

/** Overrides of a rule: a stop or take-profit merges into the default's, everything else replaces it. */
export type ProtectionOverrides = {
  readonly [K in Exclude<keyof Protection, "stopLoss" | "takeProfit">]?: Protection[K];
} & {
  readonly stopLoss?: Partial<StopLossWish> | null;
  readonly takeProfit?: Partial<TakeProfitWish> | null;
};

export interface Rule {
  /** How reports call it: "rules[0]". */
  readonly name: string;
  readonly match: RuleMatch;
  readonly ignore: boolean;
  readonly overrides: ProtectionOverrides;
}

export interface Policy {
  /** `listed`: only positions matched by a rule are written. */
  readonly scope: "all" | "listed";
  readonly defaults: Protection;
  /** First match wins. */
  readonly rules: readonly Rule[];
}
