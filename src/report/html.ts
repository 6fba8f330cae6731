/** The report as one self-contained HTML page: no script, nothing fetched, readable offline and on paper. */
import { escapeHtml } from "./escaping.js";
import { findingItem, list, positionCard, positionTable, statusTone } from "./html-position.js";
import { STYLE } from "./html-style.js";
import { sortedFindings, withAttention } from "./attention.js";
import type { Report, ReportPosition } from "./report.js";
import {
  advice,
  blindSpots,
  counted,
  headline,
  notCoveredTexts,
  STATUSES,
  stepsHeadline,
  timeText,
} from "./wording.js";

export function renderHtml(report: Report): string {
  const title = `${headline(report)} · bybit-backstop`;
  return [
    "<!doctype html>",
    '<html lang="en">',
    "<head>",
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    '<meta name="referrer" content="no-referrer">',
    `<title>${escapeHtml(title)}</title>`,
    `<style>${STYLE}</style>`,
    "</head>",
    "<body>",
    PATTERNS,
    header(report),
    `<main>${main(report)}</main>`,
    footer(report),
    "</body>",
    "</html>",
  ].join("\n");
}

// Hatching says the same as colour, for those who cannot tell red from grey.
const PATTERNS = [
  '<svg class="defs" width="0" height="0" aria-hidden="true"><defs>',
  hatch("open", 45),
  hatch("dead", -45),
  "</defs></svg>",
].join("");

function hatch(name: string, angle: number): string {
  return [
    `<pattern id="${name}" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(${angle})">`,
    `<rect class="bed-${name}" width="6" height="6"/>`,
    `<line class="ink-${name}" x1="0" y1="0" x2="0" y2="6" stroke-width="2.4"/>`,
    "</pattern>",
  ].join("");
}

function header(report: Report): string {
  const accounts = report.accounts.map((account) => account.name).join(", ");
  const kicker = [`bybit-backstop ${report.command}`, accounts, timeText(report.generatedAt)].filter(
    (part) => part !== "",
  );
  return [
    "<header>",
    `<p class="kicker">${escapeHtml(kicker.join(" · "))}</p>`,
    `<h1>${escapeHtml(verdict(report))}</h1>`,
    tiles(report),
    "</header>",
  ].join("\n");
}

/** The one sentence to take away. */
function verdict(report: Report): string {
  const { positions, ignored, closed } = report.summary;
  const open = positions - closed;
  const held = report.summary.protected;
  const blind = blindSpots(report).length > 0;
  if (!report.accounts.some((account) => account.readable)) return "Nothing could be judged.";
  if (positions === 0)
    return blind ? "No open position was seen, but not everything was." : "There are no open positions.";
  const unguarded = open - held - ignored;
  if (unguarded === 1 && open === 1) return "The one open position is not protected.";
  if (unguarded > 0)
    return `${unguarded} of ${counted(open, "open position")} ${unguarded === 1 ? "is" : "are"} not protected.`;
  if (held === 0) return `No position is left to protect${blind ? ", but not everything was seen." : "."}`;
  const sure = held === 1 ? "The one guarded position has" : `All ${held} guarded positions have`;
  return `${sure} a stop at the exchange${blind ? ", but not everything was seen." : "."}`;
}

function tiles(report: Report): string {
  const { summary } = report;
  const shown = STATUSES.filter((status) => summary[status] > 0 || status === "protected" || status === "unprotected");
  const statuses = shown.map((status) =>
    tile(status, `${summary[status]}`, summary[status] > 0 ? statusTone(status) : ""),
  );
  return `<dl class="tiles">${[tile("positions", `${summary.positions}`, ""), ...statuses, ...stepTile(report)].join("")}</dl>`;
}

function stepTile(report: Report): readonly string[] {
  const { steps, confirmed } = report.summary;
  if (steps === 0) return [];
  const acted = report.positions.some((position) => position.steps.some((step) => step.outcome !== "planned"));
  return [acted ? tile("steps confirmed", `${confirmed} of ${steps}`, "") : tile("steps planned", `${steps}`, "")];
}

