/** One position's page in the book of a pass: what was tried for it, and what may be tried yet. */
import type { Attempt } from "../apply/attempt.js";
import { isOtherOpening, type Position } from "../domain/position.js";
import type { Contract } from "../domain/snapshot.js";
import type { Step } from "../plan/step.js";
import type { Verdict } from "./judge.js";

/** Automatic writes to one position within one pass. */
const MOST_WRITES = 3;
/** A step that the latest look spoke against has never left; by then something else changes all the time. */
const MOST_VETOED = 6;
/** Waits before a further try after a refusal that time may cure, such as a fill that is not booked yet. */
const RETRY_AFTER_MS = { first: 500, later: 1_500 };

/** Refusals that time or a fresh look may cure within the pass. */
const MAY_PASS: readonly string[] = [
  "zero-position",
  "stop-loss-past",
  "mode-mismatch",
  "gone",
  "network",
  "rate-limit",
  "clock",
  "vetoed",
];

export type Outcome = "planned" | "confirmed" | "refused" | "uncertain" | "skipped";

/** One step as the report tells it. */
export interface StepRecord {
  readonly step: Step;
  readonly outcome: Outcome;
  readonly detail: string | null;
}

export interface Entry {
  readonly attempt: Attempt;
  /** Null: a read has to judge it. */
  verdict: StepRecord | null;
}

/** What tells one life of a position from the next. */
export type Life = Pick<Position, "side" | "openedAtMs">;

export function isSameLife(one: Life, other: Life): boolean {
  return one.side === other.side && !isOtherOpening(one.openedAtMs, other.openedAtMs);
}

/** What the book knows of one position. */
export interface Page {
  readonly contract: Contract;
  /** Null: not known yet. */
  life: Life | null;
  inFlight: boolean;
  /** The position has closed since: if it is open again, that is another life, also where no row states its opening. */
  isOver: boolean;
  entries: Entry[];
  /** A take-profit was refused: only the stop is tried again in this pass. */
  takeProfitRefused: boolean;
  /** Why no further write is tried in this pass. */
  closedBecause: Attempt | null;
  notBeforeMs: number;
  /** When the last write of the life before was answered, which may have reached this one. */
  readonly answeredBeforeMs: number;
  /** The same of the last one that no read has judged: whatever is pushed, a read has to come first. */
  readonly inDoubtBeforeMs: number;
}

const NEVER: Pick<Page, "answeredBeforeMs" | "inDoubtBeforeMs"> = {
  answeredBeforeMs: Number.NEGATIVE_INFINITY,
  inDoubtBeforeMs: Number.NEGATIVE_INFINITY,
};

/** `before`: the page of the life before, as it stood when that life ended. */
export function emptyPage(contract: Contract, before = NEVER): Page {
  return {
    contract,
    life: null,
    inFlight: false,
    isOver: false,
    entries: [],
    takeProfitRefused: false,
    closedBecause: null,
    notBeforeMs: 0,
    answeredBeforeMs: before.answeredBeforeMs,
    inDoubtBeforeMs: before.inDoubtBeforeMs,
  };
}

/** When the last write among these was begun. */
export function lastStartedMs(entries: readonly Entry[]): number {
  return entries.reduce((latest, { attempt }) => Math.max(latest, attempt.startedAtMs), Number.NEGATIVE_INFINITY);
}

/** When the last write was answered, of this life or of one before. */
export function lastAnsweredMs({ entries, answeredBeforeMs }: Page): number {
  return entries.reduce((latest, { attempt }) => Math.max(latest, attempt.answeredAtMs), answeredBeforeMs);
}

/** When the last write was answered that no read has judged, of this life or of one before. */
function lastInDoubtMs({ entries, inDoubtBeforeMs }: Page): number {
  const open = entries.filter(({ verdict }) => verdict === null);
  return open.reduce((latest, { attempt }) => Math.max(latest, attempt.answeredAtMs), inDoubtBeforeMs);
}

/** What no read has judged yet was meant for a position that is not there any more; an empty page for the next one. */
export function endLife(page: Page): Page {
  const next = { answeredBeforeMs: lastAnsweredMs(page), inDoubtBeforeMs: lastInDoubtMs(page) };
  for (const entry of page.entries) {
    entry.verdict ??= { step: entry.attempt.step, outcome: "skipped", detail: "the position was closed meanwhile" };
  }
  return emptyPage(page.contract, next);
}

/** At most three writes to one position within this time. */
const WRITES_KEPT_MS = 60_000;
/** What had no effect hinders for a shorter time: it must not leave a position naked for a minute. */
const REFUSALS_KEPT_MS = 20_000;
const UNPROVEN_KEPT_MS = 30_000;
const UNSENT_KEPT_MS = 10_000;

/** Takes out what happened too long ago to matter; what no read has judged yet stays. */
export function forgetOld(page: Page, nowMs: number): void {
  const isKept = ({ attempt, verdict }: Entry) =>
    verdict === null || nowMs - attempt.answeredAtMs < keptMs(attempt, verdict);
  page.entries = page.entries.filter(isKept);
  const { closedBecause } = page;
  if (closedBecause !== null && nowMs - closedBecause.answeredAtMs >= closedForMs(closedBecause)) {
    page.closedBecause = null;
  }
  if (page.entries.length === 0) page.takeProfitRefused = false;
}

