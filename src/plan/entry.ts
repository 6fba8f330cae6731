/** Resting orders that would open or grow a position, and why a leg or an order of them is left as it is. */
import { cover, isWhole, ordersOf, stopLegs, takeProfitLegs } from "../assess/coverage.js";
import { hedgeDoubt, type Leg, otherSides } from "../assess/hedge.js";
import { refusesExits } from "../assess/status.js";
import { stopView } from "../assess/stop.js";
import type { OpenOrder } from "../domain/order.js";
import { contractText, type Position, type PositionKey, type Side } from "../domain/position.js";
import type { Contract, Snapshot } from "../domain/snapshot.js";
import type { Market } from "../policy/levels.js";
import { entrySide } from "../policy/order-levels.js";
import type { ResolvedPolicy } from "../policy/resolve.js";

/** A later change than this after its making is one by the order's own bot. */
const SAME_MOMENT_MS = 1_000;

/** All open orders that would open or grow one leg, also those that are not ours to touch. */
export interface EntryLeg extends Leg {
  readonly orders: readonly OpenOrder[];
}

/** What attaching to the orders of a leg has to respect. */
export interface LegState {
  readonly policy: ResolvedPolicy;
  readonly market: Market;
  /** The leg's own take-profit, or one that another of its orders brings, would be replaced by an attached one. */
  readonly hasTakeProfit: boolean;
}

export interface OrderCircumstances {
  /** The exchange's time, milliseconds. */
  readonly nowMs: number;
  readonly leftAlone: Pick<ReadonlySet<string>, "has">;
  /** True: somebody has said what the position that this order opens is to get. */
  readonly isSpokenFor: (key: PositionKey, side: Side, order: OpenOrder) => boolean;
}

export function entryLegs({ account, orders }: Snapshot): readonly EntryLeg[] {
  const legs = new Map<string, EntryLeg & { readonly orders: OpenOrder[] }>();
  for (const order of orders.filter(isEntry)) {
    const { category, symbol, positionIdx } = order;
    const name = `${contractText(order)}/${positionIdx}/${order.direction}`;
    const known = legs.get(name);
    if (known !== undefined) known.orders.push(order);
    else legs.set(name, { key: { account, category, symbol, positionIdx }, side: entrySide(order), orders: [order] });
  }
  return [...legs.values()];
}

/** In hedge mode an order against its own leg closes, whatever its flags say (docs/v5/position/position-mode). */
function isEntry(order: OpenOrder): boolean {
  if (order.kind !== "plain" && order.kind !== "conditional") return false;
  if (order.reducesOnly || order.closesOnTrigger !== false) return false;
  return order.positionIdx === 0 || (order.positionIdx === 1) === (entrySide(order) === "long");
}

/** Null: nothing is attached to any order of this leg now. */
export function legState(
  leg: EntryLeg,
  snapshot: Snapshot,
  policyOf: (key: PositionKey, side: Side) => ResolvedPolicy,
): LegState | null {
  const policy = policyOf(leg.key, leg.side);
  const market = marketFor(leg.key, snapshot);
  if (!isWanted(policy) || market === null || isDoubtful(leg.key, snapshot)) return null;
  if (refusesExits(market.instrument, market.ticker) !== null || isHedge(leg, policy, snapshot)) return null;
  if (mayBeReduced(leg, snapshot)) return null;
  const held = snapshot.positions.filter(({ key }) => isLegOf(leg.key, key));
  const exits = snapshot.orders.filter((order) => isLegOf(leg.key, order) && isPositionExit(order));
  const [position] = held;
  if (position === undefined) {
    // Exits without their position: one of the two lists is older than the other.
    return exits.length > 0 ? null : { policy, market, hasTakeProfit: bringsTakeProfit(leg) };
  }
  if (held.length > 1 || !mayGrow(position, leg, market, snapshot)) return null;
  const hasTakeProfit = position.fullTakeProfit !== null || takeProfitLegs(position, snapshot.orders).length > 0;
  return { policy, market, hasTakeProfit: hasTakeProfit || bringsTakeProfit(leg) };
}

