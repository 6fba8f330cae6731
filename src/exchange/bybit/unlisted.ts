/** Contracts that no list of open positions shows, and that may be open all the same: their own rows are read. */
import type { OpenOrder } from "../../domain/order.js";
import { type Category, contractText } from "../../domain/position.js";
import { type Contract, type FlatLeg, type Gap, isBlindFor } from "../../domain/snapshot.js";
import { ALONE_WITHIN_MS, inTime } from "./asking.js";
import { type Book, type BookParts, readContractsToo } from "./book.js";
import type { Catalogue } from "./catalogue.js";
import { type Client, patiently } from "./client.js";
import { type PositionsRead, readPositionsOf } from "./lists.js";
import { silentPositions } from "./position-list.js";

export interface UnlistedParts extends BookParts {
  readonly categories: readonly Category[];
  readonly catalogue: Pick<Catalogue, "knows">;
}

/** The lists, completed by contracts whose exits rest and by those of `remembered` whose own rows do not say flat. */
export async function readUnlisted(parts: UnlistedParts, listed: Book, remembered: readonly Contract[]): Promise<Book> {
  const omitted = omittedContracts(listed);
  const named = new Set([...contractsOf(listed), ...omitted].map(contractText));
  const isUnsure = (contract: Contract) =>
    parts.categories.includes(contract.category) &&
    !named.has(contractText(contract)) &&
    !listed.gaps.some((gap) => isBlindFor(gap, contract));
  const { client } = parts.patience;
  const asked = await Promise.all([
    // What rests may be all that is left of a position: one look, and the rest of it where that says so.
    askEach(parts, omitted, { client, mayBeGone: () => false }),
    // Most of these have closed while nobody watched: never before one that a stop waits for.
    askEach(parts, eachOnce(remembered).filter(isUnsure), { client: patiently(client), mayBeGone: isAnswered }),
  ]);
  const told = asked.flat();
  const open = told.flatMap(({ contract, says }) => (says === "open" ? [contract] : []));
  const book = await readContractsToo(parts, listed, open);
  return {
    ...book,
    flatLegs: [...book.flatLegs, ...told.flatMap(({ flatLegs }) => flatLegs)],
    gaps: [...book.gaps, ...told.flatMap(gapOf)],
  };
}

/** The exchange clears these orders when a position closes (docs/v5/position/trading-stop): a list without it may lag. */
function omittedContracts(book: Book): readonly Contract[] {
  const shown = new Set(contractsOf(book).map(contractText));
  // What cannot be read may be an exit.
  const unreadable = book.unreadableOrders.flatMap(({ category, symbol }) =>
    symbol === null ? [] : [{ category, symbol }],
  );
  const named = eachOnce([...book.orders.filter(belongsToPosition), ...unreadable]);
  return named.filter((contract) => !shown.has(contractText(contract)));
}

/** An entry order that rests says nothing of a position. */
function belongsToPosition({ kind, reducesOnly, closesOnTrigger }: OpenOrder): boolean {
  const isMadeForOne = kind !== "plain" && kind !== "conditional" && kind !== "exchange";
  return isMadeForOne || reducesOnly || closesOnTrigger !== false;
}

export function contractsOf(book: Pick<Book, "positions" | "unreadablePositions">): readonly Contract[] {
  const unreadable = book.unreadablePositions.flatMap(({ category, symbol }) =>
    symbol === null ? [] : [{ category, symbol }],
  );
  return eachOnce([...book.positions.map(({ key }) => key), ...unreadable]);
}

/** Both legs of a hedge are one contract; read twice, its positions and orders would count twice. */
export function eachOnce(contracts: readonly Contract[]): readonly Contract[] {
  return [
    ...new Map(
      contracts.map(({ category, symbol }) => [contractText({ category, symbol }), { category, symbol }]),
    ).values(),
  ];
}

interface Told {
  readonly contract: Contract;
  readonly says: "open" | "flat" | "nothing";
  readonly flatLegs: readonly FlatLeg[];
  readonly reason: string;
}

/** One request each. `mayBeGone`: after such an answer the exchange may say that there is no such contract any more. */
async function askEach(
  { account, patience, catalogue }: UnlistedParts,
  contracts: readonly Contract[],
  { client, mayBeGone }: { readonly client: Client; readonly mayBeGone: (read: PositionsRead) => boolean },
): Promise<readonly Told[]> {
  return Promise.all(
    contracts.map(async (contract) => {
      const read = await patience.wait(
        readPositionsOf(client, account, contract),
        ({ sawAnything }) => sawAnything,
        () => silentPositions([contract.symbol]),
      );
      const told = toldBy(contract, read);
      if (told.says !== "nothing" || !mayBeGone(read)) return told;
      // The exchange drops a contract once its positions are settled.
      const isKnown = await inTime(catalogue.knows(contract), null, ALONE_WITHIN_MS);
      return isKnown === false ? { ...told, says: "flat" as const } : told;
    }),
  );
}

function toldBy(contract: Contract, { positions, unreadable, flat, failure }: PositionsRead): Told {
  const isOpen = positions.length + unreadable.length > 0;
  const legs = new Set(flat.map(({ positionIdx }) => positionIdx));
  const isFlat = legs.has(0) || (legs.has(1) && legs.has(2));
  const says = isOpen ? "open" : isFlat ? "flat" : "nothing";
  const lack =
    legs.size === 0 ? "asked for by name, it has no row" : "asked for by name, only one of its legs has a row";
  const reason = failure?.message ?? lack;
  // Those of a contract with an open leg are told by the read that follows.
  return { contract, says, flatLegs: isOpen ? [] : flat, reason };
}

function isAnswered({ failure }: PositionsRead): boolean {
  return failure === null || failure.facts.kind === "refused";
}

function gapOf({ contract: { category, symbol }, says, reason }: Told): readonly Gap[] {
  return says === "nothing" ? [{ category, what: "positions", symbols: [symbol], reason }] : [];
}
