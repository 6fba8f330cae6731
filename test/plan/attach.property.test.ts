/** What attaching never does, for any leg, orders, policy and tick. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Decimal, dec, print } from "../../src/domain/decimal.js";
import type { OpenOrder } from "../../src/domain/order.js";
import { keyText, type Side } from "../../src/domain/position.js";
import { isLooserStop, isPast, roundAwayFromMark } from "../../src/domain/price.js";
import type { Snapshot } from "../../src/domain/snapshot.js";
import { type AmendOrder, planAttach } from "../../src/plan/attach.js";
import { offsetFrom } from "../../src/policy/levels.js";
import { entryPrice, entrySide } from "../../src/policy/order-levels.js";
import type { Protection } from "../../src/policy/protection.js";
import { aStanding, protectionIn, type Standing, violation } from "../builders/arbitrary.js";
import { anInstrument, aTicker } from "../builders/market.js";
import { anEntry } from "../builders/order.js";
import { resolved } from "../builders/policy.js";
import { aSnapshot } from "../builders/snapshot.js";

interface Case {
  readonly snapshot: Snapshot;
  readonly wish: Protection;
  readonly tick: Decimal;
  readonly steps: readonly AmendOrder[];
}

function seldom<T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> {
  return fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: value });
}

/** Prices near the mark, on the tick, as the exchange would hold them. */
function anEntryNear({ mark, tick, position }: Standing): fc.Arbitrary<OpenOrder> {
  const near = (permille: number): string => print(mark.times(permille).div(1_000).div(tick).ceil().times(tick));
  const aPrice = fc.integer({ min: 800, max: 1_200 }).map(near);
  return fc
    .record({
      id: fc.integer({ min: 1, max: 1_000_000 }),
      side: fc.constantFrom<Side>(position.side, position.side, position.side, "long", "short"),
      price: fc.option(aPrice, { freq: 4 }),
      trigger: fc.option(aPrice, { freq: 2 }),
      stop: seldom(aPrice),
      profit: seldom(aPrice),
      quantity: fc.integer({ min: 1, max: 9 }).map(String),
    })
    .map(({ id, stop, ...shape }) => {
      const order = anEntry({ ...shape, orderId: `entry-${id}`, symbol: position.key.symbol });
      const attachedStopLoss = stop === null ? null : dec(stop);
      const isHeld = attachedStopLoss !== null && isRightSide(attachedStopLoss, order);
      return isHeld ? { ...order, attachedStopLoss, attachedMode: "full" as const } : order;
    });
}

function isRightSide(stop: Decimal, order: OpenOrder): boolean {
  const prices = [order.price, order.triggerPrice].filter((price) => price !== null);
  return prices.every((price) => !isPast(stop, price, entrySide(order), "stop-loss"));
}

const aCase: fc.Arbitrary<Case> = aStanding("AUSDT").chain((standing) =>
  fc
    .record({
      entries: fc.uniqueArray(anEntryNear(standing), { maxLength: 5, selector: ({ orderId }) => orderId }),
      isFlat: fc.integer({ min: 0, max: 3 }).map((dice) => dice > 0),
      wish: protectionIn(["create-only", "sync"]),
    })
    .map(({ entries, isFlat, wish }) => caseOf(standing, entries, isFlat, { ...wish, attachToOrders: true })),
);

function caseOf(standing: Standing, entries: readonly OpenOrder[], isFlat: boolean, wish: Protection): Case {
  const { position, tick, mark, last } = standing;
  const snapshot = aSnapshot({
    positions: isFlat ? [] : [position],
    orders: [...entries, ...(isFlat ? [] : standing.orders)],
    instruments: [anInstrument({ symbol: "AUSDT", tick: print(tick) })],
    tickers: [aTicker({ symbol: "AUSDT", mark: print(mark), last: last === null ? null : print(last) })],
  });
  return { snapshot, wish, tick, steps: planFor(snapshot, wish) };
}

function planFor(snapshot: Snapshot, wish: Protection): readonly AmendOrder[] {
  const policyOf = () => resolved({ protection: wish });
  return planAttach({ snapshot, policyOf, nowMs: 1_000_000, isSpokenFor: () => false, leftAlone: new Set() });
}

function orderOf({ orderId }: AmendOrder, { orders }: Snapshot): OpenOrder {
  const found = orders.find((order) => order.orderId === orderId);
  if (found === undefined) throw new RangeError(`no order ${orderId}`);
  return found;
}

function siblings(order: OpenOrder, { orders }: Snapshot): readonly OpenOrder[] {
  return orders.filter(
    ({ symbol, positionIdx, direction, reducesOnly }) =>
      symbol === order.symbol && positionIdx === order.positionIdx && direction === order.direction && !reducesOnly,
  );
}

