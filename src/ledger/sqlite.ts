/** The ledger in one SQLite file: private, and on the disk before a write resolves. */
import { accessSync, chmodSync, closeSync, constants, existsSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { Kysely, sql, SqliteDialect } from "kysely";
import Libsql from "libsql";
import { type Engine, withCodec } from "./engine.js";
import { codeOf, explainSqlite, LedgerError } from "./error.js";
import { giveToOwnerOf, makeFolder } from "./folder.js";
import { migrate } from "./migrate.js";
import { identityOf, lockSqlite } from "./sqlite-lock.js";
import type { Database, Tables } from "./tables.js";

/** How long a write waits for that of another process; meanwhile this process stands still. */
export const BUSY_TIMEOUT_MS = 2_000;

/** So long a statement waits for another process where whoever asked comes back himself. */
const SHORT_TIMEOUT_MS = 20;

/** `come-back`: once open, a statement that another process keeps waiting fails soon. @throws LedgerError */
export async function openSqlite(file: string, ifBusy: "stand-still" | "come-back" = "stand-still"): Promise<Engine> {
  const explain = explainSqlite(file);
  try {
    const database = privately(file, () => connect(file));
    const db: Database = new Kysely<Tables>({ dialect: withCodec(new SqliteDialect({ database })) });
    try {
      await migrate({ db, kind: "sqlite", begin: ["begin immediate"], hasVersion });
    } catch (error) {
      database.close();
      throw error;
    }
    if (ifBusy === "come-back") database.pragma(`busy_timeout = ${SHORT_TIMEOUT_MS}`);
    return {
      kind: "sqlite",
      db,
      explain,
      transact: oneAfterAnother(database),
      assertThere: watchIdentity(file),
      lock: (account) => Promise.resolve(lockSqlite(dirname(file), account)),
      close: () => close(db),
    };
  } catch (error) {
    throw explain(error);
  }
}

/**
 * The driver leaves a statement that met a busy file unfinished, and whatever is written after it is never committed,
 * without a word. So the file is asked for before anything is written, by a statement that holds nothing.
 */
function oneAfterAnother(database: Libsql.Database): NonNullable<Engine["transact"]> {
  let last: Promise<unknown> = Promise.resolve();

  async function whole<T>(write: () => Promise<T>): Promise<T> {
    database.exec("begin immediate");
    try {
      const result = await write();
      database.exec("commit");
      return result;
    } catch (error) {
      if (database.inTransaction) database.exec("rollback");
      throw error;
    }
  }

  return (write) => {
    const turn = last.then(() => whole(write));
    last = turn.catch(() => undefined);
    return turn;
  };
}

/** A file that was removed or replaced goes on taking writes that nobody will ever find. */
function watchIdentity(file: string): () => void {
  const opened = identityOf(file);
  return () => {
    if (identityOf(file) === opened) return;
    throw new LedgerError(
      "other",
      `the ledger ${file} was removed or replaced while it was open; start this program anew`,
    );
  };
}

function connect(file: string): Libsql.Database {
  const database = new Libsql(file);
  database.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`);
  turnOnWal(database);
  // The log is synced at every commit, and not only when it is folded into the file.
  database.pragma("synchronous = FULL");
  // A temporary file would land in a folder that others can look into.
  database.pragma("temp_store = MEMORY");
  return database;
}

const TRIES = 20;

/** Processes that start at once get into each other's way here, and SQLite does not wait: it is asked again. */
function turnOnWal(database: Libsql.Database): void {
  for (let tries = 1; ; tries += 1) {
    try {
      database.pragma("journal_mode = WAL");
      return;
    } catch (error) {
      if (!codeOf(error).startsWith("SQLITE_BUSY") || tries === TRIES) throw error;
      // This one does wait, for as long as the busy timeout says.
      database.exec("begin immediate; rollback");
    }
  }
}

export async function hasVersion(db: Database): Promise<boolean> {
  const found = await sql<{ name: string }>`select name from sqlite_master where name = 'schema_version'`.execute(db);
  return found.rows.length > 0;
}

async function close(db: Database): Promise<void> {
  // What is in the log is safe already; folded into the file, one file is the whole ledger for whoever copies it.
  await sql
    .raw("pragma wal_checkpoint(TRUNCATE)")
    .execute(db)
    .catch(() => undefined);
  await db.destroy();
}

/**
 * The native library makes what lies beside a file as the file is. The file itself is made here: a thread may not change
 * the umask, by which the library would make it.
 * @throws what making the folder or the file throws
 */
export function privately<T>(file: string, open: () => T): T {
  const folder = dirname(file);
  const made = makeFolder(folder);
  const isNew = !existsSync(file);
  // SQLite only says that it cannot open the file; the system says why.
  accessSync(isNew ? folder : file, constants.R_OK | constants.W_OK);
  if (isNew) closeSync(openSync(file, "a", 0o600));
  else if ((statSync(file).mode & 0o077) !== 0) chmodSync(file, 0o600);
  const opened = open();
  const files = isNew ? [file, `${file}-wal`, `${file}-shm`] : [];
  giveToOwnerOf(dirname(made[0] ?? file), [...made, ...files]);
  return opened;
}
