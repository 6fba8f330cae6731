/** Keeps the intents of the file in step with it: what it names is set once, what it no longer names is ended. */
import type { Assessed } from "../assess/assess.js";
import { keyText, type PositionKey, type Side } from "../domain/position.js";
import type { Intent, Ledger } from "../ledger/port.js";
import { type FileEntry, isFromFile } from "./file-form.js";
import { type Refusal, wishOf } from "./judge.js";
import { keepIntent, newIntent, type Seen } from "./keep.js";
import type { Shelf } from "./shelf.js";

export type FileNews =
  /** It changes nothing until it is whole and valid. */
  | { readonly kind: "invalid"; readonly problems: readonly string[] }
  /** `strangers`: entries for accounts that the config has not. Another process may have them, or a name is misspelt. */
  | { readonly kind: "read"; readonly intents: number; readonly strangers: readonly FileEntry[] }
  | { readonly kind: "refused"; readonly entry: FileEntry; readonly refusal: Refusal }
  /** Its intent has been, and the same entry is never set again. */
  | { readonly kind: "over"; readonly entry: FileEntry; readonly how: string }
  | { readonly kind: "unwritten"; readonly reason: string };

export interface FileKeeperParts {
  readonly shelf: Pick<Shelf, "put" | "of" | "end">;
  readonly ledger: Pick<Ledger, "intents" | "saveIntent">;
  /** The accounts that this process guards and writes for; entries for others are left to others. */
  readonly ours: () => readonly string[];
  /** The position of that side. */
  readonly openPosition: (key: PositionKey, side: Side) => Promise<Seen>;
  /** The same by the latest look that began after `sinceMs` (steady); undefined: there was none, or it had gaps. */
  readonly seenSince: (key: PositionKey, side: Side, sinceMs: number) => Assessed | null | undefined;
  /** Why an intent that waits for no order is not for what is open now, by what has happened since it was asked for; null: it may be. */
  readonly missed: (intent: Intent, open: Assessed | null) => Promise<string | null>;
  /** One for this open position was kept: it is taken up at once. */
  readonly takeUp: (open: Assessed) => void;
  /** Something has changed for this position. */
  readonly look: (key: PositionKey) => void;
  readonly tell: (news: FileNews) => void;
  /** Wall clock, milliseconds since 1970. */
  readonly now: () => number;
  /** Never jumps; the clock of `seenSince`. */
  readonly steadyMs: () => number;
}

export interface FileContent {
  readonly entries: readonly FileEntry[];
  /** When it was written, milliseconds since 1970, not later than now. */
  readonly writtenAtMs: number;
}

export interface FileKeeper {
  /** May be asked as often as wanted: only what is new does anything. @throws LedgerError */
  settle(content: FileContent): Promise<void>;
}

interface Refused {
  readonly kind: "refused";
  readonly code: string;
  readonly intent: Intent;
  /** Null: it makes no sense for any position. */
  readonly open: Assessed | null;
  readonly atMs: number;
}

/** `done`: the ledger holds it, in whatever state. */
type Memo = Refused | { readonly kind: "done" };

const WHO = "file";
const UNNAMED = "its file no longer names it";
const OUTDATED = "its file was written too long ago";
/** What was written longer ago than this was written while nobody looked. */
const LOOKED_AT_WITHIN_MS = 5_000;
const NEVER_TAKEN = "it was refused, and its position is over";

