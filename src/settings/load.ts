/** From a config file and the environment to settings, or to one refusal that names every problem. */
import { dirname } from "node:path";
import { registerSecret } from "../runtime/secrets.js";
import { crossProblems } from "./checks.js";
import { type KeyPath, type Problem, SettingsError, showValue } from "./problems.js";
import { resolveSecret } from "./secrets.js";
import {
  type AccountSettings,
  accountSettings,
  buildSettings,
  ledgerUrlOf,
  type Settings,
  stateDirOf,
  urlSecretsOf,
} from "./settings.js";
import { readShape, type Shape } from "./shape.js";
import { readSource, type Source, type SourceOptions } from "./source.js";

export interface LoadOptions extends SourceOptions {
  /** Names of the accounts to load; absent or empty: all. The others need no secret. */
  readonly accounts?: readonly string[];
}

/** @throws SettingsError with every problem that could be found */
export async function loadSettings(options: LoadOptions): Promise<Settings> {
  const source = await readSource(options);
  const shape = readShape(source, options.env);
  const selected = options.accounts ?? [];
  const accounts = await resolveAccounts(source, shape, selected, options.env);
  const problems = [
    ...shape.problems,
    ...crossProblems(source, shape),
    ...unknownAccounts(source, shape, options),
    ...accounts.problems,
  ];
  if (problems.length > 0 || shape.document === null) throw new SettingsError(inOrder(problems));
  return buildSettings(source.path, shape.document, accounts.settings);
}

/** What a config says without its keys. */
export interface Outline {
  /** The config file, absolute. */
  readonly file: string;
  /** As in `Settings`. */
  readonly stateDir: string;
  /** As in `Settings`: it may hold a password. */
  readonly ledgerUrl: string;
  /** Every account of the config, also those that were not asked for. */
  readonly accountNames: readonly string[];
}

/**
 * For commands that need no exchange: they must work where the keys cannot be had. Those that can be had are hidden
 * from here on, because what such a command is told may hold one. @throws SettingsError
 */
export async function loadOutline(options: LoadOptions): Promise<Outline> {
  const source = await readSource(options);
  const shape = readShape(source, options.env);
  await resolveAccounts(source, shape, [], options.env);
  const unknown = unknownAccounts(source, shape, options);
  const problems = [...shape.problems, ...crossProblems(source, shape), ...unknown];
  if (problems.length > 0 || shape.document === null) throw new SettingsError(inOrder(problems));
  const { path: file } = source;
  const { document } = shape;
  const accountNames = document.accounts.map(({ name }) => name);
  const ledgerUrl = ledgerUrlOf(file, document);
  for (const secret of urlSecretsOf({ ledgerUrl, heartbeatUrl: document.heartbeat?.url })) registerSecret(secret);
  return { file, stateDir: stateDirOf(file, document), ledgerUrl, accountNames };
}

interface ResolvedAccounts {
  readonly settings: readonly AccountSettings[];
  readonly problems: readonly Problem[];
}

/**
 * Also of accounts that are wrong otherwise, so that a missing variable is not found only in the next attempt. Those
 * that are not selected need no secret; what they have is hidden all the same.
 */
async function resolveAccounts(
  source: Source,
  shape: Shape,
  selected: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<ResolvedAccounts> {
  const settings: AccountSettings[] = [];
  const problems: Problem[] = [];
  const resolve = async (path: KeyPath, text: string | null, isNeeded: boolean): Promise<string | null> => {
    if (text === null) return null;
    const resolved = await resolveSecret(text, env, dirname(source.path));
    if (resolved.ok) {
      // Here and not only at the start: what comes next may be a message about a config that holds it twice.
      registerSecret(resolved.text);
      return resolved.text;
    }
    if (isNeeded) problems.push(source.problem(path, resolved.what, SECRET_SOURCES));
    return null;
  };
  for (const [index, texts] of shape.accountTexts.entries()) {
    const isSelected = selected.length === 0 || selected.some((name) => name === texts.name);
    const key = await resolve(["accounts", index, "key"], texts.key, isSelected);
    const secret = await resolve(["accounts", index, "secret"], texts.secret, isSelected);
    const account = shape.accounts[index] ?? null;
    if (isSelected && account !== null && key !== null && secret !== null)
      settings.push(accountSettings(account, key, secret));
  }
  return { settings, problems };
}

const SECRET_SOURCES =
  "${NAME} for a variable that is set, or file:PATH of a file that only its owner (and group) can read";

function unknownAccounts(source: Source, shape: Shape, { accounts = [], names }: LoadOptions): Problem[] {
  const known = shape.accountTexts.map(({ name }) => name).filter((name) => name !== null);
  return accounts
    .filter((name) => !known.includes(name))
    .map((name) => ({
      ...source.problem([], "is no account of this config", known.join(", ")),
      line: null,
      column: null,
      key: names?.accounts ?? "--account",
      value: showValue([], name),
    }));
}

/** One problem per key, the first found, in the order of the file. */
function inOrder(problems: readonly Problem[]): Problem[] {
  const first = new Map<string, Problem>();
  for (const problem of problems) {
    const isOfTheCall = problem.line === null;
    const id = isOfTheCall ? `${problem.key} ${problem.value}` : problem.key;
    if (!first.has(id)) first.set(id, problem);
  }
  return [...first.values()].sort((one, other) => (one.line ?? 0) - (other.line ?? 0));
}
