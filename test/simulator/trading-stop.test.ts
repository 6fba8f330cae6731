/** Trading-stop: refusals in the exchange's words and order, Full and Partial semantics. */
import { describe, expect, it } from "vitest";
import { type Bench, bench } from "./client.js";

const BTC = { symbol: "BTCUSDT", size: "0.5", entryPrice: "64000" } as const;

function withLong(): Bench {
  const made = bench();
  made.exchange.setPrice({ symbol: "BTCUSDT", mark: "64100", last: "64250.5", index: "64200" });
  made.exchange.open({ ...BTC, side: "long" });
  return made;
}

function withShort(): Bench {
  const made = bench();
  made.exchange.open({ ...BTC, side: "short", entryPrice: "64500" });
  return made;
}

const partial = (size: string, stopLoss: string): object => ({ tpslMode: "Partial", stopLoss, slSize: size });

describe("trading-stop refuses in the exchange's words", () => {
  it.each([
    [
      { tpslMode: undefined, slOrderType: "Market", stopLoss: "60000" },
      "slOrderType can not have a value when tpSlMode is empty",
    ],
    [
      { tpslMode: undefined, tpOrderType: "Market", stopLoss: "60000" },
      "tpOrderType can not have a value when tpSlMode is empty",
    ],
    [{ slOrderType: "Limit", slLimitPrice: "1" }, "slOrderType only support Market when tpSlMode is Full"],
    [{ tpslMode: "full", tpOrderType: "Limit" }, "tpOrderType only support Market when tpSlMode is Full"],
    [
      { tpslMode: "Partial", tpOrderType: "Limit", takeProfit: "70000", tpSize: "0.1" },
      "tpLimitPrice is required when tpOrderType is limit",
    ],
    [
      { tpslMode: "Partial", stopLoss: "60000" },
      '"tpSize" and "takeProfit" or "slSize" and "stopLoss" need to input in pairs and must set at least one pair when tpslMode is Partial.',
    ],
    [
      { tpslMode: "Partial", stopLoss: "60000", slSize: "0.1", takeProfit: "70000", tpSize: "0.2" },
      "slSize and tpSize must be equal if both values are set when tpslMode is Full",
    ],
    [{ symbol: "NOSUCHUSDT", stopLoss: "60000" }, "params error: symbol invalid"],
    [{ positionIdx: 1, stopLoss: "60000" }, "position idx not match position mode"],
    [{ symbol: "ETHUSDT", stopLoss: "3000" }, "can not set tp/sl/ts for zero position"],
    [
      { stopLoss: "64250.5" },
      "StopLoss:642505000 set for Buy position should lower than base_price:642505000??LastPrice",
    ],
    [
      { stopLoss: "64150", slTriggerBy: "MarkPrice" },
      "StopLoss:641500000 set for Buy position should lower than base_price:641000000??MarkPrice",
    ],
    [
      { takeProfit: "64000" },
      "TakeProfit:640000000 set for Buy position should be higher than base_price:642505000??LastPrice",
    ],
    [
      { tpslMode: "Partial", stopLoss: "65000", slSize: "0.1" },
      "PartialStopLoss:650000000 set for Buy position should lower than base_price:642505000??LastPrice",
    ],
  ])("%j", (body, retMsg) => {
    expect(withLong().tradingStop(body)).toMatchObject({ retCode: 10001, retMsg });
  });

  it("for a short the wording differs", () => {
    const { tradingStop } = withShort();
    expect(tradingStop({ stopLoss: "64000" }).retMsg).toBe(
      "StopLoss:640000000 set for Sell position should greater base_price:642505000??LastPrice",
    );
    expect(tradingStop({ takeProfit: "65000" }).retMsg).toBe(
      "TakeProfit:650000000 set for Sell position should be lower than base_price:642505000??LastPrice",
    );
  });

  it("during a call auction with 110099", () => {
    const { exchange, tradingStop } = bench();
    exchange.open({ symbol: "NOVAUSDT", side: "long", size: "10" });
    expect(tradingStop({ symbol: "NOVAUSDT", stopLoss: "1" }).retCode).toBe(110099);
  });

  it("checks combination, symbol, mode, zero position and price side in this order", () => {
    const { tradingStop } = withLong();
    const everything = { slOrderType: "Limit", symbol: "NOSUCH", positionIdx: 2, stopLoss: "99999" };
    expect(tradingStop(everything).retMsg).toContain("only support Market");
    expect(tradingStop({ ...everything, slOrderType: "Market" }).retMsg).toContain("symbol invalid");
    expect(tradingStop({ symbol: "ETHUSDT", positionIdx: 2, stopLoss: "99999" }).retMsg).toContain("position idx");
    expect(tradingStop({ symbol: "ETHUSDT", stopLoss: "99999" }).retMsg).toContain("zero position");
    expect(tradingStop({ stopLoss: "99999" }).retMsg).toContain("base_price");
  });
});

