/** Positions and open orders together: whole lists at once, or contract by contract where that costs less. */
import type { OpenOrder, UnreadableOrder } from "../../domain/order.js";
import { type Category, keyText, type Position, type UnreadablePosition } from "../../domain/position.js";
import type { Contract, FlatLeg, Gap } from "../../domain/snapshot.js";
import { ExchangeFailure } from "../failure.js";
import { ALONE_WITHIN_MS, hurriedly, inTime, worthWaitingMs } from "./asking.js";
import type { SteadyClock } from "./budget.js";
import type { Client } from "./client.js";
import {
  type ListName,
  type OrdersRead,
  type PositionsRead,
  readOrderList,
  readOrdersOf,
  readPositionList,
  readPositionsOf,
} from "./lists.js";

export interface Book {
  readonly positions: readonly Position[];
  /** Only of contracts that were asked for by name. */
  readonly flatLegs: readonly FlatLeg[];
  readonly unreadablePositions: readonly UnreadablePosition[];
  readonly orders: readonly OpenOrder[];
  readonly unreadableOrders: readonly UnreadableOrder[];
  readonly gaps: readonly Gap[];
  /** True: orders were read whole, also of contracts without a position. */
  readonly allOrders: boolean;
  /** Position and order requests that it took, further tries not counted. */
  readonly cost: number;
}

export interface BookParts {
  readonly account: string;
  readonly client: Client;
  readonly clock: SteadyClock;
  readonly progress: (text: string) => void;
  readonly orderLists: OrderLists;
}

/** `all`: those of contracts without a position are waited for as the others are, and their prices are asked for. */
export type OrderLists = "of-positions" | "all";

export interface ListOptions {
  /** Contracts with a position when the list was read last; kept up to date here. */
  readonly symbolsByList: Map<string, readonly string[]>;
  /** A category has a position, or an order that is to be seen: its prices will be needed. */
  readonly onRows: (category: Category) => void;
}

/** One list, or one contract, with the orders of its positions. */
interface Part {
  readonly category: Category;
  readonly positions: PositionsRead;
  readonly orders: OrdersRead;
  /** Set for a part that is one contract: a failure concerns it alone. */
  readonly symbol: string | null;
}

const NO_ORDERS: OrdersRead = { orders: [], unreadable: [], failure: null, missing: [] };

/** @throws ExchangeFailure when not one list could be read, or the account is closed to us. */
export async function readBook(parts: BookParts, lists: readonly ListName[], options: ListOptions): Promise<Book> {
  const counted = countRequests(parts.client);
  const read = await Promise.all(lists.map((list) => readList({ ...parts, client: counted.client }, list, options)));
  refuseBlind(read);
  return { ...joined(read, counted.count()), allOrders: parts.orderLists === "all" && read.every(sawAllOrders) };
}

function sawAllOrders({ orders }: Part): boolean {
  return orders.failure === null;
}

/** Nothing but these contracts. @throws ExchangeFailure when not one could be read, or the account is closed to us. */
export async function readContracts(parts: BookParts, contracts: readonly Contract[]): Promise<Book> {
  const { read, cost } = await readEach(parts, contracts);
  refuseBlind(read);
  return { ...joined(read, cost), allOrders: read.every(sawAllOrders) };
}

/** Besides what was read whole: what fails here is a gap of its contract. @throws ExchangeFailure when the account is closed to us. */
export async function readContractsToo(parts: BookParts, whole: Book, contracts: readonly Contract[]): Promise<Book> {
  if (contracts.length === 0) return whole;
  const { read, cost } = await readEach(parts, contracts);
  return bothBooks(whole, { ...joined(read, cost), allOrders: read.every(sawAllOrders) });
}

/** One contract that does not answer must not keep the others of a look waiting. */
async function readEach(
  parts: BookParts,
  contracts: readonly Contract[],
): Promise<{ readonly read: readonly Part[]; readonly cost: number }> {
  const counted = countRequests(parts.client);
  const read = await Promise.all(
    contracts.map(async (contract): Promise<Part> => {
      const reading = Promise.all([
        readPositionsOf(counted.client, parts.account, contract),
        readOrdersOf(counted.client, contract),
      ]);
      const [positions, orders] = await inTime(reading, nothingInTime(contract.symbol), ALONE_WITHIN_MS);
      return { ...contract, positions, orders };
    }),
  );
  return { read, cost: counted.count() };
}

function nothingInTime(symbol: string): readonly [PositionsRead, OrdersRead] {
  const endpoint = "GET /v5/position/list";
  const failure = new ExchangeFailure({ kind: "not-happened", cause: "timeout", endpoint });
  const nothing = { unreadable: [], failure, missing: [symbol] };
  return [
    { ...nothing, positions: [], flat: [], sawAnything: false },
    { ...nothing, orders: [] },
  ];
}

async function readList(parts: BookParts, list: ListName, options: ListOptions): Promise<Part> {
  const { account, client, clock } = parts;
  const { category } = list;
  const startedMs = clock.monotonicMs();
  let positions = await readPositionList(client, account, list);
  let besides: OrdersRead | null = null;
  if (positions.failure === null && symbolsOf(positions).length === 0) {
    const again = readEmptyAgain(parts, list, { positions, ...options });
    [positions, besides] = await Promise.all([again, readOrdersBesides(parts, list, clock.monotonicMs() - startedMs)]);
  }
  const symbols = symbolsOf(positions);
  if (positions.failure === null) options.symbolsByList.set(textOf(list), symbols);
  parts.progress(`${textOf(list)}: ${positions.positions.length} positions`);
  if (symbols.length > 0) options.onRows(category);
  const isAsked = symbols.length > 0 || (besides === null && parts.orderLists === "all");
  const orders = isAsked ? await readOrderList(client, list, symbols) : (besides ?? NO_ORDERS);
  if (parts.orderLists === "all" && orders.orders.length > 0) options.onRows(category);
  return { category, positions, orders, symbol: null };
}

