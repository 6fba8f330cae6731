/** What a process that stands by knows: lives and intents as the account's writer keeps them, read and never written. */
import type { LifeRecord } from "../../domain/life.js";
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
  const current = () => (known === null || !isStandingBy() ? own : known);
  return {
    memory: {
      recall: (position) => current().recall(position),
      openContracts: (name) => current().openContracts(name),
      remember: (position, change) => {
        if (known === null || !isStandingBy()) return own.remember(position, change);
        known.remember(position, change);
        const lasting = lastingOf(change);
        if (Object.keys(lasting).length > 0) own.remember(position, lasting);
      },
    },
    refresh: async () => {
      if (!isStandingBy() || ledger === null) return void (known = null);
      try {
        // What the writer has sent is for the writer to prove.
        const { store } = ledger;
        const lives = (name: string) => store.openLives(name, { unproven: false });
        known = (await knownFrom({ openLives: lives, intents: (filter) => store.intents(filter) }, [account])).memory;
      } catch (error) {
        // That the ledger cannot be read is told where it hinders.
        if (!(error instanceof LedgerError)) throw error;
      }
    },
  };
}

const LEVELS: readonly string[] = ["learned", "metStopIntent", "metTakeProfitIntent"] satisfies (keyof LifeRecord)[];

/** Levels come and go, and which stood last the writer's books say; what happens once is kept for the takeover. */
function lastingOf(change: Partial<LifeRecord>): Partial<LifeRecord> {
  return Object.fromEntries(Object.entries(change).filter(([name]) => !LEVELS.includes(name)));
}
