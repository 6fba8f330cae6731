/** Starts the built sidecar beside a simulated exchange, in a folder of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("../../dist/cli/bin.js", import.meta.url));

export const ACCOUNT = { name: "main", key: "k".repeat(18), secret: "s".repeat(36), ips: ["127.0.0.1"] };

/** Resolves when the sidecar has looked at everything and notices a missing stop as it is pushed. */
export async function startSidecar({ restUrl, wsUrl }, config) {
  const folder = await mkdtemp(join(tmpdir(), "backstop-bench-"));
  const file = join(folder, "backstop.json");
  const { name, key, secret } = ACCOUNT;
  const accounts = [{ name, environment: "custom", restUrl, wsUrl, key, secret }];
  await writeFile(file, JSON.stringify({ accounts, ...config }), { mode: 0o600 });
  const child = spawn(process.execPath, [PROGRAM, "run", "--config", file], { stdio: ["ignore", "inherit", "pipe"] });
  const lines = await untilWatching(child);
  return {
    lines,
    stop: async () => {
      const gone = once(child, "exit");
      child.kill("SIGTERM");
      const [code] = await gone;
      await rm(folder, { recursive: true, force: true });
      return code;
    },
  };
}

/** As the program says it in its log. */
const WATCHING = "a missing stop is noticed as it is pushed";

/** The log lines so far, and those to come. */
async function untilWatching(child) {
  const lines = [];
  let rest = "";
  let hasEnded = false;
  let roused = () => undefined;
  child.stderr.setEncoding("utf8").on("data", (part) => {
    const found = (rest + part).split("\n");
    rest = found.pop();
    lines.push(...found);
    roused();
  });
  // Its last lines are read by then.
  child.once("close", () => {
    hasEnded = true;
    roused();
  });
  while (!lines.some((line) => line.includes(WATCHING))) {
    if (hasEnded) throw new Error(`the sidecar ended before it watched: ${[...lines, rest].join("\n")}`);
    await new Promise((resolve) => {
      roused = resolve;
    });
  }
  return lines;
}
