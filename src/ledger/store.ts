/** The ledger itself: one way to read and one way to write, the same on every engine. */
import { bindable, bindableRow } from "./codec.js";
import type { Engine, LedgerLog } from "./engine.js";
import { LedgerError } from "./error.js";
import { createIntentStore } from "./intent-store.js";
import type { HistoryFilter, Ledger, Life } from "./port.js";
import { entryColumns, lifeColumns, toEntry, toLife } from "./rows.js";
import { keepAccount, type Runs } from "./runs.js";
import type { Database, EntryRow } from "./tables.js";
import { unprovenSteps } from "./unproven.js";

const LARGEST_PAGE = 1000;

export function createStore(engine: Engine, log: LedgerLog, now: () => number): Ledger {
  const { db } = engine;
  const runs = keepAccount(engine, log);
  return {
    ...createJournal(db, runs, now),
    ...createLifeStore(db, runs),
    ...createIntentStore(db, runs),
    ...createLeftAloneStore(db, runs),
    lock: tellingOnce(log, runs, (account) => runs.read(() => engine.lock(account))),
    writable: runs.writable,
    close: runs.close,
  };
}

/** Asked for each second: why it cannot be had is told once, and anew after it was had; not what is told of all writes. */
function tellingOnce(log: LedgerLog, { writable }: Pick<Ledger, "writable">, lock: Ledger["lock"]): Ledger["lock"] {
  const told = new Map<string, string>();
  return async (account) => {
    try {
      const answer = await lock(account);
      told.delete(account);
      return answer;
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error;
      const reason = error.message;
      if (reason !== told.get(account) && reason !== writable()) {
        log.warn({ account, reason }, "the lock that tells who writes for the account cannot be had");
        told.set(account, reason);
      }
      throw error;
    }
  };
}

type Journal = Pick<Ledger, "append" | "appendAll" | "history">;

function createJournal(db: Database, { read, write }: Runs, now: () => number): Journal {
  return {
    append: (entry) =>
      write(async () => {
        const columns = entryColumns(entry, now());
        const { id } = await db.insertInto("entries").values(columns).returning("id").executeTakeFirstOrThrow();
        return id;
      }),
    appendAll: (entries) =>
      write(async () => {
        const columns = entries.map((entry) => entryColumns(entry, now()));
        if (columns.length > 0) await db.insertInto("entries").values(columns).execute();
      }),
    history: (filter) => read(async () => (await entryPage(db, filter)).map(toEntry)),
  };
}

export async function entryPage(db: Database, filter: HistoryFilter): Promise<EntryRow[]> {
  const { account, symbol, kinds, beforeId, limit } = filter;
  // PostgreSQL knows no empty list.
  if (kinds?.length === 0) return [];
  let query = db.selectFrom("entries").selectAll();
  if (account !== undefined) query = query.where("account", "=", bindable(account));
  if (symbol !== undefined) query = query.where("symbol", "=", bindable(symbol));
  if (kinds !== undefined) query = query.where("kind", "in", kinds.map(bindable));
  if (beforeId !== undefined) query = query.where("id", "<", bindable(beforeId));
  const size = Math.max(1, Math.min(bindable(limit), LARGEST_PAGE));
  return query.orderBy("id", "desc").limit(size).execute();
}

export async function openLivesIn(db: Database, account: string, { unproven: wanted = true } = {}): Promise<Life[]> {
  const rows = db.selectFrom("lives").selectAll().where("account", "=", bindable(account));
  const lives = await rows.where("ended_ms", "is", null).orderBy("first_seen_ms").orderBy("id").execute();
  const ids = lives.map(({ id }) => id);
  const closing = await closingLives(db, ids);
  const unproven = wanted ? await unprovenSteps(db, ids) : new Map<string, Life["unproven"]>();
  return lives.map(toLife).map((life) => {
    const record = closing.has(life.id) ? { ...life.record, closeSent: true } : life.record;
    return { ...life, record, unproven: unproven.get(life.id) ?? life.unproven };
  });
}

/** A close is sent once in a life: who wrote one down, and died before it was answered, may have sent it. */
async function closingLives(db: Database, ids: readonly string[]): Promise<ReadonlySet<string>> {
  // PostgreSQL knows no empty list.
  if (ids.length === 0) return new Set();
  const rows = await db
    .selectFrom("entries")
    .select(["life_id", "kind", "body"])
    .where("life_id", "in", ids.map(bindable))
    .where("kind", "in", ["step-intended", "step-answered"])
    .where("body", "like", '%"action":"close-position"%')
    .execute();
  const sent = new Map<string, number>();
  for (const { life_id: id, kind, body } of rows) {
    if (id === null) continue;
    const isSent = kind === "step-intended" ? 1 : isNotSent(body) ? -1 : 0;
    sent.set(id, (sent.get(id) ?? 0) + isSent);
  }
  return new Set([...sent].flatMap(([id, times]) => (times > 0 ? [id] : [])));
}

function isNotSent(body: string): boolean {
  return body.includes('"answer":"not-sent"');
}

type LifeStore = Pick<Ledger, "openLives" | "saveLife">;

function createLifeStore(db: Database, { read, write }: Runs): LifeStore {
  return {
    openLives: (account, parts) => read(() => openLivesIn(db, account, parts)),
    saveLife: (life) =>
      write(async () => {
        const { id, ...rest } = lifeColumns(life);
        const insert = db.insertInto("lives").values({ id, ...rest });
        await insert.onConflict((conflict) => conflict.column("id").doUpdateSet(rest)).execute();
      }),
  };
}

type LeftAloneStore = Pick<Ledger, "leftAlone" | "leaveAlone" | "forgetLeftAlone">;

function createLeftAloneStore(db: Database, { read, write }: Runs): LeftAloneStore {
  return {
    leftAlone: (account) =>
      read(async () => {
        const rows = await db.selectFrom("left_alone").selectAll().where("account", "=", bindable(account)).execute();
        return rows.map(({ order_id: orderId, reason, at_ms: atMs }) => ({ account, orderId, reason, atMs }));
      }),
    leaveAlone: ({ account, orderId, reason, atMs }) =>
      write(async () => {
        const insert = db
          .insertInto("left_alone")
          .values(bindableRow({ account, order_id: orderId, reason, at_ms: atMs }));
        await insert.onConflict((conflict) => conflict.columns(["account", "order_id"]).doNothing()).execute();
      }),
    forgetLeftAlone: (account, orderId) =>
      write(async () => {
        const forgotten = db.deleteFrom("left_alone").where("account", "=", bindable(account));
        await forgotten.where("order_id", "=", bindable(orderId)).execute();
      }),
  };
}
