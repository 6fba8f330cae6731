/** Brings the tables to the version that this program knows, whole or not at all. */
import { type Kysely, sql } from "kysely";
import { LedgerError } from "./error.js";
import { MIGRATIONS, type Migration } from "./migrations.js";
import type { Database, Tables } from "./tables.js";

/** How an engine begins a transaction in which it is alone with the tables. */
export interface Migrating {
  readonly db: Database;
  readonly kind: "sqlite" | "postgres";
  /** Statements that open the transaction and keep everybody else out of it. */
  readonly begin: readonly string[];
  /** Whether the table that holds the version is there. */
  readonly hasVersion: (db: Database) => Promise<boolean>;
}

/**
 * An up-to-date ledger is only read, so that looking into the history waits for nobody.
 * @throws LedgerError when a later version of this program has written it
 */
export async function migrate(it: Migrating, migrations: readonly Migration[] = MIGRATIONS): Promise<void> {
  if ((await versionOf(it, it.db, migrations.length)) === migrations.length) return;
  await it.db.connection().execute(async (connection) => {
    for (const statement of it.begin) await sql.raw(statement).execute(connection);
    try {
      // Once more: another process may have migrated it while this one waited.
      const version = await versionOf(it, connection, migrations.length);
      for (const migration of migrations.slice(version)) await migration(connection, it.kind);
      await setVersion(connection, migrations.length);
      await sql.raw("commit").execute(connection);
    } catch (error) {
      // Where the disk is full SQLite has rolled back by itself; that there is nothing left to undo is no news.
      await sql
        .raw("rollback")
        .execute(connection)
        .catch(() => undefined);
      throw error;
    }
  });
}

/**
 * 0: there are no tables of ours yet.
 * @throws LedgerError when it is later than `known`
 */
export async function versionOf(
  { hasVersion }: Pick<Migrating, "hasVersion">,
  db: Kysely<Tables>,
  known: number = MIGRATIONS.length,
): Promise<number> {
  if (!(await hasVersion(db))) return 0;
  const row = await db.selectFrom("schema_version").select("version").executeTakeFirst();
  const version = row?.version ?? 0;
  if (version <= known) return version;
  throw new LedgerError(
    "newer",
    `the ledger was written by a newer bybit-backstop (its tables are version ${version}, this program knows up to ` +
      `${known}); run that version, or name another ledger.url`,
  );
}

async function setVersion(db: Kysely<Tables>, version: number): Promise<void> {
  await db.deleteFrom("schema_version").execute();
  await db.insertInto("schema_version").values({ version }).execute();
}
