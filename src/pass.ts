/** One pass over one account, in order: observe → assess → plan → apply → verify, until nothing is left to do. */
import { applyStep } from "./apply/apply.js";
import { type Assessed, type Assessment, assess } from "./assess/assess.js";
import { lookedAgain, type Picture, pictureOf, seenAtMs } from "./domain/picture.js";
import { keyText, type PositionKey, type Side } from "./domain/position.js";
import type { Contract } from "./domain/snapshot.js";
import { ExchangeFailure } from "./exchange/failure.js";
import type { Reader, Writer } from "./exchange/port.js";
import type { Memory } from "./ledger/memory.js";
import { changeBrake, plan } from "./plan/plan.js";
import type { PlannedStep, Step } from "./plan/step.js";
import type { ResolvedPolicy } from "./policy/resolve.js";
import { MAX_AGE_MS, PassBook } from "./verify/book.js";
import { answeredChange, provenChange } from "./verify/life.js";

/** Pauses between looks while an effect is awaited; the last one repeats. */
const PAUSES_MS = [100, 250, 500, 1_000] as const;
/** Looks in a row that brought nothing to do before the pass stops waiting. */
const MOST_IDLE_LOOKS = 12;
/** A row and its orders may disagree for a moment after a change by another hand. */
const SECOND_LOOK_AFTER_MS = 500;

export interface PassOptions {
  readonly reader: Reader;
  /** Absent: nothing is ever written, by construction. */
  readonly writer?: Writer;
  readonly policyOf: (key: PositionKey, side: Side) => ResolvedPolicy;
  readonly memory: Memory;
  readonly clock: { now(): number; sleep(ms: number): Promise<void> };
  readonly writesPerSecond: number;
  readonly newOrderLinkId: () => string;
  /** Why nothing may be written at this moment (read-only switch, copy-trading master); null: writing is allowed. */
  readonly frozen: (picture: Picture) => string | null;
  readonly manyChangesAgreed: boolean;
  /** Sees the plan before anything is sent; false: nothing is. */
  readonly approve?: (planned: readonly PlannedStep[], assessment: Assessment) => Promise<boolean>;
  readonly progress?: (text: string) => void;
}

export interface PassResult {
  readonly assessment: Assessment;
  /** What is left to do: the whole plan where nothing was written. */
  readonly planned: readonly PlannedStep[];
  /** What was sent, and what became of it. */
  readonly book: PassBook;
  /** Why the pass could not look at its own effects; null: it could. */
  readonly lostSight: string | null;
}

/** The positions whose steps a person has agreed to; null: nobody was asked. */
type Agreed = ReadonlySet<string> | null;

interface View {
  readonly picture: Picture;
  readonly assessment: Assessment;
  readonly planned: readonly PlannedStep[];
  /** Why the first plan of this pass may not move stops; null: it may. */
  readonly braked: string | null;
}

/** @throws ExchangeFailure when nothing of the account could be judged. */
export async function runPass(options: PassOptions): Promise<PassResult> {
  const { writer, approve } = options;
  const view = await firstView(options);
  const isAgreed = writer !== undefined && (await (approve?.(view.planned, view.assessment) ?? true));
  if (!isAgreed) return { ...view, book: new PassBook(), lostSight: null };
  const agreed = approve === undefined ? null : new Set(view.planned.map(({ step }) => keyText(step.key)));
  return closeGaps(view, writer, agreed, options);
}

/** Sends what is due, looks, judges and plans anew, until a look leaves nothing to do and nothing to wait for. */
async function closeGaps(first: View, writer: Writer, agreed: Agreed, given: PassOptions): Promise<PassResult> {
  const { clock, writesPerSecond } = given;
  const batchSize = Math.max(1, Math.floor((writesPerSecond * MAX_AGE_MS) / 1_000));
  const book = new PassBook();
  const options = { ...given, frozen: (picture: Picture) => book.accountRefusal() ?? given.frozen(picture) };
  const wire: Promise<unknown>[] = [];
  let view = first;
  let idleLooks = 0;
  while (idleLooks < MOST_IDLE_LOOKS) {
    const drafts = view.planned.filter(({ step }) => agreed?.has(keyText(step.key)) ?? true);
    const { ready, waiting } = book.admit(drafts, view.assessment, view.picture, clock.now(), batchSize);
    if (ready.length === 0 && waiting.length === 0) break;
    if (ready.length > 0) wire.push((await sendBatch(ready, writer, view, book, options)).rest);
    else await clock.sleep(PAUSES_MS[Math.min(idleLooks, PAUSES_MS.length - 1)] ?? 0);
    idleLooks = ready.length > 0 ? 0 : idleLooks + 1;
    view = await nextView(view, [...ready.map(({ step }) => step.key), ...waiting], book, options);
    options.progress?.(book.progress());
  }
  await Promise.all(wire);
  const lostSight = idleLooks < MOST_IDLE_LOOKS ? null : "its effect could not be seen in time";
  if (lostSight !== null) book.giveUp(lostSight);
  return { ...view, book, lostSight };
}