export function keepFile(parts: FileKeeperParts): FileKeeper {
  const { shelf, ledger, ours, openPosition, seenSince, missed, takeUp, look, tell, now, steadyMs } = parts;
  const memos = new Map<string, Memo>();

  async function settleOne(entry: FileEntry, writtenAtMs: number): Promise<void> {
    const memo = memos.get(entry.id);
    if (memo?.kind === "done") return;
    if (memo === undefined && (await isKnown(entry))) return;
    if (memo !== undefined) {
      const stands = standing(entry, memo);
      if (stands === "over") await lay(entry, { ...memo.intent, state: "ended", endedHow: NEVER_TAKEN });
      if (stands !== "changed") return;
    }
    await ask(entry, Math.min(writtenAtMs, now()), memo);
  }

  /** Whatever has become of it, before this process or in another. */
  async function isKnown(entry: FileEntry): Promise<boolean> {
    const [known] = await ledger.intents({ id: entry.id });
    if (known === undefined) return false;
    memos.set(entry.id, { kind: "done" });
    const isOver = known.state === "ended" || known.state === "expired";
    if (isOver) tell({ kind: "over", entry, how: known.endedHow ?? known.state });
    return true;
  }

  async function ask(entry: FileEntry, createdAtMs: number, before: Refused | undefined): Promise<void> {
    const { id, key, wish } = entry;
    const seenAtMs = now();
    const sight = await openPosition(key, wish.side);
    const open = typeof sight === "string" ? null : sight;
    const intent = newIntent(key, wish, { wish: wishOf(wish), who: WHO, id, createdAtMs, setFor: { kind: "unseen" } });
    if (isOutdated(intent, open, now())) return lay(entry, { ...intent, state: "expired", endedHow: OUTDATED });
    const wasWatched = now() - createdAtMs <= LOOKED_AT_WITHIN_MS;
    const isFree = intent.orderLinkId === null && typeof sight !== "string" && before === undefined;
    const how = isFree && !wasWatched ? await missed(intent, open) : null;
    if (how !== null) return lay(entry, { ...intent, state: "ended", endedHow: how });
    const kept = await keepIntent(key, wish, WHO, {
      shelf,
      openPosition: () => Promise.resolve(sight),
      now,
      newId: () => id,
      createdAtMs,
      seenAtMs,
    });
    if (kept.kind === "refused") {
      const { refusal } = kept;
      memos.set(id, { kind: "refused", code: refusal.code, intent, open, atMs: steadyMs() });
      if (before?.code !== refusal.code) tell({ kind: "refused", entry, refusal });
      return;
    }
    memos.set(id, { kind: "done" });
    if (open !== null) takeUp(open);
    look(key);
  }

  /** Written down as over, so that no later reading of the same entry sets it. */
  async function lay(entry: FileEntry, intent: Intent): Promise<void> {
    await ledger.saveIntent(intent);
    memos.set(entry.id, { kind: "done" });
    tell({ kind: "over", entry, how: intent.endedHow ?? intent.state });
  }

  function standing({ key, wish }: FileEntry, { open, atMs }: Refused): "same" | "changed" | "over" {
    if (open === null) return "same";
    const seen = seenSince(key, wish.side, atMs);
    if (seen === undefined) return "same";
    if (seen === null || isAnotherLife(seen, open)) return "over";
    return stateText(seen) === stateText(open) ? "same" : "changed";
  }

  async function endUnnamed(entries: readonly FileEntry[], accounts: readonly string[]): Promise<void> {
    const named = new Set(entries.map(({ id }) => id));
    // What was refused has not come in place of what is in force.
    const waiting = entries.filter(({ id }) => memos.get(id)?.kind !== "done");
    const spared = new Set(waiting.map(({ key, wish }) => `${keyText(key)}/${wish.side}`));
    for (const intent of accounts.flatMap((account) => shelf.of(account))) {
      if (!isFromFile(intent) || named.has(intent.id)) continue;
      if (spared.has(`${keyText(intent.key)}/${intent.side}`)) continue;
      await shelf.end(intent, UNNAMED);
      look(intent.key);
    }
  }

  return {
    settle: async ({ entries, writtenAtMs }) => {
      const accounts = ours();
      for (const entry of entries) if (accounts.includes(entry.key.account)) await settleOne(entry, writtenAtMs);
      await endUnnamed(entries, accounts);
      const named = new Set(entries.map(({ id }) => id));
      for (const id of memos.keys()) if (!named.has(id)) memos.delete(id);
    },
  };
}

/** Nothing waits for it any more: it would be set only to expire. One that waits for an order may be that old. */
function isOutdated({ orderLinkId, createdAtMs, ttlMs }: Intent, open: Assessed | null, nowMs: number): boolean {
  const endMs = createdAtMs + ttlMs;
  if (orderLinkId !== null || nowMs <= endMs) return false;
  const openedAtMs = open?.position.openedAtMs ?? null;
  return openedAtMs === null || openedAtMs > endMs;
}

function isAnotherLife({ position: seen }: Assessed, { position: before }: Assessed): boolean {
  return seen.openedAtMs !== null && before.openedAtMs !== null && seen.openedAtMs !== before.openedAtMs;
}

/** What a refusal goes by, but for the mark, which moves all the time. */
function stateText({ position, stop }: Assessed): string {
  const { size, entryPrice } = position;
  return [size, entryPrice, stop.standingFull, stop.inside?.price].map((value) => value?.toFixed() ?? "").join("/");
}
