/** A quote: the fields for an entry order, or why there are none. */
import { EventEmitter, once } from "node:events";
import { request } from "node:http";
import { expect, test } from "vitest";
import type { Desk } from "../../src/http/index.js";
import { errorCode, openAsOwner, owned } from "./stage.js";

const LONG = { account: "main", category: "linear", symbol: "BTCUSDT", side: "long" };

test("the fields are answered as they belong into the order", async () => {
  const fields = {
    stopLoss: "49000",
    takeProfit: "52000",
    tpslMode: "Full",
    slTriggerBy: "MarkPrice",
    tpTriggerBy: "LastPrice",
  } as const;
  const owner = await openAsOwner({ quote: () => Promise.resolve({ kind: "quoted", fields }) });
  const answer = await owner.ask("POST", "/v1/quote", { ...LONG, price: "50000.5", positionIdx: 1 });
  expect([answer.status, answer.json()]).toEqual([200, fields]);
  expect(owner.desk.asked).toEqual([["quote", { ...LONG, price: "50000.5", positionIdx: 1 }]]);
});

test("what is left out is not handed over", async () => {
  const owner = await openAsOwner();
  await owner.ask("POST", "/v1/quote", { ...LONG, reduceOnly: false });
  expect(owner.desk.asked).toEqual([["quote", LONG]]);
});

test("for a reduce-only order there is nothing to add", async () => {
  const owner = await openAsOwner();
  const answer = await owner.ask("POST", "/v1/quote", { ...LONG, reduceOnly: true });
  expect([answer.status, answer.json(), owner.desk.asked]).toEqual([200, {}, []]);
});

test.each([
  { httpStatus: 404, code: "not-found", message: "no such contract" },
  { httpStatus: 422, code: "unprocessable", message: "the mark is past 49000" },
  { httpStatus: 503, code: "not-read-yet", message: "the tick of BTCUSDT has not been read" },
] as const)("where there is none it says $httpStatus and why", async ({ httpStatus, code, message }) => {
  const owner = await openAsOwner({ quote: () => Promise.resolve({ kind: "none", httpStatus, message }) });
  const answer = await owner.ask("POST", "/v1/quote", LONG);
  expect([answer.status, answer.json()]).toEqual([httpStatus, { error: { code, message } }]);
  expect(answer.headers["retry-after"]).toBe(httpStatus === 503 ? "1" : undefined);
});

test("who hangs up is not waited for", async () => {
  const calls = new EventEmitter();
  const asked = once(calls, "asked") as Promise<[AbortSignal]>;
  const quote: Desk["quote"] = async (_request, gone) => {
    calls.emit("asked", gone);
    await once(calls, "answered");
    return { kind: "none", httpStatus: 503, message: "nobody is there" };
  };
  const { port } = await openAsOwner({ quote });
  const outgoing = request({ port, path: "/v1/quote", method: "POST", headers: owned(LONG).headers });
  outgoing.on("error", () => undefined).end(JSON.stringify(LONG));
  const [gone] = await asked;
  outgoing.destroy();
  await expect(once(gone, "abort")).resolves.toBeDefined();
  calls.emit("answered");
});

test.each([
  { title: "an unknown account", body: { ...LONG, account: "nobody" }, status: 404, names: "no such account" },
  { title: "no symbol", body: { ...LONG, symbol: undefined }, status: 422, names: "symbol: " },
  { title: "another category", body: { ...LONG, category: "spot" }, status: 422, names: "category: must be linear" },
  { title: "the exchange's word for a side", body: { ...LONG, side: "Buy" }, status: 422, names: "side: must be long" },
  { title: "a number for a price", body: { ...LONG, price: 50000 }, status: 422, names: "price: must be a positive" },
  { title: "a price of zero", body: { ...LONG, price: "0" }, status: 422, names: "price: must be a positive" },
  { title: "a leg that there is not", body: { ...LONG, positionIdx: 3 }, status: 422, names: "positionIdx: must be" },
  {
    title: "the other side's leg",
    body: { ...LONG, positionIdx: 2 },
    status: 422,
    names: "positionIdx 2 is the short",
  },
  {
    title: "a key that is not ours",
    body: { ...LONG, qty: "1" },
    status: 422,
    names: "qty: is an unknown key; allowed: account, category, symbol",
  },
])("$title is refused", async ({ body, status, names }) => {
  const owner = await openAsOwner();
  const answer = await owner.ask("POST", "/v1/quote", body);
  expect([answer.status, errorCode(answer)]).toEqual([status, status === 404 ? "not-found" : "unprocessable"]);
  expect(answer.text).toContain(JSON.stringify(names).slice(1, -1));
  expect(owner.desk.asked).toEqual([]);
});
