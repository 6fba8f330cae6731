/** Public market data: server time, instruments and tickers (docs/v5/market). */
import { priceText } from "./formats.js";
import { type InstrumentStatus, type SimInstrument, inCallAuction, instrumentRow } from "./instruments.js";
import { pageOf } from "./paging.js";
import { type Params, limitOf, oneOf, requiredText, textOf } from "./parameters.js";
import { mutate } from "./rows.js";
import { type Row, type World, instrumentOf, pricesOf } from "./world.js";

export function serverTime(world: World): Row {
  const ms = world.now();
  return { timeSecond: String(Math.floor(ms / 1000)), timeNano: `${ms}000000` };
}

/** Without `status` only Trading contracts are listed; a symbol is found in any status. */
export function listInstruments(world: World, params: Params): Row {
  const category = requiredText(params, "category");
  const limit = limitOf(params, 500, 1000);
  const symbol = textOf(params, "symbol");
  const statuses: readonly InstrumentStatus[] = ["Trading", "PreLaunch", "Delivering", "Closed"];
  const status = oneOf(params, "status", statuses);
  const baseCoin = textOf(params, "baseCoin");
  if (category === "spot" || category === "option") return { category, list: [], nextPageCursor: "" };
  const found =
    symbol === undefined
      ? [...world.instruments.values()].filter(
          (one) => one.category === category && one.status === (status ?? "Trading"),
        )
      : [instrumentOf(world, category, symbol)];
  const sorted = found
    .filter((one) => baseCoin === undefined || one.baseCoin === baseCoin)
    .sort((one, other) => (one.symbol < other.symbol ? -1 : 1));
  const listing = {
    items: sorted,
    cursorOf: (one: SimInstrument) => `first=${one.symbol}`,
    isBehind: (one: SimInstrument, cursor: string) => one.symbol > cursor.replace(/^first=/, ""),
  };
  const page = pageOf(world, listing, limit, textOf(params, "cursor"), { path: "/v5/market/instruments-info" });
  const list = page.items.map((one) =>
    mutate(world, instrumentRow(one), { kind: "instrument", account: null, channel: "rest" }),
  );
  return { category, list, nextPageCursor: page.nextPageCursor };
}

export function listTickers(world: World, params: Params): Row {
  const category = requiredText(params, "category");
  const symbol = textOf(params, "symbol");
  const found =
    symbol === undefined
      ? [...world.instruments.values()].filter((one) => one.category === category && one.status !== "Closed")
      : [instrumentOf(world, category, symbol)];
  const list = found.map((one) =>
    mutate(world, tickerRow(world, one), { kind: "ticker", account: null, channel: "rest" }),
  );
  return { category, list };
}

function tickerRow(world: World, instrument: SimInstrument): Row {
  const { mark, last, index } = pricesOf(world, instrument);
  const text = (value: typeof mark): string => priceText(value, instrument);
  const auction = inCallAuction(instrument);
  return {
    symbol: instrument.symbol,
    lastPrice: text(last),
    indexPrice: text(index),
    markPrice: text(mark),
    prevPrice24h: text(instrument.startPrice),
    price24hPcnt: last.div(instrument.startPrice).minus(1).toFixed(6),
    highPrice24h: text(last),
    lowPrice24h: text(last),
    prevPrice1h: text(instrument.startPrice),
    openInterest: "100000",
    openInterestValue: "100000",
    turnover24h: "1000000",
    volume24h: "1000000",
    fundingRate: auction ? "" : "0.0001",
    nextFundingTime: auction ? "" : String((Math.floor(world.now() / 28_800_000) + 1) * 28_800_000),
    predictedDeliveryPrice: "",
    basisRate: "",
    deliveryFeeRate: "",
    deliveryTime: String(instrument.deliveryTimeMs),
    ask1Size: "100",
    bid1Price: text(last.minus(instrument.tickSize)),
    ask1Price: text(last.plus(instrument.tickSize)),
    bid1Size: "100",
    basis: "",
    preOpenPrice: auction ? text(last) : "",
    preQty: "",
    curPreListingPhase: instrument.auctionPhase ?? "",
    fundingIntervalHour: "8",
    fundingCap: "0.005",
    basisRateYear: "",
  };
}
