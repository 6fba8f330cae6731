/** What the body of an entry says, read defensively: any version, earlier or later, may have written it. */
import type { Entry, Json } from "../../ledger/port.js";
import { maskSecrets } from "../../runtime/index.js";

export interface Body {
  /** Null: absent, or no plain value. */
  text(name: string): string | null;
  /** Everything but the fields that were told otherwise, as `name value, …`; empty: nothing is left. */
  rest(told?: readonly string[]): string;
}

export function bodyOf({ body }: Entry): Body {
  const safe = safeBody(body);
  const fields = isObject(safe) ? safe : {};
  return {
    text: (name) => plainText(fields[name]),
    rest: (told = []) => {
      if (!isObject(safe)) return safe === null ? "" : valueText(safe);
      return Object.entries(safe)
        .filter(([name, value]) => value !== null && !told.includes(name))
        .map(([name, value]) => `${name} ${valueText(value)}`)
        .join(", ");
    },
  };
}

/** Fields that may hold a secret are blanked by name, as in the log. */
export function safeBody(body: Json): Json {
  return maskSecrets(body) as Json;
}

function isObject(value: Json): value is { readonly [key: string]: Json | undefined } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function plainText(value: Json | undefined): string | null {
  if (typeof value === "string") return value === "" ? null : value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : null;
}

function valueText(value: Json | undefined): string {
  return plainText(value) ?? JSON.stringify(value ?? null);
}
