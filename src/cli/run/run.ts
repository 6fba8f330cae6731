/** `backstop run`: the sidecar beside a bot, until it is told to stop. */
import { createIpBudget } from "../../exchange/bybit/index.js";
import { inMemory } from "../../ledger/memory.js";
import { systemClock } from "../../runtime/index.js";
import { type Sidecar, startSidecar, StuckError } from "../../sidecar/sidecar.js";
import type { Console } from "../console.js";
import { type CommonOptions, type Context, openContext } from "../context.js";
import { type Opened, openAccount, type Shared } from "./account.js";
import { logEvents } from "./telling.js";

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
  const shared = sharedParts(context, options);
  const accounts = await openAll(context, shared);
  const sidecar = startSidecar({
    accounts: accounts.map(({ guard }) => guard),
    schedule: {
      cron: context.settings.sweep.cron,
      monotonicMs: () => systemClock.monotonicMs(),
      log: context.log,
    },
    now: () => systemClock.steadyMs(),
  });
  const { log } = context;
  log.info(
    { accounts: accounts.map(({ account }) => account.name), dryRun: options.dryRun },
    "the sidecar has started",
  );
  try {
    const signal = await Promise.race([interrupted(), sidecar.done.then(() => "end")]);
    log.info({ signal }, "stopping: nothing new is sent, what is on the wire is awaited");
    return 0;
  } catch (error) {
    log.fatal({ err: error }, error instanceof StuckError ? error.message : "a bug");
    return error instanceof StuckError ? STUCK : INTERNAL_ERROR;
  } finally {
    await closed(sidecar, accounts);
    log.info("stopped");
  }
}

function sharedParts(context: Context, { dryRun }: RunOptions): Shared {
  return {
    context,
    ipBudget: createIpBudget(context.settings.budget.ipShare),
    memory: inMemory(),
    isDryRun: dryRun,
    tell: logEvents(context.log),
  };
}

/** Also where one key is refused for what it may do, the others' connections are let go. */
async function openAll({ settings }: Context, shared: Shared): Promise<readonly Opened[]> {
  const opening = await Promise.allSettled(settings.accounts.map((account) => openAccount(account, shared)));
  const opened = opening.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const refused = opening.find((result) => result.status === "rejected");
  if (refused === undefined) return opened;
  await Promise.all(opened.map((one) => one.close()));
  throw refused.reason;
}

function interrupted(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve(signal));
  });
}

async function closed(sidecar: Sidecar, accounts: readonly Opened[]): Promise<void> {
  const everything = Promise.all([sidecar.close(), ...accounts.map((one) => one.close())]);
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, CLOSE_WITHIN_MS);
  });
  await Promise.race([everything, enough]);
  clearTimeout(timer);
  // What still hangs on the wire then must not keep the process.
  setTimeout(() => process.exit(), LINGER_MS).unref();
}
