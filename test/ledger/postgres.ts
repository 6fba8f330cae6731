/** A PostgreSQL server of the tests' own, from what is installed here; without a network and gone afterwards. */
import { execFileSync } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";

export const PASSWORD = "canary password+/9f2c";

export interface Postgres {
  /** Of a fresh database, each time. */
  newUrl(): Promise<string>;
  stop(): void;
}

/** Why none can be started; else the folder of its programs. */
export function findPostgres(): { readonly bin: string } | { readonly missing: string } {
  const folders = (process.env["PATH"] ?? "").split(":").filter((path) => path !== "");
  const versions = existsSync("/usr/lib/postgresql") ? readdirSync("/usr/lib/postgresql").sort().toReversed() : [];
  const bin = [...folders, ...versions.map((version) => `/usr/lib/postgresql/${version}/bin`)].find((path) =>
    ["initdb", "pg_ctl", "postgres"].every((program) => existsSync(join(path, program))),
  );
  if (bin === undefined) return { missing: "no initdb and pg_ctl in PATH or /usr/lib/postgresql" };
  if (process.getuid?.() === 0 && idsOfPostgres() === null) return { missing: "root without a user postgres" };
  return { bin };
}

export async function startPostgres(bin: string): Promise<Postgres> {
  const home = mkdtempSync(join(tmpdir(), "backstop-postgres-"));
  const data = join(home, "data");
  const port = await freePort();
  const passwordFile = join(home, "password");
  writeFileSync(passwordFile, PASSWORD, { mode: 0o600 });
  const ids = process.getuid?.() === 0 ? idsOfPostgres() : null;
  if (ids !== null) for (const path of [home, passwordFile]) chownSync(path, ids.uid, ids.gid);
  const asPostgres = (program: string, args: readonly string[]) =>
    // The server refuses to run as root.
    execFileSync(join(bin, program), args, { cwd: home, stdio: "ignore", ...ids, env: { ...process.env, HOME: home } });
  const forms = ["--no-locale", "--encoding=UTF8", "--no-sync", "--auth=scram-sha-256", `--pwfile=${passwordFile}`];
  asPostgres("initdb", ["-D", data, "-U", "backstop", ...forms]);
  const settings = `-F -h 127.0.0.1 -p ${port} -k ${home} -c shared_buffers=16MB -c synchronous_commit=off`;
  asPostgres("pg_ctl", ["-D", data, "-w", "-l", join(home, "log"), "-o", settings, "start"]);

  const address = `127.0.0.1:${port}`;
  let made = 0;
  const urlOf = (database: string) => `postgres://backstop:${encodeURIComponent(PASSWORD)}@${address}/${database}`;
  const newUrl = async () => {
    made += 1;
    const client = new pg.Client({ connectionString: urlOf("postgres") });
    await client.connect();
    await client.query(`create database ledger${made}`);
    await client.end();
    return urlOf(`ledger${made}`);
  };
  const stop = () => {
    asPostgres("pg_ctl", ["-D", data, "-m", "immediate", "stop"]);
    rmSync(home, { recursive: true, force: true });
  };
  return { newUrl, stop };
}

function idsOfPostgres(): { readonly uid: number; readonly gid: number } | null {
  try {
    const [uid, gid] = ["-u", "-g"].map((flag) => Number(execFileSync("id", [flag, "postgres"], { stdio: "pipe" })));
    return uid === undefined || gid === undefined ? null : { uid, gid };
  } catch {
    return null;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  return port;
}
