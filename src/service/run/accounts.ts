/** The accounts that the sidecar guards, as they come and go. */
import type { FillHistory } from "../../exchange/fills.js";
import type { GuardParts } from "../../sidecar/parts.js";
import type { AccountSettings } from "../../settings/index.js";
import { type Opened, openAccount, type Shared, type StrongKey } from "./account.js";

export interface Accounts {
  /** All that the settings name. */
  names(): readonly string[];
  /** By name, all that the settings name; null: a reload is opening it anew, and nobody looks at it meanwhile. */
  watched(): ReadonlyMap<string, Opened | null>;
  guards(): readonly GuardParts[];
  find(name: string): AccountSettings | null;
  fillsOf(name: string): FillHistory | null;
  /** Those that this process writes for. */
  written(): readonly string[];
  /** What is guarded already must not go out of sight: with a key that may do too much it is watched, unwritten. */
  open(account: AccountSettings): Promise<GuardParts>;
  /** After its guard has ended. */
  letGo(name: string): Promise<void>;
  /** `guardsEnded`: default: by now. */
  close(guardsEnded?: Promise<void>): Promise<void>;
}

/** @throws StartRefused where one account's key may do more than it should; then none is opened. */
export async function openAccounts(shared: Shared): Promise<Accounts> {
  const opened = new Map<string, Opened>();
  const open = async (account: AccountSettings, strongKey: StrongKey): Promise<GuardParts> => {
    const one = await openAccount(account, shared, strongKey);
    opened.set(account.name, one);
    return one.guard;
  };
  const ended = new Set<Opened>();
  /** Those that a reload has opened since are closed when it is asked for again. */
  const closeAll = async (guardsEnded?: Promise<void>): Promise<void> => {
    const left = [...opened.values()].filter((one) => !ended.has(one));
    for (const one of left) ended.add(one);
    await Promise.all(left.map((one) => one.close(guardsEnded)));
  };
  const names = () => shared.current.settings.accounts.map(({ name }) => name);
  const opening = await Promise.allSettled(shared.current.settings.accounts.map((account) => open(account, "refused")));
  const refused = opening.find((result) => result.status === "rejected");
  if (refused !== undefined) {
    await closeAll();
    throw refused.reason;
  }
  return {
    names,
    watched: () => new Map(names().map((name) => [name, opened.get(name) ?? null])),
    guards: () => [...opened.values()].map(({ guard }) => guard),
    find: (name) => opened.get(name)?.account ?? null,
    fillsOf: (name) => opened.get(name)?.fills ?? null,
    written: () => [...opened.values()].filter((one) => one.isWriter()).map(({ account }) => account.name),
    open: (account) => open(account, "watched"),
    letGo: async (name) => {
      const one = opened.get(name);
      opened.delete(name);
      await one?.close();
    },
    close: closeAll,
  };
}
