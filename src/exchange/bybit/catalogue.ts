/** The contracts that the exchange lists: their ticks, and the coins in which they settle. */
import type { Instrument } from "../../domain/instrument.js";
import type { Category } from "../../domain/position.js";
import type { Contract } from "../../domain/snapshot.js";
import { ExchangeFailure } from "../failure.js";
import { ALONE_WITHIN_MS, LATE_MS } from "./asking.js";
import type { Clock } from "./budget.js";
import type { Client } from "./client.js";
import { type ContractList, createContractList, INSTRUMENTS_PATH } from "./contract-list.js";
import { valueOf } from "./failures.js";
import { symbolIn } from "./fields.js";
import { pageOfRows } from "./schemas.js";
import { readInstrument } from "./translate.js";

export interface Listing {
  /** Of every row, whether or not the rest of it can be read. */
  readonly symbols: ReadonlySet<string>;
  /** Every coin that a contract is known to settle in. */
  readonly settleCoins: ReadonlySet<string>;
  /** Why there may be more of both; null: these are all. */
  readonly missing: string | null;
}

export interface Catalogue {
  /** Every listed contract of a category, as far as it is known: what is late counts for the next look. */
  list(category: Category): Promise<Listing>;
  /** The same, as far as it is known without waiting for anything. */
  shown(category: Category): Listing;
  /** One contract, also one that the lists do not show; null where the exchange knows none. @throws ExchangeFailure */
  find(contract: Contract): Promise<Instrument | null>;
  /**
   * Whether there is such a contract. False only where asking by name shows none and a complete list lacks it;
   * null: that cannot be told now.
   */
  knows(contract: Contract): Promise<boolean | null>;
  /** As it was last read, within the hour; null: not known without asking. */
  known(contract: Contract): Instrument | null;
  /** The next read asks the exchange again: ticks may have changed. */
  refresh(): void;
}

const ALONE_LIFETIME_MS = 60 * 60_000;
/**
 * Their lists are always part of the linear category: a listing that lacks some rows must not hide their positions
 * (docs/v5/position).
 */
export const DOCUMENTED_COINS: readonly string[] = ["USDC", "USDT"];

/** docs/v5/market/instrument: without a status only contracts in normal trading are listed. */
const EXTRA_STATUSES: Readonly<Record<Category, readonly string[]>> = {
  linear: ["PreLaunch", "Delivering"],
  inverse: [],
};

interface Shelf {
  readonly trading: ContractList;
  /** A contract that only these show is found by name as well. */
  readonly extras: readonly ContractList[];
  /** Contracts that were asked for by name. */
  readonly alone: Map<string, { readonly instrument: Instrument; readonly readAtMs: number }>;
  readonly asking: Map<string, Promise<Instrument | null>>;
}

