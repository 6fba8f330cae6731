/** A position drawn on one price line: entry, mark, stop, take-profit and liquidation, as inline SVG. */
import { type Decimal, parseDecimal } from "../domain/decimal.js";
import { escapeHtml } from "./escaping.js";
import { type Label, type Marker, type MarkerKind, markersOf, type PlacedLabel, placeLabels } from "./price-axis.js";
import type { ReportPosition } from "./report.js";
import { positionName } from "./wording.js";

interface MarkerLabel extends Label {
  readonly marker: Marker;
}

/** A coloured stretch of the line. */
interface Zone {
  readonly style: "loss" | "open" | "secured" | "profit" | "planned" | "dead";
  readonly from: number;
  readonly to: number;
}

// Labels keep their size while the line stretches, so they are laid out for the narrowest line we show.
const NARROWEST_PX = 300;
const LABEL_ROW_PX = 29;
const LEADER_PX = 13;
const TRACK_PX = 10;

const NOTHING_TO_DRAW = `<text class="name" x="50%" y="${LEADER_PX + TRACK_PX + 14}">no price could be read</text>`;

/** `labels`: names and prices around the line; `bare`: the line alone, for rows that state them in columns. */
export function drawPriceLine(position: ReportPosition, detail: "labels" | "bare", id: string): string {
  const markers = markersOf(position);
  const above = detail === "bare" ? [] : labelsFor(markers, isExit);
  const below = detail === "bare" ? [] : labelsFor(markers, (kind) => !isExit(kind));
  const trackTop = detail === "bare" ? 9 : rowCount(above) * LABEL_ROW_PX + LEADER_PX;
  const height =
    trackTop + TRACK_PX + (detail === "bare" ? 9 : LEADER_PX + Math.max(rowCount(below) * LABEL_ROW_PX, 4));
  return [
    `<svg class="line" role="img" aria-labelledby="${id}-t ${id}-d" width="100%" height="${height}">`,
    `<title id="${id}-t">Price line of ${escapeHtml(positionName(position))}</title>`,
    `<desc id="${id}-d">${escapeHtml(description(markers, position))}</desc>`,
    `<rect class="track" x="0" y="${trackTop}" width="100%" height="${TRACK_PX}" rx="2"/>`,
    ...(markers.length === 0 && detail === "labels" ? [NOTHING_TO_DRAW] : []),
    ...zonesOf(position, markers).map((stretch) => drawZone(stretch, trackTop)),
    ...above.map((placed) => drawLabel(placed, trackTop, "above")),
    ...below.map((placed) => drawLabel(placed, trackTop, "below")),
    ...drawingOrder(markers).map((marker) => drawMarker(marker, trackTop)),
    "</svg>",
  ].join("");
}

function isExit(kind: MarkerKind): boolean {
  return kind !== "entry" && kind !== "mark";
}

function labelsFor(
  markers: readonly Marker[],
  wanted: (kind: MarkerKind) => boolean,
): readonly PlacedLabel<MarkerLabel>[] {
  const labels = markers
    .filter(({ kind }) => wanted(kind))
    .map((marker) => ({ marker, at: marker.at, width: (labelWidthPx(marker) / NARROWEST_PX) * 100 }));
  return placeLabels(labels);
}

/** Generous: fonts differ, and touching labels are worse than loose ones. */
function labelWidthPx(marker: Marker): number {
  return Math.max(marker.name.length * 6, marker.text.length * 7.2) + 10;
}

function rowCount(labels: readonly PlacedLabel<MarkerLabel>[]): number {
  return labels.reduce((count, { row }) => Math.max(count, row + 1), 0);
}

/** The words for those who cannot see the drawing. */
function description(markers: readonly Marker[], position: ReportPosition): string {
  if (markers.length === 0) return "No price of this position could be read.";
  const ascending = markers.map(({ name, text, offScale }) => `${name} ${text}${offScale ? " (not to scale)" : ""}`);
  const none = position.stopLoss === null && position.status !== "unknown" ? " No stop." : "";
  return `Prices from low to high: ${ascending.join(", ")}.${none}`;
}

