/** The forms a config value can have; each fails with one sentence that says what is allowed. */
import * as z from "zod";
import { parseDecimal } from "../domain/decimal.js";

export const PERCENT = /^(\d+(?:\.\d+)?)%$/;
export const RISK_MULTIPLE = /^(\d+(?:\.\d+)?)R$/;
export const PERCENT_OR_MULTIPLE = /^\d+(?:\.\d+)?[%R]$/;

/** What is allowed stands in the schema itself: each check fails with that sentence, and with nothing else. */
export const text = (allowed: string) => z.string({ error: allowed }).min(1, { error: allowed });

export function oneOf<const T extends readonly [string, ...string[]]>(values: T) {
  return z.enum(values, { error: values.join(" | ") });
}

/** A mapping that refuses unknown keys; its error text is the list of the keys it has. */
export function mapping<T extends z.ZodRawShape>(what: string, shape: T) {
  const keys = Object.keys(shape).join(", ");
  return z.strictObject(shape, {
    error: (issue) => (issue.code === "unrecognized_keys" ? keys : `${what}, a mapping with ${keys}`),
  });
}

export function listOf<T extends z.ZodType>(element: T, what: string) {
  return z.array(element, { error: `a list of ${what}` });
}

export const flag = () => z.boolean({ error: "true | false" });

function isPercentBetween(candidate: string, lowest: "above-zero" | "zero"): boolean {
  const value = parseDecimal(PERCENT.exec(candidate)?.[1] ?? "");
  if (value === null) return false;
  return value.lt(100) && (lowest === "zero" ? value.gte(0) : value.gt(0));
}

export function percent(allowed: string, lowest: "above-zero" | "zero" = "above-zero") {
  return text(allowed)
    .regex(PERCENT, { error: allowed })
    .refine((candidate) => isPercentBetween(candidate, lowest), { error: allowed });
}

export function isTakeProfitDistance(candidate: string): boolean {
  const multiple = RISK_MULTIPLE.exec(candidate)?.[1];
  if (multiple === undefined) return isPercentBetween(candidate, "above-zero");
  return parseDecimal(multiple)?.gt(0) ?? false;
}

export const milliseconds = () => {
  const allowed = "a whole number of milliseconds, 0 or more";
  return z.int({ error: allowed }).min(0, { error: allowed });
};

export function url(protocols: readonly string[], example: string) {
  const allowed = `a URL such as ${example}, without user and password`;
  const fits = (candidate: string) => protocols.includes(protocolOf(candidate)) && !hasCredentials(candidate);
  return text(allowed).refine(fits, { error: allowed });
}

/** They would be printed wherever the address is. */
function hasCredentials(candidate: string): boolean {
  const { username, password } = new URL(candidate);
  return username !== "" || password !== "";
}

function protocolOf(candidate: string): string {
  return URL.canParse(candidate) ? new URL(candidate).protocol : "";
}
