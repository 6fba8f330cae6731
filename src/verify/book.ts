/** Keeps account of every step of a pass until a later read has judged it, and says which steps may go now. */
import type { Attempt } from "../apply/attempt.js";
import type { Assessed, Assessment } from "../assess/assess.js";
import { type Picture, seenAtMs } from "../domain/picture.js";
import { keyText } from "../domain/position.js";
import type { Contract } from "../domain/snapshot.js";
import { objection } from "../plan/guard.js";
import type { PlannedStep, Step } from "../plan/step.js";
import { judge, type Verdict } from "./judge.js";

/** How long an effect may take to show in reads before its absence counts. */
const SETTLE_MS = 3_000;
/** A write is decided only from what was asked for within this time. */
export const MAX_AGE_MS = 10_000;
/** Automatic writes to one position within one pass. */
const MOST_WRITES = 3;
/** Waits before a further try after a refusal that time may cure, such as a fill that is not booked yet. */
const RETRY_AFTER_MS = [500, 1_500] as const;

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

interface Entry {
  readonly attempt: Attempt;
  /** Null: a read has to judge it. */
  verdict: StepRecord | null;
}

/** What the book knows of one position. */
interface Page {
  readonly contract: Contract;
  inFlight: boolean;
  entries: Entry[];
  /** A take-profit was refused: only the stop is tried again in this pass. */
  takeProfitRefused: boolean;
  /** Why no further write is tried in this pass. */
  closedBecause: Attempt | null;
  sawClosed: boolean;
  notBeforeMs: number;
}

export interface Judged {
  readonly attempt: Attempt;
  readonly verdict: Verdict;
}

export interface Admission {
  readonly ready: readonly PlannedStep[];
  /** Steps that only wait: for time, for a fresh look, or for an earlier write to be judged. */
  readonly waiting: readonly Contract[];
}

/** So many writes may be refused for the key's rights, with none accepted, before the account is left alone. */
const MOST_RIGHTS_REFUSALS = 3;

export class PassBook {
  readonly #pages = new Map<string, Page>();

  /** Which of the planned steps may be sent now, from a picture that is fresh enough for each; at most `most`. */
  admit(
    planned: readonly PlannedStep[],
    assessment: Assessment,
    picture: Picture,
    nowMs: number,
    most: number,
  ): Admission {
    const assessed = byKey(assessment);
    const ready: PlannedStep[] = [];
    const waiting: Contract[] = this.#unsettled();
    for (const draft of planned) {
      const position = assessed.get(keyText(draft.step.key));
      const page = this.#page(draft.step);
      const step = position === undefined ? null : retold(draft.step, page, position);
      if (draft.held !== null || step === null || !mayTry(page)) continue;
      const seen = seenAtMs(picture, step.key);
      const isFresh = nowMs - seen <= MAX_AGE_MS && page.entries.every(({ attempt }) => attempt.answeredAtMs <= seen);
      const isDue = isFresh && isIdle(page) && nowMs >= page.notBeforeMs && ready.length < most;
      if (isDue) ready.push({ ...draft, step });
      else waiting.push(step.key);
    }
    return { ready, waiting };
  }

  started(step: Step): void {
    this.#page(step).inFlight = true;
  }

  answered(attempts: readonly Attempt[]): void {
    for (const attempt of attempts) {
      const page = this.#page(attempt.step);
      page.inFlight = false;
      page.entries.push({ attempt, verdict: verdictOfAnswer(attempt) });
      noteRefusal(page, attempt);
    }
  }

