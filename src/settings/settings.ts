/** Validated settings, and how they are made of a config that passed every check. */
import { dirname, resolve } from "node:path";
import type { Category } from "../domain/position.js";
import type { Policy, Protection, ProtectionOverrides, Rule, RuleMatch, TakeProfitWish } from "../policy/protection.js";
import { fractionOf, multipleOf } from "./levels.js";
import { showValue } from "./problems.js";
import type { AccountDocument, ConfigDocument, ProtectionDocument, RuleDocument } from "./schema.js";

export interface Settings {
  /** The config file, absolute. */
  readonly file: string;
  /** Only the selected ones; at least one. */
  readonly accounts: readonly AccountSettings[];
  /** Every account of the config, also those that were not selected. */
  readonly accountNames: readonly string[];
  readonly policy: Policy;
  /** node-cron, seconds first. */
  readonly sweep: { readonly cron: string };
  /** Per account; `ipShare` above 0 and below 1. */
  readonly budget: { readonly writesPerSecond: number; readonly ipShare: number };
  /** `file:` with an absolute path, or `postgres://…` (may hold a password). */
  readonly ledger: { readonly url: string };
  readonly intents: { readonly file: string } | null;
  readonly http: { readonly host: string; readonly port: number; readonly tokenFile: string } | null;
  readonly heartbeat: { readonly url: string } | null;
  /** Absolute: the ledger file's folder, else `state` beside the config. */
  readonly stateDir: string;
  /** What is allowed and can hardly be meant, each in one sentence. */
  readonly warnings: readonly string[];
}

export interface AccountSettings {
  readonly name: string;
  readonly environment: "mainnet" | "testnet" | "demo" | "custom";
  /** As bybit-api's apiRegion. */
  readonly region: AccountDocument["region"];
  /** With environment custom, and only then. */
  readonly restUrl?: string;
  readonly wsUrl?: string;
  readonly key: string;
  readonly secret: string;
  readonly categories: readonly Category[];
  readonly allowPermissions: readonly string[];
  readonly copyTradingMaster: boolean;
}

/** The account as configured, with its key and secret filled in. */
export function accountSettings(account: AccountDocument, key: string, secret: string): AccountSettings {
  return { ...withoutUndefined(account), key, secret };
}

export function buildSettings(file: string, document: ConfigDocument, accounts: readonly AccountSettings[]): Settings {
  const folder = dirname(file);
  const { intents, http, heartbeat } = document;
  return {
    file,
    accounts,
    accountNames: document.accounts.map(({ name }) => name),
    policy: policyOf(document),
    sweep: document.sweep,
    budget: {
      writesPerSecond: document.budget.writesPerSecond,
      ipShare: fractionOf(document.budget.ipShare).toNumber(),
    },
    ledger: { url: ledgerUrlOf(file, document) },
    intents: intents === undefined ? null : { file: resolve(folder, intents.file) },
    http: http === undefined ? null : { host: http.host, port: http.port, tokenFile: resolve(folder, http.tokenFile) },
    heartbeat: heartbeat ?? null,
    stateDir: stateDirOf(file, document),
    warnings: strangerWarnings(document),
  };
}

