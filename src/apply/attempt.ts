/** What happened to a step: sent or not, what the exchange answered, and what a later read proved. */
import type { FailureCause } from "../exchange/failure.js";
import type { Step } from "../plan/step.js";

/**
 * `acknowledged` and `uncertain` both wait for a read; `refused` is final for this request;
 * `not-sent` surely had no effect.
 */
export type Answer =
  | { readonly kind: "acknowledged" }
  | { readonly kind: "uncertain"; readonly detail: string }
  | {
      readonly kind: "refused";
      readonly cause: FailureCause;
      /** True: a stop sent alone would be refused as well; false: it may have been about the take-profit. */
      readonly meetsStopToo: boolean;
      readonly detail: string;
    }
  | { readonly kind: "not-sent"; readonly cause: FailureCause; readonly detail: string };

export interface Attempt {
  readonly step: Step;
  /** When the request was handed over, on a clock that never jumps; nothing seen before it can prove it. */
  readonly startedAtMs: number;
  /** When its answer, or the lack of one, was known, on the same clock. */
  readonly answeredAtMs: number;
  readonly answer: Answer;
}
