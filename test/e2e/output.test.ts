/** Where reports and logs go: every format, stdout or a file, tables and colours only where a person looks. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, lstatSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { FORMATS, type Report } from "../../src/report/index.js";
import { PROGRAM, reportIn } from "./cli.js";
import { openBook, openStage } from "./stage.js";
import { noTerminal, onTerminal } from "./terminal.js";

/** How a text of each format begins, or what only it contains. */
const SIGN: Readonly<Record<(typeof FORMATS)[number], RegExp>> = {
  table: /^bybit-backstop (audit|protect) \d{4}-/,
  json: /^\{\n {2}"schema": "bybit-backstop\/report@1"/,
  markdown: /^## 3 positions: /,
  html: /^<!doctype html>/i,
  junit: /^<\?xml [^>]*\?>\s*<testsuites/,
  sarif: /^\{[^]*"version": "2\.1\.0"/,
  github: /^::(error|warning|notice) /,
};
const ESCAPE = /\u001b/;

describe.concurrent("every format", () => {
  test.for(["audit", "protect"])(
    "is written by %s to stdout, whole and without escapes",
    { timeout: 30_000 },
    async (command, context) => {
      const stage = await openStage(context, { rateLimits: false });
      openBook(stage);
      const extra = command === "protect" ? ["--dry-run"] : [];
      const write = (format: string) => stage.backstop([command, "--format", format, ...extra]);
      for (const [index, done] of (await Promise.all(FORMATS.map(write))).entries()) {
        const format = FORMATS[index] ?? "json";
        expect({ format, code: done.code, stderr: done.stderr }).toEqual({ format, code: 2, stderr: "" });
        expect(done.stdout).toMatch(SIGN[format]);
        expect(done.stdout).toMatch(/[^\n]\n$/);
        expect(done.stdout).not.toMatch(ESCAPE);
        for (const symbol of ["BTCUSDT", "ETHUSDT"]) expect(done.stdout, `as ${format}`).toContain(symbol);
      }
    },
  );
});

describe.concurrent("the table of a dry run", () => {
  test("says that it is one, and that of an audit does not", async (context) => {
    const stage = await openStage(context);
    openBook(stage);
    const planned = await stage.backstop(["protect", "--dry-run", "--format", "table"]);
    expect(planned.stdout).toMatch(/^bybit-backstop protect [^\n]+\nDry run: nothing was sent\.\n/);
    expect((await stage.backstop(["audit", "--format", "table"])).stdout).not.toContain("Dry run");
  });
});

describe.concurrent("a report file", () => {
  test.for(["audit", "protect"])("of %s is whole, nothing goes to stdout, no draft stays", async (command, context) => {
    const stage = await openStage(context);
    openBook(stage);
    const { code, stdout } = await stage.backstop([command, "--output", "report.json"]);
    expect({ code, stdout }).toEqual({ code: command === "audit" ? 2 : 0, stdout: "" });
    const report = JSON.parse(readFileSync(join(stage.folder, "report.json"), "utf8")) as Report;
    expect(report).toMatchObject({ schema: "bybit-backstop/report@1", command, complete: true });
    expect(report.positions).toHaveLength(3);
    expect(
      readdirSync(stage.folder)
        .filter((name) => name !== "state")
        .sort(),
    ).toEqual(["backstop.json", "report.json"]);
  });

  test("that cannot be written stops protect with 64 before anything is sent", async (context) => {
    const stage = await openStage(context);
    openBook(stage);
    const { code, stdout, stderr } = await stage.backstop(["protect", "--output", "gone/report.json"]);
    expect({ code, stdout, posts: stage.posts() }).toEqual({ code: 64, stdout: "", posts: [] });
    expect(stderr).toContain('--output: "gone/report.json" cannot be written: the folder does not exist; allowed:');
  });

  test("that has no name stops protect with 64 before anything is sent", async (context) => {
    const stage = await openStage(context);
    openBook(stage);
    const { code, stderr } = await stage.backstop(["protect", "--output", ""]);
    expect({ code, posts: stage.posts() }).toEqual({ code: 64, posts: [] });
    expect(stderr).toContain('--output: "" cannot be written: it names no file');
  });

  test("named - is stdout, and no file", async (context) => {
    const stage = await openStage(context);
    openBook(stage);
    const finished = await stage.backstop(["audit", "--output", "-"]);
    expect(finished.code).toBe(2);
    expect(reportIn(finished).positions).toHaveLength(3);
    expect(readdirSync(stage.folder)).not.toContain("-");
  });

  test("that others may read stays one that they may read", async (context) => {
    const stage = await openStage(context);
    const file = join(stage.folder, "report.json");
    writeFileSync(file, "old");
    chmodSync(file, 0o644);
    await stage.backstop(["audit", "--output", "report.json"]);
    expect(readFileSync(file, "utf8")).toMatch(SIGN.json);
    expect(statSync(file).mode & 0o777).toBe(0o644);
  });

  test("behind a link is replaced, and the link stays", async (context) => {
    const stage = await openStage(context);
    writeFileSync(join(stage.folder, "real.html"), "old");
    symlinkSync("real.html", join(stage.folder, "link.html"));
    await stage.backstop(["audit", "--format", "html", "--output", "link.html"]);
    expect(lstatSync(join(stage.folder, "link.html")).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(stage.folder, "real.html"), "utf8")).toMatch(SIGN.html);
  });

  test("is drafted under no name that somebody could have put a link at, and only its owner can read it", async (context) => {
    const stage = await openStage(context);
    const victim = join(stage.folder, "victim");
    writeFileSync(victim, "precious");
    const args = [PROGRAM, "audit", "--output", "report.json"];
    const program = spawn(process.execPath, args, { cwd: stage.folder, env: stage.env });
    // Long before the program has begun to run.
    symlinkSync(victim, join(stage.folder, `report.json.${program.pid}.part`));
    expect(await once(program, "close")).toEqual([0, null]);
    expect(readFileSync(victim, "utf8")).toBe("precious");
    expect(statSync(join(stage.folder, "report.json")).mode & 0o777).toBe(0o600);
  });

  test("that is a device is written to and not replaced", async (context) => {
    const stage = await openStage(context);
    const { code } = await stage.backstop(["audit", "--output", "/dev/null"]);
    expect(code).toBe(0);
    expect(lstatSync("/dev/null").isCharacterDevice()).toBe(true);
  });
});

describe.concurrent("logs", () => {
  test("go to stderr as JSON lines, so that stdout is the report alone", async (context) => {
    const stage = await openStage(context);
    openBook(stage);
    const finished = await stage.backstop(["audit", "--log-level", "trace"]);
    expect(reportIn(finished).positions).toHaveLength(3);
    stage.exchange.setFault({ kind: "html", path: "/v5/position/list" });
    const troubled = await stage.backstop(["audit"]);
    expect(reportIn(troubled).positions).toHaveLength(3);
    const lines = troubled.stderr.trim().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { level: string }).level)).toContain("warn");
  });

  test("are silent on request", async (context) => {
    const stage = await openStage(context);
    stage.exchange.setFault({ kind: "html", path: "/v5/position/list" });
    expect((await stage.backstop(["audit", "--log-level", "silent"])).stderr).toBe("");
  });
});

