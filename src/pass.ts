/** One pass over one account, in order: observe → assess → plan → apply → verify, until nothing is left to do. */
import { type Assessment, withoutSight } from "./assess/assess.js";
import { outOfSight, type Picture, vanishedContracts, wasSeen } from "./domain/picture.js";
import { contractText } from "./domain/position.js";
import { type Contract, isBlindFor } from "./domain/snapshot.js";
import type { Writer } from "./exchange/port.js";
import { attentionTo } from "./pass/attention.js";
import { Ending } from "./pass/ending.js";
import { firstView, freshView } from "./pass/first-looks.js";
import type { PassOptions } from "./pass/options.js";
import { Remembered } from "./pass/remembered.js";
import { agreementText, lookWhileWritingMs, sendBatch } from "./pass/sending.js";
import { type Attentive, nextView, type View } from "./pass/view.js";
import type { PlannedStep } from "./plan/step.js";
import { PassBook } from "./verify/book.js";
import { SENT_WITHIN_MS } from "./verify/freshness.js";

export type { PassOptions } from "./pass/options.js";

/** Pauses between looks while an effect is awaited; the last one repeats. */
const PAUSES_MS = [100, 250, 500, 1_000] as const;
/** Looks in a row that brought nothing to do before the pass stops waiting, and for how long it waits at least. */
const MOST_IDLE_LOOKS = 12;
const LEAST_IDLE_MS = 8_000;
/** So long without one good look, the pass gives up looking: the exchange does not answer. */
const MOST_BLIND_MS = 20_000;
/** So long after a position vanished a pass waits for the proof that it has closed. */
const PROOF_WITHIN_MS = 10_000;

const UNSEEN_BY_NAME = "what the books hold open and the lists lack could not be looked at";
const NOT_IN_TIME = "it could not be looked at again in time";
const UNSEEN_AT_THE_END = "it could not be looked at again when everything was done";

export interface PassResult {
  readonly assessment: Assessment;
  readonly picture: Picture;
  /** What is left to do: the whole plan where nothing was written. */
  readonly planned: readonly PlannedStep[];
  /** What was sent, and what became of it. */
  readonly book: PassBook;
  /** Why the pass could not look at its own effects; null: it could. */
  readonly lostSight: string | null;
  /** What woke the pass while it ran, and no look has shown since. */
  readonly unanswered: readonly Contract[];
  /** Steps that are sent or answered yet; rejects only by a bug of ours. Absent: there are none. */
  readonly underWay?: Promise<unknown>;
}

/** The steps that a person has agreed to, by `agreementText`; null: nobody was asked. */
type Agreed = ReadonlySet<string> | null;

/** @throws ExchangeFailure when nothing of the account could be judged. */
export async function runPass(given: PassOptions): Promise<PassResult> {
  const { writer, approve, clock, book = new PassBook() } = given;
  book.forget(clock.now());
  const options = { ...given, book, attention: attentionTo(given.scope), remembered: new Remembered(given) };
  // Who only reads, or is to be asked, is shown all that comes; a missing stop does not wait for what stays silent.
  const view = await firstView(options, writer === undefined || approve !== undefined ? "prompt" : "hasty");
  const isAgreed = writer !== undefined && (await (approve?.(view.planned, view.assessment) ?? true));
  if (!isAgreed) return { ...view, book, lostSight: null, unanswered: [] };
  if (approve === undefined) return closeGaps(view, writer, null, options);
  return closeGaps(await freshView(view, options), writer, new Set(view.planned.map(agreementText)), options);
}

