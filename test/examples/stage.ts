/** A recipe laid out in a folder of its own, as its reader would have it, beside a simulated exchange. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { randomAccount, type Simulator, startSimulator } from "../../src/exchange/simulator/index.js";

export const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));

export interface Recipe {
  readonly folder: string;
  readonly simulator: Simulator;
  /** What the recipe's README exports. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs a program in the folder to its end. */
  run(program: string, args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ended>;
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where programs and what they import are found. */
const OWN = Object.fromEntries(["PATH", "HOME", "PYTHONPATH"].map((name) => [name, process.env[name]]));

export async function layOut(name: string): Promise<Recipe> {
  const simulator = await startSimulator({ seed: 5, accounts: [{ ...randomAccount("main"), ips: ["127.0.0.1"] }] });
  const folder = await mkdtemp(join(tmpdir(), "backstop-recipe-"));
  onTestFinished(async () => {
    await simulator.close();
    await rm(folder, { recursive: true, force: true });
  });
  await cp(join(REPOSITORY, "config/examples", name), folder, { recursive: true });
  const [account = { key: "", secret: "" }] = simulator.accounts;
  const env = {
    BYBIT_REST_URL: simulator.restUrl,
    BYBIT_WS_URL: simulator.wsUrl,
    BYBIT_API_KEY: account.key,
    BYBIT_API_SECRET: account.secret,
  };
  return { folder, simulator, env, run: (program, args, more = {}) => run(program, args, folder, { ...env, ...more }) };
}

/** What `npm install` would bring, without a network. */
export async function installInto(folder: string): Promise<void> {
  const modules = join(folder, "node_modules");
  await mkdir(join(modules, "@types"), { recursive: true });
  await symlink(REPOSITORY, join(modules, "bybit-backstop"));
  for (const name of ["bybit-api", "@types/node"]) {
    await symlink(join(REPOSITORY, "node_modules", name), join(modules, name));
  }
}

async function run(program: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<Ended> {
  const child = spawn(program, args, { cwd, env: { ...OWN, ...env } });
  const texts = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => void (texts.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => void (texts.stderr += text));
  child.stdin.end();
  const [code] = (await once(child, "close")) as [number | null];
  return { code, ...texts };
}

/** The JSON line that a bot printed last. */
export function lastLine({ stdout, stderr, code }: Ended): Readonly<Record<string, unknown>> {
  const line = stdout.trim().split("\n").at(-1) ?? "";
  if (!line.startsWith("{")) throw new Error(`ended with ${code} and no JSON line: ${stdout}\n${stderr}`);
  return JSON.parse(line) as Readonly<Record<string, unknown>>;
}

/** Null: it is there. Else why the tests that need it are skipped. */
export function missing(program: string, args: readonly string[], why: string): string | null {
  const tried = spawnSync(program, args, { stdio: "ignore", env: OWN });
  return tried.status === 0 ? null : why;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("a port has a number");
  return address.port;
}

export async function replaceIn(file: string, text: string, by: string): Promise<void> {
  const before = await readFile(file, "utf8");
  if (!before.includes(text)) throw new Error(`${file} does not say ${text} any more`);
  await writeFile(file, before.replace(text, by));
}
