/** A line between a process and the exchange that can be cut: dropped, half-open, slow, or ended in the middle of an answer. */
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/**
 * `half-open`: connections are accepted and kept, and nothing goes through them. `forgotten`: those that stand stay
 * silent for ever, as after a router that has lost its table; new ones are well.
 */
export type Weather = "clear" | "down" | "half-open" | "slow" | "cut-answers" | "forgotten";

export interface HeardRequest<Caller> {
  readonly caller: Caller;
  readonly isWrite: boolean;
  readonly signature: string;
  readonly atMs: number;
}

export interface Line {
  readonly port: number;
  /** From now on, also for connections that stand. */
  turn(weather: Weather): void;
  close(): Promise<void>;
  readonly cuts: number;
}

export interface LineParts<Caller> {
  /** The exchange's port on loopback. */
  readonly target: number;
  /** Who uses the line now: what comes over a connection is his who opened it, also after his death. */
  readonly caller: () => Caller;
  /** As a signed request leaves, before the exchange has it. */
  readonly onRequest: (request: HeardRequest<Caller>) => void;
}

const SLOW_MS = 400;
/** A header may lie across two packets. */
const TAIL = 2_000;
const SIGNATURE = /x-bapi-sign:\s*([0-9a-f]{64})/gi;

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
  /** Bytes were swallowed: what comes later would make no sense any more. */
  isBroken: boolean;
  isForgotten: boolean;
}

export async function openLine<Caller>({ target, caller, onRequest }: LineParts<Caller>): Promise<Line> {
  let weather: Weather = "clear";
  let cuts = 0;
  const pairs = new Set<Pair>();
  const timers = new Set<NodeJS.Timeout>();
  const silent = new Set<Socket>();

  function drop(pair: Pair): void {
    if (!pairs.delete(pair)) return;
    cuts += 1;
    pair.near.destroy();
    pair.far.destroy();
  }

  function pass(pair: Pair, to: Socket, bytes: Buffer): void {
    if (pair.isForgotten) return;
    if (weather === "half-open") {
      pair.isBroken = true;
      return;
    }
    if (weather === "cut-answers" && to === pair.near) {
      to.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => drop(pair));
      return;
    }
    if (weather !== "slow") return void to.write(bytes);
    later(SLOW_MS, () => {
      if (!to.destroyed) to.write(bytes);
    });
  }

  function later(ms: number, deed: () => void): void {
    const timer = setTimeout(() => {
      timers.delete(timer);
      deed();
    }, ms);
    timers.add(timer);
  }

  const server = createServer((near) => {
    near.on("error", () => undefined);
    if (weather === "down") return void near.destroy();
    if (weather === "half-open") {
      cuts += 1;
      silent.add(near);
      return void near.on("data", () => undefined);
    }
    const far = connect(target, "127.0.0.1");
    const pair: Pair = { near, far, isBroken: false, isForgotten: false };
    pairs.add(pair);
    const whose = caller();
    const hear = listener((isWrite, signature) => onRequest({ caller: whose, isWrite, signature, atMs: Date.now() }));
    near.on("data", (bytes: Buffer) => {
      if (!pair.isForgotten) hear(bytes);
      pass(pair, far, bytes);
    });
    far.on("data", (bytes: Buffer) => pass(pair, near, bytes));
    far.on("error", () => undefined);
    // What was still under way when one end went arrives at the other.
    near.on("close", () => later(weather === "slow" ? SLOW_MS : 0, () => far.end()));
    far.on("close", () => {
      pairs.delete(pair);
      near.end();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });

  return {
    port: (server.address() as AddressInfo).port,
    get cuts() {
      return cuts;
    },
    turn: (next) => {
      weather = next;
      if (next === "forgotten") for (const pair of pairs) pair.isForgotten = true;
      for (const pair of pairs) if (next === "down" || (next !== "half-open" && pair.isBroken)) drop(pair);
      if (next === "half-open") return;
      for (const near of silent) near.destroy();
      silent.clear();
    },
    close: async () => {
      for (const timer of timers) clearTimeout(timer);
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      for (const { near, far } of pairs) for (const socket of [near, far]) socket.destroy();
      for (const near of silent) near.destroy();
      await closed;
    },
  };
}

/** Finds the signatures in what goes by. */
function listener(found: (isWrite: boolean, signature: string) => void): (bytes: Buffer) => void {
  let tail = "";
  return (bytes) => {
    const text = tail + bytes.toString("latin1");
    let from = 0;
    for (const match of text.matchAll(SIGNATURE)) {
      const before = text.slice(0, match.index);
      found(before.lastIndexOf("POST /v5/") > before.lastIndexOf("GET /v5/"), match[1]?.toLowerCase() ?? "");
      from = match.index + match[0].length;
    }
    tail = text.slice(Math.max(from, text.length - TAIL));
  };
}
