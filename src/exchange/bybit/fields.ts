/** Reads single fields of exchange rows: a value, "none" where none is meant, or a reason why the row is unreadable. */
import type { z } from "zod";
import { type Decimal, parseDecimal } from "../../domain/decimal.js";
import type { PositionIdx } from "../../domain/position.js";

const SHOWN_VALUE_LENGTH = 40;

/** Thrown while a row is read and caught in the same room: it becomes the reason of an unreadable row. */
export class UnreadableField extends Error {
  override readonly name = "UnreadableField";

  constructor(field: string, value: unknown) {
    super(value === undefined ? `${field} is missing` : `${field} is ${shown(value)}`);
  }
}

function shown(value: unknown): string {
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "a list" : "an object";
  const text = JSON.stringify(value) ?? String(value);
  // Never a part of it: of a secret cut in two the last scrub knows neither half.
  return text.length > SHOWN_VALUE_LENGTH ? `a value of ${text.length} characters` : text;
}

type Numeric = string | null | undefined;

/** A number that must be there. */
export function decimalOf(field: string, value: Numeric): Decimal {
  const parsed = value == null ? null : parseDecimal(value);
  if (parsed === null) throw new UnreadableField(field, value);
  return parsed;
}

export function positiveOf(field: string, value: Numeric): Decimal {
  const parsed = decimalOf(field, value);
  if (!parsed.gt(0)) throw new UnreadableField(field, value);
  return parsed;
}

/** Every way in which the exchange spells that there is nothing. */
export function isNoValue(value: Numeric): boolean {
  return value == null || value.trim() === "" || parseDecimal(value)?.isZero() === true;
}

/** Null, "", "0" and "0.00" all mean that there is none; anything else must be a price. */
export function priceOrNone(field: string, value: Numeric): Decimal | null {
  if (value == null || value.trim() === "") return null;
  const parsed = decimalOf(field, value);
  if (parsed.lt(0)) throw new UnreadableField(field, value);
  return parsed.isZero() ? null : parsed;
}

/** As `priceOrNone`, but a row without the field says nothing, and nothing is not "none". */
export function statedPriceOrNone(field: string, value: Numeric): Decimal | null {
  if (value === undefined) throw new UnreadableField(field, value);
  return priceOrNone(field, value);
}

/** For fields that decide nothing: whatever is not a number above zero is none. */
export function positiveOrNull(value: Numeric): Decimal | null {
  const parsed = value == null ? null : parseDecimal(value);
  return parsed?.gt(0) ? parsed : null;
}

/** Milliseconds since 1970; "0", "" and garbage are null. */
export function timeOrNull(value: Numeric): number | null {
  const parsed = positiveOrNull(value);
  return parsed === null || parsed.gt(Number.MAX_SAFE_INTEGER) ? null : parsed.toNumber();
}

export function positionIdxOf(value: Numeric): PositionIdx {
  const number = value == null || value.trim() === "" ? Number.NaN : Number(value);
  if (number === 0 || number === 1 || number === 2) return number;
  throw new UnreadableField("positionIdx", value);
}

/** One of the known words, or the row is unreadable: an unknown word may mean anything. */
export function wordOf<T>(field: string, value: string | null | undefined, words: ReadonlyMap<string, T>): T {
  const found = words.get(value ?? "");
  if (found === undefined) throw new UnreadableField(field, value);
  return found;
}

/** The first field that does not have its shape, as a reason. */
export function misshapen(row: unknown, error: z.ZodError): UnreadableField {
  const path = error.issues[0]?.path ?? [];
  let value = row;
  for (const step of path) value = typeof value === "object" && value !== null ? Reflect.get(value, step) : undefined;
  return new UnreadableField(path.length === 0 ? "row" : path.map(String).join("."), value);
}

/** What can be told of a row whose shape is not even right. */
export function symbolIn(row: unknown): string | null {
  const symbol = typeof row === "object" && row !== null ? Reflect.get(row, "symbol") : undefined;
  return typeof symbol === "string" && symbol !== "" ? symbol : null;
}

/** The value, or null where it cannot be read. */
export function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof UnreadableField) return null;
    throw error;
  }
}
