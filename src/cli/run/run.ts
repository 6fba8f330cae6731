/** `backstop run`: the sidecar beside a bot, until it is told to stop. */
import { createIpBudget } from "../../exchange/bybit/index.js";
import { compilePolicy } from "../../policy/resolve.js";
import { print } from "../../domain/decimal.js";
import type { FileWatch } from "../../intents/file-watch.js";
import type { IntentEvent } from "../../intents/shelf.js";
import { type Log, systemClock } from "../../runtime/index.js";
import type { SidecarEvent } from "../../sidecar/event.js";
import { type Sidecar, startSidecar, StuckError } from "../../sidecar/sidecar.js";
import type { Console } from "../console.js";
import { type CommonOptions, type Context, openContext, openOutline } from "../context.js";
import type { Current, Shared } from "./account.js";
import { type Accounts, openAccounts } from "./accounts.js";
import { type Books, type BooksParts, booksInMemory, openBooks } from "../books/books.js";
import { keyFacts } from "../books/step-facts.js";
import { readBooks } from "../books/reading.js";
import { openDesk } from "./desk.js";
import { type Hub, openHub } from "./desk-events.js";
import { openOperations, type Operations } from "./operations.js";
import { noteEvents } from "./notes.js";
import { endUnseenLives, recoverOpenings } from "./upkeep.js";
import { watchIntentsFile } from "./intents-file.js";
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
  const { accountNames } = await openOutline(options);
  const operations = openOperations(context.settings, context.log);
  // From the first moment on: a signal that comes early must find somebody who listens.
  const signal = interrupted();
  process.prependOnceListener("uncaughtException", (error) => process.exit(exitCodeOf(error, context)));
  const { settings, log } = context;
  const current = { settings, policyOf: compilePolicy(settings.policy) };
  const policyOf: Current["policyOf"] = (key, side) => current.policyOf(key, side);
  let sidecar: Sidecar | null = null;
  let opened: Accounts | null = null;
  const hub = openHub();
  const books = await booksFor(options, context, { policyOf, onIntent: (event) => intentTold(event, hub, log) });
  const parts = { current, books, operations, hub, options, sidecar: () => sidecar, accounts: () => opened };
  const opening = openAccounts(sharedBy(context, parts));
  const accounts = await Promise.race([opening, signal]);
  if (typeof accounts === "string") return endedEarly(accounts, context);
  opened = accounts;
  sidecar = start(accounts, context);
  const running = sidecar;
  const stopFollowing = followReloads({ options, log, current, accounts, sidecar: running, operations });
  const file = watchIntentsFile({ current, accountNames, books, accounts, sidecar: running, hub, log });
  log.info({ accounts: accounts.names(), dryRun: options.dryRun }, "the sidecar has started");
  try {
    const desk = openDesk({ current, books, guards: () => accounts.guards(), sidecar: running, events: hub });
    await operations.started(() => running.status(), desk);
    const reason = await Promise.race([signal, running.done.then(() => "end")]);
    log.info({ reason }, "stopping: nothing new is sent, what is on the wire is awaited");
    return 0;
  } catch (error) {
    return exitCodeOf(error, context);
  } finally {
    stopFollowing();
    await closed({ file, sidecar: running, accounts, operations, books });
    log.info("stopped");
  }
}

/** A dry run is nobody's writer: it remembers what the ledger holds, and adds nothing to it. */
async function booksFor(
  { dryRun }: RunOptions,
  { settings, log }: Context,
  parts: Pick<BooksParts, "policyOf" | "onIntent">,
): Promise<Books> {
  const { url } = settings.ledger;
  if (!dryRun) return openBooks({ url, log, ...parts });
  const names = settings.accounts.map(({ name }) => name);
  return { ...booksInMemory(), memory: await readBooks(url, names, log) };
}

function intentTold(event: IntentEvent, hub: Hub, log: Log): void {
  hub.tellIntent(event);
  const { key, side, stopLoss, takeProfit, waiver, who, endedHow } = event.intent;
  const levels = { stopLoss: stopLoss && print(stopLoss), takeProfit: takeProfit && print(takeProfit), waiver };
  log.info(
    { ...keyFacts(key), side, ...levels, who, ...(endedHow === null ? {} : { how: endedHow }) },
    `intent ${event.change}`,
  );
}

interface Making {
  readonly current: Current;
  readonly books: Books;
  readonly operations: Operations;
  readonly hub: Hub;
  readonly options: RunOptions;
  /** Null until it has started. */
  readonly sidecar: () => Sidecar | null;
  readonly accounts: () => Accounts | null;
}

function sharedBy({ settings, log, pauses }: Context, making: Making): Shared {
  const { current, books, operations, hub, options, sidecar, accounts } = making;
  const sight = {
    latest: (account: string) => sidecar()?.latest().get(account)?.assessment ?? null,
    fillsOf: (account: string) => accounts()?.fillsOf(account) ?? null,
  };
  const listeners = [
    (event: SidecarEvent) => operations.tell(event),
    noteEvents(books),
    (event: SidecarEvent) => hub.tell(event),
    endUnseenLives(books, sight),
    recoverOpenings(books, sight, log),
  ];
  return {
    current,
    pauses,
    log,
    ipBudget: createIpBudget(settings.budget.ipShare),
    books,
    isDryRun: options.dryRun,
    tell: (event) => {
      for (const listener of listeners) listener(event);
    },
    onNews: (account, contract) => sidecar()?.look(account, contract),
  };
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

interface Closing {
  readonly file: FileWatch | null;
  readonly sidecar: Sidecar;
  readonly accounts: Accounts;
  readonly operations: Operations;
  readonly books: Books;
}

async function closed({ file, sidecar, accounts, operations, books }: Closing): Promise<void> {
  const told = Promise.all([file?.close(), sidecar.close(), accounts.close(), operations.close()]);
  const everything = told.then(() => books.close());
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, CLOSE_WITHIN_MS);
  });
  await Promise.race([everything, enough]);
  clearTimeout(timer);
  // What still hangs on the wire then must not keep the process.
  setTimeout(() => process.exit(), LINGER_MS).unref();
}
