/** Nobody can be told any more: the terminal was closed, or the disk of the log is full. What is under way goes on. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync } from "node:fs";
import { expect, test } from "vitest";
import { exitCode, type Report } from "../../src/report/index.js";
import { createHeard } from "../stream/stage.js";
import { PROGRAM } from "./cli.js";
import { listenTo } from "./sidecar.js";
import { openBook, openStage } from "./stage.js";
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
