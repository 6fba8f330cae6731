/** An open order as far as it matters for exits: what it would do to which position, and when. */
import type { Decimal } from "./decimal.js";
import type { Category, PositionIdx, TriggerBy } from "./position.js";

/**
 * What made the order.
 * `full-*` and `partial-*` come from trading-stop or from an entry order's attached exits; `trailing-stop`
 * from trading-stop; `conditional` is a person's or bot's own trigger order; `plain` has no trigger;
 * `exchange` is the exchange's own (margin close).
 */
export type OrderKind =
  | "full-stop-loss"
  | "full-take-profit"
  | "partial-stop-loss"
  | "partial-take-profit"
  | "trailing-stop"
  | "conditional"
  | "plain"
  | "exchange";

/** An order that is open: resting, partly filled, or waiting for its trigger. */
export interface OpenOrder {
  readonly category: Category;
  readonly symbol: string;
  readonly positionIdx: PositionIdx;
  readonly orderId: string;
  /** Empty for exits made by trading-stop (docs/v5/order/open-order). */
  readonly orderLinkId: string;
  readonly kind: OrderKind;
  readonly direction: "buy" | "sell";
  readonly execution: "market" | "limit";
  /** The limit price; null for market orders. */
  readonly price: Decimal | null;
  /** What is still to be filled; zero on whole-position rows of some captures. */
  readonly quantity: Decimal;
  /** Already filled part. */
  readonly filledQuantity: Decimal;
  readonly triggerPrice: Decimal | null;
  readonly triggerBy: TriggerBy | null;
  /** Which way the price must move to reach the trigger; null where the row does not say. */
  readonly triggerDirection: "rise" | "fall" | null;
  readonly state: "waiting" | "resting" | "partly-filled" | "triggered";
  /** The row says reduceOnly; closeOnTrigger alone is not taken for it. */
  readonly reducesOnly: boolean;
  /** Null: the row says something there that cannot be read. */
  readonly closesOnTrigger: boolean | null;
  /** An exit that the row calls Full in every field that tells: the exchange keeps it at the position's size. */
  readonly followsSize: boolean;
  /** Exits attached to an entry order; live only once it fills. */
  readonly attachedStopLoss: Decimal | null;
  readonly attachedTakeProfit: Decimal | null;
  /** Full ones take the place of the position's own as the order fills, Partial ones join them; null: the row does not say. */
  readonly attachedMode: "full" | "partial" | null;
  readonly createdAtMs: number | null;
  readonly updatedAtMs: number | null;
}

/** An order row that cannot be read: it may be an exit, or not. */
export interface UnreadableOrder {
  readonly category: Category;
  readonly symbol: string | null;
  readonly positionIdx: PositionIdx | null;
  readonly reason: string;
}
