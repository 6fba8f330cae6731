/** The ledger's file: who may read it, what a full or closed disk does to it, and which versions go together. */
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
  chownSync,
  rmSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import Libsql from "libsql";
import { describe, expect, onTestFinished, test } from "vitest";
import { sql } from "kysely";
import { LedgerError } from "../../src/ledger/error.js";
import { MIGRATIONS } from "../../src/ledger/migrations.js";
import { migrate } from "../../src/ledger/migrate.js";
import { openLedger } from "../../src/ledger/open.js";
import { openSqlite } from "../../src/ledger/sqlite.js";
import { fileUrl, folder, inThread, life, opened } from "./stage.js";

const fileOf = (url: string) => url.slice("file:".length);
const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);
const modesIn = (path: string) =>
  Object.fromEntries(readdirSync(path).map((name) => [name, modeOf(join(path, name))] as const));

describe("the file", () => {
  test("is for nobody else's eyes, nor is anything beside it, whatever the process's mask", async () => {
    const mask = process.umask(0o000);
    onTestFinished(() => void process.umask(mask));
    const url = fileUrl();
    const { ledger } = await opened(url);
    await ledger.append({ kind: "finding", body: null });
    const lock = await ledger.lock("main");
    const stateDir = dirname(fileOf(url));
    expect(modeOf(stateDir)).toBe("700");
    expect(modesIn(stateDir)).toEqual({
      "backstop.db": "600",
      "backstop.db-wal": "600",
      "backstop.db-shm": "600",
      locks: "700",
    });
    expect(modesIn(join(stateDir, "locks"))).toEqual({ "main.db": "600" });
    expect(process.umask()).toBe(0o000);
    await lock?.release();
  });

  test("can be opened and written in a thread, where nobody may change the mask", async () => {
    const url = fileUrl();
    const thread = inThread("look", url);
    expect(await text(thread.stdout)).toBe("done\n");
    expect(modesIn(dirname(fileOf(url)))).toEqual({ "backstop.db": "600" });
  });

  test.skipIf(process.getuid?.() !== 0)("belongs, if root makes it, to whose folder it is in", async () => {
    const service = { uid: 65_534, gid: 65_534 };
    const home = folder();
    chownSync(home, service.uid, service.gid);
    const file = join(home, "lib", "state", "backstop.db");
    const { ledger } = await opened(`file:${file}`);
    const lock = await ledger.lock("main");
    const made = ["lib", "lib/state", "lib/state/backstop.db", "lib/state/locks", "lib/state/locks/main.db"];
    for (const path of made) expect(statSync(join(home, path))).toMatchObject(service);
    await lock?.release();
  });

  test("that was open to others is closed to them", async () => {
    const url = fileUrl();
    await (await opened(url)).ledger.close();
    chmodSync(fileOf(url), 0o644);
    await opened(url);
    expect(modeOf(fileOf(url))).toBe("600");
  });

  test("is one whole file after a clean end, and syncs at every commit while it is open", async () => {
    const url = fileUrl();
    const { ledger } = await opened(url);
    await ledger.append({ kind: "finding", body: { canary: 1 } });
    await ledger.close();
    expect(readFileSync(fileOf(url)).includes('{"canary":1}')).toBe(true);
    const engine = await openSqlite(fileOf(url));
    onTestFinished(() => engine.close());
    const told = async (name: string) =>
      Object.values((await sql.raw(`pragma ${name}`).execute(engine.db)).rows[0] ?? {});
    expect(await told("journal_mode")).toEqual(["wal"]);
    expect(await told("synchronous")).toEqual([2]);
    expect(await told("busy_timeout")).toEqual([2_000]);
  });

  test("may have any name that a folder can have", async () => {
    const url = `file:${join(folder(), "ä ?mode=ro#%20", "led ger?.db")}`;
    const { ledger } = await opened(url);
    await ledger.append({ kind: "finding", body: null });
    expect(existsSync(fileOf(url))).toBe(true);
  });

  test.each([
    ["no database", (file: string) => writeFileSync(file, "no database\n".repeat(1_000)), "damaged"],
    ["a folder", (file: string) => mkdirSync(file), "other"],
  ])("that is %s is refused by its name", async (_what, put, trouble) => {
    const file = join(folder(), "backstop.db");
    put(file);
    const refused = opened(`file:${file}`);
    await expect(refused).rejects.toMatchObject({ name: "LedgerError", trouble });
    await expect(refused).rejects.toThrow(file);
  });

  test.each(["file:relative.db", "mysql://somewhere/x", ""])("is not looked for at %j", async (url) => {
    await expect(opened(url)).rejects.toMatchObject({ name: "LedgerError", trouble: "value" });
  });

  test.skipIf(!existsSync("/dev/fd"))(
    "is refused at once in a folder that takes no other, as beside a config that is a pipe",
    () => {
      // In a process of its own: making such a folder the usual way never ends.
      const look = [fileURLToPath(new URL("child.mjs", import.meta.url)), "look", "file:/dev/fd/state/backstop.db"];
      const { status, stderr } = spawnSync(process.execPath, look, { timeout: 20_000, killSignal: "SIGKILL" });
      expect(status).toBe(1);
      expect(String(stderr)).toContain("ENOENT");
    },
  );

  test("holds no lock for a name that would lead out of its folder", async () => {
    const { ledger } = await opened(fileUrl());
    await expect(ledger.lock("../main")).rejects.toMatchObject({ name: "LedgerError", trouble: "value" });
  });
});