/** A market that is being settled is open again in the next minute, as a rule. */
function closedForMs({ answer }: Attempt): number {
  return answer.kind === "refused" && answer.cause === "market-state" ? REFUSALS_KEPT_MS : WRITES_KEPT_MS;
}

function keptMs({ answer }: Attempt, { outcome }: StepRecord): number {
  if (answer.kind === "not-sent") return UNSENT_KEPT_MS;
  if (outcome === "uncertain") return UNPROVEN_KEPT_MS;
  return answer.kind === "refused" && MAY_PASS.includes(answer.cause) ? REFUSALS_KEPT_MS : WRITES_KEPT_MS;
}

/** Enters an answer; one that a read has to judge stays open. */
export function enter(page: Page, attempt: Attempt): void {
  page.inFlight = false;
  page.entries.push({ attempt, verdict: verdictOfAnswer(attempt) });
  noteRefusal(page, attempt);
}

/** Nothing on the wire, and nothing that a read has to judge. */
export function isIdle(page: Page): boolean {
  return !page.inFlight && page.entries.every(({ verdict }) => verdict !== null);
}

/**
 * An effect that never showed is tried once more, a curable refusal until the writes are used up. What only betters a
 * position that has its stop leaves the last one, and what became of a take-profit never hinders a stop. No step: a
 * missing stop.
 */
export function mayTry(page: Page, mostUnproven: number, step?: Step): boolean {
  if (page.closedBecause !== null) return false;
  const isForStop = step === undefined || concernsStop(step);
  const counted = page.entries.filter(({ attempt }) => !isForStop || concernsStop(attempt.step));
  const unproven = counted.filter(({ verdict }) => verdict?.outcome === "uncertain").length;
  const mostWrites = step !== undefined && onlyBetters(step) ? MOST_WRITES - 1 : MOST_WRITES;
  const vetoed = counted.filter((entry) => isVetoed(entry) && !isAskedFor(entry)).length;
  return unproven < mostUnproven && ownWrites(page) < mostWrites && vetoed < MOST_VETOED;
}

/** Whether a stop depends on it: only a take-profit alone is less. */
function concernsStop(step: Step): boolean {
  return step.action !== "set-trading-stop" || step.stopLoss !== null;
}

/** A take-profit alone, and a stop that is moved from where it protects already. */
function onlyBetters(step: Step): boolean {
  if (step.action !== "set-trading-stop") return false;
  const isMove = step.reason === "stop-too-wide" || step.stopLoss?.purpose === "restore";
  return step.stopLoss === null || isMove;
}

/** True: one more write, and no other may follow. */
export function isAtLastWrite(page: Page): boolean {
  return ownWrites(page) === MOST_WRITES - 1;
}

/** What somebody asked for by name counts against him, and what never left is no write: neither may leave a position naked. */
function ownWrites({ entries }: Page): number {
  return entries.filter((entry) => !isAskedFor(entry) && !isVetoed(entry)).length;
}

function isAskedFor({ attempt: { step } }: Entry): boolean {
  if (step.action !== "set-trading-stop") return false;
  return step.stopLoss?.purpose === "intent" || step.stopLoss?.purpose === "loosen";
}

function isVetoed({ attempt: { answer } }: Entry): boolean {
  return answer.kind === "not-sent" && answer.cause === "vetoed";
}

function verdictOfAnswer({ step, answer }: Attempt): StepRecord | null {
  switch (answer.kind) {
    case "acknowledged":
    case "uncertain":
      return null;
    case "refused":
      return { step, outcome: "refused", detail: answer.detail };
    case "not-sent":
      return { step, outcome: "skipped", detail: answer.detail };
  }
}

function noteRefusal(page: Page, attempt: Attempt): void {
  const { answer, step } = attempt;
  if (answer.kind !== "refused" && answer.kind !== "not-sent") return;
  if (MAY_PASS.includes(answer.cause)) {
    const waitMs = page.entries.length > 1 ? RETRY_AFTER_MS.later : RETRY_AFTER_MS.first;
    page.notBeforeMs = answer.cause === "stop-loss-past" ? 0 : attempt.answeredAtMs + waitMs;
  } else if (
    step.action === "set-trading-stop" &&
    step.takeProfit !== null &&
    answer.kind === "refused" &&
    !answer.meetsStopToo
  ) {
    page.takeProfitRefused = true;
  } else if (step.action !== "close-position") {
    page.closedBecause = attempt;
  }
}

export function recordOf({ step }: Attempt, verdict: Verdict, isSettled: boolean): StepRecord | null {
  switch (verdict.kind) {
    case "confirmed":
      return { step, outcome: "confirmed", detail: null };
    case "closed":
      return step.action === "close-position"
        ? { step, outcome: "confirmed", detail: null }
        : { step, outcome: "skipped", detail: "the position was closed meanwhile" };
    case "superseded":
      return { step, outcome: "uncertain", detail: verdict.detail };
    case "unseen":
      return isSettled ? { step, outcome: "uncertain", detail: verdict.detail } : null;
  }
}

export const UNPROVEN_CLOSE = "the position is missing from a read that does not prove it flat";

/** No read has judged it, or none could: what proves a close are looks seconds apart, and reads may fail between them. */
export function awaitsProof({ verdict }: Entry): boolean {
  return verdict === null || verdict.detail === UNPROVEN_CLOSE;
}

export function toldEntry({ attempt, verdict }: Entry): StepRecord {
  return verdict ?? { step: attempt.step, outcome: "uncertain", detail: "no read was made after it" };
}
