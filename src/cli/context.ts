/** What every command that talks to an exchange starts from: settings, log and console. */
import { openPauses, type Pauses } from "../ledger/pauses.js";
import { createLog, type Log, type LogLevel, registeredSecrets, registerSecret } from "../runtime/index.js";
import {
  type LoadOptions,
  loadOutline,
  loadSettings,
  type Outline,
  secretsOf,
  type Settings,
  SettingsError,
} from "../settings/index.js";
import type { Console } from "./console.js";
import { Refusal } from "./exit.js";

export interface CommonOptions {
  readonly config?: string;
  readonly account?: readonly string[];
  readonly logLevel: LogLevel;
}

export interface Context {
  readonly settings: Settings;
  /** What somebody paused; asked right before every write. */
  readonly pauses: Pauses;
  readonly console: Console;
  readonly log: Log;
}

export async function openContext(options: CommonOptions, console: Console): Promise<Context> {
  const settings = await orRefusal(() => loadSettings(loadOptionsOf(options)));
  for (const secret of secretsOf(settings)) registerSecret(secret);
  const log = logFor(options.logLevel);
  const pauses = openPauses(settings.stateDir);
  const damage = pauses.damage();
  if (damage !== null) log.error(damage);
  return { settings, pauses, console, log };
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

export function logFor(level: LogLevel): Log {
  const { stderr, env } = process;
  return createLog({
    level,
    stream: stderr,
    pretty: stderr.isTTY,
    color: !env["NO_COLOR"],
    secrets: registeredSecrets,
  });
}
