/** The report as JSON: the value itself, which every other format only renders. */
import type { Report } from "./report.js";

export function renderJson(report: Report): string {
  return JSON.stringify(report, null, 2);
}
