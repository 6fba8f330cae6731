/** What a guard of one account is made of; everything that touches the world is handed in. */
import type { SendAttach } from "../apply/attach.js";
import type { Instrument } from "../domain/instrument.js";
import type { Position, PositionKey, Side } from "../domain/position.js";
import type { Contract } from "../domain/snapshot.js";
import type { Stream, StreamListener } from "../exchange/stream.js";
import type { PassOptions } from "../pass.js";
import type { LeftAlone } from "./attach-memory.js";
import type { Tell } from "./event.js";

export interface Timers {
  /** Calls back once, unless what it gave back is called before. */
  after(ms: number, callback: () => void): () => void;
}

/** What every pass of the account has in common; the guard adds what changes from pass to pass. */
export type PassBasics = Pick<
  PassOptions,
  | "reader"
  | "writer"
  | "policyOf"
  | "memory"
  | "clock"
  | "writesPerSecond"
  | "newOrderLinkId"
  | "frozen"
  | "refreshInstruments"
  | "heldStep"
  | "journal"
>;

/** How entry orders get their exits before they fill. */
export interface AttachParts {
  readonly send: SendAttach;
  /** The exchange's time, against which the age of an order is told. */
  readonly exchangeNow: () => number;
  readonly leftAlone: LeftAlone;
  /** False: no policy asks for it now, and changes of entry orders wake nothing. */
  readonly isWanted: () => boolean;
}

/** Intents that wait for the fill of a certain order. */
export interface OrderIntents {
  /** An order that its sender calls so was filled, perhaps in part; by the exchange's clock. */
  filled(orderLinkId: string, atMs: number): void;
  /** Orders that rest, as their senders call them. */
  resting(orderLinkIds: readonly string[]): void;
  /** True: one waits for an order of this side of the position, which may have opened it. */
  isAwaited(position: Position): boolean;
  /** True: one waits for the position that this order opens: for any of its side, or for that of this very order. */
  waitsFor(key: PositionKey, side: Side, orderLinkId: string): boolean;
}

export interface GuardParts {
  readonly name: string;
  readonly pass: PassBasics;
  /** A contract as it was last read, without asking; null: not known. */
  readonly instrumentOf: (contract: Contract) => Instrument | null;
  /** Why nothing may be written for a position: somebody paused it; null: nobody did. */
  readonly paused: (key: PositionKey) => string | null;
  /** At least 0, below 1. */
  readonly random: () => number;
  /** Milliseconds since the exchange last answered anything at all, also an error. */
  readonly silentForMs: () => number;
  /** For how long requests have stayed without an answer of its own, milliseconds; infinite while it has shut us out. */
  readonly unansweredForMs: () => number;
  /** The exchange's time; null: not known, so that of no push can be told how late it comes. */
  readonly exchangeNowMs: () => number | null;
  readonly openStream: (listener: StreamListener) => Stream;
  readonly timers: Timers;
  readonly tell: Tell;
  /** Absent: no intents are kept. */
  readonly orderIntents?: OrderIntents;
  /** Absent: nothing is ever attached to entry orders. */
  readonly attach?: AttachParts;
}
