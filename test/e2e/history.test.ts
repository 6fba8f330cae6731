/** `history` as its user meets it: without a key, beside a running sidecar, and where there is nothing to read. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import Libsql from "libsql";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Ledger } from "../../src/ledger/port.js";
import { child, folder, KEY, opened } from "../ledger/stage.js";
import { PROGRAM, run } from "./cli.js";

const CANARY = "canary-secret-of-the-real-exchange-01";
const PLACE = { ...KEY, side: "long" } as const;
const DEED = {
  action: "set-trading-stop",
  reason: "stop-missing",
  stopLoss: "49000",
  slTriggerBy: "MarkPrice",
  purpose: "add",
  by: "config: defaults",
};

interface Place {
  readonly home: string;
  readonly url: string;
  history(args?: readonly string[], env?: NodeJS.ProcessEnv): ReturnType<typeof run>;
}

/** A config whose keys cannot be had here. */
function place(): Place {
  const home = folder();
  const account = { name: "main", environment: "mainnet", key: "${NO_KEY}", secret: "${NO_SECRET}" };
  const text = JSON.stringify({ accounts: [account], protection: { mode: "report-only" } });
  writeFileSync(join(home, "backstop.json"), text, { mode: 0o600 });
  return {
    home,
    url: `file:${join(home, "state", "backstop.db")}`,
    history: (args = [], env = {}) => run(["history", "--config", "backstop.json", ...args], home, env),
  };
}

/** A stop that was proven, and a finding of another account that has left the config. */
async function story(url: string): Promise<Ledger> {
  const { ledger } = await opened(url);
  const intended = await ledger.append({ kind: "step-intended", ...PLACE, body: DEED });
  await ledger.append({ kind: "step-answered", ...PLACE, body: { ...DEED, answer: "acknowledged", intended } });
  await ledger.append({ kind: "step-judged", ...PLACE, body: { ...DEED, outcome: "confirmed", intended } });
  await ledger.append({ kind: "finding", account: "gone", body: { code: "unreadable", severity: "critical" } });
  return ledger;
}

const kindsIn = (stdout: string) =>
  (JSON.parse(stdout) as { readonly entries: readonly { readonly kind: string }[] }).entries.map(({ kind }) => kind);

describe("the history is told", () => {
  test("newest first, while a sidecar holds the writer's lock", async () => {
    const { url, history } = place();
    await story(url);
    const holder = child("hold", url);
    expect(await holder.line(0)).toBe("held");
    const { code, stdout, stderr } = await history();
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(kindsIn(stdout)).toEqual(["finding", "step-judged", "step-answered", "step-intended"]);
    expect(JSON.parse(stdout)).toMatchObject({ schema: "bybit-backstop/history@1" });
  });

  test("as a table, stop by stop: who set it, why, and whether it was proven", async () => {
    const { url, history } = place();
    await story(url);
    const { code, stdout } = await history(["--stops", "--format", "table"]);
    expect(code).toBe(0);
    expect(stdout.replaceAll(/ {2,}/g, " | ")).toContain(
      "main | BTCUSDT long | 49000 | MarkPrice | no stop stood; put at the wanted level | config: defaults | acknowledged | 2026-01-01 00:00:00 UTC\n1 stop, newest first\n",
    );
  });

  test.each<[readonly string[], readonly string[]]>([
    [
      ["--kind", "steps", "--limit", "2"],
      ["step-judged", "step-answered"],
    ],
    [["--account", "gone"], ["finding"]],
    [["--symbol", "btc*", "--kind", "step-intended"], ["step-intended"]],
    [["--since", "1m"], []],
  ])("in part: %j", async (args, kinds) => {
    const { url, history } = place();
    await story(url);
    const { code, stdout } = await history(args);
    expect(code).toBe(0);
    expect(kindsIn(stdout)).toEqual(kinds);
  });

  test("without any of the keys that it can know", async () => {
    const { url, history } = place();
    const ledger = await story(url);
    await ledger.append({
      kind: "finding",
      account: "main",
      body: { message: `it said ${CANARY}`, apiKey: "hidden-by-name" },
    });
    const env = { NO_KEY: "k".repeat(18), NO_SECRET: CANARY };
    for (const format of ["json", "table"]) {
      const { stdout, stderr } = await history(["--format", format], env);
      expect(stdout).toContain("it said [secret]");
      expect(stdout + stderr).not.toMatch(/canary|hidden-by-name/);
    }
  });
});