describe("Full mode", () => {
  it("sets a stop that reads show on the position and as one order of the whole size", () => {
    const { tradingStop, position, orders } = withLong();
    expect(tradingStop({ stopLoss: "62000", slTriggerBy: "MarkPrice" })).toMatchObject({ retCode: 0, result: {} });
    expect(position("BTCUSDT")["stopLoss"]).toBe("62000.0");
    expect(orders("BTCUSDT")).toMatchObject([
      {
        stopOrderType: "StopLoss",
        createType: "CreateByStopLoss",
        orderStatus: "Untriggered",
        orderType: "Market",
        side: "Sell",
        qty: "0.500",
        triggerPrice: "62000.0",
        triggerBy: "MarkPrice",
        triggerDirection: 2,
        reduceOnly: true,
        closeOnTrigger: true,
        positionIdx: 0,
        tpslMode: "Full",
        orderLinkId: "",
        timeInForce: "IOC",
      },
    ]);
  });

  it("moves the stop in place: the order keeps its id", () => {
    const { tradingStop, orders } = withLong();
    tradingStop({ stopLoss: "62000" });
    const [before] = orders("BTCUSDT");
    tradingStop({ stopLoss: "63000" });
    const after = orders("BTCUSDT");
    expect(after).toHaveLength(1);
    expect(after[0]).toMatchObject({ orderId: before?.["orderId"], triggerPrice: "63000.0" });
  });

  it("leaves alone what is not named", () => {
    const { tradingStop, position } = withLong();
    tradingStop({ stopLoss: "62000" });
    tradingStop({ takeProfit: "66000" });
    expect(position("BTCUSDT")).toMatchObject({ stopLoss: "62000.0", takeProfit: "66000.0" });
  });

  it("cuts off-tick prices toward zero and then finds them unchanged", () => {
    const { tradingStop, position } = withLong();
    tradingStop({ stopLoss: "62000.19" });
    expect(position("BTCUSDT")["stopLoss"]).toBe("62000.1");
    expect(tradingStop({ stopLoss: "62000.15" })).toMatchObject({ retCode: 34040, retMsg: "not modified" });
  });

  it("never lets truncation turn a level into a clearing zero", () => {
    const { tradingStop, position } = withLong();
    tradingStop({ stopLoss: "62000" });
    expect(tradingStop({ stopLoss: "0.01" }).retCode).toBe(10001);
    expect(position("BTCUSDT")["stopLoss"]).toBe("62000.0");
  });

  it("counts another trigger type at the same price as a change", () => {
    const { tradingStop } = withLong();
    tradingStop({ stopLoss: "62000", slTriggerBy: "MarkPrice" });
    expect(tradingStop({ stopLoss: "62000", slTriggerBy: "MarkPrice" }).retCode).toBe(34040);
    expect(tradingStop({ stopLoss: "62000", slTriggerBy: "IndexPrice" }).retCode).toBe(0);
  });

  it("answers 34040 when nothing is named, or when a zero clears nothing", () => {
    const { tradingStop } = withLong();
    expect(tradingStop({}).retCode).toBe(34040);
    expect(tradingStop({ slTriggerBy: "MarkPrice" }).retCode).toBe(34040);
    expect(tradingStop({ stopLoss: "0" }).retCode).toBe(34040);
  });

  it("clears with zero, and leaves the partner that was bound to it", () => {
    const { tradingStop, position } = withLong();
    tradingStop({ stopLoss: "62000", takeProfit: "66000" });
    expect(tradingStop({ stopLoss: "0" }).retCode).toBe(0);
    expect(Number(position("BTCUSDT")["stopLoss"])).toBe(0);
    expect(position("BTCUSDT")["takeProfit"]).toBe("66000.0");
  });

  it("follows the size up and down", () => {
    const { exchange, tradingStop, orders } = withLong();
    tradingStop({ stopLoss: "62000" });
    exchange.open({ ...BTC, side: "long", size: "0.25" });
    expect(orders("BTCUSDT")[0]?.["qty"]).toBe("0.750");
    exchange.reduce({ symbol: "BTCUSDT", size: "0.7" });
    expect(orders("BTCUSDT")[0]?.["qty"]).toBe("0.050");
  });

  it("accepts an omitted tpslMode and ignores a misspelt one", () => {
    const { tradingStop, position } = withLong();
    expect(tradingStop({ tpslMode: undefined, tpSlMode: "Partial", stopLoss: "62000" }).retCode).toBe(0);
    expect(position("BTCUSDT")["stopLoss"]).toBe("62000.0");
  });

  it("keeps a trailing stop as a distance beside the hard stop", () => {
    const { tradingStop, position, orders } = withLong();
    tradingStop({ stopLoss: "62000" });
    expect(tradingStop({ trailingStop: "500" }).retCode).toBe(0);
    expect(tradingStop({ trailingStop: "500" }).retCode).toBe(34040);
    expect(position("BTCUSDT")).toMatchObject({ trailingStop: "500.0", stopLoss: "62000.0" });
    expect(orders("BTCUSDT").map((order) => order["stopOrderType"])).toEqual(["TrailingStop", "StopLoss"]);
  });
});