  /** Judges every answered step whose contract was asked for after its answer. */
  judge(assessment: Assessment, picture: Picture): readonly Judged[] {
    const assessed = byKey(assessment);
    for (const [key, page] of this.#pages) page.sawClosed = !assessed.has(key) && isProvenFlat(page.contract, picture);
    const judged: Judged[] = [];
    for (const entry of this.#openEntries()) {
      const { attempt } = entry;
      // A slow answer to an early look shows no more than a quick one: only when it was asked for counts.
      const lookedAfterMs = seenAtMs(picture, attempt.step.key) - attempt.answeredAtMs;
      if (lookedAfterMs < 0) continue;
      const verdict = this.#verdict(attempt, assessed, picture);
      entry.verdict = recordOf(attempt, verdict, lookedAfterMs >= SETTLE_MS);
      if (entry.verdict !== null) judged.push({ attempt, verdict });
    }
    return judged;
  }

  /**
   * Why the account takes no writes from us: its key was refused, or lacks the right. Null: nothing speaks against it.
   * Some contracts need rights of their own, so a few refusals with none accepted are needed to tell.
   */
  accountRefusal(): string | null {
    const answers = [...this.#pages.values()].flatMap((page) => page.entries.map(({ attempt }) => attempt.answer));
    const refusals = answers.filter((answer) => answer.kind === "refused");
    const key = refusals.find(({ cause }) => cause === "key");
    if (key !== undefined) return `the exchange refused the key: ${key.detail}`;
    const rights = refusals.filter(({ cause }) => cause === "permission");
    const sent = answers.filter((answer) => answer.kind !== "not-sent");
    const isHopeless = rights.length >= MOST_RIGHTS_REFUSALS && rights.length === sent.length;
    return isHopeless ? `the key may not do this: ${rights[0]?.detail ?? ""}` : null;
  }

  /** For a progress line: what was sent, and how much of it is proven. */
  progress(): string {
    const entries = [...this.#pages.values()].flatMap((page) => page.entries);
    const confirmed = entries.filter(({ verdict }) => verdict?.outcome === "confirmed").length;
    return `${entries.length} sent, ${confirmed} confirmed`;
  }

  /** No further read can be had: what is not proven stays uncertain. */
  giveUp(reason: string): void {
    for (const entry of this.#openEntries()) {
      entry.verdict = { step: entry.attempt.step, outcome: "uncertain", detail: reason };
    }
  }

  /** Every step that was tried, in order, by position. */
  records(): ReadonlyMap<string, readonly StepRecord[]> {
    const told = [...this.#pages].map(([key, page]) => [key, page.entries.map(toldEntry)] as const);
    return new Map(told.filter(([, records]) => records.length > 0));
  }

  /** A read that proves it has shown the position flat since it was written to. */
  sawClosed(key: string): boolean {
    return this.#pages.get(key)?.sawClosed ?? false;
  }

  /** The refusal that ended the tries for a position; null: none did. */
  refusalOf(key: string): Attempt | null {
    return this.#pages.get(key)?.closedBecause ?? null;
  }

  #verdict(attempt: Attempt, assessed: ReadonlyMap<string, Assessed>, picture: Picture): Verdict {
    const key = keyText(attempt.step.key);
    const found = assessed.get(key) ?? null;
    if (found?.status === "unknown")
      return { kind: "unseen", detail: found.stop.doubt ?? "the position cannot be read" };
    if (found === null && !isProvenFlat(attempt.step.key, picture)) {
      return { kind: "unseen", detail: "the position is missing from a read that does not prove it flat" };
    }
    return judge(attempt.step, found);
  }

  #page(step: Step): Page {
    const key = keyText(step.key);
    const known = this.#pages.get(key);
    if (known !== undefined) return known;
    const page: Page = {
      contract: step.key,
      inFlight: false,
      entries: [],
      takeProfitRefused: false,
      closedBecause: null,
      sawClosed: false,
      notBeforeMs: 0,
    };
    this.#pages.set(key, page);
    return page;
  }

  #openEntries(): Entry[] {
    return [...this.#pages.values()].flatMap((page) => page.entries.filter(({ verdict }) => verdict === null));
  }

  /** On the wire, or answered and not judged yet. */
  #unsettled(): Contract[] {
    return [...this.#pages.values()].filter((page) => !isIdle(page)).map((page) => page.contract);
  }
}

function byKey({ positions }: Assessment): ReadonlyMap<string, Assessed> {
  return new Map(positions.map((assessed) => [keyText(assessed.position.key), assessed]));
}

function isIdle(page: Page): boolean {
  return !page.inFlight && page.entries.every(({ verdict }) => verdict !== null);
}

/** An effect that never showed is tried once more, a curable refusal until the pass's writes are used up. */
function mayTry(page: Page): boolean {
  if (page.closedBecause !== null) return false;
  const unproven = page.entries.filter(({ verdict }) => verdict?.outcome === "uncertain").length;
  return unproven < 2 && page.entries.length < MOST_WRITES;
}

/**
 * The step as it may be sent now. A take-profit that was refused is left out, also where no write would be left for
 * the stop alone; and after a write that never showed, the same stop is asked for again where it still fits, so that
 * a late first effect changes nothing.
 */
function retold(step: Step, page: Page, assessed: Assessed): Step | null {
  if (step.action !== "set-trading-stop") return step;
  const isLastWrite = step.stopLoss !== null && page.entries.length === MOST_WRITES - 1;
  const takeProfit = page.takeProfitRefused || isLastWrite ? null : step.takeProfit;
  if (step.stopLoss === null && takeProfit === null) return null;
  const earlier = page.entries.findLast(({ verdict }) => verdict?.outcome === "uncertain")?.attempt.step;
  const isSameLeg = earlier?.action === "set-trading-stop" && earlier.side === step.side;
  const earlierStop = isSameLeg ? earlier.stopLoss : null;
  const again = { ...step, takeProfit, stopLoss: earlierStop ?? step.stopLoss };
  const fits = step.stopLoss !== null && earlierStop !== null && objection(again, assessed) === null;
  return fits ? again : { ...step, takeProfit };
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
    const tries = page.entries.length;
    const waitMs = RETRY_AFTER_MS[Math.min(tries, RETRY_AFTER_MS.length) - 1] ?? RETRY_AFTER_MS[0];
    page.notBeforeMs = answer.cause === "stop-loss-past" ? 0 : attempt.answeredAtMs + waitMs;
  } else if (step.action === "set-trading-stop" && step.takeProfit !== null && !refusesStopToo(answer.cause)) {
    page.takeProfitRefused = true;
  } else {
    page.closedBecause = attempt;
  }
}

function refusesStopToo(cause: string): boolean {
  return ["key", "permission", "ip-ban", "market-state", "closed"].includes(cause);
}

function recordOf({ step }: Attempt, verdict: Verdict, isSettled: boolean): StepRecord | null {
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

/** A missing row proves nothing in a list of open positions; the contract's own rows, asked for by symbol, do. */
function isProvenFlat({ category, symbol }: Contract, picture: Picture): boolean {
  const unreadable = picture.snapshot.unreadablePositions.some(
    (row) => row.category === category && (row.symbol === null || row.symbol === symbol),
  );
  return !unreadable && picture.seenAtMs.has(`${category}/${symbol}`);
}

function toldEntry({ attempt, verdict }: Entry): StepRecord {
  return verdict ?? { step: attempt.step, outcome: "uncertain", detail: "no read was made after it" };
}
