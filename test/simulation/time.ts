/** Virtual time: one heap of events for everything that runs, and the process's own clocks, timers and dice replaced by it. */
import nodeCrypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import timersPromises from "node:timers/promises";
import { type Random, seededRandom } from "../../src/exchange/simulator/random.js";

/** Who an event belongs to: a process that can be killed, with all that it waits for. */
export interface Owner {
  readonly name: string;
  isAlive: boolean;
  /** How far its wall clock was from the exchange's when it started, milliseconds. */
  readonly bornSkewMs: number;
  /** Stands still until then; what is due meanwhile happens at once when it goes on. */
  stoppedUntilMs?: number;
  stoppedFromMs?: number;
  /** For how long its machine has slept: the monotonic clock stood still meanwhile, the wall clock did not. */
  sleptMs?: number;
}

export interface Task {
  atMs: number;
  rank: number;
  readonly owner: Owner;
  readonly run: () => void;
  isCancelled: boolean;
}

/** When every run begins, by the exchange's clock. */
export const EPOCH_MS = 1_780_272_000_000;

const real = {
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  setInterval: globalThis.setInterval,
  clearInterval: globalThis.clearInterval,
  setImmediate: globalThis.setImmediate,
  clearImmediate: globalThis.clearImmediate,
  Date: globalThis.Date,
  random: Math.random,
  now: performance.now.bind(performance),
};

export class VirtualTime {
  readonly world: Owner = { name: "world", isAlive: true, bornSkewMs: 0 };
  readonly dice: Random;
  /** Milliseconds since the run began; never jumps. */
  elapsedMs = 0;
  /** Our hosts' wall clock minus the exchange's, milliseconds. */
  wallSkewMs = 0;
  owner: Owner = this.world;
  events = 0;
  readonly #heap: Task[] = [];
  #rank = 0;

  constructor(seed: number) {
    this.dice = seededRandom(seed);
  }

  /** The exchange's time. */
  exchangeNowMs(): number {
    return EPOCH_MS + this.elapsedMs;
  }

  at(atMs: number, owner: Owner, run: () => void): Task {
    const task: Task = { atMs: Math.max(atMs, this.elapsedMs), rank: ++this.#rank, owner, run, isCancelled: false };
    this.#push(task);
    return task;
  }

  after(ms: number, owner: Owner, run: () => void): Task {
    return this.at(this.elapsedMs + ms, owner, run);
  }

  /** Runs everything that is due until then; promises settle between any two events. What is real gets its turn first. */
  async runUntil(untilMs: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      // Outside any promise, where the queues can be emptied at once.
      real.setImmediate(() => {
        try {
          this.#run(untilMs);
          resolve();
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
    });
  }

  #run(untilMs: number): void {
    for (let task = this.#heap[0]; task !== undefined && task.atMs <= untilMs; task = this.#heap[0]) {
      this.#pop();
      if (task.isCancelled || !task.owner.isAlive) continue;
      const { stoppedUntilMs = 0 } = task.owner;
      if (stoppedUntilMs > task.atMs) {
        this.#push(Object.assign(task, { atMs: stoppedUntilMs, rank: ++this.#rank }));
        continue;
      }
      this.elapsedMs = Math.max(this.elapsedMs, task.atMs);
      this.events += 1;
      this.owner = task.owner;
      task.run();
      emptyQueues();
      this.owner = this.world;
    }
    this.elapsedMs = Math.max(this.elapsedMs, untilMs);
  }

  #push(task: Task): void {
    const heap = this.#heap;
    let index = heap.push(task) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || isBefore(above, task)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = task;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      const left = index * 2 + 1;
      if (left >= heap.length) break;
      const right = left + 1;
      const child = isBefore(heap[right], heap[left]) ? right : left;
      const below = heap[child];
      if (below === undefined || isBefore(last, below)) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = last;
  }
}

function isBefore(one: Task | undefined, other: Task | undefined): boolean {
  if (one === undefined || other === undefined) return one !== undefined;
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.rank < other.rank);
}

/** Node's own way of doing what ticks and promises are due; what they lead to as well. */
const emptyQueues = (Reflect.get(process, "_tickCallback") as () => void).bind(process);

let current: VirtualTime | null = null;

/** From here on the whole process lives in this time. */
export function enter(time: VirtualTime): void {
  current = time;
}

export function leave(): void {
  current = null;
}

class VirtualTimer {
  task: Task | null = null;
  readonly #start: () => Task;

