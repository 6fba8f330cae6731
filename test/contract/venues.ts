/** Every implementation of Reader and Writer, each behind the same hand for the contract suite. */
import { z } from "zod";
import { connectBybit } from "../../src/exchange/bybit/index.js";
import type { Reader, Writer } from "../../src/exchange/port.js";
import { startSimulator } from "../../src/exchange/simulator/index.js";
import { systemClock } from "../../src/runtime/index.js";
import { fakeClock } from "../builders/clock.js";
import { fakeExchange } from "../builders/fake-exchange.js";
import { anEntry } from "../builders/order.js";
import { aPosition } from "../builders/position.js";

/** Contracts that every venue offers: AUSDT one-way, HUSDT in hedge mode; all trade at 100 with a tick of 0.1. */
export interface Venue {
  readonly reader: Reader;
  readonly writer: Writer;
  open(leg: { symbol: "AUSDT" | "HUSDT"; side: "long" | "short"; size: string }): void;
  /** Rests a limit order that would open a position; its id. */
  rest(order: { symbol: "AUSDT" | "HUSDT"; side: "long" | "short"; size: string; price: string }): string;
  /** The market comes to the resting order. */
  fill(orderId: string, order: { symbol: "AUSDT" | "HUSDT"; price: string }): void;
  close(leg: { symbol: "AUSDT" | "HUSDT"; side: "long" | "short" }): void;
  price(symbol: "AUSDT" | "HUSDT", price: string): void;
  end(): Promise<void>;
}

const positionIdx = (symbol: string, side: "long" | "short") => (symbol === "AUSDT" ? 0 : side === "long" ? 1 : 2);

async function bybitOverSimulator(): Promise<Venue> {
  const key = "c".repeat(18);
  const secret = "d".repeat(36);
  const instruments = ["AUSDT", "HUSDT"].map((symbol) => ({ symbol, price: "100.0", tickSize: "0.1" }));
  const simulator = await startSimulator({ seed: 5, accounts: [{ name: "main", key, secret }], instruments });
  const session = connectBybit({
    account: "main",
    environment: "custom",
    region: "default",
    restUrl: simulator.restUrl,
    key,
    secret,
    categories: ["linear", "inverse"],
    budget: { writesPerSecond: 9, ipShare: 0.5 },
    clock: systemClock,
  });
  return {
    reader: session.reader,
    writer: session.writer(),
    open: (leg) => void simulator.exchange.open({ ...leg, hedge: leg.symbol === "HUSDT" }),
    rest: ({ symbol, side, size: qty, price }) => {
      const terms = { side: side === "long" ? "Buy" : "Sell", orderType: "Limit", qty, price };
      const leg = { symbol, positionIdx: positionIdx(symbol, side) };
      return z.object({ orderId: z.string() }).parse(simulator.exchange.placeOrder({ ...leg, ...terms })).orderId;
    },
    fill: (_orderId, { symbol, price }) => void simulator.exchange.setPrice({ symbol, price }),
    close: ({ symbol, side }) => void simulator.exchange.close({ symbol, positionIdx: positionIdx(symbol, side) }),
    price: (symbol, price) => void simulator.exchange.setPrice({ symbol, price }),
    end: async () => {
      await session.close();
      await simulator.close();
    },
  };
}

function scripted(): Promise<Venue> {
  const exchange = fakeExchange({ clock: fakeClock(), positions: [], latencyMs: 0 });
  const leg = ({ symbol, side }: { symbol: string; side: "long" | "short" }) =>
    aPosition({ symbol, side, positionIdx: positionIdx(symbol, side) });
  return Promise.resolve({
    reader: exchange.reader,
    writer: exchange.writer,
    open: (wanted) => exchange.hand.put(aPosition({ ...wanted, positionIdx: positionIdx(wanted.symbol, wanted.side) })),
    rest: ({ symbol, side, size: quantity, price }) => {
      const orderId = `entry-${symbol}-${side}-${price}`;
      const idx = positionIdx(symbol, side);
      exchange.hand.order(anEntry({ symbol, positionIdx: idx, orderId, side, quantity, price }));
      return orderId;
    },
    fill: (orderId) => exchange.hand.fill(orderId),
    close: (wanted) => exchange.hand.close(leg(wanted).key),
    price: (symbol, price) => exchange.hand.price(symbol, price),
    end: () => Promise.resolve(),
  });
}

export const VENUES: readonly { readonly name: string; readonly start: () => Promise<Venue> }[] = [
  { name: "bybit-api over the simulated exchange", start: bybitOverSimulator },
  { name: "the scripted exchange of the tests", start: scripted },
];
