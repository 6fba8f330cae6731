/** The books as they stand, for who must not write: remembered things are known, and nothing is added to them. */
import { withIntents } from "../../intents/memory.js";
import { openShelf } from "../../intents/shelf.js";
import { ledgerMemory } from "../../ledger/ledger-memory.js";
import { inMemory, type Memory } from "../../ledger/memory.js";
import { LedgerError } from "../../ledger/port.js";
import { readLedger } from "../../ledger/reading.js";
import type { AccountBooks } from "../accounts.js";
import { type Log, systemClock } from "../../runtime/index.js";

/** Of the accounts named. Where there is no ledger, or it cannot be read, nothing is remembered; the latter is logged. */
export async function readBooks(url: string, accounts: readonly string[], log: Log): Promise<Memory> {
  try {
    return (await readMemory(url, accounts)) ?? inMemory();
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    log.warn({ code: "ledger-unreadable" }, `${error.message}; intents and what was learned are not known`);
    return inMemory();
  }
}

async function readMemory(url: string, accounts: readonly string[]): Promise<Memory | null> {
  const reader = await readLedger(url);
  if (reader === null) return null;
  try {
    const now = () => systemClock.now();
    const lives = ledgerMemory({
      ledger: {
        openLives: (account) => reader.openLives(account),
        saveLife: () => Promise.resolve(),
        writable: () => null,
      },
      now,
    });
    const shelf = openShelf({
      ledger: {
        intents: (filter) => reader.intents(filter),
        saveIntent: () => Promise.resolve(),
        bindIntent: () => Promise.resolve(true),
        endIntent: () => Promise.resolve(true),
      },
      now,
      isOver: (account, lifeId) => lives.isOver(account, lifeId),
      tell: () => undefined,
    });
    for (const account of accounts) {
      await lives.load(account);
      const unread = lives.writable();
      if (unread !== null) throw new LedgerError("damaged", unread);
      await shelf.refresh(account);
    }
    return withIntents(lives, shelf);
  } finally {
    await reader.close();
  }
}

/** For a pass that is handed no writer: there is nothing to hold back. */
export function readOnlyBooks(memory: Memory, frozen: string | null = null): AccountBooks {
  return { memory, frozen, trouble: () => null };
}
