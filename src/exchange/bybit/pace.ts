/** How slow the exchange has been of late: what one look gave up is waited for by the next, if it did come. */
import type { Clock } from "./budget.js";

const KEPT_MS = 120_000;

export class Pace {
  readonly #clock: Pick<Clock, "monotonicMs">;
  #answers: readonly { readonly atMs: number; readonly roundTripMs: number }[] = [];

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
  }

  /** Also of an answer that nobody waits for any more. */
  note(roundTripMs: number): void {
    const atMs = this.#clock.monotonicMs();
    // Later and slower ones say all that the others did.
    this.#answers = [...this.#recent(atMs).filter((one) => one.roundTripMs > roundTripMs), { atMs, roundTripMs }];
  }

  /** The slowest answer of the last two minutes, milliseconds; 0: there was none. */
  slowestMs(): number {
    return this.#recent(this.#clock.monotonicMs())[0]?.roundTripMs ?? 0;
  }

  #recent(nowMs: number) {
    return this.#answers.filter(({ atMs }) => nowMs - atMs <= KEPT_MS);
  }
}
