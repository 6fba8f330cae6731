/** A stream under test: what it tells and logs, awaited; a clock moved by hand; an exchange that says whatever a test wants. */
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { vi } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { connectBybitStream, type LogEvent, type StreamConnection } from "../../src/exchange/bybit/index.js";
import type { Push, Stream, StreamListener } from "../../src/exchange/stream.js";

export type Told =
  | { readonly what: "live" }
  | { readonly what: "down"; readonly reason: string }
  | { readonly what: "pushed"; readonly pushes: readonly Push[] };

/** Everything in its order, and promises for what is still to come. */
export interface Heard<T> {
  readonly all: T[];
  add(one: T): void;
  /** The first that fits after the last one awaited. */
  next(fits: (one: T) => boolean): Promise<T>;
  /** What is there already is not awaited any more. */
  skip(): void;
}

export function createHeard<T>(): Heard<T> {
  const all: T[] = [];
  const waiting = new Set<() => void>();
  let seen = 0;
  return {
    all,
    add: (one) => {
      all.push(one);
      for (const look of waiting) look();
    },
    next: (fits) =>
      new Promise((resolve) => {
        const look = (): void => {
          while (seen < all.length) {
            const one = all[seen];
            seen += 1;
            if (one === undefined || !fits(one)) continue;
            waiting.delete(look);
            resolve(one);
            return;
          }
        };
        waiting.add(look);
        look();
      }),
    skip: () => {
      seen = all.length;
    },
  };
}

export interface Watched {
  readonly stream: Stream;
  readonly told: Heard<Told>;
  readonly logged: Heard<LogEvent>;
  live(): Promise<Told>;
  /** The reason. */
  down(): Promise<string>;
  push<K extends Push["kind"]>(kind: K): Promise<Extract<Push, { kind: K }>>;
}

/** Reconnects at once, but gives up on a silent connection only after the usual times. */
export const QUICK = { shortestGapMs: 1, longestGapMs: 5 } as const;

type Account = { readonly key: string; readonly secret: string };

export function watch(
  wsUrl: string,
  account: Account,
  changes: Partial<StreamConnection> = {},
  interfere: Partial<StreamListener> = {},
): Watched {
  const told = createHeard<Told>();
  const logged = createHeard<LogEvent>();
  const listener: StreamListener = {
    live: () => {
      told.add({ what: "live" });
      interfere.live?.();
    },
    down: (reason) => {
      told.add({ what: "down", reason });
      interfere.down?.(reason);
    },
    pushed: (pushes) => {
      told.add({ what: "pushed", pushes });
      interfere.pushed?.(pushes);
    },
  };
  const options: StreamConnection = {
    account: "main",
    environment: "custom",
    region: "default",
    wsUrl,
    key: account.key,
    secret: account.secret,
    categories: ["linear", "inverse"],
    clock: { now: Date.now, monotonicMs: () => performance.now() },
    timing: QUICK,
    log: (event) => logged.add(event),
    ...changes,
  };
  return {
    stream: connectBybitStream(options, listener),
    told,
    logged,
    live: () => told.next(({ what }) => what === "live"),
    down: async () => {
      const found = await told.next(({ what }) => what === "down");
      return found.what === "down" ? found.reason : "";
    },
    push: async <K extends Push["kind"]>(kind: K) => {
      const isOfKind = (push: Push): push is Extract<Push, { kind: K }> => push.kind === kind;
      const found = await told.next((one) => one.what === "pushed" && one.pushes.some(isOfKind));
      const push = found.what === "pushed" ? found.pushes.find(isOfKind) : undefined;
      if (push === undefined) throw new Error(`no ${kind}`);
      return push;
    },
  };
}

export interface HandClock {
  readonly clock: { now(): number; monotonicMs(): number };
  readonly timers: { after(ms: number, callback: () => void): () => void };
  /** Moves on, and calls back what falls due on the way. */
  advance(ms: number): void;
  /** In ms from now; null: nothing waits. */
  nextDueMs(): number | null;
}

export function handClock(): HandClock {
  let nowMs = 0;
  const waiting = new Set<{ readonly atMs: number; readonly callback: () => void }>();
  const first = () => [...waiting].sort((one, other) => one.atMs - other.atMs)[0];
  return {
    clock: { now: () => 1_700_000_000_000 + nowMs, monotonicMs: () => nowMs },
    timers: {
      after: (ms, callback) => {
        const entry = { atMs: nowMs + ms, callback };
        waiting.add(entry);
        return () => void waiting.delete(entry);
      },
    },
    advance: (ms) => {
      const untilMs = nowMs + ms;
      for (let due = first(); due !== undefined && due.atMs <= untilMs; due = first()) {
        waiting.delete(due);
        nowMs = Math.max(nowMs, due.atMs);
        due.callback();
      }
      nowMs = untilMs;
    },
    nextDueMs: () => {
      const due = first();
      return due === undefined ? null : due.atMs - nowMs;
    },
  };
}

