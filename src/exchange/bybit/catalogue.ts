/** The contracts that the exchange lists, kept for an hour: their ticks, and the coins in which they settle. */
import type { Instrument } from "../../domain/instrument.js";
import type { Category } from "../../domain/position.js";
import type { Contract } from "../../domain/snapshot.js";
import { ExchangeFailure } from "../failure.js";
import type { Clock } from "./budget.js";
import type { Client } from "./client.js";
import { valueOf } from "./failures.js";
import { symbolIn } from "./fields.js";
import { pageOfRows } from "./schemas.js";
import { type PagedList, readPages, symbolRowKey } from "./paging.js";
import { readInstrument } from "./translate.js";

export interface Listing {
  /** By symbol. */
  readonly instruments: ReadonlyMap<string, Instrument>;
  /** Of every row, whether or not the rest of it can be read. */
  readonly symbols: ReadonlySet<string>;
  /** Every coin that a contract names as the one it settles in, whether or not the rest of its row can be read. */
  readonly settleCoins: ReadonlySet<string>;
  /** Why there may be more of them; null: these are all. */
  readonly missingCoins: string | null;
  /** Why the list could not be read; then it holds nothing, or what an earlier read showed. */
  readonly failure: ExchangeFailure | null;
}

export interface Catalogue {
  /** Every listed contract of a category; one request series at a time, kept for an hour. */
  list(category: Category): Promise<Listing>;
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

const PATH = "/v5/market/instruments-info";
const LIFETIME_MS = 60 * 60_000;
const DOCUMENTED_COINS = ["USDC", "USDT"];
const PAGE_LIMIT = 1_000;

/** docs/v5/market/instrument: without a status only contracts in normal trading are listed. */
const STATUSES: Readonly<Record<Category, readonly (string | undefined)[]>> = {
  linear: [undefined, "PreLaunch", "Delivering"],
  inverse: [undefined],
};

interface Shelf extends Coins {
  instruments: ReadonlyMap<string, Instrument>;
  symbols: ReadonlySet<string>;
  loadedAtMs: number;
  loading: Promise<Listing> | null;
  /** Contracts that were asked for by name. */
  readonly alone: Map<string, { readonly instrument: Instrument; readonly readAtMs: number }>;
}

interface Coins {
  settleCoins: ReadonlySet<string>;
  missingCoins: string | null;
}

export function createCatalogue(client: Client, clock: Clock): Catalogue {
  const shelves: Record<Category, Shelf> = { linear: emptyShelf(), inverse: emptyShelf() };

  async function load(category: Category): Promise<Listing> {
    const shelf = shelves[category];
    const [trading, ...others] = await Promise.all(
      STATUSES[category].map((status) => readList(client, category, status)),
    );
    if (trading === undefined || !trading.complete) {
      return listingOf(shelf, trading?.failure ?? null);
    }
    // Contracts that only the other lists show are found by name when a position is in them.
    const rows = [...others.flatMap((other) => (other.complete ? other.rows : [])), ...trading.rows];
    shelf.instruments = new Map(rows.flatMap((row) => entryOf(readInstrument(category, row))));
    shelf.symbols = new Set(rows.map(symbolIn).filter((symbol) => symbol !== null));
    Object.assign(shelf, coinsIn(rows, others));
    shelf.loadedAtMs = clock.monotonicMs();
    return listingOf(shelf, null);
  }

  const isFresh = (readAtMs: number): boolean => clock.monotonicMs() - readAtMs < LIFETIME_MS;

  function list(category: Category): Promise<Listing> {
    const shelf = shelves[category];
    if (isFresh(shelf.loadedAtMs) && shelf.missingCoins === null) return Promise.resolve(listingOf(shelf, null));
    shelf.loading ??= load(category).finally(() => {
      shelf.loading = null;
    });
    return shelf.loading;
  }

  return {
    list,
    find: async ({ category, symbol }) => {
      const shelf = shelves[category];
      const alone = shelf.alone.get(symbol);
      if (alone !== undefined && isFresh(alone.readAtMs)) return alone.instrument;
      // Asking by name is lighter as long as nobody needed the whole list.
      const listed = shelf.instruments.size === 0 ? undefined : (await list(category)).instruments.get(symbol);
      if (listed !== undefined) return listed;
      const instrument = await readOne(client, { category, symbol });
      if (instrument !== null) shelf.alone.set(symbol, { instrument, readAtMs: clock.monotonicMs() });
      return instrument;
    },
    knows: async (contract) => {
      const isNamed = await isFoundByName(client, contract);
      if (isNamed !== false) return isNamed;
      const { symbols, missingCoins, failure } = await list(contract.category);
      if (symbols.has(contract.symbol)) return true;
      return failure === null && missingCoins === null && symbols.size > 0 ? false : null;
    },
    known: ({ category, symbol }) => {
      const shelf = shelves[category];
      const alone = shelf.alone.get(symbol);
      if (alone !== undefined && isFresh(alone.readAtMs)) return alone.instrument;
      return isFresh(shelf.loadedAtMs) ? (shelf.instruments.get(symbol) ?? null) : null;
    },
    refresh: () => {
      for (const shelf of Object.values(shelves)) {
        shelf.loadedAtMs = Number.NEGATIVE_INFINITY;
        shelf.alone.clear();
      }
    },
  };
}

function emptyShelf(): Shelf {
  const coins = { settleCoins: new Set<string>(), missingCoins: null };
  const nothing = { instruments: new Map<string, Instrument>(), symbols: new Set<string>(), ...coins };
  return { ...nothing, loadedAtMs: Number.NEGATIVE_INFINITY, loading: null, alone: new Map() };
}

function listingOf(shelf: Shelf, failure: ExchangeFailure | null): Listing {
  const { instruments, symbols, settleCoins, missingCoins } = shelf;
  return { instruments, symbols, settleCoins, missingCoins, failure };
}

/** A list that the exchange refuses holds nothing; one that it failed to give may hold a coin of its own. */
function coinsIn(rows: readonly unknown[], others: readonly PagedList[]): Coins {
  const failed = others.find((other) => !other.complete && other.failure.facts.kind !== "refused");
  const coins = rows.map((row) => valueOf(row, "settleCoin"));
  const isNamed = (coin: unknown): coin is string => typeof coin === "string" && coin !== "";
  const nameless = coins.every(isNamed) ? null : "a contract does not say in which coin it settles";
  const failure = failed === undefined || failed.complete ? null : failed.failure.message;
  return { settleCoins: new Set(coins.filter(isNamed)), missingCoins: failure ?? nameless };
}

function entryOf(instrument: Instrument | null): readonly (readonly [string, Instrument])[] {
  return instrument === null ? [] : [[instrument.symbol, instrument]];
}

function readList(client: Client, category: Category, status: string | undefined): Promise<PagedList> {
  return readPages({
    endpoint: `GET ${PATH}`,
    limit: PAGE_LIMIT,
    keyOf: symbolRowKey,
    fetchPage: async (cursor) => {
      const answer = await client.read({
        method: "GET",
        path: PATH,
        params: {
          category,
          limit: PAGE_LIMIT,
          ...(status === undefined ? {} : { status }),
          ...(cursor === undefined ? {} : { cursor }),
        },
        limitClass: "market",
        schema: pageOfRows,
      });
      return { rows: answer.result.list, nextCursor: answer.result.nextPageCursor ?? "" };
    },
  });
}

async function readOne(client: Client, contract: Contract): Promise<Instrument | null> {
  const rows = (await rowsOf(client, contract)).map((row) => readInstrument(contract.category, row));
  return rows.find((row) => row?.symbol === contract.symbol) ?? null;
}

async function rowsOf(client: Client, { category, symbol }: Contract): Promise<readonly unknown[]> {
  const params = { category, symbol };
  const answer = await client.read({ method: "GET", path: PATH, params, limitClass: "market", schema: pageOfRows });
  return answer.result.list;
}

/** The exchange may answer for a name that it does not know with no row or with a refusal; null: neither of these. */
async function isFoundByName(client: Client, contract: Contract): Promise<boolean | null> {
  try {
    const rows = await rowsOf(client, contract);
    if (rows.some((row) => symbolIn(row) === contract.symbol)) return true;
    return rows.length === 0 ? false : null;
  } catch (error) {
    if (!(error instanceof ExchangeFailure)) throw error;
    return error.facts.kind === "refused" && error.facts.cause === "other" ? false : null;
  }
}

/**
 * The coins whose position lists make up the linear category: those that the contracts name, and always the documented
 * ones, because a listing that lacks some rows must not hide their positions (docs/v5/position).
 */
export function settleCoinsOf({ settleCoins }: Listing): readonly string[] {
  return [...new Set([...settleCoins, ...DOCUMENTED_COINS])].sort();
}
