/** What was sent before a crash is ours where a look shows it: at its price, by its trigger, as the Full exit. */
import { expect, test } from "vitest";
import { dec } from "../../src/domain/decimal.js";
import { UNWRITTEN_LIFE, type UnprovenStep } from "../../src/domain/life.js";
import { inMemory } from "../../src/ledger/memory.js";
import type { OpenOrder } from "../../src/domain/order.js";
import { foundStanding } from "../../src/verify/unproven.js";
import { fullStop, partialStop, takeProfit } from "../builders/order.js";
import { play, told } from "../builders/pass.js";
import { aPosition } from "../builders/position.js";
import { firstOf } from "../builders/snapshot.js";

const long = aPosition();

function sent(entryId: number, stop: string | null, profit: string | null = null): UnprovenStep {
  return {
    entryId,
    stopLoss: stop === null ? null : { price: dec(stop), triggerBy: "MarkPrice" },
    takeProfit: profit === null ? null : { price: dec(profit), triggerBy: "LastPrice" },
  };
}

/** What is wanted from now on. */
const set = { stopLoss: { price: dec("98"), triggerBy: "MarkPrice" }, takeProfit: null, size: dec("1") } as const;

function found(orders: readonly OpenOrder[], ...unproven: readonly UnprovenStep[]) {
  return foundStanding(firstOf({ positions: [long], orders }, { life: { unproven } }));
}

test("a step whose levels stand is found, with both or with the one that stands", () => {
  const both = [fullStop(long, "98"), takeProfit(long, "104")];
  expect(found(both, sent(7, "98", "104"))).toEqual({
    steps: [sent(7, "98", "104")],
    change: { ourStopLoss: dec("98"), learned: set, ourTakeProfit: dec("104") },
  });
  expect(found([fullStop(long, "98")], sent(7, "98", "104"))).toEqual({
    steps: [sent(7, "98")],
    change: { ourStopLoss: dec("98"), learned: set },
  });
});

test("a take-profit alone is found, and no stop is taken for ours by it", () => {
  expect(found([takeProfit(long, "104")], sent(7, null, "104"))).toEqual({
    steps: [sent(7, null, "104")],
    change: { ourTakeProfit: dec("104") },
  });
});

test("a stop and a take-profit that were sent apart are both ours, in either order", () => {
  const both = [fullStop(long, "98"), takeProfit(long, "104")];
  const change = { ourStopLoss: dec("98"), learned: set, ourTakeProfit: dec("104") };
  expect(found(both, sent(7, "98"), sent(8, null, "104")).change).toEqual(change);
  expect(found(both, sent(7, null, "104"), sent(8, "98")).change).toEqual(change);
});

test("of several the one that stands is found", () => {
  expect(found([fullStop(long, "97")], sent(7, "97"), sent(8, "98")).steps).toEqual([sent(7, "97")]);
});

test.each<readonly [string, readonly OpenOrder[]]>([
  ["nothing stands", []],
  ["another level stands", [fullStop(long, "98.1")]],
  ["it stands by another trigger", [fullStop(long, "98", { triggerBy: "LastPrice" })]],
  ["a Partial leg stands there", [partialStop(long, "98", "1")]],
])("nothing is found where %s", (_what, orders) => {
  expect(found(orders, sent(7, "98"))).toEqual({ steps: [], change: {} });
});

test("the pass that sees it calls it ours and has it written down once", async () => {
  const memory = inMemory();
  let unproven: readonly UnprovenStep[] = [sent(7, "98")];
  const steps: UnprovenStep[] = [];
  const { report } = await play({
    positions: [aPosition({ fullStop: "98" })],
    pass: {
      memory: {
        ...memory,
        recall: (position) => ({ ...UNWRITTEN_LIFE, ...memory.recall(position), complete: true, unproven }),
        remember: (position, change) => {
          memory.remember(position, change);
          if (change.ourStopLoss !== undefined) unproven = [];
        },
      },
      journal: {
        intended: () => Promise.resolve(),
        answered: () => undefined,
        found: (one) => void steps.push(...one),
      },
    },
  });
  expect(told(report, long.key)).toMatchObject({ stopLoss: { origin: "ours" } });
  expect(steps).toEqual([sent(7, "98")]);
});
