/** Runs the built program as its user would, against a simulated exchange on loopback. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Simulator } from "../../src/exchange/simulator/index.js";
import type { Report } from "../../src/report/index.js";

const inRoot = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** The built program, gathered into a few files (test/setup/gathered.ts). */
export const PROGRAM = inRoot(".gathered/cli/bin.js");
/** As it is installed. */
export const INSTALLED = inRoot("dist/cli/bin.js");

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Reading {
  /** The reader of the report goes away before anything is written, as `| head -0` does. */
  readonly closesStdout?: boolean;
  /** What is started; default: `PROGRAM`. */
  readonly program?: string;
}

/** A folder with a config, gone after `close`. */
export interface Workplace {
  readonly folder: string;
  readonly config: string;
  /** What the program needs to find the config. */
  readonly env: NodeJS.ProcessEnv;
  backstop(args: readonly string[], env?: NodeJS.ProcessEnv, reading?: Reading): Promise<Finished>;
  close(): Promise<void>;
}

export type ConfigParts = Readonly<Record<string, unknown>>;

export async function workplace(exchange: Simulator, parts: ConfigParts): Promise<Workplace> {
  const folder = await mkdtemp(join(tmpdir(), "backstop-test-"));
  const config = join(folder, "backstop.json");
  const accounts = exchange.accounts.map(({ name, key, secret }) => ({
    name,
    environment: "custom",
    restUrl: exchange.restUrl,
    wsUrl: exchange.wsUrl,
    key,
    secret,
  }));
  await writeFile(config, JSON.stringify({ accounts, ...parts }), { mode: 0o600 });
  const own = { BACKSTOP_CONFIG: config };
  return {
    folder,
    config,
    env: own,
    backstop: (args, env = {}, reading) => run(args, folder, { ...own, ...env }, reading),
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

export async function run(
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv,
  { closesStdout = false, program: file = PROGRAM }: Reading = {},
): Promise<Finished> {
  const program = spawn(process.execPath, [file, ...args], { cwd, env: { PATH: process.env["PATH"], ...env } });
  const texts = { stdout: "", stderr: "" };
  program.stdout.setEncoding("utf8").on("data", (text: string) => {
    texts.stdout += text;
  });
  program.stderr.setEncoding("utf8").on("data", (text: string) => {
    texts.stderr += text;
  });
  program.stdin.end();
  if (closesStdout) program.stdout.destroy();
  const [code] = (await once(program, "close")) as [number | null];
  return { code, ...texts };
}

export function reportIn({ stdout, stderr }: Finished): Report {
  try {
    return JSON.parse(stdout) as Report;
  } catch {
    throw new Error(`no JSON report on stdout: ${stdout.slice(0, 500)}\n${stderr.slice(0, 2_000)}`);
  }
}
