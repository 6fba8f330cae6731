/** Runs the store's queries, and keeps account of whether the ledger takes writes. */
import type { Engine, LedgerLog } from "./engine.js";
import { LedgerError } from "./error.js";

/** How a query is run: failures become LedgerErrors, and writes are kept account of. */
export interface Runs {
  readonly read: <T>(query: () => Promise<T>) => Promise<T>;
  readonly write: <T>(query: () => Promise<T>) => Promise<T>;
}

export interface Account extends Runs {
  readonly writable: () => string | null;
  readonly close: () => Promise<void>;
}

/** Two seconds in all: what takes longer is no passing thing. */
const BUSY_AGAIN_AFTER_MS = [20, 50, 100, 200, 400, 600, 700] as const;

/** What the disk or the server would not take is told once, and once more when it takes writes again. */
export function keepAccount(engine: Engine, log: LedgerLog): Account {
  let isClosed = false;
  let unwritable: string | null = null;

  async function read<T>(query: () => Promise<T>): Promise<T> {
    if (isClosed) throw new LedgerError("closed", "the ledger has been closed");
    for (let tries = 0; ; tries += 1) {
      try {
        return await query();
      } catch (error) {
        const told = engine.explain(error);
        const waitMs = told.trouble === "busy" ? BUSY_AGAIN_AFTER_MS[tries] : undefined;
        if (engine.sleep === undefined || waitMs === undefined) throw told;
        await engine.sleep(waitMs);
      }
    }
  }

  function note(reason: string | null): void {
    if (reason !== null && unwritable === null) log.warn({ reason }, "the ledger takes no writes");
    if (reason === null && unwritable !== null) log.info({}, "the ledger takes writes again");
    unwritable = reason;
  }

  async function write<T>(query: () => Promise<T>): Promise<T> {
    try {
      engine.assertThere?.();
      const result = await read(() => (engine.transact === undefined ? query() : engine.transact(query)));
      note(null);
      return result;
    } catch (error) {
      // A value that does not fit, or a write after the end, says nothing about the disk.
      const isOurs = error instanceof LedgerError && (error.trouble === "value" || error.trouble === "closed");
      if (error instanceof LedgerError && !isOurs) note(error.message);
      throw error;
    }
  }

  return {
    read,
    write,
    writable: () => unwritable,
    close: async () => {
      if (isClosed) return;
      isClosed = true;
      await engine.close().catch((error: unknown) => {
        throw engine.explain(error);
      });
    },
  };
}
