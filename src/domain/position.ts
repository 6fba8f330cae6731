/** The position: one leg of one contract in one account, as the exchange last stated it. */
import type { Decimal } from "./decimal.js";

/** Contract families whose exits the exchange holds through trading-stop. */
export type Category = "linear" | "inverse";
export type Side = "long" | "short";
/** 0 one-way, 1 the long leg and 2 the short leg of hedge mode (docs/v5/position). */
export type PositionIdx = 0 | 1 | 2;
/** Which price wakes a conditional order. */
export type TriggerBy = "LastPrice" | "MarkPrice" | "IndexPrice";
export type MarginMode = "isolated" | "cross" | "portfolio";

/** A position's name; row order and side mean nothing for identity. */
export interface PositionKey {
  readonly account: string;
  readonly category: Category;
  readonly symbol: string;
  readonly positionIdx: PositionIdx;
}

/** An open position (size above zero) whose row could be read whole. */
export interface Position {
  readonly key: PositionKey;
  readonly side: Side;
  /** Always positive; in base coin for linear, in contracts (USD) for inverse. */
  readonly size: Decimal;
  /** Average entry price, above zero. */
  readonly entryPrice: Decimal;
  /** The row's own mark price; null where the row carries none. Tickers are fresher. */
  readonly markPrice: Decimal | null;
  /** Null: the exchange states none. That is not "safe": it can be far away, or portfolio margin. */
  readonly liquidationPrice: Decimal | null;
  readonly leverage: Decimal | null;
  /** "liquidating" and "adl": the exchange itself is working on the position. */
  readonly state: "normal" | "liquidating" | "adl";
  /** The Full-mode stop as the position row states it; Partial legs never show here. Null: none. */
  readonly fullStopLoss: Decimal | null;
  /** The Full-mode take-profit as the position row states it. Null: none. */
  readonly fullTakeProfit: Decimal | null;
  /** When this position (not the symbol's first one) was opened; null where the exchange does not say. */
  readonly openedAtMs: number | null;
}

/** A row that cannot be read: the position may well be open, and nothing is known of it. */
export interface UnreadablePosition {
  readonly account: string;
  readonly category: Category;
  readonly symbol: string | null;
  readonly positionIdx: PositionIdx | null;
  readonly side: Side | null;
  /** What could not be read: the field and its value, never a whole row. */
  readonly reason: string;
}

/** One string per position, for maps: `main/linear/BTCUSDT/0`. */
export function keyText(key: PositionKey): string {
  return `${key.account}/${key.category}/${key.symbol}/${key.positionIdx}`;
}

/** The contract a position is in, for maps: symbols are unique only within their category. */
export function contractText(contract: { readonly category: Category; readonly symbol: string }): string {
  return `${contract.category}/${contract.symbol}`;
}

/** Rows, pushes and fills of the same opening need not state it to the millisecond; shorter lives are not told apart. */
const OPENINGS_APART_MS = 250;

/** True only where both are known: by these two openings (milliseconds since 1970) it is another position. */
export function isOtherOpening(one: number | null, other: number | null): boolean {
  return one !== null && other !== null && Math.abs(one - other) > OPENINGS_APART_MS;
}
