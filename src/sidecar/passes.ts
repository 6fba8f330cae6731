/** What is known of the passes of one account: when they began, what they saw, and why one brought nothing. */
import { type AccountFinding, refusalFindings } from "../assess/account.js";
import type { ExchangeFailure, FailureCause } from "../exchange/failure.js";

export interface PassEnd {
  readonly isWhole: boolean;
  readonly isComplete: boolean;
  readonly nowMs: number;
}

/** A key that was refused is tried once in this time; anything else soon again. */
const REFUSED_RETRY_MS = 60_000;
const RETRY_MS = 1_000;
/** What is overloaded is asked less and less often, by each process at times of its own. */
const MOST_RETRY_MS = 8_000;
const OVERLOADED: readonly FailureCause[] = ["server", "rate-limit"];

const isClosed = (cause: FailureCause): boolean => cause === "key" || cause === "permission";

export class Passes {
  lastWholeStartMs = Number.NEGATIVE_INFINITY;
  lastCompleteMs: number | null = null;
  lastWholeTookMs: number | null = null;
  /** Why the last one over everything brought nothing; null: it brought something. */
  trouble: string | null = null;
  /** The trouble is that the account is closed to us: its key or its rights were refused. */
  isClosedToUs = false;
  /** Why the account as a whole is refused; null: the latest pass that was answered brought something. */
  refusal: AccountFinding | null = null;
  /** How many have begun. */
  count = 0;
  #startedMs: number | null = null;
  /** Of failures in a row. */
  #failures = 0;
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  started(nowMs: number, isWhole: boolean): void {
    this.count += 1;
    this.#startedMs = nowMs;
    if (isWhole) this.lastWholeStartMs = nowMs;
  }

  /** How long it took, milliseconds. */
  ended({ isWhole, isComplete, nowMs }: PassEnd): number {
    const tookMs = this.runningMs(nowMs);
    this.#startedMs = null;
    this.#failures = 0;
    this.refusal = null;
    if (isWhole) this.trouble = null;
    if (isWhole) this.lastWholeTookMs = tookMs;
    if (isWhole && isComplete) this.lastCompleteMs = nowMs;
    return tookMs;
  }

  failed({ facts, message }: ExchangeFailure, { isWhole, nowMs }: Omit<PassEnd, "isComplete">): number {
    const tookMs = this.runningMs(nowMs);
    this.#startedMs = null;
    this.#failures += 1;
    this.isClosedToUs = isClosed(facts.cause);
    // That the line is down says nothing of a key that was refused before.
    this.refusal = refusalFindings(facts.cause, message)[0] ?? this.refusal;
    // That a part could not be seen says nothing about the account.
    if (isWhole || this.isClosedToUs) this.trouble = message;
    return tookMs;
  }

  /** After the latest failure, milliseconds. */
  retryAfterMs(cause: FailureCause): number {
    if (isClosed(cause)) return REFUSED_RETRY_MS;
    if (!OVERLOADED.includes(cause)) return RETRY_MS;
    const mostMs = Math.min(MOST_RETRY_MS, RETRY_MS * 2 ** this.#failures);
    return Math.max(RETRY_MS, mostMs * (0.5 + this.#random() / 2));
  }

  /** 0: none runs. */
  runningMs(nowMs: number): number {
    return this.#startedMs === null ? 0 : nowMs - this.#startedMs;
  }
}
