/** Reads what a request names and carries through the forms of its operation, or says which field does not fit. */
import * as z from "zod";
import { formProblems } from "../intents/form-problems.js";
import { scrub, scrubValue } from "../runtime/index.js";
import type { Ask } from "./answers.js";

export type Reading<T> =
  | { readonly kind: "fit"; readonly value: T }
  /** The message names the field. */
  | { readonly kind: "unfit"; readonly message: string };

export type BodyReading<T> = Reading<T> | { readonly kind: "other-type" | "no-json"; readonly message: string };

/** Without a form the value is undefined, here and below. */
export function readPlace<T extends z.ZodType>(ask: Ask, form: T | undefined): Reading<z.output<T>> {
  return readWords(ask.req.param(), form);
}

/** A parameter that is given more than once is a list. */
export function readQuery<T extends z.ZodType>(ask: Ask, form: T | undefined): Reading<z.output<T>> {
  const given = Object.entries(ask.req.queries());
  return readWords(Object.fromEntries(given.map(([name, all]) => [name, all.length === 1 ? all[0] : all])), form);
}

export function readBodyAs<T extends z.ZodType>(ask: Ask, form: T | undefined): BodyReading<z.output<T>> {
  if (form === undefined) return { kind: "fit", value: undefined as z.output<T> };
  const text = ask.var.body.toString("utf8");
  if (text.trim() === "") {
    const mayBeAbsent = form.safeParse(undefined).success;
    return mayBeAbsent ? judged(form, undefined) : { kind: "no-json", message: "there is no body; JSON is wanted" };
  }
  if (!isJsonType(ask.req.header("content-type"))) {
    return { kind: "other-type", message: "a body must come with the header Content-Type: application/json" };
  }
  let value: unknown;
  try {
    // What is written down is shown again later, also by commands that know no secret.
    value = scrubValue(JSON.parse(text) as unknown);
  } catch {
    return { kind: "no-json", message: "the body is no JSON" };
  }
  return judged(form, value);
}

/** Exactly: a page of another origin cannot send this type without asking first. */
function isJsonType(type: string | undefined): boolean {
  return type?.split(";", 1)[0]?.trim().toLowerCase() === "application/json";
}

const WHOLE = /^(?:0|[1-9]\d{0,14})$/;

type Fields = Readonly<Record<string, z.core.$ZodType | undefined>>;

function readWords<T extends z.ZodType>(
  words: Readonly<Record<string, string | readonly string[] | undefined>>,
  form: T | undefined,
): Reading<z.output<T>> {
  if (form === undefined) return { kind: "fit", value: undefined as z.output<T> };
  const fields = new Map(Object.entries("shape" in form ? (form.shape as Fields) : {}));
  return judged(
    form,
    Object.fromEntries(Object.entries(words).map(([name, word]) => [name, meant(word, fields.get(name))])),
  );
}

/** Paths and queries hold texts only: a text may also mean its number, or the one entry of a list. */
function meant(word: string | readonly string[] | undefined, field: z.core.$ZodType | undefined): unknown {
  if (typeof word !== "string" || field === undefined) return word;
  const readings = [word, ...(WHOLE.test(word) ? [Number(word)] : []), [word]];
  return readings.find((reading) => z.safeParse(field, reading).success) ?? word;
}

const LONGEST_MESSAGE = 400;

function judged<T extends z.ZodType>(form: T, value: unknown): Reading<z.output<T>> {
  const read = form.safeParse(value);
  if (read.success) return { kind: "fit", value: read.data };
  const [problem = "does not fit"] = formProblems(form, read.error, value);
  // Hidden before it is cut: half a secret would not be found.
  const message = scrub(problem);
  return { kind: "unfit", message: message.slice(0, LONGEST_MESSAGE) };
}
