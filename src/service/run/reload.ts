/** Settings and keys read anew: when asked, and when the exchange refuses a key. */
import { isDeepStrictEqual } from "node:util";
import { compilePolicy } from "../../policy/resolve.js";
import { type Log, registerSecret } from "../../runtime/index.js";
import { type AccountSettings, type LoadOptions, secretsOf, type Settings } from "../../settings/index.js";
import { reloadSettings, renewKey } from "../../settings/reload.js";
import type { Sidecar } from "../../sidecar/sidecar.js";
import type { Current } from "./account.js";
import type { Accounts } from "./accounts.js";
import type { Operations } from "./operations.js";

export interface ReloadParts {
  /** Where the settings came from. */
  readonly from: LoadOptions;
  readonly log: Log;
  /** What the accounts go by. */
  readonly current: Current;
  readonly accounts: Accounts;
  readonly sidecar: Sidecar;
  readonly operations: Operations;
  readonly isClosing: () => boolean;
  /** A mistake of ours. */
  readonly failed: (error: unknown) => void;
}

type Cause = "asked" | { readonly refusedKeyOf: string };

export interface Reloads {
  ask(): void;
  /** Nothing is taken over any more; resolves when what was under way has let go. */
  close(): Promise<void>;
}

export function followReloads(given: Omit<ReloadParts, "isClosing">): Reloads {
  let isClosing = false;
  const parts: ReloadParts = { ...given, isClosing: () => isClosing };
  let { settings } = parts.current;
  let running: Promise<void> = Promise.resolve();
  const afterThose = async (before: Promise<void>, cause: Cause): Promise<void> => {
    await before;
    try {
      settings = await reloaded(settings, cause, parts);
    } catch (error) {
      const isUnguarded = settings.accounts.some(({ name }) => parts.accounts.find(name) === null);
      const outcome = isUnguarded ? "an account is guarded by nobody now" : "everything goes on as it was";
      parts.log.error({ err: error }, `a bug while the config was read anew; ${outcome}`);
      if (isUnguarded) parts.failed(error);
    }
  };
  const reload = (cause: Cause): void => {
    running = afterThose(running, cause);
  };
  parts.operations.onKeyRefused((account) => reload({ refusedKeyOf: account }));
  return {
    ask: () => reload("asked"),
    close: () => {
      isClosing = true;
      return running;
    },
  };
}

/** Whole or not at all: what cannot be read leaves everything as it is. For a refused key only that key is taken over. */
async function reloaded(previous: Settings, cause: Cause, parts: ReloadParts): Promise<Settings> {
  if (parts.isClosing()) return previous;
  const { log, from, operations, sidecar, current } = parts;
  const isAsked = cause === "asked";
  const reload = isAsked ? await reloadSettings(previous, from) : await renewKey(previous, cause.refusedKeyOf, from);
  if (reload.kind === "refused") {
    log.error(`the config was not taken over; everything stays as it is: ${reload.error.message}`);
    return previous;
  }
  if (!isAsked && reload.changes.length === 0) return previous;
  operations.notifier.reloading();
  const next = reload.applicable;
  for (const secret of secretsOf(reload.settings)) registerSecret(secret);
  for (const { text, needsRestart } of reload.changes) {
    log[needsRestart ? "warn" : "info"](needsRestart ? `${text} (takes hold after a restart)` : text);
  }
  current.settings = next;
  current.policyOf = compilePolicy(next.policy);
  await exchangeAccounts(previous, next, parts);
  if (parts.isClosing()) return next;
  sidecar.reschedule(next.sweep.cron);
  sidecar.sweep();
  const what = isAsked ? "the config" : "the refused key";
  log.info({ changes: reload.changes.length }, `${what} was read anew`);
  operations.notifier.ready();
  return next;
}

/** An account whose connection differs is opened anew; the others go on undisturbed. */
async function exchangeAccounts(previous: Settings, next: Settings, parts: ReloadParts): Promise<void> {
  const hasNewBudget = !isDeepStrictEqual(previous.budget, next.budget);
  const stays = ({ name }: AccountSettings) => {
    const wanted = next.accounts.find((account) => account.name === name);
    return wanted !== undefined && !hasNewBudget && isDeepStrictEqual(wanted, parts.accounts.find(name));
  };
  const kept = new Set(previous.accounts.filter(stays).map(({ name }) => name));
  const changing = next.accounts.filter(({ name }) => !kept.has(name));
  const leaving = previous.accounts.filter(({ name }) => !kept.has(name) && !changing.some((one) => one.name === name));
  await Promise.all([
    ...leaving.map(({ name }) => letGo(name, parts)),
    ...changing.map(async (account) => {
      await letGo(account.name, parts);
      const guard = await parts.accounts.open(account);
      // Otherwise it would go on by itself: what guards it is closed already.
      if (!parts.isClosing()) parts.sidecar.add(guard);
    }),
  ]);
}

async function letGo(name: string, { accounts, sidecar }: ReloadParts): Promise<void> {
  await sidecar.remove(name);
  await accounts.letGo(name);
}
