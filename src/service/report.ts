/** What passes found and did, as a report. */
import { buildReport, type ReportInput } from "../report/build.js";
import type { Report } from "../report/index.js";
import { systemClock } from "../runtime/index.js";

/** `ageMs`: how long ago that was; default: it is so at this moment. */
export function reportOf(command: ReportInput["command"], outcomes: ReportInput["outcomes"], ageMs = 0): Report {
  const generatedAtMs = Math.round(systemClock.now() - ageMs);
  return buildReport({ command, outcomes, generatedAtMs, generatedAt: new Date(generatedAtMs).toISOString() });
}