export interface Frame {
  readonly op: string;
  readonly args?: readonly unknown[];
  readonly req_id?: string;
}

export interface BareExchange {
  readonly wsUrl: string;
  /** What clients sent. */
  readonly frames: Heard<Frame>;
  /** How each kind of request is answered; undefined: not at all. */
  readonly answers: { [op: string]: ((frame: Frame) => object) | undefined };
  readonly connections: () => number;
  send(frame: object | string): void;
  /** Ends every connection, as a network does. */
  drop(): void;
  /** Every client is gone. */
  deserted(): Promise<void>;
  close(): Promise<void>;
}

const accepted = ({ op, req_id }: Frame): object => ({ success: true, ret_msg: "", op, req_id, conn_id: "c" });

/** Answers as documented unless told otherwise. */
export async function bareExchange(): Promise<BareExchange> {
  const host = createServer().listen(0, "127.0.0.1");
  await once(host, "listening");
  const { port } = host.address() as AddressInfo;
  const sockets = createSocketList(host);
  const server = new WebSocketServer({ server: host });
  const frames = createHeard<Frame>();
  const answers: BareExchange["answers"] = {
    auth: accepted,
    subscribe: accepted,
    ping: ({ req_id }) => ({ op: "pong", args: ["1"], req_id, conn_id: "c" }),
  };
  let connections = 0;
  server.on("connection", (socket: WebSocket) => {
    connections += 1;
    socket.on("error", () => socket.terminate());
    socket.on("message", (data: Buffer) => {
      const frame = JSON.parse(data.toString("utf8")) as Frame;
      const answer = answers[frame.op]?.(frame);
      frames.add(frame);
      if (answer !== undefined) socket.send(JSON.stringify(answer));
    });
  });
  return {
    wsUrl: `ws://127.0.0.1:${port}/v5/private`,
    frames,
    answers,
    connections: () => connections,
    send: (frame) => {
      for (const socket of server.clients) socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
    },
    drop: () => {
      for (const socket of server.clients) socket.terminate();
    },
    deserted: async () => {
      // Connections are accepted in their order: with ours there, every earlier one is there, too.
      const probe = connect(port, "127.0.0.1");
      await once(probe, "connect");
      await sockets.arrivalOf(probe.localPort);
      probe.destroy();
      await sockets.empty();
    },
    close: async () => {
      for (const socket of server.clients) socket.terminate();
      server.close();
      await new Promise((resolve) => host.close(resolve));
    },
  };
}

function createSocketList(host: ReturnType<typeof createServer>) {
  const open = new Set<Socket>();
  const arrived = createHeard<number | undefined>();
  const gone = createHeard<Socket>();
  host.on("connection", (socket: Socket) => {
    open.add(socket);
    arrived.add(socket.remotePort);
    socket.on("close", () => {
      open.delete(socket);
      gone.add(socket);
    });
  });
  return {
    arrivalOf: (port: number | undefined) => arrived.next((one) => one === port),
    empty: async () => {
      while (open.size > 0) await gone.next(() => true);
    },
  };
}

export interface TimerCount {
  /** Timers of the process that are set and have neither fired nor been cleared. */
  pending(): number;
}

/** Counts what our code and the SDK set from here on; the test runner keeps its own timers. */
export function countTimers(): TimerCount {
  const pending = new Set<unknown>();
  const original = { setTimeout, clearTimeout, setInterval, clearInterval };
  const set = (callback: () => void, ms?: number): NodeJS.Timeout => {
    const timer = original.setTimeout(() => {
      pending.delete(timer);
      callback();
    }, ms);
    pending.add(timer);
    return timer;
  };
  const repeat = (callback: () => void, ms?: number): NodeJS.Timeout => {
    const timer = original.setInterval(callback, ms);
    pending.add(timer);
    return timer;
  };
  const clear = (timer: NodeJS.Timeout | undefined): void => {
    pending.delete(timer);
    original.clearTimeout(timer);
  };
  vi.stubGlobal("setTimeout", set);
  vi.stubGlobal("setInterval", repeat);
  vi.stubGlobal("clearTimeout", clear);
  vi.stubGlobal("clearInterval", clear);
  return { pending: () => pending.size };
}
