/** Values of options: read, or refused with what is allowed; commander adds the option and the value. */
import { InvalidArgumentError } from "commander";
import type { PositionIdx } from "../domain/position.js";

export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("Allowed is a whole number, 0 or more.");
  return Number(text);
}

export function portNumber(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) {
    throw new InvalidArgumentError("Allowed is a whole number, 0 to 65535.");
  }
  return Number(text);
}

export function positionIdx(text: string): PositionIdx {
  if (text === "0" || text === "1" || text === "2") return Number(text) as PositionIdx;
  throw new InvalidArgumentError("Allowed is 0 (one-way), 1 (long leg) or 2 (short leg).");
}

/** For options that may be given more than once. */
export function each(text: string, before?: readonly string[]): readonly string[] {
  return [...(before ?? []), text];
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** A slip of the finger must not pause for centuries. */
const LONGEST_MS = 365 * 86_400_000;

/** `10m` → 600000. */
export function durationMs(text: string): number {
  const [, count = "", unit = ""] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const ms = Number(count) * (UNIT_MS[unit] ?? 0);
  if (ms > 0 && ms <= LONGEST_MS) return ms;
  throw new InvalidArgumentError("Allowed is a whole number above 0 with s, m, h or d, such as 10m; 365d is the most.");
}

/** A list in one value would match no symbol, and pause nothing without a word. */
export function eachSymbol(text: string, before?: readonly string[]): readonly string[] {
  const isList = text.includes(",") && !/\{[^}]*,[^}]*\}/.test(text);
  if (isList || !/^[^\s\p{C}]{1,64}$/u.test(text)) {
    throw new InvalidArgumentError(
      "Allowed is one symbol such as BTCUSDT, or a glob such as BTC*; repeat the option for more.",
    );
  }
  return each(text, before);
}

export function eachKind(text: string, before?: readonly string[]): readonly string[] {
  if (/^[a-z][a-z0-9-]{0,39}$/.test(text)) return each(text, before);
  throw new InvalidArgumentError(
    "Allowed is one kind such as step-judged, or steps, lives, intents or findings; repeat the option for more.",
  );
}

export function reasonText(text: string): string {
  if (text.trim() === "" || text.length > 200 || /\p{C}/u.test(text)) {
    throw new InvalidArgumentError("Allowed is one line of 1 to 200 characters.");
  }
  return text.trim();
}
