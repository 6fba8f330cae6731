/** The request budget: writes evenly spaced and by priority, reads within the exchange's windows, one share of the address. */
import { setMaxListeners } from "node:events";
import PQueue from "p-queue";
import { ExchangeFailure } from "../failure.js";

export interface Clock {
  /** Wall clock in milliseconds. */
  now(): number;
  /** Never steps back, whatever happens to the wall clock. */
  monotonicMs(): number;
}

/** Also tells a time that never jumps, by which reads and writes are put in order. */
export interface SteadyClock extends Clock {
  /** Milliseconds since 1970 as the wall clock said at the start, plus the time that has really passed. */
  steadyMs(): number;
}

/** Requests that share one of the exchange's rolling windows (docs/v5/rate-limit). */
export type LimitClass = "positions" | "orders" | "fills" | "account" | "market" | "write";

/** Shared by all accounts of a process: the exchange counts requests per address. */
export interface IpBudget {
  /** One and the same gate for every account; it runs by the clock that came first. */
  gate(clock: Clock): IpGate;
}

export interface IpGate {
  /** Higher goes first; `PATIENT` takes at most half of the share. */
  acquire(priority: number, signal: AbortSignal): Promise<void>;
  /** Stops every request of the process for the ten minutes that the exchange asks for. */
  ban(): void;
  /** Milliseconds that the ban still lasts; zero without one. */
  bannedForMs(): number;
}

export interface AccountBudget {
  readonly signal: AbortSignal;
  /** Resolves when the request may be sent. @throws ExchangeFailure while the address is banned, and after close. */
  acquire(limitClass: LimitClass, priority: number, endpoint: string): Promise<void>;
  /** No request of this class for so long: the exchange said that its window is used up. */
  hold(limitClass: LimitClass, forMs: number): void;
  /** Rejects what is queued. */
  close(): void;
}

/** The priority of what somebody beside the guard asks for: it must never keep a stop waiting. */
export const PATIENT = -1;

const BAN_MS = 10 * 60_000;
const IP_REQUESTS = 600;
const IP_WINDOW_MS = 5_000;
/** Below the exchange's 50 per second: its window sees our requests closer together than we sent them. */
const READS_PER_SECOND = 40;
const ACCOUNT_READS_PER_SECOND = 8;
/** Far below the exchange's 50: what has been can wait, and must not use up the address's requests. */
const FILL_READS_PER_SECOND = 10;
/** The exchange sees our writes a little closer together than we sent them; no second of its may hold one too many. */
const WRITE_SPARE_MS = 2;
/** How far a late timer may be caught up with, so that many writes keep the average pace. */
const CATCH_UP_MS = 10;
/** A reset time further away than this is a misread clock: the exchange's windows are one second long. */
const LONGEST_HOLD_MS = 10_000;

/** When the next request may go; all times are monotonic. */
interface Pace {
  take(nowMs: number): void;
  waitMs(nowMs: number): number;
}

export function createIpBudget(share: number): IpBudget {
  let gate: IpGate | null = null;
  return {
    gate: (clock) => {
      gate ??= createIpGate(share, clock);
      return gate;
    },
  };
}

function createIpGate(share: number, clock: Clock): IpGate {
  const requests = Math.max(1, Math.floor(IP_REQUESTS * share));
  const pacer = createSharedPacer(requests, IP_WINDOW_MS, clock);
  let bannedUntilMs = Number.NEGATIVE_INFINITY;
  return {
    acquire: (priority, signal) => pacer.acquire(priority, signal),
    ban: () => {
      bannedUntilMs = clock.monotonicMs() + BAN_MS;
    },
    bannedForMs: () => Math.max(0, bannedUntilMs - clock.monotonicMs()),
  };
}

