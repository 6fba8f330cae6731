/** Options that the caller meant otherwise are refused, as a config is: a program that is not typed can pass anything. */
import { didYouMean, type Problem, SettingsError } from "../settings/index.js";
import type { Options } from "./options.js";

const KNOWN = ["config", "accounts", "env", "cwd", "log"];

/**
 * A misspelt dry run would write, and a list of accounts from which all were sorted out would mean all of them.
 * @throws SettingsError
 */
export function fitting<T extends Options & { readonly dryRun?: boolean }>(options: T, own: readonly string[]): T {
  const problems: Problem[] = [];
  const known = [...KNOWN, ...own];
  for (const name of Object.keys(options)) {
    if (!known.includes(name))
      problems.push({
        ...problem(name, "is an unknown option", known.join(", ")),
        suggestion: didYouMean(name, known),
      });
  }
  const { accounts, dryRun } = options;
  if (accounts !== undefined && !isListOfNames(accounts))
    problems.push(problem("accounts", "is no list of names", "a list with at least one account's name"));
  if (dryRun !== undefined && typeof dryRun !== "boolean")
    problems.push(problem("dryRun", "is neither true nor false", "true, false"));
  if (problems.length > 0) throw new SettingsError(problems);
  return options;
}

function problem(key: string, what: string, allowed: string): Problem {
  return { file: "options", line: null, column: null, key, value: null, what, allowed, suggestion: null };
}

function isListOfNames(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === "string");
}
