/** The report for a person at a terminal: worst first, aligned, and the sum at the end where the eye is. */
import picocolors from "picocolors";
import { type Cell, type Column, displayWidth, hanging, type Layout, layOut, type Paint, pad } from "./columns.js";
import { oneLine } from "./escaping.js";
import { type Attention, attentionOf, sortedFindings, withAttention, worstFirst, worstSeverity } from "./attention.js";
import type {
  PositionStatus,
  Report,
  ReportExit,
  ReportFinding,
  ReportPosition,
  ReportStep,
  Severity,
} from "./report.js";
import {
  advice,
  blindSpots,
  coverageText,
  distanceText,
  durationText,
  headline,
  notCoveredTexts,
  positionName,
  stepsHeadline,
  stepText,
  timeText,
} from "./wording.js";

type Colors = ReturnType<typeof picocolors.createColors>;
type ExitName = "stopLoss" | "takeProfit";

const INDENT = "    ";
const plain: Paint = (text) => text;
// The row itself already says these: no stop, no take-profit.
const SAID_BY_ROW: readonly string[] = ["stop-missing", "take-profit-missing"];
// A blank line between them: what needs attention, what was done, what is well.
const GROUPS: readonly (readonly Attention[])[] = [["critical"], ["warning"], ["changed"], ["calm", "left-alone"]];
const INCOMPLETE = "INCOMPLETE: part of what should be guarded could not be seen; it may be unprotected.";
const APART = "\u00a0";

interface TableOptions {
  readonly color: boolean;
  readonly width: number;
  readonly note?: string;
}

export function renderTable(report: Report, options: TableOptions): string {
  const colors = picocolors.createColors(options.color);
  const title = `${colors.bold(`bybit-backstop ${report.command}`)} ${colors.dim(timeText(oneLine(report.generatedAt)))}`;
  const blocks = [
    [title, ...(options.note === undefined ? [] : hanging("", options.note, options.width))],
    positionBlock(report, options.width, colors),
    blindBlock(report, options.width, colors),
    accountBlock(report, options.width, colors),
    notCoveredTexts(report).flatMap((text) => hanging("not guarded: ", oneLine(text), options.width).map(colors.dim)),
    summaryBlock(report, options.width, colors),
  ];
  return blocks
    .filter((block) => block.length > 0)
    .map((block) => block.join("\n"))
    .join("\n\n");
}

function positionBlock(report: Report, width: number, colors: Colors): readonly string[] {
  const rows = worstFirst(report);
  if (rows.length === 0) return [];
  const layout = layOut(columnsOf(report, colors), rows, width);
  const groups = GROUPS.map((attentions) => withAttention(report, attentions)).filter((group) => group.length > 0);
  const lines = groups.map((group) =>
    group.flatMap((row) => [layout.line(row), ...beneath(row, layout, width, colors)]).join("\n"),
  );
  return [colors.dim(layout.header), lines.join("\n\n")];
}

function columnsOf(report: Report, colors: Colors): readonly Column<ReportPosition>[] {
  const left = { align: "left", yields: null } as const;
  const account: Column<ReportPosition> = { ...left, title: "account", cell: (row) => cell(oneLine(row.account)) };
  return [
    { ...left, title: "status", cell: (row) => statusCell(row, colors) },
    ...(report.accounts.length > 1 ? [account] : []),
    { ...left, title: "position", cell: (row) => cell(oneLine(positionName(row)), colors.bold) },
    priceColumn("size", 4, (row) => row.size),
    priceColumn("entry", 3, (row) => row.entryPrice),
    priceColumn("mark", 2, (row) => row.markPrice),
    { ...left, title: "stop-loss", cell: exitCell("stopLoss", report, colors) },
    { ...left, title: "take-profit", yields: 5, cell: exitCell("takeProfit", report, colors) },
    priceColumn("liquidation", 1, (row) => row.liquidationPrice),
    { ...left, title: "findings", yields: 0, cell: (row) => findingsCell(row, colors) },
  ];
}

function priceColumn(
  title: string,
  yields: number,
  read: (row: ReportPosition) => string | null,
): Column<ReportPosition> {
  return { title, align: "right", yields, cell: (row) => cell(oneLine(read(row) ?? "-")) };
}

const cell = (text: string, paint: Paint = plain): Cell => ({ text, paint });

function statusCell(row: ReportPosition, colors: Colors): Cell {
  return cell(`${statusMark(row.status)} ${row.status}`, attentionPaint(row, colors));
}

function statusMark(status: PositionStatus): string {
  switch (status) {
    case "protected":
      return "✓";
    case "unprotected":
      return "✗";
    case "underprotected":
      return "◐";
    case "misplaced":
    case "unprotectable":
      return "!";
    case "unknown":
      return "?";
    case "ignored":
    case "closed":
      return "-";
  }
}

function attentionPaint(row: ReportPosition, colors: Colors): Paint {
  switch (attentionOf(row)) {
    case "critical":
      return colors.red;
    case "warning":
      return colors.yellow;
    case "changed":
    case "calm":
      return colors.green;
    case "left-alone":
      return colors.dim;
  }
}

