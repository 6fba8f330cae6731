/** Reading a ledger without becoming part of it: beside its writer, and where nothing may be written. */
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { sql } from "kysely";
import Libsql from "libsql";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, onTestFinished, type TestContext, test } from "vitest";
import { openPostgresToRead } from "../../src/ledger/postgres.js";
import { type LedgerReader, readLedger } from "../../src/ledger/reading.js";
import { openSqliteToRead } from "../../src/ledger/sqlite-reading.js";
import { findPostgres, PASSWORD, type Postgres, startPostgres } from "./postgres.js";
import { child, fileUrl, folder, intent, KEY, NOW_MS, opened } from "./stage.js";

const installed = findPostgres();
const missing = "missing" in installed ? installed.missing : null;
let postgres: Postgres | null = null;

beforeAll(async () => {
  if ("bin" in installed) postgres = await startPostgres(installed.bin);
});
afterAll(() => postgres?.stop());

function postgresUrl(): Promise<string> {
  return postgres === null ? Promise.reject(new Error("PostgreSQL was not started")) : postgres.newUrl();
}

const fileOf = (url: string) => url.slice("file:".length);

async function reader(url: string): Promise<LedgerReader> {
  const found = await readLedger(url);
  if (found === null) throw new Error("there is no ledger");
  onTestFinished(() => found.close());
  return found;
}

async function bodies(from: LedgerReader): Promise<readonly unknown[]> {
  return (await from.history({ limit: 9 })).map(({ body }) => body);
}

const VENUES = [
  { name: "SQLite", newUrl: fileUrl, openToRead: (url: string) => openSqliteToRead(fileOf(url)), absent: null },
  { name: "PostgreSQL", newUrl: postgresUrl, openToRead: openPostgresToRead, absent: missing },
] as const;

for (const { name, newUrl, openToRead, absent } of VENUES) {
  const skipped = absent === null ? "" : ` (skipped: ${absent})`;
  describe.skipIf(absent !== null)(`a ledger on ${name} can be read${skipped}`, () => {
    test("while another process holds the writer's lock, and shows what is written as it comes", async () => {
      const url = await newUrl();
      const holder = child("hold", url);
      expect(await holder.line(0)).toBe("held");
      const { ledger } = await opened(url);
      await ledger.append({ kind: "step-intended", ...KEY, side: "long", lifeId: "life-1", body: { stopLoss: "98" } });
      const found = await reader(url);
      expect(found.isSnapshot).toBe(false);
      expect(await found.history({ limit: 9 })).toMatchObject([
        { atMs: NOW_MS, kind: "step-intended", ...KEY, side: "long", lifeId: "life-1", body: { stopLoss: "98" } },
      ]);
      await ledger.append({ kind: "finding", body: "later" });
      expect(await bodies(found)).toEqual(["later", { stopLoss: "98" }]);
    });

    test("only, whoever tries to write through it", async () => {
      const url = await newUrl();
      await (await opened(url)).ledger.append({ kind: "finding", body: 1 });
      const engine = await openToRead(url);
      if (engine === null) throw new Error("there is no ledger");
      onTestFinished(() => engine.close());
      const written = engine.db.deleteFrom("entries").execute();
      await expect(written.catch((error: unknown) => Promise.reject(engine.explain(error)))).rejects.toMatchObject({
        trouble: "read-only",
      });
      expect(await bodies(await reader(url))).toEqual([1]);
    });

    test("with what was stored where an entry cannot be understood, and that hides no other", async () => {
      const url = await newUrl();
      const { ledger } = await opened(url);
      await ledger.append({ kind: "finding", body: "before" });
      const columns = "(at_ms, kind, account, category, symbol, position_idx, side, body)";
      await execute(
        url,
        `insert into entries ${columns} values (1, 'later-kind', 'main', 'option', 'X', 7, 'up', '{')`,
      );
      await ledger.append({ kind: "finding", body: "after" });
      const entries = await (await reader(url)).history({ limit: 9 });
      expect(entries.map(({ body }) => body)).toMatchObject(["after", { stored: "{", category: "option" }, "before"]);
      expect(entries[1]).toMatchObject({
        kind: "later-kind",
        account: "main",
        symbol: "X",
        category: null,
        side: null,
      });
    });

    test("unless it is newer, which is refused", async () => {
      const url = await newUrl();
      await opened(url);
      await execute(url, "update schema_version set version = 99");
      await expect(readLedger(url)).rejects.toMatchObject({ name: "LedgerError", trouble: "newer" });
    });

    test("where an older version has written it, as it stands, until it is brought up to date with all that is in it", async () => {
      const url = await newUrl();
      const { ledger } = await opened(url);
      await ledger.saveIntent(intent());
      await execute(url, "drop index entries_by_life");
      await execute(url, "alter table intents drop column set_for");
      await execute(url, "update schema_version set version = 1");
      const older = [intent({ setFor: null })];
      expect(await (await reader(url)).intents({})).toEqual(older);
      const { ledger: brought } = await opened(url);
      expect(await brought.intents({})).toEqual(older);
      await brought.saveIntent(intent());
      expect(await (await reader(url)).intents({})).toEqual([intent()]);
    });

    test("with the pages and filters of every ledger", async () => {
      const url = await newUrl();
      const { ledger } = await opened(url);
      for (let turn = 0; turn < 3; turn += 1) await ledger.append({ kind: "finding", account: "main", body: turn });
      const found = await reader(url);
      const [newest] = await found.history({ limit: 1, account: "main", kinds: ["finding"] });
      expect(newest?.body).toBe(2);
      expect(await found.history({ limit: 9, beforeId: newest?.id ?? 0 })).toHaveLength(2);
      expect(await found.history({ limit: 9, account: "other" })).toEqual([]);
    });
  });
}