  constructor(start: (timer: VirtualTimer) => Task) {
    this.#start = () => start(this);
    this.task = this.#start();
  }

  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
  hasRef(): boolean {
    return true;
  }
  refresh(): this {
    this.close();
    this.task = this.#start();
    return this;
  }
  close(): this {
    if (this.task !== null) this.task.isCancelled = true;
    this.task = null;
    return this;
  }
}

type Callback = (...given: unknown[]) => void;

function virtualTimeout(time: VirtualTime, callback: Callback, ms: number, given: unknown[]): VirtualTimer {
  const { owner } = time;
  return new VirtualTimer(() => time.after(Math.max(1, Math.floor(ms) || 0), owner, () => callback(...given)));
}

function virtualInterval(time: VirtualTime, callback: Callback, ms: number, given: unknown[]): VirtualTimer {
  const { owner } = time;
  const everyMs = Math.max(1, Math.floor(ms) || 0);
  return new VirtualTimer((timer) => {
    const tick = (): void => {
      timer.task = time.after(everyMs, owner, tick);
      callback(...given);
    };
    return time.after(everyMs, owner, tick);
  });
}

function cancel(handle: unknown, otherwise: (handle: never) => void): void {
  if (handle instanceof VirtualTimer) handle.close();
  else if (handle !== undefined && handle !== null) otherwise(handle as never);
}

function wallMs(time: VirtualTime): number {
  return Math.floor(time.exchangeNowMs() + time.wallSkewMs);
}

/** Replaces the process's clocks, timers and dice, once; outside a run they are as they were. */
export function install(): void {
  const timer = (make: typeof virtualTimeout, otherwise: (...given: never[]) => unknown) =>
    ((callback: Callback, ms?: number, ...given: unknown[]) =>
      current === null
        ? otherwise(...([callback, ms, ...given] as never[]))
        : make(current, callback, ms ?? 0, given)) as never;
  globalThis.setTimeout = timer(virtualTimeout, real.setTimeout);
  globalThis.setInterval = timer(virtualInterval, real.setInterval);
  globalThis.setImmediate = ((callback: Callback, ...given: unknown[]) =>
    current === null ? real.setImmediate(callback, ...given) : virtualTimeout(current, callback, 0, given)) as never;
  globalThis.clearTimeout = (handle) => cancel(handle, real.clearTimeout);
  globalThis.clearInterval = (handle) => cancel(handle, real.clearInterval);
  globalThis.clearImmediate = (handle) => cancel(handle, real.clearImmediate);
  installClocks();
  installDice();
}

function installClocks(): void {
  class VirtualDate extends real.Date {
    constructor(...given: unknown[]) {
      if (given.length === 0 && current !== null) super(wallMs(current));
      else super(...(given as []));
    }
    static override now(): number {
      return current === null ? real.Date.now() : wallMs(current);
    }
  }
  globalThis.Date = VirtualDate as DateConstructor;
  // Each process counts from its own start, by its wall clock of then: so its steady clock keeps what that clock lacked.
  performance.now = () => (current === null ? real.now() : steadyMs(current));
  Object.assign(timersPromises, {
    setTimeout: (ms?: number, value?: unknown) =>
      new Promise((resolve) => {
        globalThis.setTimeout(() => resolve(value), ms);
      }),
    setImmediate: (value?: unknown) =>
      new Promise((resolve) => {
        globalThis.setImmediate(() => resolve(value));
      }),
  });
  syncBuiltinESMExports();
}

function steadyMs({ elapsedMs, owner: { bornSkewMs, sleptMs = 0 } }: VirtualTime): number {
  return elapsedMs + bornSkewMs - sleptMs;
}

let names = 0;

function installDice(): void {
  Math.random = () => current?.dice.next() ?? real.random();
  const { randomBytes, randomInt, randomUUID } = nodeCrypto;
  Object.assign(nodeCrypto, {
    randomBytes: (size: number) =>
      current === null ? randomBytes(size) : Buffer.from(current.dice.hex(size * 2), "hex"),
    randomInt: (low: number, high?: number) => {
      if (current === null) return high === undefined ? randomInt(low) : randomInt(low, high);
      const [from, below] = high === undefined ? [0, low] : [low, high];
      return from + Math.floor(current.dice.next() * (below - from));
    },
    // Names of things that outlive a run, such as tasks of node-cron: unique in this process, and part of no trace.
    randomUUID: () =>
      current === null ? randomUUID() : `00000000-0000-4000-8000-${String(++names).padStart(12, "0")}`,
  });
  syncBuiltinESMExports();
}
