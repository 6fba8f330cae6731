/** Key and secret: taken from the environment or from a file that nobody else can read; never from the config itself. */
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { resolve } from "node:path";
import { showVariable } from "./problems.js";

export type Resolved = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly what: string };

const VARIABLE = /\$\{([^}]*)\}/g;
const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const LARGEST_FILE_BYTES = 65_536;
const OTHERS_ANY_OR_GROUP_WRITE = 0o027;

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
  return readSecretFile(resolve(folder, expanded.text.slice("file:".length)));
}

async function readSecretFile(path: string): Promise<Resolved> {
  let handle: FileHandle;
  try {
    // Non-blocking, so that a pipe without a writer is refused below instead of waited for.
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    return { ok: false, what: `names a file that cannot be read: ${path} (${codeOf(error)})` };
  }
  try {
    return await readChecked(handle, path);
  } catch (error) {
    return { ok: false, what: `names a file that cannot be read: ${path} (${codeOf(error)})` };
  } finally {
    await handle.close();
  }
}

/** Judges the opened file and not its name: mounted secrets are symlinks that are swapped while we look. */
async function readChecked(handle: FileHandle, path: string): Promise<Resolved> {
  const facts = await handle.stat();
  if (!facts.isFile() || facts.size > LARGEST_FILE_BYTES) {
    return { ok: false, what: `names ${path}, which is no small plain file` };
  }
  if ((facts.mode & OTHERS_ANY_OR_GROUP_WRITE) !== 0) {
    const mode = (facts.mode & 0o777).toString(8).padStart(4, "0");
    return { ok: false, what: `names ${path} with mode ${mode}, open to others; chmod 600 or 640 closes it` };
  }
  const user = process.getuid?.();
  if (user !== undefined && facts.uid !== user && facts.uid !== 0) {
    return { ok: false, what: `names ${path}, owned by user ${facts.uid}; it must belong to user ${user} or to root` };
  }
  const text = (await handle.readFile("utf8")).replace(/[\r\n]+$/, "");
  return text === "" ? { ok: false, what: `names ${path}, which is empty` } : { ok: true, text };
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown reason";
}
