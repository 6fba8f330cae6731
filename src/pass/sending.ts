/** Sends a batch through the write budget, and holds each step against the latest look when its turn comes. */
import { applyStep } from "../apply/apply.js";
import type { Assessed } from "../assess/assess.js";
import { seenAtMs } from "../domain/picture.js";
import { keyText } from "../domain/position.js";
import { isPast } from "../domain/price.js";
import type { Writer } from "../exchange/port.js";
import type { PassOptions } from "./options.js";
import { objection } from "../plan/guard.js";
import { answersPast, type PlannedStep, type Step, type StepStop } from "../plan/step.js";
import { strictBase } from "../policy/levels.js";
import type { PassBook } from "../verify/book.js";
import { mayStillLeave } from "../verify/freshness.js";
import { answeredChange } from "../verify/life.js";
import { createGate, type LastLook, lastLook } from "./last-look.js";
import { positionOf, type View } from "./view.js";

/** How often to look while a batch goes out: what another hand does meanwhile must not be overwritten. */
const LOOK_WHILE_WRITING_MS = { small: 300, large: 1_000 };
/** So many steps at most are looked at, or wait for their turn in the write budget after that. */
const MOST_LOOKING = 4;
/** A look that stays silent for so long keeps no other from beginning. */
const SILENT_LOOK_MS = 800;
/** From so many positions on a look takes many pages. */
const LARGE_BOOK = 50;

export function lookWhileWritingMs({ assessment }: View): number {
  return assessment.positions.length > LARGE_BOOK ? LOOK_WHILE_WRITING_MS.large : LOOK_WHILE_WRITING_MS.small;
}

/** Prices may move while a person thinks; another side or another kind of step is not what they agreed to. */
export function agreementText({ step }: Pick<PlannedStep, "step">): string {
  return `${keyText(step.key)}/${step.side}/${step.action}`;
}

export interface Deciding {
  /** What the batch was decided from. */
  readonly view: View;
  /** What is known when a step's turn comes. */
  readonly latest: () => View;
  readonly book: PassBook;
}

/**
 * Resolves when the batch is answered, or when it is time to look again while the rest waits for its turn; what it
 * resolves to is the rest, which rejects only by a bug of ours.
 */
export async function sendBatch(
  ready: readonly PlannedStep[],
  writer: Writer,
  { view, latest, book }: Deciding,
  options: PassOptions,
): Promise<{ readonly rest: Promise<unknown> }> {
  const { clock, newOrderLinkId, memory } = options;
  const vetoOf = (step: Step, seen: LastLook | null) => {
    if (options.isStopping?.()) return "the program was stopped";
    const known = newerFor(step, latest(), seen?.view ?? null);
    const dated = seen?.isWhole === false ? latest() : known;
    if (!mayStillLeave(step.key, dated.picture, clock)) return "what it was decided from has become too old";
    const position = positionOf(view, step)?.position;
    const heldBack = position === undefined ? null : (options.heldBack?.(position) ?? null);
    const held = options.frozen(view.picture) ?? heldBack ?? options.heldStep?.(step) ?? null;
    if (held !== null) return held;
    // A last look without orders is held against those that stood when it began; others may have come since.
    const isPartial = seen?.isWhole === false;
    return (isPartial ? stillWanted(step, view, latest()) : null) ?? stillWanted(step, view, known);
  };
  const perWriteMs = 1_000 / options.writesPerSecond;
  let lookTookMs = 0;
  // One looks while the one before leaves; where looks take longer than writes are apart, more look at the same time.
  const enter = createGate(() => Math.min(MOST_LOOKING, 1 + Math.floor(lookTookMs / perWriteMs)));
  const send = async (planned: PlannedStep) => {
    const leave = await enter();
    try {
      const askedAtMs = clock.now();
      const looking = lastLook(planned.step, latest(), options);
      await Promise.race([looking, clock.sleep(SILENT_LOOK_MS).then(leave)]);
      const seen = await looking;
      if (seen !== null) lookTookMs = clock.now() - askedAtMs;
      const veto = (step: Step) => {
        leave();
        return vetoOf(step, seen);
      };
      return await applyStep(planned, { writer, now: () => clock.now(), newOrderLinkId, veto });
    } finally {
      leave();
    }
  };
  const answers = ready.map(async (planned) => {
    book.started(planned.step);
    const found = positionOf(view, planned.step);
    if (found !== undefined) await options.journal?.intended(planned.step, found.position, found);
    const attempts = await send(planned);
    book.answered(attempts);
    if (found === undefined) return;
    for (const attempt of attempts) {
      options.journal?.answered(attempt, found.position);
      memory.remember(found.position, answeredChange(attempt, memory.recall(found.position)));
      options.onAnswer?.(attempt, seenAtMs(view.picture, attempt.step.key));
      // A refusal without a known cause may be about the price: its tick may have changed.
      if (attempt.answer.kind === "refused" && attempt.answer.cause === "other") options.refreshInstruments?.();
    }
  });
  const rest = Promise.all(answers);
  rest.catch(() => undefined);
  await Promise.race([rest, clock.sleep(lookWhileWritingMs(view))]);
  return { rest };
}

