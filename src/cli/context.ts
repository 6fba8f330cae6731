/** What every command that talks to an exchange starts from: settings, log and console. */
import {
  createLog,
  leavingOut,
  type Log,
  type LogLevel,
  type LogOptions,
  registeredSecrets,
  unblock,
} from "../runtime/index.js";
import { type Ground, layGround } from "../service/ground.js";
import { type LoadOptions, loadOutline, loadSettings, type Outline, SettingsError } from "../settings/index.js";
import type { Console } from "./console.js";
import { Refusal } from "./exit.js";

export interface CommonOptions {
  readonly config?: string;
  readonly account?: readonly string[];
  readonly logLevel: LogLevel;
}

export interface Context extends Ground {
  readonly console: Console;
}

/** `lasting`: for a command without an end, which a terminal that nobody reads must not stop. */
export async function openContext(options: CommonOptions, console: Console, lasting = false): Promise<Context> {
  const settings = await orRefusal(() => loadSettings(loadOptionsOf(options)));
  const log = logFor(options.logLevel, lasting ? unstoppable(process.stderr) : process.stderr);
  const ground = layGround({ settings, log, progress: (text) => console.progress(text) });
  return { ...ground, console };
}

/** `doctor` tells them as its own lines. */
export function logWarnings({ settings, log }: Context): void {
  for (const warning of settings.warnings) log.warn({ file: settings.file }, warning);
}

/** For commands that talk to no exchange, and so need no key. */
export function openOutline(options: CommonOptions): Promise<Outline> {
  return orRefusal(() => loadOutline(loadOptionsOf(options)));
}

export function loadOptionsOf({ config, account }: CommonOptions): LoadOptions {
  const accounts = account === undefined ? {} : { accounts: account };
  return { file: config, env: process.env, cwd: process.cwd(), ...accounts };
}

async function orRefusal<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if (error instanceof SettingsError) throw new Refusal(error.message);
    throw error;
  }
}

function unstoppable(stderr: NodeJS.WriteStream): LogOptions["stream"] {
  if (!stderr.isTTY) return stderr;
  unblock(stderr);
  return leavingOut(stderr);
}

export function logFor(level: LogLevel, stream: LogOptions["stream"] = process.stderr): Log {
  const { stderr, env } = process;
  return createLog({
    level,
    stream,
    pretty: stderr.isTTY,
    color: !env["NO_COLOR"],
    secrets: registeredSecrets,
  });
}
