/** The simulated exchange with a record of every change to each leg: what the checkers hold the product against. */
import { type Decimal, dec } from "../../src/domain/decimal.js";
import type { Category, PositionIdx, Side, TriggerBy } from "../../src/domain/position.js";
import { createExchange, type Reply, type SignedRequest } from "../../src/exchange/simulator/index.js";
import type { Account, Leg, SimOrder } from "../../src/exchange/simulator/world.js";
import type { Story } from "./story.js";
import type { VirtualTime } from "./time.js";

/** Whose doing a change was. */
export type Actor = "us" | "bot" | "person" | "market" | "exchange";

export interface Level {
  readonly price: Decimal;
  readonly triggerBy: TriggerBy;
}

/** One leg at one moment. */
export interface LegState {
  readonly leg: string;
  readonly category: Category;
  readonly symbol: string;
  readonly positionIdx: PositionIdx;
  /** Null: flat. */
  readonly side: Side | null;
  readonly size: Decimal;
  readonly entryPrice: Decimal;
  /** Counts the lives of this leg: another one begins when it opens from flat, or flips. */
  readonly life: number;
  readonly openedAtMs: number;
  readonly stop: Level | null;
  readonly takeProfit: Level | null;
  /** Stops for the whole size rest, of whatever kind. */
  readonly isWhole: boolean;
}

export interface Change {
  /** On the engine's clock, milliseconds since the run began. */
  readonly atMs: number;
  readonly actor: Actor;
  readonly before: LegState | null;
  readonly after: LegState;
}

export interface Venue {
  readonly exchange: ReturnType<typeof createExchange>;
  readonly account: Account;
  /** By leg, oldest first. */
  readonly history: ReadonlyMap<string, readonly Change[]>;
  /** By what the stops of each leg were ever triggered, also of those that stood for no time at all. */
  readonly triggers: ReadonlyMap<string, ReadonlySet<unknown>>;
  states(): readonly LegState[];
  state(leg: string): LegState | undefined;
  /** Does something behind the exchange's counter; false: it was refused. */
  act(actor: Actor, deed: (exchange: Venue["exchange"]) => unknown): boolean;
  handle(actor: Actor, request: SignedRequest): Reply;
  /** Mark prices of the last so many milliseconds, oldest first. */
  marks(
    symbol: string,
    sinceMs: number,
  ): readonly { readonly atMs: number; readonly mark: Decimal; readonly last: Decimal }[];
  ticks(symbol: string): readonly Decimal[];
  /** What is over for long is forgotten, for speed. */
  tidy(): void;
}

export const KEY = "CANARYKEY4f1a9c0d2e";
export const SECRET = "CANARYSECRET7b3e5d1f9a8c6e4b2d0f1a3c5e7b9d";
const ORDERS_KEPT_MS = 600_000;

