/** The sentences that every human-readable format shares: names, headlines, steps, gaps. */
import { Decimal, parseDecimal, print } from "../domain/decimal.js";
import type {
  PositionStatus,
  Report,
  ReportAccount,
  ReportExit,
  ReportGap,
  ReportPosition,
  ReportStep,
} from "./report.js";

export const STATUSES: readonly PositionStatus[] = [
  "protected",
  "unprotected",
  "underprotected",
  "misplaced",
  "unprotectable",
  "unknown",
  "ignored",
  "closed",
];

const OUTCOMES: readonly ReportStep["outcome"][] = ["confirmed", "planned", "refused", "uncertain", "skipped"];

/** "BTCUSDT long", with the leg in hedge mode, and honest about what could not be read. */
export function positionName(position: ReportPosition): string {
  const symbol = position.symbol ?? "unreadable contract";
  if (position.side === null) {
    const leg = position.positionIdx === null ? "" : `positionIdx ${position.positionIdx}, `;
    return `${symbol} (${leg}side unknown)`;
  }
  const hedge = position.positionIdx === 1 || position.positionIdx === 2 ? " (hedge)" : "";
  return `${symbol} ${position.side}${hedge}`;
}

/** A position's name for machines, stable from report to report. */
export function positionPath(position: ReportPosition): string {
  return [position.account, position.category, position.symbol ?? "unknown", position.positionIdx ?? "unknown"].join(
    "/",
  );
}

/** "3 positions: 1 protected, 2 unprotected"; an unseen position is never called flat. */
export function headline({ summary, complete }: Report): string {
  if (summary.positions === 0)
    return complete ? "no open positions" : "no open position was seen, but not everything was";
  const parts = STATUSES.filter((status) => summary[status] > 0).map((status) => `${summary[status]} ${status}`);
  return `${counted(summary.positions, "position")}: ${parts.join(", ")}`;
}

/** "2 steps: 1 confirmed, 1 refused"; null where there is none. */
export function stepsHeadline(positions: readonly ReportPosition[]): string | null {
  const steps = positions.flatMap((position) => position.steps);
  if (steps.length === 0) return null;
  const parts = OUTCOMES.map((outcome) => ({ outcome, count: steps.filter((s) => s.outcome === outcome).length }))
    .filter(({ count }) => count > 0)
    .map(({ outcome, count }) => `${count} ${outcome}`);
  return `${counted(steps.length, "step")}: ${parts.join(", ")}`;
}

/** What to do next, where that is not already said by a finding. */
export function advice(report: Report): string | null {
  const planned = report.positions.some((position) => position.steps.some((step) => step.outcome === "planned"));
  return planned ? "`npx bybit-backstop protect` performs the planned steps and proves them by reading back." : null;
}

/** "set stop 49000, take-profit 52000 (stop-missing): confirmed". */
export function stepText(step: ReportStep): string {
  const detail = step.detail === undefined ? "" : `, ${step.detail}`;
  return `${deed(step)} (${step.reason}): ${step.outcome}${detail}`;
}

function deed(step: ReportStep): string {
  const loss = step.lossQuote === undefined ? "" : ` at a ${lossText(step.lossQuote)}`;
  const levels = [
    step.stopLoss === undefined ? null : `stop ${step.stopLoss}${loss}`,
    step.takeProfit === undefined ? null : `take-profit ${step.takeProfit}`,
  ].filter((level) => level !== null);
  switch (step.action) {
    case "set-trading-stop":
      return `set ${levels.join(", ")}`;
    case "amend-order":
      return `move order to ${levels.join(", ")}`;
    case "close-position":
      return `close at market, reduce-only${loss}`;
  }
}

/** "loss of 500", or "gain of 500" where the figure is negative; six digits say how much it is. */
export function lossText(lossQuote: string): string {
  const loss = parseDecimal(lossQuote);
  const short = loss === null ? lossQuote : print(loss.toSignificantDigits(6));
  return short.startsWith("-") ? `gain of ${short.slice(1)}` : `loss of ${short}`;
}

/** "-2%", at most two decimals; prices themselves are never rounded. */
export function distanceText(exit: ReportExit): string {
  return `${rounded(exit.distancePct)}%`;
}

/** "40% covered"; null where the whole size is. */
export function coverageText(exit: ReportExit): string | null {
  const coverage = parseDecimal(exit.coverage);
  if (coverage === null || coverage.gte(1)) return null;
  // Rounded down, so that 99.9 % never reads as everything.
  return `${print(coverage.times(100).toDecimalPlaces(1, Decimal.ROUND_FLOOR))}% covered`;
}

function rounded(text: string): string {
  const value = parseDecimal(text);
  if (value === null) return text;
  const short = print(value.toDecimalPlaces(2));
  return value.gt(0) ? `+${short}` : short;
}

/** "1d 2h", "3m 20s": the two largest units. */
export function durationText(durationMs: number): string {
  const seconds = Math.floor(durationMs / 1000);
  const units = [
    { size: 86_400, name: "d" },
    { size: 3_600, name: "h" },
    { size: 60, name: "m" },
    { size: 1, name: "s" },
  ];
  const first = units.findIndex((unit) => seconds >= unit.size);
  if (first === -1) return "0s";
  return units
    .slice(first, first + 2)
    .map(({ size, name }, index) => ({
      count: index === 0 ? Math.floor(seconds / size) : nextUnit(seconds, size),
      name,
    }))
    .filter(({ count }) => count > 0)
    .map(({ count, name }) => `${count}${name}`)
    .join(" ");
}

const nextUnit = (seconds: number, size: number) => Math.floor(seconds / size) % (size === 3_600 ? 24 : 60);

/** A gap, and what it means: nothing was concluded, in either direction. */
export function gapText(account: ReportAccount, gap: ReportGap): string {
  return `${account.name}: ${gap.category} ${gap.what} could not be read: ${sentence(gap.reason)}`;
}

/** The sentences about what could not be seen, loudest first; empty where all was. */
export function blindSpots(report: Report): readonly string[] {
  const perAccount = report.accounts.flatMap((account) => {
    const gaps = account.gaps.map((gap) => gapText(account, gap));
    if (!account.readable) return [`${account.name}: no position of this account could be judged.`, ...gaps];
    if (account.complete || gaps.length > 0) return gaps;
    return [`${account.name}: not everything of this account could be seen.`];
  });
  if (report.accounts.length === 0) return ["No account was read."];
  return perAccount.length > 0 || report.complete ? perAccount : ["Not everything could be seen."];
}

/** "main: option: 3 positions, spot": what this program does not guard at all. */
export function notCoveredTexts(report: Report): readonly string[] {
  return report.accounts
    .filter((account) => account.notCovered.length > 0)
    .map((account) => `${account.name}: ${account.notCovered.join(", ")}`);
}

/** "2026-01-01 00:00:00 UTC"; a text that is no ISO time stays as it is. */
export function timeText(isoTime: string): string {
  return isoTime.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d+)?Z$/, "$1 $2 UTC");
}

export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
