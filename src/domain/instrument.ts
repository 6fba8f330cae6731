/** A contract's trading rules and its current prices. */
import type { Decimal } from "./decimal.js";
import type { Category, TriggerBy } from "./position.js";

export interface Instrument {
  readonly category: Category;
  readonly symbol: string;
  readonly baseCoin: string;
  readonly quoteCoin: string;
  readonly settleCoin: string;
  readonly status: "trading" | "pre-launch" | "delivering" | "closed" | "unknown";
  /** When the contract is delivered or delisted; null for a perpetual that stays. */
  readonly deliveryAtMs: number | null;
  /** Prices are exact multiples of this, above zero. */
  readonly tickSize: Decimal;
  readonly minPrice: Decimal | null;
  readonly maxPrice: Decimal | null;
  readonly quantityStep: Decimal | null;
  /** Largest market order; a Full stop above it is documented only for plain orders. */
  readonly maxMarketQuantity: Decimal | null;
  /** A pre-market phase such as "call-auction", as it was when the rules were read; null: none is stated. */
  readonly preMarketPhase: string | null;
}

/** Current prices; null means that the exchange stated none, never zero. */
export interface Ticker {
  readonly category: Category;
  readonly symbol: string;
  readonly markPrice: Decimal | null;
  readonly lastPrice: Decimal | null;
  readonly indexPrice: Decimal | null;
  /** The phase of now, as the ticker states it; null: none is stated. */
  readonly preMarketPhase: string | null;
}

/** The price that a trigger of this kind compares with. */
export function triggerBase(ticker: Ticker, triggerBy: TriggerBy): Decimal | null {
  switch (triggerBy) {
    case "MarkPrice":
      return ticker.markPrice;
    case "LastPrice":
      return ticker.lastPrice;
    case "IndexPrice":
      return ticker.indexPrice;
  }
}
