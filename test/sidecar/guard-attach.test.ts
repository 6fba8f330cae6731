/** Entry orders under a guard: they get their exits before they fill, and nothing that stands becomes looser by it. */
import { describe, expect, test } from "vitest";
import { dec } from "../../src/domain/decimal.js";
import type { PositionKey, Side } from "../../src/domain/position.js";
import type { Mode } from "../../src/policy/protection.js";
import { leftAloneInMemory } from "../../src/sidecar/attach-memory.js";
import { guarded, type GuardScene, orderPush, pushOf } from "../builders/guard.js";
import { instrumentFor } from "../builders/market.js";
import { anEntry } from "../builders/order.js";
import { aPosition } from "../builders/position.js";

const long = aPosition();
const instruments = [instrumentFor(long)];
const contract = { category: "linear", symbol: "BTCUSDT" } as const;

type Scene = Awaited<ReturnType<typeof guarded>>;

function amendments({ exchange }: Scene): readonly string[] {
  return exchange.writes.flatMap((write) => (write.kind === "attach" ? [write.request.stopLoss.price.toFixed()] : []));
}

describe("a resting entry order", () => {
  test("that was there at the start gets its stop, once", async () => {
    const scene = await guarded({ instruments, attachToOrders: true, orders: [anEntry({ price: "99" })] });
    scene.exchange.hand.price("BTCUSDT", "100");
    scene.guard.wake("schedule");
    await scene.clock.sleep(5_000);
    scene.guard.wake("schedule");
    await scene.clock.sleep(5_000);
    expect(amendments(scene)).toEqual(["97.1"]);
    await scene.close();
  });

  test("that is placed later is looked at when it is pushed", async () => {
    const scene = await guarded({ instruments, attachToOrders: true });
    scene.exchange.hand.price("BTCUSDT", "100");
    const order = anEntry({ price: "99" });
    scene.exchange.hand.order(order);
    scene.pushes(orderPush(order, scene.clock));
    await scene.clock.sleep(3_000);
    expect(amendments(scene)).toEqual(["97.1"]);
    await scene.close();
  });

  test("is left alone without attachToOrders, in a dry run, and while it is paused", async () => {
    for (const scene of [
      await guarded({ orders: [anEntry({ price: "99" })] }),
      await guarded({ instruments, attachToOrders: true, orders: [anEntry({ price: "99" })], paused: () => "by hand" }),
    ]) {
      scene.exchange.hand.price("BTCUSDT", "100");
      scene.guard.wake("schedule");
      await scene.clock.sleep(5_000);
      expect(scene.exchange.writes).toEqual([]);
      await scene.close();
    }
  });
});

test("an order for whose position an intent waits is left alone until none waits any more", async () => {
  let isWaiting = true;
  const orderIntents = {
    filled: () => undefined,
    resting: () => undefined,
    isAwaited: () => false,
    waitsFor: ({ symbol }: PositionKey, side: Side, link: string) =>
      isWaiting && symbol === "BTCUSDT" && side === "long" && link === "link-1",
  };
  const orders = [anEntry({ price: "99", orderLinkId: "link-1" })];
  const scene = await guarded({ instruments, attachToOrders: true, orders, orderIntents });
  scene.exchange.hand.price("BTCUSDT", "100");
  for (const expected of [[], ["97.1"]]) {
    scene.guard.wake("schedule");
    await scene.clock.sleep(5_000);
    expect(amendments(scene)).toEqual(expected);
    isWaiting = false;
  }
  await scene.close();
});

const order = anEntry({ price: "99" });
const grown = aPosition({ size: "2", fullStop: "97.1" });
const carriedStop = { positionIdx: 0, side: "long", price: dec("97.1"), triggerBy: "MarkPrice" } as const;
const gone = { kind: "order-gone", contract, orderId: order.orderId, how: "filled", carriedStop } as const;

/** We have attached 97.1 to an entry order that rests. */
async function attached(more: GuardScene = {}): Promise<Scene> {
  const scene = await guarded({ instruments, attachToOrders: true, ...more });
  scene.exchange.hand.price("BTCUSDT", "100");
  scene.exchange.hand.order(order);
  scene.pushes(orderPush(order, scene.clock));
  await scene.clock.sleep(3_000);
  expect(amendments(scene)).toEqual(["97.1"]);
  return scene;
}

/** We have attached 97.1 to an entry order, another hand has set 98.5, and the order fills. */
async function replaced(untilFilled: (scene: Scene) => void = () => undefined, more: GuardScene = {}): Promise<Scene> {
  const scene = await attached(more);
  scene.opens(aPosition({ fullStop: "98.5" }));
  await scene.clock.sleep(2_000);
  untilFilled(scene);
  fills(scene);
  return scene;
}

function fills({ exchange: { hand } }: Scene): void {
  hand.cancel(order.orderId);
  hand.put(grown);
}