/** Price right-aligned and its remarks left-aligned within one column, so that both can be read down the page. */
function exitCell(name: ExitName, report: Report, colors: Colors): (row: ReportPosition) => Cell {
  const widest = report.positions.reduce(
    (width, row) => Math.max(width, row[name] === null ? 0 : displayWidth(oneLine(row[name].price))),
    0,
  );
  return (row) => {
    const exit = row[name];
    if (exit === null) return missingExit(row, name, widest, colors);
    const partly = coverageText(exit);
    const text = `${pad(oneLine(exit.price), widest, "right")} ${exitRemark(exit)}`;
    return cell(text, partly === null ? plain : colors.yellow);
  };
}

function exitRemark(exit: ReportExit): string {
  return `(${[oneLine(distanceText(exit)), coverageText(exit)].filter((part) => part !== null).join(", ")})`;
}

function missingExit(row: ReportPosition, name: ExitName, widest: number, colors: Colors): Cell {
  if (row.status === "closed" || row.status === "ignored") return cell(pad("-", widest, "right"), colors.dim);
  if (row.status === "unknown") return cell(pad("?", widest, "right"), colors.red);
  return cell(pad("none", widest, "right"), name === "stopLoss" ? colors.red : plain);
}

function findingsCell(row: ReportPosition, colors: Colors): Cell {
  return cell(findingsText(row, row.findings), severityPaint(worstSeverity(row.findings), colors));
}

function findingsText(row: ReportPosition, findings: readonly ReportFinding[]): string {
  const codes = sortedFindings(findings).map((finding) => oneLine(finding.code));
  const naked = row.nakedForMs !== null && row.stopLoss === null;
  return [...codes, ...(naked ? [`without stop for up to ${durationText(row.nakedForMs)}`] : [])].join(", ");
}

function severityPaint(severity: Severity | null, colors: Colors): Paint {
  switch (severity) {
    case "critical":
      return colors.red;
    case "warning":
      return colors.yellow;
    case "info":
    case null:
      return colors.dim;
  }
}

function beneath(
  row: ReportPosition,
  layout: Layout<ReportPosition>,
  width: number,
  colors: Colors,
): readonly string[] {
  const explained = sortedFindings(row.findings).filter(
    (finding) => finding.severity !== "info" && !SAID_BY_ROW.includes(finding.code),
  );
  return [
    ...movedLines(row, layout, explained, width).map(severityPaint(worstSeverity(row.findings), colors)),
    ...explained.flatMap((finding) => findingLines(finding, INDENT, width, colors)),
    ...row.steps.flatMap((step) => hanging(`${INDENT}→ `, oneLine(stepText(step)), width).map(stepPaint(step, colors))),
  ];
}

/** What the columns had no room for; findings that get a line of their own are not named twice. */
function movedLines(
  row: ReportPosition,
  layout: Layout<ReportPosition>,
  explained: readonly ReportFinding[],
  width: number,
): readonly string[] {
  const unexplained = findingsText(
    row,
    row.findings.filter((finding) => !explained.includes(finding)),
  );
  const parts = layout.yielded
    .map(({ title, cell: read }) =>
      title === "findings" ? unexplained : `${title} ${read(row).text.replace(/ +/g, " ").trim()}`,
    )
    .filter((text) => text !== "" && !text.endsWith(" -"));
  if (parts.length === 0) return [];
  // A name and its price stay on one line.
  const whole = parts.map((part, index) => part.replace(/ /g, APART) + (index < parts.length - 1 ? `${APART}·` : ""));
  return hanging(INDENT, whole.join(" "), width).map((line) => line.replaceAll(APART, " "));
}

function findingLines(finding: ReportFinding, indent: string, width: number, colors: Colors): readonly string[] {
  const text = `${oneLine(finding.code)}: ${oneLine(finding.message)}`;
  return hanging(`${indent}! `, text, width).map(severityPaint(finding.severity, colors));
}

function stepPaint(step: ReportStep, colors: Colors): Paint {
  switch (step.outcome) {
    case "planned":
      return colors.cyan;
    case "confirmed":
      return colors.green;
    case "refused":
    case "uncertain":
      return colors.red;
    case "skipped":
      return colors.yellow;
  }
}

function blindBlock(report: Report, width: number, colors: Colors): readonly string[] {
  const spots = blindSpots(report);
  if (spots.length === 0) return [];
  return [
    ...hanging("", INCOMPLETE, width).map((line) => colors.bold(colors.red(line))),
    ...spots.flatMap((spot) => hanging("  ? ", oneLine(spot), width).map(colors.red)),
  ];
}

function accountBlock(report: Report, width: number, colors: Colors): readonly string[] {
  return report.accounts.flatMap((account) =>
    sortedFindings(account.findings).flatMap((finding) =>
      findingLines({ ...finding, code: `${account.name}: ${finding.code}` }, "  ", width, colors),
    ),
  );
}

function summaryBlock(report: Report, width: number, colors: Colors): readonly string[] {
  const steps = stepsHeadline(report.positions);
  const next = advice(report);
  const worst = worstFirst(report)[0];
  const paint = worst === undefined ? plain : attentionPaint(worst, colors);
  return [
    ...hanging("", headline(report), width).map((line) => colors.bold(paint(line))),
    ...(steps === null ? [] : hanging("", steps, width)),
    ...(next === null || report.command !== "audit" ? [] : hanging("", next, width).map(colors.dim)),
  ];
}
