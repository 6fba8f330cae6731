/** The file that pauses are kept in: read whole or called damaged, replaced whole or left as it was. */
import { randomUUID } from "node:crypto";
import { readFileSync, type Stats } from "node:fs";
import { type FileHandle, link, open, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as z from "zod";
import { makeOwnersFolder } from "./folder.js";

/** Somebody wants nothing written here for a while; looking and alerting go on. */
export interface Pause {
  /** Null: every account, also one that joins later. */
  readonly account: string | null;
  /** A symbol, or a glob such as BTC*; null: every symbol. */
  readonly symbol: string | null;
  /** Wall clock, milliseconds since 1970; from then on it is none. Null: until resumed. */
  readonly untilMs: number | null;
  /** Wall clock, milliseconds since 1970. */
  readonly sinceMs: number;
  /** In the words of who paused; null: none were given. */
  readonly reason: string | null;
}

/** `damaged` means that everything is paused: what the file was meant to say may be anything. */
export type PauseFile =
  | { readonly kind: "sound"; readonly pauses: readonly Pause[] }
  | { readonly kind: "damaged"; readonly why: string };

/** What stands between a wish and the file; the message names the file. */
export class PauseFileError extends Error {
  override readonly name = "PauseFileError";
}

/** The part of a clock that writing needs. */
export interface WaitingClock {
  /** Wall clock, milliseconds since 1970. */
  now(): number;
  sleep(ms: number): Promise<void>;
}

const SCHEMA = "bybit-backstop/pauses@1";
const moment = z.iso.datetime().refine((text) => Number.isFinite(Date.parse(text)));
const document = z.strictObject({
  schema: z.literal(SCHEMA),
  pauses: z.array(
    z.strictObject({
      account: z.string().min(1).nullable(),
      symbol: z.string().min(1).nullable(),
      until: moment.nullable(),
      since: moment,
      reason: z.string().min(1).nullable(),
    }),
  ),
});

export function pauseFilePath(stateDir: string): string {
  return join(stateDir, "pauses.json");
}

/** No file is a file without pauses. */
export function readPauseFile(stateDir: string): PauseFile {
  let text: string;
  try {
    text = readFileSync(pauseFilePath(stateDir), "utf8");
  } catch (error) {
    const code = codeOf(error);
    return code === "ENOENT" ? { kind: "sound", pauses: [] } : { kind: "damaged", why: `it cannot be read (${code})` };
  }
  return pausesIn(text);
}

function pausesIn(text: string): PauseFile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: "damaged", why: "it is no JSON" };
  }
  const read = document.safeParse(value);
  if (!read.success) {
    const where = read.error.issues[0]?.path.map(String).join(".") ?? "";
    return { kind: "damaged", why: `${where === "" ? "its form" : where} is not as this program writes it` };
  }
  const pauses = read.data.pauses.map(({ until, since, ...rest }) => ({
    ...rest,
    untilMs: until === null ? null : Date.parse(until),
    sinceMs: Date.parse(since),
  }));
  return { kind: "sound", pauses };
}

function textOf(pauses: readonly Pause[]): string {
  const rows = pauses.map(({ account, symbol, untilMs, sinceMs, reason }) => ({
    account,
    symbol,
    until: untilMs === null ? null : new Date(untilMs).toISOString(),
    since: new Date(sinceMs).toISOString(),
    reason,
  }));
  return `${JSON.stringify({ schema: SCHEMA, pauses: rows }, null, 2)}\n`;
}

/**
 * Reads, changes and replaces the file while no other command of ours does. What `change` throws leaves it as it was.
 * @throws PauseFileError when it cannot be written
 */
export async function changePauseFile(
  stateDir: string,
  change: (found: PauseFile) => readonly Pause[],
  clock: WaitingClock,
): Promise<readonly Pause[]> {
  const file = pauseFilePath(stateDir);
  try {
    makeOwnersFolder(stateDir);
    return await throughDraft(file, () => change(readPauseFile(stateDir)), clock);
  } catch (error) {
    const code = codeOf(error);
    if (code === "") throw error;
    throw new PauseFileError(`${file} cannot be written (${code}); nothing was changed`);
  }
}

const PATIENCE = { tries: 50, everyMs: 100 };

/** The draft is also the lock: who could create it is alone until it has become the file. */
async function throughDraft(
  file: string,
  decide: () => readonly Pause[],
  clock: WaitingClock,
): Promise<readonly Pause[]> {
  const draft = `${file}.part`;
  for (let tries = 0; tries < PATIENCE.tries; tries += 1) {
    const handle = await openDraft(draft, clock);
    try {
      const pauses = decide();
      await handle.writeFile(textOf(pauses));
      await handle.sync();
      await giveToOwnerOf(dirname(file), handle);
      // Another command may have taken it for one that was left behind: what it decided then counts first.
      if (!(await isStill(draft, handle))) continue;
      await rename(draft, file);
      await syncFolder(dirname(file));
      return pauses;
    } catch (error) {
      if (await isStill(draft, handle)) await rm(draft, { force: true });
      throw error;
    } finally {
      await handle.close();
    }
  }
  throw busy(draft);
}

/** A draft takes milliseconds; one this old was left behind by a process that died. */
const LEFT_BEHIND_MS = 30_000;

async function openDraft(draft: string, clock: WaitingClock): Promise<FileHandle> {
  for (let tries = 0; tries < PATIENCE.tries; tries += 1) {
    try {
      return await open(draft, "wx", 0o600);
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
    }
    const found = await stat(draft).catch(() => null);
    if (found !== null && clock.now() - found.mtimeMs > LEFT_BEHIND_MS) await takeAway(draft, found);
    else await clock.sleep(PATIENCE.everyMs);
  }
  throw busy(draft);
}

function busy(draft: string): PauseFileError {
  return new PauseFileError(
    `another command is writing ${draft}; try again, or remove that file where no other command runs`,
  );
}

/** Only the one that was found: another command may have taken that away meanwhile, and write its own there by now. */
async function takeAway(draft: string, found: Stats): Promise<void> {
  const aside = `${draft}.${randomUUID()}`;
  try {
    await rename(draft, aside);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return;
    throw error;
  }
  const { ino, mtimeMs } = await stat(aside);
  if (ino !== found.ino || mtimeMs !== found.mtimeMs) await link(aside, draft).catch(() => undefined);
  await rm(aside, { force: true });
}

async function isStill(draft: string, handle: FileHandle): Promise<boolean> {
  const found = await stat(draft).catch(() => null);
  return found !== null && found.ino === (await handle.stat()).ino;
}

/** What root writes must stay readable for the service, which would otherwise count it as damaged. */
async function giveToOwnerOf(folder: string, draft: FileHandle): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = await stat(folder);
  await draft.chown(uid, gid);
}

/** The new name survives a power cut only with its folder; where a folder cannot be synced, it is in place all the same. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => null);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
