/** Arbitrary prices, positions, orders, policies and accounts for property tests. */
import fc from "fast-check";
import { type Decimal, dec, print } from "../../src/domain/decimal.js";
import type { OpenOrder } from "../../src/domain/order.js";
import type { MarginMode, Position, Side, TriggerBy } from "../../src/domain/position.js";
import type { Exit } from "../../src/domain/price.js";
import type { Mode, Protection } from "../../src/policy/protection.js";
import { anInstrument, aTicker } from "./market.js";
import {
  anUnreadableOrder,
  conditionalEntry,
  conditionalStop,
  conditionalTakeProfit,
  fullStop,
  partialStop,
  partialTakeProfit,
  reduceOnlyLimit,
  stopLimit,
  takeProfit,
  trailing,
} from "./order.js";
import { aProtection, stopAt, takeProfitAt, takeProfitInR } from "./policy.js";
import { aPosition } from "./position.js";
import type { SnapshotShape } from "./snapshot.js";

const TICKS = ["0.0000001", "0.00000005", "0.0001", "0.005", "0.01", "0.1", "0.5", "1", "5"] as const;

export const aTick: fc.Arbitrary<Decimal> = fc.constantFrom(...TICKS).map(dec);
export const aSide: fc.Arbitrary<Side> = fc.constantFrom<Side>("long", "short");
export const anExit: fc.Arbitrary<Exit> = fc.constantFrom<Exit>("stop-loss", "take-profit");
export const aTrigger: fc.Arbitrary<TriggerBy> = fc.constantFrom<TriggerBy>("MarkPrice", "LastPrice", "IndexPrice");

/** A price of up to a million ticks, mostly between two of them. */
export function aPriceIn(tick: Decimal): fc.Arbitrary<Decimal> {
  return fc
    .tuple(fc.integer({ min: 1, max: 1_000_000 }), fc.integer({ min: 0, max: 999 }))
    .map(([whole, thousandths]) => tick.times(whole).plus(tick.times(thousandths).div(1_000)));
}

export const tickAndPrice = aTick.chain((tick) => fc.record({ tick: fc.constant(tick), price: aPriceIn(tick) }));

/** From a tenth of a percent to almost everything. */
export const aFraction: fc.Arbitrary<string> = fc
  .oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 999 }))
  .map((thousandths) => print(dec(String(thousandths)).div(1_000)));

export function protectionIn(modes: readonly Mode[]): fc.Arbitrary<Protection> {
  return fc
    .record({
      mode: fc.constantFrom(...modes),
      stopLoss: fc.tuple(aFraction, aTrigger).map(([fraction, triggerBy]) => stopAt(fraction, triggerBy)),
      takeProfit: fc.oneof(
        fc.constant(null),
        fc.tuple(aFraction, aTrigger).map(([fraction, triggerBy]) => takeProfitAt(fraction, triggerBy)),
        fc.integer({ min: 1, max: 60 }).map((tenths) => takeProfitInR(print(dec(String(tenths)).div(10)))),
      ),
      pastStop: fc.constantFrom<Protection["pastStop"]>("rebase", "nearest", "close", "alert"),
      pastTakeProfit: fc.constantFrom<Protection["pastTakeProfit"]>("skip", "nearest", "close"),
      hedged: fc.constantFrom<Protection["hedged"]>("protect", "alert", "ignore"),
      liquidationBuffer: fc.integer({ min: 0, max: 50 }).map((permille) => dec(String(permille)).div(1_000)),
    })
    .map((overrides) => aProtection(overrides));
}

export const MODES: readonly Mode[] = ["report-only", "create-only", "tighten-only", "sync"];
export const aWish: fc.Arbitrary<Protection> = protectionIn(MODES);

/** A position with its market: the mark within a third of the entry, the other prices near the mark. */
export interface Standing {
  readonly position: Position;
  readonly tick: Decimal;
  readonly mark: Decimal;
  readonly last: Decimal | null;
  readonly orders: readonly OpenOrder[];
}

function scaled(price: Decimal, permille: number): Decimal {
  return price.times(permille).div(1_000);
}

export function aStanding(symbol = "BTCUSDT", side: fc.Arbitrary<Side> = aSide, positionIdx: 0 | 1 | 2 = 0) {
  return tickAndPrice.chain(({ tick, price: entry }) =>
    fc
      .record({
        side,
        size: fc.integer({ min: 1, max: 1_000 }),
        markPermille: fc.integer({ min: 670, max: 1_330 }),
        lastPermille: fc.option(fc.integer({ min: 980, max: 1_020 })),
        liquidationPermille: fc.option(fc.integer({ min: 300, max: 1_700 })),
        openedAtMs: fc.integer({ min: 1, max: 1_000_000 }),
      })
      .chain((drawn) => {
        const mark = scaled(entry, drawn.markPermille);
        const last = drawn.lastPermille === null ? null : scaled(mark, drawn.lastPermille);
        const position = aPosition({
          symbol,
          positionIdx,
          side: drawn.side,
          size: String(drawn.size),
          entry: print(entry),
          mark: print(mark),
          liquidation: drawn.liquidationPermille === null ? null : print(scaled(entry, drawn.liquidationPermille)),
          openedAtMs: drawn.openedAtMs,
        });
        return ordersFor(position, mark).map(
          (orders): Standing => ({ position: withFullStop(position, orders), tick, mark, last, orders }),
        );
      }),
  );
}

