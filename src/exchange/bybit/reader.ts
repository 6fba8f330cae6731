/** The Reader: one snapshot of an account, or of some contracts, with every part that failed named as a gap. */
import type { Ticker } from "../../domain/instrument.js";
import { type Category, contractText } from "../../domain/position.js";
import type { Contract, Gap, ReadScope, Snapshot } from "../../domain/snapshot.js";
import type { KeyInfo, Reader } from "../port.js";
import { type AccountFacts, createFactKeeper, type FactKeeper, factGaps } from "./account-facts.js";
import { inTime, LATE_MS } from "./asking.js";
import type { SteadyClock } from "./budget.js";
import { type Catalogue, DOCUMENTED_COINS, furtherCoinsOf, type Listing } from "./catalogue.js";
import { type Client, patiently } from "./client.js";
import { type Book, type ListPlan, type OrderLists, readBook, readContracts, readContractsToo } from "./book.js";
import {
  type Found,
  gapsFor,
  LATE_PAGE,
  priceGaps,
  readInstruments,
  readTickerPage,
  readTickers,
  reasonIn,
  type TickerPage,
} from "./market.js";
import { Pace } from "./pace.js";
import { contractsOf, eachOnce, readUnlisted } from "./unlisted.js";
import { HASTY_MS, Patience, UNHURRIED_MS } from "./patience.js";
import { keyInfo } from "./schemas.js";
import { readKeyInfo } from "./translate.js";

export interface ReaderParts {
  readonly account: string;
  readonly categories: readonly Category[];
  readonly client: Client;
  readonly catalogue: Catalogue;
  readonly clock: SteadyClock;
  readonly progress: (text: string) => void;
  readonly orderLists: OrderLists;
}

/** What earlier reads of the account showed; it steers what is asked for. Believed is only what the account last said of itself. */
interface Cache {
  readonly facts: FactKeeper;
  /** Position and order requests that the last whole read took; null where something stayed silent: it is not light. */
  wholeReadCost: number | null;
  readonly symbolsByList: Map<string, readonly string[]>;
}

export function createReader(parts: ReaderParts): Reader {
  const cache: Cache = { facts: createFactKeeper(parts.client), wholeReadCost: null, symbolsByList: new Map() };
  const pace = new Pace(parts.clock);
  return {
    account: parts.account,
    snapshot: async (scope, manner = "prompt", remembered = []) => {
      const client = manner === "patient" ? patiently(parts.client) : parts.client;
      const isHasty = manner === "hasty";
      const silentMs = isHasty ? HASTY_MS : UNHURRIED_MS;
      const patience = new Patience({ client, clock: parts.clock, pace, silentMs });
      const rowsSuffice = manner === "for-a-write";
      const asking = { ...parts, client, patience, isHasty, rowsSuffice, remembered };
      try {
        return await (scope === "account" ? readAccount(asking, cache) : readSome(asking, cache, eachOnce(scope)));
      } finally {
        patience.end();
      }
    },
    knows: (contract) => parts.catalogue.knows(contract),
    keyInfo: () => readKey(parts.client),
    clockSkewMs: () => parts.client.measureSkewMs(),
  };
}

/** One look. */
interface Asking extends ReaderParts {
  readonly patience: Patience;
  readonly isHasty: boolean;
  readonly rowsSuffice: boolean;
  /** What the lists are held against, should they be read. */
  readonly remembered: readonly Contract[];
}

/** The rows, and what comes after them no later than is worth waiting for. */
interface RowRead {
  readonly requestedAtMs: number;
  readonly book: Book;
  readonly gaps: readonly Gap[];
  readonly tickers: (book: Book) => Promise<Found<Ticker>>;
}

async function readAccount(parts: Asking, cache: Cache): Promise<Snapshot> {
  const facts = cache.facts.ask("all");
  const read = await readAllLists(parts, cache);
  return finish(parts, "account", read, () => facts(LATE_MS, !parts.isHasty));
}

/** Once more what may have changed within a pass; contracts asked for by name that it does not show are asked alone. */
async function readAccountAgain(parts: Asking, cache: Cache, named: readonly Contract[]): Promise<Snapshot> {
  const read = await readAllLists(parts, cache);
  const shown = new Set(contractsOf(read.book).map(contractText));
  const missing = named.filter((contract) => !shown.has(contractText(contract)));
  const book = await readContractsToo(parts, read.book, missing);
  return finish(parts, "account", { ...read, book }, () => Promise.resolve(cache.facts.known()));
}

