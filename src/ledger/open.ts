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
  /**
   * For a process that has more to do: where another program holds the file it is asked again a little later, two
   * seconds long, and nothing stands still meanwhile. Default: this process waits, and does nothing else.
   */
  readonly sleep?: (ms: number) => Promise<void>;
}

/**
 * Brings the tables up to date first.
 * @throws LedgerError when it cannot be reached, read or written, or is newer than this program
 */
export async function openLedger({ url, log, now, sleep }: LedgerOptions): Promise<Ledger> {
  const engine = await engineFor(url, sleep === undefined ? "stand-still" : "come-back");
  return createStore(sleep === undefined ? engine : { ...engine, sleep }, log, now);
}

/** Only the driver that is needed is loaded: loading takes longer than many a command. */
async function engineFor(url: string, ifBusy: "stand-still" | "come-back"): Promise<Engine> {
  if (url.startsWith("file:/")) {
    const { openSqlite } = await import("./sqlite.js");
    return openSqlite(url.slice("file:".length), ifBusy);
  }
  if (/^postgres(?:ql)?:\/\//.test(url)) {
    const { openPostgres } = await import("./postgres.js");
    return openPostgres(url);
  }
  throw new LedgerError("value", "ledger.url must be file: with an absolute path, or postgres://…");
}
