/** The ledger's file opened for reading only: nothing is made, migrated or given another owner. */
import { statSync } from "node:fs";
import { Kysely, SqliteDialect } from "kysely";
import Libsql from "libsql";
import { type ReadingEngine, withCodec } from "./engine.js";
import { codeOf, explainSqlite, LedgerError } from "./error.js";
import { versionOf } from "./migrate.js";
import { BUSY_TIMEOUT_MS, hasVersion } from "./sqlite.js";
import type { Database, Tables } from "./tables.js";

/**
 * Beside a writer, of this user or another, it sees what is written as it comes.
 * @returns null where the file has no tables
 * @throws LedgerError
 */
export async function openSqliteToRead(file: string): Promise<ReadingEngine | null> {
  const explain = explainSqlite(file);
  try {
    return await opened(file, "mode=ro");
  } catch (error) {
    if (!lacksSharedMemory(error)) throw explain(error);
    refuseUnfolded(file);
  }
  // Nobody has it open, and this user could not either if SQLite insisted on its two files beside it.
  return opened(file, "mode=ro&immutable=1").catch((error: unknown) => {
    throw explain(error);
  });
}

async function opened(file: string, query: string): Promise<ReadingEngine | null> {
  const database = new Libsql(`${fileUri(file)}?${query}`);
  const db: Database = new Kysely<Tables>({ dialect: withCodec(new SqliteDialect({ database })) });
  try {
    database.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`);
    const explain = explainSqlite(file);
    if ((await versionOf({ hasVersion }, db)) > 0)
      return { db, explain, isSnapshot: query.includes("immutable"), close: () => db.destroy() };
  } catch (error) {
    await db.destroy();
    throw error;
  }
  await db.destroy();
  return null;
}

/** libsql opens for writing whatever it is asked for; SQLite itself obeys what stands in the address (sqlite.org/uri.html). */
function fileUri(file: string): string {
  return `file:${file.split("/").map(encodeURIComponent).join("/")}`;
}

const READONLY = 8;
const CANTOPEN = 14;

/** So it is where the folder cannot be written and no writer has left its files there (sqlite.org/wal.html#readonly). */
function lacksSharedMemory(error: unknown): boolean {
  const code = codeOf(error);
  // libsql has no name for some of the finer codes; their lowest byte is the plain one (sqlite.org/rescode.html).
  const unnamed = Number(/^UNKNOWN_SQLITE_ERROR_(\d+)$/.exec(code)?.[1] ?? 0) % 256;
  return /^SQLITE_(?:CANTOPEN|READONLY)/.test(code) || unnamed === READONLY || unnamed === CANTOPEN;
}

/** What was written last stands in the log only; without it the newest entries would be missing without a word. */
function refuseUnfolded(file: string): void {
  const log = statSync(`${file}-wal`, { throwIfNoEntry: false });
  if (log === undefined || log.size === 0) return;
  const cure = `read it where the folder can be written, or copy it together with ${file}-wal`;
  throw new LedgerError("read-only", `the ledger ${file}: what was written last stands in ${file}-wal; ${cure}`);
}
