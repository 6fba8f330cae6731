/** Open orders for tests, each made for the position that it belongs to. */
import { dec } from "../../src/domain/decimal.js";
import type { OpenOrder, UnreadableOrder } from "../../src/domain/order.js";
import type { Position, Side } from "../../src/domain/position.js";
import { aPosition, decimalOrNull } from "./position.js";

export type OrderOverrides = Partial<OpenOrder>;

function exitOf(position: Position, overrides: OrderOverrides): OpenOrder {
  const { category, symbol, positionIdx } = position.key;
  return {
    category,
    symbol,
    positionIdx,
    orderId: `${overrides.kind ?? "plain"}-${overrides.triggerPrice?.toFixed() ?? overrides.price?.toFixed() ?? ""}`,
    orderLinkId: "",
    kind: "plain",
    direction: position.side === "long" ? "sell" : "buy",
    execution: "market",
    price: null,
    quantity: position.size,
    filledQuantity: dec("0"),
    triggerPrice: null,
    triggerBy: "MarkPrice",
    triggerDirection: null,
    state: "waiting",
    reducesOnly: true,
    closesOnTrigger: false,
    followsSize: overrides.kind?.startsWith("full-") ?? false,
    attachedStopLoss: null,
    attachedTakeProfit: null,
    attachedMode: null,
    createdAtMs: 1_000,
    updatedAtMs: 1_000,
    ...overrides,
  };
}

const towardLoss = ({ side }: Position) => (side === "long" ? "fall" : "rise");
const towardProfit = ({ side }: Position) => (side === "long" ? "rise" : "fall");

export function fullStop(position: Position, price: string, overrides: OrderOverrides = {}): OpenOrder {
  return exitOf(position, {
    kind: "full-stop-loss",
    triggerPrice: dec(price),
    triggerDirection: towardLoss(position),
    ...overrides,
  });
}

export function partialStop(
  position: Position,
  price: string,
  quantity: string,
  overrides: OrderOverrides = {},
): OpenOrder {
  return exitOf(position, {
    kind: "partial-stop-loss",
    triggerPrice: dec(price),
    quantity: dec(quantity),
    triggerDirection: towardLoss(position),
    ...overrides,
  });
}

/** A person's or a bot's own reduce-only trigger order on the loss side. */
export function conditionalStop(
  position: Position,
  price: string,
  quantity: string,
  overrides: OrderOverrides = {},
): OpenOrder {
  return exitOf(position, {
    kind: "conditional",
    triggerPrice: dec(price),
    quantity: dec(quantity),
    triggerDirection: towardLoss(position),
    ...overrides,
  });
}

/** The same, and a limit order once it has triggered. */
export function stopLimit(position: Position, price: string, quantity: string, overrides: OrderOverrides = {}) {
  return conditionalStop(position, price, quantity, { execution: "limit", price: dec(price), ...overrides });
}

export function takeProfit(position: Position, price: string, overrides: OrderOverrides = {}): OpenOrder {
  return exitOf(position, {
    kind: "full-take-profit",
    triggerPrice: dec(price),
    triggerBy: "LastPrice",
    triggerDirection: towardProfit(position),
    ...overrides,
  });
}

export function partialTakeProfit(position: Position, price: string, quantity: string): OpenOrder {
  return takeProfit(position, price, { kind: "partial-take-profit", quantity: dec(quantity) });
}

export function conditionalTakeProfit(
  position: Position,
  price: string,
  quantity: string,
  overrides: OrderOverrides = {},
): OpenOrder {
  return takeProfit(position, price, { kind: "conditional", quantity: dec(quantity), ...overrides });
}

export function reduceOnlyLimit(
  position: Position,
  price: string,
  quantity: string,
  overrides: OrderOverrides = {},
): OpenOrder {
  return exitOf(position, {
    kind: "plain",
    execution: "limit",
    price: dec(price),
    quantity: dec(quantity),
    triggerBy: null,
    state: "resting",
    ...overrides,
  });
}

export function trailing(position: Position, activation: string | null = null): OpenOrder {
  return exitOf(position, {
    kind: "trailing-stop",
    triggerPrice: activation === null ? null : dec(activation),
    triggerDirection: towardLoss(position),
  });
}

/** An entry in the position's own direction that waits for a price, and carries a stop for what it will buy. */
export function conditionalEntry(position: Position, price: string, attachedStop: string): OpenOrder {
  return exitOf(position, {
    kind: "conditional",
    direction: position.side === "long" ? "buy" : "sell",
    triggerPrice: dec(price),
    triggerDirection: towardLoss(position),
    reducesOnly: false,
    attachedStopLoss: dec(attachedStop),
  });
}

/** Prices as plain text; null where the order has none. */
export interface EntryShape extends Partial<Omit<OpenOrder, "price" | "triggerPrice" | "direction" | "quantity">> {
  readonly side?: Side;
  readonly price?: string | null;
  /** Makes it a conditional order. */
  readonly trigger?: string | null;
  readonly quantity?: string;
  /** Exits that its bot has attached. */
  readonly stop?: string | null;
  readonly profit?: string | null;
}

/** A buy limit order of 1 that rests at 100 without exits. */
export function anEntry({ side = "long", trigger = null, price, quantity = "1", ...shape }: EntryShape = {}) {
  const { stop = null, profit = null, ...overrides } = shape;
  const limit = price === undefined ? (trigger === null ? "100" : null) : price;
  return exitOf(aPosition(), {
    orderId: "entry-1",
    direction: side === "long" ? "buy" : "sell",
    kind: trigger === null ? "plain" : "conditional",
    execution: limit === null ? "market" : "limit",
    price: decimalOrNull(limit),
    quantity: dec(quantity),
    triggerPrice: decimalOrNull(trigger),
    triggerBy: trigger === null ? null : "LastPrice",
    state: trigger === null ? "resting" : "waiting",
    reducesOnly: false,
    attachedStopLoss: decimalOrNull(stop),
    attachedTakeProfit: decimalOrNull(profit),
    attachedMode: stop === null && profit === null ? null : "full",
    ...overrides,
  });
}

export function anUnreadableOrder(overrides: Partial<UnreadableOrder> = {}): UnreadableOrder {
  return {
    category: "linear",
    symbol: "BTCUSDT",
    positionIdx: 0,
    reason: 'orderStatus is "Paused"',
    ...overrides,
  };
}
