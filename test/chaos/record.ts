/** The exchange's own record of what happened to each position, and by whose doing: all that the checkers believe. */
import { type Decimal, dec } from "../../src/domain/decimal.js";
import type { Side } from "../../src/domain/position.js";
import type { PositionSnapshot, SimulatedExchange } from "../../src/exchange/simulator/index.js";

/** `us`: the processes under test; `bot`: whoever trades; `market`: prices. */
export type Actor = "us" | "bot" | "market";

export interface Level {
  readonly price: Decimal;
  readonly triggerBy: string;
}

export interface LegState {
  /** `symbol/positionIdx`. */
  readonly leg: string;
  readonly symbol: string;
  readonly positionIdx: number;
  /** Null: flat. */
  readonly side: Side | null;
  readonly size: Decimal;
  /** Counts up with each opening and flip. */
  readonly life: number;
  /** For the whole position; there are no other exits in these runs. */
  readonly stop: Level | null;
  readonly takeProfit: Level | null;
}

export interface Effect {
  readonly atMs: number;
  readonly actor: Actor;
  readonly before: LegState;
  readonly after: LegState;
}

export interface WriteAtExchange {
  readonly atMs: number;
  readonly signature: string;
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface RecordListeners {
  /** A write has arrived and has no effect yet. */
  readonly arrived: (write: WriteAtExchange) => void;
  /** One effect, or several of one deed. */
  readonly happened: (effects: readonly Effect[]) => void;
}

export interface ExchangeRecord {
  readonly exchange: SimulatedExchange;
  readonly now: () => number;
  readonly account: string;
  /** Does something behind the exchange's counter; false: it was refused. */
  act(actor: Actor, deed: (exchange: SimulatedExchange) => unknown): boolean;
  states(): readonly LegState[];
  /** Open, and without a stop. */
  naked(): readonly LegState[];
  /** Whether the leg was in such a state at some time since then. */
  everSince(leg: string, sinceMs: number, holds: (state: LegState) => boolean): boolean;
  /** When the stop that stands, or stood last, came to stand. */
  stopSinceMs(leg: string, stop: Level): number;
  /** Until the returned function is called. */
  listen(listeners: Partial<RecordListeners>): () => void;
}

const ZERO = dec("0");
const KEPT = 2_000;

export function keepRecord(exchange: SimulatedExchange, account: string, now: () => number): ExchangeRecord {
  const latest = new Map<string, LegState>();
  const history = new Map<string, Effect[]>();
  const listeners = new Set<Partial<RecordListeners>>();

  function noteChanges(actor: Actor): void {
    const effects = changedLegs(exchange, account, latest).map(({ before, after }) => {
      const effect = { atMs: now(), actor, before, after };
      latest.set(after.leg, after);
      const known = history.get(after.leg) ?? [];
      known.push(effect);
      history.set(after.leg, known.length > KEPT ? known.slice(KEPT / 2) : known);
      return effect;
    });
    if (effects.length > 0) for (const { happened } of listeners) happened?.(effects);
  }

  const handle = exchange.handle.bind(exchange);
  exchange.handle = (request) => {
    const { method, path, rawBody, headers } = request;
    if (method === "GET") return handle(request);
    const body = JSON.parse(rawBody) as Readonly<Record<string, unknown>>;
    const write = { atMs: now(), signature: String(headers["x-bapi-sign"]), path, body };
    for (const { arrived } of listeners) arrived?.(write);
    const reply = handle(request);
    noteChanges("us");
    return reply;
  };

  function everSince(leg: string, sinceMs: number, holds: (state: LegState) => boolean): boolean {
    const effects = history.get(leg) ?? [];
    for (let index = effects.length - 1; index >= 0; index -= 1) {
      const effect = effects[index];
      if (effect === undefined) continue;
      if (holds(effect.after)) return true;
      if (effect.atMs < sinceMs) return false;
      if (index === 0) return holds(effect.before);
    }
    return false;
  }

  return {
    exchange,
    now,
    account,
    act: (actor, deed) => {
      try {
        deed(exchange);
        return true;
      } catch (error) {
        if (error instanceof Error && /Refusal|ControlError/.test(error.constructor.name)) return false;
        throw error;
      } finally {
        noteChanges(actor);
      }
    },
    states: () => [...latest.values()],
    naked: () => [...latest.values()].filter(({ side, stop }) => side !== null && stop === null),
    everSince,
    stopSinceMs: (leg, stop) => {
      const effects = history.get(leg) ?? [];
      const last = effects.findLastIndex(({ after }) => isSameLevel(after.stop, stop));
      const first = effects.slice(0, last + 1).findLast(({ before }) => !isSameLevel(before.stop, stop));
      return first?.atMs ?? Number.NEGATIVE_INFINITY;
    },
    listen: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

type Changed = Pick<Effect, "before" | "after">;

function changedLegs(exchange: SimulatedExchange, name: string, latest: ReadonlyMap<string, LegState>): Changed[] {
  const account = exchange.snapshot().accounts.find((one) => one.name === name);
  if (account === undefined) throw new Error(`no account ${name}`);
  const open = new Map(account.positions.map((one) => [`${one.symbol}/${one.positionIdx}`, one]));
  return [...new Set([...latest.keys(), ...open.keys()])].flatMap((leg) => {
    const [symbol = "", idx = "0"] = leg.split("/");
    const flat = { leg, symbol, positionIdx: Number(idx), side: null, size: ZERO, stop: null, takeProfit: null };
    const before = latest.get(leg) ?? { ...flat, life: 0 };
    const position = open.get(leg);
    const exits = account.orders.filter(
      (one) => one.symbol === symbol && one.positionIdx === Number(idx) && one.status === "Untriggered",
    );
    const level = (kind: string): Level | null => {
      const order = exits.find(({ stopOrderType }) => stopOrderType === kind);
      if (order?.triggerPrice == null) return null;
      return { price: dec(order.triggerPrice), triggerBy: order.triggerBy ?? "" };
    };
    const after = position === undefined ? { ...flat, life: before.life } : stateOf(before, position, level);
    return isSame(before, after) ? [] : [{ before, after }];
  });
}

function stateOf(before: LegState, { side, size }: PositionSnapshot, level: (kind: string) => Level | null): LegState {
  const { leg, symbol, positionIdx, life } = before;
  const place = { leg, symbol, positionIdx, life: before.side === side ? life : life + 1 };
  return { ...place, side, size: dec(size), stop: level("StopLoss"), takeProfit: level("TakeProfit") };
}

function isSame(one: LegState, other: LegState): boolean {
  const isSameSize = one.side === other.side && one.life === other.life && one.size.eq(other.size);
  return isSameSize && isSameLevel(one.stop, other.stop) && isSameLevel(one.takeProfit, other.takeProfit);
}

export function isSameLevel(one: Level | null, other: Level | null): boolean {
  if (one === null || other === null) return one === other;
  return one.triggerBy === other.triggerBy && one.price.eq(other.price);
}
