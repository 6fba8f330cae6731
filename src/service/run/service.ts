/** The sidecar with all that belongs to it, from its opening to its close; no part of it speaks for the process. */
import type { Desk } from "../../http/index.js";
import { compilePolicy } from "../../policy/resolve.js";
import { type Notifier, systemClock, within } from "../../runtime/index.js";
import type { LoadOptions } from "../../settings/index.js";
import { type Sidecar, startSidecar } from "../../sidecar/sidecar.js";
import type { Ground } from "../ground.js";
import type { Current } from "./account.js";
import type { FileWatch } from "../../intents/file-watch.js";
import { type Accounts, openAccounts } from "./accounts.js";
import { openDesk } from "./desk.js";
import { type Hub, openHub } from "./desk-events.js";
import { latestReport } from "./latest.js";
import { openOperations, type Operations } from "./operations.js";
import { followReloads, type Reloads } from "./reload.js";
import { watchIntentsFile } from "./intents-file.js";
import { booksFor, intentTold, sharedBy } from "./sharing.js";
import type { Books } from "../books/books.js";

export interface ServiceOptions {
  /** True: it is handed no writer. */
  readonly isDryRun: boolean;
  /** Where the settings came from, to read them anew. */
  readonly from: LoadOptions;
  /** Who is told how we are; a silent one where the process is not ours. */
  readonly notifier: Notifier;
  /** By which way wishes come in, for the history. */
  readonly who: string;
}

/** Connected and ready: nothing was sent yet. */
export interface OpenService {
  readonly hub: Hub;
  /** Call once. */
  start(): Service;
}

export interface Service {
  readonly desk: Desk;
  /** Everything that can be asked from outside is at hand. Rejects with StartRefused where an address can never be had; one in use, or not there yet, is waited for. */
  readonly serving: Promise<void>;
  /** The settings read anew: taken over whole, or refused whole, which is logged. */
  reload(): void;
  /** Rejects by a mistake of ours, or with StuckError; else it lasts until `close`. */
  readonly done: Promise<void>;
  /** Nothing new is sent, what is on the wire is awaited; within 9 s. */
  close(): Promise<void>;
}

/** The write in flight may take its deadline; the service manager is promised 10 s. */
const CLOSE_WITHIN_MS = 9_000;

interface Parts {
  readonly ground: Ground;
  readonly options: ServiceOptions;
  readonly current: Current;
  readonly hub: Hub;
  readonly operations: Operations;
  readonly books: Books;
  readonly accounts: Accounts;
  readonly started: (sidecar: Sidecar) => void;
}

/** @throws StartRefused for a key that may do more than it should; then nothing is left open */
export async function openService(ground: Ground, options: ServiceOptions): Promise<OpenService> {
  const { settings, log } = ground;
  const { isDryRun, notifier } = options;
  const operations = openOperations(settings, notifier, log);
  const current: Current = { settings, policyOf: compilePolicy(settings.policy) };
  const hub = openHub();
  const books = await booksFor(isDryRun, ground, {
    policyOf: (key, side) => current.policyOf(key, side),
    onIntent: (event) => intentTold(event, hub, log),
  });
  let sidecar: Sidecar | null = null;
  let opened: Accounts | null = null;
  const making = { current, books, operations, hub, isDryRun, sidecar: () => sidecar, accounts: () => opened };
  try {
    const accounts = await openAccounts(sharedBy(ground, making));
    opened = accounts;
    const started = (one: Sidecar): void => void (sidecar = one);
    const parts = { ground, options, current, hub, operations, books, accounts, started };
    return { hub, start: () => startService(parts) };
  } catch (error) {
    await operations.close();
    await books.close();
    throw error;
  }
}

function startService(parts: Parts): Service {
  const { ground, options, current, hub, operations, books, accounts, started } = parts;
  const { settings, log } = ground;
  const sidecar = startSidecar({
    accounts: accounts.guards(),
    schedule: { cron: settings.sweep.cron, clock: systemClock, log },
    now: () => systemClock.steadyMs(),
  });
  started(sidecar);
  const file = watchIntentsFile({ current, books, accounts, sidecar, hub, log });
  let failed: (error: unknown) => void = () => undefined;
  const bug = new Promise<never>((_, reject) => (failed = reject));
  const reloads = followReloads({ from: options.from, log, current, accounts, sidecar, operations, failed });
  log.info({ accounts: accounts.names(), dryRun: options.isDryRun }, "the sidecar has started");
  let ended: string | null = null;
  const report = () => latestReport(accounts.watched(), sidecar, books, ended);
  const desk = openDesk({ current, books, accounts, report, sidecar, events: hub, who: options.who });
  return {
    desk,
    serving: operations.started(() => sidecar.status(), desk),
    reload: () => reloads.ask(),
    done: Promise.race([sidecar.done, bug]),
    close: async () => {
      ended = "the sidecar has been closed";
      await within(CLOSE_WITHIN_MS, closed({ file, sidecar, reloads, accounts, operations, books }));
    },
  };
}

interface Closing extends Pick<Parts, "accounts" | "operations" | "books"> {
  readonly sidecar: Sidecar;
  readonly file: FileWatch | null;
  readonly reloads: Reloads;
}

async function closed({ file, sidecar, reloads, accounts, operations, books }: Closing): Promise<void> {
  const reloaded = reloads.close().then(() => accounts.close());
  const guardsEnded = sidecar.close();
  await Promise.all([file?.close(), guardsEnded, accounts.close(guardsEnded), reloaded, operations.close()]);
  await books.close();
}
