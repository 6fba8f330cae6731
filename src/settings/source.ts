/** The config file as text: where it is, what it says, and where in it each key stands. */
import { isAbsolute, join, relative, resolve } from "node:path";
import { type Document, isMap, isNode, isPair, isScalar, LineCounter, parseDocument, type YAMLError } from "yaml";
import { type KeyPath, type Problem, pathText, SettingsError, showValue } from "./problems.js";
import { valueSource } from "./value.js";
import { readWhole, type Waiting } from "./whole-file.js";

const DEFAULT_FILE_NAME = "backstop.yaml";
const DEFAULT_FILE = join("config", DEFAULT_FILE_NAME);
/** A pipe, such as `<(…)` of a shell, has nothing beside it: its relative paths are below the current folder. */
const IN_NO_FOLDER = /^\/(dev|proc)\//;

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
  const path = resolveConfigPath(options.file, options.env, options.cwd);
  const shown = shownPath(path, options.cwd);
  const content = await readConfig(path, options.waiting).catch((error: unknown) => {
    throw new SettingsError([unreadable(shown, options, error)]);
  });
  const lines = new LineCounter();
  const document = parseDocument(content, { lineCounter: lines, prettyErrors: false });
  const broken = [...document.errors, ...document.warnings];
  if (broken.length > 0) throw new SettingsError(broken.map((error) => syntaxProblem(shown, lines, error)));
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
  const reason = code === "ERR_ENCODING_INVALID_ENCODED_DATA" ? "it is no UTF-8 text" : code;
  return {
    file: shown,
    line: null,
    column: null,
    key: namedBy(options),
    value: JSON.stringify(shown),
    what: missing ? "does not exist" : `cannot be read (${reason})`,
    allowed: missing
      ? "a YAML or JSON file; `npx bybit-backstop init` writes one to start from"
      : "a YAML or JSON file that this user may read",
    suggestion: null,
  };
}

function namedBy(options: SourceOptions): string {
  if (options.file !== undefined) return options.names?.file ?? "--config";
  return options.env["BACKSTOP_CONFIG"] ? "$BACKSTOP_CONFIG" : "config file";
}

/** Our own words: the parser's messages quote the text, and the text may be a secret. */
const SYNTAX: Partial<Record<YAMLError["code"], string>> = {
  BAD_ALIAS: "a value that starts with * must be quoted",
  BAD_DQ_ESCAPE: "a double-quoted value has an unknown escape; single quotes take a backslash as it is",
  BAD_INDENT: "the indentation does not fit",
  BAD_SCALAR_START: "a value starts with a character that needs quotes",
  BLOCK_IN_FLOW: "a nested mapping or list stands inside brackets",
  DUPLICATE_KEY: "the key stands twice",
  MISSING_CHAR: "a bracket, a quote, a colon or a comma is missing",
  MULTILINE_IMPLICIT_KEY: "a colon with a space after it is missing",
  MULTIPLE_DOCS: "the file holds more than one document",
  TAB_AS_INDENT: "a tab is used for indentation",
  TAG_RESOLVE_FAILED: "a value that starts with ! must be quoted",
};

function syntaxProblem(file: string, lines: LineCounter, error: YAMLError): Problem {
  const { line, col } = lines.linePos(error.pos[0]);
  const what = `is not valid YAML here: ${SYNTAX[error.code] ?? "unexpected text"}`;
  return { file, line, column: col, key: "syntax", value: null, what, allowed: "YAML or JSON", suggestion: null };
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

function problemsOf(document: Document, lines: LineCounter, file: string): Source["problem"] {
  return (path, what, allowed, more = {}) => {
    const node = more.at === "key" ? keyNode(document, path) : nearestNode(document, path);
    const place = node?.range ? lines.linePos(node.range[0]) : null;
    const value: unknown = document.hasIn(path) ? plain(document.getIn(path, true)) : undefined;
    return {
      file,
      line: place?.line ?? null,
      column: place?.col ?? null,
      key: pathText(path),
      value: value === undefined || path.length === 0 ? null : showValue(path, value),
      what,
      allowed,
      suggestion: more.suggestion ?? null,
    };
  };
}

function plain(node: unknown): unknown {
  if (isScalar(node)) return node.value;
  return isMap(node) ? {} : isNode(node) ? [] : node;
}

/** The value itself, or, where it is missing, the closest thing around it that exists. */
function nearestNode(document: Document, path: KeyPath) {
  for (let length = path.length; length >= 0; length -= 1) {
    const found: unknown = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    if (isNode(found)) return found;
  }
  return null;
}

function keyNode(document: Document, path: KeyPath) {
  const parent: unknown = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  if (!isMap(parent)) return null;
  const pair = parent.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === path.at(-1));
  return pair !== undefined && isNode(pair.key) ? pair.key : null;
}
