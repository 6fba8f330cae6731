/** The demo as a visitor sees it: one command, a minute at most, a page that shows every position. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { TRADES } from "../../src/cli/demo/trades.js";
import { INSTALLED, run } from "./cli.js";

const folder = mkdtempSync(join(tmpdir(), "backstop-demo-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("demo ends with 0 in under a minute, tells what was saved, and leaves a report with every contract", {
  timeout: 60_000,
}, async () => {
  const { code, stdout, stderr } = await run(["demo"], folder, {}, { program: INSTALLED });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/unprotected/);
  expect(stdout).toMatch(/confirmed/);
  expect(stdout).toMatch(/Saved: \+[\d,]+/);
  const page = readFileSync(join(folder, "demo-report.html"), "utf8");
  for (const { symbol } of TRADES) expect(page).toContain(symbol);
  expect(page).toMatch(/^<!doctype html>/i);
  expect(page).not.toMatch(/<script[^>]+src=|<link[^>]+href=/);
});
