/** The simulated exchange's contracts: invented but realistic figures, and their instruments-info rows. */
import { type Decimal, Decimal as DecimalClass, dec, print } from "../../domain/decimal.js";
import type { Category } from "../../domain/position.js";

export type InstrumentStatus = "Trading" | "PreLaunch" | "Delivering" | "Closed";
export type AuctionPhase = "CallAuction" | "CallAuctionNoCancel" | "CrossMatching" | "ContinuousTrading";

export interface SimInstrument {
  readonly category: Category;
  readonly symbol: string;
  readonly contractType: "LinearPerpetual" | "LinearFutures" | "InversePerpetual" | "InverseFutures";
  status: InstrumentStatus;
  readonly baseCoin: string;
  readonly quoteCoin: string;
  readonly settleCoin: string;
  /** 0: no delivery. */
  deliveryTimeMs: number;
  tickSize: Decimal;
  readonly qtyStep: Decimal;
  readonly maxOrderQty: Decimal;
  readonly maxMktOrderQty: Decimal;
  readonly maxLeverage: Decimal;
  /** Null: an ordinary contract, or one that is past its pre-market. */
  auctionPhase: AuctionPhase | null;
  readonly startPrice: Decimal;
}

/** What a caller must say about a contract of their own; the rest is derived. */
export interface ExtraInstrument {
  readonly category?: Category;
  readonly symbol: string;
  readonly price: string;
  readonly tickSize: string;
  readonly qtyStep?: string;
  readonly settleCoin?: string;
  readonly status?: InstrumentStatus;
  readonly deliveryTimeMs?: number;
  readonly auctionPhase?: AuctionPhase;
}

/** base coin, price, tick, quantity step */
const USDT_PERPETUALS = `
BTC 64250.50 0.10 0.001|ETH 3120.42 0.01 0.01|SOL 148.330 0.010 0.1|XRP 0.5871 0.0001 0.1|DOGE 0.13252 0.00001 1
BNB 585.20 0.10 0.01|ADA 0.4412 0.0001 1|AVAX 28.145 0.005 0.1|LINK 13.982 0.001 0.1|DOT 6.1240 0.0010 0.1
LTC 73.89 0.01 0.1|BCH 381.35 0.05 0.01|TRX 0.12834 0.00001 1|NEAR 5.0210 0.0010 0.1|UNI 7.8320 0.0010 0.1
ATOM 6.4520 0.0010 0.1|ETC 23.1450 0.0050 0.1|FIL 4.3180 0.0010 0.1|APT 7.1205 0.0005 0.01|ARB 0.7023 0.0001 0.1
OP 1.7411 0.0001 0.1|SUI 0.85290 0.00010 10|INJ 24.8350 0.0050 0.1|TIA 6.0270 0.0010 0.1|SEI 0.38010 0.00010 1
AAVE 96.420 0.010 0.01|MKR 2462.10 0.10 0.001|RUNE 4.1130 0.0010 0.1|ALGO 0.1432 0.0001 0.1|ICP 8.4310 0.0010 0.1
HBAR 0.07021 0.00001 1|VET 0.026310 0.000010 1|GRT 0.18730 0.00010 0.1|SAND 0.31240 0.00010 1|MANA 0.32180 0.00010 0.1
AXS 6.0400 0.0050 0.1|GALA 0.023910 0.000010 1|CRV 0.3102 0.0001 0.1|LDO 1.6340 0.0010 0.1|SNX 1.8310 0.0010 0.1
COMP 47.210 0.010 0.01|DYDX 1.4120 0.0010 0.1|IMX 1.5201 0.0001 0.1|FTM 0.5121 0.0001 1|EOS 0.5320 0.0010 0.1
XLM 0.09512 0.00001 1|XTZ 0.7410 0.0010 0.1|THETA 1.4220 0.0010 0.1|KAVA 0.37120 0.00010 0.1|ZEC 28.4400 0.0100 0.01
DASH 26.310 0.010 0.01|WLD 2.1340 0.0001 0.1|BLUR 0.1823 0.0001 1|ORDI 35.4120 0.0010 0.01|JUP 0.8412 0.0001 1
PYTH 0.3142 0.0001 1|ENA 0.4211 0.0001 1|TON 7.1230 0.0001 0.1|NOT 0.014230 0.000001 1|WIF 1.9320 0.0001 0.1
1000PEPE 0.0098120 0.0000010 100|SHIB1000 0.017342 0.000001 10|1000BONK 0.0234500 0.0000010 100
1000FLOKI 0.147210 0.000010 1|10000SATS 0.00254120 0.00000010 100|GRIT 0.0400 0.0005 10`;
const USDC_PERPETUALS = `
BTC 64241.00 0.50 0.001|ETH 3119.95 0.05 0.01|SOL 148.320 0.005 0.1|XRP 0.5870 0.0001 0.1|DOGE 0.13250 0.00001 1`;
const INVERSE_PERPETUALS = `
BTC 64244.00 0.50 1|ETH 3120.10 0.05 1|SOL 148.310 0.010 1|XRP 0.5872 0.0001 1|EOS 0.5310 0.0010 1`;

