/** On which side of the current price an exit must lie, and the exact words of the refusal (docs/v5/position/trading-stop). */
import type { Decimal } from "../../domain/decimal.js";
import type { TriggerBy } from "../../domain/position.js";
import type { ExitKind } from "./exits.js";
import { scaledPrice } from "./formats.js";
import type { SimInstrument } from "./instruments.js";
import { type Refusal, invalid } from "./refusal.js";
import type { WireSide } from "./world.js";

export interface ExitCheck {
  readonly instrument: SimInstrument;
  readonly side: WireSide;
  readonly kind: ExitKind;
  readonly partial: boolean;
  readonly price: Decimal;
  readonly base: Decimal;
  readonly triggerBy: TriggerBy;
}

/** True for a long's stop and a short's take-profit: they wait for a fall. */
const waitsForFall = (side: WireSide, kind: ExitKind): boolean => (side === "Buy") === (kind === "StopLoss");

/** Equality is refused too. */
export function wrongSide(check: ExitCheck): Refusal | null {
  const { side, kind, price, base } = check;
  const right = waitsForFall(side, kind) ? price.lt(base) : price.gt(base);
  if (right) return null;
  const name = `${check.partial ? "Partial" : ""}${kind}`;
  const scaled = (value: Decimal): string => scaledPrice(value, check.instrument);
  return invalid(
    `${name}:${scaled(price)} set for ${side} position should ${demand(side, kind)} ` +
      `base_price:${scaled(base)}??${check.triggerBy}`,
  );
}

/** The four wordings differ, grammar included. */
function demand(side: WireSide, kind: ExitKind): string {
  if (kind === "StopLoss") return side === "Buy" ? "lower than" : "greater";
  return side === "Buy" ? "be higher than" : "be lower than";
}
