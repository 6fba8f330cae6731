/** Open-order rows become orders as far as they matter for exits; closed ones disappear. */
import type { Decimal } from "../../domain/decimal.js";
import type { OpenOrder, OrderKind, UnreadableOrder } from "../../domain/order.js";
import type { Category, TriggerBy } from "../../domain/position.js";
import type { CarriedStop, OrderEnd } from "../stream.js";
import { decimalOf, isNoValue, misshapen, orNull, positionIdxOf, priceOrNone, symbolIn, timeOrNull } from "./fields.js";
import { UnreadableField, wordOf } from "./fields.js";
import { type OrderWire, orderRow } from "./schemas.js";

export type ReadOrder =
  | { readonly kind: "closed" }
  | { readonly kind: "open"; readonly order: OpenOrder }
  | { readonly kind: "unreadable"; readonly row: UnreadableOrder };

/** docs/v5/enum, stopOrderType; spot's own kinds are unknown here on purpose. */
const KINDS: ReadonlyMap<string, OrderKind> = new Map<string, OrderKind>([
  ["", "plain"],
  ["UNKNOWN", "plain"],
  ["Stop", "conditional"],
  ["StopLoss", "full-stop-loss"],
  ["TakeProfit", "full-take-profit"],
  ["PartialStopLoss", "partial-stop-loss"],
  ["PartialTakeProfit", "partial-take-profit"],
  ["TrailingStop", "trailing-stop"],
  ["MmRateClose", "exchange"],
]);

/** docs/v5/enum, createType: orders by which the exchange itself reduces or ends a position. */
const MADE_BY_EXCHANGE: ReadonlySet<string> = new Set([
  "CreateByAdminClosing",
  "CreateBySettle",
  "CreateByLiq",
  "CreateByTakeOver_PassThrough",
  "CreateByAdl_PassThrough",
]);

const STATES: ReadonlyMap<string, OpenOrder["state"] | "closed"> = new Map<string, OpenOrder["state"] | "closed">([
  ["Untriggered", "waiting"],
  ["New", "resting"],
  ["PartiallyFilled", "partly-filled"],
  ["Triggered", "triggered"],
  ["Filled", "closed"],
  ["Cancelled", "closed"],
  ["PartiallyFilledCanceled", "closed"],
  ["Rejected", "closed"],
  ["Deactivated", "closed"],
]);

const DIRECTIONS: ReadonlyMap<string, OpenOrder["direction"]> = new Map([
  ["Buy", "buy"],
  ["Sell", "sell"],
]);
const EXECUTIONS: ReadonlyMap<string, OpenOrder["execution"]> = new Map([
  ["Market", "market"],
  ["Limit", "limit"],
]);
const TRIGGERS: ReadonlyMap<string, TriggerBy | "none"> = new Map<string, TriggerBy | "none">([
  ["", "none"],
  ["UNKNOWN", "none"],
  ["LastPrice", "LastPrice"],
  ["MarkPrice", "MarkPrice"],
  ["IndexPrice", "IndexPrice"],
]);
const ATTACHED_MODES: ReadonlyMap<string, "full" | "partial"> = new Map<string, "full" | "partial">([
  ["Full", "full"],
  ["Partial", "partial"],
]);
const TRIGGER_DIRECTIONS: ReadonlyMap<string, "rise" | "fall" | "none"> = new Map<string, "rise" | "fall" | "none">([
  ["", "none"],
  ["1", "rise"],
  ["2", "fall"],
]);

export function readOrder(category: Category, row: unknown): ReadOrder {
  const parsed = orderRow.safeParse(row);
  try {
    if (!parsed.success) throw misshapen(row, parsed.error);
    const state = wordOf("orderStatus", parsed.data.orderStatus, STATES);
    return state === "closed" ? { kind: "closed" } : { kind: "open", order: openOrder(category, parsed.data, state) };
  } catch (error) {
    if (!(error instanceof UnreadableField)) throw error;
    const positionIdx = parsed.success ? orNull(() => positionIdxOf(parsed.data.positionIdx)) : null;
    return { kind: "unreadable", row: { category, symbol: symbolIn(row), positionIdx, reason: error.message } };
  }
}

