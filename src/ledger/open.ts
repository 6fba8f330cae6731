/** Opens the ledger that a URL names: the file of an embedded SQLite, or a PostgreSQL server. */
import type { Engine, LedgerLog } from "./engine.js";
import { LedgerError } from "./error.js";
import type { Ledger } from "./port.js";
import { createStore } from "./store.js";

export type { LedgerLog } from "./engine.js";

export interface LedgerOptions {
  /** `file:` with an absolute path, or `postgres://…`. */
  readonly url: string;
  readonly log: LedgerLog;
  /** Wall clock, milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * Brings the tables up to date first.
 * @throws LedgerError when it cannot be reached, read or written, or is newer than this program
 */
export async function openLedger({ url, log, now }: LedgerOptions): Promise<Ledger> {
  return createStore(await engineFor(url), log, now);
}

/** Only the driver that is needed is loaded: loading takes longer than many a command. */
async function engineFor(url: string): Promise<Engine> {
  if (url.startsWith("file:/")) {
    const { openSqlite } = await import("./sqlite.js");
    return openSqlite(url.slice("file:".length));
  }
  if (/^postgres(?:ql)?:\/\//.test(url)) {
    const { openPostgres } = await import("./postgres.js");
    return openPostgres(url);
  }
  throw new LedgerError("value", "ledger.url must be file: with an absolute path, or postgres://…");
}
