/** What every command that talks to an exchange starts from: settings, log and console. */
import { createLog, type Log, type LogLevel, registeredSecrets, registerSecret } from "../runtime/index.js";
import { loadSettings, secretsOf, type Settings, SettingsError } from "../settings/index.js";
import type { Console } from "./console.js";
import { Refusal } from "./exit.js";

export interface CommonOptions {
  readonly config?: string;
  readonly account?: readonly string[];
  readonly logLevel: LogLevel;
}

export interface Context {
  readonly settings: Settings;
  readonly console: Console;
  readonly log: Log;
}

export async function openContext(options: CommonOptions, console: Console): Promise<Context> {
  const settings = await settingsOrRefusal(options);
  for (const secret of secretsOf(settings)) registerSecret(secret);
  return { settings, console, log: logFor(options.logLevel) };
}

async function settingsOrRefusal({ config, account }: CommonOptions): Promise<Settings> {
  try {
    const accounts = account === undefined ? {} : { accounts: account };
    return await loadSettings({ file: config, env: process.env, cwd: process.cwd(), ...accounts });
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
