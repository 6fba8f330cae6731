/** What a position is measured against: its market, and the levels that its policy wants there. */
import { contractText, type Position } from "../domain/position.js";
import type { Snapshot } from "../domain/snapshot.js";
import { configuredStop, configuredTakeProfit, type Market, newStop, type Wanted } from "../policy/levels.js";
import type { ResolvedPolicy } from "../policy/resolve.js";

export interface WantedLevels {
  /** For a new stop: on the tick, inside liquidation. */
  readonly stopLoss: Wanted;
  /** What a standing stop is measured against: the configured distance alone, without regard to liquidation. */
  readonly stopBenchmark: Wanted;
  readonly takeProfit: Wanted;
}

/** Null: no instrument is known, so no price can be put on its tick. */
export function marketOf(position: Position, snapshot: Snapshot): Market | null {
  const contract = contractText(position.key);
  const instrument = snapshot.instruments.get(contract);
  if (instrument === undefined) return null;
  const { category, symbol } = position.key;
  const blank = { category, symbol, markPrice: null, lastPrice: null, indexPrice: null, preMarketPhase: null };
  return { instrument, ticker: snapshot.tickers.get(contract) ?? blank, marginMode: snapshot.marginMode };
}

export function wantedLevels(position: Position, { protection }: ResolvedPolicy, market: Market | null): WantedLevels {
  if (market === null) {
    const unknown: Wanted = { kind: "impossible", reason: "the contract's tick size is not known" };
    return { stopLoss: unknown, stopBenchmark: unknown, takeProfit: unknown };
  }
  const { stopLoss } = protection;
  return {
    stopLoss: newStop(position, protection, market),
    stopBenchmark: stopLoss === null ? { kind: "none" } : configuredStop(position, stopLoss, market),
    takeProfit: configuredTakeProfit(position, protection, market),
  };
}
