/** The one thing that is decided from a push: adding a stop where none stands. */
import { describe, expect, test } from "vitest";
import { dec } from "../../src/domain/decimal.js";
import {
  type Fate,
  failure,
  lie,
  lostWithEffect,
  lostWithoutEffect,
  refuses,
  truth,
} from "../builders/fake-exchange.js";
import { UNWRITTEN_LIFE } from "../../src/domain/life.js";
import type { TriggerBy } from "../../src/domain/position.js";
import { stopAtOnce } from "../../src/sidecar/at-once.js";
import { instrumentFor } from "../builders/market.js";
import { guarded, orderPush, pushOf, stopWrites } from "../builders/guard.js";
import { anEntry, conditionalStop } from "../builders/order.js";
import { aProtection, resolved, takeProfitAt } from "../builders/policy.js";
import { aPosition, aShort } from "../builders/position.js";

const long = aPosition({ openedAtMs: 2_000 });
const { key } = long;

describe("a position that opens while the stream is live", () => {
  test("gets its stop in the moment of the push, before anything is read", async () => {
    const scene = await guarded();
    const { exchange, clock } = scene;
    const reads = exchange.reads.length;
    const pushedAtMs = clock.now();
    scene.opens(long);
    await clock.sleep(1);
    expect(exchange.writes).toMatchObject([{ kind: "trading-stop", atMs: pushedAtMs, request: { side: "long" } }]);
    expect(exchange.reads).toHaveLength(reads);
    await clock.sleep(3_000);
    expect(exchange.stopOf(key)).toBe("98");
    expect(stopWrites(scene, key)).toEqual(["98"]);
    await scene.close();
  });

  test("gets its take-profit only after a read", async () => {
    const scene = await guarded({ protection: { takeProfit: takeProfitAt("0.04") } });
    const { exchange, clock } = scene;
    const reads = exchange.reads.length;
    scene.opens(long);
    await clock.sleep(3_000);
    const [first, second] = exchange.writes;
    expect(first?.request).not.toHaveProperty("takeProfit");
    expect(second?.request).not.toHaveProperty("stopLoss");
    expect(exchange.reads[reads]?.atMs).toBeLessThanOrEqual(second?.atMs ?? 0);
    expect(exchange.takeProfitOf(key)).toBe("104");
    await scene.close();
  });

  test("is proven by a read that was asked for after the write", async () => {
    const scene = await guarded();
    scene.opens(long);
    await scene.clock.sleep(3_000);
    const outcomes = scene.events.flatMap((event) => (event.kind === "outcome" ? [event.record.outcome] : []));
    expect(outcomes).toEqual(["confirmed"]);
    expect(scene.events.filter(({ kind }) => kind === "protected")).toHaveLength(1);
    await scene.close();
  });

  test("gives each leg of a hedge its own stop", async () => {
    const scene = await guarded();
    scene.opens(aPosition({ positionIdx: 1 }));
    scene.opens(aShort({ positionIdx: 2 }));
    await scene.clock.sleep(3_000);
    expect(scene.exchange.stopOf(aPosition({ positionIdx: 1 }).key)).toBe("98");
    expect(scene.exchange.stopOf(aShort({ positionIdx: 2 }).key)).toBe("102");
    expect(scene.exchange.writes).toHaveLength(2);
    await scene.close();
  });

  test("that flips gets a stop on its new side", async () => {
    const scene = await guarded();
    scene.opens(long);
    await scene.clock.sleep(3_000);
    scene.opens(aShort({ openedAtMs: 3_000 }));
    await scene.clock.sleep(3_000);
    expect(scene.exchange.writes.map(({ request }) => request.side)).toEqual(["long", "short"]);
    expect(scene.exchange.stopOf(key)).toBe("102");
    expect(scene.lives()).toEqual(["opened BTCUSDT long 1", "flipped BTCUSDT short 1"]);
    await scene.close();
  });

  test("and opens anew again and again is protected every time", async () => {
    const scene = await guarded();
    for (let nth = 1; nth <= 6; nth += 1) {
      scene.opens(aPosition({ openedAtMs: 1_000 * nth }));
      await scene.clock.sleep(1_500);
      expect(scene.exchange.stopOf(key)).toBe("98");
      scene.exchange.hand.close(key);
      scene.pushes({ kind: "position-flat", key, atMs: scene.clock.now() });
      await scene.clock.sleep(500);
    }
    await scene.close();
  });
});

