/** Tells what became of each step, once, and in a dry run what would have been sent. */
import type { PassResult } from "../pass.js";
import type { StepRecord } from "../verify/book.js";
import type { GuardParts } from "./parts.js";

export class Outcomes {
  readonly #parts: Pick<GuardParts, "pass" | "tell">;
  readonly #told = new WeakSet<StepRecord>();

  constructor(parts: Pick<GuardParts, "pass" | "tell">) {
    this.#parts = parts;
  }

  tell({ planned, book }: Pick<PassResult, "planned" | "book">): void {
    const { tell, pass } = this.#parts;
    for (const record of book.judged()) {
      if (!this.#told.has(record)) tell({ kind: "outcome", record });
      this.#told.add(record);
    }
    if (pass.writer !== undefined) return;
    for (const { step, held } of planned) if (held === null) tell({ kind: "would-send", step });
  }
}
