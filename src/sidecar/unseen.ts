/** Tells of rows that cannot be read: each when it is first found, and again and again for as long as it lasts. */
import type { Unseen } from "../assess/assess.js";
import { isAbsentRow } from "../domain/vanished.js";
import type { UnreadablePosition } from "../domain/position.js";
import type { Tell } from "./event.js";

const TELL_AGAIN_MS = 60_000;
/** A position that a read does not show any more has closed as a rule, which a few more looks prove. */
const ABSENT_FOR_MS = 5_000;

interface Known {
  readonly sinceMs: number;
  /** Null: not told yet. */
  readonly toldAtMs: number | null;
}

export class UnseenRows {
  readonly #tell: Tell;
  readonly #waitMs: (row: UnreadablePosition) => number;
  #known: ReadonlyMap<string, Known> = new Map();

  /** `waitMs`: how long a row may last before it is told. */
  constructor(tell: Tell, waitMs = (row: UnreadablePosition): number => (isAbsentRow(row) ? ABSENT_FOR_MS : 0)) {
    this.#tell = tell;
    this.#waitMs = waitMs;
  }

  looked(unseen: readonly Unseen[], nowMs: number): void {
    const known = new Map<string, Known>();
    for (const { row, findings } of unseen) {
      const name = JSON.stringify([row.category, row.symbol, row.positionIdx, row.side]);
      if (known.has(name)) continue;
      const { sinceMs = nowMs, toldAtMs = null } = this.#known.get(name) ?? {};
      const isDue = toldAtMs === null ? nowMs - sinceMs >= this.#waitMs(row) : nowMs - toldAtMs >= TELL_AGAIN_MS;
      if (isDue) for (const finding of findings) this.#tell({ kind: "finding", place: row, finding });
      known.set(name, { sinceMs, toldAtMs: isDue ? nowMs : toldAtMs });
    }
    this.#known = known;
  }
}
