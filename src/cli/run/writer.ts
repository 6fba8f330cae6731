/** Which process may write for an account: the one that holds its lock; another stands by and takes over. */
import { LedgerError, type WriterLock } from "../../ledger/port.js";
import type { Log } from "../../runtime/index.js";
import type { Books } from "./books.js";

/** A successor is to write within five seconds of the death of the one before. */
const TRY_EVERY_MS = 2_000;

export interface WriterTurn {
  /** Why this process must not write; null: it is its turn. */
  frozen(): string | null;
  /** Called when this process becomes the writer, not for the first time at the start. */
  onTurn(callback: () => void): void;
  close(): Promise<void>;
}

/** Without a ledger there is no lock: nothing is loosened even if two write. */
export async function takeTurn(account: string, { ledger }: Books, log: Log): Promise<WriterTurn> {
  let lock: WriterLock | "unknown" | null = null;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  const callbacks: (() => void)[] = [];

  async function attempt(): Promise<void> {
    const before = lock;
    if (ledger !== null) lock = await lockOrUnknown(() => ledger.store.lock(account));
    if (lock === "unknown" && before !== "unknown")
      log.error({ account }, "whether another process writes cannot be told");
    if (lock !== null && lock !== "unknown" && ledger !== null) {
      await ledger.memory.load(account);
      void lock.lost.then(lostTurn);
    }
    if (lock !== null && before === null) for (const callback of callbacks) callback();
    if ((lock === null || lock === "unknown") && ledger !== null) again();
  }

  function lostTurn(reason: string): void {
    lock = null;
    log.error({ account, reason }, "this process is no longer the account's writer");
    again();
  }

  function again(): void {
    if (!isClosed) timer = setTimeout(() => void attempt(), TRY_EVERY_MS);
  }

  await attempt();
  if (ledger !== null && lock === null) {
    log.warn(
      { account },
      "another process writes for this account; this one stands by, and takes over when that one ends",
    );
  }
  return {
    frozen: () =>
      ledger !== null && lock === null ? "another process writes for this account; this one stands by" : null,
    onTurn: (callback) => {
      callbacks.push(() => {
        log.info({ account }, "this process now writes for the account");
        callback();
      });
    },
    close: async () => {
      isClosed = true;
      clearTimeout(timer);
      if (lock !== null && lock !== "unknown") await lock.release();
    },
  };
}

/** Where the lock itself cannot be had for a fault, protection beats order. */
async function lockOrUnknown(take: () => Promise<WriterLock | null>): Promise<WriterLock | "unknown" | null> {
  try {
    return await take();
  } catch (error) {
    if (error instanceof LedgerError) return "unknown";
    throw error;
  }
}