/** By hand, past everything that the program checks. */
async function execute(url: string, statement: string): Promise<void> {
  if (url.startsWith("file:")) {
    const database = new Libsql(fileOf(url));
    database.exec(statement);
    database.close();
    return;
  }
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query("set search_path to backstop");
  await client.query(statement);
  await client.end();
}

describe("where there is no ledger none is begun", () => {
  test("no file and no folder", async () => {
    const url = fileUrl();
    expect(await readLedger(url)).toBeNull();
    expect(existsSync(dirname(fileOf(url)))).toBe(false);
  });

  test("nor are tables, in a file that has none", async () => {
    const file = join(folder(), "backstop.db");
    writeFileSync(file, "");
    expect(await readLedger(`file:${file}`)).toBeNull();
  });

  test.skipIf(missing !== null)("nor a schema, on a server", async () => {
    const url = await postgresUrl();
    expect(await readLedger(url)).toBeNull();
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const { rows } = await client.query("select 1 from pg_namespace where nspname = 'backstop'");
    await client.end();
    expect(rows).toEqual([]);
  });

  test("and what is no ledger is refused by its name", async () => {
    const file = join(folder(), "backstop.db");
    writeFileSync(file, "no database\n".repeat(1_000));
    const refused = readLedger(`file:${file}`);
    await expect(refused).rejects.toMatchObject({ name: "LedgerError", trouble: "damaged" });
    await expect(refused).rejects.toThrow(file);
    await expect(readLedger(`file:${folder()}`)).rejects.toMatchObject({ name: "LedgerError" });
    await expect(readLedger("mysql://somewhere/x")).rejects.toMatchObject({ trouble: "value" });
  });
});

