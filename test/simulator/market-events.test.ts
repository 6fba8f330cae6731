/** What the exchange itself does to a book: delistings, auctions, deleveraging; and what always holds. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dec } from "../../src/domain/decimal.js";
import { bench, type Bench } from "./client.js";

describe("contracts change", () => {
  it("a delisting cancels every order, settles every position and closes the contract", () => {
    const made = bench();
    made.exchange.open({ symbol: "DUSKUSDT", side: "long", size: "100", stopLoss: "0.2000" });
    made.exchange.deliver({ symbol: "DUSKUSDT", price: "0.2134" });
    expect(made.position("DUSKUSDT")["size"]).toBe("0");
    const history = made.get("/v5/order/history", { category: "linear", symbol: "DUSKUSDT" }).result.list;
    expect(history).toMatchObject([
      { createType: "CreateBySettle", orderStatus: "Filled" },
      { stopOrderType: "StopLoss", cancelType: "CancelBySettle" },
      { createType: "CreateByUser" },
    ]);
    const info = made.get("/v5/market/instruments-info", { category: "linear", symbol: "DUSKUSDT" }).result.list;
    expect(info).toMatchObject([{ status: "Closed" }]);
    expect(made.tradingStop({ symbol: "DUSKUSDT", stopLoss: "0.1" }).retCode).toBe(110074);
  });

  it("deleveraging takes a part and leaves the stop with the rest", () => {
    const made = bench();
    made.exchange.open({ symbol: "SOLUSDT", side: "long", size: "10", stopLoss: "140" });
    made.exchange.deleverage({ symbol: "SOLUSDT", size: "4" });
    const [fill] = made.get("/v5/execution/list", { category: "linear" }).result.list;
    expect(fill).toMatchObject({ execType: "AdlTrade", execQty: "4.0" });
    expect(made.orders("SOLUSDT")).toMatchObject([{ qty: "6.0" }]);
  });

  it("a new tick size cuts the next price", () => {
    const made = bench();
    made.exchange.open({ symbol: "SOLUSDT", side: "long", size: "10" });
    made.exchange.setInstrument({ symbol: "SOLUSDT", tickSize: "0.5" });
    made.tradingStop({ symbol: "SOLUSDT", stopLoss: "140.7" });
    expect(made.position("SOLUSDT")["stopLoss"]).toBe("140.5");
  });

  it("the end of a call auction lets stops be set", () => {
    const made = bench();
    made.exchange.open({ symbol: "NOVAUSDT", side: "long", size: "10" });
    expect(made.tradingStop({ symbol: "NOVAUSDT", stopLoss: "1.1" }).retCode).toBe(110099);
    made.exchange.setInstrument({ symbol: "NOVAUSDT", status: "Trading", auctionPhase: null });
    expect(made.tradingStop({ symbol: "NOVAUSDT", stopLoss: "1.1" }).retCode).toBe(0);
  });
});

type Deed = { readonly does: string; readonly amount: number };
const deeds = fc.array(
  fc.record({
    does: fc.constantFrom("buy", "sell", "price", "full", "partial", "profit", "clear", "flip", "trail"),
    amount: fc.integer({ min: 1, max: 60 }),
  }),
  { maxLength: 40 },
);

/** Any of these may be refused; what is refused must leave no trace that breaks the rules below. */
function perform(made: Bench, { does, amount }: Deed): void {
  const price = (100 + amount).toFixed(3);
  const stop = (body: object) => made.tradingStop({ symbol: "SOLUSDT", ...body });
  const trade = (side: string) =>
    made.post("/v5/order/create", {
      category: "linear",
      symbol: "SOLUSDT",
      side,
      orderType: "Market",
      qty: (amount / 10).toFixed(1),
    });
  switch (does) {
    case "buy":
      return void trade("Buy");
    case "sell":
      return void trade("Sell");
    case "price":
      return void made.exchange.setPrice({ symbol: "SOLUSDT", price });
    case "full":
      return void stop({ stopLoss: price });
    case "profit":
      return void stop({ takeProfit: price, stopLoss: (260 - amount).toFixed(3) });
    case "partial":
      return void stop({ tpslMode: "Partial", stopLoss: price, slSize: "0.1" });
    case "trail":
      return void stop({ trailingStop: String(amount) });
    case "clear":
      return void stop({ stopLoss: "0", takeProfit: "0" });
    default:
      try {
        made.exchange.flip({ symbol: "SOLUSDT" });
      } catch {
        return;
      }
  }
}

describe("whatever happens", () => {
  it("Full exits cover exactly the position, flat legs have none, and balances equal start plus realised profit", () => {
    fc.assert(
      fc.property(deeds, (sequence) => {
        const made = bench();
        for (const deed of sequence) {
          perform(made, deed);
          const [account] = made.exchange.snapshot().accounts;
          const [position] = account?.positions ?? [];
          const exits = account?.orders.filter((order) => order.stopOrderType !== "") ?? [];
          const closingSide = position?.side === "long" ? "Sell" : "Buy";
          for (const exit of exits) expect([position === undefined, exit.side]).toEqual([false, closingSide]);
          for (const full of exits.filter((exit) => !exit.stopOrderType.startsWith("Partial"))) {
            expect(full.qty).toBe(position?.size);
          }
          expect(exits.filter((exit) => exit.stopOrderType === "StopLoss").length).toBeLessThanOrEqual(1);
          expect(exits.filter((exit) => exit.stopOrderType.startsWith("Partial")).length).toBeLessThanOrEqual(20);
          const realised = dec(account?.realisedPnl["USDT"] ?? "0");
          expect(account?.balances["USDT"]).toBe(realised.plus("100000").toFixed());
        }
      }),
      { numRuns: 120 },
    );
  });

  it("the same seed and the same deeds give the same rows", () => {
    fc.assert(
      fc.property(deeds, (sequence) => {
        const run = (): unknown => {
          const made = bench();
          for (const deed of sequence) perform(made, deed);
          return made.pushes;
        };
        expect(JSON.stringify(run())).toBe(JSON.stringify(run()));
      }),
      { numRuns: 30 },
    );
  });
});
