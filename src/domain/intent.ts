/** What somebody wants for one life of one position, beside what the config says. */
import type { Decimal } from "./decimal.js";

export interface PositionIntent {
  readonly id: string;
  /** Above zero; null: not named, so config decides. */
  readonly stopLoss: Decimal | null;
  readonly takeProfit: Decimal | null;
  /** No stop is wanted until then (wall clock, milliseconds since 1970), and why; null: no such wish. */
  readonly waiver: Waiver | null;
  /** The stop that stood, and may be loosened to `stopLoss` as it was asked for by name; null: nothing may be. */
  readonly mayLoosenFrom: Decimal | null;
  /** `http`, `cli`, `file`, or as they call themselves. */
  readonly who: string;
}

export interface Waiver {
  readonly reason: string;
  readonly untilMs: number;
}