function newerFor({ key }: Step, one: View, other: View | null): View {
  return other !== null && seenAtMs(other.picture, key) > seenAtMs(one.picture, key) ? other : one;
}

/** A step that waited for its turn is held against what has been seen since: another hand may have been quicker. */
function stillWanted(step: Step, decidedFrom: View, latest: View): string | null {
  if (seenAtMs(latest.picture, step.key) <= seenAtMs(decidedFrom.picture, step.key)) return null;
  const found = positionOf(latest, step);
  if (found === undefined) return "the position is not there any more";
  const again = latest.planned.find((planned) => agreementText(planned) === agreementText({ step }))?.step;
  if (again === undefined) return "it is no longer needed";
  if (isByOtherIntent(step, again, [positionOf(decidedFrom, step), found])) return ANOTHER;
  return beyond(step, again, found) ?? objection(step, found);
}

/** An intent that speaks for the stop, or for a take-profit alone, may have been set, ended or doubted since. */
function isByOtherIntent(step: Step, again: Step, [decided, found]: readonly (Assessed | undefined)[]): boolean {
  if (step.action !== "set-trading-stop" || again.action !== "set-trading-stop") return false;
  const speaker = (look: Assessed | undefined) => {
    const by = step.stopLoss === null ? look?.wanted.takeProfitBy : look?.wanted.stopBy;
    return by === "intent" ? look?.life.intent?.id : undefined;
  };
  const [before, now] = step.stopLoss === null ? [step.takeProfit, again.takeProfit] : [step.stopLoss, again.stopLoss];
  return before !== null && now !== null && !before.price.eq(now.price) && speaker(decided) !== speaker(found);
}

const ANOTHER = "another level is wanted by now";

/** Prices may move; what another hand has set meanwhile is not set over, and what the price has left behind is void. */
function beyond(step: Step, again: Step, found: Assessed): string | null {
  if (step.action !== "set-trading-stop" || again.action !== "set-trading-stop") return null;
  if (step.stopLoss !== null && again.stopLoss === null) return "the stop is no longer needed";
  if (step.takeProfit !== null && again.takeProfit === null) return "the take-profit is no longer needed";
  if (step.stopLoss === null || again.stopLoss === null) return null;
  const isSame = answersPast(step.stopLoss) === answersPast(again.stopLoss) || isContested(again.stopLoss, found);
  return isSame ? null : ANOTHER;
}

/** Past by one of two prices that are far apart: it counts as past once the exchange has refused it. */
function isContested({ price, triggerBy }: StepStop, { position, market }: Assessed): boolean {
  const base = market === null ? null : strictBase(position, market, triggerBy, "stop-loss");
  return base !== null && isPast(price, base, position.side, "stop-loss");
}
