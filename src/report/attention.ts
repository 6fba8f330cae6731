/** Which positions a reader must see first, and which need no attention at all. */
import { type Decimal, dec, parseDecimal } from "../domain/decimal.js";
import type { PositionStatus, Report, ReportFinding, ReportPosition, Severity } from "./report.js";

export type Attention = "critical" | "warning" | "changed" | "calm" | "left-alone";

const ATTENTIONS: readonly Attention[] = ["critical", "warning", "changed", "calm", "left-alone"];
const SEVERITIES: readonly Severity[] = ["critical", "warning", "info"];

export function attentionOf(position: ReportPosition): Attention {
  const worst = worstSeverity(position.findings);
  if (worst === "critical" || position.status === "unknown") return "critical";
  if (worst === "warning" || lacksStop(position.status)) return "warning";
  if (position.steps.length > 0) return "changed";
  return position.status === "protected" ? "calm" : "left-alone";
}

/** Worst first; within one attention the report's own order, most dangerous first, stays. */
export function worstFirst(report: Report): readonly ReportPosition[] {
  return withAttention(report, ATTENTIONS);
}

export function withAttention(report: Report, attentions: readonly Attention[]): readonly ReportPosition[] {
  return attentions.flatMap((attention) => report.positions.filter((position) => attentionOf(position) === attention));
}

/** Null: no finding at all. */
export function worstSeverity(findings: readonly ReportFinding[]): Severity | null {
  return SEVERITIES.find((severity) => findings.some((finding) => finding.severity === severity)) ?? null;
}

/** Findings, worst first. */
export function sortedFindings(findings: readonly ReportFinding[]): readonly ReportFinding[] {
  return SEVERITIES.flatMap((severity) => findings.filter((finding) => finding.severity === severity));
}

function lacksStop(status: PositionStatus): boolean {
  switch (status) {
    case "unprotected":
    case "underprotected":
    case "misplaced":
    case "unprotectable":
    case "unknown":
      return true;
    case "protected":
    case "ignored":
    case "closed":
      return false;
  }
}

/** By attention, then by notional, so that the largest naked position leads. */
export function mostDangerousFirst(positions: readonly ReportPosition[]): readonly ReportPosition[] {
  const attention = (position: ReportPosition) => ATTENTIONS.indexOf(attentionOf(position));
  return [...positions].sort((one, other) => {
    const byAttention = attention(one) - attention(other);
    return byAttention === 0 ? notionalOf(other).cmp(notionalOf(one)) : byAttention;
  });
}

function notionalOf({ notional }: ReportPosition): Decimal {
  return (notional === null ? null : parseDecimal(notional)) ?? dec("0");
}