function notCovered(categories: readonly Category[], { optionNote }: AccountFacts): readonly string[] {
  const guardable: readonly Category[] = ["linear", "inverse"];
  const unconfigured = guardable.filter((category) => !categories.includes(category));
  const options = optionNote === null ? [] : [optionNote];
  return [...unconfigured.map((category) => `${category}: not configured`), ...options, "spot"];
}

/** Prices are asked for as soon as the first row of their category is seen that needs them. */
async function readAllLists(parts: Asking, cache: Cache): Promise<RowRead> {
  const tickerPages = new Map<Category, Promise<TickerPage>>();
  const requestedAtMs = parts.clock.steadyMs();
  const plan = planLists(parts);
  const onRows = (category: Category): void => {
    if (!tickerPages.has(category))
      tickerPages.set(category, readTickerPage(parts.patience.beside(parts.client), category, null));
  };
  const readLists = async (doubtful: readonly Contract[]): Promise<Listed> => {
    const listed = await readBook(parts, plan, { symbolsByList: cache.symbolsByList, onRows });
    const book = await readUnlisted(parts, listed, doubtful);
    for (const { category } of contractsOf(book)) onRows(category);
    return { book, lacking: openBesides(listed, book) };
  };
  const first = await readLists(parts.remembered);
  const isFlat = ({ category, symbol }: Contract) =>
    first.book.flatLegs.some((leg) => leg.category === category && leg.symbol === symbol);
  // One that opened between the two lists is in both by now.
  const { book, lacking } =
    first.lacking.length === 0 ? first : await readLists(parts.remembered.filter((contract) => !isFlat(contract)));
  cache.wholeReadCost = book.gaps.length > 0 || parts.patience.wentOn() ? null : book.cost;
  const tickers = async (all: Book): Promise<Found<Ticker>> => {
    const pages = await Promise.all([...tickerPages.values()].map((page) => inTime(page, LATE_PAGE)));
    return tickersFrom(pages, [...contractsOf(all), ...entryContracts(parts, all)]);
  };
  const unread = await plan.gaps;
  const gaps = [...unread, ...lacking.map(shortList)];
  return { requestedAtMs, book: { ...book, allOrders: book.allOrders && unread.length === 0 }, gaps, tickers };
}

interface Listed {
  readonly book: Book;
  /** Open, as their own rows say, and missing from the list of open positions, which may lack others as well. */
  readonly lacking: readonly Contract[];
}

function openBesides(listed: Book, book: Book): readonly Contract[] {
  const shown = new Set(contractsOf(listed).map(contractText));
  return eachOnce(book.positions.map(({ key }) => key)).filter((contract) => !shown.has(contractText(contract)));
}

function shortList({ category, symbol }: Contract): Gap {
  return { category, what: "positions", reason: `the list of open positions lacks ${symbol}, which is open` };
}

/** Contract by contract; or everything, and then said to be everything, where that takes fewer requests. */
async function readSome(parts: Asking, cache: Cache, scope: readonly Contract[]): Promise<Snapshot> {
  const { facts, wholeReadCost } = cache;
  const wholeIsLighter = wholeReadCost !== null && scope.length > 1 && scope.length * 2 > wholeReadCost;
  if (wholeIsLighter) return readAccountAgain(parts, cache, scope);
  // What a write waits for is its row alone: whether it may leave was told before.
  const isTold = facts.isKnown() || parts.rowsSuffice;
  const told = isTold ? () => Promise.resolve(facts.known()) : facts.ask("without-options");
  const requestedAtMs = parts.clock.steadyMs();
  const prices = readTickers(parts.patience.beside(parts.client), scope);
  // Their prices come from elsewhere: what does not answer beside them is silent by itself.
  if (parts.isHasty) void prices.then(({ found }) => found.size > 0 && parts.patience.hears());
  const book = await readContracts(parts, scope);
  const tickers = () => inTime(prices, { found: new Map<string, Ticker>(), reason: reasonIn([LATE_PAGE]) });
  // Where nothing else is asked for, what the account says of itself is worth any wait.
  return finish(parts, scope, { requestedAtMs, book, tickers, gaps: [] }, scope.length > 0 ? told : () => told(ANY_MS));
}

