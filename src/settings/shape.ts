/** The config against its schema: every wrong key and value at once, and the parts that are sound. */
import type { z } from "zod";
import { didYouMean, type KeyPath, type Problem, pathText, showKey } from "./problems.js";
import {
  type AccountDocument,
  accountSchema,
  type ConfigDocument,
  configSchema,
  type ProtectionDocument,
  protectionSchema,
  RESERVED_KEYS,
  type RuleDocument,
  ruleSchema,
} from "./schema.js";
import { expandVariables } from "./secrets.js";
import type { Source } from "./source.js";

export interface Shape {
  /** Null where anything is wrong. */
  readonly document: ConfigDocument | null;
  readonly problems: readonly Problem[];
  /** The parts are checked on their own, so that one wrong key does not hide what is wrong elsewhere. */
  readonly accounts: readonly (AccountDocument | null)[];
  /** As written, also of accounts that are not sound. */
  readonly accountTexts: readonly AccountTexts[];
  readonly protection: ProtectionDocument | null;
  readonly rules: readonly (RuleDocument | null)[];
}

export interface AccountTexts {
  readonly name: string | null;
  readonly key: string | null;
  readonly secret: string | null;
}

export function readShape(source: Source, env: NodeJS.ProcessEnv): Shape {
  const { value, problems } = withUrlsFilledIn(source, env);
  const parsed = configSchema.safeParse(value);
  const protection = isMapping(value) ? soundOrNull(protectionSchema, value["protection"] ?? {}) : null;
  const wrong = parsed.success ? [] : parsed.error.issues.flatMap((issue) => problemsOfIssue(source, issue));
  const accounts = listAt(value, "accounts");
  return {
    document: parsed.success ? parsed.data : null,
    problems: [...problems, ...wrong],
    accounts: accounts.map((entry) => soundOrNull(accountSchema, entry)),
    accountTexts: accounts.map((entry) => ({
      name: textAt(entry, "name"),
      key: textAt(entry, "key"),
      secret: textAt(entry, "secret"),
    })),
    protection,
    rules: listAt(value, "rules").map((entry) => soundOrNull(ruleSchema, entry)),
  };
}

type Mapping = Record<string, unknown>;

function isMapping(value: unknown): value is Mapping {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function listAt(value: unknown, key: string): readonly unknown[] {
  const list = isMapping(value) ? value[key] : undefined;
  return Array.isArray(list) ? list : [];
}

function textAt(value: unknown, key: string): string | null {
  const text = isMapping(value) ? value[key] : undefined;
  return typeof text === "string" ? text : null;
}

function soundOrNull<T extends z.ZodType>(schema: T, value: unknown): z.infer<T> | null {
  const parsed = schema.safeParse(value);
  return parsed.success ? parsed.data : null;
}

/** URLs may hold a variable (a database password, a port); they are filled in before they are judged. */
function withUrlsFilledIn(source: Source, env: NodeJS.ProcessEnv): { value: unknown; problems: Problem[] } {
  const value: unknown = structuredClone(source.value);
  const problems: Problem[] = [];
  const fill = (holder: unknown, key: string, path: KeyPath) => {
    const text = isMapping(holder) ? holder[key] : undefined;
    if (!isMapping(holder) || typeof text !== "string") return;
    const expanded = expandVariables(text, env);
    if (expanded.ok) holder[key] = expanded.text;
    else problems.push(source.problem(path, expanded.what, "a URL; ${NAME} in it takes a variable that is set"));
  };
  for (const section of ["ledger", "heartbeat"]) {
    fill(isMapping(value) ? value[section] : undefined, "url", [section, "url"]);
  }
  for (const [index, account] of listAt(value, "accounts").entries()) {
    for (const key of ["restUrl", "wsUrl"]) fill(account, key, ["accounts", index, key]);
  }
  return { value, problems };
}

function problemsOfIssue(source: Source, issue: z.core.$ZodIssue): Problem[] {
  const path = issue.path.map((part) => (typeof part === "symbol" ? String(part) : part));
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownKey(source, path, key, issue.message));
  if (path.length === 0) return [{ ...source.problem(path, "is empty or no mapping", issue.message), key: "config" }];
  const problem = source.problem(path, "is not allowed", issue.message);
  const given = problem.value?.startsWith('"') ? problem.value.slice(1, -1) : null;
  const suggestion =
    issue.code === "invalid_value" && given !== null ? didYouMean(given, issue.values.map(String)) : null;
  return [{ ...problem, what: problem.value === null ? "is missing" : problem.what, suggestion }];
}

/** `known` is the list of keys that the schema put into its message. */
function unknownKey(source: Source, path: KeyPath, key: string, known: string): Problem {
  const at = [...path, key];
  if (path.length === 0 && RESERVED_KEYS.includes(key)) {
    const what = "is reserved for a later version and refused until then";
    return source.problem(at, what, `no ${key} yet; remove the key`, { at: "key" });
  }
  const suggestion = didYouMean(key, known.split(", "));
  const problem = source.problem(at, "is an unknown key", known, { at: "key", suggestion });
  // Nobody knows what an unknown key holds; a misspelt `secret` holds the secret.
  const mayBeSecret =
    suggestion === null || (path[0] === "accounts" && (suggestion === "key" || suggestion === "secret"));
  const value = mayBeSecret ? "(value hidden)" : problem.value;
  return { ...problem, key: pathText([...path, showKey(key)]), value };
}
