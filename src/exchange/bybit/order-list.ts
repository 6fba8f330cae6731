/** The open orders of one list: whole, or contract by contract where it is void or stays silent. */
import { LATE, within } from "../../runtime/within.js";
import { ExchangeFailure } from "../failure.js";
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

/**
 * `contracts`: those with a position. A void list is replaced by looking at each; one that is silent is raced by that,
 * and what comes first whole counts.
 */
export async function readOrderList(
  client: Client,
  patience: Patience,
  list: ListName,
  contracts: readonly string[],
): Promise<OrdersRead> {
  const byName = (failure: ExchangeFailure) => ordersByName(client, patience, list, contracts, failure);
  const heard = hearing(client);
  const reading = patience.wait(
    readRows(heard.client, ORDERS, { ...nameParams(list), openOnly: 0 }),
    ({ complete }) => complete,
    () => SILENT_LIST,
  );
  const isLate = (await within(patience.namedAfterMs(contracts.length), reading)) === LATE;
  const racing = isLate && !heard.anything() && contracts.length > 0 ? byName(SILENT) : null;
  const fromList = reading.then((read) => {
    if (read.complete) return ordersFrom(list.category, read.rows);
    return racing ?? byName(read.failure);
  });
  const first = await Promise.race(racing === null ? [fromList] : [racing, fromList]);
  return first.missing.length === 0 ? first : fromList;
}

/** One of them that stays silent is missing, and keeps no other waiting. */
async function ordersByName(
  client: Client,
  patience: Patience,
  { category }: ListName,
  contracts: readonly string[],
  failure: ExchangeFailure,
): Promise<OrdersRead> {
  const alone = await eachAlone(contracts, (symbol) =>
    patience.wait(
      readOrdersOf(client, { category, symbol }),
      (read) => read.failure === null,
      () => silentOrders([symbol]),
    ),
  );
  return {
    orders: alone.flatMap((each) => each.orders),
    unreadable: alone.flatMap((each) => each.unreadable),
    failure,
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
