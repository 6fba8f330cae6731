/** A guard over a scripted exchange and a scripted stream, on a clock that nobody waits for. */
import type { Position, PositionKey } from "../../src/domain/position.js";
import type { OpenOrder } from "../../src/domain/order.js";
import type { Push, Stream, StreamListener } from "../../src/exchange/stream.js";
import { attachThrough } from "../../src/apply/attach.js";
import { inMemory, type Memory } from "../../src/ledger/memory.js";
import type { Protection } from "../../src/policy/protection.js";
import { type LeftAlone, leftAloneInMemory } from "../../src/sidecar/attach-memory.js";
import type { SidecarEvent } from "../../src/sidecar/event.js";
import { Guard } from "../../src/sidecar/guard.js";
import type { OrderIntents, PassBasics, Timers } from "../../src/sidecar/parts.js";
import { type FakeClock, fakeClock } from "./clock.js";
import { type FakeExchange, type FakeExchangeOptions, fakeExchange } from "./fake-exchange.js";
import { instrumentFor } from "./market.js";
import { fullStop } from "./order.js";
import { aProtection, resolved } from "./policy.js";

export interface GuardScene extends Omit<FakeExchangeOptions, "clock" | "positions"> {
  readonly positions?: readonly Position[];
  readonly protection?: Partial<Protection>;
  readonly pass?: Partial<PassBasics>;
  readonly paused?: (key: PositionKey) => string | null;
  /** False: the guard is handed no writer. */
  readonly writes?: boolean;
  /** False: the stream never comes live. */
  readonly isLive?: boolean;
  /** True: entry orders get their exits. */
  readonly attachToOrders?: boolean;
  /** What the process before this one has left. */
  readonly leftAlone?: LeftAlone;
  /** Since the exchange last answered anything; default 0. */
  readonly silentForMs?: number | (() => number);
  /** Default: the clock of the scene. */
  readonly exchangeNowMs?: (() => number | null) | undefined;
  readonly orderIntents?: OrderIntents;
  /** How far the wall clock is ahead of the clock of the scene, milliseconds; default 0. */
  readonly wallAheadMs?: () => number;
  /** A contract whose rules nobody has read. */
  readonly unknownInstrument?: boolean;
  /** Real timers fire up to a millisecond before their time; default 0. */
  readonly timersEarlyMs?: number;
}

export interface Guarded {
  readonly guard: Guard;
  readonly clock: FakeClock;
  readonly exchange: FakeExchange;
  readonly memory: Memory;
  readonly events: readonly SidecarEvent[];
  readonly stream: FakeStream;
  /** What was told, as short lines: `opened BTCUSDT long 1`. */
  lives(): readonly string[];
  /** A fill: the exchange has the position, and pushes it. */
  opens(position: Position): void;
  pushes(...pushes: Push[]): void;
  /** The exchange pushes that a Full stop stands. */
  pushesStop(position: Position, price: string): void;
  close(): Promise<void>;
}

export interface FakeStream extends Stream {
  readonly listener: StreamListener;
  isUp: boolean;
  comesLive(): void;
  drops(): void;
}

export const pushOf = (position: Position, clock: FakeClock): Push => ({
  kind: "position-open",
  position,
  atMs: clock.now(),
});

export const orderPush = (order: OpenOrder, clock: FakeClock): Push => ({
  kind: "order-open",
  order,
  carriedStop: null,
  atMs: clock.now(),
});

