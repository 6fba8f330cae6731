/** `backstop init`: a commented config that only reports, then a first audit with it. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, relative, resolve } from "node:path";
import { initConfigText, SettingsError } from "../settings/index.js";
import { audit } from "./audit.js";
import type { Console } from "./console.js";
import type { CommonOptions } from "./context.js";
import { Refusal } from "./exit.js";

export async function init(options: CommonOptions, console: Console): Promise<number> {
  const asked = options.config ?? (process.env["BACKSTOP_CONFIG"] || "config/backstop.yaml");
  const file = resolve(process.cwd(), asked);
  const shown = relative(process.cwd(), file) || file;
  await writeNew(file, shown);
  console.err(`Wrote ${shown}: it only reports (mode: report-only) until you change it.\n`);
  try {
    const code = await audit({ ...options, config: file, failOn: "never" }, console);
    console.err(
      "Next: set protection.stopLoss and protection.mode there, then run: npx bybit-backstop protect --dry-run\n",
    );
    return code === 1 ? 1 : 0;
  } catch (error) {
    if (!(error instanceof Refusal) || error.cause instanceof SettingsError) throw error;
    console.err(`${error.message}\nThen run: npx bybit-backstop audit\n`);
    return 0;
  }
}

async function writeNew(file: string, shown: string): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, initConfigText(), { flag: "wx" });
  } catch (error) {
    const exists = error instanceof Error && "code" in error && error.code === "EEXIST";
    const why = exists ? "exists already and is left as it is" : "cannot be written";
    throw new Refusal(`${shown} ${why}; name another file with --config, or run: npx bybit-backstop audit`);
  }
}
