/** Which account is meant, and what is said where there is none of that name. */
import { type Ask, sendError } from "./answers.js";
import type { Desk } from "./desk.js";

/** Null: every one of them is there. */
export function unknownAccount(ask: Ask, desk: Desk, names: readonly string[]): Response | null {
  const known = desk.accounts();
  if (names.every((name) => known.includes(name))) return null;
  return sendError(ask, 404, "not-found", `no such account; there are: ${known.join(", ")}`);
}
