/** The report as SARIF 2.1.0, for code-scanning views: one rule per finding code, one result per finding. */
import { sortedFindings, worstFirst, worstSeverity } from "./attention.js";
import type { Report, ReportFinding, Severity } from "./report.js";
import { blindSpots, positionName, positionPath, stepText } from "./wording.js";

/** A finding with the thing it was found on. */
interface Sighting {
  readonly finding: ReportFinding;
  readonly path: string;
  readonly name: string;
  readonly steps: readonly string[];
  /** Counts equal codes on one thing, so that fingerprints stay apart. */
  readonly occurrence: number;
}

// GitHub takes only results with a place in a file. A position has none; the file that says how it should be
// protected is the nearest one, and its first line claims no more than that.
const PHYSICAL_LOCATION = {
  artifactLocation: { uri: "config/backstop.yaml" },
  region: { startLine: 1 },
};

export function renderSarif(report: Report): string {
  const sightings = sightingsOf(report);
  const codes = [...new Set(sightings.map((sighting) => sighting.finding.code))].sort();
  const log = {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "bybit-backstop", rules: codes.map((code) => ruleOf(code, sightings)) } },
        automationDetails: { id: `bybit-backstop/${report.command}/` },
        invocations: [
          {
            executionSuccessful: report.complete,
            endTimeUtc: report.generatedAt,
            toolExecutionNotifications: blindSpots(report).map((text) => ({ level: "error", message: { text } })),
          },
        ],
        results: sightings.map((sighting) => resultOf(sighting, codes)),
      },
    ],
  };
  return JSON.stringify(log, null, 2);
}

function sightingsOf(report: Report): readonly Sighting[] {
  const onPositions = worstFirst(report).flatMap((position) =>
    sighted(position.findings, positionPath(position), positionName(position), position.steps.map(stepText)),
  );
  const onAccounts = report.accounts.flatMap((account) =>
    sighted(account.findings, account.name, `account ${account.name}`, []),
  );
  return [...onPositions, ...onAccounts];
}

function sighted(
  findings: readonly ReportFinding[],
  path: string,
  name: string,
  steps: readonly string[],
): readonly Sighting[] {
  return sortedFindings(findings).map((finding, index, sorted) => ({
    finding,
    path,
    name,
    steps,
    occurrence: sorted.slice(0, index).filter((earlier) => earlier.code === finding.code).length + 1,
  }));
}

function ruleOf(code: string, sightings: readonly Sighting[]) {
  const findings = sightings.map((sighting) => sighting.finding).filter((finding) => finding.code === code);
  const words = code.replace(/-/g, " ");
  const short = words.charAt(0).toUpperCase() + words.slice(1);
  const help = `Meaning and cure: docs/findings.md#${code}`;
  return {
    id: code,
    name: code,
    shortDescription: { text: short },
    fullDescription: { text: `${short}. ${help}` },
    help: { text: help },
    defaultConfiguration: { level: levelOf(worstSeverity(findings) ?? "info") },
  };
}

function resultOf(sighting: Sighting, codes: readonly string[]) {
  const { finding, path, name } = sighting;
  const fingerprint = `${path}/${finding.code}:${sighting.occurrence}`;
  const text = [`${name}: ${finding.message}`, ...sighting.steps.map((step) => `Step: ${step}`)].join("\n");
  return {
    ruleId: finding.code,
    ruleIndex: codes.indexOf(finding.code),
    level: levelOf(finding.severity),
    message: { text },
    locations: [
      {
        physicalLocation: PHYSICAL_LOCATION,
        logicalLocations: [{ name, fullyQualifiedName: path, kind: "resource" }],
      },
    ],
    // GitHub tells results apart by the first key alone; without it all would be one, being on the same line.
    partialFingerprints: { primaryLocationLineHash: fingerprint, "bybitBackstop/v1": fingerprint },
  };
}

function levelOf(severity: Severity): "error" | "warning" | "note" {
  switch (severity) {
    case "critical":
      return "error";
    case "warning":
      return "warning";
    case "info":
      return "note";
  }
}
