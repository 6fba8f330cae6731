/** What the stream tells against what was shown: it counts at once, a look settles it, and only what lasts is an alarm. */
import { describe, expect, test } from "vitest";
import { dec } from "../../src/domain/decimal.js";
import type { OpenOrder } from "../../src/domain/order.js";
import type { Position } from "../../src/domain/position.js";
import type { Push } from "../../src/exchange/stream.js";
import type { FakeClock } from "../builders/clock.js";
import { failure } from "../builders/fake-exchange.js";
import { type Guarded, type GuardScene, guarded, orderPush, pushOf } from "../builders/guard.js";
import { conditionalStop, fullStop } from "../builders/order.js";
import { resolved } from "../builders/policy.js";
import { aPosition, aShort } from "../builders/position.js";

const long = aPosition({ openedAtMs: 1_600_000_000_000, fullStop: "98" });
const bare: Position = { ...long, fullStopLoss: null };
const stop = fullStop(long, "98");

interface Blindable extends Guarded {
  /** From now on no read comes back: each fails after ten seconds. */
  blind(): void;
  sees(): void;
}

async function scene(given: GuardScene = {}): Promise<Blindable> {
  let isBlind = false;
  const made = await guarded({
    positions: [long],
    failsAfterMs: 10_000,
    ...given,
    beforeRead: (...read) => {
      if (isBlind) throw failure("not-happened", "timeout", "no answer");
      return given.beforeRead?.(...read);
    },
  });
  return { ...made, blind: () => (isBlind = true), sees: () => (isBlind = false) };
}

/** What a report would say of each position, and whether everything is said to be seen. */
function said({ guard }: Guarded) {
  const assessment = guard.latest()?.assessment;
  const { positions = [], unseen = [], snapshot } = assessment ?? {};
  const statuses = [
    ...positions.map(({ position: { key, side }, status }) => `${key.symbol} ${side} ${status}`),
    ...unseen.map(({ row }) => `${row.symbol} ${row.side} unknown`),
  ];
  return { statuses, isComplete: snapshot?.gaps.length === 0, counts: guard.status().positions };
}

const gone = (order: OpenOrder, clock: FakeClock, how: "cancelled" | "triggered" = "cancelled"): Push => ({
  kind: "order-gone",
  contract: order,
  orderId: order.orderId,
  how,
  carriedStop: null,
  atMs: clock.now(),
});

const flat = ({ key }: Position, clock: FakeClock): Push => ({ kind: "position-flat", key, atMs: clock.now() });

const alarms = ({ events }: Guarded) =>
  events.flatMap((event) => (event.kind === "finding" ? [`${event.place.symbol} ${event.finding.code}`] : []));

async function seconds(one: Guarded, count: number): Promise<void> {
  for (let second = 0; second < count; second += 1) {
    one.guard.tick();
    await one.clock.sleep(1_000);
  }
}

const UNKNOWN = { statuses: ["BTCUSDT long unknown"], isComplete: false, counts: { protected: 0, unknown: 1 } };
const PROTECTED = { statuses: ["BTCUSDT long protected"], isComplete: true, counts: { protected: 1, unknown: 0 } };

describe("while no read comes back, a protected position is unknown as soon as the stream has told", () => {
  const short = aShort({ openedAtMs: 1_600_000_000_000 });
  const later = { ...long, openedAtMs: 1_700_000_000_000 };
  test.each<[string, (clock: FakeClock) => Push]>([
    ["that its stop is cancelled", (clock) => gone(stop, clock)],
    ["that its stop has triggered", (clock) => gone(stop, clock, "triggered")],
    ["that its stop waits no more", (clock) => orderPush({ ...stop, state: "triggered" }, clock)],
    ["that it has no stop", (clock) => pushOf(bare, clock)],
    ["that it is flat", (clock) => flat(long, clock)],
    ["of another side", (clock) => pushOf({ ...short, fullStopLoss: dec("102") }, clock)],
    ["of another opening", (clock) => pushOf(later, clock)],
    ["of a row of the contract that cannot be read", () => unreadable("BTCUSDT")],
  ])("%s", async (_what, push) => {
    const one = await scene();
    expect(said(one)).toMatchObject(PROTECTED);
    one.blind();
    one.pushes(push(one.clock));
    expect(said(one)).toMatchObject(UNKNOWN);
    await one.clock.sleep(9_000);
    expect(said(one)).toMatchObject(UNKNOWN);
    await one.close();
  });

  test("that it is larger than what its stops cover", async () => {
    const order = conditionalStop(bare, "98", "1");
    const one = await scene({ positions: [bare], orders: [order], hidesRowStops: () => true });
    expect(said(one)).toMatchObject(PROTECTED);
    one.blind();
    one.pushes(pushOf({ ...bare, size: dec("1.5") }, one.clock));
    expect(said(one)).toMatchObject(UNKNOWN);
    await one.close();
  });

  test("also where a look that was under way brings what was so before", async () => {
    const one = await scene({ latencyMs: 1_000 });
    one.guard.wake("schedule");
    await one.clock.sleep(500);
    one.exchange.hand.cancel(stop.orderId);
    one.blind();
    one.pushes(gone(stop, one.clock));
    await one.clock.sleep(1_000);
    expect(said(one)).toMatchObject(UNKNOWN);
    await one.close();
  });
});

test("the reason is told in words", async () => {
  const one = await scene();
  one.blind();
  one.pushes(gone(stop, one.clock));
  const { positions, snapshot } = one.guard.latest()?.assessment ?? {};
  const reason = "the stream has told of a change that no look has shown yet";
  expect(snapshot?.gaps).toEqual([{ category: "linear", what: "positions", symbols: ["BTCUSDT"], reason }]);
  expect(positions?.[0]?.findings[0]).toMatchObject({ code: "unreadable", message: expect.stringContaining(reason) });
  await one.close();
});

