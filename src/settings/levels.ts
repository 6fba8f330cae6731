/** Percentages and multiples of a checked config, as exact decimals. */
import { type Decimal, parseDecimal } from "../domain/decimal.js";
import { PERCENT, RISK_MULTIPLE } from "./forms.js";

/** "2%" → 0.02. @throws RangeError for text that the schema does not let through */
export function fractionOf(percent: string): Decimal {
  const value = parseDecimal(PERCENT.exec(percent)?.[1] ?? "");
  if (value === null) throw new RangeError(`not a percentage: "${percent}"`);
  return value.div(100);
}

/** "2R" → 2; null for anything else. */
export function multipleOf(distance: string): Decimal | null {
  return parseDecimal(RISK_MULTIPLE.exec(distance)?.[1] ?? "");
}
