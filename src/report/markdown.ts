/** The report as GitHub-flavoured Markdown, for pull-request comments and step summaries. */
import { escapeMarkdown } from "./escaping.js";
import { sortedFindings, withAttention } from "./attention.js";
import type { Report, ReportExit, ReportPosition } from "./report.js";
import {
  advice,
  blindSpots,
  coverageText,
  distanceText,
  headline,
  notCoveredTexts,
  positionName,
  stepsHeadline,
  stepText,
  timeText,
} from "./wording.js";

export function renderMarkdown(report: Report): string {
  const steps = stepsHeadline(report.positions);
  const next = report.command === "audit" ? advice(report) : null;
  const calm = withAttention(report, ["calm", "left-alone"]);
  const blocks = [
    `## ${escapeMarkdown(headline(report))}`,
    ...blind(report),
    ...accountFindings(report),
    ...table(report, withAttention(report, ["critical", "warning", "changed"])),
    ...(calm.length === 0 ? [] : folded(`Protected or left alone (${calm.length})`, table(report, calm))),
    ...(steps === null ? [] : [escapeMarkdown(steps) + (next === null ? "" : `. ${next}`)]),
    ...notCoveredTexts(report).map((text) => `Not guarded: ${escapeMarkdown(text)}`),
    `<sub>bybit-backstop ${report.command}, ${escapeMarkdown(timeText(report.generatedAt))}</sub>`,
  ];
  return blocks.join("\n\n");
}

function blind(report: Report): readonly string[] {
  const spots = blindSpots(report);
  if (spots.length === 0) return [];
  const lines = ["**Incomplete: part of what should be guarded could not be seen; it may be unprotected.**"];
  return [
    ["> [!CAUTION]", ...lines.map((line) => `> ${line}`), ...spots.map((s) => `> - ${escapeMarkdown(s)}`)].join("\n"),
  ];
}

function accountFindings(report: Report): readonly string[] {
  const items = report.accounts.flatMap((account) =>
    sortedFindings(account.findings).map(
      (finding) =>
        `- ${escapeMarkdown(account.name)}: **${escapeMarkdown(finding.code)}** (${finding.severity}): ${escapeMarkdown(finding.message)}`,
    ),
  );
  return items.length === 0 ? [] : [items.join("\n")];
}

function table(report: Report, positions: readonly ReportPosition[]): readonly string[] {
  if (positions.length === 0) return [];
  const withAccount = report.accounts.length > 1;
  const header = [
    "Status",
    ...(withAccount ? ["Account"] : []),
    "Position",
    "Size",
    "Entry",
    "Mark",
    "Stop-loss",
    "Take-profit",
    "Liquidation",
    "Findings and steps",
  ];
  const rule = header.map((title) => (["Size", "Entry", "Mark", "Liquidation"].includes(title) ? "---:" : "---"));
  return [[header, rule, ...positions.map((position) => cells(position, withAccount))].map(row).join("\n")];
}

const row = (texts: readonly string[]) => `| ${texts.join(" | ")} |`;

function cells(position: ReportPosition, withAccount: boolean): readonly string[] {
  const price = (text: string | null) => (text === null ? "" : escapeMarkdown(text));
  return [
    position.status === "protected" ? position.status : `**${position.status}**`,
    ...(withAccount ? [escapeMarkdown(position.account)] : []),
    escapeMarkdown(positionName(position)),
    price(position.size),
    price(position.entryPrice),
    price(position.markPrice),
    exitText(position, position.stopLoss),
    exitText(position, position.takeProfit),
    price(position.liquidationPrice),
    remarks(position),
  ];
}

function exitText(position: ReportPosition, exit: ReportExit | null): string {
  if (exit === null) return position.status === "unknown" ? "?" : "none";
  const notes = [distanceText(exit), coverageText(exit)].filter((note) => note !== null);
  return escapeMarkdown(`${exit.price} (${notes.join(", ")})`);
}

function remarks(position: ReportPosition): string {
  const findings = sortedFindings(position.findings).map(
    (finding) => `**${escapeMarkdown(finding.code)}**: ${escapeMarkdown(finding.message)}`,
  );
  const steps = position.steps.map((step) => `→ ${escapeMarkdown(stepText(step))}`);
  return [...findings, ...steps].join("<br>");
}

function folded(title: string, blocks: readonly string[]): readonly string[] {
  return ["<details>", `<summary>${title}</summary>`, ...blocks, "</details>"];
}