const textOf = ({ category, settleCoin }: ListName) => `${category} ${settleCoin ?? ""}`.trim();

/** A single empty list proves nothing: it may come from a place that lags behind. */
async function readEmptyAgain(
  { account, client }: BookParts,
  list: ListName,
  { positions, symbolsByList }: { readonly positions: PositionsRead } & Pick<ListOptions, "symbolsByList">,
): Promise<PositionsRead> {
  const known = symbolsByList.get(textOf(list));
  if (known === undefined) return readPositionList(client, account, list);
  return known.length === 0 ? positions : confirmEmpty(client, account, list.category, known);
}

/**
 * The orders of a list without positions: exits that rest tell of one that it lacks. Who wants nothing else of them
 * does not wait for what hangs: the positions of other lists are to be protected.
 */
async function readOrdersBesides(parts: BookParts, list: ListName, listTookMs: number): Promise<OrdersRead> {
  if (parts.orderLists === "all") return readOrderList(parts.client, list, []);
  const read = await readOrderList(hurriedly(parts.client, worthWaitingMs(listTookMs)), list, []);
  const unreadable = read.unreadable.filter(({ symbol }) => symbol !== null);
  if (unreadable.length === read.unreadable.length) return read;
  // A row without a name would make the positions of other lists doubtful, and is none of theirs.
  const endpoint = "GET /v5/order/realtime";
  const facts = { kind: "not-happened", cause: "garbage", endpoint, retMsg: "a row names no contract" } as const;
  return { ...read, unreadable, failure: new ExchangeFailure(facts) };
}

/** A list that is empty although positions were known is believed only after each of them was looked at. */
async function confirmEmpty(
  client: Client,
  account: string,
  category: Category,
  known: readonly string[],
): Promise<PositionsRead> {
  const alone = await Promise.all(known.map((symbol) => readPositionsOf(client, account, { category, symbol })));
  return {
    positions: alone.flatMap((each) => each.positions),
    flat: [],
    unreadable: alone.flatMap((each) => each.unreadable),
    failure: alone.find((each) => each.failure !== null)?.failure ?? null,
    missing: alone.flatMap((each) => each.missing),
    sawAnything: true,
  };
}

function symbolsOf(read: PositionsRead): readonly string[] {
  const open = read.positions.map((position) => position.key.symbol);
  const unread = read.unreadable.flatMap(({ symbol }) => (symbol === null ? [] : [symbol]));
  return [...new Set([...open, ...unread])];
}

/** @throws ExchangeFailure */
function refuseBlind(parts: readonly Part[]): void {
  const failure = parts.find((part) => part.positions.failure !== null)?.positions.failure;
  if (failure != null && !parts.some((part) => part.positions.sawAnything)) throw failure;
}

function joined(parts: readonly Part[], cost: number): Omit<Book, "allOrders"> {
  return {
    // A server that does not filter by coin tells the same leg in every list: the last telling counts.
    positions: [
      ...new Map(parts.flatMap((part) => part.positions.positions).map((one) => [keyText(one.key), one])).values(),
    ],
    flatLegs: parts.flatMap((part) => (part.symbol === null ? [] : part.positions.flat)),
    unreadablePositions: parts.flatMap((part) => part.positions.unreadable),
    orders: [...new Map(parts.flatMap((part) => part.orders.orders).map((one) => [one.orderId, one])).values()],
    unreadableOrders: parts.flatMap((part) => part.orders.unreadable),
    gaps: parts.flatMap(gapsOf),
    cost,
  };
}

/** A whole read, and contracts of it that were asked for alone afterwards. */
function bothBooks(whole: Book, alone: Book): Book {
  return {
    positions: [...whole.positions, ...alone.positions],
    flatLegs: [...whole.flatLegs, ...alone.flatLegs],
    unreadablePositions: [...whole.unreadablePositions, ...alone.unreadablePositions],
    orders: [...new Map([...whole.orders, ...alone.orders].map((order) => [order.orderId, order])).values()],
    unreadableOrders: [...whole.unreadableOrders, ...alone.unreadableOrders],
    gaps: [...whole.gaps, ...alone.gaps],
    allOrders: whole.allOrders && alone.allOrders,
    cost: whole.cost,
  };
}

function gapsOf(part: Part): readonly Gap[] {
  const { category, positions, orders } = part;
  const gaps: Gap[] = [];
  if (positions.failure !== null) {
    const whose = part.symbol === null ? {} : { symbols: [part.symbol] };
    gaps.push({ category, what: "positions", ...whose, reason: positions.failure.message });
  }
  // Without a position in the list its orders are nobody's that is known: then none is named, and none is in doubt.
  const isOfNone = part.symbol === null && symbolsOf(positions).length === 0;
  if (orders.failure !== null && (isOfNone || orders.missing.length > 0)) {
    gaps.push({ category, what: "orders", symbols: orders.missing, reason: orders.failure.message });
  }
  return gaps;
}

function countRequests(client: Client): { readonly client: Client; readonly count: () => number } {
  let requests = 0;
  const counting: Client = {
    ...client,
    read: (request) => {
      requests += 1;
      return client.read(request);
    },
    readOnce: (request) => {
      requests += 1;
      return client.readOnce(request);
    },
  };
  return { client: counting, count: () => requests };
}
