/** The Reader: one snapshot of an account, or of some contracts, with every part that failed named as a gap. */
import type { Ticker } from "../../domain/instrument.js";
import { type Category, contractText, type MarginMode } from "../../domain/position.js";
import type { Contract, Gap, ReadScope, Snapshot } from "../../domain/snapshot.js";
import { ExchangeFailure } from "../failure.js";
import type { KeyInfo, Reader } from "../port.js";
import type { Clock } from "./budget.js";
import { type Catalogue, settleCoinsOf } from "./catalogue.js";
import type { Client } from "./client.js";
import { readBook, type Book, readContracts } from "./book.js";
import { countOptionPositions, type ListName } from "./lists.js";
import {
  type Found,
  gapsFor,
  readInstruments,
  readTickerPage,
  readTickers,
  reasonIn,
  type TickerPage,
} from "./market.js";
import { accountInfo, dcpInfo, keyInfo } from "./schemas.js";
import { marginModeOf, readKeyInfo } from "./translate.js";

export interface ReaderParts {
  readonly account: string;
  readonly categories: readonly Category[];
  readonly client: Client;
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  readonly progress: (text: string) => void;
}

interface AccountFacts {
  readonly marginMode: MarginMode | null;
  readonly copyTradingMaster: boolean | null;
  readonly disconnectProtection: boolean | null;
}

/** What earlier reads of the account showed; it only steers what is asked for, never what is believed. */
interface Memory {
  facts: AccountFacts | null;
  notCovered: readonly string[];
  /** Position and order requests that the last whole read took. */
  wholeReadCost: number | null;
  readonly symbolsByList: Map<string, readonly string[]>;
}

const UNKNOWN_FACTS = { marginMode: null, copyTradingMaster: null };
/** docs/v5/position: the coins that linear contracts are documented to settle in. */
const DOCUMENTED_COINS = ["USDC", "USDT"];

export function createReader(parts: ReaderParts): Reader {
  const memory: Memory = { facts: null, notCovered: [], wholeReadCost: null, symbolsByList: new Map() };
  return {
    account: parts.account,
    snapshot: (scope) => (scope === "account" ? readAccount(parts, memory) : readSome(parts, memory, eachOnce(scope))),
    keyInfo: () => readKey(parts.client),
    clockSkewMs: () => parts.client.measureSkewMs(),
  };
}

/** Both legs of a hedge are one contract; read twice, its positions and orders would count twice. */
function eachOnce(scope: readonly Contract[]): readonly Contract[] {
  return [...new Map(scope.map((contract) => [contractText(contract), contract])).values()];
}

/** Everything but the trading rules of the contracts, which are usually known already. */
interface WholeRead {
  readonly requestedAtMs: number;
  readonly book: Book;
  readonly tickers: Found<Ticker>;
  readonly gaps: readonly Gap[];
  readonly notCovered: readonly string[];
}

async function readAccount(parts: ReaderParts, memory: Memory): Promise<Snapshot> {
  const [read, facts, option] = await Promise.all([
    readAllLists(parts, memory),
    readFacts(parts.client),
    optionNote(parts.client),
  ]);
  memory.facts = facts;
  memory.notCovered = [...unconfigured(parts.categories), ...(option === null ? [] : [option]), "spot"];
  memory.wholeReadCost = read.book.cost;
  return finish(parts, "account", { ...read, notCovered: memory.notCovered }, facts);
}

/** Once more what may have changed within a pass: positions, orders and prices. */
async function readAccountAgain(parts: ReaderParts, memory: Memory, facts: AccountFacts): Promise<Snapshot> {
  const read = await readAllLists(parts, memory);
  memory.wholeReadCost = read.book.cost;
  return finish(parts, "account", { ...read, notCovered: memory.notCovered }, facts);
}

function unconfigured(categories: readonly Category[]): readonly string[] {
  const guardable: readonly Category[] = ["linear", "inverse"];
  return guardable
    .filter((category) => !categories.includes(category))
    .map((category) => `${category}: not configured`);
}

/** Prices are asked for as soon as the first position of their category is seen. */
async function readAllLists(parts: ReaderParts, memory: Memory): Promise<Omit<WholeRead, "notCovered">> {
  const { lists, gaps } = await planLists(parts);
  const tickerPages = new Map<Category, Promise<TickerPage>>();
  const requestedAtMs = parts.clock.now();
  const book = await readBook(parts, lists, {
    symbolsByList: memory.symbolsByList,
    onPositions: (category) => {
      if (!tickerPages.has(category)) tickerPages.set(category, readTickerPage(parts.client, category, null));
    },
  });
  const tickers = tickersFrom(await Promise.all(tickerPages.values()), contractsOf(book));
  return { requestedAtMs, book, gaps, tickers };
}

/** Contract by contract; or everything, and then said to be everything, where that takes fewer requests. */
async function readSome(parts: ReaderParts, memory: Memory, scope: readonly Contract[]): Promise<Snapshot> {
  const facts = memory.facts ?? (await readFacts(parts.client));
  memory.facts = facts;
  const wholeIsLighter = memory.wholeReadCost !== null && scope.length * 2 > memory.wholeReadCost;
  if (wholeIsLighter) return readAccountAgain(parts, memory, facts);
  const requestedAtMs = parts.clock.now();
  const [book, tickers] = await Promise.all([readContracts(parts, scope), readTickers(parts.client, scope)]);
  return finish(parts, scope, { requestedAtMs, book, tickers, gaps: [], notCovered: [] }, facts);
}

