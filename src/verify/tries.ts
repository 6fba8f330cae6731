/** How often, and when, something is tried for one position. */
import type { Attempt } from "../apply/attempt.js";
import type { Step, StepStop } from "../plan/step.js";
import { type Entry, hadNoEffect, hindersUntilMs, isAskedFor, opensAtMs, type Page, WRITES_KEPT_MS } from "./page.js";

/** Automatic writes to one position within a minute, or refusals within twenty seconds. */
const MOST_WRITES = 3;
/** Writes whose effect never showed, after which a position is left alone for half a minute, whoever asked for them. */
const MOST_UNPROVEN = 3;
/** A step that the latest look spoke against has never left; by then something else changes all the time. */
const MOST_VETOED = 6;

/**
 * So long after the first of two writes that never showed the third one waits: a sidecar has one left then whenever a
 * fault is over, of whatever length. One command does not wait for it.
 */
export const LAST_AFTER_MS = { sidecar: 20_000, command: 0 } as const;

/**
 * An effect that never showed is tried again, a curable refusal until the writes are used up. What only betters a
 * position that has its stop leaves the last one, and what became of a take-profit never hinders a stop. What was
 * asked for by name and refused is counted by itself: it must not leave a position naked, nor be tried for ever.
 * No step: a missing stop. Time counts here and now: a pass that lasts forgets nothing.
 */
export function mayTry(page: Page, lastAfterMs: number, nowMs: number, step?: Step): boolean {
  const { closedBecause } = page;
  const isClosed = closedBecause !== null && nowMs < opensAtMs(closedBecause);
  if (isClosed && !isElsewhere(step, closedBecause)) return false;
  const isForStop = step === undefined || concernsStop(step);
  const isByName = step !== undefined && isAskedFor(step);
  const counted = hindering(page, nowMs).filter(({ attempt }) => !isForStop || concernsStop(attempt.step));
  const unproven = counted.filter(({ verdict }) => verdict?.outcome === "uncertain").length;
  const vetoed = counted.filter((entry) => isVetoed(entry) && isAskedFor(entry.attempt.step) === isByName).length;
  if (unproven >= MOST_UNPROVEN || vetoed >= MOST_VETOED) return false;
  const mostWrites = step !== undefined && onlyBetters(step) ? MOST_WRITES - 1 : MOST_WRITES;
  return writesOf(page, nowMs, isByName) < mostWrites && nowMs >= lastFromMs(page, lastAfterMs, nowMs);
}

/** When more may be tried for a position than when it was planned last, which may have passed; null: no time is known. */
export function retryAtMs(page: Page, lastAfterMs: number, nowMs: number): number | null {
  const { closedBecause, leftAtMs, entries, deniedAtMs } = page;
  const ends = [
    ...(closedBecause === null ? [] : [opensAtMs(closedBecause)]),
    lastFromMs(page, lastAfterMs, nowMs),
    ...leftAtMs.map((atMs) => atMs + WRITES_KEPT_MS),
    ...entries.map(hindersUntilMs),
  ].filter((atMs) => atMs > (deniedAtMs ?? nowMs));
  return ends.length === 0 ? null : Math.min(...ends);
}

/** True: one more write, and no other may follow. */
export function isAtLastWrite(page: Page, nowMs: number): boolean {
  return writesOf(page, nowMs, false) === MOST_WRITES - 1;
}

function hindering({ entries }: Page, nowMs: number): readonly Entry[] {
  return entries.filter((entry) => nowMs < hindersUntilMs(entry));
}

/** What was refused is cured in a moment or not at all; where stops never showed twice, something lasts. */
function lastFromMs(page: Page, lastAfterMs: number, nowMs: number): number {
  const [first, second] = hindering(page, nowMs).filter(
    ({ attempt: { step }, verdict, isSuperseded }) =>
      verdict?.outcome === "uncertain" && !isSuperseded && concernsStop(step) && !isAskedFor(step),
  );
  const isHeld = first !== undefined && second !== undefined;
  return isHeld ? first.attempt.answeredAtMs + lastAfterMs : Number.NEGATIVE_INFINITY;
}

/** The exchange has refused another level, for a reason that nobody knows. */
function isElsewhere(step: Step | undefined, { step: refused, answer }: Attempt): boolean {
  if (answer.kind !== "refused" || answer.cause !== "other") return false;
  if (step?.action !== "set-trading-stop" || refused.action !== "set-trading-stop") return false;
  return step.stopLoss !== null && stopText(step.stopLoss) !== stopText(refused.stopLoss);
}

function stopText(stop: StepStop | null): string {
  return stop === null ? "" : `${stop.price.toFixed()} ${stop.triggerBy}`;
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

/**
 * What has had an effect, or may have had one, counts for a minute, a refusal for as long as it hinders. What a look
 * has stopped does not count, nor do wishes by name that were carried out: neither may leave a position naked.
 */
function writesOf(page: Page, nowMs: number, isByName: boolean): number {
  const inVain = hindering(page, nowMs).filter(
    (entry) => hadNoEffect(entry.attempt) && !isVetoed(entry) && isAskedFor(entry.attempt.step) === isByName,
  );
  const left = isByName ? [] : page.leftAtMs.filter((atMs) => nowMs < atMs + WRITES_KEPT_MS);
  return left.length + inVain.length;
}

function isVetoed({ attempt: { answer } }: Entry): boolean {
  return answer.kind === "not-sent" && answer.cause === "vetoed";
}
