/** `backstop init`: a commented config that only reports, then a first audit with it. */
import { mkdir, stat, writeFile } from "node:fs/promises";
import { dirname, relative, resolve } from "node:path";
import { initConfigText, SettingsError, showValue, STARTER_ACCOUNT } from "../settings/index.js";
import { audit } from "./audit.js";
import type { Console } from "./console.js";
import type { CommonOptions } from "./context.js";
import { Refusal } from "./exit.js";

export async function init(options: CommonOptions, console: Console): Promise<number> {
  refuseOtherAccounts(options);
  const asked = options.config ?? (process.env["BACKSTOP_CONFIG"] || "config/backstop.yaml");
  if (asked === "") throw new Refusal('--config: "" names no file; allowed: the path of a file to be written');
  const file = resolve(process.cwd(), asked);
  const shown = relative(process.cwd(), file) || file;
  const audited = `npx bybit-backstop audit${configOption(options)}`;
  await writeNew(file, shown, audited);
  console.err(`Wrote ${shown}: it only reports (mode: report-only) until you change it.\n`);
  try {
    const code = await audit({ ...options, config: file, failOn: "never" }, console);
    const next = `npx bybit-backstop protect --dry-run${configOption(options)}`;
    console.err(`Next: set protection.stopLoss and protection.mode there, then run: ${next}\n`);
    return code === 1 ? 1 : 0;
  } catch (error) {
    if (!(error instanceof Refusal) || error.cause instanceof SettingsError) throw error;
    console.err(`${error.message}\nThen run: ${audited}\n`);
    return 0;
  }
}

/** Before anything is written: the audit that follows knows no other. */
function refuseOtherAccounts({ account = [] }: CommonOptions): void {
  const other = account.find((name) => name !== STARTER_ACCOUNT);
  if (other === undefined) return;
  const shown = showValue([], other);
  throw new Refusal(`--account: ${shown} is no account of the config that init writes; allowed: ${STARTER_ACCOUNT}`);
}

/** So that the command can be copied as it is told; what stands in the environment needs no option. */
function configOption({ config }: CommonOptions): string {
  if (config === undefined) return "";
  return /^[\w@%+=:,./-]+$/.test(config) ? ` --config ${config}` : ` --config '${config.replaceAll("'", "'\\''")}'`;
}

async function writeNew(file: string, shown: string, audited: string): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, initConfigText(), { flag: "wx" });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown reason";
    if (code === "EEXIST" && (await stat(file).catch(() => null)) !== null)
      throw new Refusal(
        `${shown} exists already and is left as it is; name another file with --config, or run: ${audited}`,
      );
    const elsewhere = 'npx bybit-backstop init --config "$HOME/backstop.yaml"';
    throw new Refusal(
      `${shown} cannot be written (${REASONS[code] ?? code}); name a file in a folder that this user may write to: ${elsewhere}`,
    );
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "EACCES, permission denied",
  EPERM: "EPERM, permission denied",
  EROFS: "EROFS, the file system is read-only",
  ENOTDIR: "ENOTDIR, its folder is a file",
  EEXIST: "EEXIST, its folder is a file",
  ENOSPC: "ENOSPC, the disk is full",
};
