/** What a position is measured against: its market, and the levels that its policy wants there. */
import { contractText, type Position } from "../domain/position.js";
import type { Snapshot } from "../domain/snapshot.js";
import type { Waiver } from "../domain/intent.js";
import type { LearnedLevel, LifeRecord } from "../domain/life.js";
import {
  driftReference,
  stopBenchmark,
  waiverAt,
  type WantedBy,
  wantedNewStop,
  wantedTakeProfit,
} from "../policy/intent.js";
import type { Market, Wanted } from "../policy/levels.js";
import type { ResolvedPolicy } from "../policy/resolve.js";

export interface WantedLevels {
  /** For a new stop: on the tick, inside liquidation. */
  readonly stopLoss: Wanted;
  readonly stopBy: WantedBy;
  /** The same by intent or config alone, whatever stood before. */
  readonly stopPlaced: Wanted;
  /** What a standing stop is measured against: intent or configured distance alone, without regard to liquidation. */
  readonly stopBenchmark: Wanted;
  readonly takeProfit: Wanted;
  readonly takeProfitBy: WantedBy;
  /** The level that another hand must not have moved away from; null: none. */
  readonly reference: LearnedLevel | null;
  /** It may be moved back once more in this hour. */
  readonly mayRestore: boolean;
  /** Somebody wants no stop for now; null: nobody does. */
  readonly waiver: Waiver | null;
}

/** Against the same hand no more than so many times an hour. */
const MOST_RESTORES = 3;
const RESTORES_WITHIN_MS = 3_600_000;

/** Null: no instrument is known, so no price can be put on its tick. */
export function marketOf(position: Position, snapshot: Snapshot): Market | null {
  const contract = contractText(position.key);
  const instrument = snapshot.instruments.get(contract);
  if (instrument === undefined) return null;
  const { category, symbol } = position.key;
  const blank = { category, symbol, markPrice: null, lastPrice: null, indexPrice: null, preMarketPhase: null };
  return { instrument, ticker: snapshot.tickers.get(contract) ?? blank, marginMode: snapshot.marginMode };
}

/** Milliseconds since 1970, by the calendar and by a clock that does not jump. */
export interface Instant {
  readonly nowMs: number;
  readonly steadyMs: number;
}

export function wantedLevels(
  position: Position,
  { protection }: ResolvedPolicy,
  life: LifeRecord,
  market: Market | null,
  { nowMs, steadyMs }: Instant,
): WantedLevels {
  const waiver = waiverAt(life, nowMs);
  const mayRestore = life.restoredAtMs.filter((atMs) => steadyMs - atMs < RESTORES_WITHIN_MS).length < MOST_RESTORES;
  if (market === null) {
    const unknown: Wanted = { kind: "impossible", reason: "the contract's tick size is not known" };
    const levels = {
      stopLoss: unknown,
      stopPlaced: unknown,
      stopBenchmark: unknown,
      takeProfit: unknown,
      reference: null,
    };
    return { ...levels, stopBy: "config", takeProfitBy: "config", mayRestore, waiver };
  }
  const stop = wantedNewStop(position, protection, life, market);
  const benchmark = stopBenchmark(position, protection, life, market);
  const takeProfit = wantedTakeProfit(position, protection, life, market);
  return {
    stopLoss: waiver === null ? stop.wanted : { kind: "none" },
    stopBy: stop.by,
    stopPlaced: wantedNewStop(position, protection, { ...life, learned: null }, market).wanted,
    stopBenchmark: waiver === null ? benchmark : { kind: "none" },
    takeProfit: takeProfit.wanted,
    takeProfitBy: takeProfit.by,
    reference: waiver === null ? driftReference(position, life, benchmark, market) : null,
    mayRestore,
    waiver,
  };
}
