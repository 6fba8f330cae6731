/** How a guard treats what somebody wants for a position, and who else has a hand in it, over time. */
import { expect, test } from "vitest";
import { dec } from "../../src/domain/decimal.js";
import type { PositionIntent } from "../../src/domain/intent.js";
import { inMemory, type Memory } from "../../src/ledger/memory.js";
import { type GuardScene, guarded, orderPush, pushOf, stopWrites } from "../builders/guard.js";
import { fullStop } from "../builders/order.js";
import { aPosition } from "../builders/position.js";

const long = aPosition();
const { key } = long;

/** Remembers as usual, with an intent that can be set and ended at any time. */
function withIntent(initial: Partial<PositionIntent> | null) {
  const memory = inMemory();
  const blank = { id: "i-1", stopLoss: null, takeProfit: null, waiver: null, mayLoosenFrom: null, who: "bot" };
  let wish = initial;
  const wrapped: Memory = {
    recall: (position) => ({ ...memory.recall(position), intent: wish === null ? null : { ...blank, ...wish } }),
    remember: (position, change) => memory.remember(position, change),
    openContracts: (account) => memory.openContracts(account),
  };
  return {
    memory: wrapped,
    want: (next: Partial<PositionIntent> | null) => {
      wish = next;
    },
  };
}

function withMemory(memory: Memory, scene: GuardScene = {}) {
  return guarded({ ...scene, pass: { ...scene.pass, memory } });
}

test("a position opens with the stop of its intent, straight from the push", async () => {
  const { memory } = withIntent({ stopLoss: dec("95.5") });
  const scene = await withMemory(memory);
  scene.opens(long);
  await scene.clock.sleep(2_000);
  expect(stopWrites(scene, key)).toEqual(["95.5"]);
  await scene.close();
});

test("a stop that is loosened by name stays loosened, whatever is told late of the old one", async () => {
  const wish = withIntent(null);
  const standing = aPosition({ fullStop: "97" });
  const scene = await withMemory(wish.memory, { positions: [standing], latencyMs: 100 });
  wish.want({ stopLoss: dec("95"), mayLoosenFrom: dec("97") });
  scene.guard.wake("asked");
  await scene.clock.sleep(150);
  scene.pushes(orderPush(fullStop(long, "97", { createdAtMs: 10_000 }), scene.clock), pushOf(standing, scene.clock));
  await scene.clock.sleep(10_000);
  expect(stopWrites(scene, key)).toEqual(["95"]);
  expect(scene.exchange.stopOf(key)).toBe("95");
  await scene.close();
});

test("a hand that tightens while a stop is being loosened by name gets its own back", async () => {
  const wish = withIntent(null);
  const standing = aPosition({ fullStop: "97" });
  const scene = await withMemory(wish.memory, { positions: [standing], latencyMs: 100 });
  wish.want({ stopLoss: dec("95"), mayLoosenFrom: dec("97") });
  scene.guard.wake("asked");
  await scene.clock.sleep(150);
  scene.pushes(orderPush(fullStop(long, "98", { createdAtMs: 10_000 }), scene.clock));
  await scene.clock.sleep(10_000);
  expect(stopWrites(scene, key)).toEqual(["95", "98"]);
  await scene.close();
});

test("a hand that tightens after a stop was loosened by name is not loosened again", async () => {
  const wish = withIntent({ stopLoss: dec("95"), mayLoosenFrom: dec("97") });
  const scene = await withMemory(wish.memory, { positions: [aPosition({ fullStop: "97" })] });
  expect(scene.exchange.stopOf(key)).toBe("95");
  scene.exchange.hand.setStop(key, "96");
  scene.guard.wake("asked");
  await scene.clock.sleep(5_000);
  expect(scene.exchange.stopOf(key)).toBe("96");
  await scene.close();
});

test("nor is one that is loosened inside a liquidation estimate which has moved before any look showed it", async () => {
  const wish = withIntent({ stopLoss: dec("80"), mayLoosenFrom: dec("98") });
  const deep = (stands: string, liquidation: string) => aPosition({ fullStop: stands, liquidation });
  let isWritten = false;
  const scene = await withMemory(wish.memory, {
    positions: [deep("98", "90")],
    marginMode: "cross",
    beforeWrite: () => void (isWritten = true),
    beforeRead: (_nth, hand) => {
      if (isWritten) hand.put(deep("90.5", "90.2"));
      isWritten = false;
    },
  });
  expect(stopWrites(scene, key)).toEqual(["90.5"]);
  scene.exchange.hand.put(deep("95", "90.2"));
  scene.guard.wake("asked");
  await scene.clock.sleep(5_000);
  expect(scene.exchange.stopOf(key)).toBe("95");
  await scene.close();
});

test.each([
  ["a learned level", null],
  ["an intent that has stood", { stopLoss: dec("97") }],
])("a hand that loosens a stop again and again from %s is answered three times an hour", async (_what, wish) => {
  const { memory } = withIntent(wish);
  const protection = { mode: "sync", stopLoss: { distance: dec("0.05"), triggerBy: "MarkPrice" } } as const;
  const scene = await withMemory(memory, { positions: [aPosition({ fullStop: "97" })], protection });
  const loosen = async () => {
    scene.exchange.hand.setStop(key, "96");
    scene.guard.wake("asked");
    await scene.clock.sleep(60_000);
  };
  for (let round = 0; round < 6; round += 1) await loosen();
  expect(stopWrites(scene, key)).toEqual(["97", "97", "97"]);
  expect(scene.exchange.stopOf(key)).toBe("96");
  await scene.clock.sleep(3_600_000);
  await loosen();
  expect(stopWrites(scene, key)).toHaveLength(4);
  await scene.close();
});

test("a wall clock that steps ahead brings no fourth time within the hour", async () => {
  const { memory } = withIntent(null);
  const protection = { mode: "sync", stopLoss: { distance: dec("0.05"), triggerBy: "MarkPrice" } } as const;
  let aheadMs = 0;
  const positions = [aPosition({ fullStop: "97" })];
  const scene = await withMemory(memory, { positions, protection, wallAheadMs: () => aheadMs });
  for (let round = 0; round < 4; round += 1) {
    if (round === 3) aheadMs = 3_600_000;
    scene.exchange.hand.setStop(key, "96");
    scene.guard.wake("asked");
    await scene.clock.sleep(60_000);
  }
  expect(stopWrites(scene, key)).toEqual(["97", "97", "97"]);
  await scene.close();
});

test("where an intent waits for an order, a position waits half a second for its fill, and no longer", async () => {
  const wish = withIntent(null);
  const filled: string[] = [];
  const orderIntents = {
    filled: (link: string) => void filled.push(link),
    resting: () => undefined,
    isAwaited: () => true,
    waitsFor: () => true,
  };
  const scene = await withMemory(wish.memory, { orderIntents });
  const openedMs = scene.clock.now();
  scene.opens(long);
  await scene.clock.sleep(2_000);
  expect(stopWrites(scene, key)).toEqual(["98"]);
  expect((scene.exchange.writes[0]?.atMs ?? 0) - openedMs).toBeGreaterThanOrEqual(500);
  const execution = {
    execId: "e1",
    orderId: "o1",
    orderLinkId: "bot-7",
    direction: "buy",
    atMs: scene.clock.now(),
    fromStopLoss: false,
    closes: false,
  } as const;
  scene.pushes({ kind: "execution", contract: key, execution });
  scene.pushes({ kind: "execution", contract: key, execution: { ...execution, execId: "e2", closes: true } });
  expect(filled).toEqual(["bot-7"]);
  await scene.close();
});
