/** What somebody wants for one life of one position, beside what the config says. */
import type { Decimal } from "./decimal.js";

export interface PositionIntent {
  readonly id: string;
  /** Above zero; null: not named, so config decides. */
  readonly stopLoss: Decimal | null;
  readonly takeProfit: Decimal | null;
  /** Somebody wants no stop for a while; null: no such wish. */
  readonly waiver: Waiver | null;
  /** The stop that stood, and may be loosened to `stopLoss` as it was asked for by name; null: nothing may be. */
  readonly mayLoosenFrom: Decimal | null;
  /** `http`, `cli`, `file`, or as they call themselves. */
  readonly who: string;
}

export interface Waiver {
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly untilMs: number;
  /** The same as ISO 8601, for people. */
  readonly until: string;
}
