/** What is known of the passes of one account: when they began, what they saw, and why one brought nothing. */
export interface PassEnd {
  readonly isWhole: boolean;
  readonly isComplete: boolean;
  readonly nowMs: number;
}

export class Passes {
  lastWholeStartMs = Number.NEGATIVE_INFINITY;
  lastCompleteMs: number | null = null;
  lastWholeTookMs: number | null = null;
  /** Null: the last one brought something. */
  trouble: string | null = null;
  #startedMs: number | null = null;

  started(nowMs: number, isWhole: boolean): void {
    this.#startedMs = nowMs;
    if (isWhole) this.lastWholeStartMs = nowMs;
  }

  /** How long it took, milliseconds. */
  ended({ isWhole, isComplete, nowMs }: PassEnd): number {
    const tookMs = this.runningMs(nowMs);
    this.#startedMs = null;
    this.trouble = null;
    if (isWhole) this.lastWholeTookMs = tookMs;
    if (isWhole && isComplete) this.lastCompleteMs = nowMs;
    return tookMs;
  }

  failed(reason: string, nowMs: number): number {
    const tookMs = this.runningMs(nowMs);
    this.#startedMs = null;
    this.trouble = reason;
    return tookMs;
  }

  /** 0: none runs. */
  runningMs(nowMs: number): number {
    return this.#startedMs === null ? 0 : nowMs - this.#startedMs;
  }
}
