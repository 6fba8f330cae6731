/** Keeps account of every step of a pass until a later read has judged it, and says which steps may go now. */
import type { Attempt } from "../apply/attempt.js";
import type { Assessed, Assessment } from "../assess/assess.js";
import { isProvenClosed, type Picture, seenAtMs } from "../domain/picture.js";
import { keyText, type Position, type PositionKey } from "../domain/position.js";
import type { Contract } from "../domain/snapshot.js";
import type { PlannedStep, Step } from "../plan/step.js";
import { type AgeClock, isFreshEnough } from "./freshness.js";
import { judge, type Verdict } from "./judge.js";
import {
  awaitsProof,
  type Entry,
  emptyPage,
  endLife,
  enter,
  forgetOld,
  isForgotten,
  isIdle,
  isSameLife,
  lastAnsweredMs,
  lastStartedMs,
  type Page,
  recordOf,
  type StepRecord,
  toldEntry,
  UNPROVEN_CLOSE,
} from "./page.js";
import { retold } from "./retold.js";
import { type AccountTrouble, troubleIn, troubleText } from "./trouble.js";
import { LAST_AFTER_MS, mayTry, retryAtMs } from "./tries.js";

export type { Outcome, StepRecord } from "./page.js";
export type { AccountTrouble } from "./trouble.js";

/** How long an effect may take to show in reads before its absence counts. */
const SETTLE_MS = 3_000;
/** What cannot be taken back goes a few at a time. */
const MOST_CLOSES = 5;

export interface Judged {
  readonly attempt: Attempt;
  readonly verdict: Verdict;
}

export interface Admission {
  readonly ready: readonly PlannedStep[];
  /** Steps that only wait: for time, for a fresh look, or for an earlier write to be judged. */
  readonly waiting: readonly Contract[];
}

export class PassBook {
  readonly #pages = new Map<string, Page>();
  /** Pages of positions that have closed, flipped or opened anew since. */
  #past: Page[] = [];
  readonly #lastAfterMs: number;

  constructor(lastAfterMs: number = LAST_AFTER_MS.command) {
    this.#lastAfterMs = lastAfterMs;
  }

  /** The position has closed, or flipped: what was tried for it is not tried for the next. */
  ended(key: PositionKey): void {
    this.#over(keyText(key));
  }

  /** Which of the planned steps may be sent now, from a picture that is fresh enough for each; at most `most`. */
  admit(
    planned: readonly PlannedStep[],
    assessment: Assessment,
    picture: Picture,
    clock: AgeClock,
    most: number,
  ): Admission {
    this.#endClosed(picture);
    const assessed = byKey(assessment);
    const ready: PlannedStep[] = [];
    const waiting: Contract[] = this.#unsettled();
    for (const draft of planned) {
      const position = assessed.get(keyText(draft.step.key));
      if (position === undefined) continue;
      const page = this.#turnPage(position.position);
      const step = retold(draft.step, page, position, clock.now());
      page.deniedAtMs = null;
      if (draft.held !== null || step === null) continue;
      if (!this.#may(page, clock.now(), step)) {
        page.deniedAtMs = clock.now();
        continue;
      }
      const seen = seenAtMs(picture, step.key);
      const hasRoom = ready.length < (step.action === "close-position" ? Math.min(MOST_CLOSES, most) : most);
      const isFresh = lastAnsweredMs(page) <= seen && isFreshEnough(step, picture, clock);
      if (hasRoom && isFresh && isIdle(page) && clock.now() >= page.notBeforeMs) ready.push({ ...draft, step });
      else waiting.push(step.key);
    }
    return { ready, waiting };
  }

  started(step: Step): void {
    this.#page(step).inFlight = true;
  }

