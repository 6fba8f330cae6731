/** The config file as text: where it is, what it says, and where in it each key stands. */
import { isAbsolute, join, relative, resolve } from "node:path";
import { type Document, LineCounter, parseDocument } from "yaml";
import { problemsOf } from "./places.js";
import { type KeyPath, type Problem, SettingsError } from "./problems.js";
import { syntaxProblems } from "./syntax.js";
import { valueSource } from "./value.js";
import { readWhole, type Waiting } from "./whole-file.js";

const DEFAULT_FILE_NAME = "backstop.yaml";
const DEFAULT_FILE = join("config", DEFAULT_FILE_NAME);
/** What is open already, such as `<(…)` of a shell, has nothing beside it: its relative paths are below the current folder. */
const IN_NO_FOLDER = /^\/(dev\/(fd\/|stdin$)|proc\/[^/]+\/fd\/)/;

/** `--config`, else `$BACKSTOP_CONFIG`, else config/backstop.yaml; absolute. The file need not exist. */
export function resolveConfigPath(file: string | undefined, env: NodeJS.ProcessEnv, cwd: string): string {
  const fromEnv = env["BACKSTOP_CONFIG"];
  return resolve(cwd, file ?? (fromEnv === undefined || fromEnv === "" ? DEFAULT_FILE : fromEnv));
}

export interface Source {
  /** Absolute; what its relative paths are beside. */
  readonly path: string;
  /** Plain values as written: before defaults, before any variable is filled in. */
  readonly value: unknown;
  /** A program hands over its keys as it likes; a file is copied and sent around, and so holds none. */
  readonly mayHoldKeys: boolean;
  /** A problem with what stands at the path; `at: "key"` where the key itself is wrong. */
  problem(path: KeyPath, what: string, allowed: string, more?: ProblemDetail): Problem;
}

export interface ProblemDetail {
  readonly at?: "key" | "value";
  readonly suggestion?: string | null;
}

export interface SourceOptions {
  readonly file: string | undefined;
  /** In place of a file: the same as a value, its relative paths below `cwd`. */
  readonly value?: unknown;
  /** How a message calls what names the file and the accounts; default: the options of the command line. */
  readonly names?: { readonly file: string; readonly accounts: string };
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Given: a file that was written to a moment ago is waited for. */
  readonly waiting?: Waiting;
}

/** @throws SettingsError when the file cannot be read or is no YAML; then nothing else could be checked. */
export async function readSource(options: SourceOptions): Promise<Source> {
  if (options.value !== undefined) return valueSource(options.value, options.cwd);
  if (options.file === "") throw new SettingsError([unnamed(options)]);
  const path = resolveConfigPath(options.file, options.env, options.cwd);
  const shown = shownPath(path, options.cwd);
  const content = await readConfig(path, options.waiting).catch((error: unknown) => {
    throw new SettingsError([unreadable(shown, options, error)]);
  });
  const lines = new LineCounter();
  const document = parseDocument(content, { lineCounter: lines, prettyErrors: false });
  const broken = [...document.errors, ...document.warnings];
  if (broken.length > 0) throw new SettingsError(syntaxProblems({ file: shown, text: content, lines }, broken));
  const value = plainValue(document, shown);
  const placed = IN_NO_FOLDER.test(path) ? resolve(options.cwd, DEFAULT_FILE_NAME) : path;
  return { path: placed, value, mayHoldKeys: false, problem: problemsOf(document, lines, shown) };
}

async function readConfig(path: string, waiting: Waiting | undefined): Promise<string> {
  return new TextDecoder("utf-8", { fatal: true }).decode(await readWhole(path, waiting));
}

function shownPath(path: string, cwd: string): string {
  const below = relative(cwd, path);
  return below === "" || below.startsWith("..") || isAbsolute(below) ? path : below;
}

function unreadable(shown: string, options: SourceOptions, error: unknown): Problem {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const missing = code === "ENOENT";
  const allowed = missing
    ? "a YAML or JSON file; `npx bybit-backstop init` writes one to start from"
    : "a YAML or JSON file that this user may read";
  const what = missing ? "does not exist" : `cannot be read (${UNREADABLE[code] ?? code})`;
  return { ...ofTheFile(shown, options), value: JSON.stringify(shown), what, allowed };
}

const UNREADABLE: Readonly<Record<string, string>> = {
  EISDIR: "it is a folder",
  EACCES: "permission denied",
  ERR_ENCODING_INVALID_ENCODED_DATA: "it is no UTF-8 text",
};

/** An empty path would be taken for the current folder. */
function unnamed(options: SourceOptions): Problem {
  const allowed = "the path of a YAML or JSON file";
  return { ...ofTheFile("config", options), value: '""', what: "names no file", allowed };
}

function ofTheFile(file: string, options: SourceOptions): Omit<Problem, "value" | "what" | "allowed"> {
  return { file, line: null, column: null, key: namedBy(options), suggestion: null };
}

function namedBy(options: SourceOptions): string {
  if (options.file !== undefined) return options.names?.file ?? "--config";
  return options.env["BACKSTOP_CONFIG"] ? "$BACKSTOP_CONFIG" : "config file";
}

function plainValue(document: Document, file: string): unknown {
  try {
    return document.toJS();
  } catch {
    const what = "uses an alias (*name) that has no anchor, or too many of them";
    const allowed = "quotes around a value that starts with *";
    throw new SettingsError([
      { file, line: null, column: null, key: "syntax", value: null, what, allowed, suggestion: null },
    ]);
  }
}
