/** What a guard of one account is made of; everything that touches the world is handed in. */
import type { Instrument } from "../domain/instrument.js";
import type { Picture } from "../domain/picture.js";
import type { Position } from "../domain/position.js";
import type { Contract } from "../domain/snapshot.js";
import type { Stream, StreamListener } from "../exchange/stream.js";
import type { PassOptions } from "../pass.js";
import type { Tell } from "./event.js";

export interface Timers {
  /** Calls back once, unless what it gave back is called before. */
  after(ms: number, callback: () => void): () => void;
}

/** What every pass of the account has in common; the guard adds what changes from pass to pass. */
export type PassBasics = Pick<
  PassOptions,
  "reader" | "writer" | "policyOf" | "memory" | "clock" | "writesPerSecond" | "newOrderLinkId" | "frozen"
>;

export interface GuardParts {
  readonly name: string;
  readonly pass: PassBasics;
  /** A contract as it was last read, without asking; null: not known. */
  readonly instrumentOf: (contract: Contract) => Instrument | null;
  /** Why nothing may be written for a position: somebody paused it; null: nobody did. */
  readonly paused: (position: Position) => string | null;
  readonly openStream: (listener: StreamListener) => Stream;
  readonly timers: Timers;
  readonly tell: Tell;
  /** Told of each look; entry orders may get their exits. Absent: they do not. */
  readonly onPicture?: (picture: Picture) => void;
  /** True: changes of resting entry orders matter as well. */
  readonly watchesEntries: boolean;
}