/** Any mixture of exits and other orders, on whatever price. */
export function ordersFor(position: Position, mark: Decimal): fc.Arbitrary<readonly OpenOrder[]> {
  const order = fc
    .record({
      kind: fc.constantFrom(...KINDS),
      permille: fc.integer({ min: 500, max: 1_500 }),
      percent: fc.integer({ min: 1, max: 120 }),
    })
    .map(({ kind, permille, percent }, index = 0) => {
      const price = print(scaled(mark, permille));
      const quantity = print(position.size.times(percent).div(100));
      return { ...kind(position, price, quantity), orderId: `${index}-${price}-${quantity}` };
    });
  return fc.array(order, { maxLength: 4 }).map(withOneFullOfEach);
}

const KINDS: readonly ((position: Position, price: string, quantity: string) => OpenOrder)[] = [
  (position, price) => fullStop(position, price),
  (position, price) => fullStop(position, price, { state: "triggered" }),
  partialStop,
  conditionalStop,
  stopLimit,
  (position, price) => trailing(position, price),
  (position, price) => conditionalEntry(position, price, price),
  (position, price) => takeProfit(position, price),
  partialTakeProfit,
  conditionalTakeProfit,
  reduceOnlyLimit,
];

/** The exchange keeps one Full stop and one Full take-profit per position. */
function withOneFullOfEach(orders: readonly OpenOrder[]): readonly OpenOrder[] {
  return orders.filter(
    ({ kind }, index) => !kind.startsWith("full-") || orders.findIndex((other) => other.kind === kind) === index,
  );
}

function withFullStop(position: Position, orders: readonly OpenOrder[]): Position {
  const waiting = (kind: OpenOrder["kind"]) =>
    orders.find((order) => order.kind === kind && order.state === "waiting")?.triggerPrice ?? null;
  return { ...position, fullStopLoss: waiting("full-stop-loss"), fullTakeProfit: waiting("full-take-profit") };
}

/** An account of some positions, a pair of hedge legs among them; now and then something cannot be read. */
export const anAccount: fc.Arbitrary<SnapshotShape> = fc
  .record({
    standings: fc.tuple(
      aStanding("AUSDT"),
      aStanding("BUSDT"),
      aStanding("CUSDT"),
      aStanding("HUSDT", fc.constant<Side>("long"), 1),
      aStanding("HUSDT", fc.constant<Side>("short"), 2),
    ),
    count: fc.integer({ min: 1, max: 5 }),
    marginMode: fc.constantFrom<MarginMode | null>("isolated", "cross", "portfolio", null),
    isGappy: fc.integer({ min: 0, max: 9 }).map((dice) => dice === 0),
    hasOddOrder: fc.integer({ min: 0, max: 9 }).map((dice) => dice === 0),
  })
  .map(({ standings, count, marginMode, isGappy, hasOddOrder }) => {
    const shown = standings.slice(0, count);
    const markets = shown.filter(({ position }) => position.key.positionIdx !== 2);
    return {
      positions: shown.map(({ position }) => position),
      orders: shown.flatMap(({ orders }) => orders),
      instruments: markets.map(({ position, tick }) =>
        anInstrument({ symbol: position.key.symbol, baseCoin: position.key.symbol, tick: print(tick) }),
      ),
      tickers: markets.map(({ position, mark, last }) =>
        aTicker({ symbol: position.key.symbol, mark: print(mark), last: last === null ? null : print(last) }),
      ),
      marginMode,
      gaps: isGappy ? [{ category: "linear", what: "orders", symbols: ["AUSDT"], reason: "timeout" } as const] : [],
      unreadableOrders: hasOddOrder ? [anUnreadableOrder({ symbol: "BUSDT" })] : [],
    };
  });

const SHARE = Number(process.env["RUNS"] ?? "1");

/** Searches for a counterexample; null: none was found. */
export function violation<Values>(property: fc.IProperty<Values>, options: fc.Parameters<Values> = {}): string | null {
  const { numRuns = 100, seed } = options;
  // With a seed of its own it is about what is drawn, not about what is found.
  const runs = seed === undefined ? Math.ceil(numRuns * SHARE) : numRuns;
  const found = fc.check(property, { ...options, numRuns: runs });
  return found.failed ? (fc.defaultReportMessage(found) ?? "failed without a report") : null;
}

/** The same, for a property that is written in one go. */
export function holds<Values extends [unknown, ...unknown[]]>(
  ...args: [...{ [Key in keyof Values]: fc.Arbitrary<Values[Key]> }, (...values: Values) => boolean | void]
): string | null {
  return violation(fc.property(...args));
}
