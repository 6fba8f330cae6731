/** Orders: created, amended, cancelled, filled and listed as the exchange lists them. */
import { describe, expect, it } from "vitest";
import { type Bench, bench } from "./client.js";

const ETH = { category: "linear", symbol: "ETHUSDT", side: "Sell", positionIdx: 0 };
const create = ({ post }: Bench, body: object): ReturnType<Bench["post"]> =>
  post("/v5/order/create", { ...ETH, ...body });

function withLong(): Bench {
  const made = bench();
  made.exchange.setPrice({ symbol: "ETHUSDT", price: "3100" });
  made.exchange.open({ symbol: "ETHUSDT", side: "long", size: "2" });
  return made;
}

describe("order/create", () => {
  it("closes at market, reduce-only", () => {
    const made = withLong();
    const answer = create(made, { orderType: "Market", qty: "2", reduceOnly: true, orderLinkId: "close-1" });
    expect(answer).toMatchObject({ retCode: 0, result: { orderLinkId: "close-1" } });
    expect(made.position("ETHUSDT")["size"]).toBe("0");
    expect(create(made, { orderType: "Market", qty: "2", reduceOnly: true })).toMatchObject({
      retCode: 110017,
      retMsg: "current position is zero, cannot fix reduce-only order qty",
    });
    expect(create(made, { orderType: "Market", qty: "2", orderLinkId: "close-1" }).retCode).toBe(110072);
  });

  it("never flips with a reduce-only order that is too large", () => {
    const made = withLong();
    create(made, { orderType: "Market", qty: "5", reduceOnly: true });
    expect(made.position("ETHUSDT")).toMatchObject({ size: "0", side: "" });
  });

  it("takes quantity zero as everything only with reduceOnly and closeOnTrigger", () => {
    const made = withLong();
    expect(create(made, { orderType: "Market", qty: "0", reduceOnly: true }).retCode).toBe(10001);
    expect(create(made, { orderType: "Market", qty: "0", reduceOnly: true, closeOnTrigger: true }).retCode).toBe(0);
    expect(made.position("ETHUSDT")["size"]).toBe("0");
  });

  it("wants a direction for a trigger and refuses one that is past", () => {
    const made = withLong();
    const stop = { orderType: "Market", qty: "2", reduceOnly: true, triggerPrice: "3000" };
    expect(create(made, stop).retMsg).toBe("params error: TriggerDirection invalid");
    expect(create(made, { ...stop, triggerDirection: 1 })).toMatchObject({
      retCode: 110092,
      retMsg: "expect Rising, but trigger_price[30000000] <= current[31000000]??LastPrice",
    });
    expect(create(made, { ...stop, triggerPrice: "3200", triggerDirection: 2 }).retCode).toBe(110093);
    expect(create(made, { ...stop, triggerDirection: 2, triggerBy: "MarkPrice" }).retCode).toBe(0);
    expect(made.orders("ETHUSDT")).toMatchObject([
      { stopOrderType: "Stop", createType: "CreateByStopOrder", orderStatus: "Untriggered", triggerBy: "MarkPrice" },
    ]);
    made.exchange.setPrice({ symbol: "ETHUSDT", price: "2999" });
    expect(made.position("ETHUSDT")["size"]).toBe("0");
  });

  it("holds at most ten conditional orders a symbol", () => {
    const made = withLong();
    const stop = { orderType: "Market", qty: "1", triggerPrice: "3000", triggerDirection: 2, reduceOnly: true };
    for (let count = 1; count <= 10; count += 1) expect(create(made, stop).retCode).toBe(0);
    expect(create(made, stop).retCode).toBe(110009);
  });

  it("forbids exits on a reduce-only order and judges those of an entry against its own price", () => {
    const made = withLong();
    expect(create(made, { orderType: "Market", qty: "1", reduceOnly: true, stopLoss: "3200" }).retCode).toBe(10001);
    const entry = { side: "Buy", orderType: "Limit", price: "3000", qty: "1" };
    expect(create(made, { ...entry, stopLoss: "3050" }).retMsg).toMatch(/^StopLoss:30500000 .* base_price:30000000/);
    expect(create(made, { ...entry, stopLoss: "2950" }).retCode).toBe(0);
    expect(made.orders("ETHUSDT")).toMatchObject([{ orderStatus: "New", stopLoss: "2950.00", tpslMode: "Full" }]);
  });

  it("needs the leg's index in hedge mode", () => {
    const made = bench();
    made.exchange.open({ symbol: "ETHUSDT", side: "long", size: "2", hedge: true });
    expect(create(made, { orderType: "Market", qty: "1", reduceOnly: true }).retMsg).toBe(
      "position idx not match position mode",
    );
    expect(create(made, { orderType: "Market", qty: "1", reduceOnly: true, positionIdx: 1 }).retCode).toBe(0);
    expect(made.position("ETHUSDT", 1)["size"]).toBe("1");
    expect(made.position("ETHUSDT", 2)["size"]).toBe("0");
  });

  it("accepts only plain lasting limit orders during a call auction", () => {
    const made = bench();
    const order = { symbol: "NOVAUSDT", side: "Buy", qty: "10", price: "1.2" };
    expect(create(made, { ...order, orderType: "Market" }).retCode).toBe(110098);
    expect(create(made, { ...order, orderType: "Limit", stopLoss: "1.1" }).retCode).toBe(110099);
    expect(create(made, { ...order, orderType: "Limit" }).retCode).toBe(0);
  });
});

