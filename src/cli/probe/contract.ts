/** Chooses the contract that the probe works in: flat, without orders, and so small that a mistake costs cents. */
import { dec, Decimal, maxOf, print } from "../../domain/decimal.js";
import { Refusal } from "../exit.js";
import { childOf, decimalIn, type Params, type Reply, type Row, rowsIn, textIn, type Wire } from "./wire.js";

export interface ProbeContract {
  readonly symbol: string;
  readonly tickSize: Decimal;
  /** The smallest order that is safely above the exchange's minimum, base currency. */
  readonly unit: Decimal;
  /** What one unit is worth, USDT. */
  readonly unitNotional: Decimal;
  /** 0: one-way mode; 1: the long leg of hedge mode. */
  readonly positionIdx: 0 | 1;
}

/** No experiment holds more units than this. */
export const MOST_UNITS = 3;
/** USDT; what the probe may hold at any time. */
const LARGEST_NOTIONAL = dec("100");
/** Above the minimum, so that a falling price does not make an order too small. */
const SPARE = dec("1.3");
/** The smallest of these is taken: in a contract that nobody trades, market orders do not fill. */
const MOST_TRADED = 40;
const PAGES = 10;

/** @throws Refusal where no contract fits, or the one asked for does not */
export async function chooseContract(wire: Wire, wanted: string | undefined): Promise<ProbeContract> {
  const [instruments, tickers, busy] = await Promise.all([
    allRows(wire, "/v5/market/instruments-info", { category: "linear", limit: 1000 }),
    allRows(wire, "/v5/market/tickers", { category: "linear" }),
    busySymbols(wire),
  ]);
  const tickerOf = new Map(tickers.map((row) => [textIn(row, "symbol"), row]));
  const candidates = instruments.flatMap((row) => candidateOf(row, tickerOf.get(textIn(row, "symbol"))));
  const chosen = wanted === undefined ? smallest(candidates, busy) : named(wanted, candidates, busy);
  return { ...chosen.contract, positionIdx: await legIn(wire, chosen.contract.symbol) };
}

type Sized = Omit<ProbeContract, "positionIdx">;

interface Candidate {
  readonly contract: Sized;
  readonly turnover: Decimal;
}

/** Plain USDT perpetuals only: what is learned there is what most positions need. */
function candidateOf(instrument: Row, ticker: Row | undefined): readonly Candidate[] {
  const isPlain =
    textIn(instrument, "status") === "Trading" &&
    textIn(instrument, "contractType") === "LinearPerpetual" &&
    textIn(instrument, "settleCoin") === "USDT" &&
    decimalIn(instrument, "deliveryTime") === null;
  const lots = childOf(instrument, "lotSizeFilter");
  const [tickSize, smallestOrder, step, price] = [
    decimalIn(childOf(instrument, "priceFilter"), "tickSize"),
    decimalIn(lots, "minOrderQty"),
    decimalIn(lots, "qtyStep"),
    ticker === undefined ? null : decimalIn(ticker, "lastPrice"),
  ];
  if (!isPlain || ticker === undefined) return [];
  if (tickSize === null || smallestOrder === null || step === null || price === null) return [];
  const worth = (decimalIn(lots, "minNotionalValue") ?? dec("0")).times(SPARE).div(price);
  const unit = maxOf(smallestOrder, worth).div(step).toDecimalPlaces(0, Decimal.ROUND_CEIL).times(step);
  const contract = { symbol: textIn(instrument, "symbol"), tickSize, unit, unitNotional: unit.times(price) };
  return [{ contract, turnover: decimalIn(ticker, "turnover24h") ?? dec("0") }];
}

function fits({ contract }: Candidate): boolean {
  return contract.unitNotional.times(MOST_UNITS).lte(LARGEST_NOTIONAL);
}

function smallest(candidates: readonly Candidate[], busy: ReadonlySet<string>): Candidate {
  const free = candidates.filter((one) => fits(one) && !busy.has(one.contract.symbol));
  const traded = free.toSorted((first, second) => second.turnover.cmp(first.turnover)).slice(0, MOST_TRADED);
  const [chosen] = traded.toSorted((first, second) => first.contract.unitNotional.cmp(second.contract.unitNotional));
  if (chosen !== undefined) return chosen;
  throw new Refusal(
    `no USDT perpetual is flat and small enough: ${candidates.length} were seen, ${busy.size} have a position or an ` +
      `order; allowed: a contract without either, of which ${MOST_UNITS} smallest orders are worth at most ` +
      `${print(LARGEST_NOTIONAL)} USDT.`,
  );
}

function named(symbol: string, candidates: readonly Candidate[], busy: ReadonlySet<string>): Candidate {
  const allowed = "allowed: a USDT perpetual in normal trading, without a position and without an order";
  const found = candidates.find(({ contract }) => contract.symbol === symbol);
  if (found === undefined)
    throw new Refusal(`--symbol ${JSON.stringify(symbol)}: there is no such contract; ${allowed}.`);
  if (busy.has(symbol)) {
    throw new Refusal(
      `--symbol ${symbol}: it has a position or an open order, which the probe never touches; ${allowed}.`,
    );
  }
  if (fits(found)) return found;
  const worth = found.contract.unitNotional.times(MOST_UNITS).toFixed(2);
  throw new Refusal(
    `--symbol ${symbol}: ${MOST_UNITS} of its smallest orders are worth ${worth} USDT; ` +
      `allowed: at most ${print(LARGEST_NOTIONAL)} USDT.`,
  );
}

/** Contracts with a position or an order: a list of positions shows open ones only (docs/v5/position). */
async function busySymbols(wire: Wire): Promise<ReadonlySet<string>> {
  const scope = { category: "linear", settleCoin: "USDT" };
  const [positions, orders] = await Promise.all([
    allRows(wire, "/v5/position/list", { ...scope, limit: 200 }),
    allRows(wire, "/v5/order/realtime", { ...scope, openOnly: 0, limit: 50 }),
  ]);
  return new Set([...positions, ...orders].map((row) => textIn(row, "symbol")));
}

async function legIn(wire: Wire, symbol: string): Promise<0 | 1> {
  const rows = rowsIn(resultOf(await wire.get("/v5/position/list", { category: "linear", symbol })));
  const legs = rows.map((row) => textIn(row, "positionIdx"));
  if (rows.some((row) => decimalIn(row, "size") !== null)) {
    throw new Refusal(`${symbol} has a position, which the probe never touches.`);
  }
  if (legs.includes("1")) return 1;
  if (legs.includes("0")) return 0;
  throw new Refusal(`${symbol}: the exchange states no position row, so its position mode is unknown.`, 1);
}

/** All pages; a list that does not end is none. */
async function allRows(wire: Wire, path: string, params: Params): Promise<readonly Row[]> {
  const rows: Row[] = [];
  let cursor = "";
  for (let page = 0; page < PAGES; page += 1) {
    const result = resultOf(await wire.get(path, cursor === "" ? params : { ...params, cursor }));
    const found = rowsIn(result);
    rows.push(...found);
    const next = textIn(result, "nextPageCursor");
    if (next === "" || next === cursor || found.length === 0) return rows;
    cursor = next;
  }
  throw new Refusal(`GET ${path} has more than ${PAGES} pages: what is open cannot be told for sure.`, 1);
}

function resultOf(reply: Reply): Row {
  if (reply.accepted) return reply.result;
  throw new Refusal(`the exchange refused a read: ${reply.words}`, 1);
}
