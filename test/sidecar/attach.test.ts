/** How exits get to resting entry orders: one at a time, each order once, and only a later look confirms. */
import { describe, expect, test } from "vitest";
import { attachThrough, type SendAttach } from "../../src/apply/attach.js";
import type { Answer } from "../../src/apply/attempt.js";
import { type Picture, pictureOf } from "../../src/domain/picture.js";
import type { Protection } from "../../src/policy/protection.js";
import { type AttachEvent, createAttacher } from "../../src/sidecar/attach.js";
import { leftAloneInMemory } from "../../src/sidecar/attach-memory.js";
import { fakeClock } from "../builders/clock.js";
import {
  type Fate,
  fakeExchange,
  type FakeExchangeOptions,
  lie,
  lostWithEffect,
  lostWithoutEffect,
  refuses,
} from "../builders/fake-exchange.js";
import { anInstrument } from "../builders/market.js";
import { anEntry, type EntryShape } from "../builders/order.js";
import { aProtection, resolved, takeProfitAt } from "../builders/policy.js";
import { aPosition } from "../builders/position.js";

interface Scene extends Partial<Omit<FakeExchangeOptions, "clock">> {
  readonly protection?: Partial<Protection>;
  /** Stands for the writer. */
  readonly send?: SendAttach;
}

const OLD_MS = 60_000;

/** An order that was made a minute before the scene begins, by the exchange's clock. */
function old(shape: EntryShape = {}) {
  return anEntry({ createdAtMs: 0, updatedAtMs: 0, ...shape });
}

function stage({ protection, send, ...scene }: Scene = {}) {
  const clock = fakeClock();
  const startMs = clock.now();
  const exchange = fakeExchange({ clock, positions: [], orders: [old()], instruments: [anInstrument()], ...scene });
  exchange.hand.price("BTCUSDT", "100");
  const policy = resolved({ protection: aProtection({ attachToOrders: true, ...protection }) });
  const events: AttachEvent[] = [];
  const state: { frozen: string | null } = { frozen: null };
  const attacher = createAttacher({
    send: send ?? attachThrough(exchange.writer),
    policyOf: () => policy,
    clock,
    exchangeNow: () => clock.now() - startMs + OLD_MS,
    frozen: () => state.frozen,
    isSpokenFor: () => false,
    leftAlone: leftAloneInMemory(),
    on: (event) => events.push(event),
  });
  const picture = async (): Promise<Picture> => pictureOf(await exchange.reader.snapshot("account"));
  return {
    clock,
    exchange,
    attacher,
    state,
    picture,
    look: async () => attacher.consider(await picture()),
    stopOf: async (orderId = "entry-1") => {
      const { orders } = await exchange.reader.snapshot("account");
      return orders.find((order) => order.orderId === orderId)?.attachedStopLoss?.toFixed() ?? null;
    },
    /** `entry-1 sent`, in order. */
    told: () => events.map(({ orderId, outcome }) => `${orderId} ${outcome}`),
    lastDetail: () => events.at(-1)?.detail,
  };
}

describe("an order that rests without exits", () => {
  test("gets both levels in one request, and a later look confirms them", async () => {
    const scene = stage({ protection: { takeProfit: takeProfitAt("0.04") } });
    await scene.look();
    expect(scene.told()).toEqual(["entry-1 sent"]);
    expect(scene.exchange.writes).toMatchObject([{ kind: "attach", request: { orderId: "entry-1", side: "long" } }]);
    await scene.look();
    expect(scene.told()).toEqual(["entry-1 sent", "entry-1 confirmed"]);
    expect(await scene.stopOf()).toBe("98");
  });

  test("is not confirmed by a look that shows the stop and lacks the take-profit", async () => {
    const scene = stage({ protection: { takeProfit: takeProfitAt("0.04") }, fate: () => lie });
    await scene.look();
    scene.exchange.hand.order(old({ stop: "98" }));
    await scene.look();
    expect(scene.told()).toEqual(["entry-1 sent"]);
  });

  test("gets nothing from a picture that has become too old", async () => {
    const scene = stage();
    const early = await scene.picture();
    await scene.clock.sleep(10_000);
    await scene.attacher.consider(early);
    expect(scene.exchange.writes).toEqual([]);
    await scene.look();
    expect(scene.exchange.writes).toHaveLength(1);
  });

  test("waits until its bot has had its grace", async () => {
    const scene = stage({ protection: { graceMs: OLD_MS + 5_000 } });
    await scene.look();
    expect(scene.exchange.writes).toEqual([]);
    await scene.clock.sleep(5_000);
    await scene.look();
    expect(scene.told()).toEqual(["entry-1 sent"]);
  });

  test("fills into a position that has the stop", async () => {
    const scene = stage();
    await scene.look();
    scene.exchange.hand.fill("entry-1");
    expect(scene.exchange.stopOf(aPosition().key)).toBe("98");
  });
});

