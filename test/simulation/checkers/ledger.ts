/** What the checkers remember of a run: each keeps its findings here, by the name of the invariant that is broken. */
import type { Decimal } from "../../../src/domain/decimal.js";
import type { Side } from "../../../src/domain/position.js";
import type { NewEntry } from "../../../src/ledger/port.js";
import type { Disk } from "../disk.js";
import type { Instance, Run, Sent } from "../run-parts.js";
import type { LegState } from "../venue.js";
import type { Check } from "./names.js";

export interface Violation {
  readonly check: Check;
  readonly message: string;
  /** On the engine's clock, milliseconds. */
  readonly atMs: number;
}

export interface Wished {
  readonly leg: string;
  readonly side: Side;
  readonly price: Decimal | null;
  readonly mayLoosenFrom: Decimal | null;
  readonly waivedUntilMs: number | null;
  readonly orderLinkId: string | null;
  /** The process knew of an open position of that side; otherwise the intent waits for one. */
  readonly isOpen: boolean;
  readonly atMs: number;
  /** The life of the leg that it may reach; null: none yet. */
  life?: number | null;
  /** The one that had ended just before: the process may not have known. */
  lifeBefore?: number | null;
}

/** A write of ours, and what is known of its fate. */
export interface Write {
  readonly sent: Sent;
  readonly leg: string;
  /** The life that was open when it left; null: the leg was flat. */
  readonly life: number | null;
  readonly stopLoss: Decimal | null;
  /** Null: not answered, or not in a way that can be read. */
  retCode: number | null;
  answeredAtMs: number | null;
}

/** What one process has been shown of a leg. */
export interface Knowledge {
  /** Requests of good answers that covered it, newest last. */
  readonly reads: { readonly askedMs: number; readonly atMs: number }[];
  pushedAtMs: number;
  /** The Full stop as it was shown last, and since when. */
  stop: { readonly price: string; readonly atMs: number } | null;
}

export interface Written {
  readonly atMs: number;
  readonly entry: NewEntry;
}

export interface Notes {
  readonly run: Run;
  readonly disk: Disk;
  readonly wishes: Wished[];
  /** By leg, newest last. */
  readonly writes: Map<string, Write[]>;
  readonly counts: Map<string, number>;
  /** By leg, when a step that puts a level back was written down, oldest first. */
  readonly restores: Map<string, number[]>;
  broken(check: Check, message: string): void;
  knowledge(instance: Instance, leg: string): Knowledge;
  written(instance: Instance): Written[];
  /** When a write to the ledger failed or was slow last. */
  journalTroubleMs: number;
  /** Whether the leg was in such a state at some time since then. */
  everSince(leg: string, sinceMs: number, holds: (state: LegState) => boolean): boolean;
}

const MOST_FINDINGS = 40;

export function openNotes(run: Run, disk: Disk): Notes & { readonly violations: Violation[] } {
  const violations: Violation[] = [];
  const knowledge = new Map<string, Knowledge>();
  const written = new Map<string, Written[]>();
  return {
    run,
    disk,
    violations,
    wishes: [],
    writes: new Map(),
    counts: new Map(),
    restores: new Map(),
    journalTroubleMs: Number.NEGATIVE_INFINITY,
    broken: (check, message) => {
      run.trace(`broken ${check} ${message}`);
      run.tell?.(`BROKEN ${check}: ${message}`);
      if (violations.length < MOST_FINDINGS) violations.push({ check, message, atMs: Math.round(run.time.elapsedMs) });
    },
    knowledge: ({ name }, leg) => {
      const id = `${name} ${leg}`;
      const known = knowledge.get(id) ?? { reads: [], pushedAtMs: Number.NEGATIVE_INFINITY, stop: null };
      knowledge.set(id, known);
      return known;
    },
    written: ({ name }) => {
      const known = written.get(name) ?? [];
      written.set(name, known);
      return known;
    },
    everSince: (leg, sinceMs, holds) => {
      const changes = run.venue.history.get(leg) ?? [];
      for (let index = changes.length - 1; index >= 0; index -= 1) {
        const change = changes[index];
        if (change === undefined) continue;
        if (holds(change.after)) return true;
        if (change.atMs < sinceMs) return false;
      }
      return false;
    },
  };
}

export function count({ counts }: Notes, name: string, by = 1): void {
  counts.set(name, (counts.get(name) ?? 0) + by);
}