/** Sends what is due, looks, judges and plans anew, until a look leaves nothing to do and nothing to wait for. */
async function closeGaps(first: View, writer: Writer, agreed: Agreed, given: Attentive): Promise<PassResult> {
  const { clock, writesPerSecond, book, attention } = given;
  const batchSize = Math.max(1, Math.floor((writesPerSecond * SENT_WITHIN_MS) / 1_000));
  const options = { ...given, frozen: (picture: Picture) => book.accountRefusal() ?? given.frozen(picture) };
  const ending = new Ending(options);
  const wire: Promise<unknown>[] = [];
  let view = first;
  let idleLooks = 0;
  let busyAtMs = clock.now();
  let awaited = 0;
  let lookedAtMs = clock.now();
  let unanswered: readonly Contract[] = [];
  // What wakes a pass again and again draws its looks together.
  const isPatient = () => idleLooks < MOST_IDLE_LOOKS || clock.now() - busyAtMs < LEAST_IDLE_MS;
  while (isPatient() && clock.now() - lookedAtMs < MOST_BLIND_MS) {
    if (options.isStopping?.()) return brokenOff("the program was stopped");
    const drafts = view.planned.filter((planned) => agreed?.has(agreementText(planned)) ?? true);
    const { ready, waiting } = book.admit(drafts, view.assessment, view.picture, clock, batchSize - book.onTheWire());
    awaited = waiting.length + book.onTheWire();
    const woken = [...unanswered, ...attention.drawTo(options.woken?.() ?? [])];
    const due = [
      ...waiting,
      ...vanishedContracts(view.picture, clock.now() - PROOF_WITHIN_MS).filter((contract) => attention.has(contract)),
      ...woken,
    ];
    // What was looked at in vain keeps nobody from what others are owed.
    const isIdle = ready.length === 0 && awaited === 0 && woken.length === unanswered.length;
    if (isIdle && ending.isOwedALook(view) && !options.isOverdue?.()) {
      const caughtUp = await ending.catchUp(view);
      if (caughtUp.picture !== view.picture) lookedAtMs = clock.now();
      view = caughtUp;
      continue;
    }
    if (ready.length === 0 && due.length === 0) {
      const final = await ending.look(view);
      // Others look on where nobody awaits a report: what was seen is not taken back.
      if (final === null) return options.beforeEnd === undefined ? settled(UNSEEN_BY_NAME) : unseen(UNSEEN_AT_THE_END);
      const isLast = final === view || options.isStopping?.() === true;
      view = final;
      if (isLast) return settled();
      lookedAtMs = clock.now();
      continue;
    }
    if (ready.length === 0 && options.isOverdue?.()) {
      return { ...view, book, lostSight: null, unanswered, underWay: Promise.all(wire) };
    }
    if (ready.length > 0) wire.push((await sendBatch(ready, writer, { view, latest: () => view, book }, options)).rest);
    else if (woken.length === unanswered.length)
      await clock.sleep(book.onTheWire() > 0 ? lookWhileWritingMs(view) : pauseMs(idleLooks));
    const isBusy = ready.length > 0 || book.onTheWire() > 0;
    idleLooks = isBusy ? 0 : idleLooks + 1;
    if (isBusy) busyAtMs = clock.now();
    const next = await nextView(view, [...ready.map(({ step }) => step.key), ...due], options, "hasty");
    if (next !== null) lookedAtMs = clock.now();
    unanswered = next === null ? woken : woken.filter((contract) => isMissed(next.picture, contract));
    view = next ?? view;
    options.progress?.(book.progress());
  }
  const isBlind = clock.now() - lookedAtMs >= MOST_BLIND_MS;
  if (isBlind && options.beforeEnd !== undefined) return unseen(NOT_IN_TIME);
  // A position whose row stays unreadable is told as such: of our own effects nothing is open.
  return brokenOff(isBlind || awaited > 0 || unanswered.length > 0 ? NOT_IN_TIME : null);

  async function settled(lostSight: string | null = null): Promise<PassResult> {
    await Promise.all(wire);
    if (lostSight !== null) book.giveUp(lostSight);
    return { ...view, book, lostSight, unanswered };
  }

  /** A report speaks of the moment it was made: of what was seen before it says nothing. */
  async function unseen(reason: string): Promise<PassResult> {
    const result = await settled(reason);
    return { ...result, assessment: withoutSight(result.assessment, reason) };
  }

  /** Others may have been looked at long before, and what was written last not at all. */
  async function brokenOff(lostSight: string | null): Promise<PassResult> {
    if (options.beforeEnd === undefined) return settled(lostSight);
    await Promise.all(wire);
    const last = await ending.look(view, book.awaitsProof());
    if (last === null) return unseen(lostSight ?? UNSEEN_AT_THE_END);
    view = last;
    return settled(lostSight);
  }
}

/** A look at everything in place of these may have failed just there. */
function isMissed(picture: Picture, contract: Contract): boolean {
  const { positions, flatLegs, gaps } = picture.latest;
  const name = contractText(contract);
  const isWhole = !gaps.some((gap) => gap.symbols !== undefined && isBlindFor(gap, contract));
  if (isWhole && [...positions.map(({ key }) => key), ...flatLegs].some((shown) => contractText(shown) === name))
    return false;
  return outOfSight(picture, contract) !== null || !wasSeen(picture, contract);
}

function pauseMs(idleLooks: number): number {
  return PAUSES_MS[Math.min(idleLooks, PAUSES_MS.length - 1)] ?? 0;
}
