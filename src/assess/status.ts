/** One word per position: what its stop is worth. */
import type { Instrument, Ticker } from "../domain/instrument.js";
import type { LifeRecord } from "../domain/life.js";
import type { Position } from "../domain/position.js";
import type { Market } from "../policy/levels.js";
import type { ResolvedPolicy } from "../policy/resolve.js";
import { type Cover, isWhole } from "./coverage.js";
import type { StopView } from "./stop.js";
import type { WantedLevels } from "./wanted.js";

export type Status =
  | "protected"
  | "unprotected"
  | "underprotected"
  | "misplaced"
  | "unprotectable"
  | "unknown"
  | "ignored";

/** What status and findings are drawn from. */
export interface Facts {
  readonly position: Position;
  readonly policy: ResolvedPolicy;
  readonly life: LifeRecord;
  readonly market: Market | null;
  readonly stop: StopView;
  readonly takeProfit: Cover | null;
  readonly wanted: WantedLevels;
  readonly hedgedBy: readonly string[];
}

export function statusOf(facts: Facts): Status {
  const { stop, policy, market, wanted } = facts;
  if (policy.ignored || isIgnoredHedge(facts)) return "ignored";
  if (isWhole(stop.inside)) return "protected";
  if (stop.doubt !== null) return "unknown";
  // Somebody has said why there is to be no stop, and until when; every report says so too.
  if (wanted.waiver !== null) return "ignored";
  if (market !== null && refusesExits(market.instrument, market.ticker) !== null) return "unprotectable";
  if (isWhole(stop.all)) return "misplaced";
  return stop.all === null ? "unprotected" : "underprotected";
}

export function isIgnoredHedge({ policy, hedgedBy }: Facts): boolean {
  return policy.protection.hedged === "ignore" && hedgedBy.length > 0;
}

/**
 * Why the exchange takes no exits for this contract now; null: it does.
 * Auctions accept limit orders only (docs/v5/enum curAuctionPhase); a delivering or closed contract takes none.
 */
export function refusesExits(instrument: Instrument, ticker: Ticker): string | null {
  if (instrument.status === "delivering" || instrument.status === "closed") {
    return `the contract is ${instrument.status}; the exchange settles the position itself`;
  }
  const phase = ticker.preMarketPhase ?? instrument.preMarketPhase;
  const isAuction = phase !== null && /auction|matching|not.?started/i.test(phase);
  return isAuction ? `the contract is in its pre-market ${phase}; exits are accepted in continuous trading` : null;
}