describe("order/amend and order/cancel", () => {
  it("check a new entry price against the stop it had before, even if both change", () => {
    const made = withLong();
    const { orderId } = create(made, {
      side: "Buy",
      orderType: "Limit",
      price: "3000",
      qty: "1",
      stopLoss: "2950",
    }).result;
    const amend = (body: object): ReturnType<Bench["post"]> =>
      made.post("/v5/order/amend", { ...ETH, orderId, ...body });
    expect(amend({ price: "2940", stopLoss: "2900" }).retCode).toBe(10001);
    expect(made.orders("ETHUSDT")).toMatchObject([{ price: "3000.00", stopLoss: "2950.00" }]);
    expect(amend({ stopLoss: "2900" }).retCode).toBe(0);
    expect(amend({ price: "2940" }).retCode).toBe(0);
    expect(amend({ price: "2940" }).retMsg).toBe("order not modified");
  });

  it("give a resting entry exits, which the position has from the fill on", () => {
    const made = bench();
    made.exchange.setPrice({ symbol: "ETHUSDT", price: "3100" });
    const { orderId } = create(made, { side: "Buy", orderType: "Limit", price: "3000", qty: "1" }).result;
    const amend = (body: object): ReturnType<Bench["post"]> =>
      made.post("/v5/order/amend", { category: "linear", symbol: "ETHUSDT", orderId, tpslMode: "Full", ...body });
    const exits = { stopLoss: "2940", slTriggerBy: "MarkPrice", takeProfit: "3120", tpTriggerBy: "LastPrice" };
    expect(amend({ stopLoss: "3000" }).retMsg).toMatch(/^StopLoss:30000000 .* base_price:30000000/);
    expect(amend(exits)).toMatchObject({ retCode: 0, result: { orderId } });
    expect(amend(exits)).toMatchObject({ retCode: 10001, retMsg: "order not modified" });
    expect(made.orders("ETHUSDT")).toMatchObject([{ orderStatus: "New", stopLoss: "2940.00", tpslMode: "Full" }]);
    made.exchange.setPrice({ symbol: "ETHUSDT", price: "2999" });
    expect(made.position("ETHUSDT")).toMatchObject({ size: "1", stopLoss: "2940.00", takeProfit: "3120.00" });
  });

  it("refuse exits during a call auction", () => {
    const made = bench();
    const order = { symbol: "NOVAUSDT", side: "Buy", qty: "10", price: "1.2" };
    const { orderId } = create(made, { ...order, orderType: "Limit" }).result;
    const amend = { category: "linear", symbol: "NOVAUSDT", orderId, stopLoss: "1.1" };
    expect(made.post("/v5/order/amend", amend).retCode).toBe(110099);
  });

  it("answer 110001 for what is gone", () => {
    const made = withLong();
    const gone = { ...ETH, orderId: "0000" };
    expect(made.post("/v5/order/amend", { ...gone, price: "1" })).toMatchObject({
      retCode: 110001,
      retMsg: "order not exists or too late to replace",
    });
    expect(made.post("/v5/order/cancel", gone).retCode).toBe(110001);
  });
});

describe("what the stream is told", () => {
  it("an order and a position row for each new stop, with the stream's own names", () => {
    const made = withLong();
    made.pushes.length = 0;
    made.post("/v5/position/trading-stop", { category: "linear", symbol: "ETHUSDT", positionIdx: 0, stopLoss: "3000" });
    expect(made.pushes.map(({ topic }) => topic)).toEqual(["order", "position"]);
    const position = made.pushes[1]?.row;
    expect(position).toMatchObject({ entryPrice: "3100", stopLoss: "3000.00", category: "linear" });
    expect(position).not.toHaveProperty("avgPrice");
  });

  it("Triggered, then Filled, the execution, and a flat position when a stop fires", () => {
    const made = withLong();
    made.exchange.tradingStop({ symbol: "ETHUSDT", stopLoss: "3000" });
    made.pushes.length = 0;
    made.exchange.setPrice({ symbol: "ETHUSDT", price: "2999" });
    expect(made.pushes.map(({ topic, row }) => [topic, row["orderStatus"] ?? row["size"]])).toEqual([
      ["order", "Triggered"],
      ["order", "Filled"],
      ["execution", undefined],
      ["position", "0"],
    ]);
  });

  it("also positions that did not change", () => {
    const made = withLong();
    made.pushes.length = 0;
    made.exchange.pushPosition({ symbol: "ETHUSDT" });
    expect(made.pushes.map(({ topic }) => topic)).toEqual(["position"]);
  });
});
