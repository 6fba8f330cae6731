/** Looks that are due after some time, one per reason and contract. */
import type { Contract } from "../domain/snapshot.js";
import type { Timers } from "./parts.js";

export class LaterLooks {
  readonly #timers: Timers;
  readonly #wakeFor: (contract: Contract) => void;
  readonly #waiting = new Map<string, () => void>();

  constructor(timers: Timers, wakeFor: (contract: Contract) => void) {
    this.#timers = timers;
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

  close(): void {
    for (const cancel of this.#waiting.values()) cancel();
    this.#waiting.clear();
  }
}
