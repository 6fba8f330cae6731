/** Gathers what wakes a guard, and lets it sleep until then. */
import type { Contract, ReadScope } from "../domain/snapshot.js";
import type { Timers } from "./parts.js";
import { ASLEEP, answeredFor, scopeOf, type WholeReason, type Wakes, wokenFor, wokenWhole } from "./wake.js";

export class Bell {
  readonly #timers: Timers;
  #wakes: Wakes = ASLEEP;
  #rouse: () => void = () => undefined;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  ring(reason: WholeReason): void {
    this.#wakes = wokenWhole(this.#wakes, reason);
    this.#rouse();
  }

  ringFor(contract: Contract): void {
    this.#wakes = wokenFor(this.#wakes, contract);
    this.#rouse();
  }

  /** Wakes the sleeper without a reason to look at anything. */
  rouse(): void {
    this.#rouse();
  }

  /** A look at everything is due. */
  wantsAll(): boolean {
    return this.#wakes.whole !== null;
  }

  /** Null: nothing has rung. */
  scope(): ReadScope | null {
    return scopeOf(this.#wakes);
  }

  /** A look at everything sees each contract too. */
  answered(scope: ReadScope): void {
    this.#wakes = scope === "account" ? ASLEEP : answeredFor(this.#wakes, scope);
  }

  takeContracts(): readonly Contract[] {
    const { contracts } = this.#wakes;
    this.#wakes = { ...this.#wakes, contracts: new Map() };
    return [...contracts.values()];
  }

  /** Resolves at the next ring, or after so long where that is given. */
  sleep(atMostMs: number | null): Promise<void> {
    return new Promise((resolve) => {
      const cancel = atMostMs === null ? () => undefined : this.#timers.after(Math.max(1, atMostMs), () => resolve());
      this.#rouse = () => {
        cancel();
        resolve();
      };
    });
  }
}