function everyStep(check: (step: AmendOrder, order: OpenOrder, drawn: Case) => boolean): string | null {
  const steps = fc.property(aCase, (drawn) =>
    drawn.steps.every((step) => check(step, orderOf(step, drawn.snapshot), drawn)),
  );
  return violation(steps, { numRuns: 500 });
}

/** The account once every amendment has had its effect. */
function carriedOut({ snapshot, steps }: Case): Snapshot {
  const byId = new Map(steps.map((step) => [step.orderId, step] as const));
  const orders = snapshot.orders.map((order): OpenOrder => {
    const step = byId.get(order.orderId);
    if (step === undefined) return order;
    const attachedTakeProfit = step.takeProfit?.price ?? order.attachedTakeProfit;
    return { ...order, attachedStopLoss: step.stopLoss.price, attachedTakeProfit, attachedMode: "full" };
  });
  return { ...snapshot, orders };
}

test("the generated legs do give steps of every kind, so that these properties speak of something", () => {
  const kinds = new Set<string>();
  const collect = fc.property(aCase, (drawn) => {
    for (const step of drawn.steps) {
      const order = orderOf(step, drawn.snapshot);
      kinds.add(`${step.side} ${order.kind} ${step.takeProfit === null ? "stop" : "both"}`);
      if (drawn.steps.length > 1) kinds.add("several");
      if (drawn.snapshot.positions.length > 0) kinds.add("beside a position");
      if (siblings(order, drawn.snapshot).some(({ attachedStopLoss: stop }) => stop?.eq(step.stopLoss.price))) {
        kinds.add("another order's stop");
      }
    }
  });
  expect(violation(collect, { seed: 7, numRuns: 2_000 })).toBeNull();
  const entries = ["long", "short"].flatMap((side) => ["plain", "conditional"].map((kind) => `${side} ${kind}`));
  const expected = entries.flatMap((entry) => [`${entry} stop`, `${entry} both`]);
  expect([...kinds].sort()).toEqual([...expected, "several", "beside a position", "another order's stop"].sort());
});

test("no attached stop is looser than one that stands at the position or at another order of the leg", () => {
  expect(
    everyStep(({ stopLoss, side }, order, { snapshot }) => {
      const ofPosition = snapshot.orders.filter(({ kind }) => kind === "full-stop-loss");
      const levels = siblings(order, snapshot).flatMap(({ attachedStopLoss: stop }) => (stop === null ? [] : [stop]));
      return ofPosition.length === 0 && levels.every((level) => !isLooserStop(stopLoss.price, level, side));
    }),
  ).toBeNull();
});

test("all that is attached to one leg is alike, so that no fill loosens the stop of the one before", () => {
  expect(
    everyStep(({ stopLoss, side }, _order, { steps }) =>
      steps.every((other) => other.side !== side || other.stopLoss.price.eq(stopLoss.price)),
    ),
  ).toBeNull();
});

test("every attached level is on the tick and strictly on its side of the order's own price", () => {
  expect(
    everyStep(({ stopLoss, takeProfit, side }, order, { tick }) => {
      const base = entryPrice(order);
      const isProfitFine =
        takeProfit === null ||
        (base !== null && takeProfit.price.mod(tick).isZero() && !isPast(takeProfit.price, base, side, "take-profit"));
      return (
        stopLoss.price.gt(0) && stopLoss.price.mod(tick).isZero() && isRightSide(stopLoss.price, order) && isProfitFine
      );
    }),
  ).toBeNull();
});

test("no attached stop is wider than configured, but for a tick too coarse", () => {
  expect(
    everyStep(({ stopLoss, side }, order, { wish, tick }) => {
      const base = entryPrice(order);
      if (base === null || wish.stopLoss === null) return false;
      const exact = offsetFrom(base, side, wish.stopLoss.distance, "stop-loss");
      return !isLooserStop(stopLoss.price, roundAwayFromMark(exact, tick, side, "stop-loss"), side);
    }),
  ).toBeNull();
});

test("only entry orders without a stop are touched, each once, and never beside a naked position", () => {
  expect(
    everyStep(({ orderId, key }, order, { steps, snapshot }) => {
      const isEntry = !order.reducesOnly && order.attachedStopLoss === null && order.filledQuantity.isZero();
      const position = snapshot.positions.find((one) => keyText(one.key) === keyText(key));
      const isGrown = position === undefined || snapshot.orders.some((each) => each.reducesOnly);
      return isEntry && isGrown && steps.filter((step) => step.orderId === orderId).length === 1;
    }),
  ).toBeNull();
});

test("once carried out, the same account gives no further step", () => {
  const property = fc.property(aCase, (drawn) => planFor(carriedOut(drawn), drawn.wish).length === 0);
  expect(violation(property, { numRuns: 500 })).toBeNull();
});
