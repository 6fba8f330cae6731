/** The open positions of one list: whole, or contract by contract where it is void, stays silent or is strangely empty. */
import { keyText, type UnreadablePosition } from "../../domain/position.js";
import type { Contract } from "../../domain/snapshot.js";
import { ExchangeFailure } from "../failure.js";
import type { Client } from "./client.js";
import {
  eachAlone,
  isFlat,
  type ListName,
  nameParams,
  POSITIONS,
  positionsFrom,
  type PositionsRead,
  readPositionsOf,
  readRows,
  symbolsIn,
} from "./lists.js";
import type { PagedList } from "./paging.js";
import type { Patience } from "./patience.js";
import { readPosition } from "./translate.js";

const SILENT = new ExchangeFailure({ kind: "not-happened", cause: "timeout", endpoint: `GET ${POSITIONS.path}` });

const SHORT = new ExchangeFailure({
  kind: "not-happened",
  cause: "garbage",
  endpoint: `GET ${POSITIONS.path}`,
  retMsg: "the list of open positions lacks one that is open",
});

export interface ListParts {
  readonly account: string;
  readonly client: Client;
  readonly patience: Patience;
}

/** What stands for the positions of contracts whose reads did not come in time. */
export function silentPositions(missing: readonly string[]): PositionsRead {
  return { positions: [], flat: [], unreadable: [], failure: SILENT, missing, sawAnything: false };
}

/** `known`: contracts with a position when the list was read last; undefined: it never was. */
export async function readPositionList(
  parts: ListParts,
  list: ListName,
  known: readonly string[] | undefined,
): Promise<PositionsRead> {
  const positions = await readList(parts, list);
  if (positions.failure !== null || symbolsOf(positions).length > 0) return positions;
  // A single empty list proves nothing: it may come from a place that lags behind.
  if (known === undefined) return readList(parts, list);
  return known.length > 0 ? confirmEmpty(parts, list, { empty: positions, known }) : positions;
}

/** Contracts of which a row was read, open or not to be understood. */
export function symbolsOf(read: PositionsRead): readonly string[] {
  const open = read.positions.map((position) => position.key.symbol);
  const unread = read.unreadable.flatMap(({ symbol }) => (symbol === null ? [] : [symbol]));
  return [...new Set([...open, ...unread])];
}

/** A void list is replaced by looking at each contract that it showed. */
async function readList(parts: ListParts, list: ListName): Promise<PositionsRead> {
  const { account, client, patience } = parts;
  const { category } = list;
  const soFar: unknown[] = [];
  const read = await patience.wait<PagedList>(
    readRows(client, POSITIONS, nameParams(list), (rows) => void soFar.push(...rows)),
    ({ complete }) => complete,
    () => ({ complete: false, rows: [...soFar], failure: SILENT }),
  );
  if (read.complete) {
    patience.shows(category, symbolsIn(read.rows));
    return positionsFrom(
      read.rows.map((row) => readPosition(account, category, row)),
      list,
    );
  }
  const shown = new Set(symbolsIn(read.rows.filter((row) => !isFlat(row))));
  const alone = await eachAlone(symbolsIn(read.rows), async (symbol) => {
    const own = await readAlone(parts, { category, symbol });
    return shown.has(symbol) ? withOwnRow(own, { account, category, symbol }) : own;
  });
  return { ...joined(alone), failure: read.failure };
}

/** A list that is empty although positions were known is believed only after each of them was looked at. */
async function confirmEmpty(
  parts: ListParts,
  list: ListName,
  { empty, known }: { readonly empty: PositionsRead; readonly known: readonly string[] },
): Promise<PositionsRead> {
  const { category } = list;
  const alone = await eachAlone(known, (symbol) => readAlone(parts, { category, symbol }));
  const failure = alone.find((each) => each.failure !== null)?.failure ?? null;
  const named = { ...joined(alone), flat: [], failure, sawAnything: true };
  if (symbolsOf(named).length === 0) return failure === null ? empty : named;
  // It lacks what is open, and so perhaps others that nobody knows of.
  const again = await readList(parts, list);
  const { positions, unreadable } = besides(named, again);
  const lacks = positions.length + unreadable.length > 0;
  if (failure === null && again.failure === null && !lacks) return again;
  return {
    ...again,
    positions: [...again.positions, ...positions],
    unreadable: [...again.unreadable, ...unreadable],
    failure: again.failure ?? failure ?? SHORT,
    missing: [...again.missing, ...named.missing],
    sawAnything: true,
  };
}

/** The legs of the one that the other does not tell of. */
function besides(one: Omit<PositionsRead, "failure">, other: PositionsRead) {
  const legs = new Set([...other.positions.map(({ key }) => keyText(key)), ...other.unreadable.flatMap(legOf)]);
  const isUntold = (symbol: string | null) =>
    !other.unreadable.some((row) => row.symbol === symbol && row.positionIdx === null);
  return {
    positions: one.positions.filter(({ key }) => isUntold(key.symbol) && !legs.has(keyText(key))),
    unreadable: one.unreadable.filter((row) => isUntold(row.symbol) && !legOf(row).some((leg) => legs.has(leg))),
  };
}

/** None: its row does not say which. */
function legOf({ account, category, symbol, positionIdx }: UnreadablePosition): readonly string[] {
  return symbol === null || positionIdx === null ? [] : [keyText({ account, category, symbol, positionIdx })];
}

/** One contract that stays silent is missing, and keeps no other waiting. */
async function readAlone({ account, client, patience }: ListParts, contract: Contract): Promise<PositionsRead> {
  const read = await patience.wait(
    readPositionsOf(client, account, contract),
    ({ sawAnything }) => sawAnything,
    () => silentPositions([contract.symbol]),
  );
  if (read.sawAnything) patience.shows(contract.category, [contract.symbol]);
  return read;
}

/** A contract that a list has shown has a row of its own, open or flat: without one nothing is known of it. */
function withOwnRow(read: PositionsRead, contract: Contract & { readonly account: string }): PositionsRead {
  if (read.positions.length + read.flat.length + read.unreadable.length > 0) return read;
  const reason =
    read.failure === null
      ? "asked for by name, it has no row"
      : `a list that is void showed it; ${read.failure.message}`;
  return { ...read, unreadable: [{ ...contract, positionIdx: null, side: null, reason }] };
}

function joined(parts: readonly PositionsRead[]): Omit<PositionsRead, "failure"> {
  return {
    positions: parts.flatMap((part) => part.positions),
    flat: parts.flatMap((part) => part.flat),
    unreadable: parts.flatMap((part) => part.unreadable),
    missing: parts.flatMap((part) => part.missing),
    sawAnything: parts.some((part) => part.sawAnything),
  };
}
