/** Where prices stand on a line from 0 to 100, and where their labels fit beside each other. */
import { type Decimal, dec, maxOf, minOf, parseDecimal } from "../domain/decimal.js";
import type { ReportPosition } from "./report.js";

export type MarkerKind = "entry" | "mark" | "stop" | "target" | "planned-stop" | "planned-target" | "liquidation";

export interface Marker {
  readonly kind: MarkerKind;
  readonly name: string;
  /** As the report states it. */
  readonly text: string;
  /** 0 is the left end of the line, 100 the right one; prices rise to the right. */
  readonly at: number;
  /** True where the price lies too far away to be drawn to scale. */
  readonly offScale: boolean;
}

interface Level {
  readonly kind: MarkerKind;
  readonly name: string;
  readonly text: string;
  readonly price: Decimal;
}

export interface Label {
  /** Width on the same 0-100 line. */
  readonly width: number;
  /** Where its marker stands. */
  readonly at: number;
}

export interface PlacedLabel<L extends Label> {
  readonly label: L;
  /** Middle of the label. */
  readonly middle: number;
  /** 0 is the row nearest to the line. */
  readonly row: number;
}

/** A far liquidation price would press everything else into one point: to scale within so many times the span... */
const LIQUIDATION_REACH = dec("1.5");
/** ...or as a fraction of the price, where the span is small. */
const LIQUIDATION_NEAR = dec("0.12");
const LEAST_SPAN = dec("0.03");
const MARGIN = dec("0.12");

/** All prices of a position that can be drawn, in the order of the line. */
export function markersOf(position: ReportPosition): readonly Marker[] {
  const levels = levelsOf(position);
  if (levels.length === 0) return [];
  const { low, high } = domainOf(levels);
  const span = high.minus(low);
  return levels
    .map(({ price, ...named }) => {
      const at = price.minus(low).div(span).times(100).toNumber();
      return { ...named, at: Math.min(98.5, Math.max(1.5, at)), offScale: at < 0 || at > 100 };
    })
    .sort((first, second) => first.at - second.at);
}

function levelsOf(position: ReportPosition): readonly Level[] {
  const planned = position.steps.filter((step) => step.outcome === "planned");
  const plannedStop = planned.find((step) => step.stopLoss !== undefined)?.stopLoss ?? null;
  const plannedTarget = planned.find((step) => step.takeProfit !== undefined)?.takeProfit ?? null;
  return [
    level("liquidation", "liquidation", position.liquidationPrice),
    level("stop", "stop", position.stopLoss?.price ?? null),
    level("planned-stop", "planned stop", plannedStop === position.stopLoss?.price ? null : plannedStop),
    level("target", "take-profit", position.takeProfit?.price ?? null),
    level("planned-target", "planned take-profit", plannedTarget === position.takeProfit?.price ? null : plannedTarget),
    level("entry", "entry", position.entryPrice),
    level("mark", "mark", position.markPrice),
  ].filter((found) => found !== null);
}

function level(kind: MarkerKind, name: string, text: string | null): Level | null {
  const price = text === null ? null : parseDecimal(text);
  return text === null || price === null ? null : { kind, name, text, price };
}

function domainOf(levels: readonly Level[]): { readonly low: Decimal; readonly high: Decimal } {
  const near = levels.filter(({ kind }) => kind !== "liquidation");
  const core = rangeOf(near.length === 0 ? levels : near);
  const reach = maxOf(core.high.minus(core.low).times(LIQUIDATION_REACH), core.high.times(LIQUIDATION_NEAR));
  const inReach = levels.filter(
    ({ kind, price }) =>
      kind !== "liquidation" || (price.gte(core.low.minus(reach)) && price.lte(core.high.plus(reach))),
  );
  const { low, high } = rangeOf(inReach.length === 0 ? levels : inReach);
  const margin = high.minus(low).times(MARGIN);
  return { low: low.minus(margin), high: high.plus(margin) };
}

/** Lowest and highest price, widened where they are so near that rounding would be drawn as distance. */
function rangeOf(levels: readonly Level[]): { readonly low: Decimal; readonly high: Decimal } {
  const prices = levels.map(({ price }) => price);
  const low = prices.reduce(minOf);
  const high = prices.reduce(maxOf);
  const least = maxOf(high.abs().times(LEAST_SPAN), dec("0.000000000001"));
  const missing = maxOf(least.minus(high.minus(low)), dec("0")).div(2);
  return { low: low.minus(missing), high: high.plus(missing) };
}

/** Puts labels as near to their markers as they fit without overlap; what does not fit into one row alternates. */
export function placeLabels<L extends Label>(labels: readonly L[]): readonly PlacedLabel<L>[] {
  const sorted = [...labels].sort((first, second) => first.at - second.at);
  const rows = Array.from({ length: rowsNeeded(sorted) }, (_, row) => row);
  const count = rows.length;
  return rows.flatMap((row) => {
    const inRow = sorted.filter((_, index) => index % count === row);
    const middles = middlesOf(inRow);
    return inRow.map((label, index) => ({ label, middle: middles[index] ?? label.at, row }));
  });
}

function rowsNeeded(labels: readonly Label[]): number {
  for (let rows = 1; rows < labels.length; rows += 1) {
    const widths = Array.from({ length: rows }, (_, row) =>
      widthOf(labels.filter((_l, index) => index % rows === row)),
    );
    if (widths.every((width) => width <= 100)) return rows;
  }
  return Math.max(1, labels.length);
}

const widthOf = (labels: readonly Label[]) => labels.reduce((sum, { width }) => sum + width, 0);

/**
 * One sweep pushes each label right of its left neighbour, the other left of its right one. Both keep them apart
 * and inside, so their average does too, and a crowd spreads evenly around its markers.
 */
function middlesOf(labels: readonly Label[]): readonly number[] {
  const fromLeft = sweep(labels);
  const mirrored = labels.map(({ at, width }) => ({ at: 100 - at, width })).toReversed();
  const fromRight = sweep(mirrored)
    .toReversed()
    .map((middle) => 100 - middle);
  return fromLeft.map((middle, index) => (middle + (fromRight[index] ?? middle)) / 2);
}

function sweep(labels: readonly Label[]): readonly number[] {
  let occupiedTo = 0;
  let stillToCome = widthOf(labels);
  return labels.map(({ at, width }) => {
    const latest = 100 - stillToCome + width / 2;
    const middle = Math.max(Math.min(at, latest), occupiedTo + width / 2);
    occupiedTo = middle + width / 2;
    stillToCome -= width;
    return middle;
  });
}
