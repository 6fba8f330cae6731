/** A book of 250 positions of every kind, each with what a right judgement says before and after `protect`. */
import type { ExtraInstrument, SimulatedExchange } from "../../src/exchange/simulator/index.js";
import type { PositionStatus } from "../../src/report/index.js";

export interface Expectation {
  readonly account: "cross" | "isolated";
  readonly symbol: string;
  readonly side: "long" | "short";
  readonly kind: string;
  readonly before: PositionStatus;
  readonly after: PositionStatus;
  /** `protect` sends something for it and proves it. */
  readonly isWritten: boolean;
  /** Codes that the audit must name. */
  readonly codes: readonly string[];
}

interface Kind {
  readonly kind: string;
  readonly account?: "cross" | "isolated";
  readonly instrument?: Partial<ExtraInstrument>;
  readonly symbolSuffix?: string;
  readonly before: PositionStatus;
  readonly after?: PositionStatus;
  readonly isWritten?: boolean;
  readonly codes?: readonly string[];
  readonly arrange: (exchange: SimulatedExchange, place: Place) => void;
}

interface Place {
  readonly account: string;
  readonly symbol: string;
  readonly side: "long" | "short";
}

const KINDS: readonly Kind[] = [
  {
    kind: "naked",
    before: "unprotected",
    codes: ["stop-missing", "take-profit-missing"],
    arrange: (exchange, place) => void exchange.open({ ...place, size: "100" }),
  },
  {
    kind: "stop and take-profit stand",
    before: "protected",
    isWritten: false,
    arrange: (exchange, place) =>
      void exchange.open({ ...place, size: "100", ...levels(place.side, { stop: "9.8", profit: "10.4" }) }),
  },
  {
    kind: "stop stands, take-profit missing",
    before: "protected",
    codes: ["take-profit-missing"],
    arrange: (exchange, place) => void exchange.open({ ...place, size: "100", ...levels(place.side, { stop: "9.8" }) }),
  },
  {
    kind: "half covered by a Partial leg",
    before: "underprotected",
    codes: ["stop-partial"],
    arrange: (exchange, place) => {
      exchange.open({ ...place, size: "100" });
      const { stopLoss } = levels(place.side, { stop: "9.7" });
      exchange.addPartialLegs({
        account: place.account,
        symbol: place.symbol,
        legs: [{ size: "50", ...(stopLoss === undefined ? {} : { stopLoss }) }],
      });
    },
  },
  {
    kind: "covered by a reduce-only conditional order",
    before: "protected",
    arrange: (exchange, place) => {
      exchange.open({ ...place, size: "100" });
      exchange.placeOrder({
        account: place.account,
        symbol: place.symbol,
        side: place.side === "long" ? "Sell" : "Buy",
        orderType: "Market",
        qty: "100",
        reduceOnly: true,
        triggerPrice: place.side === "long" ? "9.7" : "10.3",
        triggerDirection: place.side === "long" ? 2 : 1,
        triggerBy: "MarkPrice",
      });
    },
  },
  {
    kind: "past its stop",
    before: "unprotected",
    codes: ["stop-missing", "stop-past"],
    arrange: (exchange, place) =>
      void exchange.open({ ...place, size: "100", entryPrice: place.side === "long" ? "10.4" : "9.6" }),
  },
  {
    kind: "past its take-profit",
    before: "unprotected",
    codes: ["stop-missing", "take-profit-past"],
    arrange: (exchange, place) =>
      void exchange.open({ ...place, size: "100", entryPrice: place.side === "long" ? "9.5" : "10.5" }),
  },
  {
    kind: "a Partial stop beyond liquidation, isolated",
    account: "isolated",
    before: "misplaced",
    codes: ["stop-beyond-liquidation"],
    arrange: (exchange, place) => {
      const liquidationPrice = place.side === "long" ? "9.5" : "10.5";
      exchange.open({ ...place, size: "100", liquidationPrice });
      const { stopLoss } = levels(place.side, { stop: "9.3" });
      exchange.addPartialLegs({
        account: place.account,
        symbol: place.symbol,
        legs: [{ size: "100", ...(stopLoss === undefined ? {} : { stopLoss }) }],
      });
    },
  },
  {
    kind: "a Full stop beyond liquidation, isolated, create-only",
    account: "isolated",
    before: "misplaced",
    after: "misplaced",
    codes: ["stop-beyond-liquidation"],
    arrange: (exchange, place) =>
      void exchange.open({
        ...place,
        size: "100",
        liquidationPrice: place.side === "long" ? "9.5" : "10.5",
        ...levels(place.side, { stop: "9.3" }),
      }),
  },
  {
    kind: "a tiny price",
    instrument: { price: "0.0000123", tickSize: "0.0000001", qtyStep: "1000" },
    before: "unprotected",
    codes: ["stop-missing"],
    arrange: (exchange, place) => void exchange.open({ ...place, size: "5000000" }),
  },
  {
    kind: "a coarse tick",
    instrument: { price: "2.0", tickSize: "0.1", qtyStep: "1" },
    before: "unprotected",
    codes: ["stop-missing", "tick-too-coarse"],
    arrange: (exchange, place) => void exchange.open({ ...place, size: "100", liquidationPrice: null }),
  },
  {
    kind: "a USDC perpetual",
    symbolSuffix: "PERP",
    instrument: { settleCoin: "USDC" },
    before: "unprotected",
    codes: ["stop-missing"],
    arrange: (exchange, place) => void exchange.open({ ...place, size: "100" }),
  },
  {
    kind: "an inverse perpetual",
    symbolSuffix: "USD",
    instrument: { category: "inverse", qtyStep: "1" },
    before: "unprotected",
    codes: ["stop-missing"],
    arrange: (exchange, place) => void exchange.open({ ...place, size: "100" }),
  },
];

