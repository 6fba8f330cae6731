/** Which process may write for an account: the one that holds its lock; another stands by and takes over. */
import { LedgerError, type WriterLock } from "../../ledger/port.js";
import { type Log, systemClock, within } from "../../runtime/index.js";
import type { Books } from "./books.js";

/** A successor is to write within five seconds of the death of the one before. */
const TRY_EVERY_MS = 1_000;

/** So long a standby trusts that the writer lives on where the ledger itself cannot tell. */
const STAND_BY_UNHEARD_MS = 30_000;

/** A ledger that hangs must not keep a process from its end. */
const CLOSE_WITHIN_MS = 1_000;

/** Null: another process holds it; "unknown": whether one does cannot be told, so protection beats order. */
export type Claim = WriterLock | "unknown" | null;

export interface WriterTurn {
  /** Why this process must not write; null: it is its turn. */
  frozen(): string | null;
  /** Called when this process becomes the writer later than at the start. */
  onTurn(callback: () => void): void;
  close(): Promise<void>;
}

export const STANDING_BY = "another process writes for this account; this one stands by";

/** Without a ledger there is no lock: nothing is loosened even if two write. */
export async function takeTurn(account: string, books: Books, log: Log): Promise<WriterTurn> {
  if (books.ledger === null) return { frozen: () => null, onTurn: () => undefined, close: () => Promise.resolve() };
  let lock: Claim = null;
  let lastHeldMs: number | null = null;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  let trying: Promise<void> = Promise.resolve();
  const callbacks: (() => void)[] = [];

  async function attempt(): Promise<void> {
    const before = lock;
    const claimed = await claim(account, books);
    if (isClosed) return giveUp(claimed);
    if (claimed === "unknown" && isStandingBy()) return;
    lock = claimed;
    if (lock === null) lastHeldMs = systemClock.monotonicMs();
    if (lock === "unknown" && before !== "unknown") {
      log.error({ account }, "whether another process writes cannot be told, so this one does");
    }
    if (claimed !== null && claimed !== "unknown") void claimed.lost.then((reason) => lost(claimed, reason));
  }

  /** Whoever takes the lock next reads what was done before it, and from then on nothing of ours is written. */
  async function giveUp(claimed: Claim): Promise<void> {
    if (claimed === null) return;
    books.writes.delete(account);
    await books.flush();
    books.ledger?.memory.unload(account);
    await letGo(claimed);
  }

  /** Another process held the lock a moment ago: that the ledger does not answer now says nothing about that one. */
  function isStandingBy(): boolean {
    return lastHeldMs !== null && systemClock.monotonicMs() - lastHeldMs < STAND_BY_UNHEARD_MS;
  }

  async function tryAgain(): Promise<void> {
    const wasFrozen = lock === null;
    if (lock === null || lock === "unknown") await attempt();
    else await stillHeld(lock);
    if (isClosed) return;
    if (wasFrozen && lock !== null) {
      log.warn({ account }, "this process now writes for the account");
      for (const callback of callbacks) callback();
    }
    again();
  }

  async function stillHeld(held: WriterLock): Promise<void> {
    if ((await held.isHeld().catch(ledgerTrouble)) === false) lost(held, "its lock is not held any more");
    if (lock === held && books.ledger?.memory.isLoaded(account) === false) await takeIn(account, books);
  }

  function lost(held: WriterLock, reason: string): void {
    if (lock !== held) return;
    lock = null;
    books.writes.delete(account);
    books.ledger?.memory.unload(account);
    if (!isClosed) log.error({ account, reason }, "this process is no longer the account's writer");
  }

  function again(): void {
    if (!isClosed) timer = setTimeout(() => void (trying = tryAgain()), TRY_EVERY_MS);
  }

  await attempt();
  if (lock === null) log.warn({ account }, `${STANDING_BY}, and takes over when that one ends`);
  again();
  return {
    frozen: () => (lock === null ? STANDING_BY : null),
    onTurn: (callback) => void callbacks.push(callback),
    close: async () => {
      isClosed = true;
      clearTimeout(timer);
      // What it takes after that time it gives up by itself.
      await within(CLOSE_WITHIN_MS, trying);
      await giveUp(lock);
    },
  };
}

/** A server that does not answer is not waited for: it lets go when it learns that the connection is gone. */
export async function letGo(claimed: Claim): Promise<void> {
  if (claimed !== null && claimed !== "unknown") await within(CLOSE_WITHIN_MS, claimed.release());
}

/** Takes the account's lock, once, and what the ledger knows of the account; without a ledger there is none to take. */
export async function claim(account: string, books: Books): Promise<Claim> {
  const { ledger } = books;
  if (ledger === null) return "unknown";
  const lock = await lockOrUnknown(() => ledger.store.lock(account));
  if (lock === null) return null;
  if (lock !== "unknown") books.writes.add(account);
  await takeIn(account, books);
  if (lock !== "unknown") books.note({ kind: "writer-taken", account, body: { pid: process.pid } });
  return lock;
}

async function takeIn(account: string, { ledger }: Books): Promise<void> {
  await ledger?.memory.load(account);
  await ledger?.shelf.refresh(account).catch(ledgerTrouble);
}

/** Told by the books; the intents are asked for again every second. */
function ledgerTrouble(error: unknown): void {
  if (!(error instanceof LedgerError)) throw error;
}

/** Where the lock itself cannot be had for a fault, protection beats order. */
async function lockOrUnknown(take: () => Promise<WriterLock | null>): Promise<Claim> {
  try {
    return await take();
  } catch (error) {
    if (error instanceof LedgerError) return "unknown";
    throw error;
  }
}