/** docs/v5/enum, orderStatus: Triggered lasts for a moment only. */
const ENDS: ReadonlyMap<string, OrderEnd> = new Map<string, OrderEnd>([
  ["Triggered", "triggered"],
  ["Filled", "filled"],
  ["Cancelled", "cancelled"],
  ["PartiallyFilledCanceled", "cancelled"],
  ["Deactivated", "cancelled"],
  ["Rejected", "rejected"],
]);

/** How the order of this row stopped waiting or resting; null where it did not, or where the row does not tell. */
export function readOrderEnd(row: unknown): ReadOrderEnd | null {
  const parsed = orderRow.safeParse(row);
  const how = parsed.success ? ENDS.get(parsed.data.orderStatus ?? "") : undefined;
  if (!parsed.success || how === undefined || parsed.data.symbol === "") return null;
  const carriedStop = how === "filled" ? orNull(() => carriedStopOf(parsed.data)) : broughtBy(parsed.data);
  return { symbol: parsed.data.symbol, orderId: parsed.data.orderId, how, carriedStop };
}

/** docs/v5/order/create-order: what is attached comes to life with the first part that is filled; null before that. */
export function readCarriedStop(row: unknown): CarriedStop | null {
  const parsed = orderRow.safeParse(row);
  return parsed.success ? broughtBy(parsed.data) : null;
}

function broughtBy(wire: OrderWire): CarriedStop | null {
  return orNull(() => (decimalOf("cumExecQty", wire.cumExecQty || "0").gt(0) ? carriedStopOf(wire) : null));
}

export interface ReadOrderEnd {
  readonly symbol: string;
  readonly orderId: string;
  readonly how: OrderEnd;
  readonly carriedStop: CarriedStop | null;
}

/** docs/v5/order/create-order: attached exits trigger by last price unless told; Partial ones become legs of their own. */
function carriedStopOf(wire: OrderWire): CarriedStop | null {
  const price = priceOrNone("stopLoss", wire.stopLoss);
  if (price === null || wire.reduceOnly === true || wire.tpslMode === "Partial") return null;
  const triggerBy = wordOf("slTriggerBy", wire.slTriggerBy ?? "", TRIGGERS);
  return {
    positionIdx: positionIdxOf(wire.positionIdx),
    side: wordOf("side", wire.side, DIRECTIONS) === "buy" ? "long" : "short",
    price,
    triggerBy: triggerBy === "none" ? "LastPrice" : triggerBy,
  };
}

function openOrder(category: Category, wire: OrderWire, state: OpenOrder["state"]): OpenOrder {
  if (wire.symbol === "") throw new UnreadableField("symbol", wire.symbol);
  const triggerPrice = priceOrNone("triggerPrice", wire.triggerPrice);
  const kind = kindOf(wire, triggerPrice);
  if (state === "waiting" && triggerPrice === null && !waitsForNoPrice(kind)) {
    throw new UnreadableField("triggerPrice", wire.triggerPrice);
  }
  const execution = wordOf("orderType", wire.orderType, EXECUTIONS);
  const price = priceOrNone("price", wire.price);
  if (execution === "limit" && price === null) throw new UnreadableField("price", wire.price);
  const triggerBy = wordOf("triggerBy", wire.triggerBy, TRIGGERS);
  const triggerDirection = isNoValue(wire.triggerDirection)
    ? "none"
    : wordOf("triggerDirection", wire.triggerDirection, TRIGGER_DIRECTIONS);
  const direction = wordOf("side", wire.side, DIRECTIONS);
  if (state === "waiting" && isStopLoss(kind) && triggerDirection !== "none" && triggerDirection !== STOPS[direction])
    throw new UnreadableField("triggerDirection", wire.triggerDirection);
  return {
    category,
    symbol: wire.symbol,
    positionIdx: positionIdxOf(wire.positionIdx),
    orderId: wire.orderId,
    orderLinkId: wire.orderLinkId ?? "",
    kind,
    direction,
    execution,
    price: execution === "market" ? null : price,
    quantity: openQuantity(wire, state),
    filledQuantity: decimalOf("cumExecQty", wire.cumExecQty || "0"),
    triggerPrice,
    triggerBy: triggerBy === "none" ? null : triggerBy,
    triggerDirection: triggerDirection === "none" ? null : triggerDirection,
    state,
    reducesOnly: wire.reduceOnly === true || isPositionExit(kind),
    closesOnTrigger: wire.closeOnTrigger === "unreadable" ? null : wire.closeOnTrigger === true,
    followsSize: isFull(kind) && wire.tpslMode === "Full",
    attachedStopLoss: priceOrNone("stopLoss", wire.stopLoss),
    attachedTakeProfit: priceOrNone("takeProfit", wire.takeProfit),
    attachedMode: ATTACHED_MODES.get(wire.tpslMode ?? "") ?? null,
    createdAtMs: timeOrNull(wire.createdTime),
    updatedAtMs: timeOrNull(wire.updatedTime),
  };
}