describe("an order is tried once", () => {
  const gone: Fate = refuses("gone", "order not exists or too late to replace");

  test.each<readonly [string, Fate, readonly string[]]>([
    ["confirmed", { kind: "truth" }, ["entry-1 sent", "entry-1 confirmed"]],
    ["refused", gone, ["entry-1 sent", "entry-1 refused"]],
    ["unanswered, with its effect", lostWithEffect, ["entry-1 sent", "entry-1 uncertain", "entry-1 confirmed"]],
    ["unanswered, without effect", lostWithoutEffect, ["entry-1 sent", "entry-1 uncertain"]],
    ["acknowledged, without effect", lie, ["entry-1 sent", "entry-1 uncertain"]],
    [
      "answered with order not modified",
      { kind: "fails", failure: "unknown", cause: "not-modified" },
      ["entry-1 sent", "entry-1 uncertain"],
    ],
  ])("when it is %s", async (_what, fate, expected) => {
    const scene = stage({ fate: () => fate });
    for (let looks = 0; looks < 4; looks += 1) {
      await scene.look();
      await scene.clock.sleep(2_000);
    }
    expect(scene.told()).toEqual(expected);
    expect(scene.exchange.writes).toHaveLength(1);
  });

  test("also when its bot takes the exits away again", async () => {
    const scene = stage();
    await scene.look();
    await scene.look();
    scene.exchange.hand.order(old());
    await scene.look();
    expect(scene.exchange.writes).toHaveLength(1);
    expect(await scene.stopOf()).toBeNull();
  });

  test("one whose effect is slow to show is not called uncertain before it had its time", async () => {
    const scene = stage({ lagMs: 2_500 });
    await scene.look();
    await scene.look();
    expect(scene.told()).toEqual(["entry-1 sent"]);
    await scene.clock.sleep(2_500);
    await scene.look();
    expect(scene.told()).toEqual(["entry-1 sent", "entry-1 confirmed"]);
  });

  test("one that has filled or gone meanwhile is told as uncertain, once", async () => {
    const scene = stage();
    await scene.look();
    scene.exchange.hand.cancel("entry-1");
    await scene.clock.sleep(4_000);
    await scene.look();
    await scene.look();
    expect(scene.told()).toEqual(["entry-1 sent", "entry-1 uncertain"]);
    expect(scene.lastDetail()).toContain("no read shows the order");
  });

  test("one that a failed read does not show is not given up", async () => {
    const blind = [{ category: "linear", what: "orders", reason: "timeout" }] as const;
    const scene = stage({
      beforeRead: (nth, hand) => {
        if (nth === 2) hand.cancel("entry-1");
        if (nth === 3) hand.order(old({ stop: "98" }));
        return nth === 2 ? blind : [];
      },
    });
    await scene.look();
    await scene.clock.sleep(4_000);
    await scene.look();
    expect(scene.told()).toEqual(["entry-1 sent"]);
    await scene.look();
    expect(scene.told()).toEqual(["entry-1 sent", "entry-1 confirmed"]);
  });

  test("but again where the request surely did not leave or had no effect", async () => {
    const offline: Fate = { kind: "fails", failure: "not-happened", cause: "network" };
    const scene = stage({ fate: (_request, nth) => (nth === 1 ? offline : { kind: "truth" }) });
    await scene.look();
    await scene.look();
    expect(scene.told()).toEqual(["entry-1 sent", "entry-1 skipped", "entry-1 sent"]);
  });
});

describe("another hand", () => {
  test.each<readonly [string, EntryShape]>([
    ["moves the order", { price: "99" }],
    ["changes its quantity", { quantity: "2" }],
  ])("that %s between two looks keeps it", async (_what, change) => {
    const scene = stage({ protection: { graceMs: OLD_MS + 1_000 } });
    await scene.look();
    scene.exchange.hand.order(old(change));
    await scene.clock.sleep(2_000);
    await scene.look();
    expect(scene.exchange.writes).toEqual([]);
  });

  test("that sets a stop of its own is not overridden", async () => {
    const scene = stage();
    scene.exchange.hand.order(old({ stop: "97" }));
    await scene.look();
    expect(scene.exchange.writes).toEqual([]);
  });
});

/** Holds each request until told to go on, as a busy write budget does. */
function queue() {
  const waiting: { readonly orderId: string; readonly go: () => void }[] = [];
  const vetoes: (string | null)[] = [];
  const send: SendAttach = ({ orderId }, veto) =>
    new Promise<Answer>((resolve) => {
      const go = (): void => {
        const reason = veto();
        vetoes.push(reason);
        resolve(reason === null ? { kind: "acknowledged" } : { kind: "not-sent", cause: "vetoed", detail: reason });
      };
      waiting.push({ orderId, go });
    });
  return { send, waiting, vetoes };
}

