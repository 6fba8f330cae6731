/** Positions and open orders together: whole lists at once, or contract by contract where that costs less. */
import type { OpenOrder, UnreadableOrder } from "../../domain/order.js";
import { type Category, keyText, type Position, type UnreadablePosition } from "../../domain/position.js";
import type { Contract, FlatLeg, Gap } from "../../domain/snapshot.js";
import { ExchangeFailure } from "../failure.js";
import { ALONE_WITHIN_MS, inTime } from "./asking.js";
import type { Client } from "./client.js";
import type { Patience } from "./patience.js";
import { type ListName, type OrdersRead, type PositionsRead, readOrdersOf, readPositionsOf } from "./lists.js";
import { readOrderList, silentOrders } from "./order-list.js";
import { readPositionList, silentPositions, symbolsOf } from "./position-list.js";

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
  readonly patience: Patience;
  readonly progress: (text: string) => void;
  readonly orderLists: OrderLists;
  /** True: once a contract's own row has come, its orders are worth no more than anything else that is late. */
  readonly rowsSuffice: boolean;
}

/** The lists that make up an account: what is there in any case, and what others need to be asked for first. */
export interface ListPlan {
  readonly lists: readonly ListName[];
  readonly further: Promise<readonly ListName[]>;
}

/** `all`: prices are asked for also of contracts that have orders and no position. */
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
export async function readBook(parts: BookParts, plan: ListPlan, options: ListOptions): Promise<Book> {
  const counted = countRequests(parts.patience.client);
  const readAll = (lists: readonly ListName[]) =>
    Promise.all(lists.map((list) => readList(parts, counted.client, list, options)));
  const read = (await Promise.all([readAll(plan.lists), plan.further.then(readAll)])).flat();
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

async function readEach(
  parts: BookParts,
  contracts: readonly Contract[],
): Promise<{ readonly read: readonly Part[]; readonly cost: number }> {
  const { patience } = parts;
  const counted = countRequests(patience.client);
  const inTurn = <T extends PositionsRead | OrdersRead>(reading: Promise<T>, nothing: T): Promise<T> => {
    const waiting = patience.wait(
      reading,
      ({ failure }) => failure === null,
      () => nothing,
    );
    return inTime(waiting, nothing, ALONE_WITHIN_MS);
  };
  const read = await Promise.all(
    contracts.map(async (contract): Promise<Part> => {
      const { symbol } = contract;
      // What its row states is told, also where its orders stay silent.
      const noOrders = silentOrders([symbol]);
      const rows = inTurn(readPositionsOf(counted.client, parts.account, contract), silentPositions([symbol]));
      const resting = inTurn(readOrdersOf(counted.client, contract), noOrders);
      // Where the row cannot be read, nobody asks for them.
      resting.catch(() => undefined);
      const [positions, orders] = await Promise.all([
        rows,
        parts.rowsSuffice ? rows.then(() => inTime(resting, noOrders)) : resting,
      ]);
      if (positions.sawAnything) patience.shows(contract.category, [contract.symbol]);
      return { ...contract, positions, orders };
    }),
  );
  return { read, cost: counted.count() };
}

/** Positions that were seen are told, also where their orders stay silent. Exits that rest tell of one that a list lacks. */
async function readList(parts: BookParts, client: Client, list: ListName, options: ListOptions): Promise<Part> {
  const { patience } = parts;
  const { category } = list;
  const known = options.symbolsByList.get(textOf(list));
  const positions = await readPositionList({ account: parts.account, client, patience }, list, known);
  const symbols = symbolsOf(positions);
  if (positions.failure === null) options.symbolsByList.set(textOf(list), symbols);
  parts.progress(`${textOf(list)}: ${positions.positions.length} positions`);
  const isAll = parts.orderLists === "all";
  if (symbols.length > 0) options.onRows(category);
  // A list that has failed is a gap whatever rests.
  else if (positions.failure !== null && !isAll) return { category, positions, orders: NO_ORDERS, symbol: null };
  const orders = await readOrderList({ client, patience, isAll }, list, symbols);
  if (isAll && orders.orders.length > 0) options.onRows(category);
  return { category, positions, orders: symbols.length > 0 ? orders : ofNobody(orders), symbol: null };
}

/** A row without a name would make the positions of other lists doubtful, and is none of theirs. */
function ofNobody(read: OrdersRead): OrdersRead {
  const unreadable = read.unreadable.filter(({ symbol }) => symbol !== null);
  if (unreadable.length === read.unreadable.length) return read;
  const endpoint = "GET /v5/order/realtime";
  const facts = { kind: "not-happened", cause: "garbage", endpoint, retMsg: "a row names no contract" } as const;
  return { ...read, unreadable, failure: new ExchangeFailure(facts) };
}

const textOf = ({ category, settleCoin }: ListName): string => `${category} ${settleCoin ?? ""}`.trim();

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
    unreadablePositions: toldOnce(parts.flatMap((part) => part.positions.unreadable)),
    orders: [...new Map(parts.flatMap((part) => part.orders.orders).map((one) => [one.orderId, one])).values()],
    unreadableOrders: parts.flatMap((part) => part.orders.unreadable),
    gaps: parts.flatMap(gapsOf),
    cost,
  };
}

/** Rows that name their leg; what does not may be of any. */
function toldOnce(rows: readonly UnreadablePosition[]): readonly UnreadablePosition[] {
  const name = (row: UnreadablePosition): unknown => {
    const { category, symbol, positionIdx } = row;
    return symbol === null || positionIdx === null ? row : `${category} ${symbol} ${positionIdx}`;
  };
  return [...new Map(rows.map((row) => [name(row), row])).values()];
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
    cost: whole.cost + alone.cost,
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
  };
  return { client: counting, count: () => requests };
}
