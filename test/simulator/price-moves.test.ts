/** Price moves: which exit comes first, gaps, thin books and liquidation. */
import { describe, expect, it } from "vitest";
import { type Bench, bench } from "./client.js";

const ETH = { symbol: "ETHUSDT", side: "long", size: "2", entryPrice: "3100", leverage: "5" } as const;

function withEth(extra: object = {}): Bench {
  const made = bench();
  made.exchange.setPrice({ symbol: "ETHUSDT", price: "3100" });
  made.exchange.open({ ...ETH, ...extra });
  return made;
}

const closed = (made: Bench): Record<string, string>[] =>
  made.get("/v5/order/history", { category: "linear", symbol: "ETHUSDT", limit: "50" }).result.list;
const fills = (made: Bench): Record<string, string>[] =>
  made.get("/v5/execution/list", { category: "linear", symbol: "ETHUSDT" }).result.list;
const realised = (made: Bench): string | undefined => made.exchange.snapshot().accounts[0]?.realisedPnl["USDT"];

describe("a price move", () => {
  it("that reaches the stop closes the position at the new price and realises the loss", () => {
    const made = withEth({ stopLoss: "3000" });
    made.exchange.setPrice({ symbol: "ETHUSDT", price: "2990" });
    expect(made.position("ETHUSDT")).toMatchObject({ size: "0", side: "" });
    expect(fills(made)[0]).toMatchObject({
      stopOrderType: "StopLoss",
      createType: "CreateByStopLoss",
      execPrice: "2990.00",
      execQty: "2.00",
      closedSize: "2.00",
      execType: "Trade",
    });
    expect(realised(made)).toBe("-220");
    const [stop] = closed(made).filter((order) => order["stopOrderType"] === "StopLoss");
    expect(stop).toMatchObject({ orderStatus: "Filled", cumExecQty: "2.00" });
  });

  it("that stays short of the stop changes nothing", () => {
    const made = withEth({ stopLoss: "3000" });
    made.exchange.setPrice({ symbol: "ETHUSDT", price: "3000.01" });
    expect(made.position("ETHUSDT")["size"]).toBe("2");
  });

  it("of the mark price alone leaves a last-price stop asleep", () => {
    const made = withEth({ stopLoss: "3000" });
    made.exchange.setPrice({ symbol: "ETHUSDT", mark: "2900" });
    expect(made.position("ETHUSDT")["size"]).toBe("2");
  });

  it("to the take-profit clears the stop with CancelByTpSlTsClear", () => {
    const made = withEth({ stopLoss: "3000", takeProfit: "3200" });
    made.exchange.setPrice({ symbol: "ETHUSDT", price: "3200" });
    expect(realised(made)).toBe("200");
    const [stop] = closed(made).filter((order) => order["stopOrderType"] === "StopLoss");
    expect(stop).toMatchObject({ orderStatus: "Cancelled", cancelType: "CancelByTpSlTsClear" });
    expect(made.orders("ETHUSDT")).toEqual([]);
  });

  it("triggers a leg's stop and leaves the rest of the position with its other legs", () => {
    const made = withEth();
    made.exchange.addPartialLegs({
      symbol: "ETHUSDT",
      legs: [
        { size: "0.5", stopLoss: "3050", takeProfit: "3300" },
        { size: "1.5", stopLoss: "2900" },
      ],
    });
    made.exchange.setPrice({ symbol: "ETHUSDT", price: "3040" });
    expect(made.position("ETHUSDT")["size"]).toBe("1.5");
    expect(made.orders("ETHUSDT")).toMatchObject([{ triggerPrice: "2900.00", qty: "1.50" }]);
  });

  it("past everything at once happens nearest first: the stop beats liquidation", () => {
    const made = withEth({ stopLoss: "3000", liquidationPrice: "2600" });
    made.exchange.setPrice({ symbol: "ETHUSDT", price: "2000" });
    expect(fills(made)[0]).toMatchObject({ execType: "Trade", execPrice: "2000.00" });
  });

  it("liquidates a position without a stop at its liquidation price, by the mark price", () => {
    const made = withEth({ liquidationPrice: "2600" });
    made.exchange.setPrice({ symbol: "ETHUSDT", last: "2500" });
    expect(made.position("ETHUSDT")["size"]).toBe("2");
    made.exchange.setPrice({ symbol: "ETHUSDT", price: "2500" });
    expect(made.position("ETHUSDT")["size"]).toBe("0");
    expect(fills(made)[0]).toMatchObject({ execType: "BustTrade", createType: "CreateByLiq", execPrice: "2600.00" });
    expect(realised(made)).toBe("-1000");
  });

  it("reaches liquidation before a stop that lies beyond it, and cancels that stop", () => {
    const made = withEth({ stopLoss: "2500", liquidationPrice: "2600" });
    made.exchange.setPrice({ symbol: "ETHUSDT", price: "2400" });
    expect(fills(made)[0]?.["execType"]).toBe("BustTrade");
    const [stop] = closed(made).filter((order) => order["stopOrderType"] === "StopLoss");
    expect(stop).toMatchObject({ orderStatus: "Cancelled", cancelType: "CancelAllBeforeLiq" });
    expect(made.pushes.some(({ row }) => row["positionStatus"] === "Liq")).toBe(true);
  });

  it("in many steps fills a stop near its trigger", () => {
    const made = withEth({ stopLoss: "3000" });
    made.exchange.setPrice({ symbol: "ETHUSDT", price: "2600", steps: 500 });
    expect(Number(fills(made)[0]?.["execPrice"])).toBe(3000);
  });

  it("mirrors all of it for a short", () => {
    const made = bench();
    made.exchange.setPrice({ symbol: "ETHUSDT", price: "3100" });
    made.exchange.open({ ...ETH, side: "short", stopLoss: "3200", takeProfit: "3000" });
    made.exchange.setPrice({ symbol: "ETHUSDT", price: "3210" });
    expect(realised(made)).toBe("-220");
  });

  it("settles inverse contracts in their coin", () => {
    const made = bench();
    made.exchange.setPrice({ symbol: "BTCUSD", price: "50000" });
    made.exchange.open({
      symbol: "BTCUSD",
      side: "long",
      size: "10000",
      entryPrice: "50000",
      stopLoss: "40000",
      leverage: "2",
    });
    made.exchange.setPrice({ symbol: "BTCUSD", price: "40000" });
    expect(made.exchange.snapshot().accounts[0]?.realisedPnl["BTC"]).toBe("-0.05");
  });

  it("trails a trailing stop behind the best price", () => {
    const made = withEth();
    made.post("/v5/position/trading-stop", {
      category: "linear",
      symbol: "ETHUSDT",
      positionIdx: 0,
      trailingStop: "50",
    });
    made.exchange.setPrice({ symbol: "ETHUSDT", price: "3200" });
    made.exchange.setPrice({ symbol: "ETHUSDT", price: "3151" });
    expect(made.position("ETHUSDT")["size"]).toBe("2");
    made.exchange.setPrice({ symbol: "ETHUSDT", price: "3150" });
    expect(made.position("ETHUSDT")["size"]).toBe("0");
  });

  it("through a stop-limit can leave it resting unfilled and the position open", () => {
    const made = withEth();
    made.exchange.addPartialLegs({
      symbol: "ETHUSDT",
      legs: [{ size: "2", stopLoss: "3000", stopLimitPrice: "2995" }],
    });
    made.exchange.setPrice({ symbol: "ETHUSDT", price: "2900" });
    expect(made.position("ETHUSDT")["size"]).toBe("2");
    expect(made.orders("ETHUSDT")).toMatchObject([{ orderStatus: "New", orderType: "Limit", price: "2995.00" }]);
    made.exchange.setPrice({ symbol: "ETHUSDT", price: "2996" });
    expect(made.position("ETHUSDT")["size"]).toBe("0");
  });

  it("in a thin book leaves part of the position open and its stop gone", () => {
    const made = withEth({ stopLoss: "3000" });
    made.exchange.setLiquidity({ symbol: "ETHUSDT", fraction: "0.25" });
    made.exchange.setPrice({ symbol: "ETHUSDT", price: "2990" });
    expect(made.position("ETHUSDT")["size"]).toBe("1.5");
    expect(made.orders("ETHUSDT")).toEqual([]);
    const [stop] = closed(made).filter((order) => order["stopOrderType"] === "StopLoss");
    expect(stop).toMatchObject({ orderStatus: "Cancelled", cumExecQty: "0.50" });
  });

  it("moves two accounts apart: the one with stops keeps more", () => {
    const accounts = ["protected", "naked"].map((name) => ({ name, key: name, secret: name }));
    const { exchange } = bench({ accounts });
    exchange.open({ account: "protected", ...ETH, stopLoss: "3000" });
    exchange.open({ account: "naked", ...ETH });
    exchange.setPrice({ symbol: "ETHUSDT", price: "2000", steps: 200 });
    const [safe, lost] = exchange.snapshot().accounts;
    expect(Number(safe?.equityUsd)).toBeGreaterThan(Number(lost?.equityUsd));
    expect(lost?.positions).toEqual([]);
  });
});