/** Has looked at everything and is idle. */
export async function guarded(scene: GuardScene = {}): Promise<Guarded> {
  const { positions = [], protection, pass, paused, writes = true, isLive = true, ...more } = scene;
  const {
    attachToOrders = false,
    leftAlone = leftAloneInMemory(),
    unknownInstrument,
    silentForMs = 0,
    orderIntents,
    exchangeNowMs,
    wallAheadMs = () => 0,
    timersEarlyMs = 0,
    ...rest
  } = more;
  const clock = fakeClock();
  const exchange = fakeExchange({ ...rest, positions, clock });
  const events: SidecarEvent[] = [];
  const memory = inMemory();
  const known = new Map(positions.map((position) => [position.key.symbol, instrumentFor(position)]));
  let stream: FakeStream | null = null;
  let links = 0;
  const guard = new Guard({
    name: "main",
    pass: {
      reader: exchange.reader,
      ...(writes ? { writer: exchange.writer } : {}),
      policyOf: () => resolved({ protection: aProtection({ attachToOrders, ...protection }) }),
      memory,
      clock: { ...clock, calendarMs: () => clock.now() + wallAheadMs() },
      writesPerSecond: 9,
      newOrderLinkId: () => `link-${++links}`,
      frozen: () => null,
      ...pass,
    },
    instrumentOf: ({ symbol }) => (unknownInstrument ? null : (known.get(symbol) ?? null)),
    paused: paused ?? (() => null),
    random: () => 0.5,
    silentForMs: typeof silentForMs === "number" ? () => silentForMs : silentForMs,
    unansweredForMs: () => 0,
    exchangeNowMs: exchangeNowMs ?? (() => clock.now()),
    openStream: (listener) => {
      stream = fakeStream(listener);
      return stream;
    },
    timers: timersOn(clock, timersEarlyMs),
    tell: (event) => events.push(event),
    ...(orderIntents === undefined ? {} : { orderIntents }),
    ...(attachToOrders
      ? {
          attach: {
            send: attachThrough(exchange.writer),
            exchangeNow: () => clock.now(),
            leftAlone,
            isWanted: () => true,
          },
        }
      : {}),
  });
  if (stream === null) throw new Error("the guard opens its stream at once");
  const opened: FakeStream = stream;
  if (isLive) opened.comesLive();
  await clock.sleep(2_000);
  return {
    guard,
    clock,
    exchange,
    memory,
    events,
    stream: opened,
    lives: () => events.flatMap(lifeText),
    opens: (position) => {
      known.set(position.key.symbol, instrumentFor(position));
      exchange.hand.put(position);
      opened.listener.pushed([pushOf(position, clock)]);
    },
    pushes: (...pushes) => opened.listener.pushed(pushes),
    pushesStop: (position, price) =>
      opened.listener.pushed([
        orderPush(fullStop(position, price, { orderId: `stop-${price}`, createdAtMs: clock.now() }), clock),
      ]),
    close: async () => {
      await guard.close();
      await guard.done;
    },
  };
}

function fakeStream(listener: StreamListener): FakeStream {
  const stream: FakeStream = {
    account: "main",
    listener,
    isUp: false,
    isLive: () => stream.isUp,
    comesLive: () => {
      stream.isUp = true;
      listener.live();
    },
    drops: () => {
      stream.isUp = false;
      listener.down("the connection was lost");
    },
    close: () => Promise.resolve(),
  };
  return stream;
}

/** A timer that was cancelled still lets the clock move on. */
function timersOn(clock: FakeClock, earlyMs: number): Timers {
  return {
    after: (ms, callback) => {
      let isOn = true;
      const wait = async (): Promise<void> => {
        await clock.sleep(Math.max(0, ms - earlyMs));
        if (isOn) callback();
      };
      void wait();
      return () => {
        isOn = false;
      };
    },
  };
}

function lifeText(event: SidecarEvent): string[] {
  if (event.kind !== "life") return [];
  const { change, key, side, size, by } = event;
  return [`${change} ${key.symbol} ${side} ${size.toFixed()}${by === null ? "" : ` by ${by}`}`];
}

export function stopWrites({ exchange }: Guarded, key: PositionKey): readonly string[] {
  return exchange.writes.flatMap(({ request }) =>
    "stopLoss" in request && request.stopLoss !== undefined && request.key.symbol === key.symbol
      ? [request.stopLoss.price.toFixed()]
      : [],
  );
}
