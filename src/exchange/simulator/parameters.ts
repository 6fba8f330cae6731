/** Reads request parameters the way the exchange does: strings, numbers only where documented, "" as absent. */
import { type Decimal, parseDecimal } from "../../domain/decimal.js";
import type { PositionIdx, TriggerBy } from "../../domain/position.js";
import { invalidParameter } from "./refusal.js";

export type Params = Readonly<Record<string, unknown>>;

export function textOf(params: Params, name: string): string | undefined {
  const value = params[name];
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value !== "string") throw invalidParameter(name);
  return value;
}

export function requiredText(params: Params, name: string): string {
  const value = textOf(params, name);
  if (value === undefined) throw invalidParameter(name);
  return value;
}

/** A plain, non-negative decimal as a string. */
export function decimalOf(params: Params, name: string): Decimal | undefined {
  const text = textOf(params, name);
  if (text === undefined) return undefined;
  const value = parseDecimal(text);
  if (value === null || value.isNegative()) throw invalidParameter(name);
  return value;
}

export function oneOf<T extends string>(params: Params, name: string, allowed: readonly T[]): T | undefined {
  const text = textOf(params, name);
  if (text === undefined) return undefined;
  const found = allowed.find((value) => value === text);
  if (found === undefined) throw invalidParameter(name);
  return found;
}

export function flagOf(params: Params, name: string): boolean {
  const value = params[name];
  if (value === undefined || value === null) return false;
  if (typeof value !== "boolean") throw invalidParameter(name);
  return value;
}

export const triggerByOf = (params: Params, name: string): TriggerBy | undefined =>
  oneOf<TriggerBy>(params, name, ["LastPrice", "MarkPrice", "IndexPrice"]);

/** An integer; absent counts as 0, which hedge mode then refuses. */
export function positionIdxOf(params: Params): PositionIdx {
  const value = params["positionIdx"] ?? 0;
  if (value === 0 || value === 1 || value === 2) return value;
  throw invalidParameter("positionIdx");
}

/** A whole number in a query, within documented bounds. */
export function limitOf(params: Params, fallback: number, most: number): number {
  const text = textOf(params, "limit");
  if (text === undefined) return fallback;
  const value = /^\d+$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > most) throw invalidParameter("limit");
  return value;
}

/** Milliseconds since 1970 in a query. */
export function timeOf(params: Params, name: string): number | undefined {
  const text = textOf(params, name);
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw invalidParameter(name);
  return Number(text);
}
