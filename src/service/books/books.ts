/** The bookkeeping of what writes: what it remembers and writes down, in the ledger where there is one, else in memory. */
import type { AccountFinding } from "../../assess/account.js";
import type { Position, PositionKey } from "../../domain/position.js";
import { withIntents } from "../../intents/memory.js";
import { type IntentEvent, openShelf, type Shelf } from "../../intents/shelf.js";
import { type LedgerMemory, ledgerMemory } from "../../ledger/ledger-memory.js";
import { inMemory, type Memory } from "../../ledger/memory.js";
import { lazyLedger } from "../../ledger/lazy.js";
import { openLedger } from "../../ledger/open.js";
import { type Ledger, LedgerError, type NewEntry } from "../../ledger/port.js";
import type { Step } from "../../plan/step.js";
import type { ResolvedPolicy } from "../../policy/resolve.js";
import { LATE, type Log, systemClock, within } from "../../runtime/index.js";
import { type AttachJournal, openAttachJournal } from "./attach-journal.js";
import { openJournal, type OpenJournal } from "./journal.js";

export interface Books {
  readonly memory: Memory;
  readonly journal: OpenJournal;
  readonly attaching: AttachJournal;
  /** Why only missing stops may be sent; null: everything is written down. */
  trouble(): string | null;
  /** Never rejects, and nobody waits for it. */
  note(entry: NewEntry): void;
  closed(key: PositionKey, how: string): void;
  /** Accounts that this process is the writer of: only for those it takes up intents. */
  readonly writes: Set<string>;
  /** Null: there is no ledger, and with it no lock, no intents and nothing to load. */
  readonly ledger: OpenLedger | null;
  close(): Promise<void>;
}

export interface OpenLedger {
  readonly store: Ledger;
  readonly memory: LedgerMemory;
  readonly shelf: Shelf;
}

export interface BooksParts {
  /** `file:` with an absolute path, or `postgres://…`. */
  readonly url: string;
  readonly log: Log;
  readonly policyOf: (key: PositionKey, side: Position["side"]) => ResolvedPolicy;
  readonly onIntent?: (event: IntentEvent) => void;
}

/** Where the ledger cannot be opened positions are guarded all the same; it is used as soon as it can be. */
export async function openBooks(parts: BooksParts): Promise<Books> {
  const { url, log } = parts;
  const open = () => openLedger({ url, log, now: () => systemClock.now() });
  const store = lazyLedger({ open, now: () => systemClock.monotonicMs() });
  await store.reach();
  return withLedger(store, parts);
}

/** For who writes nothing, and so has nothing to write down. */
export function booksInMemory(): Books {
  return {
    memory: inMemory(),
    journal: { intended: () => Promise.resolve(), answered: () => undefined, judged: () => undefined },
    attaching: { intended: () => Promise.resolve(), judged: () => undefined },
    trouble: () => null,
    note: () => undefined,
    closed: () => undefined,
    writes: new Set(),
    ledger: null,
    close: () => Promise.resolve(),
  };
}

function withLedger(store: Ledger, { log, policyOf, onIntent }: BooksParts): Books {
  const now = () => systemClock.now();
  const lives = ledgerMemory({ ledger: store, now });
  const writer = troubleTeller(store, lives, log);
  const writes = new Set<string>();
  const shelf = openShelf({
    mayBind: (account) => writes.has(account),
    ledger: store,
    now,
    isOver: (account, lifeId) => lives.isOver(account, lifeId),
    tell: (event) => {
      writer.note(intentEntry(event));
      onIntent?.(event);
    },
  });
  const memory = withIntents(lives, shelf);
  const attaching = openAttachJournal({ append: writer.append, note: writer.note, policyOf });
  const journal = openJournal({ append: writer.append, note: writer.note, lives, memory, policyOf });
  return {
    memory,
    journal,
    attaching,
    trouble: writer.trouble,
    note: writer.note,
    closed: (key, how) => lives.end(key, how),
    writes,
    ledger: { store, memory: lives, shelf },
    close: async () => {
      await lives.flush();
      await writer.settled();
      await store.close();
    },
  };
}

const MOST_WAIT_MS = 1_000;

/** Nothing in it rejects: what the ledger does not take is said once, and `trouble` holds back what can wait. */
function troubleTeller(store: Ledger, lives: LedgerMemory, log: Log) {
  let wasWritable = true;
  let overdue = 0;
  const running = new Set<Promise<unknown>>();
  const trouble = (): string | null => {
    const why = store.writable() ?? lives.writable() ?? (overdue > 0 ? "it does not answer" : null);
    return why === null ? null : `the ledger cannot be written (${why})`;
  };

  async function append(entry: NewEntry): Promise<number | null> {
    const id = await inTime(written(entry));
    const why = trouble();
    tell(why);
    return id;
  }

  function tell(why: string | null): void {
    if (why !== null && wasWritable) log.error({ code: "ledger-unwritable" }, `${why}; only missing stops are set`);
    if (why === null && !wasWritable) log.info("the ledger can be written again");
    wasWritable = why === null;
  }

  tell(trouble());

  /** Null: it could not be written. */
  async function written(entry: NewEntry): Promise<number | null> {
    try {
      return await store.append(entry);
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error;
      return null;
    }
  }

  /** A stop that is due waits for no server: what takes longer is written when it is, and counts as trouble till then. */
  async function inTime(writing: Promise<number | null>): Promise<number | null> {
    const id = await within(MOST_WAIT_MS, writing);
    if (id !== LATE) return id;
    overdue += 1;
    track(writing.finally(() => (overdue -= 1)));
    return null;
  }

  function track(work: Promise<unknown>): void {
    const tracked = work.finally(() => running.delete(tracked));
    running.add(tracked);
  }

  const note = (entry: NewEntry): void => track(append(entry));
  return { trouble, append, note, settled: () => Promise.all(running) };
}

export function intentEntry({ change, intent }: IntentEvent): NewEntry {
  const { key, side, stopLoss, takeProfit, waiver, mayLoosenFrom, orderLinkId, lifeId, who, endedHow, id } = intent;
  const { account, category, symbol, positionIdx } = key;
  const body = {
    id,
    who,
    ...(stopLoss === null ? {} : { stopLoss: stopLoss.toFixed() }),
    ...(takeProfit === null ? {} : { takeProfit: takeProfit.toFixed() }),
    ...(waiver === null ? {} : { waiver: { reason: waiver.reason, until: waiver.until } }),
    ...(mayLoosenFrom === null ? {} : { mayLoosenFrom: mayLoosenFrom.toFixed() }),
    ...(orderLinkId === null ? {} : { orderLinkId }),
    ...(endedHow === null ? {} : { how: endedHow }),
  };
  const life = lifeId === null ? {} : { lifeId };
  return { kind: `intent-${change}`, account, category, symbol, positionIdx, side, ...life, body };
}

/** While nothing can be written down, only what a naked position needs is sent: protection beats bookkeeping. */
export function heldWithoutLedger(trouble: string | null, step: Step): string | null {
  if (trouble === null) return null;
  const isUrgent =
    step.action === "close-position"
      ? step.reason === "stop-past"
      : step.stopLoss !== null && URGENT.includes(step.stopLoss.purpose);
  return isUrgent ? null : `${trouble}, so only missing stops are set`;
}

const URGENT: readonly string[] = ["add", "rebase", "nearest", "give-back"];

export function ledgerFinding(trouble: string): AccountFinding {
  return { code: "ledger-unwritable", severity: "warning", message: `${trouble}; only missing stops are set` };
}
