/** Reads a ledger's history without becoming part of it: beside a writer, and where nothing may be written. */
import type { ReadingEngine } from "./engine.js";
import { LedgerError } from "./error.js";
import type { Entry, Ledger } from "./port.js";
import { intentRows } from "./intent-store.js";
import { toEntry, toIntent } from "./rows.js";
import { isThere } from "./sqlite-file.js";
import { entryPage, openLivesIn } from "./store.js";
import type { EntryRow } from "./tables.js";

export interface LedgerReader extends Pick<Ledger, "history" | "openLives" | "intents" | "close"> {
  /** True: it shows what stood when it was opened, and never what is written later. */
  readonly isSnapshot: boolean;
}

/**
 * An older ledger is read as it stands. An entry that cannot be read is shown with what was stored, and hides no other.
 * @returns null where no ledger was ever begun; none is begun here
 * @throws LedgerError when it cannot be reached or read, or is newer than this program
 */
export async function readLedger(url: string): Promise<LedgerReader | null> {
  const engine = await engineFor(url);
  if (engine === null) return null;
  const { db, explain, isSnapshot, close } = engine;
  const read = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw error instanceof LedgerError ? error : explain(error);
    }
  };
  return {
    isSnapshot,
    history: (filter) => read(async () => (await entryPage(db, filter)).map(entryOf)),
    openLives: (account, parts) => read(() => openLivesIn(db, account, parts)),
    intents: (filter) => read(async () => (await intentRows(db, filter)).map(toIntent)),
    close,
  };
}

async function engineFor(url: string): Promise<ReadingEngine | null> {
  if (url.startsWith("file:/")) {
    const file = url.slice("file:".length);
    if (!isThere(file)) return null;
    const { openSqliteToRead } = await import("./sqlite-reading.js");
    return openSqliteToRead(file);
  }
  if (/^postgres(?:ql)?:\/\//.test(url)) {
    const { openPostgresToRead } = await import("./postgres.js");
    return openPostgresToRead(url);
  }
  throw new LedgerError("value", "ledger.url must be file: with an absolute path, or postgres://…");
}

function entryOf(row: EntryRow): Entry {
  try {
    return toEntry(row);
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    const { id, at_ms: atMs, kind, account, symbol, life_id: lifeId } = row;
    const { category, position_idx: positionIdx, side } = row;
    const body = { unreadable: error.message, category, positionIdx, side, stored: row.body };
    return { id, atMs, kind, account, category: null, symbol, positionIdx: null, side: null, lifeId, body };
  }
}
