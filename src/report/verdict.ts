/** What a whole report amounts to: its counters and the exit code of the program. */
import type { PositionStatus, Report, ReportFinding, ReportPosition, ReportSummary, Severity } from "./report.js";

const FAIL_ON = ["critical", "warning", "never"] as const;
export type FailOn = (typeof FAIL_ON)[number];
export type ReportExitCode = 0 | 1 | 2 | 3;

/**
 * 1: nothing could be judged; 2: a finding at or above `failOn` is left; 3: none is, but something could not be
 * seen, whatever `failOn` says; 0: everything was seen and is well.
 * @throws RangeError for a `failOn` that is none: what nobody knows must not count as "never"
 */
export function exitCode(report: Report, failOn: FailOn = "warning"): ReportExitCode {
  if (!FAIL_ON.includes(failOn)) throw new RangeError(`failOn is one of ${FAIL_ON.join(", ")}, and no other word`);
  if (!report.accounts.some((account) => account.readable)) return 1;
  if (allFindings(report).some((finding) => counts(finding.severity, failOn))) return 2;
  const allSeen =
    report.complete &&
    report.accounts.every((account) => account.complete && account.readable) &&
    report.positions.every((position) => position.status !== "unknown");
  return allSeen ? 0 : 3;
}

/** One counter per status, which sum to `positions`; steps and those proven by a later read. */
export function summarize(positions: readonly ReportPosition[]): ReportSummary {
  const inStatus = (status: PositionStatus) => positions.filter((position) => position.status === status).length;
  const steps = positions.flatMap((position) => position.steps);
  return {
    positions: positions.length,
    protected: inStatus("protected"),
    unprotected: inStatus("unprotected"),
    underprotected: inStatus("underprotected"),
    misplaced: inStatus("misplaced"),
    unprotectable: inStatus("unprotectable"),
    unknown: inStatus("unknown"),
    ignored: inStatus("ignored"),
    closed: inStatus("closed"),
    steps: steps.length,
    confirmed: steps.filter((step) => step.outcome === "confirmed").length,
  };
}

/** Also of an account that nobody could see: that its key is refused is left to be cured. */
function allFindings(report: Report): readonly ReportFinding[] {
  return [...report.accounts, ...report.positions].flatMap((holder) => holder.findings);
}

function counts(severity: Severity, failOn: FailOn): boolean {
  switch (failOn) {
    case "critical":
      return severity === "critical";
    case "warning":
      return severity !== "info";
    case "never":
      return false;
  }
}
