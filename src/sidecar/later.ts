/** Looks that are due after some time, one per reason and contract. */
import type { Contract } from "../domain/snapshot.js";
import type { Timers } from "./parts.js";

/** What is asked for again and again is due soon at first; where that does not help, something lasts. */
const SOON_FOR_MS = 10_000;
const LASTING_MS = 5_000;
/** Not asked for during this time: what comes then has begun anew. */
const OVER_AFTER_MS = 15_000;

interface Streak {
  readonly sinceMs: number;
  readonly lastMs: number;
}

export class LaterLooks {
  readonly #timers: Timers;
  readonly #now: () => number;
  readonly #wakeFor: (contract: Contract) => void;
  readonly #waiting = new Map<string, () => void>();

  readonly #streaks = new Map<string, Streak>();

  constructor(timers: Timers, now: () => number, wakeFor: (contract: Contract) => void) {
    this.#timers = timers;
    this.#now = now;
    this.#wakeFor = wakeFor;
  }

  /** Nothing where one of this name is waiting already. */
  add(name: string, contract: Contract, afterMs: number): void {
    if (this.#waiting.has(name)) return;
    const cancel = this.#timers.after(Math.max(1, afterMs), () => {
      this.#waiting.delete(name);
      this.#wakeFor(contract);
    });
    this.#waiting.set(name, cancel);
  }

  /** As `add`, for what may last: seldom once it has been asked for during ten seconds. */
  addAgain(name: string, contract: Contract, afterMs: number): void {
    const nowMs = this.#now();
    const last = this.#streaks.get(name);
    const isOn = last !== undefined && nowMs - last.lastMs <= OVER_AFTER_MS;
    const sinceMs = isOn ? last.sinceMs : nowMs;
    this.#streaks.set(name, { sinceMs, lastMs: nowMs });
    this.add(name, contract, nowMs - sinceMs < SOON_FOR_MS ? afterMs : LASTING_MS);
  }

  close(): void {
    for (const cancel of this.#waiting.values()) cancel();
    this.#waiting.clear();
  }
}
