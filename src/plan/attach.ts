/** Which resting entry orders get their exits before they fill, and at which levels: never one that would loosen a stop. */
import type { Decimal } from "../domain/decimal.js";
import type { OpenOrder } from "../domain/order.js";
import { keyText, type PositionKey, type Side } from "../domain/position.js";
import { isTighterStop } from "../domain/price.js";
import type { Snapshot } from "../domain/snapshot.js";
import { entryPrice, orderStop, orderTakeProfit, unfit } from "../policy/order-levels.js";
import type { ResolvedPolicy } from "../policy/resolve.js";
import {
  type Amendable,
  type EntryLeg,
  entryLegs,
  type LegState,
  legState,
  mayAmend,
  type OrderCircumstances,
} from "./entry.js";
import type { StepLevel } from "./step.js";

/** Gives an order that would open or grow a position the exits that stand from its fill on. */
export interface AmendOrder {
  readonly action: "amend-order";
  /** The leg that the order would open or grow. */
  readonly key: PositionKey;
  readonly side: Side;
  readonly orderId: string;
  readonly stopLoss: StepLevel;
  /** Null: left alone. */
  readonly takeProfit: StepLevel | null;
  readonly reason: "stop-missing";
}

export interface AttachInput extends OrderCircumstances {
  readonly snapshot: Snapshot;
  readonly policyOf: (key: PositionKey, side: Side) => ResolvedPolicy;
}

/** At most one step per order; those that would open the largest value come first. */
export function planAttach(input: AttachInput): readonly AmendOrder[] {
  const drafts = entryLegs(input.snapshot).flatMap((leg) => {
    const state = legState(leg, input.snapshot, input.policyOf);
    return state === null ? [] : draftsFor(leg, state, input);
  });
  return drafts.sort(valueOrder).map(({ step }) => step);
}

interface Draft {
  readonly order: Amendable;
  readonly step: AmendOrder;
}

/**
 * The Full stop of the order that fills last is the position's, whatever stood before. So every order of a leg gets
 * the tightest stop among them or none: the orders are taken tightest first, and each one raises the bar for the rest.
 */
function draftsFor(leg: EntryLeg, state: LegState, circumstances: OrderCircumstances): readonly Draft[] {
  let tightest = tightestAttached(leg);
  let { hasTakeProfit } = state;
  const drafts: Draft[] = [];
  for (const { order, own } of candidates(leg, state, circumstances)) {
    const stop = tightest === null || isTighterStop(own.price, tightest, leg.side) ? own : { ...own, price: tightest };
    if (unfit(stop.price, order, state.market, stop.triggerBy) !== null) continue;
    const takeProfit = hasTakeProfit ? null : wantedTakeProfit(order, state);
    drafts.push({ order, step: stepFor(leg, order, stop, takeProfit) });
    tightest = stop.price;
    hasTakeProfit ||= takeProfit !== null;
  }
  return drafts;
}

interface Candidate {
  readonly order: Amendable;
  /** What the order would get if it were alone. */
  readonly own: StepLevel;
}

function candidates(leg: EntryLeg, state: LegState, circumstances: OrderCircumstances): readonly Candidate[] {
  const found = leg.orders
    .filter((order) => mayAmend(order, state.policy, circumstances))
    .filter((order) => !circumstances.isSpokenFor(leg.key, leg.side, order))
    .flatMap((order) => {
      const wanted = orderStop(order, state.policy.protection, state.market);
      return wanted.kind === "level" ? [{ order, own: { price: wanted.price, triggerBy: wanted.triggerBy } }] : [];
    });
  return found.sort((one, other) => {
    const byPrice = leg.side === "long" ? other.own.price.cmp(one.own.price) : one.own.price.cmp(other.own.price);
    return byPrice === 0 ? idOrder(one.order, other.order) : byPrice;
  });
}

function tightestAttached({ orders, side }: EntryLeg): Decimal | null {
  return orders.reduce<Decimal | null>((tightest, { attachedStopLoss: price }) => {
    if (price === null) return tightest;
    return tightest === null || isTighterStop(price, tightest, side) ? price : tightest;
  }, null);
}

/** A take-profit never endangers a stop: one that cannot be had is left out. */
function wantedTakeProfit(order: OpenOrder, { policy, market }: LegState): StepLevel | null {
  const wanted = orderTakeProfit(order, policy.protection, market);
  return wanted.kind === "level" ? { price: wanted.price, triggerBy: wanted.triggerBy } : null;
}

function stepFor({ key, side }: EntryLeg, { orderId }: OpenOrder, stopLoss: StepLevel, takeProfit: StepLevel | null) {
  return { action: "amend-order", key, side, orderId, stopLoss, takeProfit, reason: "stop-missing" } as const;
}

/** An inverse contract's quantity is its value (one contract is one USD). */
function valueOf({ order }: Draft): Decimal {
  const price = order.category === "inverse" ? null : entryPrice(order);
  return price === null ? order.quantity : order.quantity.times(price);
}

function valueOrder(one: Draft, other: Draft): number {
  const byValue = valueOf(other).cmp(valueOf(one));
  if (byValue !== 0) return byValue;
  const byAge = one.order.createdAtMs - other.order.createdAtMs;
  if (byAge !== 0) return byAge;
  const byKey = keyText(one.step.key).localeCompare(keyText(other.step.key));
  return byKey === 0 ? idOrder(one.order, other.order) : byKey;
}

function idOrder(one: OpenOrder, other: OpenOrder): number {
  return one.orderId.localeCompare(other.orderId);
}
