/** Sends one step at once, outside the order of a pass; the same book keeps account of it, and the next look judges it. */
import { applyStep } from "../apply/apply.js";
import type { Attempt } from "../apply/attempt.js";
import type { Position } from "../domain/position.js";
import type { PlannedStep, Step } from "../plan/step.js";
import type { PassBook } from "../verify/book.js";
import { answeredChange } from "../verify/life.js";
import type { PassOptions } from "./options.js";

export interface Express {
  readonly position: Position;
  readonly book: PassBook;
  /** Asked when the step's turn in the write budget has come; null: it is still due. */
  readonly veto: (step: Step) => string | null;
}

type ExpressOptions = Pick<PassOptions, "writer" | "clock" | "newOrderLinkId" | "memory" | "journal">;

/** Without a writer nothing is sent, and nothing was tried. */
export async function sendAtOnce(
  planned: PlannedStep,
  { position, book, veto }: Express,
  { writer, clock, newOrderLinkId, memory, journal }: ExpressOptions,
): Promise<readonly Attempt[]> {
  if (writer === undefined) return [];
  book.started(planned.step);
  await journal?.intended(planned.step, position);
  const attempts = await applyStep(planned, { writer, now: () => clock.now(), newOrderLinkId, veto });
  book.answered(attempts);
  for (const attempt of attempts) {
    memory.remember(position, answeredChange(attempt, memory.recall(position)));
    journal?.answered(attempt, position);
  }
  return attempts;
}
