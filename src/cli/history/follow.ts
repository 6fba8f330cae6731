/** Entries as they come: the ledger is asked again every second, until somebody ends it. */
import { setTimeout as wait } from "node:timers/promises";
import type { LedgerReader } from "../../ledger/reading.js";
import { type Entry, LedgerError } from "../../ledger/port.js";
import { matcher, type Choice } from "./choice.js";

const POLL_MS = 1_000;
/** Of several writers one that began earlier may end later: its number is lower than others that are known already. */
const WINDOW = 200;

export interface Following {
  /** Null: there is no ledger yet. */
  readonly open: () => Promise<LedgerReader | null>;
  readonly show: (entry: Entry) => void;
  /** A sentence for the person who watches. */
  readonly tell: (sentence: string) => void;
  readonly signal: AbortSignal;
}

/** @throws LedgerError where it cannot be read and waiting would not help */
export async function followFrom(
  reader: LedgerReader | null,
  shown: readonly Entry[],
  choice: Choice,
  { open, show, tell, signal }: Following,
): Promise<void> {
  const isWanted = matcher(choice);
  const tail = openTail();
  let current = reader;
  let trouble: string | null = null;
  if (current !== null) await tail.begin(current, shown, isWanted);
  const look = async () => {
    current ??= await open();
    const news = current === null ? [] : await tail.news(current);
    for (const entry of news) if (isWanted(entry)) show(entry);
    if (trouble !== null) tell("the ledger can be read again");
    trouble = null;
  };
  while (!signal.aborted) {
    await look().catch((error: unknown) => {
      if (!mayPass(error)) throw error;
      if (trouble === null) tell(`${error.message}; it is asked again every second`);
      trouble = error.message;
    });
    await wait(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
  await current?.close();
}

function mayPass(error: unknown): error is LedgerError {
  return error instanceof LedgerError && (error.trouble === "unreachable" || error.trouble === "busy");
}

export interface Tail {
  /** What was shown is no news, nor what is older; what has come since then is, also what stands already. */
  begin(
    ledger: Pick<LedgerReader, "history">,
    shown: readonly Entry[],
    isWanted: (entry: Entry) => boolean,
  ): Promise<void>;
  /** Oldest first. */
  news(ledger: Pick<LedgerReader, "history">): Promise<readonly Entry[]>;
}

export function openTail(): Tail {
  let seen = new Set<number>();
  let floorId = 0;

  /** At least the window, and farther back as long as everything is new. */
  async function newest(ledger: Pick<LedgerReader, "history">, isBeginning: boolean): Promise<readonly Entry[]> {
    const read: Entry[] = [];
    for (;;) {
      const beforeId = read.at(-1)?.id;
      const page = await ledger.history({ limit: WINDOW, ...(beforeId === undefined ? {} : { beforeId }) });
      read.push(...page);
      const isAllNew = page.every(({ id }) => id > floorId && !seen.has(id));
      if (isBeginning || page.length < WINDOW || !isAllNew) return read;
    }
  }

  function remember(read: readonly Entry[]): void {
    seen = new Set(read.map(({ id }) => id));
    if (read.length >= WINDOW) floorId = Math.max(floorId, read.at(-1)?.id ?? 0);
  }

  return {
    begin: async (ledger, shown, isWanted) => {
      const lastShownId = Math.max(0, ...shown.map(({ id }) => id));
      const read = await newest(ledger, true);
      remember(read);
      for (const entry of read) if (entry.id > lastShownId && isWanted(entry)) seen.delete(entry.id);
      for (const { id } of shown) seen.add(id);
    },
    news: async (ledger) => {
      const read = await newest(ledger, false);
      const fresh = read.filter(({ id }) => id > floorId && !seen.has(id));
      remember(read);
      return fresh.toReversed();
    },
  };
}
