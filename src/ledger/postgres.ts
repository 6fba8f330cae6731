/** The ledger in PostgreSQL, for several machines: a few connections with deadlines, in a schema of our own. */
import { Kysely, PostgresDialect, sql } from "kysely";
import pg from "pg";
import { type Engine, type ReadingEngine, withCodec } from "./engine.js";
import { explainPostgres, LedgerError } from "./error.js";
import { migrate, versionOf } from "./migrate.js";
import { lockPostgres, lockNumber } from "./postgres-lock.js";
import type { Database, Tables } from "./tables.js";

/** Tables of ours never meet those of others in a shared database. */
const SCHEMA = "backstop";
const MOST_CONNECTIONS = 4;
const CONNECT_TIMEOUT_MS = 5_000;
/** The server gives up first: what it cancels surely did not happen, and the connection stays usable. */
const STATEMENT_TIMEOUT_MS = 4_000;
const QUERY_TIMEOUT_MS = 5_000;
/** A connection whose server has silently gone is not kept. */
const CONNECTION_LIFE_S = 60;

const INT8 = 20;

/** pg gives wide integers as text; ours are moments and numbers of entries, which a number holds exactly. */
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: "text" | "binary") =>
    oid === INT8 ? Number : pg.types.getTypeParser(oid, format),
};

/** @throws LedgerError */
export async function openPostgres(url: string): Promise<Engine> {
  const { db, explain, config } = connect(url, durable);
  try {
    const makesSchema = (await hasSchema(db)) ? [] : [`create schema if not exists "${SCHEMA}"`];
    const alone = `select pg_advisory_xact_lock(${lockNumber("migration")})`;
    await migrate({ db, kind: "postgres", begin: ["begin", alone, ...makesSchema], hasVersion });
  } catch (error) {
    await db.destroy().catch(() => undefined);
    throw explain(error);
  }
  return {
    kind: "postgres",
    db,
    explain,
    lock: (account) => lockPostgres(config, account),
    close: () => db.destroy(),
  };
}

/**
 * Makes, changes and migrates nothing: a user with the right to select is enough.
 * @returns null where no ledger was ever begun
 * @throws LedgerError
 */
export async function openPostgresToRead(url: string): Promise<ReadingEngine | null> {
  const { db, explain } = connect(url, onlyReading);
  try {
    const isBegun = (await hasSchema(db)) && (await versionOf({ hasVersion }, db)) > 0;
    if (isBegun) return { db, explain, isSnapshot: false, close: () => db.destroy() };
  } catch (error) {
    await db.destroy().catch(() => undefined);
    throw explain(error);
  }
  await db.destroy();
  return null;
}

/** `prepare` is done with each new connection. */
function connect(url: string, prepare: (client: pg.ClientBase) => unknown) {
  const { server, secrets } = partsOf(url);
  const config = configOf(url);
  const pool = new pg.Pool({
    ...config,
    max: MOST_CONNECTIONS,
    maxLifetimeSeconds: CONNECTION_LIFE_S,
    // The pool does wait for it; only its types do not say so.
    onConnect: prepare,
  });
  // A connection that dies while nobody uses it would otherwise end the process; the next query opens another.
  pool.on("error", () => undefined);
  const dialect = withCodec(new PostgresDialect({ pool }));
  const db: Database = new Kysely<Tables>({ dialect }).withSchema(SCHEMA);
  return { db, config, explain: explainPostgres(server, secrets) };
}

function configOf(url: string): pg.ClientConfig {
  return {
    connectionString: url,
    application_name: "bybit-backstop",
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    keepAlive: true,
    types,
  };
}

/** A server set to answer before it has synced would break the promise of `append`; stricter ones are left as they are. */
function durable(client: pg.ClientBase): unknown {
  return client.query(
    "select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'",
  );
}

/** By the server's own rule, so that no mistake of ours writes. */
function onlyReading(client: pg.ClientBase): unknown {
  return client.query("set default_transaction_read_only = on");
}

async function hasSchema(db: Database): Promise<boolean> {
  const found = await sql<{ there: string | null }>`select to_regnamespace(${SCHEMA})::text as there`.execute(db);
  return found.rows[0]?.there != null;
}

async function hasVersion(db: Database): Promise<boolean> {
  const name = `${SCHEMA}.schema_version`;
  const found = await sql<{ there: string | null }>`select to_regclass(${name})::text as there`.execute(db);
  return found.rows[0]?.there != null;
}

/** What may be told of a URL, and what never is. */
function partsOf(url: string): { readonly server: string; readonly secrets: readonly string[] } {
  // A socket's folder stands in `?host=`, which leaves an empty place that URL does not read.
  const whole = url.replace("@/", "@localhost/");
  if (!URL.canParse(whole)) throw new LedgerError("value", "ledger.url is no address of a PostgreSQL server");
  const { host, pathname, password, searchParams } = new URL(whole);
  const raw = [password, searchParams.get("password") ?? "", searchParams.get("sslpassword") ?? ""];
  const secrets = raw.flatMap((secret) => [secret, decoded(secret), encodeURIComponent(secret)]);
  return { server: `postgres://${host}${pathname}`, secrets: secrets.toSorted((one, two) => two.length - one.length) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
