/** Writes each step down before it is sent, after it is answered, and when a read has judged it. */
import { keyText, type Position, type PositionKey, type Side } from "../../domain/position.js";
import type { LedgerMemory } from "../../ledger/ledger-memory.js";
import type { Memory } from "../../ledger/memory.js";
import type { NewEntry } from "../../ledger/port.js";
import type { Journal } from "../../pass/options.js";
import type { Step } from "../../plan/step.js";
import type { ResolvedPolicy } from "../../policy/resolve.js";
import type { StepRecord } from "../../verify/book.js";
import { deedFacts, keyFacts, wishText } from "./step-facts.js";

export interface JournalParts {
  /** The entry's number; null: it could not be written. Never rejects. */
  readonly append: (entry: NewEntry) => Promise<number | null>;
  /** The same, where nobody waits for it. */
  readonly note: (entry: NewEntry) => void;
  readonly lives: Pick<LedgerMemory, "lifeOf">;
  readonly memory: Memory;
  readonly policyOf: (key: PositionKey, side: Side) => ResolvedPolicy;
}

export interface OpenJournal extends Journal {
  judged(record: StepRecord): void;
}

export function openJournal({ append, note, lives, memory, policyOf }: JournalParts): OpenJournal {
  /** The latest step that was written down for each position: a step may be sent with less than was intended. */
  const latest = new Map<string, Written>();
  const written = new WeakMap<Step, Written>();
  const told = new WeakSet<StepRecord>();

  const writtenOf = (step: Step) => written.get(step) ?? latest.get(keyText(step.key));

  function placed(step: Step, lifeId: string | undefined) {
    return { ...keyFacts(step.key), side: step.side, ...(lifeId === undefined ? {} : { lifeId }) };
  }

  return {
    intended: async (step, position: Position) => {
      const { id: lifeId } = lives.lifeOf(position);
      const by = wishText(step, memory.recall(position), policyOf(step.key, step.side).rule);
      const body = { ...deedFacts(step), by };
      const id = await append({ kind: "step-intended", ...placed(step, lifeId), body });
      const facts = { id, lifeId };
      written.set(step, facts);
      latest.set(keyText(step.key), facts);
    },
    answered: ({ step, answer }) => {
      const known = writtenOf(step);
      if (known !== undefined) written.set(step, known);
      const detail = answer.kind === "acknowledged" ? {} : { detail: answer.detail };
      const body = { ...deedFacts(step), ...reference(known), answer: answer.kind, ...detail };
      note({ kind: "step-answered", ...placed(step, known?.lifeId), body });
    },
    judged: (record) => {
      if (told.has(record)) return;
      told.add(record);
      const { step, outcome, detail } = record;
      const known = writtenOf(step);
      const body = { ...deedFacts(step), ...reference(known), outcome, ...(detail === null ? {} : { detail }) };
      note({ kind: "step-judged", ...placed(step, known?.lifeId), body });
    },
  };
}

interface Written {
  readonly id: number | null;
  readonly lifeId: string;
}

function reference(known: Written | undefined): { readonly intended?: number } {
  return known?.id == null ? {} : { intended: known.id };
}
