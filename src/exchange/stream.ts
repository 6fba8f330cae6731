/** The private stream of one account: it says that something changed, and what it looked like just then. */
import type { OpenOrder } from "../domain/order.js";
import type { Decimal } from "../domain/decimal.js";
import type { Category, Position, PositionIdx, PositionKey, Side, TriggerBy } from "../domain/position.js";
import type { Contract } from "../domain/snapshot.js";

/**
 * One row of a push; a hint, never a proof: rows come late, twice, out of order, or not at all.
 * `atMs` is when the exchange made the push, by its clock; an execution carries the time of its fill instead.
 */
export type Push =
  /** `position.markPrice` is the mark of the push. */
  | { readonly kind: "position-open"; readonly position: Position; readonly atMs: number }
  | {
      readonly kind: "position-flat";
      readonly key: PositionKey;
      /** True: a later push of the same position came before it. Default: false. */
      readonly isOutdated?: boolean;
      /** When the row was changed last, where that was before it was told: rows are told again with every order. */
      readonly changedAtMs?: number;
      readonly atMs: number;
    }
  /** An order is open, as it stands after the change. */
  | {
      readonly kind: "order-open";
      readonly order: OpenOrder;
      /** The Full stop that an entry order, filled in part, has brought to its position; null: none. */
      readonly carriedStop: CarriedStop | null;
      readonly atMs: number;
    }
  | {
      readonly kind: "order-gone";
      readonly contract: Contract;
      readonly orderId: string;
      readonly how: OrderEnd;
      /** The Full stop that an entry order has brought to its position; null: none, or nothing of it was filled. */
      readonly carriedStop: CarriedStop | null;
      readonly atMs: number;
    }
  | { readonly kind: "execution"; readonly contract: Contract; readonly execution: Execution }
  /** A row that cannot be read, or a topic nobody knows: look at the contract where it is named, else at everything. */
  | {
      readonly kind: "unreadable";
      readonly category: Category | null;
      readonly symbol: string | null;
      readonly reason: string;
    };

/** Null: it does not say which. */
export function contractOf(push: Push): Contract | null {
  switch (push.kind) {
    case "position-open":
      return push.position.key;
    case "position-flat":
      return push.key;
    case "order-open":
      return push.order;
    case "order-gone":
    case "execution":
      return push.contract;
    case "unreadable":
      return push.category === null || push.symbol === null ? null : { category: push.category, symbol: push.symbol };
  }
}

export interface CarriedStop {
  readonly positionIdx: PositionIdx;
  readonly side: Side;
  readonly price: Decimal;
  readonly triggerBy: TriggerBy;
}

/** `triggered`: it waits no more; as what it goes on, if it does, comes as the next row of the same order. */
export type OrderEnd = "filled" | "cancelled" | "rejected" | "triggered" | "unknown";

export interface Execution {
  /** Unique: pushes repeat. */
  readonly execId: string;
  readonly orderId: string;
  /** As the order's sender named it; empty: not named, or not told. */
  readonly orderLinkId: string;
  readonly direction: "buy" | "sell";
  /** The exchange's clock. */
  readonly atMs: number;
  /** True: a stop-loss order of the exchange filled. */
  readonly fromStopLoss: boolean;
  /** True: the fill closed at least a part of a position. */
  readonly closes: boolean;
}

export interface StreamListener {
  /** Subscribed to everything, at the first time and again after each interruption: what was pushed before may be lost. */
  live(): void;
  /** Nothing can be relied on to arrive until `live` is told again; told also when the first connection fails. */
  down(reason: string): void;
  pushed(pushes: readonly Push[]): void;
}

/** Runs from its creation until `close`; reconnects by itself, with back-off. */
export interface Stream {
  readonly account: string;
  isLive(): boolean;
  close(): Promise<void>;
}