describe("nothing is sent from a push", () => {
  test("that shows a stop", async () => {
    const scene = await guarded();
    scene.opens(aPosition({ fullStop: "97" }));
    await scene.clock.sleep(3_000);
    expect(scene.exchange.writes).toEqual([]);
    await scene.close();
  });

  test("where a conditional order covers the position", async () => {
    const scene = await guarded({ orders: [conditionalStop(long, "97", "1")] });
    scene.opens(long);
    await scene.clock.sleep(3_000);
    expect(scene.exchange.writes).toEqual([]);
    await scene.close();
  });

  test("where a conditional order that covers it was pushed a moment ago", async () => {
    const scene = await guarded({ latencyMs: 200 });
    scene.pushes(orderPush(conditionalStop(long, "97", "1"), scene.clock));
    const before = scene.exchange.reads.length;
    scene.opens(long);
    await scene.clock.sleep(10);
    expect(scene.exchange.writes).toEqual([]);
    await scene.clock.sleep(600);
    expect(scene.exchange.reads.length).toBeGreaterThan(before);
    await scene.close();
  });

  test.each([
    ["its level is past", { position: aPosition({ entry: "110", mark: "100" }) }],
    ["the exchange is liquidating it", { position: aPosition({ state: "liquidating" as const }) }],
    ["the mark price is not told", { position: aPosition({ mark: null }) }],
  ])("where %s: a read decides", async (_why, { position }) => {
    const scene = await guarded();
    scene.opens(position);
    await scene.clock.sleep(1);
    expect(scene.exchange.writes).toEqual([]);
    await scene.close();
  });

  test("that waited for seconds in a process that stood still: a read decides", async () => {
    const scene = await guarded({ positions: [aPosition({ symbol: "ETHUSDT", fullStop: "98" })] });
    const { exchange, clock } = scene;
    scene.pushesStop(aPosition({ symbol: "ETHUSDT" }), "98");
    await clock.sleep(1_000);
    exchange.hand.put(long);
    scene.pushes({ kind: "position-open", position: long, atMs: clock.now() - 60_000 });
    await clock.sleep(1);
    expect(exchange.writes).toEqual([]);
    await clock.sleep(3_000);
    expect(exchange.stopOf(key)).toBe("98");
    await scene.close();
  });

  test("that tells late of a position which is gone: it is not called open", async () => {
    const scene = await guarded({ positions: [aPosition({ symbol: "ETHUSDT", fullStop: "98" })] });
    const { clock } = scene;
    scene.pushesStop(aPosition({ symbol: "ETHUSDT" }), "98");
    await clock.sleep(1_000);
    scene.pushes({ kind: "position-open", position: long, atMs: clock.now() - 60_000 });
    await clock.sleep(3_000);
    expect(scene.lives()).not.toContain("opened BTCUSDT long 1");
    expect(scene.exchange.writes).toEqual([]);
    await scene.close();
  });

  test("before the open orders have been seen whole", async () => {
    const scene = await guarded({ hidesOtherOrders: true });
    const reads = scene.exchange.reads.length;
    scene.opens(long);
    await scene.clock.sleep(1);
    expect(scene.exchange.writes).toEqual([]);
    await scene.clock.sleep(3_000);
    expect(scene.exchange.reads.length).toBeGreaterThan(reads);
    expect(scene.exchange.stopOf(key)).toBe("98");
    await scene.close();
  });

  test("after a drop, until everything has been looked at again", async () => {
    const scene = await guarded({ latencyMs: 300 });
    scene.stream.drops();
    scene.stream.comesLive();
    scene.opens(long);
    await scene.clock.sleep(100);
    expect(scene.exchange.writes).toEqual([]);
    await scene.clock.sleep(5_000);
    expect(scene.exchange.stopOf(key)).toBe("98");
    await scene.close();
  });

  test("where the contract's tick is not known", async () => {
    const scene = await guarded({ unknownInstrument: true });
    scene.opens(long);
    await scene.clock.sleep(1);
    expect(scene.exchange.writes).toEqual([]);
    await scene.clock.sleep(3_000);
    expect(scene.exchange.stopOf(key)).toBe("98");
    await scene.close();
  });

  test("where hedged legs are not to be written", async () => {
    const scene = await guarded({ protection: { hedged: "alert" } });
    scene.opens(long);
    await scene.clock.sleep(1);
    expect(scene.exchange.writes).toEqual([]);
    await scene.close();
  });

  test("in report-only, with a pause, or when writing is frozen", async () => {
    for (const scene of [
      await guarded({ protection: { mode: "report-only" } }),
      await guarded({ paused: () => "paused by hand" }),
      await guarded({ pass: { frozen: () => "read-only" } }),
      await guarded({ writes: false }),
    ]) {
      scene.opens(long);
      await scene.clock.sleep(3_000);
      expect(scene.exchange.writes).toEqual([]);
      await scene.close();
    }
  });

  test("where the entry brings a stop of its own, which ours would replace", async () => {
    const scene = await guarded();
    scene.pushes({
      kind: "order-gone",
      contract: { category: "linear", symbol: "BTCUSDT" },
      orderId: "entry",
      how: "filled",
      carriedStop: { positionIdx: 0, side: "long", price: dec("99"), triggerBy: "MarkPrice" },
      atMs: scene.clock.now(),
    });
    scene.exchange.hand.put(aPosition({ fullStop: "99" }));
    scene.pushes(pushOf(long, scene.clock));
    await scene.clock.sleep(3_000);
    expect(scene.exchange.writes).toEqual([]);
    await scene.close();
  });

  test("where an entry that is filled in part brings a stop of its own", async () => {
    const scene = await guarded();
    const carriedStop = { positionIdx: 0, side: "long", price: dec("99"), triggerBy: "LastPrice" } as const;
    const part = anEntry({ orderId: "entry", filledQuantity: dec("0.1"), attachedStopLoss: dec("99") });
    scene.pushes({ kind: "order-open", order: part, carriedStop, atMs: scene.clock.now() });
    scene.exchange.hand.put(aPosition({ fullStop: "99" }));
    scene.pushes(pushOf(long, scene.clock));
    await scene.clock.sleep(3_000);
    expect(scene.exchange.writes).toEqual([]);
    await scene.close();
  });

  test("where a resting entry that brings a stop may have filled: its stop shows a moment later", async () => {
    const resting = anEntry({ orderId: "entry", attachedStopLoss: dec("99") });
    const scene = await guarded({ orders: [resting] });
    scene.exchange.hand.cancel("entry");
    scene.exchange.hand.put(aPosition({ fullStop: "99" }));
    scene.pushes(pushOf(long, scene.clock));
    await scene.clock.sleep(3_000);
    expect(scene.exchange.writes).toEqual([]);
    await scene.close();
  });

  test("except where only a further part is filled of an entry that brought its stop long before", async () => {
    const scene = await guarded();
    const carriedStop = { positionIdx: 0, side: "long", price: dec("99"), triggerBy: "LastPrice" } as const;
    const filled = (quantity: string) => {
      const order = anEntry({ orderId: "entry", filledQuantity: dec(quantity), attachedStopLoss: dec("99") });
      scene.pushes({ kind: "order-open", order, carriedStop, atMs: scene.clock.now() });
    };
    filled("0.1");
    await scene.clock.sleep(3_000);
    filled("0.2");
    scene.opens(long);
    await scene.clock.sleep(1);
    expect(stopWrites(scene, key)).toEqual(["98"]);
    await scene.close();
  });

  test("twice, where the same push comes twice", async () => {
    const scene = await guarded();
    scene.opens(long);
    scene.pushes(pushOf(long, scene.clock));
    await scene.clock.sleep(3_000);
    expect(stopWrites(scene, key)).toEqual(["98"]);
    expect(scene.lives()).toEqual(["opened BTCUSDT long 1"]);
    await scene.close();
  });
});

