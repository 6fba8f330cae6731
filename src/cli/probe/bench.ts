/** What an experiment works with: tiny orders in one contract, its exits, and reads that wait until there is something to see. */
import { randomBytes } from "node:crypto";
import { type Decimal, dec, Decimal as DecimalClass, print } from "../../domain/decimal.js";
import { MOST_UNITS, type ProbeContract } from "./contract.js";
import { decimalIn, type Params, type Reply, type Row, rowsIn, textIn, type Wire } from "./wire.js";

/** Ends an experiment without an answer; the message says why. */
export class Unsettled extends Error {
  override readonly name = "Unsettled";
}

/** How long a real exchange is given, and how often it is asked meanwhile; milliseconds. */
export interface Patience {
  readonly stepMs: number;
  /** Until something that is to come must be there. */
  readonly waitMs: number;
  /** Before what is *not* there counts as an answer. */
  readonly calmMs: number;
  /** For taking away what an experiment made. */
  readonly clearMs: number;
}

export interface BenchParts {
  readonly wire: Wire;
  readonly contract: ProbeContract;
  readonly patience: Patience;
  /** Rights of the key by group, as the exchange names them. */
  readonly rights: Readonly<Record<string, readonly string[]>>;
  readonly sleep: (ms: number) => Promise<void>;
  readonly monotonicMs: () => number;
  /** Why no experiment may write any more; null: go on. */
  readonly stopped: () => string | null;
}

export interface Bench extends Pick<BenchParts, "contract" | "rights" | "wire" | "monotonicMs"> {
  /** Every order of this run is called so, and a number. */
  readonly linkPrefix: string;
  /** The last price, moved by a percentage such as "-3", on a tick. */
  level(percent: string): Promise<Decimal>;
  /** A market order of so many units; resolves when the position shows it. @throws Unsettled */
  trade(side: "Buy" | "Sell", units: number, more?: Params): Promise<void>;
  order(params: Params): Promise<Reply>;
  amend(params: Params): Promise<Reply>;
  cancel(params: Params): Promise<Reply>;
  /** POST trading-stop for this contract, Full mode unless said otherwise. */
  exits(params: Params): Promise<Reply>;
  /** As `exits`, where the question lies elsewhere. @throws Unsettled when it is refused */
  setExits(params: Params): Promise<void>;
  /** The row of our leg. */
  position(): Promise<Row>;
  openOrders(): Promise<readonly Row[]>;
  /** Stop-losses, take-profits and trailing stops of the position, Full and Partial. */
  exitOrders(): Promise<readonly Row[]>;
  /** Reads until the value fits, or for as long as there is patience; the last value either way. */
  awaited<T>(read: () => Promise<T>, fits: (value: T) => boolean): Promise<T>;
  /** Gives the exchange time to change its mind. */
  calm(): Promise<void>;
}

export function createBench(parts: BenchParts): Bench {
  const { wire, contract, patience } = parts;
  const { symbol, positionIdx } = contract;
  const linkPrefix = `bsprobe-${randomBytes(5).toString("hex")}-`;
  let orders = 0;
  const here = { category: "linear", symbol } as const;
  const post = (path: string, params: Params) => wire.post(path, { ...here, ...params }, parts.stopped);
  const read = async (path: string, params: Params) => rowsIn(mustBe(await wire.get(path, { ...here, ...params })));

  const order: Bench["order"] = (params) => {
    orders += 1;
    return post("/v5/order/create", { positionIdx, orderLinkId: `${linkPrefix}${orders}`, ...params });
  };
  const exits: Bench["exits"] = (params) =>
    post("/v5/position/trading-stop", { tpslMode: "Full", positionIdx, ...params });
  const position = async () => legOf(await read("/v5/position/list", {}), positionIdx);
  const openOrders = () => read("/v5/order/realtime", { openOnly: 0, limit: 50 });
  const awaited = async <T>(look: () => Promise<T>, fits: (value: T) => boolean): Promise<T> => {
    const untilMs = parts.monotonicMs() + patience.waitMs;
    for (;;) {
      const value = await look();
      if (fits(value) || parts.monotonicMs() >= untilMs) return value;
      refuseToGoOn(parts);
      await parts.sleep(patience.stepMs);
    }
  };

  return {
    wire,
    contract,
    rights: parts.rights,
    monotonicMs: parts.monotonicMs,
    linkPrefix,
    level: async (percent) => levelFrom(await lastPrice(wire, symbol), percent, contract.tickSize),
    trade: async (side, units, more = {}) => {
      const before = signedSize(await position());
      const change = contract.unit.times(side === "Buy" ? units : -units);
      const expected = before.plus(change);
      if (expected.abs().gt(contract.unit.times(MOST_UNITS))) throw new RangeError("more than the probe may hold");
      const qty = print(contract.unit.times(units));
      mustBe(await order({ side, orderType: "Market", qty, ...more }));
      const after = await awaited(position, (row) => signedSize(row).eq(expected));
      if (signedSize(after).eq(expected)) return;
      throw new Unsettled(`a market order of ${qty} did not fill as a whole: there is nobody to trade with`);
    },
    order,
    amend: (params) => post("/v5/order/amend", params),
    cancel: (params) => post("/v5/order/cancel", params),
    exits,
    setExits: async (params) => void mustBe(await exits(params)),
    position,
    openOrders,
    exitOrders: async () => (await openOrders()).filter(isExit),
    awaited,
    calm: async () => {
      await parts.sleep(patience.calmMs);
      refuseToGoOn(parts);
    },
  };
}

function refuseToGoOn({ stopped }: BenchParts): void {
  const reason = stopped();
  if (reason !== null) throw new Unsettled(reason);
}

/** @throws Unsettled */
export function mustBe(reply: Reply): Row {
  if (reply.accepted) return reply.result;
  throw new Unsettled(`what the question needs was refused: ${reply.words}`);
}

function legOf(rows: readonly Row[], positionIdx: 0 | 1): Row {
  const found = rows.find((row) => textIn(row, "positionIdx") === String(positionIdx));
  if (found === undefined) throw new Unsettled("the exchange shows no row of the position");
  return found;
}

/** Long above zero, short below; a row without a size is flat. */
export function signedSize(row: Row): Decimal {
  const size = decimalIn(row, "size") ?? dec("0");
  return textIn(row, "side") === "Sell" ? size.neg() : size;
}

/** docs/v5/enum: what belongs to a position, unlike the conditional orders of a user (`Stop`). */
export function isExit(row: Row): boolean {
  return /StopLoss|TakeProfit|TrailingStop/.test(textIn(row, "stopOrderType"));
}

async function lastPrice(wire: Wire, symbol: string): Promise<Decimal> {
  const [row] = rowsIn(mustBe(await wire.get("/v5/market/tickers", { category: "linear", symbol })));
  const price = row === undefined ? null : decimalIn(row, "lastPrice");
  if (price === null) throw new Unsettled("the exchange states no last price");
  return price;
}

function levelFrom(price: Decimal, percent: string, tickSize: Decimal): Decimal {
  const moved = price.times(dec(percent).div(100).plus(1));
  return moved.div(tickSize).toDecimalPlaces(0, DecimalClass.ROUND_HALF_UP).times(tickSize);
}
