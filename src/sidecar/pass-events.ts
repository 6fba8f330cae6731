/** Tells what each pass has brought: what became of its steps, how it ended, and that the whole account is refused. */
import { type AccountFinding, refusalFindings } from "../assess/account.js";
import type { ExchangeFailure } from "../exchange/failure.js";
import type { PassResult } from "../pass.js";
import type { StepRecord } from "../verify/book.js";
import type { GuardParts } from "./parts.js";

type Parts = Pick<GuardParts, "name" | "pass" | "tell">;

export interface EndedPass {
  readonly isWhole: boolean;
  readonly tookMs: number;
}

/** What lasts is told again after so long. */
const TELL_AGAIN_MS = 60_000;

export class PassEvents {
  readonly #parts: Parts;
  readonly #told = new WeakSet<StepRecord>();
  /** When it was told last that the account is refused; null: it is not. */
  #refusedMs: number | null = null;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  started(isWhole: boolean): void {
    this.#parts.tell({ kind: "pass-started", account: this.#parts.name, whole: isWhole });
  }

  /** `reason`: what was not seen; null: it was complete. */
  ended(result: PassResult, reason: string | null, { isWhole, tookMs }: EndedPass): void {
    this.#steps(result);
    const told = { account: this.#parts.name, whole: isWhole, tookMs, reason, cause: null };
    this.#parts.tell({ kind: "pass", result: reason === null ? "complete" : "partial", ...told });
    const trouble = result.book.accountTrouble();
    this.#refused(trouble === null ? null : (refusalFindings(trouble.cause, trouble.detail)[0] ?? null));
  }

  /** `refusal`: what the failure says of the account as a whole. */
  failed({ facts, message }: ExchangeFailure, refusal: AccountFinding | null, { isWhole, tookMs }: EndedPass): void {
    const told = { account: this.#parts.name, whole: isWhole, tookMs, reason: message, cause: facts.cause };
    this.#parts.tell({ kind: "pass", result: "failed", ...told });
    this.#refused(refusal);
  }

  #refused(finding: AccountFinding | null): void {
    const { name: account, pass, tell } = this.#parts;
    const nowMs = pass.clock.now();
    if (finding === null) {
      this.#refusedMs = null;
      return;
    }
    if (this.#refusedMs !== null && nowMs - this.#refusedMs < TELL_AGAIN_MS) return;
    this.#refusedMs = nowMs;
    tell({ kind: "finding", place: { account, category: null, symbol: null, positionIdx: null }, finding });
  }

  #steps({ planned, book }: PassResult): void {
    const { tell, pass } = this.#parts;
    for (const record of book.judged()) {
      if (!this.#told.has(record)) tell({ kind: "outcome", record });
      this.#told.add(record);
    }
    if (pass.writer !== undefined) return;
    for (const { step, held } of planned) if (held === null) tell({ kind: "would-send", step });
  }
}
