/** Reads a file as it is between two writings: half of a YAML file is often valid, and lacks the rules that would follow. */
import { readFile, stat } from "node:fs/promises";

export interface Waiting {
  /** Wall clock, milliseconds since 1970. */
  now(): number;
  sleep(ms: number): Promise<void>;
}

/** What is written in pieces is whole once nothing has come for so long. */
const QUIET_MS = 1_000;
const MOST_TRIES = 5;

/**
 * `waiting`: a file that was written to a moment ago is waited for; without it none is read while it changes, but one
 * may be that has its next piece still to come. Pipes and terminals end by themselves.
 * @throws what reading throws; with the reason as its code where it never stands still
 */
export async function readWhole(path: string, waiting?: Waiting): Promise<Buffer> {
  for (let tries = 1; tries <= MOST_TRIES; tries += 1) {
    const before = await stampOf(path);
    if (before === null) return readFile(path);
    if (waiting !== undefined && waiting.now() - before.mtimeMs < QUIET_MS) await waiting.sleep(QUIET_MS);
    const content = await readFile(path);
    if ((await stampOf(path))?.text === before.text) return content;
  }
  throw Object.assign(new Error(`${path} does not stand still`), { code: "it is being written all the time" });
}

/** Null: it is no plain file. */
async function stampOf(path: string): Promise<{ readonly mtimeMs: number; readonly text: string } | null> {
  const found = await stat(path, { bigint: true });
  if (!found.isFile()) return null;
  const { mtimeNs, ctimeNs, mtimeMs, size, ino } = found;
  return { mtimeMs: Number(mtimeMs), text: [mtimeNs, ctimeNs, size, ino].join("/") };
}
