/** Follows cursors to one complete list, or says honestly that there is none. */
import { ExchangeFailure } from "../failure.js";

export interface Page {
  readonly rows: readonly unknown[];
  /** Empty: the exchange says that this is the last page. It may be filled on the last page all the same. */
  readonly nextCursor: string;
}

export interface PagingOptions {
  readonly endpoint: string;
  /** Rows asked for per page. */
  readonly limit: number;
  /** What makes a row the same row on another page. */
  readonly keyOf: (row: unknown) => string;
  /** Fetches one page, retries included. @throws ExchangeFailure */
  readonly fetchPage: (cursor: string | undefined) => Promise<Page>;
  /** True: pages are looked at once more when the last one is there, for rows that have moved to an earlier one. */
  readonly movesBetweenPages?: boolean;
  /** True: pages that only repeat, under new cursors, may stand in the place of others; default: a short one is the last. */
  readonly repeatsMayHide?: boolean;
  /** Asked with all rows so far while there are more; true: the rest is not needed. Default: all of it is. */
  readonly isEnough?: (rows: readonly unknown[]) => boolean;
}

/** An incomplete list is void: its rows only tell which names to look at one by one. Complete: as far as it is needed. */
export type PagedList =
  | { readonly complete: true; readonly rows: readonly unknown[] }
  | { readonly complete: false; readonly rows: readonly unknown[]; readonly failure: ExchangeFailure };

/** No account has that many; an exchange that keeps sending cursors has lost count. */
const MAX_PAGES = 100;
/** Pages in a row that bring no row that is new. */
const MOST_BARREN = 4;
/** Rows of a page to a server that was not asked for more (docs/v5/position, docs/v5/order/open-order). */
const DEFAULT_PAGE = 20;

export async function readPages(options: PagingOptions): Promise<PagedList> {
  const read = await followCursors(options);
  return read.list.complete && options.movesBetweenPages === true
    ? withMoved(read.list.rows, read.earlierCursors, options)
    : read.list;
}

/** A position that closes draws those after it to an earlier page, where one is missed by who has read that before. */
async function withMoved(
  rows: readonly unknown[],
  cursors: readonly (string | undefined)[],
  { fetchPage, keyOf }: PagingOptions,
): Promise<PagedList> {
  const seen = new Set(rows.map(keyOf));
  const pages = await Promise.allSettled(cursors.map(fetchPage));
  const again: unknown[] = [];
  for (const page of pages) {
    if (page.status === "fulfilled") again.push(...page.value.rows);
    else if (page.reason instanceof ExchangeFailure) return { complete: false, rows, failure: page.reason };
    else throw page.reason;
  }
  return { complete: true, rows: [...rows, ...again.filter((row) => !seen.has(keyOf(row)))] };
}

interface Followed {
  readonly list: PagedList;
  /** Of the pages that a row of a later one may have moved to. */
  readonly earlierCursors: readonly (string | undefined)[];
}

async function followCursors(options: PagingOptions): Promise<Followed> {
  const rows: unknown[] = [];
  const cursors: (string | undefined)[] = [];
  // Where the end was a page of its own, a row may have moved from there to the last page that brought any.
  let mayHaveLost = false;
  const done = (list: PagedList): Followed => ({ list, earlierCursors: mayHaveLost ? cursors : cursors.slice(0, -1) });
  const seen = new Set<string>();
  const usedCursors = new Set<string>();
  let servedSize = options.limit;
  let lastSize = 0;
  let hadRoom = false;
  let barren = 0;
  // It may stand in the place of the one that was asked for.
  let fullOneCameAgain = false;
  let cursor: string | undefined;
  for (let pages = 1; pages <= MAX_PAGES; pages += 1) {
    let page: Page;
    try {
      page = await options.fetchPage(cursor);
    } catch (error) {
      if (error instanceof ExchangeFailure) return done({ complete: false, rows, failure: error });
      throw error;
    }
    if (cursor !== undefined) usedCursors.add(cursor);
    rows.push(...page.rows);
    const brings = countNew(page.rows, seen, options.keyOf);
    if (brings > 0) cursors.push(cursor);
    // More came after a page below the limit: so large are the pages that this server fills.
    if (brings > 0 && lastSize > 0) servedSize = Math.min(servedSize, lastSize);
    mayHaveLost = brings === 0 && !hadRoom;
    lastSize = page.rows.length;
    const isEmpty = lastSize === 0;
    if (!isEmpty) hadRoom = lastSize < servedSize && lastSize !== DEFAULT_PAGE;
    barren = brings === 0 ? barren + 1 : 0;
    if (brings > 0) fullOneCameAgain = false;
    if (page.nextCursor === "") return done(ended(options.endpoint, rows, !fullOneCameAgain));
    if (options.isEnough?.(rows) === true) return done({ complete: true, rows });
    // A page that brings nothing and names a new cursor may stand in the middle; some in a row are the end, if they are empty.
    const mayEnd = isEmpty ? !fullOneCameAgain : hadRoom && options.repeatsMayHide !== true;
    if (barren >= MOST_BARREN) return done(ended(options.endpoint, rows, mayEnd));
    // An empty page that only leads back to itself may be so for a moment.
    const isToBeAsked = isEmpty && !hadRoom && rows.length > 0 && page.nextCursor === cursor;
    if (usedCursors.has(page.nextCursor) && !isToBeAsked) return done(ended(options.endpoint, rows, hadRoom));
    fullOneCameAgain ||= brings === 0 && !isEmpty && !hadRoom;
    cursor = page.nextCursor;
  }
  const failure = pagingFailure(options.endpoint, `no end after ${MAX_PAGES} pages`);
  return done({ complete: false, rows, failure });
}

/** A list that turns in circles ends there only if its last page had room left; a full one may hide another. */
function ended(endpoint: string, rows: readonly unknown[], isWhole: boolean): PagedList {
  if (isWhole) return { complete: true, rows };
  return { complete: false, rows, failure: pagingFailure(endpoint, "pages came again instead of the next one") };
}

function countNew(rows: readonly unknown[], seen: Set<string>, keyOf: (row: unknown) => string): number {
  const before = seen.size;
  for (const row of rows) seen.add(keyOf(row));
  return seen.size - before;
}

function pagingFailure(endpoint: string, retMsg: string): ExchangeFailure {
  return new ExchangeFailure({ kind: "not-happened", cause: "paging", endpoint, retMsg });
}

/** One name per leg; rows without one are told apart by their whole text. */
export function positionRowKey(row: unknown): string {
  return keyFrom(row, ["symbol", "positionIdx"]);
}

export function orderRowKey(row: unknown): string {
  return keyFrom(row, ["orderId"]);
}

export function executionRowKey(row: unknown): string {
  return keyFrom(row, ["execId"]);
}

export function symbolRowKey(row: unknown): string {
  return keyFrom(row, ["symbol"]);
}

function keyFrom(row: unknown, names: readonly string[]): string {
  if (typeof row === "object" && row !== null) {
    const parts = names.map((name) => Reflect.get(row, name));
    if (parts.every((part) => typeof part === "string" || typeof part === "number")) return parts.join("/");
  }
  return JSON.stringify(row) ?? "nothing";
}
