/** How the simulated exchange writes values: prices at tick scale, quantities at step scale, and no value in any spelling. */
import { Decimal, print } from "../../domain/decimal.js";
import type { SimInstrument } from "./instruments.js";
import type { Random } from "./random.js";

export type Channel = "rest" | "stream";

/** "No value" differs by endpoint, symbol and age of the account; the stream knows fewer spellings. */
export function noValue(random: Random, channel: Channel): string {
  return channel === "rest" ? random.pick(["", "0", "0.00", "0.00000"]) : random.pick(["", "0"]);
}

export const noEnum = (random: Random): string => random.pick(["", "UNKNOWN"]);

export function priceText(price: Decimal, instrument: SimInstrument): string {
  return price.toFixed(Math.max(instrument.tickSize.decimalPlaces(), price.decimalPlaces()));
}

export function quantityText(quantity: Decimal, instrument: SimInstrument): string {
  return quantity.toFixed(instrument.qtyStep.decimalPlaces());
}

/** Values and profits: at most eight decimals, without trailing zeros. */
export const amountText = (amount: Decimal): string => print(amount.toDecimalPlaces(8));

/** Toward zero, as the exchange treats prices and quantities that are no whole number of steps. */
export function truncate(value: Decimal, step: Decimal): Decimal {
  return value.div(step).toDecimalPlaces(0, Decimal.ROUND_DOWN).times(step);
}

/** Error texts carry prices as whole numbers at a scale that differs by symbol. */
export function scaledPrice(price: Decimal, instrument: SimInstrument): string {
  const exponent = instrument.startPrice.gte(1000) ? 4 : instrument.startPrice.gte(1) ? 6 : 8;
  return price.times(new Decimal(10).pow(exponent)).toFixed(0);
}