test("a lock whose file was removed is lost, because the next process would make another", async () => {
  const url = fileUrl();
  const { ledger } = await opened(url);
  const lock = await ledger.lock("main");
  expect(await lock?.isHeld()).toBe(true);
  rmSync(join(dirname(fileOf(url)), "locks"), { recursive: true });
  expect(await lock?.isHeld()).toBe(false);
  expect(await lock?.lost).toMatch(/main\.db was removed/);
  await lock?.release();
});

describe("versions", () => {
  test("a newer ledger is refused, with what to do about it, and left as it is", async () => {
    const url = fileUrl();
    const { ledger } = await opened(url);
    await ledger.append({ kind: "finding", body: null });
    await ledger.close();
    const other = new Libsql(fileOf(url));
    other.exec("update schema_version set version = 99");
    const refused = opened(url);
    await expect(refused).rejects.toMatchObject({ name: "LedgerError", trouble: "newer" });
    await expect(refused).rejects.toThrow(/newer bybit-backstop.*version 99.*ledger\.url/s);
    expect(other.prepare("select version from schema_version").all()).toEqual([{ version: 99 }]);
    other.close();
  });

  test("what is written after a write that met a busy file is on the disk when it is acknowledged", async () => {
    const url = fileUrl();
    const log = { warn: () => undefined, info: () => undefined };
    const ledger = await openLedger({ url, log, now: () => 1, sleep: () => Promise.resolve() });
    onTestFinished(() => ledger.close());
    const other = new Libsql(fileOf(url));
    other.exec("begin immediate");
    await expect(ledger.append({ kind: "finding", body: "busy" })).rejects.toMatchObject({ trouble: "busy" });
    other.exec("rollback");
    await ledger.append({ kind: "finding", body: "later" });
    expect(other.prepare("select body from entries").all()).toEqual([{ body: '"later"' }]);
    other.close();
  });

  test("a file that is removed while it is open takes no more writes in silence", async () => {
    const url = fileUrl();
    const { ledger } = await opened(url);
    await ledger.append({ kind: "finding", body: null });
    rmSync(fileOf(url));
    await expect(ledger.append({ kind: "finding", body: null })).rejects.toThrow(/removed or replaced/);
    expect(ledger.writable()).toMatch(/removed or replaced/);
  });

  test("an older ledger is brought up to date with all that is in it, whole or not at all", async () => {
    const file = fileOf(fileUrl());
    const engine = await openSqlite(file);
    onTestFinished(() => engine.close());
    const hasVersion = () => Promise.resolve(true);
    const parts = { db: engine.db, kind: "sqlite", begin: ["begin immediate"], hasVersion } as const;
    const columns = async () => (await sql.raw("pragma table_info(left_alone)").execute(engine.db)).rows.length;
    const before = await columns();
    const addColumn = async (db: typeof engine.db) => {
      await db.schema.alterTable("left_alone").addColumn("note", "text").execute();
    };
    const fail = () => Promise.reject(new Error("on purpose"));
    await expect(migrate(parts, [...MIGRATIONS, addColumn, fail])).rejects.toThrow("on purpose");
    expect(await columns()).toBe(before);
    await migrate(parts, [...MIGRATIONS, addColumn]);
    await migrate(parts, [...MIGRATIONS, addColumn]);
    expect(await columns()).toBe(before + 1);
    await expect(openSqlite(file)).rejects.toMatchObject({ trouble: "newer" });
  });
});

