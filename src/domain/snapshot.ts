/** Everything one read of an account showed, and honestly what it did not show. */
import type { Instrument, Ticker } from "./instrument.js";
import type { OpenOrder, UnreadableOrder } from "./order.js";
import type { Category, MarginMode, Position, PositionIdx, UnreadablePosition } from "./position.js";

/** A part of the account that could not be seen; nothing may be concluded about it. */
export interface Gap {
  /** "account": something that concerns all of it, such as its margin mode. */
  readonly category: Category | "account";
  /** `symbols`: only these contracts are affected; absent: the whole category; empty: none that is known to be open. */
  readonly what: "instruments" | "positions" | "orders" | "tickers" | "account-info";
  readonly symbols?: readonly string[];
  /** A sentence a person can act on, without secrets. */
  readonly reason: string;
}

/** A contract to look at alone, after a write or a push. */
export interface Contract {
  readonly category: Category;
  readonly symbol: string;
}

export interface FlatLeg extends Contract {
  readonly positionIdx: PositionIdx;
}

/** What a read covers: the whole account, or some contracts (both legs of each). */
export type ReadScope = "account" | readonly Contract[];

export interface Snapshot {
  readonly account: string;
  readonly scope: ReadScope;
  /** When the first request of this read was sent, on a clock that never jumps: what it shows is not older. */
  readonly requestedAtMs: number;
  /** When its rows were there, on the same clock: what else a look waits for makes them no younger. */
  readonly receivedAtMs: number;
  readonly gaps: readonly Gap[];
  readonly positions: readonly Position[];
  readonly unreadablePositions: readonly UnreadablePosition[];
  /** Legs whose own row, asked for by name, says that they are flat: that a row is missing says nothing. */
  readonly flatLegs: readonly FlatLeg[];
  /** All open orders of contracts with a position, entries included; with `allOrders` of every contract. */
  readonly orders: readonly OpenOrder[];
  readonly unreadableOrders: readonly UnreadableOrder[];
  /** Every open order of the scope is in `orders`, or told as unreadable, also where there is no position. */
  readonly allOrders: boolean;
  /** By `contractText`. Holds at least every contract with a position, unless a gap says otherwise. */
  readonly instruments: ReadonlyMap<string, Instrument>;
  readonly tickers: ReadonlyMap<string, Ticker>;
  /** Null: could not be read. */
  readonly marginMode: MarginMode | null;
  /** "unread": the exchange failed to say this time; null: it does not say, or not to this key. */
  readonly copyTradingMaster: boolean | "unread" | null;
  /** The exchange cancels derivative orders when a connection drops (docs/v5/order/dcp). Null: could not be read. */
  readonly disconnectProtection: boolean | null;
  /** Parts of the account that this program does not guard: "option: 3 positions", "spot". */
  readonly notCovered: readonly string[];
  /** Our clock minus the exchange's, milliseconds; positive: ours is ahead. Null: not measured. */
  readonly clockSkewMs: number | null;
  /** True: a hasty look did not wait for something that stayed silent; it is a gap, and may come to a look that waits. */
  readonly wentOnWithout: boolean;
  /** When the rows of a contract had come, by `contractText`; of one that is not here: at the end. */
  readonly shownAtMs: ReadonlyMap<string, number>;
}

/** Without prices or trading rules the rows are seen all the same. */
export function isBlindFor(gap: Gap, { category, symbol }: Contract): boolean {
  const { symbols } = gap;
  return hidesRows(gap) && gap.category === category && (symbols === undefined || symbols.includes(symbol));
}

export function hidesRows({ what }: Gap): boolean {
  return what === "positions" || what === "orders";
}
