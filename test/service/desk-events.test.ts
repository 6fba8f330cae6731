/** What happens, as a listener at the desk hears it. */
import { expect, test } from "vitest";
import { dec } from "../../src/domain/decimal.js";
import type { DeskEvent } from "../../src/http/desk.js";
import type { AmendOrder } from "../../src/plan/attach.js";
import { openHub } from "../../src/service/run/desk-events.js";
import type { AttachEvent } from "../../src/sidecar/attach-book.js";
import { aPosition } from "../builders/position.js";

const step: AmendOrder = {
  action: "amend-order",
  key: aPosition().key,
  side: "long",
  orderId: "order-1",
  stopLoss: { price: dec("98"), triggerBy: "MarkPrice" },
  takeProfit: { price: dec("104"), triggerBy: "LastPrice" },
  reason: "stop-missing",
};

test("the exits that a resting entry order gets are heard as a step, and then as what became of it", () => {
  const hub = openHub();
  const heard: DeskEvent[] = [];
  hub.listen((event) => void heard.push(event));
  for (const outcome of ["sent", "uncertain", "confirmed"] satisfies AttachEvent["outcome"][]) {
    const detail = outcome === "uncertain" ? "no read shows it" : null;
    hub.tell({ kind: "attach", event: { orderId: step.orderId, step, outcome, detail } });
  }
  const facts = {
    account: "main",
    category: "linear",
    symbol: "BTCUSDT",
    positionIdx: 0,
    side: "long",
    action: "amend-order",
    orderId: "order-1",
    stopLoss: "98",
    takeProfit: "104",
  };
  expect(heard.map(({ kind }) => kind)).toEqual(["step", "outcome", "outcome"]);
  for (const { data } of heard) expect(data).toMatchObject(facts);
  expect(heard.map(({ data }) => data["outcome"])).toEqual([undefined, "uncertain", "confirmed"]);
});

test("a finding of the account as a whole is heard without a place in it", () => {
  const hub = openHub();
  const heard: DeskEvent[] = [];
  hub.listen((event) => void heard.push(event));
  const finding = { code: "key-refused", severity: "critical", message: "10003" } as const;
  const place = { account: "main", category: null, symbol: null, positionIdx: null };
  hub.tell({ kind: "finding", place, finding });
  expect(heard).toEqual([{ kind: "finding", data: { account: "main", ...finding } }]);
});