const POSITIONS = 250;
/** Both legs of these contracts are open, in hedge mode. */
const HEDGED_PAIRS = 15;

/** The contracts that the book needs; they trade at 10.000 unless their kind says otherwise. */
export function mixedInstruments(): readonly ExtraInstrument[] {
  const singles = Array.from({ length: POSITIONS - 2 * HEDGED_PAIRS }, (_, index) => {
    const { instrument, symbolSuffix } = kindOf(index);
    return { price: "10.000", tickSize: "0.001", ...instrument, symbol: symbolOf(index, symbolSuffix) };
  });
  const pairs = Array.from({ length: HEDGED_PAIRS }, (_, index) => hedgedSymbol(index));
  return [...singles, ...pairs.map((symbol) => ({ symbol, price: "10.000", tickSize: "0.001" }))];
}

export function openMixedBook(exchange: SimulatedExchange): readonly Expectation[] {
  const singles = Array.from({ length: POSITIONS - 2 * HEDGED_PAIRS }, (_, index) => openSingle(exchange, index));
  const pairs = Array.from({ length: HEDGED_PAIRS }, (_, index) => openPair(exchange, index)).flat();
  return [...singles, ...pairs];
}

function openSingle(exchange: SimulatedExchange, index: number): Expectation {
  const found = kindOf(index);
  const { kind, account = "cross", before, after = "protected", isWritten = true, codes = [] } = found;
  // Sides change from round to round of kinds, so that every kind is seen long and short.
  const side = Math.floor(index / KINDS.length) % 2 === 0 ? "long" : "short";
  const symbol = symbolOf(index, found.symbolSuffix);
  found.arrange(exchange, { account, symbol, side });
  return { account, symbol, side, kind, before, after, isWritten, codes };
}

function openPair(exchange: SimulatedExchange, index: number): Expectation[] {
  const symbol = hedgedSymbol(index);
  const shared = { account: "cross", symbol, kind: "a hedge leg", after: "protected", isWritten: true } as const;
  exchange.open({ account: "cross", symbol, side: "long", size: "100", hedge: true });
  exchange.open({ account: "cross", symbol, side: "short", size: "60", hedge: true, stopLoss: "10.2" });
  return [
    { ...shared, side: "long", before: "unprotected", codes: ["stop-missing", "hedge-leg"] },
    { ...shared, side: "short", before: "protected", codes: ["hedge-leg", "take-profit-missing"] },
  ];
}

function kindOf(index: number): Kind {
  const kind = KINDS[index % KINDS.length];
  if (kind === undefined) throw new RangeError("the table of kinds is empty");
  return kind;
}

function symbolOf(index: number, suffix = "USDT"): string {
  return `M${String(index).padStart(3, "0")}${suffix}`;
}

function hedgedSymbol(index: number): string {
  return `H${String(index).padStart(3, "0")}USDT`;
}

/** Prices are given for a long at 10; a short's are mirrored. */
function levels(
  side: "long" | "short",
  prices: { stop?: string; profit?: string },
): { stopLoss?: string; takeProfit?: string } {
  const mirrored = (price: string) =>
    side === "long" ? price : String(Math.round((20 - Number(price)) * 1_000) / 1_000);
  return {
    ...(prices.stop === undefined ? {} : { stopLoss: mirrored(prices.stop) }),
    ...(prices.profit === undefined ? {} : { takeProfit: mirrored(prices.profit) }),
  };
}
