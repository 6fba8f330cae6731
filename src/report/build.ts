/** Makes the report of what a pass saw, planned and did. */
import type { AccountFinding } from "../assess/account.js";
import type { Assessed, Assessment, Unseen } from "../assess/assess.js";
import type { Cover } from "../assess/coverage.js";
import { type Finding, finding } from "../assess/finding.js";
import { distancePct, lossAt, notionalQuote } from "../assess/value.js";
import { Decimal, print } from "../domain/decimal.js";
import type { Picture } from "../domain/picture.js";
import { contractText, keyText, type UnreadablePosition } from "../domain/position.js";
import { isLooserStop } from "../domain/price.js";
import type { PlannedStep } from "../plan/step.js";
import { basePrice } from "../policy/levels.js";
import type { PassBook, StepRecord } from "../verify/book.js";
import { mostDangerousFirst } from "./attention.js";
import type {
  PositionStatus,
  Report,
  ReportAccount,
  ReportExit,
  ReportGap,
  ReportIntent,
  ReportPosition,
  ReportStep,
} from "./report.js";
import { closedPosition, doneStep, lostPosition, plannedStep } from "./steps.js";
import { summarize } from "./verdict.js";

/** What a pass over one account brought. */
export interface SeenAccount {
  readonly kind: "seen";
  readonly name: string;
  /** What `assessment` was made from. */
  readonly picture: Picture;
  readonly assessment: Assessment;
  readonly planned: readonly PlannedStep[];
  readonly book: PassBook;
  readonly lostSight: string | null;
  /** What could not be seen beside positions and orders. */
  readonly moreGaps?: readonly ReportGap[];
  readonly findings: readonly AccountFinding[];
  /** By `keyText`, how long those that were watched have been without a whole stop; absent: nobody watched. */
  readonly nakedForMs?: ReadonlyMap<string, number>;
}

/** An account of which nothing could be judged. */
export interface UnreadableAccount {
  readonly kind: "unreadable";
  readonly name: string;
  readonly categories: readonly string[];
  readonly reason: string;
  readonly findings: readonly AccountFinding[];
}

export type AccountOutcome = SeenAccount | UnreadableAccount;

export interface ReportInput {
  readonly command: Report["command"];
  readonly generatedAtMs: number;
  /** `generatedAtMs` as ISO 8601. */
  readonly generatedAt: string;
  readonly outcomes: readonly AccountOutcome[];
}

export function buildReport({ command, generatedAt, generatedAtMs, outcomes }: ReportInput): Report {
  const accounts = outcomes.map(accountOf);
  const positions = outcomes.flatMap((outcome) =>
    outcome.kind === "seen" ? positionsOf(outcome, command, generatedAtMs) : [],
  );
  return {
    schema: "bybit-backstop/report@1",
    generatedAt,
    command,
    complete: accounts.every(({ complete }) => complete),
    accounts,
    summary: summarize(positions),
    positions: mostDangerousFirst(positions),
  };
}

function accountOf(outcome: AccountOutcome): ReportAccount {
  const { name, findings } = outcome;
  if (outcome.kind === "unreadable") {
    const gaps = outcome.categories.map((category) => ({ category, what: "positions", reason: outcome.reason }));
    return { name, complete: false, readable: false, gaps, findings, notCovered: [] };
  }
  const { snapshot } = outcome.assessment;
  const seen: ReportGap[] = snapshot.gaps.map(({ category, what, reason, symbols }) => ({
    category,
    what,
    reason: symbols === undefined || symbols.length === 0 ? reason : `${symbols.join(", ")}: ${reason}`,
  }));
  const { lostSight, moreGaps = [] } = outcome;
  const lost = lostSight === null ? [] : [{ category: "account", what: "positions", reason: lostSight }];
  const gaps = [...seen, ...moreGaps, ...lost];
  return { name, complete: gaps.length === 0, readable: true, gaps, findings, notCovered: snapshot.notCovered };
}

