/** The report room's doorway: one report, many renderings, one exit code. */
import { renderGithub } from "./github.js";
import { renderHtml } from "./html.js";
import { renderJson } from "./json.js";
import { renderJunit } from "./junit.js";
import { renderMarkdown } from "./markdown.js";
import type { Report } from "./report.js";
import { renderSarif } from "./sarif.js";
import { renderTable } from "./table.js";

export type * from "./report.js";
export { exitCode, type FailOn, type ReportExitCode, summarize } from "./verdict.js";

export const FORMATS = ["table", "json", "markdown", "html", "junit", "sarif", "github"] as const;
export type Format = (typeof FORMATS)[number];

export interface RenderOptions {
  readonly color: boolean;
  /** Terminal columns; only the table uses it. */
  readonly width: number;
  /** A line beneath the title of the table. */
  readonly note?: string;
}

const PLAIN: RenderOptions = { color: false, width: 120 };

/**
 * Text in the given format; always ends with exactly one newline. By default without colours, 120 columns wide.
 * @throws RangeError for a format that is none
 */
export function render(report: Report, format: Format, options: RenderOptions = PLAIN): string {
  if (!FORMATS.includes(format)) throw new RangeError(`format is one of ${FORMATS.join(", ")}, and no other word`);
  return `${body(report, format, options).replace(/\n+$/, "")}\n`;
}

function body(report: Report, format: Format, options: RenderOptions): string {
  switch (format) {
    case "table":
      return renderTable(report, options);
    case "json":
      return renderJson(report);
    case "markdown":
      return renderMarkdown(report);
    case "html":
      return renderHtml(report);
    case "junit":
      return renderJunit(report);
    case "sarif":
      return renderSarif(report);
    case "github":
      return renderGithub(report);
  }
}