/** Where this user can write nothing; null: such a place cannot be made here. */
function madeReadOnly(path: string): string | null {
  if (process.getuid?.() !== 0) {
    for (const name of readdirSync(path)) chmodSync(join(path, name), 0o444);
    chmodSync(path, 0o555);
    onTestFinished(() => chmodSync(path, 0o755));
    return path;
  }
  const seen = folder();
  try {
    execFileSync("mount", ["--bind", path, seen], { stdio: "ignore" });
    onTestFinished(() => void execFileSync("umount", ["-l", seen]));
    execFileSync("mount", ["-o", "remount,bind,ro", seen], { stdio: "ignore" });
    return seen;
  } catch {
    return null;
  }
}

describe("where nothing may be written", () => {
  /** A ledger's files, of those that are named, as another user left them. */
  async function left(context: TestContext, names: readonly string[]): Promise<string> {
    const url = fileUrl();
    const { ledger } = await opened(url);
    await ledger.append({ kind: "finding", body: "first" });
    if (!names.includes("backstop.db-wal")) await ledger.close();
    const copy = folder();
    for (const name of names) copyFileSync(join(dirname(fileOf(url)), name), join(copy, name));
    const place = madeReadOnly(copy);
    if (place === null) return context.skip("a read-only folder cannot be made here");
    return `file:${join(place, "backstop.db")}`;
  }

  test("a ledger that nobody has open is read as it stands, and says that it is no more than that", async (context) => {
    const found = await reader(await left(context, ["backstop.db"]));
    expect(found.isSnapshot).toBe(true);
    expect(await bodies(found)).toEqual(["first"]);
  });

  test("one whose newest entries stand in the log beside it is refused, rather than read without them", async (context) => {
    const refused = readLedger(await left(context, ["backstop.db", "backstop.db-wal"]));
    await expect(refused).rejects.toMatchObject({ name: "LedgerError", trouble: "read-only" });
    await expect(refused).rejects.toThrow(/what was written last stands in .*-wal/);
  });

  test("one whose writer is at work is read as it grows", async (context) => {
    const url = fileUrl();
    const { ledger } = await opened(url);
    const writable = dirname(fileOf(url));
    if (process.getuid?.() !== 0) return context.skip("a second, read-only view of a folder is made by root");
    const place = madeReadOnly(writable);
    if (place === null) return context.skip("a read-only folder cannot be made here");
    const found = await reader(`file:${join(place, "backstop.db")}`);
    await ledger.append({ kind: "finding", body: "later" });
    expect(await bodies(found)).toEqual(["later"]);
  });
});

test("a name that means something in an address is a name all the same", async () => {
  const url = `file:${join(folder(), "ä ?mode=rwc#%20", "led ger?.db")}`;
  const { ledger } = await opened(url);
  await ledger.append({ kind: "finding", body: "found" });
  expect(await bodies(await reader(url))).toEqual(["found"]);
});

describe.skipIf(missing !== null)("on a server", () => {
  test("a user with the right to select is enough, and its password shows in no refusal", async () => {
    const url = await postgresUrl();
    const { ledger } = await opened(url);
    await ledger.append({ kind: "finding", body: "seen" });
    const role = `reader_${new URL(url).pathname.slice(1)}`;
    await execute(url, `create role ${role} login password '${PASSWORD}'`);
    const own = new URL(url);
    own.username = role;
    await expect(readLedger(own.href)).rejects.toMatchObject({ trouble: "refused" });
    await expect(readLedger(own.href)).rejects.not.toThrow(PASSWORD);
    await execute(url, `grant usage on schema backstop to ${role}`);
    await execute(url, `grant select on backstop.entries, backstop.schema_version to ${role}`);
    expect(await bodies(await reader(own.href))).toEqual(["seen"]);
  });
});

test("reading leaves the version and the tables as they are", async () => {
  const url = fileUrl();
  await (await opened(url)).ledger.append({ kind: "finding", body: null });
  const engine = await openSqliteToRead(fileOf(url));
  onTestFinished(() => void engine?.close());
  await expect(sql.raw("create table mine (x text)").execute(engine?.db as never)).rejects.toThrow(/readonly/);
});
