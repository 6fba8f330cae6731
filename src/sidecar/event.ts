/** What a sidecar tells the world: each thing once, as a value that logs, metrics and streams render. */
import type { AccountFinding } from "../assess/account.js";
import type { Finding } from "../assess/finding.js";
import type { Decimal } from "../domain/decimal.js";
import type { PositionKey, Side, UnreadablePosition } from "../domain/position.js";
import type { FailureCause } from "../exchange/failure.js";
import type { Step } from "../plan/step.js";
import type { AttachEvent } from "./attach-book.js";
import type { StepRecord } from "../verify/book.js";

export type LifeChange = "seen" | "opened" | "grew" | "shrank" | "flipped" | "closed";

/** `by` says whose doing a close was, as far as it is known. */
export type Closer = "us" | "its stop" | "another hand";

/** Of a row that cannot be read, as much as it tells. Without a category it is about the account as a whole. */
export interface FindingPlace extends Pick<UnreadablePosition, "account" | "symbol" | "positionIdx"> {
  readonly category: UnreadablePosition["category"] | null;
}

export type SidecarEvent =
  | {
      readonly kind: "life";
      readonly change: LifeChange;
      readonly key: PositionKey;
      readonly side: Side;
      /** After the change; of a closed one, what it was before. */
      readonly size: Decimal;
      /** Milliseconds since 1970, by the exchange's clock; null where its row does not state it. */
      readonly openedAtMs: number | null;
      readonly by: Closer | null;
    }
  | {
      readonly kind: "protected";
      readonly key: PositionKey;
      readonly side: Side;
      readonly price: Decimal;
      /** From the opening to the stop, by the exchange's own times, milliseconds; null where they are not known. */
      readonly afterMs: number | null;
    }
  | { readonly kind: "naked"; readonly key: PositionKey; readonly side: Side; readonly size: Decimal }
  | { readonly kind: "finding"; readonly place: FindingPlace; readonly finding: Finding | AccountFinding }
  /** `path`: sent at once from a push, or by a pass. */
  | { readonly kind: "sent"; readonly step: Step; readonly path: "push" | "pass"; readonly answer: string }
  | { readonly kind: "outcome"; readonly record: StepRecord }
  /** An entry order's exits, before it fills. */
  | { readonly kind: "attach"; readonly event: AttachEvent }
  /** Dry run: what would have been sent. */
  | { readonly kind: "would-send"; readonly step: Step }
  | { readonly kind: "mended"; readonly key: PositionKey; readonly price: Decimal; readonly replacedBy: Decimal }
  | { readonly kind: "pass-started"; readonly account: string; readonly whole: boolean }
  | {
      readonly kind: "pass";
      readonly account: string;
      readonly whole: boolean;
      readonly result: "complete" | "partial" | "failed";
      readonly tookMs: number;
      /** What was not seen, or why nothing was; null for a complete one. */
      readonly reason: string | null;
      /** Set for a failed one. */
      readonly cause: FailureCause | null;
    }
  /** From now on a missing stop is set in the moment of a push. */
  | { readonly kind: "watching"; readonly account: string }
  | {
      readonly kind: "stream";
      readonly account: string;
      readonly state: "live" | "down";
      readonly reason: string | null;
    };

export type Tell = (event: SidecarEvent) => void;
