/** What one entry of the ledger says, in a sentence; a kind that nobody here knows says what its body says. */
import type { Entry } from "../../ledger/port.js";
import { type Body, bodyOf } from "./body.js";
import { DEED_FIELDS, deedText, whyText } from "./deed.js";

const LIFE_WORDS: Readonly<Record<string, string>> = {
  "life-seen": "is open",
  "life-opened": "has opened",
  "life-grew": "has grown",
  "life-shrank": "has shrunk",
  "life-flipped": "has flipped",
  "life-closed": "has closed",
};

const PLAIN_WORDS: Readonly<Record<string, string>> = {
  "intent-set": "an intent was set",
  "intent-bound": "an intent was taken up by the position",
  "intent-ended": "an intent has ended",
  "intent-expired": "an intent has expired",
  "intent-refused": "an intent was refused",
  "intent-cleared": "an intent was taken back",
  "writer-taken": "this process became the writer",
  "writer-lost": "this process is no longer the writer",
  pause: "writes were paused",
  resume: "writes were resumed",
};

const ANSWERS: Readonly<Record<string, string>> = {
  acknowledged: "acknowledged",
  refused: "refused",
  uncertain: "no certain answer",
  "not-sent": "not sent",
};

const OUTCOMES: Readonly<Record<string, string>> = {
  confirmed: "proven by a later read",
  refused: "refused",
  uncertain: "not proven",
  skipped: "skipped",
};

export function sentenceOf(entry: Entry): string {
  const body = bodyOf(entry);
  switch (entry.kind) {
    case "step-intended":
      return intended(body);
    case "step-answered":
      return `${deedText(body)}: ${answerText(body.text("answer"), body.text("detail"))}`;
    case "step-judged":
      return `${deedText(body)}: ${outcomeText(body.text("outcome"), body.text("detail"))}`;
    case "finding":
      return finding(body);
    default:
      return LIFE_WORDS[entry.kind] === undefined ? plain(entry, body) : life(LIFE_WORDS[entry.kind] ?? "", body);
  }
}

/** "refused: 10001, retCode text"; a word that is not known is given as it is. */
export function answerText(answer: string | null, detail: string | null): string {
  return withDetail(answer === null ? "no answer written" : (ANSWERS[answer] ?? answer), detail);
}

export function outcomeText(outcome: string | null, detail: string | null): string {
  return withDetail(outcome === null ? "no outcome written" : (OUTCOMES[outcome] ?? outcome), detail);
}

function withDetail(words: string, detail: string | null): string {
  return detail === null ? words : `${words}: ${detail}`;
}

function intended(body: Body): string {
  const by = body.text("by");
  const rest = body.rest([...DEED_FIELDS, "outcome"]);
  const parts = [whyText(body), by === null ? null : `by ${by}`, rest === "" ? null : rest];
  return `to ${deedText(body)}${listed(parts)}`;
}

function listed(parts: readonly (string | null)[]): string {
  const told = parts.filter((part) => part !== null);
  return told.length === 0 ? "" : `: ${told.join("; ")}`;
}

function finding(body: Body): string {
  const title = [body.text("severity"), body.text("code")].filter((part) => part !== null).join(" ");
  const rest = body.rest(["severity", "code", "message"]);
  return [title, body.text("message"), rest === "" ? null : rest]
    .filter((part) => part !== null && part !== "")
    .join(": ");
}

function life(words: string, body: Body): string {
  const by = body.text("by");
  const size = body.text("size");
  const rest = body.rest(["size", "by"]);
  return [words, size === null ? "" : `size ${size}`, by === null ? "" : `by ${by}`, rest]
    .filter((part) => part !== "")
    .join(", ");
}

function plain({ kind }: Entry, body: Body): string {
  const words = PLAIN_WORDS[kind];
  const rest = body.rest();
  if (words === undefined) return rest;
  return rest === "" ? words : `${words}: ${rest}`;
}
