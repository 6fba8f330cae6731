/** Writes each step down before it is sent, after it is answered, and when a read has judged it. */
import { keyText, type Position, type PositionKey, type Side } from "../../domain/position.js";
import type { LedgerMemory } from "../../ledger/ledger-memory.js";
import type { Memory } from "../../ledger/memory.js";
import type { Journal } from "../../pass/options.js";
import type { Step } from "../../plan/step.js";
import type { ResolvedPolicy } from "../../policy/resolve.js";
import type { StepRecord } from "../../verify/book.js";
import { deedFacts, foundFacts, keyFacts, wishText } from "./step-facts.js";
import type { Writing } from "./writing.js";

export interface JournalParts {
  readonly writing: Pick<Writing, "append" | "note">;
  readonly lives: Pick<LedgerMemory, "lifeOf">;
  readonly memory: Memory;
  readonly policyOf: (key: PositionKey, side: Side) => ResolvedPolicy;
}

export interface OpenJournal extends Journal {
  /** Why this step, which was to be written down, is not safe yet; null: it is, or was not to be yet. */
  unwritten(step: Step): string | null;
  judged(record: StepRecord): void;
}

export function openJournal({ writing, lives, memory, policyOf }: JournalParts): OpenJournal {
  /** The latest step that was written down for each position: a step may be sent with less than was intended. */
  const latest = new Map<string, Intended>();
  const intended = new WeakMap<Step, Intended>();
  const told = new WeakSet<StepRecord>();

  const intendedOf = (step: Step) => intended.get(step) ?? latest.get(keyText(step.key));

  function placedAt(step: Step, lifeId: string | undefined) {
    return { ...keyFacts(step.key), side: step.side, ...(lifeId === undefined ? {} : { lifeId }) };
  }

  return {
    intended: async (step, position: Position, decidedFrom) => {
      const { id: lifeId } = lives.lifeOf(position);
      const life = decidedFrom?.life ?? memory.recall(position);
      const by = wishText(step, life, (decidedFrom?.policy ?? policyOf(step.key, step.side)).rule);
      const facts: Intended = { id: null, lifeId };
      intended.set(step, facts);
      latest.set(keyText(step.key), facts);
      const entry = { kind: "step-intended", ...placedAt(step, lifeId), body: { ...deedFacts(step), by } } as const;
      await writing.append(
        () => entry,
        (id) => {
          facts.id = id;
        },
      );
    },
    unwritten: (step) => (intended.get(step)?.id === null ? UNWRITTEN : null),
    answered: ({ step, answer }) => {
      const known = intendedOf(step);
      if (known !== undefined) intended.set(step, known);
      const detail = answer.kind === "acknowledged" ? {} : { detail: answer.detail };
      writing.note(() => {
        const body = { ...deedFacts(step), ...reference(known), answer: answer.kind, ...detail };
        return { kind: "step-answered", ...placedAt(step, known?.lifeId), body };
      });
    },
    found: (steps, position) => {
      const { id: lifeId } = lives.lifeOf(position);
      const placed = { ...keyFacts(position.key), side: position.side, lifeId };
      for (const step of steps)
        writing.note(() => ({ kind: "step-judged", ...placed, body: { ...foundFacts(step), outcome: "confirmed" } }));
    },
    judged: (record) => {
      if (told.has(record)) return;
      told.add(record);
      const { step, outcome, detail } = record;
      const known = intendedOf(step);
      writing.note(() => {
        const body = { ...deedFacts(step), ...reference(known), outcome, ...(detail === null ? {} : { detail }) };
        return { kind: "step-judged", ...placedAt(step, known?.lifeId), body };
      });
    },
  };
}

/** Another entry may have been written since. */
export const UNWRITTEN = "the ledger has not taken the entry of this step";

interface Intended {
  /** Its number in the ledger; null until it is written. */
  id: number | null;
  readonly lifeId: string;
}

function reference(known: Intended | undefined): { readonly intended?: number } {
  return known?.id == null ? {} : { intended: known.id };
}