/** All contracts of a fresh exchange; delivery times lie relative to `startedAtMs`. */
export function defaultInstruments(startedAtMs: number): SimInstrument[] {
  const dayMs = 86_400_000;
  return [
    ...parseTable(USDT_PERPETUALS).map((facts) => ({ ...facts, symbol: `${facts.coin}USDT` })),
    ...parseTable(USDC_PERPETUALS).map((facts) => ({ ...facts, symbol: `${facts.coin}PERP`, settleCoin: "USDC" })),
    ...parseTable(INVERSE_PERPETUALS).map((facts) => ({
      ...facts,
      symbol: `${facts.coin}USD`,
      category: "inverse" as const,
    })),
    { symbol: "NOVAUSDT", price: "1.2500", tickSize: "0.0001", status: "PreLaunch", auctionPhase: "CallAuction" },
    { symbol: "DAWNUSDT", price: "0.8100", tickSize: "0.0001", status: "PreLaunch", auctionPhase: "ContinuousTrading" },
    { symbol: "FADEUSDT", price: "0.0712", tickSize: "0.0001", status: "Delivering", deliveryTimeMs: startedAtMs },
    { symbol: "DUSKUSDT", price: "0.2134", tickSize: "0.0001", deliveryTimeMs: startedAtMs + 2 * dayMs },
  ].map((extra) => completeInstrument(extra as ExtraInstrument));
}

/** More contracts than anyone needs, for tests of paging and of large books. */
export function syntheticInstruments(count: number): SimInstrument[] {
  return Array.from({ length: count }, (_, index) =>
    completeInstrument({ symbol: `SYN${String(index).padStart(4, "0")}USDT`, price: "10.000", tickSize: "0.001" }),
  );
}

export function completeInstrument(extra: ExtraInstrument): SimInstrument {
  const category = extra.category ?? "linear";
  const { baseCoin, quoteCoin } = coinsOf(extra.symbol, category);
  const price = dec(extra.price);
  const lots = category === "inverse" ? dec("10000000") : roundLots(price);
  const dated = extra.symbol.includes("-");
  return {
    category,
    symbol: extra.symbol,
    contractType: `${category === "linear" ? "Linear" : "Inverse"}${dated ? "Futures" : "Perpetual"}`,
    status: extra.status ?? "Trading",
    baseCoin,
    quoteCoin,
    settleCoin: extra.settleCoin ?? (category === "inverse" ? baseCoin : quoteCoin),
    deliveryTimeMs: extra.deliveryTimeMs ?? 0,
    tickSize: dec(extra.tickSize),
    qtyStep: dec(extra.qtyStep ?? (category === "inverse" ? "1" : "0.1")),
    maxOrderQty: lots,
    maxMktOrderQty: lots.div(5),
    maxLeverage: dec("100"),
    auctionPhase: extra.auctionPhase ?? null,
    startPrice: price,
  };
}

