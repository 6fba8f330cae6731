/** The books as they stand, for who must not write: remembered things are known, and nothing is added to them. */
import { withIntents } from "../../intents/memory.js";
import { openShelf, type Shelf } from "../../intents/shelf.js";
import { ledgerMemory } from "../../ledger/ledger-memory.js";
import { inMemory, type Memory } from "../../ledger/memory.js";
import { type Ledger, LedgerError } from "../../ledger/port.js";
import { readLedger } from "../../ledger/reading.js";
import type { AccountBooks } from "../accounts.js";
import { type Log, systemClock } from "../../runtime/index.js";

/** Of the accounts named. Where there is no ledger, or it cannot be read, nothing is remembered; the latter is logged. */
export async function readBooks(url: string, accounts: readonly string[], log: Log): Promise<Memory> {
  return (await readKnown(url, accounts, log)).memory;
}

export interface Known {
  readonly memory: Memory;
  /** The intents of the place that are pending or bound. */
  readonly intentsAt: Shelf["at"];
}

/** The same, with the intents that wait. */
export async function readKnown(url: string, accounts: readonly string[], log: Log): Promise<Known> {
  const nothing: Known = { memory: inMemory(), intentsAt: () => [] };
  try {
    return (await read(url, accounts)) ?? nothing;
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    log.warn({ code: "ledger-unreadable" }, `${error.message}; intents and what was learned are not known`);
    return nothing;
  }
}

async function read(url: string, accounts: readonly string[]): Promise<Known | null> {
  const reader = await readLedger(url);
  if (reader === null) return null;
  try {
    return await knownFrom(reader, accounts);
  } finally {
    await reader.close();
  }
}

/** As the ledger holds it at this moment; what becomes of it here is written nowhere. @throws LedgerError */
export async function knownFrom(
  ledger: Pick<Ledger, "openLives" | "intents">,
  accounts: readonly string[],
): Promise<Known> {
  const now = () => systemClock.now();
  const lives = ledgerMemory({
    ledger: {
      openLives: (account) => ledger.openLives(account),
      saveLife: () => Promise.resolve(),
      writable: () => null,
    },
    now,
  });
  const shelf = openShelf({
    ledger: {
      intents: (filter) => ledger.intents(filter),
      saveIntent: () => Promise.resolve(true),
      bindIntent: () => Promise.resolve(true),
      endIntent: () => Promise.resolve(true),
    },
    now,
    mayBind: () => true,
    isOver: (account, lifeId) => lives.isOver(account, lifeId),
    tell: () => undefined,
  });
  for (const account of accounts) {
    await lives.load(account);
    const unread = lives.writable();
    if (unread !== null) throw new LedgerError("damaged", unread);
    await shelf.refresh(account);
  }
  return { memory: withIntents(lives, shelf), intentsAt: (key) => shelf.at(key) };
}

/** For a pass that is handed no writer: there is nothing to hold back. */
export function readOnlyBooks(memory: Memory, frozen: string | null = null): AccountBooks {
  return { memory, frozen, trouble: () => null };
}
