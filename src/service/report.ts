/** What passes found and did, as a report of this moment. */
import { buildReport, type ReportInput } from "../report/build.js";
import type { Report } from "../report/index.js";
import { systemClock } from "../runtime/index.js";

export function reportOf(command: ReportInput["command"], outcomes: ReportInput["outcomes"]): Report {
  const generatedAtMs = systemClock.now();
  return buildReport({ command, outcomes, generatedAtMs, generatedAt: new Date(generatedAtMs).toISOString() });
}