describe("fills", () => {
  it("close the old side on a flip, clear its exits and start the new side bare", () => {
    const made = withEth({ stopLoss: "3000", takeProfit: "3200" });
    made.clock.nowMs += 1000;
    made.exchange.flip({ symbol: "ETHUSDT" });
    const row = made.position("ETHUSDT");
    expect(row).toMatchObject({ side: "Sell", size: "2", openTime: made.clock.nowMs });
    expect(Number(row["stopLoss"])).toBe(0);
    expect(made.orders("ETHUSDT")).toEqual([]);
    expect(closed(made).filter((order) => order["cancelType"] === "CancelByTpSlTsClear")).toHaveLength(2);
  });

  it("with attached Full exits replace the position's", () => {
    const made = withEth({ stopLoss: "3000" });
    made.exchange.placeOrder({ symbol: "ETHUSDT", side: "Buy", orderType: "Market", qty: "1", stopLoss: "2950" });
    expect(made.position("ETHUSDT")).toMatchObject({ size: "3", stopLoss: "2950.00" });
    expect(made.orders("ETHUSDT")).toMatchObject([{ qty: "3.00" }]);
  });

  it("with attached Partial exits add legs for what was filled, naming their parent", () => {
    const made = withEth({ stopLoss: "3000" });
    made.exchange.placeOrder({
      symbol: "ETHUSDT",
      side: "Buy",
      orderType: "Limit",
      price: "3080",
      qty: "1",
      stopLoss: "2950",
      takeProfit: "3300",
      tpslMode: "Partial",
      orderLinkId: "dca-1",
    });
    expect(made.orders("ETHUSDT")).toHaveLength(2);
    made.exchange.setPrice({ symbol: "ETHUSDT", price: "3079" });
    const legs = made.orders("ETHUSDT").filter((order) => order["tpslMode"] === "Partial");
    expect(legs).toHaveLength(2);
    for (const leg of legs) expect(leg).toMatchObject({ qty: "1.00", orderLinkId: "", parentOrderLinkId: "dca-1" });
  });

  it("are not visible before the configured lag, and trading-stop finds no position until then", () => {
    const made = bench({ lags: { fillToPositionMs: 800, stopToVisibleMs: 400 } });
    made.exchange.open({ ...ETH });
    const stop = { category: "linear", symbol: "ETHUSDT", positionIdx: 0, stopLoss: "3000" };
    expect(made.position("ETHUSDT")["size"]).toBe("0");
    expect(made.post("/v5/position/trading-stop", stop).retMsg).toBe("can not set tp/sl/ts for zero position");
    made.clock.nowMs += 800;
    expect(made.position("ETHUSDT")["size"]).toBe("2");
    expect(made.post("/v5/position/trading-stop", stop).retCode).toBe(0);
    expect(made.orders("ETHUSDT")).toEqual([]);
    expect(Number(made.position("ETHUSDT")["stopLoss"])).toBe(0);
    made.clock.nowMs += 400;
    expect(made.orders("ETHUSDT")).toHaveLength(1);
    expect(made.position("ETHUSDT")["stopLoss"]).toBe("3000.00");
  });
});
