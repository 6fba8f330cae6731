/** A scripted exchange in memory: it holds positions and exits, tells the truth late, and lies only when told to. */
import { type Decimal, dec } from "../../src/domain/decimal.js";
import type { Instrument } from "../../src/domain/instrument.js";
import type { OpenOrder } from "../../src/domain/order.js";
import {
  keyText,
  type Position,
  type PositionKey,
  type TriggerBy,
  type UnreadablePosition,
} from "../../src/domain/position.js";
import { isPast } from "../../src/domain/price.js";
import type { Contract, FlatLeg, Gap, ReadScope, Snapshot } from "../../src/domain/snapshot.js";
import { ExchangeFailure, type FailureCause, type FailureKind } from "../../src/exchange/failure.js";
import type {
  Acknowledged,
  AttachRequest,
  CloseRequest,
  ExitLevel,
  Reader,
  ReadManner,
  TradingStopRequest,
  Urgency,
  Writer,
} from "../../src/exchange/port.js";
import type { FakeClock } from "./clock.js";
import { aTicker, instrumentFor } from "./market.js";
import { fullStop, takeProfit } from "./order.js";
import { aPosition } from "./position.js";
import { type Silence, silently } from "./silence.js";
import { aSnapshot } from "./snapshot.js";

/** What becomes of one write; `truth` is what a healthy exchange does. */
export type Fate =
  | { readonly kind: "truth" }
  /** Acknowledged, without effect. */
  | { readonly kind: "lie" }
  /** The reply is lost; the effect comes after so long, or never (null). */
  | { readonly kind: "lost"; readonly effectAfterMs: number | null }
  | { readonly kind: "fails"; readonly failure: FailureKind; readonly cause: FailureCause; readonly words?: string };

export type Write =
  | { readonly kind: "trading-stop"; readonly request: TradingStopRequest; readonly atMs: number }
  | { readonly kind: "attach"; readonly request: AttachRequest; readonly atMs: number }
  | { readonly kind: "close"; readonly request: CloseRequest; readonly atMs: number };

interface Held {
  readonly position: Position;
  readonly stop: ExitLevel | null;
  readonly takeProfit: ExitLevel | null;
}

/** A hand on the exchange itself: what people, bots and the market do meanwhile. */
export interface Hand {
  /** Opens, replaces or flips; exits of the old position go with it. */
  put(position: Position): void;
  close(key: PositionKey): void;
  setStop(key: PositionKey, price: string, triggerBy?: TriggerBy): void;
  setTakeProfit(key: PositionKey, price: string): void;
  /** Places an order, or changes the one of the same id. */
  order(order: OpenOrder): void;
  cancel(orderId: string): void;
  /** Fills an entry order whole at its price; its exits become those of the position. */
  fill(orderId: string): void;
  price(symbol: string, price: string): void;
}

export interface FakeExchangeOptions {
  /** What it says to whether there is such a contract; default: there is. */
  readonly knows?: boolean | null;
  readonly clock: FakeClock;
  readonly positions: readonly Position[];
  readonly orders?: readonly OpenOrder[];
  readonly instruments?: readonly Instrument[];
  readonly marginMode?: Snapshot["marginMode"];
  /** The last price of every contract, where it is not the mark. */
  readonly lastPrice?: string;
  /** How long a true effect takes to show in reads. */
  readonly lagMs?: number;
  /** How long a request is under way. */
  readonly latencyMs?: number;
  /** How long prices come after the rows, for which a look waits. */
  readonly pricesLateMs?: number;
  /** Writes leave this far apart, the most urgent first. */
  readonly spacingMs?: number;
  /** Decides the fate of a write by its request and how many writes its position has had. */
  readonly fate?: (request: Write["request"], nth: number) => Fate;
  /** How long a read that fails is under way; at once, unless told. */
  readonly failsAfterMs?: number;
  /** Called with the number of each read before it looks; may throw ExchangeFailure, or answer with gaps. */
  readonly beforeRead?: (nth: number, hand: Hand, scope: ReadScope) => readonly Gap[] | undefined | void;
  /** Called before a write takes effect. */
  readonly beforeWrite?: (write: Write, hand: Hand) => void;
  /** True: the nth read shows no order rows of exits that stand, as happens for a moment after a change. */
  readonly hidesExitRows?: (nth: number) => boolean;
  /** True: the rows of positions in the nth read state no stop, though order rows still show one. */
  readonly hidesRowStops?: (nth: number) => boolean;
  /** True: looks do not claim to show every open order. */
  readonly hidesOtherOrders?: boolean;
  /** True: the nth read, by name, lacks the rows of flat legs. */
  readonly hidesFlatRows?: (nth: number) => boolean;
  /** From so many contracts on, a look at some is answered with everything, as lighter reads are. */
  readonly wholeFrom?: number;
  /** False: the list of everything lacks the contract's positions, and only asking by name shows them. */
  readonly lists?: (symbol: string) => boolean;
  /** Contracts about whose orders it stays silent. */
  readonly silence?: Silence;
  /** What the account says of itself in each read. */
  readonly facts?: () => Partial<Pick<Snapshot, "copyTradingMaster">>;
  /** Rows that cannot be read in the nth read. */
  readonly unreadable?: (nth: number) => readonly UnreadablePosition[];
}

