/** What the demo's bot trades: both margin families, both sides, a hedged pair. */

export interface Trade {
  readonly category: "linear" | "inverse";
  readonly symbol: string;
  readonly side: "Buy" | "Sell";
  /** Base coin for linear, USD contracts for inverse. */
  readonly qty: string;
  /** 0 one-way, 1 and 2 the legs of hedge mode. */
  readonly positionIdx: 0 | 1 | 2;
}

export const TRADES: readonly Trade[] = [
  { category: "linear", symbol: "BTCUSDT", side: "Buy", qty: "0.2", positionIdx: 0 },
  { category: "linear", symbol: "ETHUSDT", side: "Buy", qty: "3", positionIdx: 0 },
  { category: "linear", symbol: "SOLUSDT", side: "Buy", qty: "50", positionIdx: 1 },
  { category: "linear", symbol: "SOLUSDT", side: "Sell", qty: "20", positionIdx: 2 },
  { category: "linear", symbol: "DOGEUSDT", side: "Buy", qty: "30000", positionIdx: 0 },
  { category: "linear", symbol: "ETHPERP", side: "Buy", qty: "2", positionIdx: 0 },
  { category: "inverse", symbol: "BTCUSD", side: "Buy", qty: "8000", positionIdx: 0 },
];

/** Contracts that the bot trades in hedge mode. */
export const HEDGED: readonly string[] = ["SOLUSDT"];
