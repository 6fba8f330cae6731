/** The project's own files as text, and what a source file imports. */
import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));

export interface SourceFile {
  /** From the project's folder, with forward slashes: `src/plan/guard.ts`. */
  readonly path: string;
  readonly text: string;
}

export interface Import {
  /** A path in the project (`src/domain/price.ts`) or a package as written. */
  readonly target: string;
  readonly names: readonly string[];
  readonly typeOnly: boolean;
}

export function filesBelow(folder: string, ending: RegExp): SourceFile[] {
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && ending.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length).replaceAll("\\", "/"))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
}

const COMMENT_OR_TEXT = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/g;

/** Only what runs: comments are gone and texts are empty, so that words in them count for nothing. */
export function codeOf(text: string): string {
  return text.replace(COMMENT_OR_TEXT, (found) => (found.startsWith("/") ? " " : '""'));
}

const IMPORT =
  /^(?:import|export)\s+(type\s+)?(?:([^;"']*?)\s+from\s+)?["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']/gm;

export function importsOf(file: SourceFile): Import[] {
  return [...file.text.matchAll(IMPORT)].map(([, type, clause = "", from, dynamic]) => {
    const names = clause
      .replace(/[{}]/g, " ")
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== "");
    const plainNames = names.map((name) => name.replace(/^type /, "").replace(/ as .*$/, ""));
    const allTypes = names.length > 0 && names.every((name) => name.startsWith("type "));
    const target = resolveTarget(file.path, from ?? dynamic ?? "");
    return { target, names: plainNames, typeOnly: type !== undefined || allTypes };
  });
}

function resolveTarget(importer: string, target: string): string {
  if (!target.startsWith(".")) return target;
  return posix.join(posix.dirname(importer), target).replace(/\.js$/, ".ts");
}
