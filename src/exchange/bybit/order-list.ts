/** The open orders of one list: whole, or contract by contract where it is void or stays silent. */
import { LATE, within } from "../../runtime/within.js";
import { ExchangeFailure } from "../failure.js";
import { LATE_MS } from "./asking.js";
import type { Client } from "./client.js";
import {
  eachAlone,
  type ListName,
  nameParams,
  ORDERS,
  ordersFrom,
  type OrdersRead,
  readOrdersOf,
  readRows,
} from "./lists.js";
import type { PagedList } from "./paging.js";
import type { Patience } from "./patience.js";

const SILENT = new ExchangeFailure({ kind: "not-happened", cause: "timeout", endpoint: `GET ${ORDERS.path}` });
const SILENT_LIST: PagedList = { complete: false, rows: [], failure: SILENT };

/** What stands for the orders of contracts whose reads did not come in time. */
export function silentOrders(missing: readonly string[]): OrdersRead {
  return { orders: [], unreadable: [], failure: SILENT, missing };
}

export interface ListParts {
  readonly client: Client;
  readonly patience: Patience;
  /** True: orders of other contracts are wanted as well, which the list alone shows. */
  readonly isAll: boolean;
}

/**
 * `contracts`: those with a position. A void list is replaced by looking at each; one that is silent is raced by that,
 * and what comes first whole counts.
 */
export async function readOrderList(
  parts: ListParts,
  list: ListName,
  contracts: readonly string[],
): Promise<OrdersRead> {
  const { client, patience } = parts;
  const { category } = list;
  const heard = hearing(client);
  const reading = patience.wait(
    readRows(heard.client, ORDERS, { ...nameParams(list), openOnly: 0 }),
    ({ complete }) => complete,
    () => SILENT_LIST,
  );
  const isLate = (await within(patience.namedAfterMs(contracts.length), reading)) === LATE;
  const racing = isLate && !heard.anything() && contracts.length > 0 ? ordersByName(parts, list, contracts) : null;
  const fromList = reading.then((read) => {
    if (!read.complete) return (racing ?? ordersByName(parts, list, contracts)).then(because(read.failure));
    return ordersFrom(category, read.rows);
  });
  const chosen = await (racing === null ? fromList : firstWhole(parts, racing, fromList));
  if (chosen.failure === null) patience.shows(category, contracts);
  return chosen;
}

async function firstWhole(
  { isAll }: ListParts,
  byName: Promise<OrdersRead>,
  fromList: Promise<OrdersRead>,
): Promise<OrdersRead> {
  const first = await Promise.race([byName.then(because(SILENT)), fromList]);
  if (first.missing.length > 0) return fromList;
  if (first.failure === null || !isAll) return first;
  const whole = await within(LATE_MS, fromList);
  return whole === LATE ? first : whole;
}

const because = (failure: ExchangeFailure) => (read: OrdersRead) => ({ ...read, failure });

/** One of them that stays silent is missing, and keeps no other waiting. */
async function ordersByName(
  { client, patience }: ListParts,
  { category }: ListName,
  contracts: readonly string[],
): Promise<OrdersRead> {
  const alone = await eachAlone(contracts, async (symbol) => {
    const read = await patience.wait(
      readOrdersOf(client, { category, symbol }),
      ({ failure }) => failure === null,
      () => silentOrders([symbol]),
    );
    if (read.failure === null) patience.shows(category, [symbol]);
    return read;
  });
  return {
    orders: alone.flatMap((each) => each.orders),
    unreadable: alone.flatMap((each) => each.unreadable),
    failure: null,
    missing: alone.flatMap((each) => each.missing),
  };
}

function hearing(client: Client): { readonly client: Client; readonly anything: () => boolean } {
  let hasAnswered = false;
  const read: Client["read"] = async (request) => {
    const answer = await client.read(request);
    hasAnswered = true;
    return answer;
  };
  return { client: { ...client, read }, anything: () => hasAnswered };
}
