/** What a process that stands by knows: lives and intents as the account's writer keeps them, read and never written. */
import { UNWRITTEN_LIFE } from "../../domain/life.js";
import { LedgerError } from "../../ledger/port.js";
import type { Memory } from "../../ledger/memory.js";
import type { Books } from "./books.js";
import { knownFrom } from "./reading.js";
import type { WriterTurn } from "./writer.js";

export interface StandbyBooks {
  /** Of the writer's books where this process stands by, else of its own. */
  readonly memory: Memory;
  /** Reads what has been written since; where that cannot be read, what was known stays. */
  refresh(): Promise<void>;
}

export function standbyBooks(
  account: string,
  { ledger, memory: own }: Pick<Books, "ledger" | "memory">,
  turn: Pick<WriterTurn, "frozen">,
): StandbyBooks {
  let known: Memory | null = null;
  const isStandingBy = () => turn.frozen() !== null;
  return {
    memory: {
      // What the writer has sent is for the writer to prove.
      recall: (position) =>
        known === null || !isStandingBy()
          ? own.recall(position)
          : { ...known.recall(position), unproven: UNWRITTEN_LIFE.unproven },
      remember: (position, change) => own.remember(position, change),
    },
    refresh: async () => {
      if (!isStandingBy() || ledger === null) return void (known = null);
      try {
        known = (await knownFrom(ledger.store, [account])).memory;
      } catch (error) {
        // That the ledger cannot be read is told where it hinders.
        if (!(error instanceof LedgerError)) throw error;
      }
    },
  };
}