export function createAccountBudget(writesPerSecond: number, ip: IpGate, clock: Clock): AccountBudget {
  const closing = new AbortController();
  const { signal } = closing;
  setMaxListeners(0, signal);
  const pacers: Record<LimitClass, Pacer> = {
    positions: createSharedPacer(READS_PER_SECOND, 1_000, clock),
    orders: createSharedPacer(READS_PER_SECOND, 1_000, clock),
    fills: createPacer(slidingWindow(FILL_READS_PER_SECOND, 1_000), clock),
    account: createPacer(slidingWindow(ACCOUNT_READS_PER_SECOND, 1_000), clock),
    // Only the address's share counts; a refusal holds it all the same.
    market: createPacer(AT_ONCE, clock),
    write: createPacer(evenly(1_000 / writesPerSecond + WRITE_SPARE_MS), clock),
  };

  function refuseWhileBanned(endpoint: string): void {
    const leftMs = ip.bannedForMs();
    if (leftMs === 0) return;
    const retryAtMs = clock.now() + leftMs;
    throw new ExchangeFailure({ kind: "not-happened", cause: "ip-ban", endpoint, retryAtMs });
  }

  return {
    signal,
    acquire: async (limitClass, priority, endpoint) => {
      refuseWhileBanned(endpoint);
      signal.throwIfAborted();
      await pacers[limitClass].acquire(priority, signal);
      refuseWhileBanned(endpoint);
      await ip.acquire(limitClass === "write" ? 1 : priority, signal);
      refuseWhileBanned(endpoint);
    },
    hold: (limitClass, forMs) => pacers[limitClass].hold(Math.min(forMs, LONGEST_HOLD_MS)),
    close: () => {
      closing.abort(new ExchangeFailure({ kind: "not-happened", cause: "closed", endpoint: "connection" }));
      for (const pacer of Object.values(pacers)) pacer.close();
    },
  };
}

interface Pacer {
  acquire(priority: number, signal: AbortSignal): Promise<void>;
  hold(forMs: number): void;
  close(): void;
}

/**
 * A priority queue whose next entry is chosen only when its turn has come. The queue's own interval options
 * follow the wall clock, which would stop all writes for as long as that clock steps back.
 */
function createPacer(pace: Pace, clock: Clock): Pacer {
  const queue = new PQueue({ concurrency: 1 });
  let held: NodeJS.Timeout | undefined;
  let heldUntilMs = Number.NEGATIVE_INFINITY;

  const closing = new AbortController();

  const turn = async (grant: () => void): Promise<void> => {
    grant();
    pace.take(clock.monotonicMs());
    let waitMs = pace.waitMs(clock.monotonicMs());
    while (waitMs > 0 && !closing.signal.aborted) {
      await delay(Math.ceil(waitMs), closing.signal);
      waitMs = pace.waitMs(clock.monotonicMs());
    }
  };
  const release = (): void => {
    const leftMs = heldUntilMs - clock.monotonicMs();
    if (leftMs > 0) held = setTimeout(release, Math.ceil(leftMs));
    else queue.start();
  };

  return {
    acquire: (priority, signal) =>
      new Promise((resolve, reject) => {
        queue.add(() => turn(resolve), { priority, signal }).catch(reject);
      }),
    hold: (forMs) => {
      const untilMs = clock.monotonicMs() + forMs;
      if (untilMs <= heldUntilMs) return;
      heldUntilMs = untilMs;
      queue.pause();
      clearTimeout(held);
      release();
    },
    close: () => {
      clearTimeout(held);
      closing.abort();
    },
  };
}

/** Half of the window is kept free of what is patient: it is there in the moment that a pass needs it. */
function createSharedPacer(requests: number, windowMs: number, clock: Clock): Pacer {
  const all = createPacer(slidingWindow(requests, windowMs), clock);
  const patientPerSecond = Math.max(1, Math.floor((requests * 500) / windowMs));
  const patient = createPacer(slidingWindow(patientPerSecond, 1_000), clock);
  return {
    acquire: async (priority, signal) => {
      if (priority <= PATIENT) await patient.acquire(0, signal);
      await all.acquire(priority, signal);
    },
    hold: (forMs) => all.hold(forMs),
    close: () => {
      patient.close();
      all.close();
    },
  };
}

const AT_ONCE: Pace = { take: () => undefined, waitMs: () => 0 };

/** At most so many in any window of this length. */
function slidingWindow(requests: number, windowMs: number): Pace {
  const takenAtMs: number[] = [];
  return {
    take: (nowMs) => {
      takenAtMs.push(nowMs);
      if (takenAtMs.length > requests) takenAtMs.shift();
    },
    waitMs: (nowMs) => {
      const oldest = takenAtMs[0];
      return oldest === undefined || takenAtMs.length < requests ? 0 : oldest + windowMs - nowMs;
    },
  };
}

/** One per interval; a timer that fires a little late does not slow the average. */
function evenly(intervalMs: number): Pace {
  let slotMs = Number.NEGATIVE_INFINITY;
  return {
    take: (nowMs) => {
      slotMs = Math.max(slotMs + intervalMs, nowMs - CATCH_UP_MS);
      if (slotMs > nowMs) slotMs = nowMs;
    },
    waitMs: (nowMs) => slotMs + intervalMs - nowMs,
  };
}

/** Resolves early when the signal fires: nothing is worth waiting for after close. */
function delay(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", finish);
      resolve();
    };
    const timer = setTimeout(finish, ms);
    if (signal.aborted) finish();
    else signal.addEventListener("abort", finish, { once: true });
  });
}