describe.concurrent("a reader that goes away early", () => {
  test("does not end the program with a stack trace, and does not stop a pass half way", async (context) => {
    const stage = await openStage(context);
    openBook(stage);
    const { stderr } = await stage.backstop(["protect"], {}, { closesStdout: true });
    expect(stderr).toBe("");
    expect(stage.posts()).toHaveLength(2);
  });
});

describe.runIf(noTerminal === null)(`on a terminal${noTerminal ?? ""}`, { concurrent: true }, () => {
  test("the report is a coloured table", async (context) => {
    const stage = await openStage(context);
    openBook(stage);
    const { code, text } = await onTerminal(["audit"], { cwd: stage.folder, env: stage.env });
    expect(code).toBe(2);
    expect(text).toMatch(/\u001b\[31m✗ unprotected/);
    expect(text).not.toContain('"schema"');
  });

  test("a terminal that does not tell its width gets one line per position all the same", async (context) => {
    const stage = await openStage(context);
    openBook(stage);
    const env = { ...stage.env, NO_COLOR: "1" };
    const { text } = await onTerminal(["audit"], { cwd: stage.folder, env, redirect: "2>log" });
    expect(text).toMatch(/✗ unprotected +BTCUSDT long +0\.1 +64250\.5 +64250\.5 +none +none/);
  });

  test("NO_COLOR takes the colours away", async (context) => {
    const stage = await openStage(context);
    openBook(stage);
    const env = { ...stage.env, NO_COLOR: "1" };
    const { text } = await onTerminal(["audit"], { cwd: stage.folder, env, redirect: "2>log" });
    expect(text).toContain("✗ unprotected");
    expect(text).not.toMatch(ESCAPE);
  });

  test("logs are readable lines, not JSON", async (context) => {
    const stage = await openStage(context);
    stage.exchange.setFault({ kind: "html", path: "/v5/position/list" });
    const { text } = await onTerminal(["audit"], { cwd: stage.folder, env: stage.env });
    expect(text).toMatch(/WARN.*: .*GET \/v5\/position\/list failed: the exchange had an error, HTTP 502/);
    expect(text).not.toContain('{"level"');
  });

  test("a file gets JSON and no table unless asked otherwise", async (context) => {
    const stage = await openStage(context);
    await onTerminal(["audit", "--output", "report"], { cwd: stage.folder, env: stage.env });
    expect(readFileSync(join(stage.folder, "report"), "utf8")).toMatch(SIGN.json);
  });

  test.for([
    ["n", "n\n"],
    ["only Return", "\n"],
    ["Ctrl+D", "\u0004"],
    ["Ctrl+C", "\u0003"],
  ] as const)("protect shows its plan, asks, and sends nothing after %s", async ([, answer], context) => {
    const stage = await openStage(context);
    openBook(stage);
    const { code, text } = await onTerminal(["protect"], { cwd: stage.folder, env: stage.env, answer });
    expect(text).toContain("Send 2 requests for main? [y/N]");
    expect(text.indexOf("set stop")).toBeLessThan(text.indexOf("[y/N]"));
    expect(text).toContain("Nothing was sent for main.");
    expect(text.match(/BTCUSDT long/g)).toHaveLength(1);
    expect(text.slice(text.indexOf("Nothing was sent"))).toContain("3 positions: 1 protected, 2 unprotected");
    expect(text).not.toContain("a bug");
    expect({ code, posts: stage.posts() }).toEqual({ code: 2, posts: [] });
  });

  test("protect sends after y", async (context) => {
    const stage = await openStage(context);
    openBook(stage);
    const { code, text } = await onTerminal(["protect"], { cwd: stage.folder, env: stage.env, answer: "y\n" });
    expect({ code, posts: stage.posts().length }).toEqual({ code: 0, posts: 2 });
    expect(text).toContain("confirmed");
  });

  test("protect --yes does not ask", async (context) => {
    const stage = await openStage(context);
    openBook(stage);
    const { code, text } = await onTerminal(["protect", "--yes"], { cwd: stage.folder, env: stage.env });
    expect(text).not.toContain("[y/N]");
    expect({ code, posts: stage.posts().length }).toEqual({ code: 0, posts: 2 });
  });

  test("protect does not ask where nothing is to be sent", async (context) => {
    const stage = await openStage(context);
    const { code, text } = await onTerminal(["protect"], { cwd: stage.folder, env: stage.env });
    expect(text).not.toContain("[y/N]");
    expect(code).toBe(0);
  });
});
