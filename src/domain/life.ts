/** What is remembered of one life of one position: from its opening to its close or flip. */
import type { Decimal } from "./decimal.js";
import type { PositionIntent } from "./intent.js";
import type { TriggerBy } from "./position.js";

/** What stood at the exchange while all was well. */
export interface Learned {
  readonly stopLoss: LearnedLevel | null;
  readonly takeProfit: LearnedLevel | null;
  /** The position's size then: a larger one is a reason for other levels. */
  readonly size: Decimal;
}

export interface LearnedLevel {
  readonly price: Decimal;
  readonly triggerBy: TriggerBy;
}

/** What a process before this one has sent, or may have, and no read has judged; levels that were proven since are left out. */
export interface UnprovenStep {
  /** Of the entry that was written before it was sent. */
  readonly entryId: number;
  readonly stopLoss: LearnedLevel | null;
  readonly takeProfit: LearnedLevel | null;
}

export interface LifeRecord {
  /** A stop was once put at a distance from the mark because the configured level was past. */
  readonly rebased: boolean;
  /** A stop was once moved only because an estimated liquidation price had come before it. */
  readonly movedForLiquidation: boolean;
  /** A stop of this life has triggered, and size was left. */
  readonly stopTriggered: boolean;
  /** A close was sent; it is never sent twice. */
  readonly closeSent: boolean;
  /** Size was added since a stop of ours was last proven; only a running sidecar sees that. */
  readonly grown: boolean;
  /** Levels that we set and saw confirmed; null: none. */
  readonly ourStopLoss: Decimal | null;
  readonly ourTakeProfit: Decimal | null;
  /** Only puts back what vanished in the same life; null: nothing was seen to stand yet. */
  readonly learned: Learned | null;
  /** The intent whose stop-loss, or take-profit, has stood once: from then on another level is another hand's. */
  readonly metStopIntent: string | null;
  readonly metTakeProfitIntent: string | null;
  /** The intent for whose sake a stop was loosened by name, as far as is known: what stands elsewhere now is final. */
  readonly loosenedFor: string | null;
  /** When stops that another hand had loosened were moved back, milliseconds since 1970; the latest few. */
  readonly restoredAtMs: readonly number[];
  /** Oldest first: what of it stands is ours. */
  readonly unproven: readonly UnprovenStep[];
  /** The intent in force, if any; kept by whoever keeps the intents, for it can be set and ended at any time. */
  readonly intent: PositionIntent | null;
  /** False where nothing outlives the process: then a stop that is not ours is of `unknown` origin. */
  readonly complete: boolean;
}

export const UNWRITTEN_LIFE: LifeRecord = {
  rebased: false,
  movedForLiquidation: false,
  stopTriggered: false,
  closeSent: false,
  grown: false,
  ourStopLoss: null,
  ourTakeProfit: null,
  learned: null,
  metStopIntent: null,
  metTakeProfitIntent: null,
  loosenedFor: null,
  restoredAtMs: [],
  unproven: [],
  intent: null,
  complete: false,
};
