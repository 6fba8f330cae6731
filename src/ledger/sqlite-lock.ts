/** One writer per account, on one machine: a lock of the operating system, gone in the moment its process is. */
import { join } from "node:path";
import Libsql from "libsql";
import { codeOf, explainSqlite, LedgerError } from "./error.js";
import type { WriterLock } from "./port.js";
import { privately } from "./sqlite.js";

const NAME = /^[a-z0-9-]{1,32}$/;

/**
 * An empty database beside the ledger, with a transaction that never ends: SQLite holds it by a lock on the file that
 * the system takes back when the process ends, however it ends. Nothing else in this process may open that file:
 * closing it would let go of the lock (POSIX).
 * @returns null where another connection holds it
 * @throws LedgerError
 */
export function lockSqlite(stateDir: string, account: string): WriterLock | null {
  if (!NAME.test(account)) throw new LedgerError("value", "this is no account's name, so it cannot be locked");
  const file = join(stateDir, "locks", `${account}.db`);
  try {
    const database = privately(file, () => new Libsql(file));
    return hold(database) ? lockOf(account, database) : null;
  } catch (error) {
    throw explainSqlite(file)(error);
  }
}

function hold(database: Libsql.Database): boolean {
  try {
    // Without a busy timeout: a standby asks again and again, and must not stand still while it does. Nothing is
    // ever written, so the journal in memory leaves nothing for the next holder to undo. And no statement is
    // prepared: libsql would keep the file open until that is collected.
    database.exec("pragma journal_mode = MEMORY; begin exclusive");
    return true;
  } catch (error) {
    database.close();
    if (codeOf(error).startsWith("SQLITE_BUSY")) return false;
    throw error;
  }
}

function lockOf(account: string, database: Libsql.Database): WriterLock {
  let isReleased = false;
  return {
    account,
    // The system takes it from a living process for no reason.
    lost: new Promise(() => undefined),
    isHeld: () => Promise.resolve(!isReleased && database.inTransaction),
    release: () => {
      if (isReleased) return Promise.resolve();
      isReleased = true;
      try {
        database.exec("rollback");
      } catch {
        // Closing lets go of it as well.
      }
      database.close();
      return Promise.resolve();
    },
  };
}