export interface FakeExchange {
  readonly reader: Reader;
  readonly writer: Writer;
  readonly hand: Hand;
  /** Every request that arrived, refused or not. */
  readonly writes: readonly Write[];
  readonly reads: readonly {
    readonly scope: ReadScope;
    readonly atMs: number;
    readonly remembered: readonly Contract[];
  }[];
  /** The Full stop that stands now. */
  stopOf(key: PositionKey): string | null;
  takeProfitOf(key: PositionKey): string | null;
}

export const truth: Fate = { kind: "truth" };
export const lie: Fate = { kind: "lie" };
export const lostWithEffect: Fate = { kind: "lost", effectAfterMs: 0 };
export const lostWithoutEffect: Fate = { kind: "lost", effectAfterMs: null };
export const refuses = (cause: FailureCause, words = "refused"): Fate => ({
  kind: "fails",
  failure: "refused",
  cause,
  words,
});

export function failure(kind: FailureKind, cause: FailureCause, retMsg = "no"): ExchangeFailure {
  return new ExchangeFailure({ kind, cause, endpoint: "POST /v5/position/trading-stop", retMsg });
}

export function fakeExchange(options: FakeExchangeOptions): FakeExchange {
  const { clock, latencyMs = 20, lagMs = 0 } = options;
  const last = options.lastPrice === undefined ? {} : { last: options.lastPrice };
  const held = new Map<string, Held>();
  const marks = new Map<string, Decimal>();
  const hedged = new Set<string>();
  let orders: readonly OpenOrder[] = options.orders ?? [];
  const effects: { readonly atMs: number; readonly happen: () => void }[] = [];
  const writes: Write[] = [];
  const reads: { scope: ReadScope; atMs: number; remembered: readonly Contract[] }[] = [];
  const writesOf = new Map<string, number>();
  const turns = spacedTurns(clock, options.spacingMs ?? 0);

  const hand: Hand = {
    put: (position) => {
      const stated = position.fullStopLoss;
      const stop = stated === null ? null : { price: stated, triggerBy: "MarkPrice" as const };
      held.set(keyText(position.key), { position, stop, takeProfit: null });
      if (position.key.positionIdx === 0) hedged.delete(position.key.symbol);
      else hedged.add(position.key.symbol);
      if (position.markPrice !== null) marks.set(position.key.symbol, position.markPrice);
    },
    close: (key) => {
      held.delete(keyText(key));
      orders = orders.filter((order) => order.symbol !== key.symbol || order.positionIdx !== key.positionIdx);
    },
    setStop: (key, price, triggerBy = "MarkPrice") => change(key, { stop: { price: dec(price), triggerBy } }),
    setTakeProfit: (key, price) => change(key, { takeProfit: { price: dec(price), triggerBy: "LastPrice" } }),
    price: (symbol, price) => void marks.set(symbol, dec(price)),
    order: (order) => {
      orders = [...orders.filter(({ orderId }) => orderId !== order.orderId), order];
    },
    cancel: (orderId) => {
      orders = orders.filter((order) => order.orderId !== orderId);
    },
    fill: (orderId) => {
      settle();
      const order = orders.find((one) => one.orderId === orderId);
      if (order === undefined) throw new RangeError(`no order ${orderId}`);
      hand.cancel(orderId);
      hand.put(openedBy(order));
    },
  };
  for (const position of options.positions) hand.put(position);

  function change(key: PositionKey, exits: Partial<Pick<Held, "stop" | "takeProfit">>): void {
    const before = held.get(keyText(key));
    if (before !== undefined) held.set(keyText(key), { ...before, ...exits });
  }

  function settle(): void {
    const due = effects.filter(({ atMs }) => atMs <= clock.now()).sort((one, other) => one.atMs - other.atMs);
    for (const effect of due) {
      effects.splice(effects.indexOf(effect), 1);
      effect.happen();
    }
  }

  function look(scope: ReadScope, gaps: readonly Gap[], remembered: readonly Contract[]): Snapshot {
    const isListed = (symbol: string) =>
      options.lists?.(symbol) !== false || remembered.some((contract) => contract.symbol === symbol);
    const isSeen = (symbol: string) =>
      scope === "account" ? isListed(symbol) : scope.some((contract) => contract.symbol === symbol);
    const shown = [...held.values()].filter(({ position }) => isSeen(position.key.symbol));
    const unreadable = (options.unreadable?.(reads.length) ?? []).filter(
      ({ symbol }) => symbol === null || isSeen(symbol),
    );
    const isReadable = ({ key }: Position) => !unreadable.some(({ symbol }) => symbol === key.symbol);
    const stated = options.hidesRowStops?.(reads.length) ? { fullStopLoss: null } : {};
    const positions = shown.map((each) => ({ ...rowOf(each, marks), ...stated })).filter(isReadable);
    const known = [...held.values()].map(({ position }) => instrumentFor(position));
    return aSnapshot({
      rowsAsGiven: true,
      scope,
      requestedAtMs: clock.now(),
      positions,
      gaps,
      unreadablePositions: unreadable,
      orders: [
        ...(options.hidesExitRows?.(reads.length) ? [] : shown.flatMap(exitRows)),
        ...orders.filter(({ symbol }) => isSeen(symbol)),
      ],
      instruments: [...known, ...(options.instruments ?? [])],
      tickers: [...marks].map(([symbol, mark]) => aTicker({ symbol, mark: mark.toFixed(), ...last })),
      marginMode: options.marginMode ?? "isolated",
      allOrders: options.hidesOtherOrders !== true,
      ...options.facts?.(),
    });
  }

  /** What asking by name shows of contracts without a position, leg by leg. */
  function flatLegs(scope: ReadScope): readonly FlatLeg[] {
    if (scope === "account") return [];
    const isOpen = ({ symbol, positionIdx }: FlatLeg) =>
      [...held.values()].some(({ position: { key } }) => key.symbol === symbol && key.positionIdx === positionIdx);
    const legs = scope.flatMap((contract): FlatLeg[] => {
      const modes = hedged.has(contract.symbol) ? ([1, 2] as const) : ([0] as const);
      return modes.map((positionIdx) => ({ category: contract.category, symbol: contract.symbol, positionIdx }));
    });
    return legs.filter((leg) => !isOpen(leg) && options.hidesFlatRows?.(reads.length) !== true);
  }

  async function gapsOf(nth: number, scope: ReadScope): Promise<readonly Gap[]> {
    try {
      return options.beforeRead?.(nth, hand, scope) ?? [];
    } catch (error) {
      if (options.failsAfterMs !== undefined) await clock.sleep(options.failsAfterMs);
      throw error;
    }
  }

  async function snapshot(
    scope: ReadScope,
    _manner?: ReadManner,
    remembered: readonly Contract[] = [],
  ): Promise<Snapshot> {
    const requestedAtMs = clock.now();
    reads.push({ scope, atMs: requestedAtMs, remembered });
    settle();
    const gaps = await gapsOf(reads.length, scope);
    const isWhole = scope === "account" || scope.length >= (options.wholeFrom ?? Number.POSITIVE_INFINITY);
    // The rows are as old as the request: a slow answer shows nothing that came after it.
    const seen = { ...look(isWhole ? "account" : scope, gaps, remembered), flatLegs: flatLegs(scope) };
    await clock.sleep(latencyMs);
    const receivedAtMs = clock.now();
    await clock.sleep(options.pricesLateMs ?? 0);
    return { ...seen, receivedAtMs };
  }

  async function write(arrived: (atMs: number) => Write, urgency: Urgency, happen: () => void): Promise<Acknowledged> {
    await turns(urgency.priority);
    const veto = urgency.veto();
    if (veto !== null) throw failure("not-happened", "vetoed", veto);
    const sentAtMs = clock.now();
    const sent = arrived(sentAtMs);
    const key = keyText(sent.request.key);
    const nth = (writesOf.get(key) ?? 0) + 1;
    writesOf.set(key, nth);
    writes.push(sent);
    settle();
    options.beforeWrite?.(sent, hand);
    const fate = options.fate?.(sent.request, nth) ?? truth;
    const answer = answerTo(sent, fate);
    const effectAfterMs = effectDelay(fate, answer, lagMs);
    if (effectAfterMs !== null) effects.push({ atMs: sentAtMs + effectAfterMs, happen });
    await clock.sleep(latencyMs);
    if (answer !== null) throw answer;
    return { sentAtMs, acknowledgedAtMs: clock.now() };
  }

  function answerTo(sent: Write, fate: Fate): ExchangeFailure | null {
    if (fate.kind === "fails") return failure(fate.failure, fate.cause, fate.words);
    if (fate.kind === "lost") return failure("unknown", "timeout", "no answer in time");
    if (fate.kind === "lie") return null;
    if (sent.kind === "attach") return attachRefusal(sent.request, orders);
    const { key, stopLoss } = { stopLoss: undefined, ...sent.request };
    const isByLast = stopLoss?.triggerBy === "LastPrice" && options.lastPrice !== undefined;
    const base = isByLast ? dec(options.lastPrice) : marks.get(key.symbol);
    return refusalOf(sent, held.get(keyText(key)), base);
  }

  return {
    reader: {
      account: "main",
      snapshot: options.silence === undefined ? snapshot : silently(snapshot, options.silence, clock),
      knows: () => Promise.resolve(options.knows ?? true),
      keyInfo: () => Promise.reject(failure("bug", "other")),
      clockSkewMs: () => Promise.resolve(0),
    },
    writer: {
      account: "main",
      setTradingStop: (request, urgency) =>
        write(
          (atMs) => ({ kind: "trading-stop", request, atMs }),
          urgency,
          () =>
            change(request.key, {
              ...(request.stopLoss === undefined ? {} : { stop: request.stopLoss }),
              ...(request.takeProfit === undefined ? {} : { takeProfit: request.takeProfit }),
            }),
        ),
      closePosition: (request, urgency) =>
        write(
          (atMs) => ({ kind: "close", request, atMs }),
          urgency,
          () => hand.close(request.key),
        ),
      attachExits: (request, urgency) =>
        write(
          (atMs) => ({ kind: "attach", request, atMs }),
          urgency,
          () => {
            orders = orders.map((order) => (order.orderId === request.orderId ? attached(order, request) : order));
          },
        ),
    },
    hand,
    writes,
    reads,
    stopOf: (key) => (settle(), held.get(keyText(key))?.stop?.price.toFixed() ?? null),
    takeProfitOf: (key) => (settle(), held.get(keyText(key))?.takeProfit?.price.toFixed() ?? null),
  };
}

