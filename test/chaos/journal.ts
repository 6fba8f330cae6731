/** The ledger's file as any other program sees it: read-only, opened for one look, so that recovery is left to the program itself. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import Libsql from "libsql";

export interface SeenEntry {
  readonly id: number;
  readonly kind: string;
  readonly symbol: string | null;
  readonly positionIdx: number | null;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface JournalView {
  /** Entries of a contract that say what is to be sent, newest first. */
  intended(symbol: string, afterId: number): readonly SeenEntry[];
  /** Takes in what is new. Returns what has been lost or changed of what was seen before, as sentences. */
  look(): readonly string[];
  /** The newest that was seen. */
  readonly newestId: number;
  /** How many were seen, all of which must stay. */
  readonly seen: number;
  newestIds(count: number): readonly number[];
  /** Everything that was seen, against what stands now. */
  lookAtAll(): readonly string[];
}

interface Row {
  readonly id: number;
  readonly at_ms: number;
  readonly kind: string;
  readonly symbol: string | null;
  readonly position_idx: number | null;
  readonly body: string;
}

const LATEST = 300;
const BUSY_MS = 2_000;

export function viewJournal(file: string): JournalView {
  const seen = new Map<number, string>();
  let newestId = 0;

  function look(sinceId: number): readonly string[] {
    const rows = query(file, "select * from entries where id > ? order by id", [sinceId]);
    if (rows === null) return seen.size === 0 ? [] : ["the ledger's file is gone"];
    const found = new Map(rows.map((row) => [row.id, fingerprint(row)]));
    const lost = [...seen]
      .filter(([id, before]) => id > sinceId && found.get(id) !== before)
      .map(([id]) => `entry ${id} had been written, and is ${found.has(id) ? "changed" : "gone"}`);
    for (const [id, print] of found) {
      seen.set(id, print);
      newestId = Math.max(newestId, id);
    }
    return lost;
  }

  return {
    intended: (symbol, afterId) => {
      const text = "select * from entries where kind = 'step-intended' and symbol = ? and id > ? order by id desc";
      return (query(file, text, [symbol, afterId]) ?? []).map(toEntry);
    },
    look: () => look(newestId - LATEST),
    newestIds: (count) => [...seen.keys()].slice(-count),
    lookAtAll: () => look(0),
    get newestId() {
      return newestId;
    },
    get seen() {
      return seen.size;
    },
  };
}

/** Null: there is nothing to look at yet. */
function query(file: string, text: string, values: readonly (string | number)[]): readonly Row[] | null {
  if (!existsSync(file)) return null;
  const database = new Libsql(`file:${file}?mode=ro`);
  try {
    database.pragma(`busy_timeout = ${BUSY_MS}`);
    const tables = database.prepare("select name from sqlite_master where name = 'entries'").all();
    return tables.length === 0 ? null : (database.prepare(text).all(...values) as Row[]);
  } finally {
    database.close();
  }
}

function fingerprint({ id, at_ms: atMs, kind, body }: Row): string {
  return createHash("sha1")
    .update(JSON.stringify([id, atMs, kind, body]))
    .digest("base64");
}

function toEntry({ id, kind, symbol, position_idx: positionIdx, body }: Row): SeenEntry {
  return { id, kind, symbol, positionIdx, body: JSON.parse(body) as SeenEntry["body"] };
}
