/** The bench and the soak as they are started by hand: they understand the program's log, and say which options they have. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../tidy/sources.js";

async function script(...args: readonly string[]) {
  const [file = "", ...rest] = args;
  const child = spawn(process.execPath, [join(root, "scripts", file), ...rest], { stdio: ["ignore", "pipe", "pipe"] });
  const texts = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    texts.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    texts.stderr += text;
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, ...texts };
}

test("the bench times the stops of a bare script and of the sidecar, and a burst", async () => {
  const { code, stdout, stderr } = await script("bench.mjs", "--positions", "2", "--lags", "0", "--burst", "10");
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(stdout).toMatch(/^\| bare script \| 0 ms \| 2 \| \d/m);
  expect(stdout).toMatch(/^\| backstop run \| 0 ms \| 2 \| \d/m);
  expect(stdout).toMatch(/^the ten riskiest protected within \d+ ms, all within \d+ ms$/m);
});

test.each(["bench.mjs", "soak.mjs"])("%s lists its options, and refuses others in one line", async (file) => {
  const help = await script(file, "--help");
  expect(help).toMatchObject({ code: 0, stdout: "" });
  expect(help.stderr).toMatch(/^options: --\w.*\n$/m);
  expect(help.stderr).not.toMatch(/^\s+at /m);
  const wrong = await script(file, "--postions", "2");
  expect(wrong).toMatchObject({ code: 64, stdout: "" });
  expect(wrong.stderr).toMatch(/--postions.*\noptions: --\w.*\n$/);
  expect(wrong.stderr).not.toMatch(/^\s+at /m);
});
