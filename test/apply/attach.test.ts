/** What is sent for an order's exits, and what is said of it. */
import { expect, test } from "vitest";
import { attachThrough } from "../../src/apply/attach.js";
import { dec } from "../../src/domain/decimal.js";
import type { ExchangeFailure } from "../../src/exchange/failure.js";
import type { AttachRequest, Urgency, Writer } from "../../src/exchange/port.js";
import type { AmendOrder } from "../../src/plan/attach.js";
import { failure } from "../builders/fake-exchange.js";
import { aPosition } from "../builders/position.js";

const step: AmendOrder = {
  action: "amend-order",
  key: aPosition().key,
  side: "long",
  orderId: "entry-1",
  stopLoss: { price: dec("98"), triggerBy: "MarkPrice" },
  takeProfit: { price: dec("104"), triggerBy: "LastPrice" },
  reason: "stop-missing",
};

async function attach(sent: AmendOrder, answer: ExchangeFailure | TypeError | null = null) {
  const requests: { readonly request: AttachRequest; readonly urgency: Urgency }[] = [];
  const never = () => Promise.reject(new Error("not asked for"));
  const writer: Writer = {
    account: "main",
    setTradingStop: never,
    closePosition: never,
    attachExits: (request, urgency) => {
      requests.push({ request, urgency });
      return answer === null ? Promise.resolve({ sentAtMs: 1, acknowledgedAtMs: 2 }) : Promise.reject(answer);
    },
  };
  const told = await attachThrough(writer)(sent, () => "no longer wanted");
  return { told, requests };
}

test("an order's exits go behind every step of a position, and may be withdrawn", async () => {
  const { told, requests } = await attach(step);
  const { action: _action, reason: _reason, ...request } = step;
  expect(told).toEqual({ kind: "acknowledged" });
  expect(requests.map((each) => each.request)).toEqual([request]);
  expect(requests[0]?.urgency.priority).toBeLessThan(1);
  expect(requests[0]?.urgency.veto()).toBe("no longer wanted");
});

test("a take-profit that is not meant is not named", async () => {
  const { requests } = await attach({ ...step, takeProfit: null });
  expect(Object.keys(requests[0]?.request ?? {})).toEqual(["key", "side", "orderId", "stopLoss"]);
});

test.each([
  ["unknown", "timeout", "uncertain"],
  ["unknown", "not-modified", "uncertain"],
  ["not-happened", "vetoed", "not-sent"],
  ["refused", "gone", "refused"],
  ["bug", "other", "refused"],
] as const)("%s (%s) is %s, and nothing else is sent", async (kind, cause, expected) => {
  const { told, requests } = await attach(step, failure(kind, cause));
  expect(told.kind).toBe(expected);
  expect(requests).toHaveLength(1);
});

test("what is no failure of the exchange is a bug, and is thrown", async () => {
  await expect(attach(step, new TypeError("x is not a function"))).rejects.toThrow("x is not a function");
});
