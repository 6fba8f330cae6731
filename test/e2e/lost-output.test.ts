/** Nobody can be told any more: the terminal was closed, or the disk of the log is full. What is under way goes on. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync } from "node:fs";
import { expect, test } from "vitest";
import { createHeard } from "../stream/stage.js";
import { PROGRAM } from "./cli.js";
import { listenTo } from "./sidecar.js";
import { openBook, openStage } from "./stage.js";
import { noTerminal } from "./terminal.js";

/** Every write to it fails as on a full disk. */
const FULL = "/dev/full";

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

test.skipIf(!existsSync(FULL))("the sidecar goes on protecting when its log cannot be written", async (context) => {
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
});

test.skipIf(!existsSync(FULL))("protect ends as it would have, with its report", async (context) => {
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
