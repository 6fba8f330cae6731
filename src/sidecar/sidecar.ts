/** The sidecar: a guard for each account, one schedule for all, and an end that loses nothing. */
import type { Contract } from "../domain/snapshot.js";
import type { PassResult } from "../pass.js";
import { Guard } from "./guard.js";
import type { GuardParts } from "./parts.js";
import { type Schedule, type ScheduleParts, startSchedule } from "./schedule.js";
import type { SidecarStatus } from "./status.js";

export interface SidecarParts {
  readonly accounts: readonly GuardParts[];
  readonly schedule: Omit<ScheduleParts, "onSweep" | "onTick">;
  /** Steady milliseconds, as the passes use. */
  readonly now: () => number;
}

export interface Sidecar {
  status(): SidecarStatus;
  /** The latest pass of each account that has had one. */
  latest(): ReadonlyMap<string, PassResult>;
  /** One sweep of every account, now. */
  sweep(): void;
  /** A look at one contract of an account, now; null: at all of them. */
  look(account: string, contract: Contract | null): void;
  /** Another account, or an account anew. */
  add(account: GuardParts): void;
  /** Lets go of one account, after its write in flight. */
  remove(name: string): Promise<void>;
  reschedule(cron: string): void;
  close(): Promise<void>;
  /** Rejects by a mistake of ours, or with `StuckError`; else it lasts until `close`. */
  readonly done: Promise<void>;
}

/** The exchange answers, and yet no pass comes to its end. */
export class StuckError extends Error {
  override readonly name = "StuckError";
}

/** So many sweep intervals without one complete pass, and the process is better started anew. */
const MOST_INTERVALS = 5;
/** Thousands of positions are written in less, at nine a second. */
const LONGEST_PASS_MS = 15 * 60_000;

/** An exchange that has answered within this time does answer. */
const ANSWERED_MS = 10_000;

/**
 * An exchange that has left requests unanswered for an interval, though not less and not more than this, has not answered
 * all along; a process whose ticks, once a second, are so late has stood still, and its passes with it.
 */
const LEAST_STANDSTILL_MS = 2_500;
const MOST_STANDSTILL_MS = 5_000;

export function startSidecar(parts: SidecarParts): Sidecar {
  const guards = new Map<string, Guard>();
  let finish = (): void => undefined;
  let fail: (error: unknown) => void = () => undefined;
  const done = new Promise<void>((resolve, reject) => {
    finish = resolve;
    fail = reject;
  });
  let completeMs = parts.now();
  let tickedMs = parts.now();
  /** Since when it has not stood still. */
  let awakeMs = parts.now();
  /** Since when the exchange of each account has answered all along. */
  const answeringMs = new WeakMap<Guard, number>();
  let cron = parts.schedule.cron;
  let schedule = scheduled();

  function scheduled(): Schedule {
    return startSchedule({
      ...parts.schedule,
      cron,
      onSweep: (reason) => {
        for (const guard of guards.values()) guard.wake(reason);
      },
      onTick: tick,
    });
  }

  function tick(): void {
    const nowMs = parts.now();
    const standstillMs = Math.min(Math.max(schedule.intervalMs, LEAST_STANDSTILL_MS), MOST_STANDSTILL_MS);
    if (nowMs - tickedMs > standstillMs) awakeMs = nowMs;
    tickedMs = nowMs;
    const limitMs = MOST_INTERVALS * schedule.intervalMs;
    let isAnswered = false;
    for (const guard of guards.values()) {
      const { reachable, lastCompletePassAtMs, silentForMs, unansweredForMs } = guard.tick();
      completeMs = Math.max(completeMs, lastCompletePassAtMs ?? 0);
      // Where nothing answers, a restart would cure nothing.
      if (!reachable || unansweredForMs >= standstillMs) answeringMs.set(guard, nowMs);
      const sinceMs = Math.max(answeringMs.get(guard) ?? nowMs, awakeMs);
      isAnswered ||= silentForMs < ANSWERED_MS && nowMs - sinceMs > limitMs;
    }
    if (isAnswered && nowMs - completeMs > limitMs) {
      fail(new StuckError(`no complete pass for ${Math.round(limitMs / 1_000)} s, although the exchange answers`));
    }
    const runsMs = (guard: Guard) => Math.min(guard.runningMs(), nowMs - awakeMs);
    const stuck = [...guards.values()].find((guard) => runsMs(guard) > Math.max(limitMs, LONGEST_PASS_MS));
    if (stuck !== undefined) fail(new StuckError(`a pass over ${stuck.name} does not come to its end`));
  }

  function add(account: GuardParts): void {
    const guard = new Guard(account);
    guards.set(account.name, guard);
    answeringMs.set(guard, parts.now());
    guard.done.catch(fail);
  }

  for (const account of parts.accounts) add(account);
  return {
    status: () => ({
      nowMs: parts.now(),
      sweepIntervalMs: schedule.intervalMs,
      accounts: [...guards.values()].map((guard) => guard.status()),
    }),
    latest: () =>
      new Map(
        [...guards.values()].flatMap((guard) => {
          const result = guard.latest();
          return result === null ? [] : [[guard.name, result] as const];
        }),
      ),
    sweep: () => {
      for (const guard of guards.values()) guard.wake("asked");
    },
    look: (account, contract) => {
      const guard = guards.get(account);
      if (contract === null) guard?.wake("asked");
      else guard?.lookAt(contract);
    },
    add,
    remove: async (name) => {
      const guard = guards.get(name);
      guards.delete(name);
      await guard?.close();
    },
    reschedule: (line) => {
      if (line === cron) return;
      cron = line;
      schedule.close();
      schedule = scheduled();
    },
    close: async () => {
      schedule.close();
      await Promise.all([...guards.values()].map((guard) => guard.close()));
      finish();
    },
    done,
  };
}
