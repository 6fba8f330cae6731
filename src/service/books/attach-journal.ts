/** Writes the exits of an entry order down before they are sent, and what became of them. */
import type { NewEntry } from "../../ledger/port.js";
import type { AmendOrder } from "../../plan/attach.js";
import type { AttachEvent } from "../../sidecar/attach-book.js";
import { type JournalParts, UNWRITTEN } from "./journal.js";
import { amendFacts, keyFacts } from "./step-facts.js";

export interface AttachJournal {
  /** Durable when it resolves, or it could not be written; never rejects. */
  intended(step: AmendOrder): Promise<void>;
  /** Why these exits, which were to be written down, are not safe yet; null: they are. */
  unwritten(step: AmendOrder): string | null;
  judged(event: AttachEvent): void;
}

export function openAttachJournal({ writing, policyOf }: Pick<JournalParts, "writing" | "policyOf">): AttachJournal {
  /** By order, each of which is tried once. */
  const intended = new Map<string, number>();

  function entry(kind: NewEntry["kind"], step: AmendOrder, more: Readonly<Record<string, string | number>>): NewEntry {
    return { kind, ...keyFacts(step.key), side: step.side, body: { ...amendFacts(step), ...more } };
  }

  return {
    intended: async (step) => {
      const by = `config: ${policyOf(step.key, step.side).rule}`;
      await writing.append(
        () => entry("step-intended", step, { by }),
        (id) => void intended.set(step.orderId, id),
      );
    },
    unwritten: ({ orderId }) => (intended.has(orderId) ? null : UNWRITTEN),
    judged: ({ step, outcome, detail }) => {
      if (outcome === "sent") return;
      writing.note(() => {
        const id = intended.get(step.orderId);
        // What is uncertain may be confirmed by a later look.
        if (outcome !== "uncertain") intended.delete(step.orderId);
        const told = { outcome, ...(detail === null ? {} : { detail }), ...(id === undefined ? {} : { intended: id }) };
        return entry("step-judged", step, told);
      });
    },
  };
}
