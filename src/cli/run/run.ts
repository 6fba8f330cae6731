/** `backstop run`: the sidecar beside a bot, until it is told to stop. */
import { createIpBudget } from "../../exchange/bybit/index.js";
import { inMemory } from "../../ledger/memory.js";
import { compilePolicy } from "../../policy/resolve.js";
import { systemClock } from "../../runtime/index.js";
import { type Sidecar, startSidecar, StuckError } from "../../sidecar/sidecar.js";
import type { Console } from "../console.js";
import { type CommonOptions, type Context, openContext } from "../context.js";
import { type Accounts, openAccounts } from "./accounts.js";
import { openOperations, type Operations } from "./operations.js";
import { followReloads } from "./reload.js";

export interface RunOptions extends CommonOptions {
  readonly dryRun: boolean;
}

/** sysexits.h EX_SOFTWARE: a bug. */
const INTERNAL_ERROR = 70;
/** sysexits.h EX_TEMPFAIL: better started anew. */
const STUCK = 75;
/** The write in flight may take its deadline; the service manager is promised 10 s. */
const CLOSE_WITHIN_MS = 9_000;
const LINGER_MS = 500;

export async function run(options: RunOptions, console: Console): Promise<number> {
  const context = await openContext(options, console);
  const operations = openOperations(context.settings, context.log);
  // From the first moment on: a signal that comes early must find somebody who listens.
  const signal = interrupted();
  process.prependOnceListener("uncaughtException", (error) => process.exit(exitCodeOf(error, context)));
  const { settings, log, pauses } = context;
  const current = { settings, policyOf: compilePolicy(settings.policy) };
  const opening = openAccounts({
    current,
    pauses,
    log,
    ipBudget: createIpBudget(settings.budget.ipShare),
    memory: inMemory(),
    isDryRun: options.dryRun,
    tell: (event) => operations.tell(event),
  });
  const accounts = await Promise.race([opening, signal]);
  if (typeof accounts === "string") return endedEarly(accounts, context);
  const sidecar = start(accounts, context);
  const stopFollowing = followReloads({ options, log, current, accounts, sidecar, operations });
  log.info({ accounts: accounts.names(), dryRun: options.dryRun }, "the sidecar has started");
  try {
    await operations.started(() => sidecar.status());
    const reason = await Promise.race([signal, sidecar.done.then(() => "end")]);
    log.info({ reason }, "stopping: nothing new is sent, what is on the wire is awaited");
    return 0;
  } catch (error) {
    return exitCodeOf(error, context);
  } finally {
    stopFollowing();
    await closed(sidecar, accounts, operations);
    log.info("stopped");
  }
}

/** Nothing was sent yet; what is being read is of no use any more. */
function endedEarly(signal: NodeJS.Signals, { log }: Context): number {
  log.info({ signal }, "stopped before it had started");
  setTimeout(() => process.exit(), LINGER_MS).unref();
  return 0;
}

function start(accounts: Accounts, { settings, log }: Context): Sidecar {
  return startSidecar({
    accounts: accounts.guards(),
    schedule: { cron: settings.sweep.cron, monotonicMs: () => systemClock.monotonicMs(), log },
    now: () => systemClock.steadyMs(),
  });
}

/** @throws what is no mistake of ours, such as a port in use */
function exitCodeOf(error: unknown, { log }: Context): number {
  if (error instanceof StuckError) {
    log.fatal(error.message);
    return STUCK;
  }
  if (error instanceof Error && error.name === "Refusal") throw error;
  log.fatal({ err: error }, "a bug: the sidecar ends; everything that rests at the exchange stays there");
  return INTERNAL_ERROR;
}

function interrupted(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve(signal));
  });
}

async function closed(sidecar: Sidecar, accounts: Accounts, operations: Operations): Promise<void> {
  const everything = Promise.all([sidecar.close(), accounts.close(), operations.close()]);
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, CLOSE_WITHIN_MS);
  });
  await Promise.race([everything, enough]);
  clearTimeout(timer);
  // What still hangs on the wire then must not keep the process.
  setTimeout(() => process.exit(), LINGER_MS).unref();
}
