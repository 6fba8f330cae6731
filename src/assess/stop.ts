/** The stop of a position as all evidence shows it: order rows, the position row, and what could not be read. */
import { type Decimal, print } from "../domain/decimal.js";
import type { OpenOrder } from "../domain/order.js";
import { contractText, type Position, type TriggerBy } from "../domain/position.js";
import { isBeyondLiquidation, isPast, isTighterStop } from "../domain/price.js";
import type { Snapshot } from "../domain/snapshot.js";
import { basePrice, isWithinTick, type Market } from "../policy/levels.js";
import { type Cover, type CoverLeg, cover, stopLegs, triggeredStops } from "./coverage.js";

export interface StopView {
  /** All stops that wait, wherever they are. */
  readonly all: Cover | null;
  /** Only those that the price reaches before liquidation: the ones that protect. */
  readonly inside: Cover | null;
  readonly beyondLiquidation: readonly CoverLeg[];
  /** The tightest level at which a Full stop stands by any evidence; a write replaces it, so it may never be looser. */
  readonly standingFull: Decimal | null;
  /** Stops that have triggered and are not filled. */
  readonly triggered: readonly OpenOrder[];
  /** Why the picture may be incomplete; null: it is complete. */
  readonly doubt: string | null;
  /** The row states another Full stop than the orders show: one of the two lags behind, for a moment as a rule. */
  readonly isContradicted: boolean;
}

const TRIGGERS: readonly TriggerBy[] = ["MarkPrice", "LastPrice", "IndexPrice"];

export function stopView(
  position: Position,
  market: Market | null,
  orders: readonly OpenOrder[],
  snapshot: Snapshot,
): StopView {
  // As stated, also when the mark has reached it: a stop beyond liquidation is worth least just then.
  const liquidation = position.liquidationPrice;
  const standing = stopLegs(position, orders, market?.instrument.maxMarketQuantity ?? null);
  const overdue = standing.find((leg) => isOverdue(leg, position, market));
  const unstated = standing.find((leg) => isUnstated(leg, position, market));
  const legs = standing.filter((leg) => !isOverdue(leg, position, market) && !isUnstated(leg, position, market));
  const contradiction = unprovenRow(position, standing) ?? unstatedDoubt(unstated, position);
  const isBeyond = (leg: CoverLeg) =>
    liquidation !== null && isBeyondLiquidation(leg.price, liquidation, position.side);
  return {
    all: cover(position, "stop-loss", legs),
    inside: cover(
      position,
      "stop-loss",
      legs.filter((leg) => !isBeyond(leg)),
    ),
    beyondLiquidation: legs.filter(isBeyond),
    standingFull: tightestFull(position, standing),
    triggered: triggeredStops(position, orders),
    doubt: ordersDoubt(position, snapshot) ?? contradiction ?? overdueDoubt(overdue),
    isContradicted: contradiction !== null,
  };
}

/**
 * The row shows the Full stop that stands, at its price (docs/v5/position): an open order of that kind which it does not
 * state has just been set or moved, or is gone already, and which of the two only another look tells.
 */
function isUnstated({ source, price }: CoverLeg, { fullStopLoss }: Position, market: Market | null): boolean {
  return source === "full" && (fullStopLoss === null || !isWithinTick(fullStopLoss, price, market));
}

function unstatedDoubt(leg: CoverLeg | undefined, { fullStopLoss }: Position): string | null {
  if (leg === undefined) return null;
  const stated = fullStopLoss === null ? "none" : `one at ${print(fullStopLoss)}`;
  return `a stop at ${print(leg.price)} is among the open orders, but the position states ${stated}`;
}

/** What is remembered of a stop that could not be seen again covers nothing; a write may not be looser all the same. */
export function unseenStop({ standingFull }: StopView, reason: string): StopView {
  const nothing = { all: null, inside: null, beyondLiquidation: [], triggered: [] };
  return { ...nothing, standingFull, doubt: reason, isContradicted: false };
}

/**
 * The price has crossed the trigger and the stop still waits: it triggers this moment, or it never will. Where the row
 * does not say by which price it goes, all that are known must have crossed it.
 */
function isOverdue({ price, triggerBy }: CoverLeg, position: Position, market: Market | null): boolean {
  const known = (triggerBy === null ? TRIGGERS : [triggerBy]).flatMap((by) => {
    const base = currentPrice(position, market, by);
    return base === null ? [] : [base];
  });
  return known.length > 0 && known.every((base) => !price.eq(base) && isPast(price, base, position.side, "stop-loss"));
}

/** Without the contract's rules the row's own mark is known all the same. */
function currentPrice(position: Position, market: Market | null, by: TriggerBy): Decimal | null {
  if (market !== null) return basePrice(position, market, by, "stop-loss");
  return by === "MarkPrice" ? position.markPrice : null;
}

function overdueDoubt(leg: CoverLeg | undefined): string | null {
  if (leg === undefined) return null;
  return `its stop at ${print(leg.price)} should have triggered by ${leg.triggerBy ?? "any price"} and still waits`;
}

function tightestFull(position: Position, legs: readonly CoverLeg[]): Decimal | null {
  const evidence = legs.filter((leg) => leg.source === "full").map((leg) => leg.price);
  if (position.fullStopLoss !== null) evidence.push(position.fullStopLoss);
  return evidence.reduce<Decimal | null>(
    (tightest, price) => (tightest === null || isTighterStop(price, tightest, position.side) ? price : tightest),
    null,
  );
}

function ordersDoubt(position: Position, snapshot: Snapshot): string | null {
  const { category, symbol, positionIdx } = position.key;
  const gap = snapshot.gaps.find(
    (hole) =>
      hole.what === "orders" &&
      hole.category === category &&
      (hole.symbols === undefined || hole.symbols.includes(symbol)),
  );
  if (gap !== undefined) return `its open orders could not be read: ${gap.reason}`;
  const row = snapshot.unreadableOrders.find(
    (order) =>
      order.category === category &&
      (order.symbol === null || contractText({ category, symbol: order.symbol }) === contractText(position.key)) &&
      (order.positionIdx === null || order.positionIdx === positionIdx),
  );
  return row === undefined ? null : `one of its open orders cannot be read: ${row.reason}`;
}

/** The row speaks of a Full stop that no open order shows: just set, just gone, or just triggered. */
function unprovenRow(position: Position, legs: readonly CoverLeg[]): string | null {
  const stated = position.fullStopLoss;
  if (stated === null || legs.some((leg) => leg.source === "full")) return null;
  return `the position states a stop at ${stated.toFixed()}, but no such order is open`;
}
