/**
 * Gathers the built program and what it needs into a few files before the tests: it starts in half the time, and the
 * end-to-end tests start it hundreds of times. Some of them start what is installed, file by file.
 */
import { existsSync, readFileSync } from "node:fs";
import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "rolldown";

const root = fileURLToPath(new URL("../..", import.meta.url));
const dist = join(root, "dist");
const gathered = join(root, ".gathered");
const mark = join(gathered, ".fingerprint");

/** Native, or loaded by name at run time. */
const LEFT_ALONE = ["libsql", "pg", "pino", "pino-pretty"];

export default async function gather(): Promise<void> {
  const fingerprint = readFileSync(join(dist, ".fingerprint"), "utf8");
  if (existsSync(mark) && readFileSync(mark, "utf8") === fingerprint) return;
  const next = `${gathered}.next-${process.pid}`;
  await build({
    cwd: root,
    input: join(dist, "cli", "bin.js"),
    platform: "node",
    external: LEFT_ALONE,
    // As deep as the original: the program finds its package.json from where it lies.
    output: { dir: join(next, "cli"), format: "esm", entryFileNames: "bin.js" },
    logLevel: "warn",
  });
  await writeFile(join(next, ".fingerprint"), fingerprint);
  await rm(gathered, { recursive: true, force: true });
  await rename(next, gathered);
}
