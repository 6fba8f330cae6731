/** What the checkers of a run share: whom they watch, what they have found, and what led there. */
import type { JournalView } from "../journal.js";
import type { Instance } from "../processes.js";
import type { ExchangeRecord } from "../record.js";

export interface Violation {
  /** The invariant that is broken: S1 to S17, L1, L2, L5, F46, LOST, TAKEOVER. */
  readonly check: string;
  readonly message: string;
  readonly atMs: number;
  /** The latest of the story, oldest first. */
  readonly before: readonly string[];
}

export interface Notes {
  readonly record: ExchangeRecord;
  readonly journal: JournalView;
  readonly startedAtMs: number;
  readonly violations: Violation[];
  readonly counts: Map<string, number>;
  broken(check: string, message: string): void;
  tell(line: string): void;
}

const MOST_FINDINGS = 30;
const LINES_BEFORE = 40;

export type NotesParts = Pick<Notes, "record" | "journal"> & {
  /** Everything, as it happens. */
  readonly tellAll?: ((line: string) => void) | undefined;
};

export function openNotes({ record, journal, tellAll }: NotesParts): Notes {
  const startedAtMs = record.now();
  const violations: Violation[] = [];
  let story: string[] = [];
  const tell = (words: string): void => {
    const line = `${((record.now() - startedAtMs) / 1_000).toFixed(3)} ${words}`;
    story.push(line);
    if (story.length > 4 * LINES_BEFORE) story = story.slice(-LINES_BEFORE);
    tellAll?.(line);
  };
  return {
    record,
    journal,
    startedAtMs,
    violations,
    counts: new Map(),
    tell,
    broken: (check, message) => {
      tell(`BROKEN ${check}: ${message}`);
      const atMs = record.now() - startedAtMs;
      if (violations.length < MOST_FINDINGS)
        violations.push({ check, message, atMs, before: story.slice(-LINES_BEFORE) });
    },
  };
}

export function count({ counts }: Pick<Notes, "counts">, name: string, by = 1): void {
  counts.set(name, (counts.get(name) ?? 0) + by);
}

const REMEMBERED_MS = 60_000;

/** How much later than others a process may do or say something, because it stood still lately. */
export function latenessMs({ pause }: Instance, nowMs: number): number {
  if (pause === null) return 0;
  const untilMs = pause.untilMs ?? nowMs;
  return nowMs - untilMs < REMEMBERED_MS ? untilMs - pause.fromMs : 0;
}
