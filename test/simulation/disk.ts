/** The ledger's disk: the real store over SQLite in memory, shared by all processes and outliving them; slow, full or failing. */
import Libsql from "libsql";
import { Kysely, SqliteDialect } from "kysely";
import { type Engine, withCodec } from "../../src/ledger/engine.js";
import { explainSqlite, LedgerError } from "../../src/ledger/error.js";
import { migrate } from "../../src/ledger/migrate.js";
import type { Intent, Ledger, Life, WriterLock } from "../../src/ledger/port.js";
import { hasVersion } from "../../src/ledger/sqlite.js";
import { createStore } from "../../src/ledger/store.js";
import type { Tables } from "../../src/ledger/tables.js";
import { type Instance, passes, type Run, strikes } from "./run-parts.js";

export interface Disk {
  /** The ledger as one process has it open. */
  openedBy(instance: Instance): Ledger;
  /** The writer of the account; null: none. */
  holder(account: string): Instance | null;
  /** What is stored, for the record. */
  readonly store: Ledger;
  close(): Promise<void>;
}

/** A commit takes so long, milliseconds. */
const COMMIT_MS = 2;
const SLOW_MS = 4_000;

export async function openDisk(run: Run): Promise<Disk> {
  const db = new Kysely<Tables>({ dialect: withCodec(new SqliteDialect({ database: inMemory() })) });
  await migrate({ db, kind: "sqlite", begin: ["begin immediate"], hasVersion });
  const locks = new Map<string, Instance>();
  const engine: Engine = {
    kind: "sqlite",
    db,
    explain: explainSqlite("the ledger"),
    lock: () => Promise.resolve(null),
    close: () => Promise.resolve(),
  };
  const log = { warn: () => undefined, info: () => undefined };
  const now = () => Math.floor(run.time.exchangeNowMs() + run.time.wallSkewMs);
  const store = createStore(engine, log, now);

  /** Asked every second by every process; nobody but us can change them. */
  const asked = new Map<string | undefined, Promise<readonly Intent[]>>();
  const forget = (): void => asked.clear();
  const askedLives = new Map<string, Promise<readonly Life[]>>();
  const forgetLives = (): void => askedLives.clear();
  const intents: Ledger["intents"] = (filter) => {
    const { account, states, ...others } = filter;
    if (states === undefined || Object.keys(others).length > 0) return store.intents(filter);
    const known = asked.get(account) ?? store.intents(filter);
    asked.set(account, known);
    return known;
  };

  const openLives: Ledger["openLives"] = (account, parts) => {
    const question = JSON.stringify([account, parts]);
    const known = askedLives.get(question) ?? store.openLives(account, parts);
    askedLives.set(question, known);
    return known;
  };

  function openedBy(instance: Instance): Ledger {
    let problem: string | null = null;
    const write = <T>(work: () => Promise<T>): Promise<T> =>
      commit(run, instance, work).then(
        (result) => {
          problem = null;
          return result;
        },
        (error: unknown) => {
          if (error instanceof LedgerError) problem = error.message;
          throw error;
        },
      );
    return {
      ...store,
      append: async (entry) => {
        if (entry.kind === "step-intended" && passes(run, instance, "intent issued")) return never();
        const id = await write(() => store.append(entry).finally(forgetLives));
        if (entry.kind === "step-intended" && passes(run, instance, "intent durable")) return never();
        if (entry.kind === "step-answered" && passes(run, instance, "answer written")) return never();
        return id;
      },
      appendAll: async (entries) => {
        await write(() => store.appendAll(entries).finally(forgetLives));
        const isAnswered = entries.some(({ kind }) => kind === "step-answered");
        if (isAnswered && passes(run, instance, "answer written")) return never();
      },
      openLives,
      saveLife: (life) => write(() => store.saveLife(life).finally(forgetLives)),
      intents,
      saveIntent: (intent) => write(() => store.saveIntent(intent).finally(forget)),
      bindIntent: (...bound) => write(() => store.bindIntent(...bound).finally(forget)),
      endIntent: (...end) => write(() => store.endIntent(...end).finally(forget)),
      leaveAlone: (order) => write(() => store.leaveAlone(order)),
      forgetLeftAlone: (...order) => write(() => store.forgetLeftAlone(...order)),
      lock: (account) => Promise.resolve(lockFor(account, instance)),
      writable: () => problem,
      close: () => Promise.resolve(),
    };
  }

  function lockFor(account: string, instance: Instance): WriterLock | null {
    const holder = locks.get(account);
    if (holder !== undefined && holder !== instance && holder.isAlive) return null;
    locks.set(account, instance);
    return {
      account,
      lost: never(),
      isHeld: () => Promise.resolve(locks.get(account) === instance),
      release: () => {
        if (locks.get(account) === instance) locks.delete(account);
        return Promise.resolve();
      },
    };
  }

  return {
    openedBy,
    holder: (account) => {
      const holder = locks.get(account);
      return holder?.isAlive ? holder : null;
    },
    store,
    close: () => db.destroy(),
  };
}

/** A statement is made once, and not at each of the questions of six hours. */
function inMemory(): Libsql.Database {
  const database = new Libsql(":memory:");
  const prepare = database.prepare.bind(database);
  const prepared = new Map<string, ReturnType<typeof prepare>>();
  database.prepare = ((sql: string) => {
    const statement = prepared.get(sql) ?? prepare(sql);
    prepared.set(sql, statement);
    return statement;
  }) as typeof database.prepare;
  return database;
}

const never = <T>(): Promise<T> => new Promise(() => undefined);

/** Begins at once, is on the disk a moment later, and is told of a moment after that. */
function commit<T>(run: Run, instance: Instance, work: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const isSlow = strikes(run, "journalSlow");
    const isFailing = run.isJournalFull || strikes(run, "journalFails");
    if (isSlow) run.watcher.notWritten();
    const takesMs = COMMIT_MS + (isSlow ? run.dice.between(500, SLOW_MS) : 0);
    run.time.after(takesMs, instance, () => {
      if (isFailing) run.watcher.notWritten();
      if (isFailing) return reject(new LedgerError("full", "the disk is full"));
      work().then(resolve, reject);
    });
  });
}
