/** Contracts and prices for tests. */
import { dec } from "../../src/domain/decimal.js";
import type { Instrument, Ticker } from "../../src/domain/instrument.js";
import type { Position } from "../../src/domain/position.js";
import type { Market } from "../../src/policy/levels.js";
import { decimalOrNull } from "./position.js";

export interface InstrumentShape extends Partial<Omit<Instrument, "tickSize" | "maxMarketQuantity">> {
  readonly tick?: string;
  readonly largestMarketOrder?: string;
}

export function anInstrument({ tick, largestMarketOrder, ...overrides }: InstrumentShape = {}): Instrument {
  return {
    category: "linear",
    symbol: "BTCUSDT",
    baseCoin: "BTC",
    quoteCoin: "USDT",
    settleCoin: "USDT",
    status: "trading",
    deliveryAtMs: null,
    tickSize: dec(tick ?? "0.1"),
    minPrice: null,
    maxPrice: null,
    quantityStep: dec("0.001"),
    maxMarketQuantity: decimalOrNull(largestMarketOrder ?? null),
    preMarketPhase: null,
    ...overrides,
  };
}

export interface TickerShape extends Partial<Omit<Ticker, "markPrice" | "lastPrice" | "indexPrice">> {
  readonly mark?: string | null;
  /** As the mark, unless told. */
  readonly last?: string | null;
  readonly index?: string | null;
}

export function aTicker({ mark = "100", last = mark, index = mark, ...overrides }: TickerShape = {}): Ticker {
  return {
    category: "linear",
    symbol: "BTCUSDT",
    markPrice: decimalOrNull(mark),
    lastPrice: decimalOrNull(last),
    indexPrice: decimalOrNull(index),
    preMarketPhase: null,
    ...overrides,
  };
}

export interface MarketShape extends InstrumentShape {
  readonly mark?: string | null;
  readonly last?: string | null;
  readonly index?: string | null;
  readonly marginMode?: Market["marginMode"];
}

export function aMarket({ mark, last, index, marginMode = "isolated", ...instrument }: MarketShape = {}): Market {
  const ticker = {
    ...(mark === undefined ? {} : { mark }),
    ...(last === undefined ? {} : { last }),
    ...(index === undefined ? {} : { index }),
  };
  return { instrument: anInstrument(instrument), ticker: aTicker(ticker), marginMode };
}

/** The contract of a position as it usually is: base coin from its name, a tick of 0.1. */
export function instrumentFor({ key }: Position, overrides: InstrumentShape = {}): Instrument {
  const baseCoin = key.symbol.replace(/(USDT|USDC|PERP|USD)$/, "");
  const { category, symbol } = key;
  return anInstrument({ category, symbol, baseCoin, ...overrides });
}
