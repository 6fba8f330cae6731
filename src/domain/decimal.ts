/** Exact decimals: the only type that money, prices and sizes have in this program. */
import { Decimal as DecimalJs } from "decimal.js";

/** 40 significant digits: more than the exchange's widest product of price and size. */
export const Decimal = DecimalJs.clone({ precision: 40, defaults: true });
export type Decimal = DecimalJs;

const PLAIN = /^[+-]?(\d+(\.\d*)?|\.\d+)$/;

/**
 * Reads plain decimal notation ("0.5", "-12", "0.00"); anything else, an exponent included, is null.
 * A number never comes in here: floats are refused at compile time.
 */
export function parseDecimal(text: string): Decimal | null {
  const trimmed = text.trim();
  return PLAIN.test(trimmed) ? new Decimal(trimmed) : null;
}

/** A decimal from a literal in our own code or tests; throws where the text is none. */
export function dec(text: string): Decimal {
  const value = parseDecimal(text);
  if (value === null) throw new RangeError(`not a plain decimal: "${text}"`);
  return value;
}

/** Plain notation, no exponent, no trailing zeros: what goes to the exchange and into reports. */
export function print(value: Decimal): string {
  const text = value.toFixed();
  return text === "-0" ? "0" : text;
}

export const minOf = (first: Decimal, second: Decimal): Decimal => (first.lte(second) ? first : second);
export const maxOf = (first: Decimal, second: Decimal): Decimal => (first.gte(second) ? first : second);
