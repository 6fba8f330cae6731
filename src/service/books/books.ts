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
import { type Log, systemClock, within } from "../../runtime/index.js";
import { openWriting } from "./writing.js";
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
  /** What is still being found out, and perhaps nothing; `flush` waits for it. It must not reject. */
  noteComing(entry: Promise<NewEntry | null>): void;
  /** Whether anything can be written down again is found out; nobody waits for it. */
  retry(account: string): void;
  closed(position: Pick<Position, "key" | "openedAtMs">, how: string): void;
  /** Accounts that this process is the writer of: only for those it takes up intents. */
  readonly writes: Set<string>;
  /** Resolves when what was remembered and told until now is in the ledger, or cannot be in time; never rejects. */
  flush(): Promise<void>;
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

/** A file that another program holds is asked for two seconds long; a ledger that hangs must not keep a process from its end. */
const FLUSH_WITHIN_MS = 3_000;

/** Where the ledger cannot be opened positions are guarded all the same; it is used as soon as it can be. */
export async function openBooks(parts: BooksParts): Promise<Books> {
  const { url, log } = parts;
  const open = () => openLedger({ url, log, now: () => systemClock.now(), sleep: (ms) => systemClock.sleep(ms) });
  const store = lazyLedger({ open, now: () => systemClock.monotonicMs() });
  await store.reach();
  return booksOver(store, parts);
}

/** For who writes nothing, and so has nothing to write down. */
export function booksInMemory(): Books {
  return {
    memory: inMemory(),
    journal: {
      intended: () => Promise.resolve(),
      answered: () => undefined,
      judged: () => undefined,
      unwritten: () => null,
    },
    attaching: { intended: () => Promise.resolve(), judged: () => undefined, unwritten: () => null },
    trouble: () => null,
    note: () => undefined,
    noteComing: () => undefined,
    retry: () => undefined,
    closed: () => undefined,
    writes: new Set(),
    flush: () => Promise.resolve(),
    ledger: null,
    close: () => Promise.resolve(),
  };
}

/** For a ledger that is open already. */
export function booksOver(store: Ledger, { log, policyOf, onIntent }: Omit<BooksParts, "url">): Books {
  const now = () => systemClock.now();
  const lives = ledgerMemory({ ledger: store, now });
  const writing = openWriting(store, lives, log);
  const writes = new Set<string>();
  const shelf = openShelf({
    mayBind: (account) => writes.has(account),
    ledger: store,
    now,
    isOver: (account, lifeId) => lives.isOver(account, lifeId),
    tell: (event) => {
      writing.note(() => intentEntry(event));
      onIntent?.(event);
    },
  });
  const memory = withIntents(lives, shelf);
  const note = (entry: NewEntry) => writing.note(() => entry);
  const coming = new Set<Promise<void>>();
  const flushed = async () => {
    await Promise.allSettled([lives.flush(), ...coming]);
    await writing.settled();
  };
  const flush = async () => void (await within(FLUSH_WITHIN_MS, flushed()));
  const attaching = openAttachJournal({ writing, policyOf });
  const journal = openJournal({ writing, lives, memory, policyOf });
  return {
    memory,
    journal,
    attaching,
    trouble: () => writing.trouble(),
    note,
    noteComing: (entry) => {
      const noted: Promise<void> = entry
        .then((one) => (one === null ? undefined : note(one)))
        .finally(() => coming.delete(noted));
      coming.add(noted);
    },
    retry: (account) => writing.retry(() => ({ kind: "writer-retried", account, body: null })),
    closed: ({ key, openedAtMs }, how) => {
      lives.end(key, how, openedAtMs);
      // Its intent ends with it, before anything is read that may still show the position.
      shelf.refresh(key.account).catch(notInTrouble);
    },
    writes,
    flush,
    ledger: { store, memory: lives, shelf },
    close: async () => {
      await flush();
      await store.close();
    },
  };
}

/** That the ledger is in trouble is told elsewhere; the intents are compared every second. */
function notInTrouble(error: unknown): void {
  if (!(error instanceof LedgerError)) throw error;
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
