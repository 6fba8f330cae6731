/** One position in the HTML report: a card where something is to be said, a table row where all is well. */
import { escapeHtml } from "./escaping.js";
import { drawPriceLine } from "./price-line.js";
import { attentionOf, sortedFindings } from "./attention.js";
import type { PositionStatus, ReportExit, ReportFinding, ReportPosition } from "./report.js";
import { coverageText, distanceText, durationText, lossText, stepText } from "./wording.js";

/** `accounts`: how many the report has; with one its name is not repeated. */
export function positionCard(position: ReportPosition, id: string, accounts: number): string {
  return [
    `<article class="card ${attentionOf(position)}" aria-labelledby="${id}">`,
    `<div class="top"><h3 id="${id}">${nameHtml(position)}</h3>${pill(position.status)}</div>`,
    `<p class="facts">${factsHtml(position, accounts)}</p>`,
    position.status === "closed" ? "" : `<div class="scroll">${drawPriceLine(position, "labels", `${id}-line`)}</div>`,
    list("findings", sortedFindings(position.findings).map(findingItem)),
    list(
      "steps",
      position.steps.map((step) => `<li class="${step.outcome}">${escapeHtml(stepText(step))}</li>`),
    ),
    "</article>",
  ].join("\n");
}

export function positionTable(positions: readonly ReportPosition[], idPrefix: string, accounts: number): string {
  const head = ["Position", "Size", "Entry", "Mark", "Stop-loss", "Take-profit", "Liquidation", "Price line"];
  const headCells = head.map((title) => `<th scope="col"${isNumber(title) ? ' class="num"' : ""}>${title}</th>`);
  const rows = positions.map((position, index) => positionRow(position, `${idPrefix}${index}`, accounts));
  return [
    `<div class="scroll"><table><thead><tr>${headCells.join("")}</tr></thead>`,
    `<tbody>${rows.join("\n")}</tbody></table></div>`,
  ].join("\n");
}

export function findingItem(finding: ReportFinding): string {
  return `<li class="${finding.severity}"><code>${escapeHtml(finding.code)}</code> ${escapeHtml(finding.message)}</li>`;
}

export function list(style: string, items: readonly string[]): string {
  return items.length === 0 ? "" : `<ul class="${style}">${items.join("")}</ul>`;
}

/** Which colour a status has; only a stop for the whole size is good. */
export function statusTone(status: PositionStatus): "bad" | "watch" | "good" | "quiet" {
  switch (status) {
    case "unprotected":
    case "underprotected":
    case "misplaced":
    case "unknown":
      return "bad";
    case "unprotectable":
      return "watch";
    case "protected":
      return "good";
    case "ignored":
    case "closed":
      return "quiet";
  }
}

function positionRow(position: ReportPosition, id: string, accounts: number): string {
  const codes = sortedFindings(position.findings).map((finding) => `${finding.code}: ${finding.message}`);
  const status = position.status === "protected" ? [] : [position.status];
  const about = [...(accounts > 1 ? [position.account] : []), ...status, ...codes];
  const sub = about.map((text) => `<span class="sub">${escapeHtml(text)}</span>`).join("");
  return [
    `<tr><th scope="row">${nameHtml(position)}${sub}</th>`,
    priceCell("Size", position.size),
    priceCell("Entry", position.entryPrice),
    priceCell("Mark", position.markPrice),
    exitCell("Stop-loss", position.stopLoss),
    exitCell("Take-profit", position.takeProfit),
    priceCell("Liquidation", position.liquidationPrice),
    `<td class="draw">${drawPriceLine(position, "bare", `${id}-line`)}</td></tr>`,
  ].join("");
}

const isNumber = (title: string) => title !== "Position" && title !== "Price line";

function priceCell(title: string, text: string | null): string {
  return `<td class="num" data-title="${title}">${escapeHtml(text ?? "–")}</td>`;
}

function exitCell(title: string, exit: ReportExit | null): string {
  if (exit === null) return `<td class="num" data-title="${title}">none</td>`;
  return `<td class="num" data-title="${title}">${escapeHtml(exit.price)}<span class="sub">${escapeHtml(exitNotes(exit))}</span></td>`;
}

function exitNotes(exit: ReportExit): string {
  return [distanceText(exit), coverageText(exit)].filter((note) => note !== null).join(", ");
}

function nameHtml(position: ReportPosition): string {
  const symbol = escapeHtml(position.symbol ?? "unreadable contract");
  const leg = position.positionIdx === 1 || position.positionIdx === 2 ? ", hedge leg" : "";
  return `${symbol} <span class="side">${position.side ?? "side unknown"}${leg}</span>`;
}

function pill(status: PositionStatus): string {
  return `<span class="pill ${statusTone(status)}">${status}</span>`;
}

/** What the drawing does not say: size, leverage, what the exits cover and cost. */
function factsHtml(position: ReportPosition, accounts: number): string {
  const leverage = position.leverage === null ? null : `${position.leverage}×`;
  const naked = position.nakedForMs === null ? null : durationText(position.nakedForMs);
  return [
    ...(accounts > 1 ? [fact("account", position.account)] : []),
    fact("", position.category),
    fact("size", position.size),
    fact("notional", position.notional),
    fact(position.marginMode ?? "", leverage ?? (position.marginMode === null ? null : "margin")),
    fact("without stop for up to", position.stopLoss === null ? naked : null),
    exitFact("stop", position.stopLoss),
    exitFact("take-profit", position.takeProfit),
  ]
    .filter((text) => text !== null)
    .join(" · ");
}

function fact(label: string, text: string | null): string | null {
  if (text === null) return null;
  return label === "" ? escapeHtml(text) : `${label} <b>${escapeHtml(text)}</b>`;
}

function exitFact(label: string, exit: ReportExit | null): string | null {
  if (exit === null) return null;
  return `${label} <b>${escapeHtml(exitNotes(exit))}</b>, a ${escapeHtml(lossText(exit.lossQuote))}`;
}
