/** The account's past, as far as its fills tell it: when a position was opened, and what ended one. */
import type { Closing } from "../domain/fills.js";
import type { Contract } from "../domain/snapshot.js";
import type { Position, PositionKey, Side } from "../domain/position.js";

export type { ClosedBy, Closing } from "../domain/fills.js";

/** Slow beside a Reader: a question may take dozens of requests, and leaves the others their room in the budget. */
export interface FillHistory {
  readonly account: string;
  /**
   * When the position that is open now was opened, by the exchange's clock. Null: the fills do not reach back to it,
   * contradict its size, or cannot be read; also where it has changed since `position` was read.
   * @throws ExchangeFailure when the fills could not be read
   */
  openedAtMs(position: Pick<Position, "key" | "side" | "size">): Promise<number | null>;
  /**
   * What ended the position that was open on `side` at `sinceMs`, by the exchange's clock; any moment at which it was
   * surely open will do. Null: it is still open, or the fills do not tell.
   * @throws ExchangeFailure when the fills could not be read
   */
  closedSince(key: PositionKey, side: Side, sinceMs: number): Promise<Closing | null>;
  /**
   * Orders that have opened or grown a position since then, as their senders named them, and when each first did, by the
   * exchange's clock. Null: the fills do not tell. @throws ExchangeFailure when the fills could not be read
   */
  filledSince(contract: Contract, sinceMs: number): Promise<ReadonlyMap<string, number> | null>;
  /**
   * When the first position of that side was opened after that, open still or not; null: none was, or the fills do not
   * tell. @throws ExchangeFailure when the fills could not be read
   */
  firstOpeningSince(key: PositionKey, side: Side, sinceMs: number): Promise<number | null>;
  /**
   * Whether a stop of that side has triggered and filled since then, in part or whole. Null: the fills do not tell.
   * @throws ExchangeFailure when the fills could not be read
   */
  stopFilledSince(contract: Contract, side: Side, sinceMs: number): Promise<boolean | null>;
}
