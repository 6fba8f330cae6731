/** `backstop protect`: one pass that sets what is missing and proves it; asks first where a person is there. */
import { excessRights } from "../assess/account.js";
import type { Assessment } from "../assess/assess.js";
import { ExchangeFailure } from "../exchange/failure.js";
import type { PlannedStep } from "../plan/step.js";
import type { Log } from "../runtime/index.js";
import type { AccountOutcome } from "../report/build.js";
import { render } from "../report/index.js";
import { PassBook } from "../verify/book.js";
import { type KeyReading, type PassChoice, passOver, readKey } from "./accounts.js";
import { openAccountBooks, type OpenAccountBooks } from "./books/once.js";
import { type Connected, connectAll } from "./connect.js";
import type { Console } from "./console.js";
import { type CommonOptions, type Context, openContext } from "./context.js";
import { Refusal } from "./exit.js";
import { assertDeliverable, deliver, type ReportOptions, reportOf } from "./output.js";

export interface ProtectOptions extends CommonOptions, ReportOptions {
  readonly dryRun: boolean;
  readonly yes: boolean;
}

export async function protect(options: ProtectOptions, console: Console): Promise<number> {
  const context = await openContext(options, console);
  await assertDeliverable(options);
  const connected = connectAll(context, options.dryRun ? "read" : "write");
  try {
    const keys = await Promise.all(connected.map(readKey));
    connected.forEach((one, index) => refuseStrongKey(one, keys[index], context.log));
    const choice = choiceOf(options, console);
    const books = await openAccountBooks(context, options.dryRun ? "read" : "write");
    try {
      await Promise.all(connected.map((one) => books.recognise(one)));
      const outcomes = await passes(connected, keys, { choice, books }, context);
      return await deliver(reportOf("protect", outcomes), options, console);
    } finally {
      await books.close();
    }
  } finally {
    await Promise.all(connected.map(({ session }) => session.close()));
  }
}

/** A person at the terminal is asked account by account, one question at a time. */
async function passes(
  connected: readonly Connected[],
  keys: readonly KeyReading[],
  { choice, books }: { readonly choice: PassChoice; readonly books: OpenAccountBooks },
  context: Context,
): Promise<readonly AccountOutcome[]> {
  const runs = connected.map((one, index) => () => {
    const key = keys[index];
    if (key === undefined) throw new RangeError("every account has a key reading");
    return passOver(one, Promise.resolve(key), { ...choice, books: books.of(one.account.name) }, context);
  });
  if (choice.approve === undefined) return Promise.all(runs.map((run) => run()));
  const outcomes: AccountOutcome[] = [];
  for (const run of runs) outcomes.push(await run());
  return outcomes;
}

function choiceOf({ dryRun, yes }: ProtectOptions, console: Console): PassChoice {
  // The brake on many moves is for sweeps: who runs one pass asks for it, and can see its plan with --dry-run.
  if (dryRun) return { manyChangesAgreed: true };
  const asks = console.isInteractive && !yes;
  return { manyChangesAgreed: true, ...(asks ? { approve: approveAt(console) } : {}) };
}

function approveAt(console: Console): NonNullable<PassChoice["approve"]> {
  return async (account, planned, assessment) => {
    if (planned.every(({ held }) => held !== null)) return true;
    console.err(planText(account, planned, assessment, console));
    const requests = planned.filter(({ held }) => held === null).length;
    const isAgreed = await console.ask(
      `Send ${requests} ${requests === 1 ? "request" : "requests"} for ${account}? [y/N] `,
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
  return render(reportOf("protect", [outcome]), "table", { color, width });
}

export function refuseStrongKey({ account }: Connected, key: KeyReading | undefined, log: Log): void {
  if (key === undefined || key instanceof ExchangeFailure) {
    log.warn({ account: account.name }, "the rights of the key could not be read");
    return;
  }
  const excess = excessRights(key, account.allowPermissions);
  if (excess.length === 0) return;
  throw new Refusal(
    `account ${account.name}: the key has the right ${excess.join(", ")}, which protecting positions never needs. ` +
      "Make a key with Contract Orders and Positions only, bound to this machine's address; " +
      "a transfer right (never Withdraw) can be accepted by name in allowPermissions.",
  );
}