export function openVenue(time: VirtualTime, story: Story, onChange: (change: Change) => void): Venue {
  const exchange = createExchange({
    now: () => Math.floor(time.exchangeNowMs()),
    seed: story.seed,
    accounts: [
      {
        name: "main",
        key: KEY,
        secret: SECRET,
        marginMode: story.marginMode,
        positionMode: story.hedge ? "hedge" : "one-way",
        balances: { USDT: "100000000", USDC: "100000000", BTC: "10000", ETH: "100000", XRP: "100000000" },
      },
    ],
    lags: story.lags,
  });
  // A market of a hundred contracts would take most of the time, and tell nothing more.
  const needed = new Set([...story.symbols, "BTCUSDT", "BTCPERP", "BTCUSD"]);
  for (const [name, { symbol }] of exchange.world.instruments) {
    if (!needed.has(symbol)) exchange.world.instruments.delete(name);
  }
  exchange.setAccount({ statesOpenTime: story.statesOpenTime });
  const account = exchange.world.accounts.get("main") as Account;
  const history = new Map<string, Change[]>();
  const latest = new Map<string, LegState>();
  const marks = new Map<string, { atMs: number; mark: Decimal; last: Decimal }[]>();
  const ticks = new Map<string, Decimal[]>();
  let isDirty = false;
  /** Rows of legs that were open for a moment: a move may fill an entry and trigger its stop at once. */
  let pushed: { readonly leg: string; readonly side: Side | null; readonly size: string }[] = [];
  const triggers = new Map<string, Set<unknown>>();
  exchange.onPush(({ topic, category, row }) => {
    isDirty = true;
    const { symbol, positionIdx, side, size } = row;
    const leg = `${category}/${String(symbol)}/${String(positionIdx)}`;
    if (row["stopOrderType"] === "StopLoss") triggers.set(leg, (triggers.get(leg) ?? new Set()).add(row["triggerBy"]));
    if (topic !== "position") return;
    const isOpen = Number(size) > 0;
    pushed.push({ leg, side: isOpen ? (side === "Buy" ? "long" : "short") : null, size: String(size) });
  });

  function noteChanges(actor: Actor): void {
    if (!isDirty) return;
    isDirty = false;
    const moments = pushed;
    pushed = [];
    const exits = stopOrders(account.orders);
    for (const [name, leg] of account.legs) {
      let before = latest.get(name) ?? null;
      const own = moments.filter((one) => one.leg === name);
      const { side = null, size = "" } = own.find((one) => one.side !== null) ?? {};
      const wasFlatAgain =
        leg.size.isZero() || own.findLastIndex((one) => one.side === null) > own.findIndex((one) => one.side !== null);
      if (side !== null && wasFlatAgain && (before?.side ?? null) === null) {
        before = opened(name, leg, { side, size }, before);
        // And another one has opened since, in the same moment.
        if (!leg.size.isZero()) before = flatAgain(name, before);
      }
      const after = stateOf(name, leg, exits.get(name) ?? [], before);
      if (before !== null && isSame(before, after)) continue;
      latest.set(name, after);
      const change = { atMs: time.elapsedMs, actor, before, after };
      const changes = history.get(name);
      if (changes === undefined) history.set(name, [change]);
      else changes.push(change);
      onChange(change);
    }
  }

  function flatAgain(name: string, before: LegState): LegState {
    const after = { ...before, side: null, size: dec("0") };
    const change: Change = { atMs: time.elapsedMs, actor: "market", before, after };
    history.set(name, [...(history.get(name) ?? []), change]);
    return after;
  }

  function opened(
    name: string,
    leg: Leg,
    { side, size }: { readonly side: Side; readonly size: string },
    before: LegState | null,
  ): LegState {
    const flat = before ?? stateOf(name, leg, [], null);
    const after = { ...flat, side, size: dec(size), life: flat.life + 1, stop: null, takeProfit: null, isWhole: false };
    const change: Change = { atMs: time.elapsedMs, actor: "market", before, after };
    history.set(name, [...(history.get(name) ?? []), change]);
    return after;
  }

  function notePrices(): void {
    for (const symbol of story.symbols) {
      const instrument = [...exchange.world.instruments.values()].find((one) => one.symbol === symbol);
      if (instrument === undefined) continue;
      const prices = exchange.world.prices.get(`${instrument.category}/${symbol}`);
      const mark = prices?.mark ?? instrument.startPrice;
      const last = prices?.last ?? instrument.startPrice;
      const known = marks.get(symbol) ?? [];
      marks.set(symbol, known);
      const newest = known.at(-1);
      if (newest === undefined || !newest.mark.eq(mark) || !newest.last.eq(last))
        known.push({ atMs: time.elapsedMs, mark, last });
      const steps = ticks.get(symbol) ?? [];
      ticks.set(symbol, steps);
      if (!(steps.at(-1)?.eq(instrument.tickSize) ?? false)) steps.push(instrument.tickSize);
    }
  }

  notePrices();
  return {
    exchange,
    account,
    history,
    triggers,
    states: () => [...latest.values()],
    state: (leg) => latest.get(leg),
    act: (actor, deed) => {
      exchange.settle();
      noteChanges("exchange");
      try {
        deed(exchange);
        return true;
      } catch (error) {
        if (isRefusal(error)) return false;
        throw error;
      } finally {
        noteChanges(actor);
        notePrices();
      }
    },
    handle: (actor, request) => {
      exchange.settle();
      // What was acknowledged before and takes effect only now was ours.
      noteChanges("us");
      const reply = exchange.handle(request);
      noteChanges(actor);
      return reply;
    },
    marks: (symbol, sinceMs) => {
      const known = marks.get(symbol) ?? [];
      const from = known.findLastIndex(({ atMs }) => atMs <= sinceMs);
      return known.slice(Math.max(0, from));
    },
    ticks: (symbol) => ticks.get(symbol) ?? [],
    tidy: () => {
      const oldestMs = time.exchangeNowMs() - ORDERS_KEPT_MS;
      const kept = account.orders.filter((order) => isOpen(order) || order.updatedAtMs >= oldestMs);
      if (kept.length < account.orders.length) account.orders.splice(0, account.orders.length, ...kept);
      (exchange.requests as unknown[]).length = 0;
      for (const known of marks.values()) {
        const from = known.findLastIndex(({ atMs }) => atMs <= time.elapsedMs - ORDERS_KEPT_MS);
        if (from > 0) known.splice(0, from);
      }
    },
  };
}

