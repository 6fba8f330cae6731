/** A config that a program hands over as a value: the same keys as the file, and no place in a text. */
import { join } from "node:path";
import { type Problem, pathText, SettingsError, showValue } from "./problems.js";
import type { Source } from "./source.js";

/** Shown in place of a file. */
const NAME = "config";

/** Relative paths in it are below the folder. @throws SettingsError where it is no plain data */
export function valueSource(given: unknown, folder: string): Source {
  const value = copyOf(given);
  const problem: Source["problem"] = (path, what, allowed, more = {}) => {
    const found = path.reduce<unknown>(at, value);
    const shown = found === undefined || path.length === 0 ? null : showValue(path, found);
    return { ...placeless(pathText(path), what, allowed), value: shown, suggestion: more.suggestion ?? null };
  };
  return { path: join(folder, NAME), value, mayHoldKeys: true, problem };
}

/** What the program does with its value later on changes nothing here. */
function copyOf(given: unknown): unknown {
  try {
    return structuredClone(given);
  } catch {
    throw new SettingsError([
      placeless(NAME, "holds what is no plain data", "the same keys and values as in the file"),
    ]);
  }
}

function at(holder: unknown, part: string | number): unknown {
  if (typeof holder !== "object" || holder === null) return undefined;
  return Object.entries(holder).find(([key]) => key === String(part))?.[1];
}

function placeless(key: string, what: string, allowed: string): Problem {
  return { file: NAME, line: null, column: null, key, value: null, what, allowed, suggestion: null };
}
