/** Nobody can be told any more: the terminal was closed, or the disk of the log is full. What is under way goes on. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { exitCode, type Report } from "../../src/report/index.js";
import { createHeard } from "../stream/stage.js";
import { PROGRAM } from "./cli.js";
import { listenTo } from "./sidecar.js";
import { openBook, openStage, type Stage } from "./stage.js";
import { noTerminal } from "./terminal.js";

/** Every write to it fails as on a full disk. */
const FULL = "/dev/full";
const noFull = existsSync(FULL) ? "" : ` (skipped: there is no ${FULL})`;

test(`the probe closes what it opened when its terminal is closed${noTerminal ?? ""}`, async (context) => {
  context.skip(noTerminal !== null, noTerminal ?? "");
  const stage = await openStage(context, { latencyMs: 40 });
  const rows = createHeard<Readonly<Record<string, unknown>>>();
  stage.exchange.onPush(({ topic, row }) => {
    if (topic === "position") rows.add(row);
  });
  const command = `'${process.execPath}' '${PROGRAM}' probe --yes --log-level trace`;
  const env = { PATH: process.env["PATH"], TERM: "xterm", ...stage.env };
  const terminal = spawn("script", ["-qec", command, "/dev/null"], { cwd: stage.folder, env });
  const closed = once(terminal, "close");
  const { size } = await rows.next((row) => Number(row["size"]) > 0);
  terminal.kill("SIGKILL");
  await closed;
  rows.skip();
  expect(Number(size)).toBeGreaterThan(0);
  await rows.next((row) => Number(row["size"]) === 0);
  expect(stage.exchange.snapshot().accounts.flatMap(({ positions }) => positions)).toEqual([]);
});

test.skipIf(noFull !== "")(
  `the sidecar goes on protecting when its log cannot be written${noFull}`,
  async (context) => {
    const stage = await openStage(context);
    const events = listenTo(stage);
    openBook(stage);
    const full = openSync(FULL, "w");
    const resting = events.stopRests("BTCUSDT");
    const sidecar = spawn(process.execPath, [PROGRAM, "run", "--log-level", "trace"], {
      cwd: stage.folder,
      env: { PATH: process.env["PATH"], ...stage.env },
      stdio: ["ignore", "ignore", full],
    });
    closeSync(full);
    const closed = once(sidecar, "close");
    context.onTestFinished(() => void sidecar.kill("SIGKILL"));
    await resting;
    const later = events.stopRests("SOLUSDT");
    stage.exchange.open({ symbol: "SOLUSDT", side: "long", size: "1" });
    await later;
    sidecar.kill("SIGTERM");
    expect(await closed).toEqual([0, null]);
  },
);

test.skipIf(noFull !== "")(
  `a report that no file takes any more is printed, and the code is not 0${noFull}`,
  async (context) => {
    const stage = await openStage(context);
    openBook(stage);
    const { code, stdout, stderr } = await stage.backstop(["protect", "--output", FULL]);
    expect(code).toBe(1);
    expect(stderr).toContain(`--output: "${FULL}" cannot be written: the disk is full; the report is printed instead.`);
    expect(JSON.parse(stdout)).toMatchObject({ summary: { protected: 3, confirmed: 2 } });
  },
);

describe.runIf(noFull === "")(`stdout on a full disk${noFull}`, { concurrent: true }, () => {
  test.for([
    { args: ["audit"], code: 2 },
    { args: ["audit", "--format", "table", "--fail-on", "never"], code: 1 },
    { args: ["protect", "--format", "table"], code: 1 },
    { args: ["protect", "--output", FULL], code: 1 },
    { args: ["history"], code: 1 },
  ])("is told in one line, and $args ends with $code", async ({ args, code }, context) => {
    const stage = await openStage(context);
    openBook(stage);
    const ended = await stdoutTo(stage, FULL, [PROGRAM, ...args]);
    expect(ended.code).toBe(code);
    const lines = ended.stderr.split("\n").filter((line) => line.includes("stdout"));
    expect(lines).toEqual([
      "backstop: stdout cannot be written: the disk is full; what was to be printed is lost, or cut short.",
    ]);
    expect(ended.stderr).not.toContain("a bug");
    expect(stage.posts()).toHaveLength(args[0] === "protect" ? 2 : 0);
  });

  test("that takes a part of a report is no success either", async (context) => {
    const stage = await openStage(context);
    openBook(stage);
    const file = join(stage.folder, "report");
    // The file may have one block and no more.
    const limited = ["-c", `trap '' XFSZ; ulimit -f 1; exec "$0" "$@"`, process.execPath, PROGRAM, "audit"];
    const ended = await stdoutTo(stage, file, [...limited, "--fail-on", "never"], "sh");
    expect(statSync(file).size).toBeGreaterThan(0);
    expect(ended).toEqual({
      code: 1,
      stderr:
        "backstop: stdout cannot be written: the file may not become larger; what was to be printed is lost, or cut short.\n",
    });
  });
});

