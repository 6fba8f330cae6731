/** Structured values as a log may hold them: secret fields blanked by name, errors cut down to what they say. */

const HIDDEN = "[secret]";
const DEEPEST = 8;

/** Compared in lower case and without - and _. */
const SECRET_FIELDS: ReadonlySet<string> = new Set([
  "key",
  "apikey",
  "secret",
  "apisecret",
  "sign",
  "signature",
  "token",
  "password",
  "passphrase",
  "authorization",
  "proxyauthorization",
  "cookie",
  "setcookie",
]);

function isSecretField(name: string): boolean {
  const plain = name.toLowerCase().replace(/[-_]/g, "");
  return SECRET_FIELDS.has(plain) || (plain.startsWith("xbapi") && !plain.startsWith("xbapilimit"));
}

/** A copy that is safe to log. A position's `key` is a mapping and stays; a `key` that is text does not. */
export function maskSecrets(value: unknown): unknown {
  return mask(value, [], 0);
}

function mask(value: unknown, above: readonly object[], depth: number): unknown {
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null) return value;
  if (above.includes(value)) return "[circular]";
  if (depth >= DEEPEST) return "[deeper]";
  const path = [...above, value];
  if (value instanceof Error) return errorFacts(value, path, depth);
  if (ArrayBuffer.isView(value)) return "[binary]";
  if (value instanceof Map) return mask(Object.fromEntries(value), path, depth + 1);
  if (Array.isArray(value) || value instanceof Set) return [...value].map((entry) => mask(entry, path, depth + 1));
  if ("toJSON" in value && typeof value.toJSON === "function") return mask(value.toJSON(), path, depth + 1);
  return maskFields(value, path, depth);
}

function maskFields(value: object, path: readonly object[], depth: number): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).map(([name, held]) => {
      const hide = isSecretField(name) && (typeof held !== "object" || Array.isArray(held)) && held !== undefined;
      return [name, hide && held !== null ? HIDDEN : mask(held, path, depth + 1)];
    }),
  );
}

/** An allow-list: errors of HTTP clients carry the whole signed request beside their message. */
function errorFacts(error: Error, path: readonly object[], depth: number): Record<string, unknown> {
  const { code, facts } = error as { code?: unknown; facts?: unknown };
  return {
    type: error.name,
    message: error.message,
    ...(typeof code === "string" || typeof code === "number" ? { code } : {}),
    ...(facts === undefined ? {} : { facts: mask(facts, path, depth + 1) }),
    stack: error.stack ?? "",
    ...(error.cause === undefined ? {} : { cause: mask(error.cause, path, depth + 1) }),
    ...(error instanceof AggregateError ? { errors: mask(error.errors, path, depth + 1) } : {}),
  };
}