function isWanted({ protection, ignored, inScope }: ResolvedPolicy): boolean {
  return protection.attachToOrders && protection.mode !== "report-only" && !ignored && inScope;
}

/**
 * A Full stop that stands follows the grown size, and an attached one would take its place at the fill. A naked or half
 * covered position gets its Full stop from the pass that sees it, so its orders wait for that. In one-way mode an order
 * against the position is an exit, as far as one can tell.
 */
function mayGrow(position: Position, { side }: EntryLeg, market: Market, snapshot: Snapshot): boolean {
  if (position.side !== side || position.state !== "normal" || position.fullStopLoss !== null) return false;
  const orders = ordersOf(position, snapshot.orders);
  if (orders.some(({ kind }) => kind === "full-stop-loss")) return false;
  const { doubt } = stopView(position, market, orders, snapshot);
  return doubt === null && isWhole(cover(position, "stop-loss", stopLegs(position, orders)));
}

function marketFor(contract: Contract, { instruments, tickers, marginMode }: Snapshot): Market | null {
  const instrument = instruments.get(contractText(contract));
  const ticker = tickers.get(contractText(contract));
  return instrument === undefined || ticker === undefined ? null : { instrument, ticker, marginMode };
}

/** Something of the contract was not seen or cannot be read: an exit, a position, another entry order. */
function isDoubtful({ category, symbol }: Contract, snapshot: Snapshot): boolean {
  const isOurs = (row: { readonly category: string; readonly symbol: string | null }) =>
    row.category === category && (row.symbol === null || row.symbol === symbol);
  const isBlind = snapshot.gaps.some(
    ({ what, category: where, symbols }) =>
      (what === "positions" || what === "orders") &&
      (where === "account" || where === category) &&
      (symbols === undefined || symbols.includes(symbol)),
  );
  return isBlind || snapshot.unreadableOrders.some(isOurs) || snapshot.unreadablePositions.some(isOurs);
}

/** Where hedged legs are not to be written, nothing is attached that would open one, or that may do so unseen. */
function isHedge(leg: EntryLeg, { protection }: ResolvedPolicy, snapshot: Snapshot): boolean {
  if (protection.hedged === "protect") return false;
  return snapshot.scope !== "account" || otherSides(leg, snapshot).length > 0 || hedgeDoubt(leg, snapshot) !== null;
}

/**
 * In one-way mode whichever of two sides fills second closes what the first has opened, and its exits, meant for the
 * other side, would take the place of those that stand.
 */
function mayBeReduced({ key, side }: EntryLeg, { orders }: Snapshot): boolean {
  return (
    key.positionIdx === 0 && orders.some((order) => isLegOf(key, order) && isEntry(order) && entrySide(order) !== side)
  );
}

function isLegOf(one: Omit<PositionKey, "account">, other: Omit<PositionKey, "account">): boolean {
  return contractText(one) === contractText(other) && one.positionIdx === other.positionIdx;
}

function isPositionExit({ kind }: OpenOrder): boolean {
  return kind !== "plain" && kind !== "conditional" && kind !== "exchange";
}

function bringsTakeProfit({ orders }: EntryLeg): boolean {
  return orders.some(({ attachedTakeProfit }) => attachedTakeProfit !== null);
}

/** An order that says when it was made. */
export type Amendable = OpenOrder & { readonly createdAtMs: number };

/** Whether this order is ours to touch: untouched by its bot, by us and by the market, and old enough. */
export function mayAmend(
  order: OpenOrder,
  policy: ResolvedPolicy,
  circumstances: OrderCircumstances,
): order is Amendable {
  const { createdAtMs, updatedAtMs, attachedMode } = order;
  if (circumstances.leftAlone.has(order.orderId) || order.attachedStopLoss !== null) return false;
  if ((order.state !== "waiting" && order.state !== "resting") || order.filledQuantity.gt(0)) return false;
  // Our Full mode would turn a Partial take-profit of its bot into another thing.
  if (order.attachedTakeProfit !== null && attachedMode !== "full") return false;
  if (createdAtMs === null || updatedAtMs === null || updatedAtMs - createdAtMs > SAME_MOMENT_MS) return false;
  return circumstances.nowMs - createdAtMs >= policy.protection.graceMs;
}
