/** The bookkeeping of what writes: what it remembers and writes down, in the ledger where there is one, else in memory. */
import type { AccountFinding } from "../../assess/account.js";
import type { Position, PositionKey } from "../../domain/position.js";
import { withIntents } from "../../intents/memory.js";
import { type IntentEvent, openShelf, type Shelf } from "../../intents/shelf.js";
import { type LedgerMemory, ledgerMemory } from "../../ledger/ledger-memory.js";
import { inMemory, type Memory } from "../../ledger/memory.js";
import { openLedger } from "../../ledger/open.js";
import { type Ledger, LedgerError, type NewEntry } from "../../ledger/port.js";
import type { Step } from "../../plan/step.js";
import type { ResolvedPolicy } from "../../policy/resolve.js";
import { type Log, systemClock } from "../../runtime/index.js";
import type { StepRecord } from "../../verify/book.js";
import { openJournal, type OpenJournal } from "./journal.js";

export interface Books {
  readonly memory: Memory;
  readonly journal: OpenJournal;
  /** Why only missing stops may be sent; null: everything is written down. */
  trouble(): string | null;
  /** A read, a refusal or a veto has judged it. */
  judged(record: StepRecord): void;
  /** Never rejects, and nobody waits for it. */
  note(entry: NewEntry): void;
  closed(key: PositionKey, how: string): void;
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

/** Without a ledger positions are guarded all the same, by what the process itself remembers. */
export async function openBooks(parts: BooksParts): Promise<Books> {
  const { url, log } = parts;
  try {
    const store = await openLedger({ url, log, now: () => systemClock.now() });
    return withLedger(store, parts);
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    log.error({ code: "ledger-unwritable" }, `${error.message}; missing stops are set, everything else waits`);
    return booksInMemory(`the ledger cannot be opened (${error.message})`);
  }
}

/** `trouble`: why there is no ledger although there should be one; null: none is needed, for nothing is written. */
export function booksInMemory(trouble: string | null): Books {
  return {
    memory: inMemory(),
    journal: { intended: () => Promise.resolve(), answered: () => undefined, judged: () => undefined },
    trouble: () => trouble,
    judged: () => undefined,
    note: () => undefined,
    closed: () => undefined,
    ledger: null,
    close: () => Promise.resolve(),
  };
}

function withLedger(store: Ledger, { log, policyOf, onIntent }: BooksParts): Books {
  const now = () => systemClock.now();
  const lives = ledgerMemory({ ledger: store, now });
  const writer = troubleTeller(store, lives, log);
  const shelf = openShelf({
    ledger: store,
    now,
    isOver: (account, lifeId) => lives.isOver(account, lifeId),
    tell: (event) => {
      writer.note(intentEntry(event));
      onIntent?.(event);
    },
  });
  const memory = withIntents(lives, shelf);
  const journal = openJournal({ append: writer.append, note: writer.note, lives, memory, policyOf });
  return {
    memory,
    journal,
    trouble: writer.trouble,
    judged: (record) => journal.judged(record),
    note: writer.note,
    closed: (key, how) => lives.end(key, how),
    ledger: { store, memory: lives, shelf },
    close: async () => {
      await lives.flush();
      await writer.settled();
      await store.close();
    },
  };
}

/** Nothing in it rejects: what the ledger does not take is said once, and `trouble` holds back what can wait. */
function troubleTeller(store: Ledger, lives: LedgerMemory, log: Log) {
  let wasWritable = true;
  const running = new Set<Promise<unknown>>();
  const trouble = (): string | null => {
    const why = store.writable() ?? lives.writable();
    return why === null ? null : `the ledger cannot be written (${why})`;
  };

  async function append(entry: NewEntry): Promise<number | null> {
    let id: number | null = null;
    try {
      id = await store.append(entry);
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error;
    }
    const why = trouble();
    if (why !== null && wasWritable) log.error({ code: "ledger-unwritable" }, `${why}; only missing stops are set`);
    if (why === null && !wasWritable) log.info("the ledger can be written again");
    wasWritable = why === null;
    return id;
  }

  function note(entry: NewEntry): void {
    const written = append(entry).finally(() => running.delete(written));
    running.add(written);
  }
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
