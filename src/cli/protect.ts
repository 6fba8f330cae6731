/** `backstop protect`: one pass that sets what is missing and proves it; asks first where a person is there. */
import type { Assessment } from "../assess/assess.js";
import type { PlannedStep } from "../plan/step.js";
import { render } from "../report/index.js";
import { scrubValue, systemClock } from "../runtime/index.js";
import type { PassChoice } from "../service/accounts.js";
import { type ProtectChoice, protectOnce } from "../service/protect.js";
import { reportOf } from "../service/report.js";
import { PassBook } from "../verify/book.js";
import type { Console } from "./console.js";
import { type CommonOptions, openContext } from "./context.js";
import { Refusal } from "./exit.js";
import { assertDeliverable, deliver, type ReportOptions } from "./output.js";

export interface ProtectOptions extends CommonOptions, ReportOptions {
  readonly dryRun: boolean;
  readonly yes: boolean;
}

export async function protect(options: ProtectOptions, console: Console): Promise<number> {
  refuseToGuess(options, console);
  const context = await openContext(options, console);
  await assertDeliverable(options);
  const stop = interruption(console);
  const choice = { ...choiceOf(options, console, stop.signal), isStopping: () => stop.signal.aborted };
  const report = await protectOnce(context, choice).finally(() => stop.over());
  return deliver(report, options, console);
}

interface Interruption {
  readonly signal: AbortSignal;
  over(): void;
}

/** From a terminal through npx, one Ctrl+C comes twice. */
const ONE_KEYPRESS_MS = 1_000;

/** The first signal lets what is on the wire be answered and reported; a later one ends the program as it is. */
function interruption(console: Console): Interruption {
  const signals = ["SIGINT", "SIGTERM"] as const;
  const stop = new AbortController();
  let firstMs: number | null = null;
  const over = (): void => {
    for (const signal of signals) process.off(signal, hear);
  };
  const hear = (signal: NodeJS.Signals): void => {
    const nowMs = systemClock.monotonicMs();
    if (firstMs === null) {
      firstMs = nowMs;
      console.err("Nothing more is sent; what is on the wire is awaited. Once more ends the program at once.\n");
      return stop.abort();
    }
    if (nowMs - firstMs < ONE_KEYPRESS_MS) return;
    over();
    process.kill(process.pid, signal);
  };
  for (const signal of signals) process.on(signal, hear);
  return { signal: stop.signal, over };
}

/** Somebody sits there, and would not see the question. */
function refuseToGuess({ dryRun, yes }: ProtectOptions, { isHalfInteractive }: Console): void {
  if (dryRun || yes || !isHalfInteractive) return;
  throw new Refusal("protect asks before it sends, and stderr is no terminal; allowed: --yes, or --dry-run.");
}

/** A person at the terminal is asked account by account, one question at a time. */
function choiceOf({ dryRun, yes }: ProtectOptions, console: Console, stop: AbortSignal): ProtectChoice {
  if (dryRun) return { access: "read" };
  const asks = console.isInteractive && !yes;
  return { access: "write", ...(asks ? { approve: approveAt(console, stop) } : {}) };
}

function approveAt(console: Console, stop: AbortSignal): NonNullable<PassChoice["approve"]> {
  return async (account, planned, assessment) => {
    if (planned.every(({ held }) => held !== null)) return true;
    console.err(planText(account, planned, assessment, console));
    const requests = planned.filter(({ held }) => held === null).length;
    const isAgreed = await console.ask(
      `Send ${requests} ${requests === 1 ? "request" : "requests"} for ${account}? [y/N] `,
      stop,
    );
    if (!isAgreed) console.err(`Nothing was sent for ${account}.\n`);
    return isAgreed;
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
    planned,
    book: new PassBook(),
    lostSight: null,
    findings: [],
  } as const;
  return render(scrubValue(reportOf("protect", [outcome])), "table", { color, width });
}
