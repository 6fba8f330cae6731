/** Writes entries down in their order, without ever failing or holding up whoever hands them over, and says how it goes. */
import type { LedgerMemory } from "../../ledger/ledger-memory.js";
import { type Ledger, LedgerError, type NewEntry } from "../../ledger/port.js";
import { LATE, type Log, systemClock, within } from "../../runtime/index.js";

/** Made when its turn comes: by then what was written before it has its number. */
export type EntryMaker = () => NewEntry;

export interface Writing {
  /** Why not everything can be written down; null: it can. */
  trouble(): string | null;
  /** Resolves when the entry is safe, or cannot be made safe now, and within a second; `written` is told its number in any case. */
  append(make: EntryMaker, written?: (id: number) => void): Promise<void>;
  /** The same, where nobody waits for it. */
  note(make: EntryMaker): void;
  /** Tries what waits once more; only where nothing waits is there another entry to try it with. */
  retry(make: EntryMaker): void;
  /** Everything that can be written has been, without waiting for what may be told next. */
  settled(): Promise<void>;
}

interface Waiting {
  readonly make: EntryMaker;
  readonly written: (id: number) => void;
  /** Nobody need wait for it any longer. */
  readonly release: () => void;
}

const MOST_WAIT_MS = 1_000;
/** What happens in such a moment is written together. */
const GATHER_MS = 50;
const MOST_AT_ONCE = 200;
/** What cannot be written now is kept, so that the history has no hole; hours of it, not days. */
const MOST_KEPT = 5_000;

export function openWriting(store: Ledger, lives: Pick<LedgerMemory, "writable">, log: Log): Writing {
  /** What a step waits for goes before what is only told. */
  const urgent: Waiting[] = [];
  const told: Waiting[] = [];
  let writing: Promise<void> | null = null;
  let isGathered = false;
  let isHurried = false;
  let wasWritable = true;
  let late = 0;

  function trouble(): string | null {
    const why = store.writable() ?? lives.writable() ?? (late > 0 ? "it does not answer" : null);
    return why === null ? null : `the ledger cannot be written (${why})`;
  }

  function tell(): void {
    const why = trouble();
    if (why !== null && wasWritable) log.error({ code: "ledger-unwritable" }, `${why}; only missing stops are set`);
    if (why === null && !wasWritable) log.info("the ledger can be written again");
    wasWritable = why === null;
  }

  /** False: it stays, and so does everything behind it. */
  async function isDone({ make, written, release }: Waiting): Promise<boolean> {
    try {
      written(await store.append(make()));
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error;
      // What can never be stored must not keep the others waiting.
      if (error.trouble !== "value") return false;
    }
    release();
    return true;
  }

  /** Each on its own, urgent ones first; false: the ledger takes none. */
  async function areDone(queue: Waiting[], count: number): Promise<boolean> {
    for (let left = Math.min(count, queue.length); left > 0; left -= 1) {
      const [next] = queue;
      if (next === undefined || !(await isDone(next))) return false;
      queue.shift();
    }
    return true;
  }

  /** A disk is asked once for all that was told in a moment; one that does not fit is found by asking for each. */
  async function isBatchDone(): Promise<boolean> {
    const batch = told.slice(0, MOST_AT_ONCE);
    try {
      await store.appendAll(batch.map(({ make }) => make()));
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error;
      return error.trouble === "value" ? areDone(told, batch.length) : false;
    }
    told.splice(0, batch.length);
    for (const { release } of batch) release();
    return true;
  }

  async function writeAll(): Promise<void> {
    let isTaken = true;
    while (isTaken && urgent.length + told.length > 0) {
      if (urgent.length > 0) isTaken = await areDone(urgent, urgent.length);
      else if (!isHurried && !isGathered) {
        isGathered = true;
        await systemClock.sleep(GATHER_MS);
      } else {
        isGathered = false;
        isTaken = await isBatchDone();
      }
    }
    for (const { release } of [...urgent, ...told]) release();
    writing = null;
    tell();
  }

  function enqueue(queue: Waiting[], make: EntryMaker, written: (id: number) => void): Promise<void> {
    const atMs = systemClock.now();
    return new Promise((release) => {
      if (queue.length < MOST_KEPT) queue.push({ make: () => ({ atMs, ...make() }), written, release });
      else release();
      // Also where it is full: nothing else would ever make room.
      writing ??= writeAll();
    });
  }

  /** A stop that is due waits for no server: what takes longer counts as trouble until it is written. */
  async function inTime(done: Promise<void>): Promise<void> {
    if (late === 0 && (await within(MOST_WAIT_MS, done)) !== LATE) return;
    late += 1;
    tell();
    void done.finally(() => {
      late -= 1;
    });
  }

  const note = (make: EntryMaker): void => void inTime(enqueue(told, make, () => undefined));

  tell();
  return {
    trouble,
    append: (make, written = () => undefined) => inTime(enqueue(urgent, make, written)),
    note,
    retry: (make) => {
      if (urgent.length + told.length === 0) note(make);
      else writing ??= writeAll();
    },
    settled: async () => {
      isHurried = true;
      await (writing ?? (urgent.length + told.length > 0 ? (writing = writeAll()) : undefined));
      isHurried = false;
    },
  };
}
