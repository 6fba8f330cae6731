/** `backstop run`: the sidecar beside a bot, until it is told to stop. */
import { createNotifier, within } from "../runtime/index.js";
import { StartRefused } from "../service/refused.js";
import { openService, type Service } from "../service/run/service.js";
import { StuckError } from "../sidecar/sidecar.js";
import type { Console } from "./console.js";
import { type CommonOptions, type Context, loadOptionsOf, logWarnings, openContext } from "./context.js";
import { onCrash } from "./crash.js";

export interface RunOptions extends CommonOptions {
  readonly dryRun: boolean;
}

/** sysexits.h EX_SOFTWARE: a bug. */
const INTERNAL_ERROR = 70;
/** sysexits.h EX_TEMPFAIL: better started anew. */
const STUCK = 75;
const LINGER_MS = 500;
/** After a mistake of ours: positions are guarded again only once the service manager has started us anew. */
const CRASH_CLOSE_MS = 2_000;

export async function run(options: RunOptions, console: Console): Promise<number> {
  const context = await openContext(options, console, true);
  logWarnings(context);
  const { log } = context;
  // From the first moment on: a signal that comes early must find somebody who listens.
  const signal = interrupted();
  const hangups = hearHangups();
  const crash = crashed(context);
  const notifier = createNotifier({ env: process.env, pid: process.pid, log });
  const from = loadOptionsOf(options);
  const opening = openService(context, { isDryRun: options.dryRun, from, notifier, who: "http" });
  const opened = await Promise.race([opening, signal, crash]).catch((error: unknown) => exitCodeOf(error, context));
  if (typeof opened === "string") return endedEarly(opened, context);
  if (typeof opened === "number") process.exit(opened);
  const service = opened.start();
  hangups.follow(() => service.reload());
  try {
    const isServing = service.serving.then(() => Promise.race([signal, service.done.then(() => "end")]));
    const reason = await Promise.race([isServing, crash]);
    if (typeof reason === "number") {
      await within(CRASH_CLOSE_MS, service.close());
      process.exit(reason);
    }
    log.info({ reason }, "stopping: nothing new is sent, what is on the wire is awaited");
    return 0;
  } catch (error) {
    return exitCodeOf(error, context);
  } finally {
    hangups.follow(() => undefined);
    await closed(service);
    log.info("stopped");
  }
}

/** Nothing was sent yet; what is being read is of no use any more. */
function endedEarly(signal: NodeJS.Signals, { log }: Context): number {
  log.info({ signal }, "stopped before it had started");
  setTimeout(() => process.exit(), LINGER_MS).unref();
  return 0;
}

/**
 * The exit code of the first mistake that nothing has caught; what is under way is then ended in order, so that the
 * ledger knows of it. Another one meanwhile ends the process as it is.
 */
function crashed(context: Context): Promise<number> {
  return new Promise((resolve) => {
    onCrash((error) => {
      const code = bug(error, context);
      onCrash(() => process.exit(code));
      resolve(code);
    });
  });
}

/** @throws what is no mistake of ours, such as a wrong http.host */
function exitCodeOf(error: unknown, context: Context): number {
  if (error instanceof StuckError) {
    context.log.fatal(error.message);
    return STUCK;
  }
  if (error instanceof StartRefused || (error instanceof Error && error.name === "Refusal")) throw error;
  return bug(error, context);
}

function bug(error: unknown, { log }: Context): number {
  log.fatal({ err: error }, "a bug: the sidecar ends; everything that rests at the exchange stays there");
  return INTERNAL_ERROR;
}

/** Also where it comes twice, as from a terminal through npx: what is under way is ended in order all the same. */
function interrupted(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => resolve(signal));
  });
}

/** One that comes before anybody can follow it is kept; unheard it would end the process. */
function hearHangups(): { follow(callback: () => void): void } {
  let isDue = false;
  let callback = (): void => void (isDue = true);
  process.on("SIGHUP", () => callback());
  return {
    follow: (next) => {
      callback = next;
      if (isDue) next();
      isDue = false;
    },
  };
}

async function closed(service: Service): Promise<void> {
  await service.close();
  // What still hangs on the wire then must not keep the process.
  setTimeout(() => process.exit(), LINGER_MS).unref();
}