async function stdoutTo(stage: Stage, file: string, args: readonly string[], program = process.execPath) {
  const out = openSync(file, "w");
  const env = { PATH: process.env["PATH"], ...stage.env };
  const running = spawn(program, args, { cwd: stage.folder, env, stdio: ["ignore", out, "pipe"] });
  closeSync(out);
  let stderr = "";
  running.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const [code] = (await once(running, "close")) as [number | null];
  return { code, stderr };
}

test.for(["SIGINT", "SIGTERM"] as const)(
  "protect that is interrupted by %s awaits what is on the wire, sends nothing more, and reports",
  async (signal, context) => {
    const stage = await openStage(context, { latencyMs: 400 });
    const events = listenTo(stage);
    openBook(stage);
    const resting = events.stopRests("BTCUSDT");
    const program = spawn(process.execPath, [PROGRAM, "protect"], {
      cwd: stage.folder,
      env: { PATH: process.env["PATH"], ...stage.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    program.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    let stderr = "";
    program.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    const closed = once(program, "close");
    await resting;
    program.kill(signal);
    const [code] = await closed;
    const report = JSON.parse(stdout) as Report;
    const steps = report.positions.flatMap((position) => position.steps);
    expect(stderr).toContain("Nothing more is sent; what is on the wire is awaited.");
    // Proven only where the signal was late.
    expect(steps.map(({ outcome }) => outcome)).toSatisfy((outcomes: string[]) =>
      outcomes.some((outcome) => outcome === "uncertain" || outcome === "confirmed"),
    );
    expect(code).toBe(exitCode(report));
  },
);

test.skipIf(noFull !== "")(`protect ends as it would have, with its report${noFull}`, async (context) => {
  const stage = await openStage(context);
  openBook(stage);
  const full = openSync(FULL, "w");
  const program = spawn(process.execPath, [PROGRAM, "protect", "--log-level", "trace"], {
    cwd: stage.folder,
    env: { PATH: process.env["PATH"], ...stage.env },
    stdio: ["ignore", "pipe", full],
  });
  closeSync(full);
  let stdout = "";
  program.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  expect(await once(program, "close")).toEqual([0, null]);
  expect(JSON.parse(stdout)).toMatchObject({ summary: { protected: 3 } });
});

test(`the sidecar goes on protecting when nobody reads its terminal${noTerminal ?? ""}`, async (context) => {
  context.skip(noTerminal !== null, noTerminal ?? "");
  const positions = 40;
  const stage = await openStage(context, { syntheticInstruments: positions });
  const events = listenTo(stage);
  const command = `echo $$ >pid; exec '${process.execPath}' '${PROGRAM}' run --log-level trace`;
  const env = { PATH: process.env["PATH"], TERM: "xterm", ...stage.env };
  const terminal = spawn("script", ["-qec", command, "/dev/null"], { cwd: stage.folder, env });
  const closed = once(terminal, "close");
  const screen = createHeard<string>();
  terminal.stdout.setEncoding("utf8").on("data", (text: string) => screen.add(text));
  await screen.next((text) => text.includes("a missing stop is noticed as it is pushed"));
  const pid = Number(readFileSync(join(stage.folder, "pid"), "utf8"));
  context.onTestFinished(() => {
    terminal.kill("SIGCONT");
    if (terminal.exitCode === null) process.kill(pid, "SIGKILL");
  });

  terminal.kill("SIGSTOP");
  for (let nth = 0; nth < positions; nth += 1) {
    const symbol = `SYN${String(nth).padStart(4, "0")}USDT`;
    const resting = events.stopRests(symbol);
    stage.exchange.open({ symbol, side: "long", size: "1" });
    expect(Number(await resting)).toBeGreaterThan(0);
  }
  terminal.kill("SIGCONT");
  process.kill(pid, "SIGTERM");
  expect(await closed).toEqual([0, null]);
});
