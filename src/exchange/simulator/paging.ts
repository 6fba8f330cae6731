/** Pages of a list: cursors are opaque to the caller, and with a fault they misbehave as the real ones have. */
import { type FaultTarget, type PagingFaultKind, takeFault } from "./faults.js";
import type { World } from "./world.js";

const LAST_PAGE_FAULTS = ["lastCursorEmptyPage", "lastCursorRepeat"] as const;

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextPageCursor: string;
}

export interface Listing<T> {
  /** In list order. */
  readonly items: readonly T[];
  /** The cursor that names an item, unescaped, and whether an item lies behind a given cursor. */
  readonly cursorOf: (item: T) => string;
  readonly isBehind: (item: T, cursor: string) => boolean;
}

/**
 * A cursor goes out percent-escaped (docs/v5/position) and comes back escaped once more; `cursor` here is what
 * one decoding of the query left, so it compares equal to what went out.
 */
export function pageOf<T>(
  world: World,
  listing: Listing<T>,
  limit: number,
  cursor: string | undefined,
  target: FaultTarget,
): Page<T> {
  const plain = cursor === undefined ? undefined : unescapeCursor(cursor);
  const rest = plain === undefined ? listing.items : listing.items.filter((item) => listing.isBehind(item, plain));
  const items = rest.slice(0, limit);
  const lastItem = items.at(-1);
  const more = rest.length > items.length;
  const own = lastItem === undefined ? "" : encodeURIComponent(listing.cursorOf(lastItem));
  const possible: readonly PagingFaultKind[] = more ? ["selfCursor"] : [...LAST_PAGE_FAULTS, "selfCursor"];
  const fault = takeFault(world.faults, possible, target)?.kind as PagingFaultKind | undefined;
  switch (fault) {
    case undefined:
      return { items, nextPageCursor: more ? own : "" };
    case "lastCursorEmptyPage":
      return { items, nextPageCursor: own };
    case "selfCursor":
      return { items, nextPageCursor: cursor ?? own };
    case "lastCursorRepeat":
      // The page behind the last one repeats it.
      if (items.length > 0) return { items, nextPageCursor: own };
      return { items: listing.items.slice(-Math.min(limit, listing.items.length || 1)), nextPageCursor: cursor ?? "" };
  }
}

function unescapeCursor(cursor: string): string {
  try {
    return decodeURIComponent(cursor);
  } catch {
    return cursor;
  }
}

/** The number at a cursor's end: the rank of the item it names. */
export function rankIn(cursor: string): number {
  const digits = /(\d+)[^\d]*$/.exec(cursor)?.[1];
  return digits === undefined ? Number.MAX_SAFE_INTEGER : Number(digits);
}
