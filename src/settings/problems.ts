/** What is wrong with a config, each with file, key, value and what is allowed; never with a secret in it. */
import { basename } from "node:path";
import { scrub } from "../runtime/secrets.js";

/** Keys and list indexes from the top of the file to the value. */
export type KeyPath = readonly (string | number)[];

export interface Problem {
  /** As the reader would type it: relative where it lies below the current folder. */
  readonly file: string;
  /** Counted from 1; null where the problem has no place in the text. */
  readonly line: number | null;
  readonly column: number | null;
  /** `protection.stopLoss.distance`, `accounts[0].key`, or the option or variable that was wrong. */
  readonly key: string;
  /** As written; null: the key is missing. Hidden where it is, or looks like, a secret. */
  readonly value: string | null;
  /** What is wrong, as the end of a sentence that starts with the key. */
  readonly what: string;
  readonly allowed: string;
  readonly suggestion: string | null;
}

/** Every problem of one load; the message is ready to print. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    // Once more for what a message could not know to be one: the secret itself, in the place of another key.
    super(scrub(printable(problems)));
    this.problems = problems;
  }
}

function printable(problems: readonly Problem[]): string {
  const lines = problems.map(sentence);
  return lines.length === 1 ? lines.join("") : [`${lines.length} problems:`, ...lines].join("\n");
}

function sentence(problem: Problem): string {
  const place = problem.line === null ? problem.file : `${problem.file}:${problem.line}:${problem.column ?? 1}`;
  const value = problem.value === null ? "" : ` ${problem.value}`;
  const suggestion = problem.suggestion === null ? "" : ` Did you mean ${problem.suggestion}?`;
  return `${place}: ${problem.key}:${value} ${problem.what}; allowed: ${problem.allowed}.${suggestion}`;
}

/** `["accounts", 0, "key"]` → `accounts[0].key`. */
export function pathText(path: KeyPath): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`;
    return text === "" ? part : `${text}.${part}`;
  }, "");
}

const HIDDEN = "(value hidden)";
const SECRET_NAME = /key|secret|token|pass|pwd|credential|sign/i;
/** The exchange's keys have 18 and its secrets 36 of these characters in a row; no value of this config has. */
const SECRET_SHAPE = /[A-Za-z0-9]{16,}/;
const VARIABLE_REFERENCE = /^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$/;
const LONGEST = 80;

/**
 * A value as a message may show it. Hidden: what stands under a key that holds or may hold a secret, and anything
 * shaped like one, because a secret in the wrong place is the very mistake a message would be about.
 */
export function showValue(path: KeyPath, value: unknown): string {
  const name = path.findLast((part) => typeof part === "string") ?? "";
  if (value === null || value === undefined) return "null";
  if (Array.isArray(value)) return "(a list)";
  if (typeof value === "object") return "(a mapping)";
  if (typeof value === "string" && isReference(value)) return JSON.stringify(shorten(value));
  const shown = typeof value === "string" ? withoutCredentials(value) : JSON.stringify(value);
  if (isSecretPlace(name, path) || SECRET_SHAPE.test(shown)) return HIDDEN;
  return typeof value === "string" ? JSON.stringify(shorten(shown)) : shown;
}

/** True for the two forms that point at a secret without being one. */
function isReference(value: string): boolean {
  if (value.startsWith("file:")) return showPath(value) === value;
  const name = VARIABLE_REFERENCE.exec(value)?.[1];
  return name !== undefined && showVariable(name) === name;
}

/** A variable's name, unless it looks like the secret itself, pasted between the braces. */
export function showVariable(name: string): string {
  return SECRET_SHAPE.test(name) && /[a-z]/.test(name) ? "(name hidden)" : shorten(name);
}

/** A secret file's path, unless the file's name looks like the secret itself, pasted behind `file:`. */
export function showPath(path: string): string {
  const name = basename(path).replace(/\$\{[A-Z_][A-Z0-9_]*\}/g, "");
  return SECRET_SHAPE.test(name) ? "(path hidden)" : path;
}

function isSecretPlace(name: string, path: KeyPath): boolean {
  if (pathText(path) === "heartbeat.url") return true;
  return SECRET_NAME.test(name) && name !== "tokenFile";
}

/**
 * `postgres://user:password@host` names a password in the middle of a harmless value, and so does what stands behind
 * a question mark. Up to the last @: a password may hold any letter, above all where it makes the value a wrong one.
 */
function withoutCredentials(value: string): string {
  return value.replace(/^([a-z+]*:(?:\/\/)?)?.*@/is, "$1(hidden)@").replace(/\?.*/s, "?(hidden)");
}

function shorten(value: string): string {
  return value.length > LONGEST ? `${value.slice(0, LONGEST)}…` : value;
}

/** An unknown key's own name; a forgotten space after the colon can make a secret part of it. */
export function showKey(name: string): string {
  return SECRET_SHAPE.test(name) && /[\d:]/.test(name) ? "(key hidden)" : shorten(name);
}

/** The candidate within two edits, if there is one; upper and lower case count as equal. */
export function didYouMean(given: string, candidates: readonly string[]): string | null {
  const nearest = candidates
    .map((candidate) => ({ candidate, edits: editDistance(given.toLowerCase(), candidate.toLowerCase()) }))
    .sort((first, second) => first.edits - second.edits)[0];
  const most = given.length <= 3 ? 1 : 2;
  return nearest !== undefined && nearest.edits <= most ? nearest.candidate : null;
}

function editDistance(first: string, second: string): number {
  let previous = Array.from({ length: second.length + 1 }, (_, index) => index);
  for (const [row, letter] of Array.from(first).entries()) {
    const current = [row + 1];
    for (const [column, other] of Array.from(second).entries()) {
      const replaced = (previous[column] ?? 0) + (letter === other ? 0 : 1);
      current.push(Math.min(replaced, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[second.length] ?? 0;
}