/** The instruments-info row (docs/v5/market/instrument). */
export function instrumentRow(instrument: SimInstrument): Record<string, unknown> {
  const decimals = instrument.tickSize.decimalPlaces();
  const lots = instrument.qtyStep.decimalPlaces();
  const preListing = instrument.auctionPhase !== null;
  return {
    symbol: instrument.symbol,
    symbolId: [...instrument.symbol].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 100_000, 7),
    contractType: instrument.contractType,
    status: instrument.status,
    baseCoin: instrument.baseCoin,
    quoteCoin: instrument.quoteCoin,
    settleCoin: instrument.settleCoin,
    launchTime: "1585526400000",
    deliveryTime: String(instrument.deliveryTimeMs),
    deliveryFeeRate: "",
    priceScale: String(decimals),
    leverageFilter: { minLeverage: "1", maxLeverage: instrument.maxLeverage.toFixed(2), leverageStep: "0.01" },
    priceFilter: {
      minPrice: print(minPrice(instrument)),
      maxPrice: maxPrice(instrument).toFixed(decimals),
      tickSize: instrument.tickSize.toFixed(decimals),
    },
    lotSizeFilter: {
      maxOrderQty: instrument.maxOrderQty.toFixed(lots),
      minOrderQty: print(instrument.qtyStep),
      qtyStep: print(instrument.qtyStep),
      postOnlyMaxOrderQty: instrument.maxOrderQty.toFixed(lots),
      maxMktOrderQty: instrument.maxMktOrderQty.toFixed(lots),
      minNotionalValue: "5",
    },
    unifiedMarginTrade: true,
    fundingInterval: 480,
    copyTrading: instrument.settleCoin === "USDT" ? "both" : "none",
    upperFundingRate: "0.00375",
    lowerFundingRate: "-0.00375",
    displayName: "",
    isPreListing: preListing,
    preListingInfo: preListing ? { curAuctionPhase: instrument.auctionPhase, phases: [], auctionFeeInfo: {} } : null,
    riskParameters: { priceLimitRatioX: "0.01", priceLimitRatioY: "0.02" },
    symbolType: "",
  };
}

export const minPrice = (instrument: SimInstrument): Decimal => instrument.tickSize;
export const maxPrice = (instrument: SimInstrument): Decimal => instrument.tickSize.times("19999998");

/** During these phases no exits and no conditional orders exist (docs/v5/error, 110095 to 110099). */
export function inCallAuction(instrument: SimInstrument): boolean {
  return instrument.auctionPhase !== null && instrument.auctionPhase !== "ContinuousTrading";
}

interface TableRow {
  readonly coin: string;
  readonly price: string;
  readonly tickSize: string;
  readonly qtyStep: string;
}

function parseTable(table: string): TableRow[] {
  return table
    .trim()
    .split(/[\n|]/)
    .map((line) => {
      const [coin = "", price = "", tickSize = "", qtyStep = ""] = line.trim().split(" ");
      return { coin, price, tickSize, qtyStep };
    });
}

function coinsOf(symbol: string, category: Category): { baseCoin: string; quoteCoin: string } {
  const quoteCoin = category === "inverse" ? "USD" : symbol.includes("PERP") ? "USDC" : "USDT";
  const bare = symbol.replace(/-.*$/, "").replace(/(PERP|USDT|USDC|USD)$/, "");
  return { baseCoin: bare, quoteCoin };
}

/** About ten million quote units, as one power of ten: large enough never to be in a scenario's way. */
function roundLots(price: Decimal): Decimal {
  return new DecimalClass(10).pow(dec("10000000").div(price).log(10).floor());
}
