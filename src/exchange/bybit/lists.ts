/** Reads lists of positions and open orders; where a list is void, looks at its contracts one by one. */
import type { OpenOrder, UnreadableOrder } from "../../domain/order.js";
import type { Category, Position, UnreadablePosition } from "../../domain/position.js";
import type { Contract, FlatLeg } from "../../domain/snapshot.js";
import { ExchangeFailure } from "../failure.js";
import type { LimitClass } from "./budget.js";
import type { Client } from "./client.js";
import { closesAccount, valueOf } from "./failures.js";
import { symbolIn } from "./fields.js";
import { orderRowKey, type PagedList, type PagingOptions, positionRowKey, readPages } from "./paging.js";
import { pageOfRows } from "./schemas.js";
import type { Params } from "./transport.js";
import { describesSame, readLeg, type ReadPosition, readPosition } from "./translate.js";
import { describesSameOrder, readOrder } from "./translate-order.js";

/** All contracts of a category that settle in one coin; inverse is one list of its own (docs/v5/position). */
export interface ListName {
  readonly category: Category;
  readonly settleCoin: string | null;
}

export interface PositionsRead {
  readonly positions: readonly Position[];
  /** Legs whose row says size zero. */
  readonly flat: readonly FlatLeg[];
  readonly unreadable: readonly UnreadablePosition[];
  /** Why the list as a whole is void; null where it is complete. */
  readonly failure: ExchangeFailure | null;
  /** Contracts that were to be looked at alone and could not be. */
  readonly missing: readonly string[];
  /** False: not one row of this list could be trusted. */
  readonly sawAnything: boolean;
}

export interface OrdersRead {
  readonly orders: readonly OpenOrder[];
  readonly unreadable: readonly UnreadableOrder[];
  readonly failure: ExchangeFailure | null;
  readonly missing: readonly string[];
}

const TWO_ROWS = "two different rows";
export const POSITIONS = {
  path: "/v5/position/list",
  limitClass: "positions",
  limit: 200,
  keyOf: positionRowKey,
  movesBetweenPages: true,
  repeatsMayHide: true,
} as const;
/** One contract's legs; what a further page repeats of them is not needed. */
const LEGS = { ...POSITIONS, isEnough: hasAllLegs } as const;
export const ORDERS = { path: "/v5/order/realtime", limitClass: "orders", limit: 50, keyOf: orderRowKey } as const;

/** Both legs of one contract. */
export async function readPositionsOf(client: Client, account: string, contract: Contract): Promise<PositionsRead> {
  let read = await readRowsOf(client, LEGS, contract, {});
  // A contract asked for by name always has a row, also without a position: look twice before believing in none.
  if (read.complete && read.rows.length === 0) read = await readRowsOf(client, LEGS, contract, {});
  if (read.complete)
    return positionsFrom(
      read.rows.map((row) => readLeg(account, contract.category, row)),
      contract,
    );
  const nothing = { positions: [], flat: [], unreadable: [] };
  return { ...nothing, failure: read.failure, missing: [contract.symbol], sawAnything: false };
}

export async function readOrdersOf(client: Client, contract: Contract): Promise<OrdersRead> {
  const read = await readRowsOf(client, ORDERS, contract, { openOnly: 0 });
  if (read.complete) return ordersFrom(contract.category, read.rows);
  return { orders: [], unreadable: [], failure: read.failure, missing: [contract.symbol] };
}

/** How many option positions are open; they are only counted, never guarded. @throws ExchangeFailure */
export async function countOptionPositions(client: Client): Promise<number> {
  const read = await readRows({ ...client, read: (request) => client.readOnce(request) }, POSITIONS, {
    category: "option",
  });
  if (!read.complete) throw read.failure;
  return new Set(read.rows.filter((row) => !isFlat(row)).map(positionRowKey)).size;
}

/** In one-way mode there is leg 0, in hedge mode there are both others (docs/v5/position). */
function hasAllLegs(rows: readonly unknown[]): boolean {
  const legs = new Set(rows.map((row) => String(valueOf(row, "positionIdx"))));
  return legs.has("0") || (legs.has("1") && legs.has("2"));
}

export function isFlat(row: unknown): boolean {
  return readPosition("", "linear", row).kind === "flat";
}

export interface Endpoint
  extends Pick<PagingOptions, "limit" | "keyOf" | "isEnough" | "movesBetweenPages" | "repeatsMayHide"> {
  readonly path: string;
  readonly limitClass: LimitClass;
}

/**
 * Rows of another contract void the answer: without them it would look as if this one had none.
 * @throws ExchangeFailure only where the account as a whole is closed to us
 */
export async function readRowsOf(
  client: Client,
  endpoint: Endpoint,
  contract: Contract,
  more: Params,
): Promise<PagedList> {
  const { category, symbol } = contract;
  const read = await readRows(client, endpoint, { category, symbol, ...more });
  const isForeign = read.rows.some((row) => (symbolIn(row) ?? symbol) !== symbol);
  return isForeign ? { complete: false, rows: [], failure: garbage(endpoint, "another contract") } : read;
}