describe("what does not speak against a whole stop leaves the position protected", () => {
  test.each<[string, (clock: FakeClock) => Push]>([
    ["it grows, and its Full stop with it", (clock) => pushOf({ ...long, size: dec("3") }, clock)],
    ["another order of the contract is gone", (clock) => gone({ ...stop, orderId: "entry" }, clock)],
    ["its stop is pushed once more", (clock) => orderPush(stop, clock)],
    ["another contract is flat", (clock) => flat(aPosition({ symbol: "ETHUSDT" }), clock)],
    ["the position before it was closed", () => ({ kind: "position-flat", key: long.key, atMs: 1_599_999_999_000 })],
  ])("%s", async (_what, push) => {
    const one = await scene();
    one.blind();
    one.pushes(push(one.clock));
    expect(said(one)).toMatchObject(PROTECTED);
    await one.close();
  });
});

test("a position that was pushed open and whose first look hangs is unknown, and is told so after a while", async () => {
  const one = await scene({ writes: false });
  one.blind();
  one.opens(aPosition({ symbol: "ETHUSDT" }));
  const both = { statuses: ["BTCUSDT long protected", "ETHUSDT long unknown"], isComplete: false };
  expect(said(one)).toMatchObject({ ...both, counts: { protected: 1, unknown: 1 } });
  await seconds(one, 5);
  expect(said(one)).toMatchObject({ ...both, counts: { protected: 1, unknown: 1 } });
  expect(alarms(one)).toEqual(["ETHUSDT unreadable"]);
  await one.close();
});

test("one that a rule ignores is no matter of doubt", async () => {
  const one = await scene({ writes: false, pass: { policyOf: () => resolved({ ignored: true }) } });
  one.blind();
  one.pushes(gone(stop, one.clock));
  one.opens(aPosition({ symbol: "ETHUSDT" }));
  await seconds(one, 5);
  expect(said(one)).toMatchObject({ statuses: ["BTCUSDT long ignored"], isComplete: true });
  expect(alarms(one)).toEqual([]);
  await one.close();
});

test("as long as nothing can be read it is told, once a minute, and no more when a look has shown it", async () => {
  const one = await scene();
  one.blind();
  one.pushes(gone(stop, one.clock));
  await seconds(one, 5);
  expect(alarms(one)).toEqual(["BTCUSDT unreadable"]);
  await seconds(one, 60);
  expect(alarms(one)).toEqual(["BTCUSDT unreadable", "BTCUSDT unreadable"]);
  one.sees();
  await seconds(one, 70);
  expect(said(one)).toMatchObject(PROTECTED);
  expect(alarms(one)).toHaveLength(2);
  await one.close();
});

describe("where the exchange answers, a look settles it within a moment, and nobody is alarmed", () => {
  test("a stop that is gone", async () => {
    const one = await scene({ protection: { vanishMs: 60_000 } });
    one.exchange.hand.put(bare);
    one.pushes(gone(stop, one.clock), pushOf(bare, one.clock));
    expect(said(one)).toMatchObject(UNKNOWN);
    await seconds(one, 1);
    expect(said(one)).toMatchObject({ statuses: ["BTCUSDT long unprotected"], isComplete: true });
    expect(alarms(one)).toEqual(["BTCUSDT stop-missing"]);
    await one.close();
  });

  test("a stop that its bot replaces again and again", async () => {
    const stopOf = (round: number) => conditionalStop(bare, "98", "1", { orderId: `stop-${round}` });
    const one = await scene({ positions: [bare], orders: [stopOf(0)] });
    for (let round = 1; round < 20; round += 1) {
      one.exchange.hand.cancel(stopOf(round - 1).orderId);
      one.exchange.hand.order(stopOf(round));
      one.pushes(gone(stopOf(round - 1), one.clock), orderPush(stopOf(round), one.clock));
      expect(said(one)).toMatchObject(UNKNOWN);
      await seconds(one, 1);
      expect(said(one)).toMatchObject(PROTECTED);
    }
    expect(alarms(one)).toEqual([]);
    expect(one.exchange.writes).toEqual([]);
    await one.close();
  });

  test("a position that has closed", async () => {
    const one = await scene();
    one.exchange.hand.close(long.key);
    one.pushes(flat(long, one.clock));
    expect(said(one)).toMatchObject(UNKNOWN);
    await seconds(one, 1);
    expect(said(one)).toMatchObject({ statuses: [], isComplete: true });
    expect(alarms(one)).toEqual([]);
    await one.close();
  });
});

describe("a look that lags behind the stream", () => {
  test("does not bring back a position that was told flat, and is made again", async () => {
    const one = await scene();
    one.pushes(flat(long, one.clock));
    await seconds(one, 1);
    expect(said(one)).toMatchObject(UNKNOWN);
    one.exchange.hand.close(long.key);
    await seconds(one, 1);
    expect(said(one)).toMatchObject({ statuses: [], isComplete: true });
    await one.close();
  });

  test("does not bring back a stop that was told cancelled, and is believed when it does not lag any more", async () => {
    const one = await scene();
    one.pushes(gone(stop, one.clock));
    await seconds(one, 1);
    expect(said(one)).toMatchObject(UNKNOWN);
    await seconds(one, 3);
    expect(said(one)).toMatchObject(PROTECTED);
    await one.close();
  });
});

function unreadable(symbol: string): Push {
  return { kind: "unreadable", category: "linear", symbol, reason: "side is Both" };
}
