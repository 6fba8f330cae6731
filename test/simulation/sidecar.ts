/** One process of the sidecar, put together as `backstop run` does it, on virtual time, wires and disk. */
import { beatOn } from "../../src/service/run/beating.js";
import { booksOver, type Books } from "../../src/service/books/books.js";
import type { Current, Shared } from "../../src/service/run/account.js";
import { type Accounts, openAccounts } from "../../src/service/run/accounts.js";
import { sharedBy } from "../../src/service/run/sharing.js";
import type { Ledger, NewEntry } from "../../src/ledger/port.js";
import type { Pauses } from "../../src/ledger/pauses.js";
import { compilePolicy } from "../../src/policy/resolve.js";
import { createLog, systemClock } from "../../src/runtime/index.js";
import { configSchema } from "../../src/settings/schema.js";
import { accountSettings, buildSettings, type Settings } from "../../src/settings/settings.js";
import type { SidecarEvent } from "../../src/sidecar/event.js";
import { createHeartbeat } from "../../src/sidecar/heartbeat.js";
import type { GuardParts } from "../../src/sidecar/parts.js";
import { type Sidecar, startSidecar } from "../../src/sidecar/sidecar.js";
import type { Disk } from "./disk.js";
import { openLinesFor } from "./lines.js";
import type { Instance, Run } from "./run-parts.js";
import type { Story } from "./story.js";
import type { Streams } from "./stream.js";
import { fetchFor, SWITCH_URL } from "./switch.js";
import { KEY, SECRET } from "./venue.js";

export interface Running {
  readonly instance: Instance;
  readonly books: Books;
  readonly settings: Settings;
  /** Null until it has started. */
  sidecar: Sidecar | null;
  /** Null until its account is open. */
  guard: GuardParts | null;
  /** A bug, or stuck; null: it runs. */
  failure: unknown;
}

export function settingsFor(story: Story): Settings {
  const { protection, ignored } = story;
  const { stopPercent, takeProfit, ...rest } = protection;
  const document = configSchema.parse({
    accounts: [
      {
        name: "main",
        environment: "custom",
        restUrl: "http://127.0.0.1:1",
        wsUrl: "ws://127.0.0.1:1/v5/private",
        key: KEY,
        secret: SECRET,
      },
    ],
    protection: {
      ...rest,
      stopLoss: { distance: `${stopPercent}%` },
      ...(takeProfit === null ? {} : { takeProfit: { distance: takeProfit } }),
    },
    rules: ignored === null ? [] : [{ match: { symbol: ignored }, ignore: true }],
    sweep: { cron: cronOf(story.sweepSeconds) },
  });
  const accounts = document.accounts.map((account) => accountSettings(account, KEY, SECRET));
  return buildSettings("/nowhere/backstop.yaml", document, accounts);
}

function cronOf(seconds: number): string {
  return seconds < 60 ? `*/${seconds} * * * * *` : `0 */${seconds / 60} * * * *`;
}

export interface Place {
  readonly disk: Disk;
  readonly streams: Streams;
  /** Why nothing may be written for a symbol; null: nobody paused it. */
  readonly pausedNow: (symbol: string) => string | null;
}

/** Everything from here on happens in the name of the instance. */
export function start(run: Run, instance: Instance, place: Place): Running {
  const settings = settingsFor(run.story);
  const current: Current = { settings, policyOf: compilePolicy(settings.policy) };
  const log = createLog({
    level: "info",
    pretty: false,
    secrets: () => [],
    stream: { write: (line) => run.watcher.printed(line) },
  });
  const watched = watchedLedger(run, instance, place.disk.openedBy(instance));
  const policyOf: Current["policyOf"] = (key, side) => current.policyOf(key, side);
  const books = booksOver(watched, {
    log,
    policyOf,
    onIntent: ({ change, intent }) => {
      run.trace(`${instance.name} intent ${change} ${intent.id}`);
      run.tell?.(
        `${instance.name} intent ${change} ${intent.id}: ${intent.lifeId ?? "no life"} ${intent.endedHow ?? ""}, made ${intent.createdAtMs}`,
      );
    },
  });
  const running: Running = { instance, books, settings, sidecar: null, guard: null, failure: null };
  let accounts: Accounts | null = null;
  const pauses: Pauses = {
    reasonFor: ({ symbol }) => place.pausedNow(symbol),
    all: () => [],
    damage: () => null,
  };
  const ping = fetchFor(run, instance);
  const heartbeat = createHeartbeat({ url: SWITCH_URL, fetch: run.plant?.ping?.(ping) ?? ping, log });
  const beat = beatOn(heartbeat, () => (running.sidecar === null ? [] : ["main"]));
  const watcher = {
    tell: (event: SidecarEvent) => {
      run.watcher.told(instance, event);
      beat(event);
    },
  };
  const shared: Shared = {
    ...sharedBy(
      { settings, log, pauses },
      {
        current,
        books,
        operations: watcher,
        hub: { tell: () => undefined },
        isDryRun: false,
        sidecar: () => running.sidecar,
        accounts: () => accounts,
      },
    ),
    wires: { openLines: openLinesFor(run, instance), connect: place.streams.connectFor(instance) },
  };
  const failed = (error: unknown): void => {
    running.failure = error;
    run.trace(`${instance.name} failed ${error instanceof Error ? error.message : String(error)}`);
  };
  openAccounts(run.plant?.shared?.(shared, run, instance) ?? shared)
    .then((opened) => {
      accounts = opened;
      running.guard = opened.guards()[0] ?? null;
      const planted = (parts: GuardParts) => run.plant?.guard?.(parts, run, instance) ?? parts;
      running.sidecar = startSidecar({
        accounts: opened.guards().map(planted),
        schedule: { cron: settings.sweep.cron, clock: systemClock, log },
        now: () => systemClock.steadyMs(),
      });
      return running.sidecar.done;
    })
    .catch(failed);
  return running;
}

/** The watcher hears of every entry that is durable, and of every time in which the ledger takes none. */
function watchedLedger(run: Run, instance: Instance, store: Ledger): Ledger {
  async function timed<T>(entries: readonly NewEntry[], work: () => Promise<T>): Promise<T> {
    const startedMs = run.time.elapsedMs;
    try {
      const result = await work();
      for (const entry of entries) run.watcher.written(instance, entry);
      return result;
    } finally {
      if (run.time.elapsedMs - startedMs > 500 || run.isJournalFull) run.watcher.notWritten();
    }
  }
  return {
    ...store,
    append: (entry) => {
      run.watcher.intended(instance, entry);
      return timed([entry], () => store.append(entry));
    },
    appendAll: (entries) => timed(entries, () => store.appendAll(entries)),
  };
}