describe("while a stop waits for its turn in the budget", () => {
  test("it is dropped where the position closes", async () => {
    const scene = await guarded({ spacingMs: 500 });
    scene.opens(long);
    scene.exchange.hand.close(key);
    scene.pushes({ kind: "position-flat", key, atMs: scene.clock.now() });
    await scene.clock.sleep(3_000);
    expect(scene.exchange.writes).toEqual([]);
    await scene.close();
  });

  test("it is dropped where the bot sets its own", async () => {
    const scene = await guarded({ spacingMs: 500 });
    scene.opens(long);
    scene.exchange.hand.setStop(key, "97");
    scene.pushes(pushOf(aPosition({ fullStop: "97", openedAtMs: 2_000 }), scene.clock));
    await scene.clock.sleep(3_000);
    expect(scene.exchange.writes).toEqual([]);
    expect(scene.exchange.stopOf(key)).toBe("97");
    await scene.close();
  });

  test("it is dropped where the stream drops, and a look decides", async () => {
    const scene = await guarded({ spacingMs: 500 });
    scene.opens(long);
    scene.stream.drops();
    await scene.clock.sleep(5_000);
    scene.guard.tick();
    await scene.clock.sleep(5_000);
    expect(stopWrites(scene, key)).toEqual(["98"]);
    await scene.close();
  });

  test("the riskiest of many goes first", async () => {
    const scene = await guarded({ spacingMs: 110 });
    const sizes = ["1", "5", "3", "9", "7"];
    sizes.forEach((size, nth) => scene.opens(aPosition({ symbol: `S${nth}USDT`, size })));
    await scene.clock.sleep(5_000);
    const order = scene.exchange.writes.map(({ request }) => request.key.symbol);
    expect(order.slice(0, 5)).toEqual(["S3USDT", "S4USDT", "S1USDT", "S2USDT", "S0USDT"]);
    await scene.close();
  });
});