describe("Partial mode", () => {
  it("adds a leg each time and never shows on the position", () => {
    const { tradingStop, position, orders } = withLong();
    expect(tradingStop(partial("0.1", "62000")).retCode).toBe(0);
    expect(tradingStop(partial("0.1", "62000")).retCode).toBe(0);
    expect(orders("BTCUSDT").map((order) => order["stopOrderType"])).toEqual(["PartialStopLoss", "PartialStopLoss"]);
    expect(Number(position("BTCUSDT")["stopLoss"])).toBe(0);
  });

  it("stops at twenty legs with 110061", () => {
    const { tradingStop, orders } = withLong();
    for (let leg = 1; leg <= 20; leg += 1) expect(tradingStop(partial("0.02", "62000")).retCode).toBe(0);
    expect(tradingStop(partial("0.02", "61000"))).toMatchObject({ retCode: 110061 });
    expect(orders("BTCUSDT")).toHaveLength(20);
  });

  it("lets a Full stop stand beside its legs", () => {
    const { tradingStop, orders } = withLong();
    tradingStop(partial("0.1", "62000"));
    tradingStop({ stopLoss: "61000" });
    expect(orders("BTCUSDT").map((order) => order["tpslMode"])).toEqual(["Full", "Partial"]);
  });

  it("binds stop and take-profit of one call: cancelling one cancels both", () => {
    const { tradingStop, orders, post } = withLong();
    tradingStop({ tpslMode: "Partial", stopLoss: "62000", slSize: "0.1", takeProfit: "66000", tpSize: "0.1" });
    const [first] = orders("BTCUSDT");
    post("/v5/order/cancel", { category: "linear", symbol: "BTCUSDT", orderId: first?.["orderId"] });
    expect(orders("BTCUSDT")).toHaveLength(0);
  });

  it("moves one leg by its order id, judged like a new stop", () => {
    const { tradingStop, orders, post } = withLong();
    tradingStop(partial("0.1", "62000"));
    const ids = { category: "linear", symbol: "BTCUSDT", orderId: orders("BTCUSDT")[0]?.["orderId"] };
    expect(post("/v5/order/amend", { ...ids, triggerPrice: "63000" }).retCode).toBe(0);
    expect(orders("BTCUSDT")[0]?.["triggerPrice"]).toBe("63000.0");
    expect(post("/v5/order/amend", { ...ids, triggerPrice: "70000" }).retMsg).toMatch(/^PartialStopLoss:/);
    expect(orders("BTCUSDT")[0]?.["triggerPrice"]).toBe("63000.0");
  });
});