const isRefusal = (error: unknown): boolean =>
  error instanceof Error && /Refusal|ControlError/.test(error.constructor.name);

const isOpen = ({ status }: SimOrder): boolean =>
  status === "New" || status === "PartiallyFilled" || status === "Untriggered";

/** What waits to close something, by leg. */
function stopOrders(orders: readonly SimOrder[]): Map<string, SimOrder[]> {
  const found = new Map<string, SimOrder[]>();
  for (const order of orders) {
    if (order.status !== "Untriggered" || !order.reduceOnly) continue;
    const leg = `${order.instrument.category}/${order.instrument.symbol}/${order.positionIdx}`;
    const others = found.get(leg);
    if (others === undefined) found.set(leg, [order]);
    else others.push(order);
  }
  return found;
}

const NOTHING = dec("0");

function stateOf(name: string, leg: Leg, exits: readonly SimOrder[], before: LegState | null): LegState {
  const { instrument, positionIdx, entryPrice, openedAtMs } = leg;
  const size = leg.side === "" ? NOTHING : leg.size;
  const side = size.isZero() ? null : leg.side === "Buy" ? "long" : "short";
  const isNewLife = side !== null && (before?.side !== side || before.openedAtMs !== openedAtMs);
  const level = (kind: SimOrder["stopOrderType"]): Level | null => {
    const order = exits.find((one) => one.stopOrderType === kind);
    const { triggerPrice: price = null, triggerBy = null } = order ?? {};
    return price === null ? null : { price, triggerBy: triggerBy ?? "LastPrice" };
  };
  const stop = side === null ? null : level("StopLoss");
  const fallsTo = side === "long" ? 2 : 1;
  const others = exits
    .filter(({ stopOrderType: kind, triggerDirection }) =>
      kind === "PartialStopLoss" ? true : kind === "Stop" && triggerDirection === fallsTo,
    )
    .reduce((sum, { qty }) => (qty.isZero() ? sum.plus(size) : sum.plus(qty)), NOTHING);
  return {
    leg: name,
    category: instrument.category,
    symbol: instrument.symbol,
    positionIdx,
    side,
    size,
    entryPrice,
    life: (before?.life ?? 0) + (isNewLife ? 1 : 0),
    openedAtMs,
    stop,
    takeProfit: side === null ? null : level("TakeProfit"),
    isWhole: side !== null && (stop !== null || others.gte(size)),
  };
}

function isSame(one: LegState, other: LegState): boolean {
  return (
    one.side === other.side &&
    one.life === other.life &&
    one.isWhole === other.isWhole &&
    one.size.eq(other.size) &&
    isSameLevel(one.stop, other.stop) &&
    isSameLevel(one.takeProfit, other.takeProfit)
  );
}

function isSameLevel(one: Level | null, other: Level | null): boolean {
  if (one === null || other === null) return one === other;
  return one.triggerBy === other.triggerBy && one.price.eq(other.price);
}
