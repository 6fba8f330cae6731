/** The one place where values become columns, and columns values: text, whole numbers and null, nothing else. */
import { type Decimal, parseDecimal, print } from "../domain/decimal.js";
import type { Category, PositionIdx, Side, TriggerBy } from "../domain/position.js";
import { LedgerError } from "./error.js";

export type Column = string | number | null;

/** What a column of JSON text may hold. Money is a string in it, made by `print`. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

/**
 * Every parameter of every query passes here, and before that every value on its way into a query: libsql ends the
 * whole process on a boolean, cuts texts at a NUL and stores NaN and undefined as null without a word, and Kysely
 * takes functions and some objects for pieces of SQL.
 * @throws LedgerError that names the type and never the value
 */
export function bindable<T>(value: T): T & Column {
  const isFit =
    value === null ||
    (typeof value === "string" && !value.includes("\0")) ||
    (typeof value === "number" && Number.isSafeInteger(value));
  if (isFit) return value as T & Column;
  throw new LedgerError("value", `the ledger stores text, whole numbers and null; it was handed ${kindOf(value)}`);
}

/** A whole row, each column of it looked at. */
export function bindableRow<T extends object>(row: T): T {
  for (const column of Object.values(row)) bindable(column);
  return row;
}

function kindOf(value: unknown): string {
  if (typeof value === "string") return "a text with a NUL in it";
  if (typeof value === "number") return "a number that is not whole, or too large";
  if (typeof value !== "object" || value === null) return `a value of type ${typeof value}`;
  return `an object (${value.constructor?.name ?? "without a class"})`;
}

export const fromDecimal = (value: Decimal | null): string | null => (value === null ? null : print(value));

export function toDecimal(column: string | null): Decimal | null {
  return column === null ? null : priceOf(column);
}

export function priceOf(text: string): Decimal {
  return parseDecimal(text) ?? damaged("a price");
}

/** @throws LedgerError where JSON has no words for the value, such as a circle */
export function fromJson(value: Json): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch {
    text = undefined;
  }
  if (text === undefined) throw new LedgerError("value", "the ledger was handed a value that JSON has no words for");
  return text;
}

export function toJson(column: string): Json {
  try {
    return JSON.parse(column) as Json;
  } catch {
    return damaged("a JSON text");
  }
}

const CATEGORIES: readonly Category[] = ["linear", "inverse"];
const SIDES: readonly Side[] = ["long", "short"];
const POSITION_IDXS: readonly PositionIdx[] = [0, 1, 2];
const TRIGGERS: readonly TriggerBy[] = ["LastPrice", "MarkPrice", "IndexPrice"];

export const toCategory = (column: string | null): Category => oneOf(CATEGORIES, column, "a category");
export const toSide = (column: string | null): Side => oneOf(SIDES, column, "a side");
export const toPositionIdx = (column: number | null): PositionIdx => oneOf(POSITION_IDXS, column, "a positionIdx");
export const toTriggerBy = (column: string | null): TriggerBy => oneOf(TRIGGERS, column, "a trigger");

/** A word that this version does not know is not taken for another one. */
export function oneOf<T extends string | number>(known: readonly T[], column: string | number | null, what: string): T {
  return known.find((word) => word === column) ?? damaged(what);
}

function damaged(what: string): never {
  throw new LedgerError("damaged", `the ledger holds ${what} that cannot be read`);
}
