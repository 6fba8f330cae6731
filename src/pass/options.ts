/** What a pass is given: whom to read, perhaps whom to write, and what is wanted. */
import type { Assessment } from "../assess/assess.js";
import type { Picture } from "../domain/picture.js";
import type { PositionKey, Side } from "../domain/position.js";
import type { Reader, Writer } from "../exchange/port.js";
import type { Memory } from "../ledger/memory.js";
import type { PlannedStep } from "../plan/step.js";
import type { ResolvedPolicy } from "../policy/resolve.js";

export interface PassOptions {
  readonly reader: Reader;
  /** Absent: nothing is ever written, by construction. */
  readonly writer?: Writer;
  readonly policyOf: (key: PositionKey, side: Side) => ResolvedPolicy;
  readonly memory: Memory;
  /** `now` never jumps, and is the clock of the reader's `requestedAtMs`. */
  readonly clock: { now(): number; sleep(ms: number): Promise<void> };
  readonly writesPerSecond: number;
  readonly newOrderLinkId: () => string;
  /** Why nothing may be written at this moment (read-only switch, copy-trading master); null: writing is allowed. */
  readonly frozen: (picture: Picture) => string | null;
  readonly manyChangesAgreed: boolean;
  /** Sees the plan before anything is sent; false: nothing is. */
  readonly approve?: (planned: readonly PlannedStep[], assessment: Assessment) => Promise<boolean>;
  readonly progress?: (text: string) => void;
}
