/** What open-order rows mean for exits, in all the spellings the exchange has for them. */
import { describe, expect, it } from "vitest";
import type { OpenOrder } from "../../src/domain/order.js";
import { readOrder } from "../../src/exchange/bybit/translate-order.js";
import { order } from "./venue.js";

function read(over: object = {}): OpenOrder {
  const found = readOrder("linear", order(over));
  if (found.kind !== "open") throw new Error(JSON.stringify(found));
  return found.order;
}

function reasonFor(over: object): string {
  const found = readOrder("linear", order(over));
  return found.kind === "unreadable" ? found.row.reason : found.kind;
}

const plain = {
  orderType: "Limit",
  orderStatus: "New",
  createType: "CreateByUser",
  price: "48000",
  triggerPrice: "",
  triggerBy: "",
  triggerDirection: 0,
  reduceOnly: false,
  closeOnTrigger: false,
};

describe("an order row", () => {
  it.each([
    ["StopLoss", "full-stop-loss"],
    ["TakeProfit", "full-take-profit"],
    ["PartialStopLoss", "partial-stop-loss"],
    ["PartialTakeProfit", "partial-take-profit"],
    ["TrailingStop", "trailing-stop"],
    ["Stop", "conditional"],
    ["MmRateClose", "exchange"],
  ])("of type %s is a %s", (stopOrderType, kind) => {
    expect(read({ stopOrderType }).kind).toBe(kind);
  });

  it.each(["", "0.00"])("of the exchange itself may wait for something else than a price (%j)", (triggerPrice) => {
    const own = { stopOrderType: "MmRateClose", triggerPrice, triggerBy: "UNKNOWN", triggerDirection: 0 };
    expect(read(own)).toMatchObject({ kind: "exchange", state: "waiting", triggerPrice: null });
  });

  it.each([[""], ["UNKNOWN"], [undefined]])("of type %j without a trigger is plain", (stopOrderType) => {
    expect(read({ ...plain, stopOrderType })).toMatchObject({ kind: "plain", reducesOnly: false, state: "resting" });
  });

  it("with a trigger but no type is a conditional order", () => {
    expect(read({ stopOrderType: "UNKNOWN", createType: "CreateByUser" }).kind).toBe("conditional");
  });

  it("made by the exchange itself is its own kind", () => {
    expect(read({ ...plain, stopOrderType: "UNKNOWN", createType: "CreateByLiq" }).kind).toBe("exchange");
  });

  it("that waits for its trigger stands for its whole quantity, also where leavesQty is 0", () => {
    expect(read({ leavesQty: "0" }).quantity.toFixed()).toBe("0.5");
  });

  it("of a whole position may have the quantity 0", () => {
    expect(read({ qty: "0", leavesQty: "0" }).quantity.toFixed()).toBe("0");
  });

  it("that is partly filled stands for what is left", () => {
    const partly = { ...plain, stopOrderType: "", orderStatus: "PartiallyFilled", leavesQty: "0.2", cumExecQty: "0.3" };
    expect(read(partly)).toMatchObject({ state: "partly-filled" });
    expect(read(partly).quantity.toFixed()).toBe("0.2");
    expect(read({ ...partly, leavesQty: "" }).quantity.toFixed()).toBe("0.2");
    expect(reasonFor({ ...partly, leavesQty: "", cumExecQty: "" })).toContain("cumExecQty");
    const untouched = { ...plain, stopOrderType: "", leavesQty: "", cumExecQty: "" };
    expect(read(untouched).quantity.toFixed()).toBe("0.5");
  });

  it("that enters with exits attached keeps them apart from its own trigger", () => {
    const entry = read({ ...plain, stopOrderType: "", side: "Buy", stopLoss: "47000", takeProfit: "0.00" });
    expect(entry.attachedStopLoss?.toFixed()).toBe("47000");
    expect(entry.attachedTakeProfit).toBeNull();
    expect(entry.triggerPrice).toBeNull();
  });

  it.each([
    ["Full", "full"],
    ["Partial", "partial"],
    ["", null],
    ["Sideways", null],
    [undefined, null],
  ])("with exits in mode %j says so", (tpslMode, expected) => {
    expect(read({ ...plain, stopOrderType: "", stopLoss: "47000", tpslMode }).attachedMode).toBe(expected);
  });

  it.each([
    [true, true],
    ["true", true],
    ["perhaps", null],
    [false, false],
    [undefined, false],
  ])("with closeOnTrigger %j is taken for one that closes on trigger: %s", (closeOnTrigger, expected) => {
    expect(read({ ...plain, stopOrderType: "", closeOnTrigger }).closesOnTrigger).toBe(expected);
  });

  it.each([
    ["StopLoss", "Full", true],
    ["TakeProfit", "Full", true],
    ["StopLoss", "", false],
    ["StopLoss", undefined, false],
    ["StopLoss", "Whole", false],
    ["StopLoss", "Partial", false],
    ["PartialStopLoss", "Full", false],
  ])("of type %s and mode %j is kept at the position's size: %s", (stopOrderType, tpslMode, expected) => {
    expect(read({ stopOrderType, tpslMode }).followsSize).toBe(expected);
  });

  it("that would enter on a trigger does not reduce", () => {
    const entry = { stopOrderType: "Stop", createType: "CreateByStopOrder", reduceOnly: false, closeOnTrigger: false };
    expect(read(entry)).toMatchObject({ kind: "conditional", reducesOnly: false });
    expect(read({ ...entry, closeOnTrigger: true }).reducesOnly).toBe(false);
    expect(read({ ...entry, reduceOnly: "true" }).reducesOnly).toBe(true);
  });

  it("that is a stop-limit keeps its limit", () => {
    expect(read({ orderType: "Limit", price: "48900" })).toMatchObject({ execution: "limit", state: "waiting" });
    expect(read({ orderType: "Limit", price: "48900" }).price?.toFixed()).toBe("48900");
  });

  it("of a trailing stop may be without a trigger price", () => {
    expect(read({ stopOrderType: "TrailingStop", triggerPrice: "0" }).triggerPrice).toBeNull();
  });

  it.each(["Filled", "Cancelled", "Rejected", "Deactivated"])("that is %s is no open order", (orderStatus) => {
    expect(readOrder("linear", order({ orderStatus })).kind).toBe("closed");
  });

  it.each([
    ["stopOrderType", { stopOrderType: "OcoOrder" }],
    ["orderStatus", { orderStatus: "Sleeping" }],
    ["orderType", { orderType: "Iceberg" }],
    ["side", { side: "None" }],
    ["qty", { qty: "" }],
    ["triggerPrice", { triggerPrice: "0" }],
    ["triggerBy", { triggerBy: "Moon" }],
    ["triggerDirection", { triggerDirection: 3 }],
    ["triggerDirection", { side: "Sell", triggerDirection: 1 }],
    ["triggerDirection", { side: "Buy", stopOrderType: "PartialStopLoss", tpslMode: "Partial", triggerDirection: 2 }],
    ["positionIdx", { positionIdx: 4 }],
    ["reduceOnly", { reduceOnly: "perhaps" }],
    ["orderId", { orderId: "" }],
    ["price", { orderType: "Limit", price: "0" }],
  ])("whose %s cannot be read is unreadable, and says why", (field, over) => {
    expect(reasonFor(over)).toContain(field);
  });
});