function tile(label: string, value: string, tone: string): string {
  return `<div class="${tone}"><dt>${label}</dt><dd>${value}</dd></div>`;
}

function main(report: Report): string {
  const urgent = withAttention(report, ["critical", "warning"]);
  const changed = withAttention(report, ["changed"]);
  return [
    blindBox(report),
    accountNotes(report),
    report.positions.length === 0 ? "" : LEGEND,
    cards("Needs attention", "most dangerous first", urgent, "urgent", report),
    cards(changedTitle(changed), "", changed, "changed", report),
    rows("Protected", withAttention(report, ["calm"]), "calm", report),
    rows("Left alone", withAttention(report, ["left-alone"]), "rest", report),
  ]
    .filter((part) => part !== "")
    .join("\n");
}

function blindBox(report: Report): string {
  const spots = blindSpots(report);
  if (spots.length === 0) return "";
  const items = spots.map((spot) => `<li>${escapeHtml(spot)}</li>`).join("");
  return [
    '<section class="blind" role="alert"><h2>Not everything could be seen</h2>',
    "<p>Positions may be open there without protection. Nothing was concluded about them.</p>",
    `<ul>${items}</ul></section>`,
  ].join("");
}

function accountNotes(report: Report): string {
  const items = report.accounts.flatMap((account) =>
    sortedFindings(account.findings).map((finding) =>
      findingItem({ ...finding, message: `account ${account.name}: ${finding.message}` }),
    ),
  );
  return list("notes", items);
}

function changedTitle(positions: readonly ReportPosition[]): string {
  const acted = positions.some((position) => position.steps.some((step) => step.outcome === "confirmed"));
  return acted ? "Changed in this pass" : "Protected, with steps planned";
}

function cards(
  title: string,
  note: string,
  positions: readonly ReportPosition[],
  prefix: string,
  report: Report,
): string {
  if (positions.length === 0) return "";
  const inner = positions.map((position, index) => positionCard(position, `${prefix}${index}`, report.accounts.length));
  return `<section>${sectionTitle(title, positions.length, note)}<div class="cards">${inner.join("\n")}</div></section>`;
}

function rows(title: string, positions: readonly ReportPosition[], prefix: string, report: Report): string {
  if (positions.length === 0) return "";
  const table = positionTable(positions, prefix, report.accounts.length);
  return `<section>${sectionTitle(title, positions.length, "")}${table}</section>`;
}

function sectionTitle(title: string, count: number, note: string): string {
  return `<h2>${title} <small>${count}${note === "" ? "" : `, ${note}`}</small></h2>`;
}

const LEGEND = [
  '<ul class="legend" aria-label="How to read the price lines">',
  key("stop", '<line class="m-stop" x1="9" y1="1" x2="9" y2="15"/>'),
  key("take-profit", '<line class="m-target" x1="9" y1="1" x2="9" y2="15"/>'),
  key("planned", '<line class="m-planned-stop" x1="9" y1="1" x2="9" y2="15"/>'),
  key("entry", '<circle class="m-entry" cx="9" cy="8" r="4.5"/>'),
  key("mark", '<circle class="m-mark" cx="9" cy="8" r="5.5"/>'),
  key("loss without a stop", '<rect class="zone-open" y="3" width="18" height="10"/>'),
  key("beyond liquidation", '<rect class="zone-dead" y="3" width="18" height="10"/>'),
  "</ul>",
].join("");

function key(name: string, shape: string): string {
  return `<li><svg width="18" height="16" aria-hidden="true">${shape}</svg>${name}</li>`;
}

function footer(report: Report): string {
  const steps = stepsHeadline(report.positions);
  const next = report.command === "audit" ? advice(report)?.replace(/`/g, "") : undefined;
  const lines = [
    ...(steps === null ? [] : [`${steps}.${next === undefined ? "" : ` ${next}`}`]),
    ...notCoveredTexts(report).map((text) => `Not guarded: ${text}.`),
    "Protected means that a stop for the whole size rests at the exchange. It is no promise of a fill.",
  ];
  return `<footer>${lines.map((line) => `<p>${escapeHtml(line)}</p>`).join("")}</footer>`;
}
