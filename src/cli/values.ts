/** Values of options: read, or refused with what is allowed; commander adds the option and the value. */
import { InvalidArgumentError } from "commander";
import type { PositionIdx } from "../domain/position.js";
import * as words from "../ledger/pause-words.js";

/** As over HTTP, where it is counted in seconds. */
const MOST_WAITING_MS = 31 * 86_400_000;

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

/** `10m` → 600000. */
export function durationMs(text: string): number {
  return words.durationMs(text) ?? refuse(words.ALLOWED.duration);
}

/** How long an intent may wait: a month is the most. */
export function waitingMs(text: string): number {
  const waiting = words.durationMs(text);
  if (waiting !== null && waiting <= MOST_WAITING_MS) return waiting;
  return refuse("a whole number above 0 with s, m, h or d, such as 10m; 31d is the most");
}

export function eachSymbol(text: string, before?: readonly string[]): readonly string[] {
  if (!words.isSymbolOrGlob(text)) refuse(`${words.ALLOWED.symbol}; repeat the option for more`);
  return each(text, before);
}

export function contractSymbol(text: string): string {
  if (/^[A-Z0-9-]{1,40}$/.test(text)) return text;
  throw new InvalidArgumentError("Allowed is one symbol as the exchange writes it, such as BTCUSDT.");
}

/** As the ledger has them, and the groups of `history`. */
const KIND =
  /^(steps|lives|intents|findings|step-(intended|answered|judged)|(life|intent|writer)-[a-z-]{1,32}|finding|mended|pause|resume)$/;

export function eachKind(text: string, before?: readonly string[]): readonly string[] {
  if (KIND.test(text)) return each(text, before);
  throw new InvalidArgumentError(
    "Allowed is a group (steps, lives, intents, findings) or one kind: step-intended, step-answered, step-judged, " +
      "life-…, intent-…, writer-…, finding, mended, pause, resume; repeat the option for more.",
  );
}

export function reasonText(text: string): string {
  return words.reasonText(text) ?? refuse(words.ALLOWED.reason);
}

function refuse(allowed: string): never {
  throw new InvalidArgumentError(`Allowed is ${allowed}.`);
}
