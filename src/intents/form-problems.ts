/** What does not fit a form, in words for who wrote it: the key, what is allowed, and the value as given. */
import type * as z from "zod";

/** The exchange's keys have 18 and its secrets 36 of these characters in a row; no value of an intent has. */
const SECRET_SHAPE = /[A-Za-z0-9]{16,}/;
const LONGEST = 80;

type Words = (key: string) => string;
const asWritten: Words = (key) => key;

/** One sentence per problem; `inWords`: how the reader calls a key. */
export function formProblems(
  form: z.core.$ZodType,
  error: z.core.$ZodError,
  given: unknown,
  inWords: Words = asWritten,
): readonly string[] {
  return error.issues.flatMap((issue) => {
    const where = inWords(issue.path.map(String).join("."));
    if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownKey(key, form, where));
    if (where === "") return [inWords(issue.message)];
    const value = issue.path.reduce<unknown>(held, given);
    return [`${where}: ${issue.message}${value === undefined ? "" : `; given: ${shown(value)}`}`];
  });
}

function held(holder: unknown, part: PropertyKey): unknown {
  if (typeof holder !== "object" || holder === null) return undefined;
  return Object.entries(holder).find(([key]) => key === String(part))?.[1];
}

/** What is shaped like a secret is not shown: it may stand in the wrong place. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return "(a list)";
  if (typeof value === "object" && value !== null) return "(an object)";
  const text = JSON.stringify(value) ?? "null";
  if (SECRET_SHAPE.test(text)) return "(value hidden)";
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

/** Nobody knows what an unknown key holds, so its value is never shown. */
function unknownKey(key: string, form: z.core.$ZodType, where: string): string {
  const isOdd = SECRET_SHAPE.test(key) && /[\d:]/.test(key);
  const name = isOdd ? "(key hidden)" : key.slice(0, LONGEST);
  const known = where === "" ? keysOf(form).join(", ") : "";
  return `${where === "" ? "" : `${where}.`}${name}: is an unknown key; allowed: ${known === "" ? "none" : known}`;
}

/** Also behind a default. */
function keysOf(form: z.core.$ZodType): readonly string[] {
  if ("shape" in form && typeof form.shape === "object" && form.shape !== null) return Object.keys(form.shape);
  return "unwrap" in form && typeof form.unwrap === "function" ? keysOf(form.unwrap() as z.core.$ZodType) : [];
}
