/** Writes entries down without ever failing or holding up whoever hands them over, and says what the ledger is worth now. */
import type { LedgerMemory } from "../../ledger/ledger-memory.js";
import { type Ledger, LedgerError, type NewEntry } from "../../ledger/port.js";
import { LATE, type Log, systemClock, within } from "../../runtime/index.js";

export interface Writing {
  /** Why not everything can be written down; null: it can. */
  trouble(): string | null;
  /** The entry's number, when it is safe; null: it is not yet. Never rejects, and resolves within a second. */
  append(entry: NewEntry): Promise<number | null>;
  /** The same, where nobody waits for it. */
  note(entry: NewEntry): void;
  /** Everything that can be written has been. */
  settled(): Promise<void>;
}

const MOST_WAIT_MS = 1_000;
/** What could not be written yet is kept, so that the history has no hole; hours of it, not days. */
const MOST_KEPT = 5_000;

export function openWriting(store: Ledger, lives: Pick<LedgerMemory, "writable">, log: Log): Writing {
  const running = new Set<Promise<unknown>>();
  const unwritten: NewEntry[] = [];
  let catchingUp: Promise<void> | null = null;
  let wasWritable = true;
  let overdue = 0;

  function trouble(): string | null {
    const why = store.writable() ?? lives.writable() ?? (overdue > 0 ? "it does not answer" : null);
    return why === null ? null : `the ledger cannot be written (${why})`;
  }

  function tell(): void {
    const why = trouble();
    if (why !== null && wasWritable) log.error({ code: "ledger-unwritable" }, `${why}; only missing stops are set`);
    if (why === null && !wasWritable) log.info("the ledger can be written again");
    wasWritable = why === null;
  }

  /** Null: it could not be written. */
  async function tried(entry: NewEntry): Promise<number | null> {
    try {
      return await store.append(entry);
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error;
      return null;
    }
  }

  async function written(entry: NewEntry): Promise<number | null> {
    const id = await tried(entry);
    if (id === null && unwritten.length < MOST_KEPT) unwritten.push(entry);
    if (id !== null && unwritten.length > 0) catchingUp ??= catchUp();
    return id;
  }

  /** In their order, and with their own times. */
  async function catchUp(): Promise<void> {
    for (let next = unwritten[0]; next !== undefined; next = unwritten[0]) {
      if ((await tried(next)) === null) break;
      unwritten.shift();
    }
    catchingUp = null;
  }

  /** A stop that is due waits for no server: what takes longer is written when it is, and counts as trouble till then. */
  async function append(entry: NewEntry): Promise<number | null> {
    const writing = written({ atMs: systemClock.now(), ...entry });
    const isStuck = overdue > 0;
    const id = isStuck ? LATE : await within(MOST_WAIT_MS, writing);
    if (id === LATE) {
      overdue += 1;
      track(
        writing.finally(() => {
          overdue -= 1;
          tell();
        }),
      );
    }
    tell();
    return id === LATE ? null : id;
  }

  function track(work: Promise<unknown>): void {
    const tracked = work.finally(() => running.delete(tracked));
    running.add(tracked);
  }

  tell();
  return {
    trouble,
    append,
    note: (entry) => track(append(entry)),
    settled: async () => {
      await Promise.all(running);
      if (unwritten.length > 0) await (catchingUp ??= catchUp());
    },
  };
}