async function firstView(options: PassOptions): Promise<View> {
  const picture = pictureOf(await options.reader.snapshot("account"));
  const view = viewOf(picture, null, options);
  const doubtful = view.assessment.positions.filter(({ status }) => status === "unknown");
  if (doubtful.length === 0) return view;
  await options.clock.sleep(SECOND_LOOK_AFTER_MS);
  const again = await lookOrNull(
    doubtful.map(({ position }) => position.key),
    options,
  );
  return again === null ? view : viewOf(lookedAgain(picture, again), null, options);
}

async function nextView(
  view: View,
  contracts: readonly Contract[],
  book: PassBook,
  options: PassOptions,
): Promise<View> {
  const later = await lookOrNull(contracts, options);
  if (later === null) return view;
  const next = viewOf(lookedAgain(view.picture, later), view.braked, options);
  for (const judged of book.judge(next.assessment, next.picture)) {
    const found = positionOf(next, judged.attempt.step);
    if (found !== undefined) options.memory.remember(found.position, provenChange(judged));
  }
  return viewOf(next.picture, view.braked, options);
}

function viewOf(picture: Picture, brakedBefore: string | null, options: PassOptions): View {
  const { policyOf, memory, frozen, manyChangesAgreed } = options;
  const assessment = assess({
    snapshot: picture.snapshot,
    policyOf: ({ key, side }) => policyOf(key, side),
    lifeOf: (position) => memory.recall(position),
  });
  // A triggered stop leaves the list of open orders as it fills or lapses; what is left of the position remembers it.
  for (const { position, stop } of assessment.positions) {
    if (stop.triggered.length > 0) memory.remember(position, { stopTriggered: true });
  }
  const braked = brakedBefore ?? changeBrake(assessment);
  const planned = plan(assessment, { frozen: frozen(picture), manyChangesAgreed, brakedBefore: braked });
  return { picture, assessment, planned, braked };
}

async function lookOrNull(contracts: readonly Contract[], { reader }: PassOptions) {
  try {
    return await reader.snapshot(contracts);
  } catch (error) {
    if (error instanceof ExchangeFailure) return null;
    throw error;
  }
}

function positionOf({ assessment }: View, step: Step): Assessed | undefined {
  const key = keyText(step.key);
  return assessment.positions.find(({ position }) => keyText(position.key) === key);
}

/**
 * Resolves when about a second's worth of the batch is still to be answered, so that the next look overlaps with it;
 * what it resolves to is the rest, which rejects only by a bug of ours.
 */
async function sendBatch(
  ready: readonly PlannedStep[],
  writer: Writer,
  view: View,
  book: PassBook,
  options: PassOptions,
): Promise<{ readonly rest: Promise<unknown> }> {
  const { clock, newOrderLinkId, memory, writesPerSecond } = options;
  const veto = (step: Step) => {
    const isTooOld = clock.now() - seenAtMs(view.picture, step.key) > 2 * MAX_AGE_MS;
    return isTooOld ? "what it was decided from has become too old" : options.frozen(view.picture);
  };
  const apply = { writer, now: () => clock.now(), newOrderLinkId, veto };
  const answers = ready.map(async (planned) => {
    book.started(planned.step);
    const attempts = await applyStep(planned, apply);
    book.answered(attempts);
    const found = positionOf(view, planned.step);
    if (found === undefined) return;
    for (const attempt of attempts) memory.remember(found.position, answeredChange(attempt));
  });
  const rest = Promise.all(answers);
  rest.catch(() => undefined);
  const overlap = ready.length > 2 * writesPerSecond ? Math.floor(writesPerSecond) : 0;
  await Promise.all(answers.slice(0, answers.length - overlap));
  return { rest };
}
