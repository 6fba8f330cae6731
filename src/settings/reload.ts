/** The config read anew while the program runs: taken whole, or refused whole while the settings before it stay. */
import { systemClock } from "../runtime/index.js";
import { changesBetween, isElsewhere, type SettingsChange } from "./changes.js";
import { type LoadOptions, loadSettings } from "./load.js";
import { SettingsError } from "./problems.js";
import type { Settings } from "./settings.js";

export type { SettingsChange } from "./changes.js";

export type Reload =
  | {
      readonly kind: "reloaded";
      /** As the config says now; their secrets are not registered yet. */
      readonly settings: Settings;
      /** The same, but for what needs a restart, which is as it was. */
      readonly applicable: Settings;
      readonly changes: readonly SettingsChange[];
    }
  /** The message is the one that a start with this config would end with. */
  | { readonly kind: "refused"; readonly error: SettingsError };

/**
 * Secret files and variables are read again too. `options` are those of the start; a config that is just being written is
 * waited for, which nobody has to do for a start.
 */
export async function reloadSettings(previous: Settings, options: LoadOptions): Promise<Reload> {
  try {
    const settings = await loadSettings({ waiting: systemClock, ...options });
    const changes = changesBetween(previous, settings);
    return { kind: "reloaded", settings, applicable: withoutRestart(previous, settings), changes };
  } catch (error) {
    if (error instanceof SettingsError) return { kind: "refused", error };
    throw error;
  }
}

/** Of a config that nobody has asked to take over: the account's key as it says now, and nothing else. */
export async function renewKey(previous: Settings, account: string, options: LoadOptions): Promise<Reload> {
  const reload = await reloadSettings(previous, options);
  if (reload.kind === "refused") return reload;
  const renewed = reload.applicable.accounts.find(({ name }) => name === account);
  const accounts = previous.accounts.map((before) =>
    before.name === account && renewed !== undefined ? { ...before, key: renewed.key, secret: renewed.secret } : before,
  );
  const settings = { ...previous, accounts };
  return { kind: "reloaded", settings, applicable: settings, changes: changesBetween(previous, settings) };
}

/** An account that moved elsewhere stays whole as it was: its new key belongs to the new place. */
function withoutRestart(previous: Settings, next: Settings): Settings {
  const accounts = next.accounts.map((account) => {
    const before = previous.accounts.find(({ name }) => name === account.name);
    return before !== undefined && isElsewhere(before, account) ? before : account;
  });
  const budget = { ...next.budget, ipShare: previous.budget.ipShare };
  const { ledger, stateDir, http, heartbeat } = previous;
  return { ...next, accounts, budget, ledger, stateDir, http, heartbeat };
}
