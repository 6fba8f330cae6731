/** The report as GitHub workflow commands: annotations of a run, worst first since GitHub shows only the first ten. */
import { escapeCommand, escapeCommandProperty, oneLine } from "./escaping.js";
import { attentionOf, sortedFindings, worstFirst } from "./attention.js";
import type { Report, ReportPosition, Severity } from "./report.js";
import { blindSpots, headline, notCoveredTexts, positionName, stepsHeadline, stepText } from "./wording.js";

type Level = "error" | "warning" | "notice";

export function renderGithub(report: Report): string {
  const steps = stepsHeadline(report.positions);
  const incomplete = blindSpots(report).length > 0 ? "INCOMPLETE, " : "";
  return [
    ...blindSpots(report).map((text) => command("error", "could not be seen", text)),
    ...report.accounts.flatMap((account) =>
      sortedFindings(account.findings).map((finding) =>
        command(levelOf(finding.severity), `account ${account.name}: ${finding.code}`, finding.message),
      ),
    ),
    ...worstFirst(report).flatMap((position) => positionCommands(report, position)),
    ...notCoveredTexts(report).map((text) => command("notice", "not guarded", text)),
    `bybit-backstop ${report.command}: ${incomplete}${headline(report)}${steps === null ? "" : `; ${steps}`}`,
  ].join("\n");
}

function positionCommands(report: Report, position: ReportPosition): readonly string[] {
  const account = report.accounts.length > 1 ? ` (${position.account})` : "";
  const title = `${positionName(position)}${account}`;
  const findings = sortedFindings(position.findings).map((finding) =>
    command(levelOf(finding.severity), `${title}: ${finding.code}`, finding.message),
  );
  // A position without stop is never silent, even where a waiver left it without a finding.
  const bare = findings.length === 0 && attentionOf(position) === "warning";
  return [
    ...findings,
    ...(bare ? [command("notice", title, position.status)] : []),
    ...position.steps.map((step) => command("notice", title, stepText(step))),
  ];
}

function command(level: Level, title: string, message: string): string {
  return `::${level} title=${escapeCommandProperty(oneLine(title))}::${escapeCommand(message)}`;
}

function levelOf(severity: Severity): Level {
  switch (severity) {
    case "critical":
      return "error";
    case "warning":
      return "warning";
    case "info":
      return "notice";
  }
}
