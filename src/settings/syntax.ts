/** What is wrong with a text that is no YAML, in our own words: the parser's messages quote it, and it may be a secret. */
import type { LineCounter, YAMLError } from "yaml";
import type { Problem } from "./problems.js";

export interface BrokenText {
  /** As the problems name the file. */
  readonly file: string;
  readonly text: string;
  readonly lines: LineCounter;
}

/** One problem per line: a bracket left open is told of by the parser once for every bracket around it. */
export function syntaxProblems(broken: BrokenText, errors: readonly YAMLError[]): readonly Problem[] {
  const ofLines = new Map<number, Problem>();
  for (const error of errors.toSorted((one, other) => rank(one) - rank(other) || one.pos[0] - other.pos[0])) {
    const { line, col } = broken.lines.linePos(error.pos[0]);
    if (!ofLines.has(line)) ofLines.set(line, { ...plainProblem(broken, error), line, column: col });
  }
  return [...ofLines.values()].sort((one, other) => (one.line ?? 0) - (other.line ?? 0));
}

function plainProblem({ file, text }: BrokenText, error: YAMLError): Problem {
  const what = `is not valid YAML here: ${openBracket(error, text) ?? SYNTAX[error.code] ?? "unexpected text"}`;
  return {
    file,
    line: null,
    column: null,
    key: "syntax",
    value: null,
    what,
    allowed: "YAML or JSON",
    suggestion: null,
  };
}

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

/** What else the parser says of the same line follows from it. */
function rank(error: YAMLError): number {
  return closingOf(error) === null ? 1 : 0;
}

/** The bracket that the parser misses; null: it is about something else. */
function closingOf({ message }: YAMLError): string | null {
  return /^Flow .* end with a ([}\]])/.exec(message)?.[1] ?? null;
}

function openBracket(error: YAMLError, text: string): string | null {
  const closing = closingOf(error);
  if (closing === null) return null;
  if (text[error.pos[0]] === closing)
    return `the closing ${closing} must be indented farther than the key it belongs to`;
  return `a ${closing === "}" ? "{" : "["} that was opened before is not closed; ${closing} is missing`;
}