describe("while a request waits for its turn", () => {
  test.each<readonly [string, string | null, (scene: ReturnType<typeof stage>) => Promise<unknown> | void]>([
    ["nothing happens: it goes", null, () => undefined],
    ["writing is stopped", "READONLY", ({ state }) => void (state.frozen = "READONLY")],
    ["its picture becomes too old", "what it was decided from has become too old", ({ clock }) => clock.sleep(9_000)],
    [
      "a look shows it with a stop",
      "it is no longer wanted",
      async ({ exchange, look }) => (exchange.hand.order(old({ stop: "97" })), look()),
    ],
    [
      "a look shows it changed",
      "it is no longer wanted",
      async ({ exchange, look }) => (exchange.hand.order(old({ price: "99" })), look()),
    ],
    [
      "a look shows the position with a stop",
      "it is no longer wanted",
      async ({ exchange, look }) => (exchange.hand.put(aPosition({ fullStop: "90" })), look()),
    ],
    ["a look shows all as it was", null, ({ look }) => look()],
  ])("and %s", async (_what, expected, happening) => {
    const { send, waiting, vetoes } = queue();
    const scene = stage({ send });
    const under = scene.look();
    while (waiting.length === 0) await scene.clock.sleep(1);
    await happening(scene);
    waiting[0]?.go();
    await under;
    expect(vetoes).toEqual([expected]);
    expect(scene.told()).toEqual(expected === null ? ["entry-1 sent"] : []);
  });

  test("what was asked for before its answer does not confirm it, even where it shows the stop", async () => {
    const { send, waiting } = queue();
    const scene = stage({ send });
    const under = scene.look();
    while (waiting.length === 0) await scene.clock.sleep(1);
    scene.exchange.hand.order(old({ stop: "98" }));
    const early = await scene.picture();
    waiting[0]?.go();
    await under;
    await scene.attacher.consider(early);
    expect(scene.told()).toEqual(["entry-1 sent"]);
    await scene.look();
    expect(scene.told()).toEqual(["entry-1 sent", "entry-1 confirmed"]);
  });

  test("no second one is sent", async () => {
    const { send, waiting } = queue();
    const scene = stage({ send, orders: [old({ quantity: "2" }), old({ orderId: "entry-2" })] });
    const under = scene.look();
    while (waiting.length === 0) await scene.clock.sleep(1);
    await scene.look();
    expect(waiting.map(({ orderId }) => orderId)).toEqual(["entry-1"]);
    waiting[0]?.go();
    while (waiting.length === 1) await scene.clock.sleep(1);
    waiting[1]?.go();
    await under;
    expect(scene.told()).toEqual(["entry-1 sent", "entry-2 sent"]);
  });
});

describe("several orders", () => {
  const far = old({ orderId: "far", price: "95" });

  test("a stop that was sent and is not seen yet holds for the others already", async () => {
    const scene = stage({ lagMs: 5_000, orders: [old()] });
    await scene.look();
    scene.exchange.hand.order(far);
    await scene.look();
    expect(scene.exchange.writes).toHaveLength(1);
    expect(await scene.stopOf("far")).toBeNull();
  });

  test("the next one gets its turn after a refusal, which raises no bar", async () => {
    const once = (nth: number): Fate => (nth === 1 ? refuses("limit") : { kind: "truth" });
    const scene = stage({ orders: [old(), far], fate: (_request, nth) => once(nth) });
    await scene.look();
    await scene.look();
    expect(scene.told()).toEqual(["entry-1 sent", "entry-1 refused", "far sent", "far confirmed"]);
    expect(await scene.stopOf("far")).toBe("93.1");
  });

  test("a refused key ends the round, so that the others keep their one try", async () => {
    const orders = [old(), old({ orderId: "entry-2" })];
    const scene = stage({ orders, fate: () => refuses("key") });
    await scene.look();
    expect(scene.exchange.writes).toHaveLength(1);
  });

  test("nothing is sent while writing is stopped", async () => {
    const scene = stage();
    scene.state.frozen = "READONLY";
    await scene.look();
    expect(scene.exchange.writes).toEqual([]);
    expect(scene.told()).toEqual([]);
  });

  test("a bug is thrown, and its order is not tried again", async () => {
    const sent: string[] = [];
    const send: SendAttach = ({ orderId }) => {
      sent.push(orderId);
      return Promise.reject(new TypeError("x is not a function"));
    };
    const scene = stage({ send });
    await expect(scene.look()).rejects.toThrow(TypeError);
    await scene.look();
    expect(sent).toEqual(["entry-1"]);
  });
});
