/** One writer per account, on one machine: a lock of the operating system, gone in the moment its process is. */
import { statSync } from "node:fs";
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
    return hold(database) ? lockOf(account, file, database) : null;
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

function lockOf(account: string, file: string, database: Libsql.Database): WriterLock {
  const held = identityOf(file);
  let isReleased = false;
  let lose: (reason: string) => void = () => undefined;
  const lost = new Promise<string>((resolve) => {
    lose = resolve;
  });
  return {
    account,
    lost,
    isHeld: () => {
      if (isReleased) return Promise.resolve(false);
      const isSame = held !== null && identityOf(file) === held;
      // The system keeps the lock on the file that was removed; the next process would make and lock a new one.
      if (!isSame) lose(`${file} was removed or replaced, so another process may believe to be the writer`);
      if (!database.inTransaction) lose(`the lock on ${file} is not held any more`);
      return Promise.resolve(isSame && database.inTransaction);
    },
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

/** Looked at by its name, and never opened: closing it would let go of the lock. Null: it is not there. */
export function identityOf(file: string): string | null {
  const facts = statSync(file, { bigint: true, throwIfNoEntry: false });
  return facts === undefined ? null : `${facts.dev}/${facts.ino}`;
}
