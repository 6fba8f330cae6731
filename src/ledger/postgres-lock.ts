/** One writer per account among several machines: an advisory lock of a connection that does nothing else. */
import { createHash } from "node:crypto";
import pg from "pg";
import type { WriterLock } from "./port.js";

/**
 * The server lets go of the lock when it learns that the connection is gone; the two settings make it ask within
 * seconds, where otherwise the loss of a whole machine would be noticed hours later.
 * @returns null where another connection holds it
 * @throws what pg throws
 */
export async function lockPostgres(config: pg.ClientConfig, account: string): Promise<WriterLock | null> {
  const client = new pg.Client({ ...config, keepAliveInitialDelayMillis: 5_000 });
  const lost = new Promise<string>((resolve) => {
    // Without a listener an error of a connection ends the process.
    client.on("error", () => resolve("the connection that held the writer's lock broke"));
    client.on("end", () => resolve("the connection that held the writer's lock ended"));
  });
  try {
    await client.connect();
    await client.query(
      "select set_config('tcp_keepalives_idle', '5', false), set_config('tcp_keepalives_interval', '5', false), set_config('tcp_keepalives_count', '3', false)",
    );
    const answer = await client.query<{ got: boolean }>(`select pg_try_advisory_lock(${lockNumber(account)}) as got`);
    if (answer.rows[0]?.got === true) return lockOf(account, client, lost);
  } catch (error) {
    void ended(client);
    throw error;
  }
  void ended(client);
  return null;
}

/** Where nothing is held nobody waits for it: a server that does not answer may take its time. */
async function ended(client: pg.Client): Promise<void> {
  await client.end().catch(() => undefined);
}

function lockOf(account: string, client: pg.Client, broken: Promise<string>): WriterLock {
  let isReleased = false;
  let lose: (reason: string) => void = () => undefined;
  const lost = new Promise<string>((resolve) => {
    lose = (reason) => {
      if (!isReleased) resolve(reason);
    };
  });
  void broken.then(lose);
  return {
    account,
    lost,
    isHeld: async () => {
      if (isReleased) return false;
      try {
        const answer = await client.query<{ held: number }>(
          "select count(*)::int as held from pg_locks where locktype = 'advisory' and pid = pg_backend_pid() and granted",
        );
        if (answer.rows[0]?.held === 1) return true;
        lose("the server says that the connection does not hold the writer's lock any more");
      } catch {
        lose("the server did not answer on the connection that holds the writer's lock");
      }
      // Whether it still holds may not be known; a connection that is closed surely gives it back.
      void ended(client);
      return false;
    },
    release: async () => {
      isReleased = true;
      await ended(client);
    },
  };
}

/** Advisory locks are named by a whole number of 64 bits: one of our own for each account. */
export function lockNumber(name: string): string {
  const digest = createHash("sha256").update(`bybit-backstop/${name}`).digest();
  return digest.readBigInt64BE(0).toString();
}
