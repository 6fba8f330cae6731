/** The report as JUnit XML: one test case per position, so that any CI shows which position fails and why. */
import { escapeXml } from "./escaping.js";
import { sortedFindings, worstSeverity } from "./attention.js";
import type { Report, ReportAccount, ReportFinding, ReportPosition } from "./report.js";
import { gapText, positionName, stepText } from "./wording.js";

interface TestCase {
  readonly classname: string;
  readonly name: string;
  readonly verdict: "passed" | "failure" | "error" | "skipped";
  /** Type and message of the verdict; ignored when passed. */
  readonly type: string;
  readonly message: string;
  readonly details: readonly string[];
}

export function renderJunit(report: Report): string {
  const suites = report.accounts.map((account) => ({ name: account.name, cases: casesOf(report, account) }));
  const all = suites.flatMap((suite) => suite.cases);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="bybit-backstop ${report.command}" ${counters(all)} time="0">`,
    ...suites.flatMap((suite) => [
      `  <testsuite name="${escapeXml(suite.name)}" ${counters(suite.cases)} skipped="${count(suite.cases, "skipped")}" time="0" timestamp="${escapeXml(report.generatedAt)}">`,
      ...suite.cases.flatMap(caseLines),
      "  </testsuite>",
    ]),
    "</testsuites>",
  ].join("\n");
}

/** Those that `testsuites` and `testsuite` share: Jenkins' junit-10.xsd knows `skipped` on a suite only. */
function counters(cases: readonly TestCase[]): string {
  return `tests="${cases.length}" failures="${count(cases, "failure")}" errors="${count(cases, "error")}"`;
}

function count(cases: readonly TestCase[], verdict: TestCase["verdict"]): number {
  return cases.filter((testCase) => testCase.verdict === verdict).length;
}

function casesOf(report: Report, account: ReportAccount): readonly TestCase[] {
  return [
    ...report.positions.filter((position) => position.account === account.name).map(positionCase),
    ...sortedFindings(account.findings).map((finding) => accountCase(account, finding)),
    ...blindCases(account),
  ];
}

function positionCase(position: ReportPosition): TestCase {
  const findings = sortedFindings(position.findings);
  const first = findings[0];
  return {
    classname: `${position.account}.${position.category}`,
    name: positionName(position),
    verdict: verdictOf(position),
    type: first?.code ?? position.status,
    message: first?.message ?? position.status,
    details: [
      `status: ${position.status}`,
      ...findings.map((finding) => `${finding.severity} ${finding.code}: ${finding.message}`),
      ...position.steps.map((step) => `step: ${stepText(step)}`),
    ],
  };
}

function verdictOf(position: ReportPosition): TestCase["verdict"] {
  if (position.status === "unknown") return "error";
  if (position.status === "ignored") return "skipped";
  const worst = worstSeverity(position.findings);
  return worst === "critical" || worst === "warning" ? "failure" : "passed";
}

function accountCase(account: ReportAccount, finding: ReportFinding): TestCase {
  return {
    classname: account.name,
    name: finding.code,
    verdict: finding.severity === "info" ? "passed" : "failure",
    type: finding.code,
    message: finding.message,
    details: [`${finding.severity} ${finding.code}: ${finding.message}`],
  };
}

/** What could not be seen is an error: neither passed nor failed. */
function blindCases(account: ReportAccount): readonly TestCase[] {
  const gaps = account.gaps.map((gap) => ({
    classname: `${account.name}.${gap.category}`,
    name: `${gap.category} ${gap.what} can be read`,
    verdict: "error" as const,
    type: "gap",
    message: gap.reason,
    details: [gapText(account, gap)],
  }));
  if (gaps.length > 0 || (account.complete && account.readable)) return gaps;
  const message = account.readable ? "not everything could be seen" : "no position of this account could be judged";
  const name = "account can be read";
  return [{ classname: account.name, name, verdict: "error", type: "gap", message, details: [message] }];
}

function caseLines(testCase: TestCase): readonly string[] {
  const open = `    <testcase classname="${escapeXml(testCase.classname)}" name="${escapeXml(testCase.name)}" time="0">`;
  const details = escapeXml(testCase.details.join("\n"));
  const attributes = `message="${escapeXml(testCase.message)}"`;
  const body = {
    passed: `      <system-out>${details}</system-out>`,
    failure: `      <failure type="${escapeXml(testCase.type)}" ${attributes}>${details}</failure>`,
    error: `      <error type="${escapeXml(testCase.type)}" ${attributes}>${details}</error>`,
    skipped: `      <skipped ${attributes}/>`,
  }[testCase.verdict];
  return [open, body, "    </testcase>"];
}