async function finish(parts: ReaderParts, scope: ReadScope, read: WholeRead, facts: AccountFacts): Promise<Snapshot> {
  const { book, tickers } = read;
  const held = contractsOf(book);
  const instruments = await readInstruments(parts.catalogue, scope === "account" ? held : scope);
  parts.progress(`${book.positions.length} positions, ${book.orders.length} open orders`);
  return {
    account: parts.account,
    scope,
    requestedAtMs: read.requestedAtMs,
    receivedAtMs: parts.clock.now(),
    gaps: [
      ...read.gaps,
      ...book.gaps,
      ...gapsFor("instruments", held, instruments),
      ...gapsFor("tickers", held, tickers),
    ],
    positions: book.positions,
    unreadablePositions: book.unreadablePositions,
    orders: book.orders,
    unreadableOrders: book.unreadableOrders,
    instruments: instruments.found,
    tickers: tickers.found,
    marginMode: facts.marginMode,
    copyTradingMaster: facts.copyTradingMaster,
    disconnectProtection: facts.disconnectProtection,
    notCovered: read.notCovered,
    clockSkewMs: parts.client.skewMs(),
  };
}

/** Which lists make up the account; settle coins come from the contracts themselves. */
async function planLists(parts: ReaderParts): Promise<{ lists: readonly ListName[]; gaps: readonly Gap[] }> {
  const lists: ListName[] = [];
  const gaps: Gap[] = [];
  await Promise.all(
    parts.categories.map(async (category) => {
      const listing = await parts.catalogue.list(category);
      if (category === "inverse") {
        lists.push({ category, settleCoin: null });
        return;
      }
      const coins = settleCoinsOf(listing);
      if (coins === null) {
        const why = listing.failure?.message ?? "the exchange lists no contracts";
        gaps.push({ category, what: "positions", reason: `only ${DOCUMENTED_COINS.join(" and ")} were read: ${why}` });
      }
      lists.push(...(coins ?? DOCUMENTED_COINS).map((settleCoin) => ({ category, settleCoin })));
    }),
  );
  return { lists, gaps };
}

function contractsOf(book: Book): readonly Contract[] {
  const contracts = new Map<string, Contract>();
  for (const { key } of book.positions)
    contracts.set(contractText(key), { category: key.category, symbol: key.symbol });
  for (const { category, symbol } of book.unreadablePositions) {
    if (symbol !== null) contracts.set(contractText({ category, symbol }), { category, symbol });
  }
  return [...contracts.values()];
}

function tickersFrom(pages: readonly TickerPage[], contracts: readonly Contract[]): Found<Ticker> {
  const wanted = new Set(contracts.map(contractText));
  const listed = pages.flatMap((page) => page.tickers).filter((ticker) => wanted.has(contractText(ticker)));
  return { found: new Map(listed.map((ticker) => [contractText(ticker), ticker])), reason: reasonIn(pages) };
}

async function readFacts(client: Client): Promise<AccountFacts> {
  const [info, disconnectProtection] = await Promise.all([readAccountInfo(client), readDisconnectProtection(client)]);
  return { ...info, disconnectProtection };
}

/** An account without it answers with an empty list, demo and older ones with an error: both are no gap. */
async function readDisconnectProtection(client: Client): Promise<boolean | null> {
  try {
    const { result } = await client.readOnce({
      method: "GET",
      path: "/v5/account/query-dcp-info",
      params: {},
      limitClass: "account",
      schema: dcpInfo,
    });
    return (result.dcpInfos ?? []).some(({ product, dcpStatus }) => product === "DERIVATIVES" && dcpStatus === "ON");
  } catch (error) {
    if (error instanceof ExchangeFailure) return null;
    throw error;
  }
}

/** Not knowing the margin mode is no gap: positions can be judged without it. */
async function readAccountInfo(client: Client): Promise<Omit<AccountFacts, "disconnectProtection">> {
  try {
    const { result } = await client.read({
      method: "GET",
      path: "/v5/account/info",
      params: {},
      limitClass: "account",
      schema: accountInfo,
    });
    return { marginMode: marginModeOf(result.marginMode), copyTradingMaster: result.isMasterTrader ?? null };
  } catch (error) {
    // A right that is lacking here may still be there for positions; a refused key is refused everywhere.
    if (error instanceof ExchangeFailure && error.facts.cause !== "key") return UNKNOWN_FACTS;
    throw error;
  }
}

/** Options are only counted: that they could not be read says nothing about what is guarded. */
async function optionNote(client: Client): Promise<string | null> {
  try {
    const count = await countOptionPositions(client);
    return count === 0 ? null : `option: ${count} ${count === 1 ? "position" : "positions"}`;
  } catch (error) {
    if (error instanceof ExchangeFailure) return "option: not read";
    throw error;
  }
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
