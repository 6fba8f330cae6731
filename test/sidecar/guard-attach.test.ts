/** Entry orders under a guard: they get their exits before they fill, and nothing that stands becomes looser by it. */
import { describe, expect, test } from "vitest";
import { dec } from "../../src/domain/decimal.js";
import { leftAloneInMemory } from "../../src/sidecar/attach-memory.js";
import { guarded, orderPush, pushOf } from "../builders/guard.js";
import { instrumentFor } from "../builders/market.js";
import { anEntry } from "../builders/order.js";
import { aPosition } from "../builders/position.js";

const long = aPosition();
const instruments = [instrumentFor(long)];
const contract = { category: "linear", symbol: "BTCUSDT" } as const;

function amendments({ exchange }: Awaited<ReturnType<typeof guarded>>): readonly string[] {
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

test("a fill whose attached stop replaces a tighter one that stood is mended at once: we had attached it", async () => {
  const order = anEntry({ price: "99" });
  const scene = await guarded({ instruments, attachToOrders: true });
  scene.exchange.hand.price("BTCUSDT", "100");
  scene.exchange.hand.order(order);
  scene.pushes(orderPush(order, scene.clock));
  await scene.clock.sleep(3_000);
  expect(amendments(scene)).toEqual(["97.1"]);
  scene.opens(aPosition({ fullStop: "98.5" }));
  await scene.clock.sleep(2_000);
  scene.exchange.hand.cancel(order.orderId);
  scene.exchange.hand.put(aPosition({ size: "2", fullStop: "97.1" }));
  const carriedStop = { positionIdx: 0, side: "long", price: dec("97.1"), triggerBy: "MarkPrice" } as const;
  scene.pushes(
    { kind: "order-gone", contract, orderId: order.orderId, how: "filled", carriedStop, atMs: scene.clock.now() },
    pushOf(aPosition({ size: "2", fullStop: "97.1" }), scene.clock),
  );
  await scene.clock.sleep(3_000);
  expect(scene.exchange.stopOf(long.key)).toBe("98.5");
  await scene.close();
});

test("so is one whose pushes were lost: the next look tells", async () => {
  const order = anEntry({ price: "99" });
  const scene = await guarded({ instruments, attachToOrders: true });
  scene.exchange.hand.price("BTCUSDT", "100");
  scene.exchange.hand.order(order);
  scene.pushes(orderPush(order, scene.clock));
  await scene.clock.sleep(3_000);
  scene.opens(aPosition({ fullStop: "98.5" }));
  await scene.clock.sleep(2_000);
  scene.stream.drops();
  scene.exchange.hand.cancel(order.orderId);
  scene.exchange.hand.put(aPosition({ size: "2", fullStop: "97.1" }));
  scene.guard.wake("schedule");
  await scene.clock.sleep(5_000);
  expect(scene.exchange.stopOf(long.key)).toBe("98.5");
  await scene.close();
});

test("so is one whose position is told of before its order", async () => {
  const order = anEntry({ price: "99" });
  const scene = await guarded({ instruments, attachToOrders: true });
  scene.exchange.hand.price("BTCUSDT", "100");
  scene.exchange.hand.order(order);
  scene.pushes(orderPush(order, scene.clock));
  await scene.clock.sleep(3_000);
  scene.opens(aPosition({ fullStop: "98.5" }));
  await scene.clock.sleep(2_000);
  scene.exchange.hand.cancel(order.orderId);
  const grown = aPosition({ size: "2", fullStop: "97.1" });
  scene.exchange.hand.put(grown);
  scene.pushes(pushOf(grown, scene.clock));
  const carriedStop = { positionIdx: 0, side: "long", price: dec("97.1"), triggerBy: "MarkPrice" } as const;
  const gone = { kind: "order-gone", contract, orderId: order.orderId, how: "filled", carriedStop } as const;
  scene.pushes({ ...gone, atMs: scene.clock.now() });
  await scene.clock.sleep(3_000);
  expect(scene.exchange.stopOf(long.key)).toBe("98.5");
  await scene.close();
});

test("so is one whose exits were attached by the process before this one", async () => {
  const leftAlone = leftAloneInMemory();
  const order = anEntry({ price: "99", stop: "97.1" });
  leftAlone.add(order.orderId, "its exits were sent once: acknowledged");
  const positions = [aPosition({ fullStop: "98.5" })];
  const scene = await guarded({ positions, orders: [order], attachToOrders: true, leftAlone });
  scene.stream.drops();
  scene.exchange.hand.cancel(order.orderId);
  scene.exchange.hand.put(aPosition({ size: "2", fullStop: "97.1" }));
  scene.guard.wake("schedule");
  await scene.clock.sleep(5_000);
  expect(scene.exchange.stopOf(long.key)).toBe("98.5");
  await scene.close();
});

test("one that the bot has brought itself stays as the bot wanted it", async () => {
  const order = anEntry({ price: "99", stop: "97.1" });
  const positions = [aPosition({ fullStop: "98.5" })];
  const scene = await guarded({ positions, orders: [order], attachToOrders: true });
  scene.exchange.hand.cancel(order.orderId);
  scene.exchange.hand.put(aPosition({ size: "2", fullStop: "97.1" }));
  scene.guard.wake("schedule");
  await scene.clock.sleep(5_000);
  expect(scene.exchange.stopOf(long.key)).toBe("97.1");
  await scene.close();
});

test.each(["report-only", "refused"])("and nothing is put back: %s", async (why) => {
  const leftAlone = leftAloneInMemory();
  const order = anEntry({ price: "99", stop: "97.1" });
  leftAlone.add(order.orderId, `its exits were sent once: ${why === "refused" ? "refused" : "acknowledged"}`);
  const protection = why === "refused" ? {} : ({ mode: "report-only" } as const);
  const positions = [aPosition({ fullStop: "98.5" })];
  const scene = await guarded({ positions, orders: [order], attachToOrders: true, leftAlone, protection });
  scene.exchange.hand.cancel(order.orderId);
  scene.exchange.hand.put(aPosition({ size: "2", fullStop: "97.1" }));
  scene.guard.wake("schedule");
  await scene.clock.sleep(5_000);
  expect(scene.exchange.writes).toEqual([]);
  await scene.close();
});
