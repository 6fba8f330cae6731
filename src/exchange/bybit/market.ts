/** Prices and trading rules for contracts in question; what cannot be had becomes a gap that names them. */
import { type Instrument, type Ticker, triggerBase } from "../../domain/instrument.js";
import { type Category, contractText, type TriggerBy } from "../../domain/position.js";
import type { Contract, Gap } from "../../domain/snapshot.js";
import { ExchangeFailure } from "../failure.js";
import { inTime } from "./asking.js";
import type { Book } from "./book.js";
import type { Catalogue } from "./catalogue.js";
import type { Client } from "./client.js";
import { pageOfRows } from "./schemas.js";
import { readTicker } from "./translate.js";

export interface Found<T> {
  /** By `contractText`. */
  readonly found: ReadonlyMap<string, T>;
  /** Why something is lacking, should that be so. */
  readonly reason: string;
}

/** One request shows a whole category; for so few contracts single requests are lighter. */
const FEW = 3;

/** @throws nothing of the exchange's: a failure becomes a gap. */
export async function readTickers(client: Client, contracts: readonly Contract[]): Promise<Found<Ticker>> {
  const reads = perCategory(contracts).flatMap(([category, symbols]) =>
    symbols.length > FEW
      ? [readTickerPage(client, category, null)]
      : symbols.map((symbol) => readTickerPage(client, category, symbol)),
  );
  const pages = await Promise.all(reads);
  const found = new Map(pages.flatMap((page) => page.tickers.map((ticker) => [contractText(ticker), ticker] as const)));
  return { found, reason: reasonIn(pages) };
}

export const LATE_PAGE: TickerPage = {
  tickers: [],
  failure: new ExchangeFailure({ kind: "not-happened", cause: "timeout", endpoint: "GET /v5/market/tickers" }),
};

const LATE_INSTRUMENT = new ExchangeFailure({
  kind: "not-happened",
  cause: "timeout",
  endpoint: "GET /v5/market/instruments-info",
});

export function reasonIn(pages: readonly TickerPage[]): string {
  const failure = pages.find((page) => page.failure !== null)?.failure;
  return failure?.message ?? "the exchange lists no prices for it";
}

export interface TickerPage {
  readonly tickers: readonly Ticker[];
  readonly failure: ExchangeFailure | null;
}

/** `symbol` null: the whole category. */
export async function readTickerPage(client: Client, category: Category, symbol: string | null): Promise<TickerPage> {
  const params = symbol === null ? { category } : { category, symbol };
  try {
    const { result } = await client.read({
      method: "GET",
      path: "/v5/market/tickers",
      params,
      limitClass: "market",
      schema: pageOfRows,
    });
    return {
      tickers: result.list.map((row) => readTicker(category, row)).filter((row) => row !== null),
      failure: null,
    };
  } catch (error) {
    if (error instanceof ExchangeFailure) return { tickers: [], failure: error };
    throw error;
  }
}

/** Contracts that the lists do not show are asked for by name; one that is late must not keep the others waiting. */
export async function readInstruments(
  catalogue: Catalogue,
  contracts: readonly Contract[],
): Promise<Found<Instrument>> {
  const reasons: string[] = [];
  const reads = await Promise.all(
    contracts.map(async (contract) => {
      try {
        const found = await inTime<Instrument | null | ExchangeFailure>(catalogue.find(contract), LATE_INSTRUMENT);
        if (found instanceof ExchangeFailure) throw found;
        return found;
      } catch (error) {
        if (!(error instanceof ExchangeFailure)) throw error;
        reasons.push(error.message);
        return null;
      }
    }),
  );
  const found = new Map(reads.flatMap((each) => (each === null ? [] : [[contractText(each), each] as const])));
  return { found, reason: reasons[0] ?? "the exchange does not list it" };
}

/** A ticker without the price that a stop waits for: whether that price has passed the stop cannot be told. */
export function priceGaps(
  { positions, orders }: Pick<Book, "positions" | "orders">,
  tickers: Found<Ticker>,
): readonly Gap[] {
  return positions.flatMap(({ key: { category, symbol }, markPrice }) => {
    const ticker = tickers.found.get(contractText({ category, symbol }));
    if (ticker === undefined) return [];
    const waiting = orders.filter(
      (order) => order.category === category && order.symbol === symbol && order.state === "waiting",
    );
    const needed = new Set<TriggerBy>(["MarkPrice", ...waiting.flatMap(({ triggerBy }) => triggerBy ?? [])]);
    const isLacking = (by: TriggerBy) => triggerBase(ticker, by) === null && (by !== "MarkPrice" || markPrice === null);
    const [lacking] = [...needed].filter(isLacking);
    const reason = `the exchange states no current ${lacking ?? ""}`;
    return lacking === undefined ? [] : [{ category, what: "tickers" as const, symbols: [symbol], reason }];
  });
}

/** One gap per category, naming the contracts that were needed and not found. */
export function gapsFor(
  what: Gap["what"],
  contracts: readonly Contract[],
  { found, reason }: Found<unknown>,
): readonly Gap[] {
  const lacking = contracts.filter((contract) => !found.has(contractText(contract)));
  return perCategory(lacking).map(([category, symbols]) => ({ category, what, symbols, reason }));
}

function perCategory(contracts: readonly Contract[]): readonly (readonly [Category, readonly string[]])[] {
  const categories = new Set(contracts.map((contract) => contract.category));
  return [...categories].map((category) => {
    const own = contracts.filter((contract) => contract.category === category);
    return [category, own.map((contract) => contract.symbol)] as const;
  });
}
