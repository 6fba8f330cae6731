/** What is remembered of one life of one position: from its opening to its close or flip. */
import type { Decimal } from "./decimal.js";

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
  complete: false,
};
