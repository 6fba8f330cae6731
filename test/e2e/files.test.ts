/** Whatever the program leaves on the disk is for its owner alone, however lax the shell was that started it. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startRun } from "./sidecar.js";
import { openBook, openStage } from "./stage.js";

/** Relative to the folder, with the bits that let others in. */
function openToOthers(folder: string): readonly string[] {
  const found = readdirSync(folder, { recursive: true }).map(String);
  return found
    .map((name) => ({ name, mode: statSync(join(folder, name)).mode & 0o077 }))
    .filter(({ mode }) => mode !== 0)
    .map(({ name, mode }) => `${name} ${mode.toString(8)}`);
}

/** What is started meanwhile keeps no bit from anybody. */
function withoutMask<T>(start: () => T): T {
  const before = process.umask(0);
  try {
    return start();
  } finally {
    process.umask(before);
  }
}

test("the sidecar's ledger, locks and token, pauses, and reports are 0600 in folders of 0700", async (context) => {
  const stage = await openStage(context, { config: { http: { port: 0 } } });
  openBook(stage);
  const sidecar = withoutMask(() => startRun(context, stage));
  await sidecar.url();
  await sidecar.watching();
  await withoutMask(() => stage.backstop(["pause", "--symbol", "BTCUSDT"]));
  await withoutMask(() => stage.backstop(["audit", "--output", "report.json"]));
  await withoutMask(() => stage.backstop(["init", "--config", "new/mine.yaml"]));
  const made = readdirSync(stage.folder, { recursive: true }).map(String);
  for (const name of [
    "state",
    "state/backstop.db",
    "state/backstop.db-wal",
    "state/token",
    "report.json",
    "new/mine.yaml",
  ]) {
    expect(made).toContain(name);
  }
  expect(openToOthers(stage.folder)).toEqual([]);
  expect(await sidecar.end()).toBe(0);
});