describe("where nothing can be told", () => {
  test("because there is no ledger yet, that is said, the list is empty, and none is begun", async () => {
    const { home, history } = place();
    const { code, stdout, stderr } = await history();
    expect(code).toBe(0);
    expect(kindsIn(stdout)).toEqual([]);
    expect(stderr).toMatch(/^There is no ledger yet \(.*backstop\.db\): nothing was written down so far\.\n$/);
    expect(existsSync(join(home, "state"))).toBe(false);
    expect((await history(["--stops", "--format", "table"])).stdout).toBe("no stops\n");
  });

  test("because an account is neither in the config nor in the ledger, that is said", async () => {
    const { url, history } = place();
    await story(url);
    const { code, stderr } = await history(["--account", "mian"]);
    expect(code).toBe(0);
    expect(stderr).toBe('--account "mian" is not in the config (main), nor does anything of it fit.\n');
  });

  test("because a secret was given in the place of an account, it is not repeated", async () => {
    const { url, history } = place();
    await story(url);
    const { stderr } = await history(["--account", "aB3".repeat(12)]);
    expect(stderr).toBe("--account (value hidden) is not in the config (main), nor does anything of it fit.\n");
  });

  test.each<[string, (file: string) => void, RegExp]>([
    ["is damaged", (file) => writeFileSync(file, "no database\n".repeat(1_000)), /it is no SQLite database/],
    [
      "is newer",
      (file) => execute(file, "create table schema_version (version); insert into schema_version values (99)"),
      /newer bybit-backstop/,
    ],
    ["is a folder", (file) => mkdirSync(file), /backstop\.db/],
  ])("because it %s, one line says so and the code is 1", async (_what, put, words) => {
    const { home, history } = place();
    mkdirSync(join(home, "state"));
    put(join(home, "state", "backstop.db"));
    const { code, stdout, stderr } = await history();
    expect({ code, stdout, lines: stderr.trimEnd().split("\n").length }).toEqual({ code: 1, stdout: "", lines: 1 });
    expect(stderr).toMatch(words);
  });
});

function execute(file: string, statement: string): void {
  const database = new Libsql(file);
  database.exec(statement);
  database.close();
}

interface Follower {
  /** Resolves with the line of this number, from 0. */
  line(index: number): Promise<string>;
  /** Resolves with the first that is said to the person. */
  readonly said: Promise<string>;
  end(signal: NodeJS.Signals): Promise<number | null>;
}

function follower({ home }: Place, args: readonly string[] = []): Follower {
  const command = [PROGRAM, "history", "--config", "backstop.json", "--follow", ...args];
  const program = spawn(process.execPath, command, { cwd: home, env: { PATH: process.env["PATH"] } });
  const closed = once(program, "close") as Promise<[number | null]>;
  onTestFinished(() => void program.kill("SIGKILL"));
  const lines: string[] = [];
  const heard = createInterface({ input: program.stdout });
  heard.on("line", (line) => lines.push(line));
  const ended = closed.then(() => Promise.reject(new Error("it has ended before it said what was awaited")));
  ended.catch(() => undefined);
  return {
    said: once(program.stderr.setEncoding("utf8"), "data").then(([text]) => String(text)),
    line: async (index) => {
      while (lines[index] === undefined) await Promise.race([once(heard, "line"), ended]);
      return lines[index];
    },
    end: async (signal) => {
      program.kill(signal);
      return (await closed)[0];
    },
  };
}

describe("--follow", () => {
  test.each(["SIGINT", "SIGTERM"] as const)("shows what stands and then what comes, until %s", async (signal) => {
    const at = place();
    const ledger = await story(at.url);
    const { line, end } = follower(at, ["--limit", "1"]);
    expect(JSON.parse(await line(0))).toMatchObject({ kind: "finding", account: "gone" });
    await ledger.append({ kind: "life-closed", ...PLACE, body: { size: "0" } });
    expect(JSON.parse(await line(1))).toMatchObject({ kind: "life-closed", symbol: "BTCUSDT" });
    await ledger.append({ kind: "resume", body: null });
    expect(JSON.parse(await line(2))).toMatchObject({ kind: "resume" });
    expect(await end(signal)).toBe(0);
  });

  test("shows only what was asked for, as lines for a person", async () => {
    const at = place();
    const ledger = await story(at.url);
    const { line, end } = follower(at, ["--format", "table", "--kind", "lives", "--limit", "1"]);
    await ledger.append({ kind: "finding", ...PLACE, body: null });
    await ledger.append({ kind: "life-opened", ...PLACE, body: { size: "0.1" } });
    expect(await line(0)).toMatch(
      /^2026-01-01 00:00:00 UTC {2}main +BTCUSDT long +life-opened +has opened, size 0\.1$/,
    );
    expect(await end("SIGTERM")).toBe(0);
  });

  test("waits for a ledger that is not there yet", async () => {
    const at = place();
    const { line, said, end } = follower(at);
    expect(await said).toContain("There is no ledger yet");
    await story(at.url);
    expect(JSON.parse(await line(0))).toMatchObject({ kind: "step-intended" });
    expect(await end("SIGTERM")).toBe(0);
  });

  test("ends when nobody reads any more", async () => {
    const at = place();
    const ledger = await story(at.url);
    const args = ["history", "--config", "backstop.json", "--follow"];
    const finished = await run(args, at.home, {}, { closesStdout: true });
    expect(finished).toMatchObject({ code: 0, stderr: "" });
    await ledger.close();
  });
});

test.each([
  [["--stops", "--follow"], "--follow"],
  [["--stops", "--kind", "steps"], "--kind"],
])("%j is refused as wrong usage", async (args, named) => {
  const { code, stdout, stderr } = await place().history(args);
  expect({ code, stdout }).toEqual({ code: 64, stdout: "" });
  expect(stderr).toContain(named);
});