/** A small disk of its own; null: this user may not make one. */
function smallDisk(): string | null {
  const path = folder();
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=512k", "tmpfs", path], { stdio: "ignore" });
  } catch {
    return null;
  }
  onTestFinished(() => void execFileSync("umount", ["-l", path]));
  return path;
}

describe("a disk", () => {
  test("that is full stops writes, says so, and takes them again when there is room", async (context) => {
    const disk = smallDisk();
    if (disk === null) return context.skip("a small disk can be mounted by root only");
    const { ledger, told } = await opened(`file:${join(disk, "backstop.db")}`);
    await ledger.append({ kind: "finding", body: "before" });
    const ballast = join(disk, "ballast");
    for (let size = 512; size > 0; size -= 4) {
      try {
        writeFileSync(ballast, Buffer.alloc(size * 1024));
        break;
      } catch {
        // Smaller, then: as much as there is room for.
      }
    }
    const body = "x".repeat(20_000);
    await expect(ledger.append({ kind: "finding", body })).rejects.toMatchObject({
      name: "LedgerError",
      trouble: "full",
    });
    expect(ledger.writable()).toMatch(/the disk is full/);
    await expect(ledger.saveLife(life({ id: body }))).rejects.toMatchObject({ trouble: "full" });
    expect(await ledger.history({ limit: 9 })).toMatchObject([{ body: "before" }]);

    writeFileSync(ballast, "");
    await ledger.append({ kind: "finding", body });
    expect(ledger.writable()).toBeNull();
    expect(told).toEqual([expect.stringContaining("takes no writes"), expect.stringContaining("takes writes again")]);
    expect(await ledger.history({ limit: 9 })).toHaveLength(2);
  });

  test("that is full from the start is told so", async (context) => {
    const disk = smallDisk();
    if (disk === null) return context.skip("a small disk can be mounted by root only");
    try {
      writeFileSync(join(disk, "ballast"), Buffer.alloc(512 * 1024));
    } catch {
      // Full is what it was to become.
    }
    await expect(opened(`file:${join(disk, "backstop.db")}`)).rejects.toMatchObject({ trouble: "full" });
  });

  test("that can only be read is told so", async (context) => {
    const disk = smallDisk();
    if (disk === null) return context.skip("a small disk can be mounted by root only");
    const url = fileUrl();
    await (await opened(url)).ledger.close();
    const file = join(disk, "backstop.db");
    copyFileSync(fileOf(url), file);
    execFileSync("mount", ["-o", "remount,ro", disk]);
    await expect(opened(`file:${file}`)).rejects.toMatchObject({ name: "LedgerError", trouble: "read-only" });
    const absent = `file:${join(disk, "other.db")}`;
    await expect(opened(absent)).rejects.toMatchObject({ name: "LedgerError", trouble: "read-only" });
  });
});

test("why a lock cannot be had is told once, and once more after it was had", async () => {
  const url = fileUrl();
  const { ledger, told } = await opened(url);
  const inTheWay = join(dirname(fileOf(url)), "locks");
  writeFileSync(inTheWay, "");
  await expect(ledger.lock("main")).rejects.toThrow(LedgerError);
  await expect(ledger.lock("main")).rejects.toThrow(LedgerError);
  expect(told.filter((line) => line.includes("lock"))).toEqual([expect.stringContaining(inTheWay)]);
  rmSync(inTheWay);
  await (await ledger.lock("main"))?.release();
  rmSync(inTheWay, { recursive: true });
  writeFileSync(inTheWay, "");
  await expect(ledger.lock("main")).rejects.toThrow(LedgerError);
  expect(told.filter((line) => line.includes("lock"))).toHaveLength(2);
});