export function createCatalogue(client: Client, clock: Clock): Catalogue {
  const shelves: Record<Category, Shelf> = { linear: emptyShelf("linear"), inverse: emptyShelf("inverse") };

  function emptyShelf(category: Category): Shelf {
    const trading = createContractList({ client, clock, category });
    const extras = EXTRA_STATUSES[category].map((status) => createContractList({ client, clock, category, status }));
    return { trading, extras, alone: new Map(), asking: new Map() };
  }

  async function list(category: Category): Promise<Listing> {
    const { trading, extras } = shelves[category];
    const extraWaits = extras.map((extra) => extra.ask());
    // Nothing is known before the first list but the documented coins.
    const isInTime = await trading.ask()(trading.isKnown() ? LATE_MS : ALONE_WITHIN_MS);
    await Promise.all(extraWaits.map((wait) => wait(isInTime ? LATE_MS : 0)));
    return listingOf(shelves[category]);
  }

  function knownAlone({ category, symbol }: Contract): Instrument | null {
    const alone = shelves[category].alone.get(symbol);
    return alone !== undefined && clock.monotonicMs() - alone.readAtMs < ALONE_LIFETIME_MS ? alone.instrument : null;
  }

  async function findListed({ category, symbol }: Contract): Promise<Instrument | null> {
    const shelf = shelves[category];
    // Asking by name is lighter as long as nobody needed the whole list.
    if (!shelf.trading.isKnown()) return null;
    if (!shelf.trading.isFresh()) await list(category);
    return listedIn(shelf, symbol);
  }

  function findAlone(contract: Contract): Promise<Instrument | null> {
    const { alone, asking } = shelves[contract.category];
    const { symbol } = contract;
    const ask = async (): Promise<Instrument | null> => {
      const instrument = await readOne(client, contract);
      if (instrument !== null) alone.set(symbol, { instrument, readAtMs: clock.monotonicMs() });
      return instrument;
    };
    const underWay = asking.get(symbol) ?? ask().finally(() => asking.delete(symbol));
    asking.set(symbol, underWay);
    return underWay;
  }

  return {
    list,
    shown: (category) => listingOf(shelves[category]),
    find: async (contract) => knownAlone(contract) ?? (await findListed(contract)) ?? findAlone(contract),
    knows: async (contract) => {
      const isNamed = await isFoundByName(client, contract);
      if (isNamed !== false) return isNamed;
      const { symbols, missing } = await list(contract.category);
      if (symbols.has(contract.symbol)) return true;
      return missing === null ? false : null;
    },
    known: (contract) => {
      const shelf = shelves[contract.category];
      return knownAlone(contract) ?? (shelf.trading.isFresh() ? listedIn(shelf, contract.symbol) : null);
    },
    refresh: () => {
      for (const { trading, extras, alone } of Object.values(shelves)) {
        for (const each of [trading, ...extras]) each.expire();
        alone.clear();
      }
    },
  };
}

function listingOf({ trading, extras }: Shelf): Listing {
  const all = [trading, ...extras];
  const isEmpty = trading.shown().instruments.size === 0;
  const lack = all.map((each) => each.lack()).find((why) => why !== null);
  return {
    symbols: new Set(all.flatMap((each) => [...each.shown().symbols])),
    settleCoins: new Set(all.flatMap((each) => [...each.shown().settleCoins])),
    missing: lack ?? (isEmpty ? "the exchange lists no contracts" : null),
  };
}

/** What an extra list showed long ago may be another thing by now. */
function listedIn({ trading, extras }: Shelf, symbol: string): Instrument | null {
  const sources = [trading, ...extras.filter((extra) => extra.isFresh())];
  return sources.map((each) => each.shown().instruments.get(symbol)).find((found) => found !== undefined) ?? null;
}

async function readOne(client: Client, contract: Contract): Promise<Instrument | null> {
  const rows = (await rowsOf(client, contract)).map((row) => readInstrument(contract.category, row));
  return rows.find((row) => row?.symbol === contract.symbol) ?? null;
}

async function rowsOf(client: Client, { category, symbol }: Contract): Promise<readonly unknown[]> {
  const params = { category, symbol };
  const path = INSTRUMENTS_PATH;
  const answer = await client.read({ method: "GET", path, params, limitClass: "market", schema: pageOfRows });
  return answer.result.list;
}

/** The exchange may answer for a name that it does not know with no row or with a refusal; null: neither of these. */
async function isFoundByName(client: Client, contract: Contract): Promise<boolean | null> {
  try {
    const rows = await rowsOf(client, contract);
    const row = rows.find((each) => symbolIn(each) === contract.symbol);
    // A contract that was delisted may still be shown by its name (docs/v5/enum, status).
    if (row !== undefined) return valueOf(row, "status") !== "Closed";
    return rows.length === 0 ? false : null;
  } catch (error) {
    if (!(error instanceof ExchangeFailure)) throw error;
    return error.facts.kind === "refused" && error.facts.cause === "other" ? false : null;
  }
}

/** Coins beside the documented ones that the contracts of the linear category name. */
export function furtherCoinsOf({ settleCoins }: Listing): readonly string[] {
  return [...settleCoins].filter((coin) => !DOCUMENTED_COINS.includes(coin)).sort();
}
