/** Takes in a wish: held against the position as it stands, refused with both prices, or kept in the ledger. */
import type { Assessed } from "../assess/assess.js";
import type { Position, PositionKey, Side } from "../domain/position.js";
import type { Contract } from "../domain/snapshot.js";
import type { Intent, SetFor } from "../ledger/port.js";
import type { IntentDocument } from "./document.js";
import { judgeWish, type Refusal, unprocessable, type Wish } from "./judge.js";
import type { Shelf } from "./shelf.js";

/**
 * A position as it was seen just now; null: none is open, "unread": that cannot be told, "unlisted": the exchange has
 * said that it has no such contract.
 */
export type Seen = Assessed | null | "unread" | "unlisted";

export interface KeepParts {
  readonly shelf: Pick<Shelf, "put">;
  /** The position of that side. */
  readonly openPosition: (key: PositionKey, side: Side) => Promise<Seen>;
  /** The life that an open position is in; absent or null: that is for the account's writer to say. */
  readonly lifeOf?: (position: Position) => string | null;
  /** Wall clock, milliseconds since 1970. */
  readonly now: () => number;
  readonly newId: () => string;
  /** When it was asked for, milliseconds since 1970; default: now. */
  readonly createdAtMs?: number;
  /** Not later than the look of `openPosition`, milliseconds since 1970; default: now. */
  readonly seenAtMs?: number;
}

export type Kept =
  | { readonly kind: "refused"; readonly refusal: Refusal; readonly open: Assessed | null }
  | {
      readonly kind: "kept";
      readonly intent: Intent;
      readonly open: Assessed | null;
      /** False: nobody could look, so it was held against nothing, and may loosen nothing. */
      readonly isSeen: boolean;
    };

const SPENT = "an intent of this id has been taken up or is over already; it is never set again";

/** `who`: where it came from, unless the wish itself says who asks. @throws LedgerError where it cannot be kept */
export async function keepIntent(
  key: PositionKey,
  document: IntentDocument,
  who: string,
  { shelf, openPosition, lifeOf, now, newId, createdAtMs, seenAtMs = now() }: KeepParts,
): Promise<Kept> {
  const sight = await openPosition(key, document.side);
  if (sight === "unlisted") return { kind: "refused", refusal: notFound(unlistedNote(key)), open: null };
  const open = sight === "unread" ? null : sight;
  const { refusal, wish, mayLoosenFrom } = judgeWish(document, { positionIdx: key.positionIdx, open, nowMs: now() });
  if (refusal !== null) return { kind: "refused", refusal, open };
  const origin = { wish, who, id: newId(), createdAtMs: createdAtMs ?? now(), setFor: setForOf(sight, seenAtMs) };
  const made = newIntent(key, document, origin);
  // It belongs to the life that it was held against, not to the next one, should that end in this moment.
  const lifeId = open === null || made.orderLinkId !== null ? null : (lifeOf?.(open.position) ?? null);
  const intent: Intent = { ...made, mayLoosenFrom, ...(lifeId === null ? {} : { state: "bound", lifeId }) };
  if (await shelf.put(intent)) return { kind: "kept", intent, open, isSeen: sight !== "unread" };
  return { kind: "refused", refusal: unprocessable(SPENT), open };
}

function setForOf(sight: Exclude<Seen, "unlisted">, seenAtMs: number): SetFor {
  if (sight === null) return { kind: "next", seenAtMs };
  return sight === "unread" ? { kind: "unseen" } : { kind: "open", openedAtMs: sight.position.openedAtMs, seenAtMs };
}

export function unlistedNote({ category, symbol }: Contract): string {
  return `the exchange knows no ${category} contract ${symbol}`;
}

function notFound(message: string): Refusal {
  return { status: "refused", httpStatus: 404, code: "not-found", message };
}

/** What a kept wish without a position waits for, as an answer to who asked. */
export function waitingNote(isSeen: boolean): string {
  return isSeen
    ? "it is taken up when a position of that side opens in time"
    : "the exchange could not be read, so it was held against nothing: it is taken up by the position of that side that " +
        "is open or opens in time, and loosens nothing";
}

export interface Origin {
  readonly wish: Wish;
  readonly who: string;
  readonly id: string;
  readonly createdAtMs: number;
  readonly setFor: SetFor;
}

/** One that waits, and may loosen nothing. */
export function newIntent(
  key: PositionKey,
  document: IntentDocument,
  { wish, who, id, createdAtMs, setFor }: Origin,
): Intent {
  return {
    id,
    key,
    ...wish,
    mayLoosenFrom: null,
    orderLinkId: document.orderLinkId ?? null,
    ttlMs: document.ttlSeconds * 1_000,
    createdAtMs,
    state: "pending",
    lifeId: null,
    endedHow: null,
    who: document.who ?? who,
    setFor,
  };
}