function zonesOf(position: ReportPosition, markers: readonly Marker[]): readonly Zone[] {
  const at = (kind: MarkerKind) => markers.find((marker) => marker.kind === kind)?.at ?? null;
  const entry = at("entry");
  if (position.side === null || entry === null) return [];
  const lossEnd = position.side === "long" ? 0 : 100;
  const liquidation = at("liquidation");
  const stop = at("stop");
  const target = at("target");
  const planned = target === null ? at("planned-target") : null;
  return [
    ...(target === null ? [] : [zone("profit", entry, target)]),
    ...(planned === null ? [] : [zone("planned", entry, planned)]),
    ...(stop === null
      ? [zone("open", entry, liquidation ?? lossEnd)]
      : [zone(locksGain(position) ? "secured" : "loss", entry, stop)]),
    ...(liquidation === null ? [] : [zone("dead", liquidation, lossEnd)]),
  ];
}

function zone(style: Zone["style"], first: number, second: number): Zone {
  return { style, from: Math.min(first, second), to: Math.max(first, second) };
}

/** A stop beyond the entry on the winning side exits with a gain. */
function locksGain(position: ReportPosition): boolean {
  const stop = read(position.stopLoss?.price ?? null);
  const entry = read(position.entryPrice);
  if (stop === null || entry === null) return false;
  return position.side === "long" ? stop.gt(entry) : stop.lt(entry);
}

const read = (text: string | null): Decimal | null => (text === null ? null : parseDecimal(text));

function drawZone({ style, from, to }: Zone, top: number): string {
  const shape = `x="${percent(from)}" y="${top}" width="${percent(to - from)}" height="${TRACK_PX}"`;
  return `<rect class="zone-${style}" ${shape}/>`;
}

function drawLabel({ label, middle, row }: PlacedLabel<MarkerLabel>, top: number, where: "above" | "below"): string {
  const { marker } = label;
  const base =
    where === "above" ? top - LEADER_PX - row * LABEL_ROW_PX : top + TRACK_PX + LEADER_PX + row * LABEL_ROW_PX;
  const trackEdge = where === "above" ? top : top + TRACK_PX;
  const nameY = where === "above" ? base - 17 : base + 9;
  const leader = `<line class="leader" x1="${percent(marker.at)}" y1="${trackEdge}" x2="${percent(middle)}" y2="${base}"/>`;
  const x = percent(middle);
  const arrow = marker.offScale ? (marker.at < 50 ? "‹ " : "› ") : "";
  return [
    leader,
    `<text class="name is-${marker.kind}" x="${x}" y="${nameY}">${arrow}${escapeHtml(marker.name)}</text>`,
    `<text class="price" x="${x}" y="${nameY + 14}">${escapeHtml(marker.text)}</text>`,
  ].join("");
}

/** The mark last: where prices coincide, the current price is on top. */
function drawingOrder(markers: readonly Marker[]): readonly Marker[] {
  const rank = (kind: MarkerKind) => (kind === "mark" ? 2 : kind === "entry" ? 1 : 0);
  return [...markers].sort((first, second) => rank(first.kind) - rank(second.kind));
}

function drawMarker({ kind, at }: Marker, top: number): string {
  const x = percent(at);
  const middle = top + TRACK_PX / 2;
  switch (kind) {
    case "mark":
      return `<circle class="m-mark" cx="${x}" cy="${middle}" r="5.5"/>`;
    case "entry":
      return `<circle class="m-entry" cx="${x}" cy="${middle}" r="4.5"/>`;
    case "stop":
    case "target":
    case "liquidation":
    case "planned-stop":
    case "planned-target":
      return `<line class="m-${kind}" x1="${x}" y1="${top - 5}" x2="${x}" y2="${top + TRACK_PX + 5}"/>`;
  }
}

function percent(value: number): string {
  return `${Number(value.toFixed(2))}%`;
}
