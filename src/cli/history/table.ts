/** The history for a person: one line per entry or per stop, with nothing in it that a terminal would obey. */
import picocolors from "picocolors";
import type { Entry } from "../../ledger/port.js";
import { type Cell, type Column, hanging, type Layout, layOut, pad, type Paint } from "../../report/columns.js";
import { oneLine } from "../../report/escaping.js";
import { counted } from "../../report/wording.js";
import { bodyOf } from "./body.js";
import type { Found } from "./choice.js";
import { whyText } from "./deed.js";
import { answerText, outcomeText, sentenceOf } from "./sentence.js";
import { isProof, type SetStop } from "./stops.js";
import { plainTime } from "./time.js";

export interface TableOptions {
  readonly color: boolean;
  /** Infinity: one line each, however long. */
  readonly width: number;
}

type Colors = ReturnType<typeof picocolors.createColors>;

const plain: Paint = (text) => text;
const cell = (text: string, paint: Paint = plain): Cell => ({ text: oneLine(text), paint });
const INDENT = "    ";
const NOT_WRITTEN = "not written";

export function entriesTable(found: Found<Entry>, { color }: TableOptions): string {
  const colors = picocolors.createColors(color);
  // The last column may be any length; nothing yields to it.
  const layout = layOut(entryColumns(colors), found.shown, Number.POSITIVE_INFINITY);
  return tableText(layout, found, "entry", colors, () => []);
}

export function stopsTable(found: Found<SetStop>, { color, width }: TableOptions): string {
  const colors = picocolors.createColors(color);
  const layout = layOut(stopColumns(colors), found.shown, width);
  return tableText(layout, found, "stop", colors, (stop) => beneath(stop, layout, width).map(colors.dim));
}

/** What comes while somebody watches has no header, and columns that do not know what is to come. */
export function followedLine(entry: Entry, { color }: TableOptions): string {
  const colors = picocolors.createColors(color);
  const cells = entryColumns(colors).map((column) => column.cell(entry));
  const widths = [23, 10, 20, 14, 0];
  const texts = cells.map(({ text, paint }, index) => paint(pad(text, widths[index] ?? 0, "left")));
  return `${texts.join("  ").trimEnd()}\n`;
}

function tableText<Row>(
  layout: Layout<Row>,
  { shown, isCut }: Found<Row>,
  noun: "entry" | "stop",
  colors: Colors,
  under: (row: Row) => readonly string[],
): string {
  const lines = shown.flatMap((row) => [layout.line(row), ...under(row)]);
  const header = shown.length === 0 ? [] : [colors.dim(layout.header)];
  return `${[...header, ...lines, sumText(shown.length, isCut, noun)].join("\n")}\n`;
}

function sumText(count: number, isCut: boolean, noun: "entry" | "stop"): string {
  if (count === 0 && !isCut) return noun === "entry" ? "no entries" : "no stops";
  const sum = noun === "stop" ? counted(count, "stop") : `${count} ${count === 1 ? "entry" : "entries"}`;
  return isCut ? `${sum}, newest first; --limit shows older ones` : `${sum}, newest first`;
}

function entryColumns(colors: Colors): readonly Column<Entry>[] {
  const left = { align: "left", yields: null } as const;
  return [
    { ...left, title: "time", cell: ({ atMs }) => cell(plainTime(atMs), colors.dim) },
    { ...left, title: "account", cell: ({ account }) => cell(account ?? "-") },
    { ...left, title: "position", cell: (entry) => cell(positionText(entry), colors.bold) },
    { ...left, title: "kind", cell: ({ kind }) => cell(kind) },
    { ...left, title: "what", cell: (entry) => cell(sentenceOf(entry), entryPaint(entry, colors)) },
  ];
}

function positionText({ symbol, side, positionIdx }: Entry): string {
  const hedge = positionIdx === 1 || positionIdx === 2 ? "(hedge)" : null;
  return symbol === null ? "-" : [symbol, side, hedge].filter((part) => part !== null).join(" ");
}

function entryPaint(entry: Entry, colors: Colors): Paint {
  const body = bodyOf(entry);
  const words = ["outcome", "answer", "severity"].map((name) => body.text(name));
  if (words.some((word) => word === "refused" || word === "uncertain" || word === "critical")) return colors.red;
  if (words.some((word) => word === "skipped" || word === "not-sent" || word === "warning")) return colors.yellow;
  return words.includes("confirmed") ? colors.green : plain;
}

function stopColumns(colors: Colors): readonly Column<SetStop>[] {
  const left = { align: "left", yields: null } as const;
  const field = (name: string) => (stop: SetStop) => cell(bodyOf(stop.entry).text(name) ?? NOT_WRITTEN);
  return [
    { ...left, title: "time", cell: ({ entry }) => cell(plainTime(entry.atMs), colors.dim) },
    { ...left, title: "account", cell: ({ entry }) => cell(entry.account ?? "-") },
    { ...left, title: "position", cell: ({ entry }) => cell(positionText(entry), colors.bold) },
    { align: "right", yields: null, title: "stop", cell: field("stopLoss") },
    { ...left, yields: 2, title: "trigger", cell: field("slTriggerBy") },
    { ...left, yields: 0, title: "why", cell: (stop) => cell(stopReason(stop)) },
    { ...left, yields: 3, title: "by", cell: field("by") },
    { ...left, yields: 1, title: "answered", cell: ({ answer }) => cell(answered(answer)) },
    { ...left, title: "proven", cell: (stop) => cell(provenText(stop), stopPaint(stop, colors)) },
  ];
}

function stopReason({ entry, isIntentWritten }: SetStop): string {
  const body = bodyOf(entry);
  const order = body.text("orderId");
  const parts = [
    whyText(body) ?? NOT_WRITTEN,
    order === null ? null : `on the entry order ${order}`,
    isIntentWritten ? null : "sent while the ledger took no writes",
  ];
  return parts.filter((part) => part !== null).join("; ");
}

function answered(answer: Entry | null): string {
  if (answer === null) return NOT_WRITTEN;
  const body = bodyOf(answer);
  return answerText(body.text("answer"), body.text("detail"));
}

function provenText({ answer, judgement }: SetStop): string {
  if (judgement !== null) {
    if (isProof(judgement)) return plainTime(judgement.atMs);
    const body = bodyOf(judgement);
    const detail = body.text("detail");
    // That it is not proven is what "no" says.
    return body.text("outcome") === "uncertain" && detail !== null
      ? `no, ${detail}`
      : `no, ${outcomeText(body.text("outcome"), detail)}`;
  }
  const word = answer === null ? null : bodyOf(answer).text("answer");
  return word === "refused" || word === "not-sent" ? "no" : "not yet";
}

function stopPaint({ judgement }: SetStop, colors: Colors): Paint {
  return judgement !== null && isProof(judgement) ? colors.green : colors.red;
}

/** What the columns had no room for. */
function beneath(stop: SetStop, { yielded }: Layout<SetStop>, width: number): readonly string[] {
  if (yielded.length === 0) return [];
  const parts = yielded.map(({ title, cell: read }) => `${title}: ${read(stop).text}`);
  return hanging(INDENT, parts.join(" · "), width);
}
