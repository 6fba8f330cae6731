/** `backstop protect`: one pass that sets what is missing and proves it; asks first where a person is there. */
import type { Assessment } from "../assess/assess.js";
import { pictureOf } from "../domain/picture.js";
import type { PlannedStep } from "../plan/step.js";
import { render } from "../report/index.js";
import { scrubValue } from "../runtime/index.js";
import type { PassChoice } from "../service/accounts.js";
import { type ProtectChoice, protectOnce } from "../service/protect.js";
import { reportOf } from "../service/report.js";
import { PassBook } from "../verify/book.js";
import type { Console } from "./console.js";
import { type CommonOptions, logWarnings, openContext } from "./context.js";
import { Refusal } from "./exit.js";
import { interruption } from "./interruption.js";
import { assertDeliverable, deliver, type ReportOptions } from "./output.js";

export interface ProtectOptions extends CommonOptions, ReportOptions {
  readonly dryRun: boolean;
  readonly yes: boolean;
}

export async function protect(options: ProtectOptions, console: Console): Promise<number> {
  refuseToGuess(options, console);
  const context = await openContext(options, console);
  logWarnings(context);
  await assertDeliverable(options);
  const stop = interruption(console);
  const refused = new Set<string>();
  const choice = {
    ...choiceOf(options, console, { stop: stop.signal, refused }),
    isStopping: () => stop.signal.aborted,
    onSend: () => stop.sent(),
  };
  const report = await protectOnce(context, choice).finally(() => stop.over());
  return deliver(report, options, console, { isDryRun: options.dryRun, toldAlready: refused });
}

interface Asking {
  readonly stop: AbortSignal;
  /** Accounts whose plan was shown and not agreed to. */
  readonly refused: Set<string>;
}

/** Somebody sits there, and would not see the question. */
function refuseToGuess({ dryRun, yes }: ProtectOptions, { isHalfInteractive }: Console): void {
  if (dryRun || yes || !isHalfInteractive) return;
  throw new Refusal("protect asks before it sends, and stderr is no terminal; allowed: --yes, or --dry-run.");
}

/** A person at the terminal is asked account by account, one question at a time. */
function choiceOf({ dryRun, yes }: ProtectOptions, console: Console, asking: Asking): ProtectChoice {
  if (dryRun) return { access: "read" };
  const asks = console.isInteractive && !yes;
  return { access: "write", ...(asks ? { approve: approveAt(console, asking) } : {}) };
}

function approveAt(console: Console, { stop, refused }: Asking): NonNullable<PassChoice["approve"]> {
  return async (account, planned, assessment) => {
    if (planned.every(({ held }) => held !== null)) return true;
    console.err(planText(account, planned, assessment, console));
    const requests = planned.filter(({ held }) => held === null).length;
    const isAgreed = await console.ask(
      `Send ${requests} ${requests === 1 ? "request" : "requests"} for ${account}? [y/N] `,
      stop,
    );
    if (isAgreed) return true;
    refused.add(account);
    console.err(`Nothing was sent for ${account}.\n`);
    return false;
  };
}

function planText(
  name: string,
  planned: readonly PlannedStep[],
  assessment: Assessment,
  { color, width }: Console,
): string {
  const outcome = {
    kind: "seen",
    name,
    assessment,
    picture: pictureOf(assessment.snapshot),
    planned,
    book: new PassBook(),
    lostSight: null,
    findings: [],
  } as const;
  return render(scrubValue(reportOf("protect", [outcome])), "table", { color, width });
}
