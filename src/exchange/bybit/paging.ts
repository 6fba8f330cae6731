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
  /** Asked with all rows so far while there are more; true: the rest is not needed. Default: all of it is. */
  readonly isEnough?: (rows: readonly unknown[]) => boolean;
}

/** An incomplete list is void: its rows only tell which names to look at one by one. Complete: as far as it is needed. */
export type PagedList =
  | { readonly complete: true; readonly rows: readonly unknown[] }
  | { readonly complete: false; readonly rows: readonly unknown[]; readonly failure: ExchangeFailure };

/** No account has that many; an exchange that keeps sending cursors has lost count. */
const MAX_PAGES = 100;

export async function readPages(options: PagingOptions): Promise<PagedList> {
  const rows: unknown[] = [];
  const seen = new Set<string>();
  const usedCursors = new Set<string>();
  let servedSize = options.limit;
  let lastSize = 0;
  let cursor: string | undefined;
  for (let pages = 1; pages <= MAX_PAGES; pages += 1) {
    let page: Page;
    try {
      page = await options.fetchPage(cursor);
    } catch (error) {
      if (error instanceof ExchangeFailure) return { complete: false, rows, failure: error };
      throw error;
    }
    if (cursor !== undefined) usedCursors.add(cursor);
    rows.push(...page.rows);
    const brings = countNew(page.rows, seen, options.keyOf);
    // More came after a page below the limit: so large are the pages that this server fills.
    if (brings > 0 && pages > 1) servedSize = Math.min(servedSize, lastSize);
    lastSize = page.rows.length;
    if (page.nextCursor === "" || page.rows.length === 0) return { complete: true, rows };
    if (options.isEnough?.(rows) === true) return { complete: true, rows };
    if (brings === 0 || usedCursors.has(page.nextCursor)) return ended(options.endpoint, rows, lastSize < servedSize);
    cursor = page.nextCursor;
  }
  return { complete: false, rows, failure: pagingFailure(options.endpoint, `no end after ${MAX_PAGES} pages`) };
}

/** A list that turns in circles ends there only if its last page had room left; a full one may hide another. */
function ended(endpoint: string, rows: readonly unknown[], hadRoom: boolean): PagedList {
  if (hadRoom) return { complete: true, rows };
  return { complete: false, rows, failure: pagingFailure(endpoint, "a full page came again instead of the next one") };
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
