/** One position's page in the book of a pass: what was tried for it, and what may be tried yet. */
import type { Attempt } from "../apply/attempt.js";
import { isOtherOpening, type Position } from "../domain/position.js";
import type { Contract } from "../domain/snapshot.js";
import type { Step } from "../plan/step.js";
import type { Verdict } from "./judge.js";

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
  /** A tighter stop of another hand was seen in its place. */
  isSuperseded: boolean;
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
  /** When automatic writes of the last minute were answered that had an effect, or may have had one. */
  leftAtMs: number[];
  /** A take-profit was refused: only the stop is tried again in this pass. */
  takeProfitRefused: boolean;
  /** Why no further write is tried in this pass. */
  closedBecause: Attempt | null;
  notBeforeMs: number;
  /** When something that was planned could not go for what was tried before; null: it could, or nothing was planned. */
  deniedAtMs: number | null;
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
    leftAtMs: [],
    takeProfitRefused: false,
    closedBecause: null,
    notBeforeMs: 0,
    deniedAtMs: null,
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

/** A write is told, and counts, for so long. */
export const WRITES_KEPT_MS = 60_000;
/** What had no effect hinders for a shorter time: it must not leave a position naked for a minute. */
const REFUSALS_KEPT_MS = 20_000;
const UNPROVEN_KEPT_MS = 30_000;
const UNSENT_KEPT_MS = 10_000;

/** Takes out what happened too long ago to matter; what no read has judged yet stays. */
export function forgetOld(page: Page, nowMs: number): void {
  page.entries = page.entries.filter(
    ({ attempt, verdict }) => verdict === null || nowMs < keptUntilMs(attempt, verdict),
  );
  page.leftAtMs = page.leftAtMs.filter((atMs) => nowMs < atMs + WRITES_KEPT_MS);
  if (page.closedBecause !== null && nowMs >= opensAtMs(page.closedBecause)) page.closedBecause = null;
  if (page.entries.length === 0) page.takeProfitRefused = false;
}

/** Nothing that was tried matters any more, of this life or of the one before. */
export function isForgotten(page: Page, nowMs: number): boolean {
  const isUsed = page.entries.length > 0 || page.leftAtMs.length > 0 || page.inFlight;
  return !isUsed && nowMs >= page.answeredBeforeMs + UNPROVEN_KEPT_MS;
}

/** Refusals that concern the key, and not this step. */
const LASTING: readonly string[] = ["key", "permission", "terms"];

/** A market that is being settled is open again in the next minute, as a rule, and what has no known cause may be over. */
export function opensAtMs({ answer, answeredAtMs }: Attempt): number {
  const isLasting = answer.kind === "refused" && LASTING.includes(answer.cause);
  return answeredAtMs + (isLasting ? WRITES_KEPT_MS : REFUSALS_KEPT_MS);
}

function keptUntilMs({ answer, answeredAtMs }: Attempt, verdict: StepRecord | null): number {
  if (answer.kind === "not-sent") return answeredAtMs + UNSENT_KEPT_MS;
  if (verdict?.outcome === "uncertain") return answeredAtMs + UNPROVEN_KEPT_MS;
  const mayPass = answer.kind === "refused" && MAY_PASS.includes(answer.cause);
  return answeredAtMs + (mayPass ? REFUSALS_KEPT_MS : WRITES_KEPT_MS);
}

/** How long it hinders further tries; some refusals are told for longer. */
export function hindersUntilMs({ attempt, verdict }: Entry): number {
  const untilMs = keptUntilMs(attempt, verdict);
  return hadNoEffect(attempt) ? Math.min(untilMs, attempt.answeredAtMs + REFUSALS_KEPT_MS) : untilMs;
}

/** Enters an answer; one that a read has to judge stays open. */
export function enter(page: Page, attempt: Attempt): void {
  page.inFlight = false;
  page.entries.push({ attempt, verdict: verdictOfAnswer(attempt), isSuperseded: false });
  if (!hadNoEffect(attempt) && !isAskedFor(attempt.step)) page.leftAtMs.push(attempt.answeredAtMs);
  noteRefusal(page, attempt);
}

export function hadNoEffect({ answer }: Attempt): boolean {
  return answer.kind === "refused" || answer.kind === "not-sent";
}

/** Nothing on the wire, and nothing that a read has to judge. */
export function isIdle(page: Page): boolean {
  return !page.inFlight && page.entries.every(({ verdict }) => verdict !== null);
}

/** What somebody asked for by name counts against him: it must not leave a position naked. */
export function isAskedFor(step: Step): boolean {
  if (step.action !== "set-trading-stop") return false;
  return step.stopLoss?.purpose === "intent" || step.stopLoss?.purpose === "loosen";
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