/** Longer than three tries take. */
const ANY_MS = 60_000;

async function finish(
  parts: Asking,
  scope: ReadScope,
  read: RowRead,
  told: () => Promise<AccountFacts>,
): Promise<Snapshot> {
  const { book } = read;
  const receivedAtMs = parts.clock.steadyMs();
  const held = contractsOf(book);
  const needed = scope === "account" ? [...held, ...entryContracts(parts, book)] : scope;
  const [instruments, tickers, facts] = await Promise.all([
    readInstruments(parts.catalogue, needed),
    read.tickers(book),
    told(),
  ]);
  parts.progress(`${book.positions.length} positions, ${book.orders.length} open orders`);
  const rowGaps = [...read.gaps, ...book.gaps];
  return {
    account: parts.account,
    scope,
    requestedAtMs: read.requestedAtMs,
    receivedAtMs,
    flatLegs: book.flatLegs,
    gaps: [
      ...(scope === "account" ? factGaps(facts) : []),
      ...rowGaps,
      ...gapsFor("instruments", held, instruments),
      ...gapsFor("tickers", held, tickers),
      ...priceGaps(book, tickers),
    ],
    positions: book.positions,
    unreadablePositions: book.unreadablePositions,
    orders: book.orders,
    unreadableOrders: book.unreadableOrders,
    allOrders: book.allOrders,
    instruments: instruments.found,
    tickers: tickers.found,
    marginMode: facts.marginMode,
    copyTradingMaster: facts.copyTradingMaster,
    disconnectProtection: facts.disconnectProtection,
    notCovered: scope === "account" ? notCovered(parts.categories, facts) : [],
    clockSkewMs: parts.client.skewMs(),
    wentOnWithout: parts.isHasty && parts.patience.wentOn() && rowGaps.length > 0,
    shownAtMs: parts.patience.shownAtMs(),
  };
}

/** Which lists make up the account; settle coins beside the documented ones come from the contracts themselves. */
function planLists({ categories, catalogue, patience }: Asking): ListPlan & { readonly gaps: Promise<readonly Gap[]> } {
  const listed = Promise.all(
    categories.map(async (category) => {
      const listing = catalogue.list(category);
      const shown = () => catalogue.shown(category);
      return { category, listing: await patience.wait<Listing>(listing, () => false, shown) };
    }),
  );
  const linear = listed.then((all) => all.filter(({ category }) => category === "linear"));
  return {
    lists: categories.flatMap((category) =>
      (category === "inverse" ? [null] : DOCUMENTED_COINS).map((settleCoin) => ({ category, settleCoin })),
    ),
    further: linear.then((all) =>
      all.flatMap(({ category, listing }) => furtherCoinsOf(listing).map((settleCoin) => ({ category, settleCoin }))),
    ),
    gaps: linear.then((all) =>
      all.flatMap(({ category, listing: { missing } }) =>
        missing === null
          ? []
          : [{ category, what: "positions", reason: `coins other than USDC and USDT were not read: ${missing}` }],
      ),
    ),
  };
}

/** Contracts with an order and no position: nothing is amiss where their rules or prices cannot be had. */
function entryContracts({ orderLists }: ReaderParts, book: Book): readonly Contract[] {
  if (orderLists === "of-positions") return [];
  const held = new Set(contractsOf(book).map(contractText));
  return eachOnce(book.orders.map(({ category, symbol }) => ({ category, symbol }))).filter(
    (contract) => !held.has(contractText(contract)),
  );
}

function tickersFrom(pages: readonly TickerPage[], contracts: readonly Contract[]): Found<Ticker> {
  const wanted = new Set(contracts.map(contractText));
  const listed = pages.flatMap((page) => page.tickers).filter((ticker) => wanted.has(contractText(ticker)));
  return { found: new Map(listed.map((ticker) => [contractText(ticker), ticker])), reason: reasonIn(pages) };
}

async function readKey(client: Client): Promise<KeyInfo> {
  const { result } = await client.read({
    method: "GET",
    path: "/v5/user/query-api",
    params: {},
    limitClass: "account",
    schema: keyInfo,
  });
  return readKeyInfo(result);
}
