/** Takes in a wish: held against the position as it stands, refused with both prices, or kept in the ledger. */
import type { Assessed } from "../assess/assess.js";
import type { PositionKey, Side } from "../domain/position.js";
import type { Intent } from "../ledger/port.js";
import type { IntentDocument } from "./document.js";
import { judgeWish, type Refusal } from "./judge.js";
import type { Shelf } from "./shelf.js";

export interface KeepParts {
  readonly shelf: Pick<Shelf, "put">;
  /** The position of that side as it was seen just now; null: none is open, or nothing can be seen. */
  readonly openPosition: (key: PositionKey, side: Side) => Promise<Assessed | null>;
  /** Wall clock, milliseconds since 1970. */
  readonly now: () => number;
  readonly newId: () => string;
}

export type Kept =
  | { readonly kind: "refused"; readonly refusal: Refusal }
  | { readonly kind: "kept"; readonly intent: Intent; readonly open: Assessed | null };

/** `who`: where it came from, unless the wish itself says who asks. @throws LedgerError where it cannot be kept */
export async function keepIntent(
  key: PositionKey,
  document: IntentDocument,
  who: string,
  { shelf, openPosition, now, newId }: KeepParts,
): Promise<Kept> {
  const open = await openPosition(key, document.side);
  const { refusal, wish, mayLoosenFrom } = judgeWish(document, { positionIdx: key.positionIdx, open, nowMs: now() });
  if (refusal !== null) return { kind: "refused", refusal };
  const intent: Intent = {
    id: newId(),
    key,
    ...wish,
    mayLoosenFrom,
    orderLinkId: document.orderLinkId ?? null,
    ttlMs: document.ttlSeconds * 1_000,
    createdAtMs: now(),
    state: "pending",
    lifeId: null,
    endedHow: null,
    who: document.who ?? who,
  };
  await shelf.put(intent);
  return { kind: "kept", intent, open };
}