/** `soFar`: told of the rows of each page as it comes. @throws ExchangeFailure only where the account is closed to us */
export async function readRows(
  client: Client,
  endpoint: Endpoint,
  params: Params,
  soFar?: (rows: readonly unknown[]) => void,
): Promise<PagedList> {
  const { path, limitClass, limit, keyOf, isEnough, movesBetweenPages = false, repeatsMayHide = false } = endpoint;
  const read = await readPages({
    endpoint: `GET ${path}`,
    limit,
    keyOf,
    movesBetweenPages,
    repeatsMayHide,
    ...(isEnough === undefined ? {} : { isEnough }),
    fetchPage: async (cursor) => {
      const paged = { ...params, limit, ...(cursor === undefined ? {} : { cursor }) };
      const { result } = await client.read({ method: "GET", path, params: paged, limitClass, schema: pageOfRows });
      if (result.category && result.category !== params["category"]) {
        throw garbage(endpoint, "another category");
      }
      soFar?.(result.list);
      return { rows: result.list, nextCursor: result.nextPageCursor ?? "" };
    },
  });
  if (!read.complete && closesAccount(read.failure.facts)) throw read.failure;
  return read;
}

function garbage({ path }: Endpoint, about: string): ExchangeFailure {
  const retMsg = `the answer is about ${about}`;
  return new ExchangeFailure({ kind: "not-happened", cause: "garbage", endpoint: `GET ${path}`, retMsg });
}

export function nameParams({ category, settleCoin }: ListName): Record<string, string> {
  return settleCoin === null ? { category } : { category, settleCoin };
}

export function symbolsIn(rows: readonly unknown[]): readonly string[] {
  return [...new Set(rows.map(symbolIn).filter((symbol) => symbol !== null))];
}

export function eachAlone<T>(symbols: readonly string[], read: (symbol: string) => Promise<T>): Promise<readonly T[]> {
  return Promise.all(symbols.map(read));
}

export function positionsFrom(
  read: readonly ReadPosition[],
  { category }: { readonly category: Category },
): PositionsRead {
  const positions: Position[] = [];
  const unreadable: UnreadablePosition[] = [];
  const flat: FlatLeg[] = [];
  for (const group of grouped(read, legText)) {
    const bad = group.find((each) => each.kind === "unreadable");
    const latest = group.findLast((each) => each.kind === "open");
    if (bad !== undefined) unreadable.push(bad.row);
    else if (latest === undefined) flat.push(...flatLegOf(category, group[0]));
    else if (group.every((each) => describesSame(each, latest))) positions.push(latest.position);
    else unreadable.push({ ...latest.position.key, side: null, reason: TWO_ROWS });
  }
  return { positions, flat, unreadable, failure: null, missing: [], sawAnything: true };
}

/** A row that does not name its leg proves nothing about any. */
function flatLegOf(category: Category, row: ReadPosition | undefined): readonly FlatLeg[] {
  if (row?.kind !== "flat" || row.symbol === null || row.positionIdx === null) return [];
  return [{ category, symbol: row.symbol, positionIdx: row.positionIdx }];
}

/** Null: a row that cannot be told by name is on its own. */
function legText(read: ReadPosition): string | null {
  const leg = read.kind === "open" ? read.position.key : read.kind === "unreadable" ? read.row : read;
  return leg.symbol === null || leg.positionIdx === null ? null : `${leg.symbol}/${leg.positionIdx}`;
}

export function ordersFrom(category: Category, rows: readonly unknown[]): OrdersRead {
  const orders: OpenOrder[] = [];
  const unreadable: UnreadableOrder[] = [];
  const read = rows.map((row) => ({ id: orderRowKey(row), order: readOrder(category, row) }));
  for (const group of grouped(read, ({ id, order }) => (order.kind === "unreadable" ? null : id))) {
    const rowsOfOne = group.map(({ order }) => order);
    const latest = rowsOfOne.findLast((each) => each.kind === "open");
    for (const each of rowsOfOne) if (each.kind === "unreadable") unreadable.push(each.row);
    if (latest === undefined) continue;
    if (rowsOfOne.every((each) => describesSameOrder(each, latest))) orders.push(latest.order);
    else unreadable.push(twoRows(latest.order));
  }
  return { orders, unreadable, failure: null, missing: [] };
}

function twoRows({ category, symbol, positionIdx }: OpenOrder): UnreadableOrder {
  return { category, symbol, positionIdx, reason: TWO_ROWS };
}

function grouped<T>(items: readonly T[], nameOf: (item: T) => string | null): readonly (readonly T[])[] {
  const groups = new Map<string, T[]>();
  items.forEach((item, index) => {
    const name = nameOf(item) ?? `#${index}`;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [item]);
    else group.push(item);
  });
  return [...groups.values()];
}
