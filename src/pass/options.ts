/** What a pass is given: whom to read, perhaps whom to write, and what is wanted. */
import type { Attempt } from "../apply/attempt.js";
import type { Assessed, Assessment } from "../assess/assess.js";
import type { UnprovenStep } from "../domain/life.js";
import type { Picture } from "../domain/picture.js";
import type { Position, PositionKey, Side } from "../domain/position.js";
import type { Contract, ReadScope } from "../domain/snapshot.js";
import type { Reader, Writer } from "../exchange/port.js";
import type { Memory } from "../ledger/memory.js";
import type { PlannedStep, Step } from "../plan/step.js";
import type { ResolvedPolicy } from "../policy/resolve.js";
import type { AgeClock } from "../verify/freshness.js";
import type { PassBook } from "../verify/book.js";

export interface Journal {
  /** Durable when it resolves. `decidedFrom`: by whose wish; default: as it is remembered now. */
  intended(step: Step, position: Position, decidedFrom?: Pick<Assessed, "life" | "policy">): Promise<void>;
  answered(attempt: Attempt, position: Position): void;
  /** A look has shown what the process before this one had sent. */
  found?(steps: readonly UnprovenStep[], position: Position): void;
}

/** `now` never jumps, and is the clock of the reader's `requestedAtMs`. */
export interface PassClock extends AgeClock {
  /** What somebody has set an end to is over by this one, milliseconds since 1970; default: `now`. */
  calendarMs?(): number;
  sleep(ms: number): Promise<void>;
}

export interface PassOptions {
  readonly reader: Reader;
  /** Absent: nothing is ever written, by construction. */
  readonly writer?: Writer;
  readonly policyOf: (key: PositionKey, side: Side) => ResolvedPolicy;
  readonly memory: Memory;
  readonly clock: PassClock;
  readonly writesPerSecond: number;
  readonly newOrderLinkId: () => string;
  /** Why nothing may be written at this moment (read-only switch, copy-trading master); null: writing is allowed. */
  readonly frozen: (picture: Picture) => string | null;
  /** Why nothing may be written for this position at this moment; null: nothing speaks against it. */
  readonly heldBack?: (position: Position) => string | null;
  /** Why this step must wait while others may go; null: nothing speaks against it. */
  readonly heldStep?: (step: Step) => string | null;
  /** Writes a step down before it is sent; it never rejects, for protection beats bookkeeping. */
  readonly journal?: Journal;
  readonly manyChangesAgreed: boolean;
  /** Sees the plan before anything is sent; false: nothing is. */
  readonly approve?: (planned: readonly PlannedStep[], assessment: Assessment) => Promise<boolean>;
  readonly progress?: (text: string) => void;
  /** The contracts' rules are read anew at the next look: the exchange may have changed a tick. */
  readonly refreshInstruments?: () => void;
  /** What to look at first; default everything. The pass cares for nothing else, but for what `woken` names. */
  readonly scope?: ReadScope;
  /** What was known before a pass over some contracts: it completes the picture, and is never written from. */
  readonly before?: Picture;
  /** Where steps are kept account of; one that outlives the pass also holds steps which others have sent meanwhile. */
  readonly book?: PassBook;
  /** True: the private stream has told that a position is flat; then one read that agrees proves it. */
  readonly isToldFlat?: (key: PositionKey) => boolean;
  /** Contracts that somebody wants looked at since it was last asked. */
  readonly woken?: () => readonly Contract[];
  /** Told of every look, before anything is planned from it; of one look perhaps twice. */
  readonly onLook?: (picture: Picture, assessment: Assessment) => void;
  /** Told of every answer; `decidedFromMs`: when the look that the step was decided from was asked for. */
  readonly onAnswer?: (attempt: Attempt, decidedFromMs: number) => void;
  /**
   * Awaited before the pass ends whose result is a report, which speaks of that moment: what is older then is looked at
   * once more. Absent: others look on.
   */
  readonly beforeEnd?: () => Promise<void>;
  /** True: another pass waits that matters more than looking on; the book keeps what no look has judged yet. */
  readonly isOverdue?: () => boolean;
  /** True: the program ends; what is on the wire is awaited, and nothing more is sent or looked at. */
  readonly isStopping?: () => boolean;
}