const GLOB = /[*?[{(!]/;

/** A rule for an account that there is not never applies; a glob may be meant for those to come. */
function strangerWarnings({ accounts, rules }: ConfigDocument): readonly string[] {
  const names = accounts.map(({ name }) => name);
  return rules.flatMap(({ match: { account } }, index) => {
    if (account === undefined || GLOB.test(account) || names.includes(account.toLowerCase())) return [];
    const key = `rules[${index}].match.account`;
    return [
      `${key}: ${showValue([], account)} is no account of this config (${names.join(", ")}): the rule never applies`,
    ];
  });
}

/** The ledger file's folder, else `state` beside the config; absolute. */
export function stateDirOf(file: string, document: ConfigDocument): string {
  const ledgerFile = ledgerFileOf(file, document);
  return ledgerFile === null ? resolve(dirname(file), "state") : dirname(ledgerFile);
}

/** Of a file: with its absolute path. */
export function ledgerUrlOf(file: string, document: ConfigDocument): string {
  const ledgerFile = ledgerFileOf(file, document);
  return ledgerFile === null ? document.ledger.url : `file:${ledgerFile}`;
}

/** Null: the ledger is a database elsewhere. */
function ledgerFileOf(file: string, { ledger }: ConfigDocument): string | null {
  return ledger.url.startsWith("file:") ? resolve(dirname(file), ledger.url.slice("file:".length)) : null;
}

/** What must never be printed: keys, secrets, and URLs that give access by themselves. */
export function secretsOf({ accounts, ledger, heartbeat }: Settings): string[] {
  const keys = accounts.flatMap(({ key, secret, restUrl = "", wsUrl = "" }) => [
    key,
    secret,
    ...tokensIn(restUrl),
    ...tokensIn(wsUrl),
  ]);
  return [...keys, ...urlSecretsOf({ ledgerUrl: ledger.url, heartbeatUrl: heartbeat?.url })];
}

/** Those that are had without any account. */
export function urlSecretsOf(urls: {
  readonly ledgerUrl: string;
  readonly heartbeatUrl: string | undefined;
}): string[] {
  return [...passwordsIn(urls.ledgerUrl), ...(urls.heartbeatUrl === undefined ? [] : [urls.heartbeatUrl])];
}

/**
 * As it stands in the URL, and as it is meant. Drivers take more than URLs: a password with an @ in it, one before no
 * host, one behind the question mark.
 */
export function passwordsIn(url: string): string[] {
  const [, before = ""] = /^\w+:\/\/[^:/?#]*:(.*)@/s.exec(url) ?? [];
  const [, behind = ""] = /[?&]password=([^&#]*)/.exec(url) ?? [];
  return [before, behind].filter((one) => one !== "").flatMap((one) => [one, meant(one)]);
}

/** A proxy's address may hold a token behind the question mark, whatever that is called. */
function tokensIn(url: string): string[] {
  const [, query = ""] = /\?([^#]*)/.exec(url) ?? [];
  const values = query.split("&").map((pair) => pair.slice(pair.indexOf("=") + 1));
  return values.filter((one) => one !== "").flatMap((one) => [one, meant(one)]);
}

/** A % that begins no character is meant as it is. */
function meant(inUrl: string): string {
  try {
    return decodeURIComponent(inUrl);
  } catch {
    return inUrl;
  }
}

function policyOf(document: ConfigDocument): Policy {
  const defaults = protectionOf(document.protection);
  const rules = document.rules.map((rule, index) => ruleOf(rule, index, defaults));
  return { scope: document.scope, defaults, rules };
}

function protectionOf(protection: ProtectionDocument): Protection {
  const { stopLoss, takeProfit, liquidationBuffer, ...plain } = protection;
  return {
    ...plain,
    stopLoss: stopLoss ? { distance: fractionOf(stopLoss.distance), triggerBy: stopLoss.triggerBy } : null,
    takeProfit: takeProfit
      ? { distance: takeProfitDistance(takeProfit.distance), triggerBy: takeProfit.triggerBy }
      : null,
    liquidationBuffer: fractionOf(liquidationBuffer),
  };
}

function takeProfitDistance(text: string): TakeProfitWish["distance"] {
  const multiple = multipleOf(text);
  if (multiple !== null) return { kind: "risk-multiple", multiple };
  return { kind: "fraction", fraction: fractionOf(text) };
}

function ruleOf(rule: RuleDocument, index: number, defaults: Protection): Rule {
  const { match, ignore, ...overrides } = rule;
  const matched: RuleMatch = withoutUndefined(match);
  return {
    name: `rules[${index}]`,
    match: matched,
    ignore: ignore ?? false,
    overrides: overridesOf(overrides, defaults),
  };
}

/** Where there is no default to merge into, an override is made whole here: the same trigger as a default would have. */
function overridesOf(rule: Omit<RuleDocument, "match" | "ignore">, defaults: Protection): ProtectionOverrides {
  const { stopLoss, takeProfit, liquidationBuffer, ...plain } = rule;
  return {
    ...withoutUndefined(plain),
    ...(liquidationBuffer === undefined ? {} : { liquidationBuffer: fractionOf(liquidationBuffer) }),
    ...(stopLoss === undefined ? {} : { stopLoss: stopLoss && stopOverride(stopLoss, defaults) }),
    ...(takeProfit === undefined ? {} : { takeProfit: takeProfit && takeProfitOverride(takeProfit, defaults) }),
  };
}

function stopOverride(stopLoss: NonNullable<RuleDocument["stopLoss"]>, defaults: Protection) {
  const triggerBy = stopLoss.triggerBy ?? (defaults.stopLoss === null ? ("MarkPrice" as const) : undefined);
  return {
    ...(stopLoss.distance === undefined ? {} : { distance: fractionOf(stopLoss.distance) }),
    ...(triggerBy === undefined ? {} : { triggerBy }),
  };
}

function takeProfitOverride(takeProfit: NonNullable<RuleDocument["takeProfit"]>, defaults: Protection) {
  const triggerBy = takeProfit.triggerBy ?? (defaults.takeProfit === null ? ("LastPrice" as const) : undefined);
  return {
    ...(takeProfit.distance === undefined ? {} : { distance: takeProfitDistance(takeProfit.distance) }),
    ...(triggerBy === undefined ? {} : { triggerBy }),
  };
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** An absent key and a key that holds undefined mean the same in the file, and different things to the type system. */
function withoutUndefined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, held]) => held !== undefined)) as Defined<T>;
}