function kindOf(wire: OrderWire, triggerPrice: Decimal | null): OrderKind {
  if (MADE_BY_EXCHANGE.has(wire.createType ?? "")) return "exchange";
  const kind = ownKindOf(wire);
  return kind === "plain" && triggerPrice !== null ? "conditional" : kind;
}

/** A row that calls itself Full in one field and Partial in another covers what it rests with, and no more. */
function ownKindOf(wire: OrderWire): OrderKind {
  const kind = wordOf("stopOrderType", wire.stopOrderType, KINDS);
  if (wire.tpslMode !== "Partial") return kind;
  if (kind === "full-stop-loss") return "partial-stop-loss";
  return kind === "full-take-profit" ? "partial-take-profit" : kind;
}

/** A position's stop-loss triggers as the price falls where it sells, else as it rises (docs/v5/order/open-order). */
const STOPS = { sell: "fall", buy: "rise" } as const;

function isStopLoss(kind: OrderKind): boolean {
  return kind === "full-stop-loss" || kind === "partial-stop-loss";
}

function isFull(kind: OrderKind): boolean {
  return kind === "full-stop-loss" || kind === "full-take-profit";
}

/** Exits that trading-stop made can only ever reduce, also where a row leaves the flags out. */
function isPositionExit(kind: OrderKind): boolean {
  return kind !== "plain" && kind !== "conditional" && kind !== "exchange";
}

/** A trailing stop may wait for its activation; what the exchange closes by waits for a margin rate, say. */
function waitsForNoPrice(kind: OrderKind): boolean {
  return kind === "trailing-stop" || kind === "exchange";
}

/** It closes whatever there is when it triggers: what its row says of a quantity decides nothing. */
function isWholeExit({ stopOrderType, tpslMode }: OrderWire): boolean {
  return tpslMode === "Full" && (stopOrderType === "StopLoss" || stopOrderType === "TakeProfit");
}

/** Some captures show leavesQty "0" on exits that still wait for their trigger; there nothing can be filled yet. */
function openQuantity(wire: OrderWire, state: OpenOrder["state"]): Decimal {
  if (state === "waiting") return atLeastZero("qty", decimalOf("qty", isWholeExit(wire) ? wire.qty || "0" : wire.qty));
  if (wire.leavesQty == null || wire.leavesQty === "") {
    return atLeastZero("qty", decimalOf("qty", wire.qty).minus(filledOf(wire, state)));
  }
  return atLeastZero("leavesQty", decimalOf("leavesQty", wire.leavesQty));
}

/** Of an order that rests untouched it may be left out. */
function filledOf({ cumExecQty }: OrderWire, state: OpenOrder["state"]): Decimal {
  return decimalOf("cumExecQty", state === "resting" ? cumExecQty || "0" : cumExecQty);
}

function atLeastZero(field: string, quantity: Decimal): Decimal {
  if (quantity.lt(0)) throw new UnreadableField(field, quantity.toFixed());
  return quantity;
}

/** A row may come twice while orders move between pages; it must still tell the same order. */
export function describesSameOrder(first: ReadOrder, second: ReadOrder): boolean {
  if (first.kind !== "open" || second.kind !== "open") return first.kind === second.kind && first.kind === "closed";
  return decidingText(first.order) === decidingText(second.order);
}

function decidingText(order: OpenOrder): string {
  const { symbol, positionIdx, kind, state, direction, quantity, triggerPrice, triggerBy, triggerDirection } = order;
  const trigger = [triggerPrice ?? "none", triggerBy ?? "none", triggerDirection ?? "none"];
  const reach = [quantity, order.reducesOnly, order.followsSize, order.price ?? "none"];
  return [symbol, positionIdx, kind, state, direction, ...trigger, ...reach].join(" ");
}
