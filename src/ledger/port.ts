/** The ledger's port: what outlives the process, and what every implementation promises. */
import type { PositionIntent } from "../domain/intent.js";
import type { LifeRecord } from "../domain/life.js";
import type { Category, PositionIdx, PositionKey, Side } from "../domain/position.js";
import type { Json } from "./codec.js";

export type { Json } from "./codec.js";
export { LedgerError, type LedgerTrouble } from "./error.js";

/** Every method rejects with a LedgerError only. What an awaited write has resolved survives `kill -9`. */
export interface Ledger {
  /** The entry's number in the journal; later ones are higher. */
  append(entry: NewEntry): Promise<number>;
  /** In their order, all of them or none; at most 500. */
  appendAll(entries: readonly NewEntry[]): Promise<void>;
  /** Newest first; for the next page ask with `beforeId` of the last one. */
  history(filter: HistoryFilter): Promise<readonly Entry[]>;

  /** Those that have not ended, oldest first; `unproven`: with the steps that no look has proven, which costs a reading of their journal. Default true. */
  openLives(account: string, parts?: { readonly unproven?: boolean }): Promise<readonly Life[]>;
  /** Writes it whole, in place of what was saved under its id. */
  saveLife(life: Life): Promise<void>;

  /**
   * Writes it whole, in place of what was saved under its id. False, and nothing is changed: that one is over, or it has
   * been taken up and this one is to wait.
   */
  saveIntent(intent: Intent): Promise<boolean>;
  /** Oldest first. */
  intents(filter: IntentFilter): Promise<readonly Intent[]>;
  /** False: it was no longer pending, somebody else was faster. */
  bindIntent(id: string, lifeId: string): Promise<boolean>;
  /** False: it was over already. */
  endIntent(id: string, how: string, state?: "ended" | "expired"): Promise<boolean>;

  leftAlone(account: string): Promise<readonly LeftAloneOrder[]>;
  /** The first reason stays. */
  leaveAlone(order: LeftAloneOrder): Promise<void>;
  forgetLeftAlone(account: string, orderId: string): Promise<void>;

  /** Null: another process is this account's writer. */
  lock(account: string): Promise<WriterLock | null>;
  /** Why the latest write failed; null: it did not. */
  writable(): string | null;
  close(): Promise<void>;
}

/** Held by this process alone; the operating system or the server lets go of it when the process dies. */
export interface WriterLock {
  readonly account: string;
  /** Resolves, with the reason, when the lock is lost without `release`; otherwise never. */
  readonly lost: Promise<string>;
  /** Asks anew instead of waiting to be told; false resolves `lost` as well. */
  isHeld(): Promise<boolean>;
  /** Takes as long as a server takes to answer. */
  release(): Promise<void>;
}

export type EntryKind =
  | "step-intended"
  | "step-answered"
  | "step-judged"
  | `life-${string}`
  | `intent-${string}`
  | `writer-${string}`
  | "finding"
  | "mended"
  | "pause"
  | "resume";

export interface NewEntry {
  readonly kind: EntryKind;
  /** Absent: of no account, or of all. */
  readonly account?: string;
  readonly category?: Category;
  readonly symbol?: string;
  readonly positionIdx?: PositionIdx;
  readonly side?: Side;
  readonly lifeId?: string;
  /** Wall clock, milliseconds since 1970; default: when it is appended. */
  readonly atMs?: number;
  readonly body: Json;
}

export interface Entry {
  readonly id: number;
  /** Wall clock, milliseconds since 1970. */
  readonly atMs: number;
  /** As written, also by a version that knew more kinds. */
  readonly kind: string;
  readonly account: string | null;
  readonly category: Category | null;
  readonly symbol: string | null;
  readonly positionIdx: PositionIdx | null;
  readonly side: Side | null;
  readonly lifeId: string | null;
  readonly body: Json;
}

export interface HistoryFilter {
  readonly account?: string;
  readonly symbol?: string;
  readonly kinds?: readonly string[];
  /** Only older ones than this. */
  readonly beforeId?: number;
  /** At least 1; more than 1000 are never given. */
  readonly limit: number;
}

/** What of a life is stored with it; whether that is all there was to know is found when it is read. */
export type SavedRecord = Omit<LifeRecord, "complete" | "intent" | "unproven">;

export interface Life {
  readonly id: string;
  readonly key: PositionKey;
  readonly side: Side;
  /** As the exchange states it; null: it does not. */
  readonly openedAtMs: number | null;
  readonly firstSeenMs: number;
  /** Null: it goes on. */
  readonly ended: { readonly how: string; readonly atMs: number } | null;
  readonly record: SavedRecord;
  /** By the journal, when it was read; not stored with it. */
  readonly unproven: LifeRecord["unproven"];
}

export const INTENT_STATES = ["pending", "bound", "ended", "expired"] as const;
export type IntentState = (typeof INTENT_STATES)[number];

export interface Intent extends PositionIntent {
  readonly key: PositionKey;
  readonly side: Side;
  readonly orderLinkId: string | null;
  readonly ttlMs: number;
  /** Wall clock, milliseconds since 1970. */
  readonly createdAtMs: number;
  readonly state: IntentState;
  /** The life that took it up; null: none yet. */
  readonly lifeId: string | null;
  readonly endedHow: string | null;
  /** What was seen in its place when it was set; null: not known, a version that did not write it down has set it. */
  readonly setFor: SetFor | null;
}

/** An intent for a position that was open is for that one life; `unseen`: the exchange could not be read. */
export type SetFor =
  | {
      readonly kind: "open";
      /** As the exchange stated it; null: it did not. */
      readonly openedAtMs: number | null;
      /** Not later than the look that showed it; wall clock, milliseconds since 1970. */
      readonly seenAtMs: number;
    }
  /** `seenAtMs`: not later than the look that showed none. */
  | { readonly kind: "next"; readonly seenAtMs: number }
  | { readonly kind: "unseen" };

/** What is absent does not matter. */
export interface IntentFilter {
  readonly id?: string;
  readonly account?: string;
  readonly category?: Category;
  readonly symbol?: string;
  readonly positionIdx?: PositionIdx;
  readonly side?: Side;
  readonly states?: readonly IntentState[];
  readonly lifeId?: string;
}

export interface LeftAloneOrder {
  readonly account: string;
  readonly orderId: string;
  readonly reason: string;
  readonly atMs: number;
}