  /**
   * May a step be sent at once, from what was pushed or looked at then? `lookedAtMs`: when the latest look at the
   * contract was asked for, since a push alone does not tell what became of a write that no read has judged.
   */
  isFree(position: Position, asOfMs: number, lookedAtMs = asOfMs): boolean {
    const page = this.#turnPage(position);
    const isKnown = page.answeredBeforeMs <= asOfMs && page.inDoubtBeforeMs <= lookedAtMs;
    return isIdle(page) && this.#may(page, asOfMs) && isKnown;
  }

  /** When more may be tried for a position than when it was last planned, which may have passed; null: no time is known. */
  retryAtMs(key: PositionKey, nowMs: number): number | null {
    const page = this.#pages.get(keyText(key));
    return page === undefined ? null : retryAtMs(page, this.#lastAfterMs, nowMs);
  }

  /** What happened long ago neither hinders nor is told any more; for a book that outlives its passes. */
  forget(nowMs: number): void {
    for (const [key, page] of this.#pages) {
      forgetOld(page, nowMs);
      if (isForgotten(page, nowMs)) this.#pages.delete(key);
    }
    for (const page of this.#past) forgetOld(page, nowMs);
    this.#past = this.#past.filter(({ entries }) => entries.length > 0);
  }

  answered(attempts: readonly Attempt[]): void {
    for (const attempt of attempts) enter(this.#page(attempt.step), attempt);
  }

  /** Judges every answered step whose contract was asked for after its answer, and anew what a late proof speaks for. */
  judge(assessment: Assessment, picture: Picture): readonly Judged[] {
    const assessed = byKey(assessment);
    const judged: Judged[] = [];
    for (const entry of this.#entriesOf(awaitsProof)) {
      const { attempt } = entry;
      const isProven = isProvenClosed(picture, keyText(attempt.step.key), attempt.startedAtMs);
      if (entry.verdict !== null && !isProven) continue;
      // A slow answer to an early look shows no more than a quick one: only when it was asked for counts.
      const lookedAfterMs = seenAtMs(picture, attempt.step.key) - attempt.answeredAtMs;
      if (lookedAfterMs < 0) continue;
      const verdict = this.#verdict(attempt, assessed, picture);
      entry.verdict = recordOf(attempt, verdict, lookedAfterMs >= SETTLE_MS);
      entry.isSuperseded = verdict.kind === "superseded";
      if (entry.verdict !== null) judged.push({ attempt, verdict });
    }
    return judged;
  }

  /**
   * Why the account takes no writes from us: its key was refused, or lacks the right. Null: nothing speaks against it.
   * Some contracts need rights of their own, so a few refusals in a row are needed to tell.
   */
  accountRefusal(): string | null {
    const trouble = this.accountTrouble();
    return trouble === null ? null : troubleText(trouble);
  }

  /** The same, by its cause; a clock that the exchange will not accept is one more. */
  accountTrouble(): AccountTrouble | null {
    return troubleIn(this.#allPages().flatMap((page) => page.entries.map(({ attempt }) => attempt)));
  }

  /** True: what became of something is still to be told by its answer, or by a read. */
  awaitsProof(): boolean {
    return [...this.#pages.values()].some((page) => !isIdle(page));
  }

  /** Positions with a write that is queued or not answered yet. */
  onTheWire(): number {
    return [...this.#pages.values()].filter((page) => page.inFlight).length;
  }

  isOnTheWire(key: PositionKey): boolean {
    return this.#pages.get(keyText(key))?.inFlight ?? false;
  }

  /** For a progress line: what was sent, and how much of it is proven. */
  progress(): string {
    const entries = this.#allPages().flatMap((page) => page.entries);
    const confirmed = entries.filter(({ verdict }) => verdict?.outcome === "confirmed").length;
    return `${entries.length} sent, ${confirmed} confirmed`;
  }

  /** No further read can be had: what is not proven stays uncertain. */
  giveUp(reason: string): void {
    for (const entry of this.#entriesOf(({ verdict }) => verdict === null))
      entry.verdict = { step: entry.attempt.step, outcome: "uncertain", detail: reason };
  }

  /** Every step that a read, a refusal or a veto has judged; the same values at each call. */
  judged(): readonly StepRecord[] {
    return this.#allPages().flatMap((page) =>
      page.entries.flatMap(({ verdict }) => (verdict === null ? [] : [verdict])),
    );
  }

  /** Every step that was tried, in order, by position. */
  records(): ReadonlyMap<string, readonly StepRecord[]> {
    const told = new Map<string, StepRecord[]>();
    for (const entry of this.#allPages().flatMap((page) => page.entries)) {
      const key = keyText(entry.attempt.step.key);
      told.set(key, [...(told.get(key) ?? []), toldEntry(entry)]);
    }
    return told;
  }

  /** What proves the position closed was asked for after its last write; one that never left has changed nothing. */
  isClosed(key: string, picture: Picture): boolean {
    const entries = this.#allPages().flatMap((page) => page.entries);
    const own = entries.filter(
      ({ attempt: { step, answer } }) => keyText(step.key) === key && answer.kind !== "not-sent",
    );
    return isProvenClosed(picture, key, lastStartedMs(own));
  }

  /** The refusal that ended the tries for a position; null: none did. */
  refusalOf(key: string): Attempt | null {
    return this.#pages.get(key)?.closedBecause ?? null;
  }

  #verdict(attempt: Attempt, assessed: ReadonlyMap<string, Assessed>, picture: Picture): Verdict {
    const key = keyText(attempt.step.key);
    const found = assessed.get(key) ?? null;
    const doubt = found?.status === "unknown" ? found.stop.doubt : null;
    if (doubt !== null) return { kind: "unseen", detail: doubt };
    if (found === null && !isProvenClosed(picture, key, attempt.startedAtMs)) {
      return { kind: "unseen", detail: UNPROVEN_CLOSE };
    }
    return judge(attempt.step, found);
  }

  #may(page: Page, nowMs: number, step?: Step): boolean {
    return mayTry(page, this.#lastAfterMs, nowMs, step);
  }

  /** A proof that is older than what was tried last speaks of the life before. */
  #endClosed(picture: Picture): void {
    for (const [key, page] of this.#pages) {
      if (!page.inFlight && isProvenClosed(picture, key, lastStartedMs(page.entries))) page.isOver = true;
    }
  }

  #over(key: string): void {
    const page = this.#pages.get(key);
    if (page !== undefined) page.isOver = true;
  }

  #page(step: Step): Page {
    const key = keyText(step.key);
    const known = this.#pages.get(key);
    if (known !== undefined) return known;
    const page = emptyPage(step.key);
    this.#pages.set(key, page);
    return page;
  }

  /** A new life of a position is not bound by what was tried for the one before. */
  #turnPage(position: Position): Page {
    const key = keyText(position.key);
    const page = this.#pages.get(key);
    const { side, openedAtMs } = position;
    const isAnother = page?.isOver === true || (page?.life != null && !isSameLife(page.life, position));
    const isTurned = page !== undefined && isAnother && !page.inFlight;
    if (isTurned) this.#past.push(page);
    const current = isTurned ? endLife(page) : (page ?? emptyPage(position.key));
    current.life ??= { side, openedAtMs };
    this.#pages.set(key, current);
    return current;
  }

  #allPages(): readonly Page[] {
    return [...this.#past, ...this.#pages.values()];
  }

  #entriesOf(isMeant: (entry: Entry) => boolean): readonly Entry[] {
    return [...this.#pages.values()].flatMap((page) => page.entries.filter(isMeant));
  }

  /** On the wire, or answered and not judged yet. */
  #unsettled(): Contract[] {
    return [...this.#pages.values()].filter((page) => !isIdle(page)).map((page) => page.contract);
  }
}

function byKey({ positions }: Assessment): ReadonlyMap<string, Assessed> {
  return new Map(positions.map((assessed) => [keyText(assessed.position.key), assessed]));
}