describe("an answer that tells nothing", () => {
  test.each([
    ["lost with its effect", lostWithEffect, 1],
    ["lost without effect", lostWithoutEffect, 2],
    ["an acknowledgement without effect", lie, 2],
  ])("%s is looked at before anything is sent again", async (_what, first, writes) => {
    const scene = await guarded({ fate: (_request, nth) => (nth === 1 ? first : truth) });
    scene.opens(long);
    await scene.clock.sleep(10_000);
    expect(stopWrites(scene, key)).toHaveLength(writes);
    expect(scene.exchange.stopOf(key)).toBe("98");
    await scene.close();
  });

  test("a fill that is not booked for a long time is tried again and again, and protected when it is", async () => {
    const scene = await guarded({ fate: () => (scene.clock.now() < openMs ? refuses("zero-position") : truth) });
    const openMs = scene.clock.now() + 25_000;
    scene.opens(long);
    for (let sweep = 0; sweep < 4; sweep += 1) {
      await scene.clock.sleep(10_000);
      scene.guard.wake("schedule");
    }
    await scene.clock.sleep(5_000);
    expect(scene.exchange.stopOf(key)).toBe("98");
    await scene.close();
  });

  test("writes that are lost one after another are followed by a third after twenty seconds, with no sweep", async () => {
    const scene = await guarded({ fate: (_request, nth) => (nth <= 2 ? lostWithoutEffect : truth) });
    scene.opens(long);
    await scene.clock.sleep(22_000);
    expect(scene.exchange.stopOf(key)).toBe("98");
    await scene.close();
  });

  test("requests that surely did not leave leave nobody naked for long", async () => {
    const unsent: Fate = { kind: "fails", failure: "not-happened", cause: "network" };
    const scene = await guarded({ fate: () => (scene.clock.now() < upMs ? unsent : truth) });
    const upMs = scene.clock.now() + 12_000;
    scene.opens(long);
    for (let sweep = 0; sweep < 3; sweep += 1) {
      await scene.clock.sleep(10_000);
      scene.guard.wake("schedule");
    }
    await scene.clock.sleep(5_000);
    expect(scene.exchange.stopOf(key)).toBe("98");
    await scene.close();
  });

  test("a refusal because the fill is not booked yet is tried again, a few times", async () => {
    const scene = await guarded();
    scene.pushes(pushOf(long, scene.clock));
    await scene.clock.sleep(400);
    scene.exchange.hand.put(long);
    await scene.clock.sleep(5_000);
    expect(scene.exchange.stopOf(key)).toBe("98");
    expect(scene.exchange.writes.length).toBeLessThanOrEqual(3);
    await scene.close();
  });
});

test("a look that fails is no closed position, and the stop is set when it succeeds", async () => {
  let isDown = false;
  const scene = await guarded({
    hidesOtherOrders: true,
    silentForMs: 60_000,
    beforeRead: () => {
      if (isDown) throw failure("not-happened", "network", "no connection");
    },
  });
  isDown = true;
  scene.opens(long);
  await scene.clock.sleep(4_000);
  expect(scene.guard.status()).toMatchObject({ reachable: false, positions: { unknown: 1 } });
  expect(scene.lives()).toEqual(["opened BTCUSDT long 1"]);
  isDown = false;
  await scene.clock.sleep(5_000);
  expect(scene.exchange.stopOf(key)).toBe("98");
  await scene.close();
});

describe("what stood before it vanished is put back at once", () => {
  const putBack = (triggerBy: TriggerBy, mark: string) => {
    const position = aPosition({ mark });
    const learned = { stopLoss: { price: dec("99"), triggerBy }, takeProfit: null, size: dec("1") };
    const urgent = stopAtOnce({
      position,
      receivedAtMs: 2_000,
      orders: [],
      instrument: instrumentFor(position),
      marginMode: "isolated",
      policy: resolved({ protection: aProtection() }),
      life: { ...UNWRITTEN_LIFE, learned },
      held: null,
    });
    const step = urgent?.planned.step;
    return step?.action === "set-trading-stop" ? step.stopLoss?.price.toFixed() : null;
  };

  test("where it waited for the mark", () => {
    expect(putBack("MarkPrice", "100")).toBe("99");
  });

  test.each(["100", "98.5"])("and left to a read where it waited for a price that no push states (mark %s)", (mark) => {
    expect(putBack("LastPrice", mark)).toBeNull();
  });
});
