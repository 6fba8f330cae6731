/** A ledger that need not be there yet: it is opened when it can be, and until then every use of it fails with the reason. */
import { LedgerError } from "./error.js";
import type { Ledger } from "./port.js";

/** A server that is down is not asked again with every step. */
const RETRY_AFTER_MS = 5_000;

export interface LazyParts {
  readonly open: () => Promise<Ledger>;
  /** Milliseconds, never jumps. */
  readonly now: () => number;
}

export interface LazyLedger extends Ledger {
  /** Null: it is open. Otherwise why it is not. Never rejects. */
  reach(): Promise<string | null>;
}

export function lazyLedger({ open, now }: LazyParts): LazyLedger {
  let ledger: Ledger | null = null;
  let opening: Promise<Ledger> | null = null;
  let failure: { readonly error: LedgerError; readonly atMs: number } | null = null;
  let isClosed = false;

  async function opened(): Promise<Ledger> {
    if (ledger !== null) return ledger;
    if (isClosed) throw new LedgerError("closed", "the ledger has been closed");
    if (failure !== null && now() - failure.atMs < RETRY_AFTER_MS) throw failure.error;
    opening ??= open().finally(() => {
      opening = null;
    });
    try {
      ledger = await opening;
      failure = null;
      return ledger;
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error;
      failure = { error, atMs: now() };
      throw error;
    }
  }

  return {
    append: async (entry) => (await opened()).append(entry),
    appendAll: async (entries) => (await opened()).appendAll(entries),
    history: async (filter) => (await opened()).history(filter),
    openLives: async (account, parts) => (await opened()).openLives(account, parts),
    saveLife: async (life) => (await opened()).saveLife(life),
    saveIntent: async (intent) => (await opened()).saveIntent(intent),
    intents: async (filter) => (await opened()).intents(filter),
    bindIntent: async (...bound) => (await opened()).bindIntent(...bound),
    endIntent: async (...end) => (await opened()).endIntent(...end),
    leftAlone: async (account) => (await opened()).leftAlone(account),
    leaveAlone: async (order) => (await opened()).leaveAlone(order),
    forgetLeftAlone: async (...order) => (await opened()).forgetLeftAlone(...order),
    lock: async (account) => (await opened()).lock(account),
    writable: () => (ledger === null ? (failure?.error.message ?? null) : ledger.writable()),
    reach: async () => {
      try {
        await opened();
        return null;
      } catch (error) {
        if (error instanceof LedgerError) return error.message;
        throw error;
      }
    },
    close: async () => {
      isClosed = true;
      const last = ledger ?? (await opening?.catch(() => null)) ?? null;
      await last?.close();
    },
  };
}
