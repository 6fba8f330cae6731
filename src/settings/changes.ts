/** What differs between two settings, in words for a person; of what gives access only that it changed. */
import { isDeepStrictEqual } from "node:util";
import { type Decimal, print } from "../domain/decimal.js";
import type { Policy, Protection, StopLossWish, TakeProfitWish } from "../policy/protection.js";
import type { AccountSettings, Settings } from "./settings.js";

export interface SettingsChange {
  /** `protection.mode: create-only → sync`, `account main: secret changed`. */
  readonly text: string;
  /** True: it takes hold only when the program is started again. */
  readonly needsRestart: boolean;
}

/** In the order of the config file; empty where both say the same. */
export function changesBetween(before: Settings, after: Settings): readonly SettingsChange[] {
  return [
    ...accountChanges(before.accounts, after.accounts),
    ...policyChanges(before.policy, after.policy),
    ...changed("sweep.cron", before.sweep.cron, after.sweep.cron),
    ...changed("budget.writesPerSecond", before.budget.writesPerSecond, after.budget.writesPerSecond),
    ...changed("budget.ipShare", before.budget.ipShare, after.budget.ipShare, AT_START),
    ...changed("ledger.url", before.ledger.url, after.ledger.url, HIDDEN_AND_AT_START),
    ...changed("intents.file", before.intents?.file ?? null, after.intents?.file ?? null),
    ...httpChanges(before.http, after.http),
    ...changed("heartbeat.url", before.heartbeat?.url ?? null, after.heartbeat?.url ?? null, HIDDEN_AND_AT_START),
  ];
}

/** Where an account's requests go: a connection that stands cannot be led elsewhere. */
const ADDRESS = ["environment", "region", "restUrl", "wsUrl"] as const;
const RIGHTS = ["categories", "allowPermissions", "copyTradingMaster"] as const;
const ACCESS = ["key", "secret"] as const;

export function isElsewhere(before: AccountSettings, after: AccountSettings): boolean {
  return ADDRESS.some((key) => before[key] !== after[key]);
}

function accountChanges(before: Settings["accounts"], after: Settings["accounts"]): readonly SettingsChange[] {
  const gone = before.filter(({ name }) => !after.some((account) => account.name === name));
  const lasting = after.flatMap((account) => {
    const earlier = before.find(({ name }) => name === account.name);
    return earlier === undefined ? [told(`account ${account.name}: added`)] : oneAccount(earlier, account);
  });
  return [...gone.map(({ name }) => told(`account ${name}: removed`)), ...lasting];
}

function oneAccount(before: AccountSettings, after: AccountSettings): readonly SettingsChange[] {
  const at = (key: keyof AccountSettings) => `account ${after.name}: ${key}`;
  return [
    // A URL may hold a token, so none is shown.
    ...ADDRESS.flatMap((key) => changed(at(key), before[key], after[key], HIDDEN_AND_AT_START)),
    ...ACCESS.flatMap((key) => changed(at(key), before[key], after[key], { show: () => null })),
    ...RIGHTS.flatMap((key) => changed(at(key), before[key], after[key])),
  ];
}

function policyChanges(before: Policy, after: Policy): readonly SettingsChange[] {
  const keys = Object.keys(after.defaults) as (keyof Protection)[];
  const counts = `${before.rules.length} before, ${after.rules.length} now`;
  return [
    ...changed("scope", before.scope, after.scope),
    ...keys.flatMap((key) => changed(`protection.${key}`, before.defaults[key], after.defaults[key])),
    ...(isDeepStrictEqual(before.rules, after.rules) ? [] : [told(`rules: changed (${counts})`)]),
  ];
}

function httpChanges(before: Settings["http"], after: Settings["http"]): readonly SettingsChange[] {
  if (before === null && after === null) return [];
  if (before === null || after === null) return [told(`http: ${after === null ? "removed" : "added"}`, true)];
  return [
    ...changed("http.host", before.host, after.host, AT_START),
    ...changed("http.port", before.port, after.port, AT_START),
    ...changed("http.tokenFile", before.tokenFile, after.tokenFile, AT_START),
  ];
}

type Value = string | number | boolean | null | undefined | readonly string[] | Decimal | StopLossWish | TakeProfitWish;

interface Telling {
  readonly needsRestart?: boolean;
  /** Null: only that it changed is told. */
  readonly show?: (value: Value) => string | null;
}

const AT_START: Telling = { needsRestart: true };
const HIDDEN_AND_AT_START: Telling = { needsRestart: true, show: () => null };

function changed(key: string, before: Value, after: Value, telling: Telling = {}): readonly SettingsChange[] {
  if (isDeepStrictEqual(before, after)) return [];
  const { needsRestart = false, show = valueText } = telling;
  const [from, to] = [show(before), show(after)];
  return [told(from === null || to === null ? `${key} changed` : `${key}: ${from} → ${to}`, needsRestart)];
}

function told(text: string, needsRestart = false): SettingsChange {
  return { text, needsRestart };
}

function valueText(value: Value): string {
  if (value === null || value === undefined) return "none";
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.join(", ");
  if (typeof value !== "object") return String(value);
  if ("distance" in value) return `${distanceText(value.distance)} by ${value.triggerBy}`;
  return "times" in value ? percentText(value) : "changed";
}

function distanceText(distance: StopLossWish["distance"] | TakeProfitWish["distance"]): string {
  if (!("kind" in distance)) return percentText(distance);
  return distance.kind === "fraction" ? percentText(distance.fraction) : `${print(distance.multiple)}R`;
}

function percentText(fraction: Decimal): string {
  return `${print(fraction.times(100))}%`;
}