test("a fill whose attached stop replaces a tighter one that stood is mended at once: we had attached it", async () => {
  const scene = await replaced();
  scene.pushes({ ...gone, atMs: scene.clock.now() }, pushOf(grown, scene.clock));
  await scene.clock.sleep(3_000);
  expect(scene.exchange.stopOf(long.key)).toBe("98.5");
  await scene.close();
});

test.each([
  ["by the push of the order", (scene: Scene) => scene.pushes({ ...gone, atMs: scene.clock.now() })],
  ["by the push of the position", (scene: Scene) => scene.pushes(pushOf(grown, scene.clock))],
  ["by a look", ({ guard, stream }: Scene) => [stream.drops(), guard.wake("schedule")]],
])("what is put back goes by the price that it went by (told %s)", async (_how, tells) => {
  const scene = await attached();
  scene.opens(aPosition({ fullStop: "98.5" }));
  scene.exchange.hand.setStop(long.key, "98.5", "LastPrice");
  await scene.clock.sleep(2_000);
  fills(scene);
  tells(scene);
  await scene.clock.sleep(3_000);
  const putBack = scene.exchange.writes.flatMap(({ request }) => ("stopLoss" in request ? [request.stopLoss] : []));
  expect(putBack.at(-1)).toMatchObject({ price: dec("98.5"), triggerBy: "LastPrice" });
  await scene.close();
});

test("so is one whose pushes were lost: the next look tells", async () => {
  const scene = await replaced(({ stream }) => stream.drops());
  scene.guard.wake("schedule");
  await scene.clock.sleep(5_000);
  expect(scene.exchange.stopOf(long.key)).toBe("98.5");
  await scene.close();
});

test("so is one whose position is told of before its order", async () => {
  const scene = await replaced();
  scene.pushes(pushOf(grown, scene.clock));
  scene.pushes({ ...gone, atMs: scene.clock.now() });
  await scene.clock.sleep(3_000);
  expect(scene.exchange.stopOf(long.key)).toBe("98.5");
  await scene.close();
});

/** A process that finds an entry order with 97.1 attached, beside 98.5 that stands; then the order fills. */
async function found(remembered: string | null, mode: Mode = "create-only"): Promise<Scene> {
  const leftAlone = leftAloneInMemory();
  if (remembered !== null) leftAlone.add(order.orderId, `its exits were sent once: ${remembered}`);
  const positions = [aPosition({ fullStop: "98.5" })];
  const orders = [anEntry({ price: "99", stop: "97.1" })];
  const scene = await guarded({ positions, orders, attachToOrders: true, leftAlone, protection: { mode } });
  fills(scene);
  scene.guard.wake("schedule");
  await scene.clock.sleep(5_000);
  return scene;
}

test("so is one whose exits were attached by the process before this one", async () => {
  const scene = await found("acknowledged");
  expect(scene.exchange.stopOf(long.key)).toBe("98.5");
  await scene.close();
});

test.each([
  ["where the bot has brought the stop itself", null, "create-only"],
  ["where ours was refused, so that it is the bot's", "refused", "create-only"],
  ["in report-only", "acknowledged", "report-only"],
] as const)("nothing is put back %s", async (_what, remembered, mode) => {
  const scene = await found(remembered, mode);
  expect(scene.exchange.writes).toEqual([]);
  await scene.close();
});

test("nothing is put back, and nobody is told that it is, while it is paused", async () => {
  let isPaused = false;
  const scene = await replaced(() => (isPaused = true), { paused: () => (isPaused ? "by hand" : null) });
  scene.pushes({ ...gone, atMs: scene.clock.now() }, pushOf(grown, scene.clock));
  await scene.clock.sleep(3_000);
  expect(scene.exchange.stopOf(long.key)).toBe("97.1");
  expect(scene.events.filter(({ kind }) => kind === "mended")).toEqual([]);
  await scene.close();
});

test("the same level is another hand's once the order that it was attached to has long been gone", async () => {
  const scene = await attached();
  scene.exchange.hand.cancel(order.orderId);
  scene.opens(aPosition({ fullStop: "98.5" }));
  for (const minutes of [1, 3]) {
    await scene.clock.sleep(minutes * 60_000);
    scene.guard.wake("schedule");
    await scene.clock.sleep(5_000);
  }
  const moved = aPosition({ fullStop: "97.1" });
  scene.exchange.hand.put(moved);
  scene.pushes(pushOf(moved, scene.clock));
  await scene.clock.sleep(5_000);
  expect(scene.exchange.stopOf(long.key)).toBe("97.1");
  await scene.close();
});

test("what it has brought is mended by the first look that shows it, however late that comes", async () => {
  const scene = await attached();
  scene.opens(aPosition({ fullStop: "98.5" }));
  await scene.clock.sleep(2_000);
  // The list of positions is older than that of orders.
  scene.exchange.hand.cancel(order.orderId);
  scene.guard.wake("schedule");
  await scene.clock.sleep(180_000);
  scene.exchange.hand.put(grown);
  scene.guard.wake("schedule");
  await scene.clock.sleep(5_000);
  expect(scene.exchange.stopOf(long.key)).toBe("98.5");
  await scene.close();
});
