/** How a pause is written by whoever asks for it, in commands and in requests: its symbols, how long it lasts, and why. */

/** What is allowed, for a refusal. */
export const ALLOWED = {
  duration: "a whole number above 0 with s, m, h or d, such as 10m; 365d is the most",
  symbol: "one symbol such as BTCUSDT, or a glob such as BTC*",
  reason: "one line of 1 to 200 characters",
} as const;

export const DURATION_FORM = /^(\d{1,9})([smhd])$/;
export const LONGEST_REASON = 200;

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** A slip of the finger must not pause for centuries. */
const LONGEST_MS = 365 * 86_400_000;

/** `10m` → 600000; null: not allowed. */
export function durationMs(text: string): number | null {
  const [, count = "", unit = ""] = DURATION_FORM.exec(text) ?? [];
  const ms = Number(count) * (UNIT_MS[unit] ?? 0);
  return ms > 0 && ms <= LONGEST_MS ? ms : null;
}

/** A list in one value would match no symbol, and pause nothing without a word. */
export function isSymbolOrGlob(text: string): boolean {
  const isList = text.includes(",") && !/\{[^}]*,[^}]*\}/.test(text);
  return !isList && /^[^\s\p{C}]{1,64}$/u.test(text);
}

/** Without the blanks around it; null: not allowed. */
export function reasonText(text: string): string | null {
  if (text.trim() === "" || text.length > LONGEST_REASON || /\p{C}/u.test(text)) return null;
  return text.trim();
}
