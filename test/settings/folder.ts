/** A throwaway folder with config and secret files in it, and the loader pointed at it. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { type LoadOptions, loadSettings, type Settings, SettingsError } from "../../src/settings/index.js";

export const CANARY_KEY = "CanaryKey000000001";
export const CANARY_SECRET = "CanarySecret00000000000000000000001A";
export const ENV: NodeJS.ProcessEnv = { MAIN_KEY: CANARY_KEY, MAIN_SECRET: CANARY_SECRET };

export const ACCOUNT = `accounts:
  - name: main
    environment: mainnet
    key: \${MAIN_KEY}
    secret: \${MAIN_SECRET}
`;
export const STOP = `protection:
  stopLoss: { distance: 2% }
`;

export function folder(files: Record<string, string>, modes: Record<string, number> = {}): string {
  const path = mkdtempSync(join(tmpdir(), "backstop-settings-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    const file = join(path, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    chmodSync(file, modes[name] ?? 0o600);
  }
  return path;
}

type More = Partial<LoadOptions> & { files?: Record<string, string>; modes?: Record<string, number> };

export async function load(config: string, more: More = {}): Promise<Settings> {
  const { files = {}, modes = {}, ...options } = more;
  const cwd = folder({ "config/backstop.yaml": config, ...files }, modes);
  return loadSettings({ file: undefined, env: ENV, cwd, ...options });
}

/** The refusal's message and problems; fails where the config is accepted. */
export async function refusal(config: string, more: More = {}): Promise<SettingsError> {
  const outcome = await load(config, more).catch((error: unknown) => error);
  if (outcome instanceof SettingsError) return outcome;
  throw outcome instanceof Error ? outcome : new Error("the config was accepted");
}