function positionsOf(outcome: SeenAccount, command: Report["command"], nowMs: number): ReportPosition[] {
  const { assessment, picture, book } = outcome;
  const records = book.records();
  const open = new Set(assessment.positions.map(({ position }) => keyText(position.key)));
  const missing = [...records].filter(([key]) => !open.has(key));
  const untold = missing.filter(([, done]) => !assessment.unseen.some(({ row }) => isAbout(row, done)));
  return [
    ...assessment.positions.map((assessed) => positionOf(assessed, outcome, records, nowMs)),
    ...assessment.unseen.map((unseen) => ({ ...unseenPosition(unseen), steps: stepsFor(unseen, missing) })),
    ...untold.flatMap(([key, done]) => {
      if (!book.isClosed(key, picture)) return lostPosition(done) ?? [];
      return command !== "run" || haveWeClosed(done) ? (closedPosition(done) ?? []) : [];
    }),
  ];
}

/** Who watches on tells what is open: a position that another hand has closed is none of it, whatever was sent to it. */
function haveWeClosed(done: readonly StepRecord[]): boolean {
  return done.some(({ step, outcome }) => step.action === "close-position" && outcome === "confirmed");
}

function stepsFor({ row }: Unseen, missing: readonly (readonly [string, readonly StepRecord[]])[]): ReportStep[] {
  return missing.flatMap(([, done]) => (isAbout(row, done) ? done.map((record) => doneStep(record, null)) : []));
}

function isAbout(row: UnreadablePosition, done: readonly StepRecord[]): boolean {
  const key = done[0]?.step.key;
  const isSameContract = key !== undefined && row.category === key.category && row.symbol === key.symbol;
  return isSameContract && (row.positionIdx === null || row.positionIdx === key.positionIdx);
}

function positionOf(
  assessed: Assessed,
  outcome: SeenAccount,
  records: ReadonlyMap<string, readonly StepRecord[]>,
  nowMs: number,
): ReportPosition {
  const { position, market, policy } = assessed;
  const { snapshot } = outcome.assessment;
  const key = keyText(position.key);
  const done = records.get(key) ?? [];
  const left = outcome.planned.filter(({ step }) => keyText(step.key) === key && !isToldAlready(done));
  const { status, findings } = judgement(assessed, outcome, done);
  const mark = market === null ? position.markPrice : basePrice(position, market, "MarkPrice", "stop-loss");
  const isNaked = !["protected", "ignored", "closed"].includes(status);
  // A stop that cannot be seen may have stood since the opening.
  const sinceOpening = status === "unknown" ? null : ageMs(position, nowMs);
  return {
    account: position.key.account,
    category: position.key.category,
    symbol: position.key.symbol,
    positionIdx: position.key.positionIdx,
    side: position.side,
    size: print(position.size),
    entryPrice: print(position.entryPrice),
    markPrice: printOrNull(mark),
    liquidationPrice: printOrNull(position.liquidationPrice),
    leverage: printOrNull(position.leverage),
    marginMode: snapshot.marginMode,
    notional: print(notionalQuote(position, snapshot.tickers.get(contractText(position.key)))),
    status,
    nakedForMs: isNaked ? wholeMs(outcome.nakedForMs?.get(key) ?? sinceOpening) : null,
    rule: policy.rule,
    intent: intentOf(assessed),
    stopLoss: exitOf(assessed, assessed.stop.all, assessed.life.ourStopLoss),
    takeProfit: exitOf(assessed, assessed.takeProfit, assessed.life.ourTakeProfit),
    findings,
    steps: [
      ...done.map((record) => doneStep(record, assessed)),
      ...left.map((planned) => plannedStep({ ...planned, held: planned.held ?? outcome.lostSight }, assessed)),
    ],
  };
}

/** Steady clocks count in fractions. */
function wholeMs(ms: number | null): number | null {
  return ms === null ? null : Math.floor(ms);
}

/** Without a watch, a stop may have been missing ever since. */
function ageMs({ openedAtMs }: Assessed["position"], nowMs: number): number | null {
  return openedAtMs === null ? null : Math.max(0, nowMs - openedAtMs);
}