/** What the exchange itself refuses (docs/v5/position/trading-stop); null: it accepts. */
function refusalOf(
  { kind, request }: Exclude<Write, { kind: "attach" }>,
  held: Held | undefined,
  base: Decimal | undefined,
) {
  if (held === undefined) return failure("refused", "zero-position", "can not set tp/sl/ts for zero position");
  if (kind === "close") return null;
  const { stopLoss, takeProfit: profit } = request;
  const { side } = held.position;
  if (base === undefined) return null;
  if (stopLoss !== undefined && isPast(stopLoss.price, base, side, "stop-loss")) {
    return failure("refused", "stop-loss-past", "StopLoss set for position should be on the other side of base_price");
  }
  if (profit !== undefined && isPast(profit.price, base, side, "take-profit")) {
    return failure("refused", "take-profit-past", "TakeProfit set for position should be on the other side");
  }
  const sameStop = stopLoss === undefined || (held.stop?.price.eq(stopLoss.price) ?? false);
  const sameProfit = profit === undefined || (held.takeProfit?.price.eq(profit.price) ?? false);
  return sameStop && sameProfit ? failure("unknown", "not-modified", "not modified") : null;
}

/** What the exchange refuses of an amendment (docs/v5/order/amend-order, docs/v5/error). */
function attachRefusal({ orderId, side, stopLoss }: AttachRequest, orders: readonly OpenOrder[]) {
  const order = orders.find((one) => one.orderId === orderId);
  if (order === undefined) return failure("refused", "gone", "order not exists or too late to replace");
  if (order.filledQuantity.gt(0)) return failure("refused", "limit", "the order is partly filled");
  const base = order.price ?? order.triggerPrice;
  if (base !== null && isPast(stopLoss.price, base, side, "stop-loss")) {
    return failure("refused", "stop-loss-past", "StopLoss set for position should be on the other side of base_price");
  }
  const isSame = order.attachedStopLoss?.eq(stopLoss.price) ?? false;
  return isSame ? failure("unknown", "not-modified", "order not modified") : null;
}

