/** Looks that are due after some time, one per reason and contract. */
import { contractText } from "../domain/position.js";
import type { Contract, ReadScope } from "../domain/snapshot.js";
import type { Timers } from "./parts.js";

/** What cannot be seen is looked at soon at first, as it may have closed just now; where that does not help, something lasts. */
const SOON_FOR_MS = 10_000;
const LASTING_MS = 5_000;

export class LaterLooks {
  readonly #timers: Timers;
  readonly #now: () => number;
  readonly #wakeFor: (contract: Contract) => void;
  readonly #waiting = new Map<string, { readonly dueMs: number; readonly cancel: () => void }>();
  /** Since when a contract cannot be seen. */
  readonly #unseenSinceMs = new Map<string, number>();

  constructor(timers: Timers, now: () => number, wakeFor: (contract: Contract) => void) {
    this.#timers = timers;
    this.#now = now;
    this.#wakeFor = wakeFor;
  }

  /** Nothing where one of this name is due by then already. */
  add(name: string, contract: Contract, afterMs: number): void {
    const dueMs = this.#now() + Math.max(1, afterMs);
    const waiting = this.#waiting.get(name);
    if (waiting !== undefined && waiting.dueMs <= dueMs) return;
    waiting?.cancel();
    const cancel = this.#timers.after(Math.max(1, afterMs), () => {
      this.#waiting.delete(name);
      this.#wakeFor(contract);
    });
    this.#waiting.set(name, { dueMs, cancel });
  }

  /** It was to be seen, and was not: due after `soonMs`, and seldom where that has not helped for ten seconds. */
  unseen(contract: Contract, soonMs: number): void {
    const name = unseenName(contract);
    const nowMs = this.#now();
    const sinceMs = this.#unseenSinceMs.get(name) ?? nowMs;
    this.#unseenSinceMs.set(name, sinceMs);
    this.add(name, contract, nowMs - sinceMs < SOON_FOR_MS ? soonMs : LASTING_MS);
  }

  /** Whatever else a look was to show can be seen: if it vanishes later, that begins anew and waits for nothing old. */
  looked(scope: ReadScope, unseen: readonly Contract[]): void {
    const lasting = new Set(unseen.map(unseenName));
    const covered = scope === "account" ? null : new Set(scope.map(unseenName));
    for (const name of this.#unseenSinceMs.keys()) {
      if (lasting.has(name) || covered?.has(name) === false) continue;
      this.#unseenSinceMs.delete(name);
      this.#waiting.get(name)?.cancel();
      this.#waiting.delete(name);
    }
  }

  close(): void {
    for (const { cancel } of this.#waiting.values()) cancel();
    this.#waiting.clear();
  }
}

const unseenName = (contract: Contract): string => `unseen ${contractText(contract)}`;
