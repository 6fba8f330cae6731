/** Attaching through the real client to the simulated exchange: from the resting order to the position that it opens. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { attachThrough } from "../../src/apply/attach.js";
import { pictureOf } from "../../src/domain/picture.js";
import { type BybitSession, connectBybit } from "../../src/exchange/bybit/index.js";
import { startSimulator } from "../../src/exchange/simulator/index.js";
import { createWakefulClock, systemClock } from "../../src/runtime/index.js";
import { type AttachEvent, createAttacher } from "../../src/sidecar/attach.js";
import { leftAloneInMemory } from "../../src/sidecar/attach-memory.js";
import { aProtection, resolved, takeProfitAt } from "../builders/policy.js";

const key = "c".repeat(18);
const secret = "d".repeat(36);
let simulator: Awaited<ReturnType<typeof startSimulator>>;
let session: BybitSession;

beforeEach(async () => {
  const instruments = [{ symbol: "AUSDT", price: "100.0", tickSize: "0.1" }];
  simulator = await startSimulator({ seed: 5, accounts: [{ name: "main", key, secret }], instruments });
  session = connectBybit({
    account: "main",
    environment: "custom",
    region: "default",
    restUrl: simulator.restUrl,
    key,
    secret,
    categories: ["linear", "inverse"],
    budget: { writesPerSecond: 9, ipShare: 0.5 },
    clock: systemClock,
    orderLists: "all",
  });
});

afterEach(async () => {
  await session.close();
  await simulator.close();
});

function attacher(told: string[]) {
  const protection = aProtection({ attachToOrders: true, takeProfit: takeProfitAt("0.04") });
  return createAttacher({
    send: attachThrough(session.writer()),
    policyOf: () => resolved({ protection }),
    clock: createWakefulClock(),
    exchangeNow: () => systemClock.now() + session.clockOffsetMs(),
    frozen: () => null,
    isSpokenFor: () => false,
    leftAlone: leftAloneInMemory(),
    on: ({ outcome }: AttachEvent) => void told.push(outcome),
  });
}

const picture = async () => pictureOf(await session.reader.snapshot("account"));
const order = { symbol: "AUSDT", side: "Buy", orderType: "Limit", qty: "2", price: "95" };

test("a position opened by the order has its exits from the first moment, whether or not we are there", async () => {
  simulator.exchange.placeOrder(order);
  const told: string[] = [];
  const { consider } = attacher(told);
  await consider(await picture());
  await consider(await picture());
  expect(told).toEqual(["sent", "confirmed"]);
  simulator.exchange.setPrice({ symbol: "AUSDT", price: "95" });
  const { positions } = await session.reader.snapshot("account");
  expect(positions.map(({ fullStopLoss, fullTakeProfit }) => [String(fullStopLoss), String(fullTakeProfit)])).toEqual([
    ["93.1", "98.8"],
  ]);
});

test("an order beside a position with a Full stop is left as it is, and the stop follows the grown size", async () => {
  simulator.exchange.open({ symbol: "AUSDT", side: "long", size: "1", stopLoss: "94" });
  simulator.exchange.placeOrder(order);
  const told: string[] = [];
  await attacher(told).consider(await picture());
  expect(told).toEqual([]);
  simulator.exchange.setPrice({ symbol: "AUSDT", price: "95" });
  const { positions } = await session.reader.snapshot("account");
  expect(positions.map(({ size, fullStopLoss }) => [String(size), String(fullStopLoss)])).toEqual([["3", "94"]]);
});

test("an order whose answer is lost is proven by the next look and not sent again", async () => {
  simulator.exchange.placeOrder(order);
  simulator.exchange.setFault({ kind: "reset", path: "/v5/order/amend", afterEffect: true, times: 1 });
  const told: string[] = [];
  const { consider } = attacher(told);
  for (let looks = 0; looks < 3; looks += 1) await consider(await picture());
  expect(told).toEqual(["sent", "uncertain", "confirmed"]);
  const sent = simulator.exchange.requests.filter(({ path }) => path === "/v5/order/amend");
  expect(sent).toHaveLength(1);
});
