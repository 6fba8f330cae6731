/** Key and secret: taken from the environment or from a file that nobody else can read; never from the config itself. */
import { resolve } from "node:path";
import { readSecretFile } from "../runtime/secret-file.js";
import { showPath, showVariable } from "./problems.js";

export type Resolved = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly what: string };

const VARIABLE = /\$\{([^}]*)\}/g;
const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** True when the text points elsewhere and holds nothing secret itself. */
export function isReference(text: string): boolean {
  return text.startsWith("file:") || text.search(VARIABLE) >= 0;
}

/** Fills in every `${NAME}`; an unset or empty variable is named. */
export function expandVariables(text: string, env: NodeJS.ProcessEnv): Resolved {
  const missing: string[] = [];
  const expanded = text.replace(VARIABLE, (_whole, name: string) => {
    // A variable that was filled from a file often ends with its newline, as the file does.
    const value = VARIABLE_NAME.test(name) ? env[name]?.trim() : undefined;
    if (value === undefined || value === "") missing.push(name);
    return value ?? "";
  });
  if (missing.length === 0) return { ok: true, text: expanded };
  const names = missing.map((name) => `$${showVariable(name)}`).join(", ");
  return { ok: false, what: `names ${names}, which is not set or empty` };
}

/** `${NAME}`, `file:PATH` (relative to `folder`), or the text itself. */
export async function resolveSecret(text: string, env: NodeJS.ProcessEnv, folder: string): Promise<Resolved> {
  const expanded = expandVariables(text, env);
  if (!expanded.ok || !text.startsWith("file:")) return expanded;
  const path = resolve(folder, expanded.text.slice("file:".length));
  return readSecretFile(path, showPath(path));
}