function attached(order: OpenOrder, { stopLoss, takeProfit: profit }: AttachRequest): OpenOrder {
  const attachedTakeProfit = profit?.price ?? order.attachedTakeProfit;
  return { ...order, attachedStopLoss: stopLoss.price, attachedTakeProfit, attachedMode: "full" };
}

/** The position that an entry order opens on a flat leg. */
function openedBy(order: OpenOrder): Position {
  const { category, symbol, positionIdx } = order;
  const price = (order.price ?? order.triggerPrice ?? dec("100")).toFixed();
  return aPosition({
    category,
    symbol,
    positionIdx,
    side: order.direction === "buy" ? "long" : "short",
    size: order.quantity.toFixed(),
    entry: price,
    mark: price,
    fullStop: order.attachedStopLoss?.toFixed() ?? null,
  });
}

function effectDelay(fate: Fate, answer: ExchangeFailure | null, lagMs: number): number | null {
  switch (fate.kind) {
    case "truth":
      return answer === null ? lagMs : null;
    case "lost":
      return fate.effectAfterMs;
    case "lie":
    case "fails":
      return null;
  }
}

function rowOf({ position, stop, takeProfit: profit }: Held, marks: ReadonlyMap<string, Decimal>): Position {
  return {
    ...position,
    markPrice: marks.get(position.key.symbol) ?? position.markPrice,
    fullStopLoss: stop?.price ?? null,
    fullTakeProfit: profit?.price ?? null,
  };
}

function exitRows({ position, stop, takeProfit: profit }: Held): OpenOrder[] {
  return [
    ...(stop === null ? [] : [fullStop(position, stop.price.toFixed(), { triggerBy: stop.triggerBy })]),
    ...(profit === null ? [] : [takeProfit(position, profit.price.toFixed(), { triggerBy: profit.triggerBy })]),
  ];
}

/** One turn after the other, `spacingMs` apart, the highest priority first. */
function spacedTurns(clock: FakeClock, spacingMs: number): (priority: number) => Promise<void> {
  const queue: { readonly priority: number; readonly go: () => void }[] = [];
  let isServing = false;
  const serve = async () => {
    isServing = true;
    while (queue.length > 0) {
      await clock.sleep(spacingMs);
      queue.sort((one, other) => other.priority - one.priority);
      queue.shift()?.go();
    }
    isServing = false;
  };
  return (priority) =>
    spacingMs === 0
      ? Promise.resolve()
      : new Promise((go) => {
          queue.push({ priority, go });
          if (!isServing) void serve();
        });
}