function intentOf({ life, wanted }: Assessed): ReportIntent | null {
  const { intent } = life;
  if (intent === null) return null;
  const { waiver } = wanted;
  return {
    stopLoss: printOrNull(intent.stopLoss),
    takeProfit: printOrNull(intent.takeProfit),
    waiver: waiver === null ? null : { reason: waiver.reason, until: waiver.until },
    who: intent.who,
  };
}

/** What was tried tells more than what is left to try. */
function isToldAlready(done: readonly StepRecord[]): boolean {
  return done.some(({ outcome }) => outcome !== "confirmed");
}

function judgement(
  assessed: Assessed,
  { book, lostSight }: SeenAccount,
  done: readonly StepRecord[],
): { status: PositionStatus; findings: readonly Finding[] } {
  const { status, findings, position } = assessed;
  if (lostSight !== null && done.some(({ outcome }) => outcome === "uncertain")) {
    const message = `${position.key.symbol} was written to, and ${lostSight}; look again before relying on its stop`;
    return { status: "unknown", findings: [finding("unreadable", message)] };
  }
  const drift = driftFinding(assessed, done);
  if (drift !== null) return { status, findings: [drift, ...findings] };
  const refusal = book.refusalOf(keyText(position.key))?.answer;
  const isNaked = status === "unprotected" || status === "underprotected";
  if (!isNaked || refusal?.kind !== "refused" || refusal.cause !== "market-state") return { status, findings };
  const message = `the exchange takes no exits for ${position.key.symbol} now (${refusal.detail}); it is tried again in every pass`;
  const others = findings.filter(({ code }) => code !== "stop-missing" && code !== "stop-past");
  return { status: "unprotectable", findings: [finding("unprotectable", message), ...others] };
}

/** A stop that we sent, that no read has shown as it was meant, and in whose place a worse one stands. */
function driftFinding({ status, stop, position }: Assessed, done: readonly StepRecord[]): Finding | null {
  const last = done.at(-1);
  const meant = last?.outcome === "uncertain" && last.step.action === "set-trading-stop" ? last.step.stopLoss : null;
  const stands = (stop.inside?.legs ?? []).find(({ source }) => source === "full");
  if (status !== "protected" || meant === null || stands === undefined) return null;
  const isWorse = isLooserStop(stands.price, meant.price, position.side) || stands.triggerBy !== meant.triggerBy;
  if (!isWorse) return null;
  const sentence = `the stop was sent at ${print(meant.price)} by ${meant.triggerBy} and stands at ${print(stands.price)}`;
  return finding("intent-drift", `${sentence} by ${stands.triggerBy ?? "an unknown price"}`);
}

function exitOf({ position, life }: Assessed, found: Cover | null, ours: Decimal | null): ReportExit | null {
  if (found === null) return null;
  const isOurs = ours !== null && found.source === "full" && ours.eq(found.price);
  return {
    price: print(found.price),
    triggerBy: found.triggerBy,
    coverage: print(found.coverage.toDecimalPlaces(8, Decimal.ROUND_DOWN)),
    source: found.source,
    origin: isOurs ? "ours" : life.complete ? "foreign" : "unknown",
    distancePct: print(distancePct(position, found.price).toDecimalPlaces(4)),
    lossQuote: print(lossAt(position, found.price).toSignificantDigits(12)),
    covers: found.legs.map(({ source, price, quantity, triggerBy, orderId }) => ({
      source,
      price: print(price),
      quantity: print(quantity),
      triggerBy,
      orderId,
    })),
  };
}

function unseenPosition({ row, findings }: Unseen): ReportPosition {
  return {
    account: row.account,
    category: row.category,
    symbol: row.symbol,
    positionIdx: row.positionIdx,
    side: row.side,
    size: null,
    entryPrice: null,
    markPrice: null,
    liquidationPrice: null,
    leverage: null,
    marginMode: null,
    notional: null,
    status: "unknown",
    nakedForMs: null,
    rule: null,
    intent: null,
    stopLoss: null,
    takeProfit: null,
    findings,
    steps: [],
  };
}

function printOrNull(value: Decimal | null): string | null {
  return value === null ? null : print(value);
}
