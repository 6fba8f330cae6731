/** What is known of the passes of one account: when they began, what they saw, and why one brought nothing. */
export interface PassEnd {
  readonly isWhole: boolean;
  readonly isComplete: boolean;
  readonly nowMs: number;
}

export interface PassFailure {
  readonly isWhole: boolean;
  readonly isClosedToUs: boolean;
  readonly nowMs: number;
}

export class Passes {
  lastWholeStartMs = Number.NEGATIVE_INFINITY;
  lastCompleteMs: number | null = null;
  lastWholeTookMs: number | null = null;
  /** Why the last one over everything brought nothing; null: it brought something. */
  trouble: string | null = null;
  /** The trouble is that the account is closed to us: its key or its rights were refused. */
  isClosedToUs = false;
  /** How many have begun. */
  count = 0;
  #startedMs: number | null = null;

  started(nowMs: number, isWhole: boolean): void {
    this.count += 1;
    this.#startedMs = nowMs;
    if (isWhole) this.lastWholeStartMs = nowMs;
  }

  /** How long it took, milliseconds. */
  ended({ isWhole, isComplete, nowMs }: PassEnd): number {
    const tookMs = this.runningMs(nowMs);
    this.#startedMs = null;
    if (isWhole) this.trouble = null;
    if (isWhole) this.lastWholeTookMs = tookMs;
    if (isWhole && isComplete) this.lastCompleteMs = nowMs;
    return tookMs;
  }

  failed(reason: string, { isWhole, isClosedToUs, nowMs }: PassFailure): number {
    const tookMs = this.runningMs(nowMs);
    this.#startedMs = null;
    this.isClosedToUs = isClosedToUs;
    // That a part could not be seen says nothing about the account.
    if (isWhole || isClosedToUs) this.trouble = reason;
    return tookMs;
  }

  /** 0: none runs. */
  runningMs(nowMs: number): number {
    return this.#startedMs === null ? 0 : nowMs - this.#startedMs;
  }
}
