/** Ends the lives of positions that have closed while nobody watched: what was learned of them is for no other. */
import { FLAT_APART_MS, showsFlat } from "../../domain/vanished.js";
import { contractText, keyText } from "../../domain/position.js";
import { isProvenClosed, type Picture } from "../../domain/picture.js";
import type { Contract, Snapshot } from "../../domain/snapshot.js";
import { ExchangeFailure } from "../../exchange/failure.js";
import type { FillHistory } from "../../exchange/fills.js";
import type { Reader } from "../../exchange/port.js";
import type { LedgerMemory } from "../../ledger/ledger-memory.js";
import type { Life, NewEntry } from "../../ledger/port.js";
import { LATE, within } from "../../runtime/index.js";
import type { Books } from "./books.js";

export const UNWATCHED = "closed while nobody watched";

/** A command that ends must not ask for hundreds: the next one goes on with the rest. */
const MOST = 20;
/** Less than the books are waited for at the end. */
const FILLS_WITHIN_MS = 2_000;

export interface ClosedParts {
  readonly reader: Pick<Reader, "account" | "snapshot" | "knows">;
  readonly fills: Pick<FillHistory, "closedSince">;
  readonly memory: Pick<LedgerMemory, "openLives" | "end">;
  readonly books: Pick<Books, "noteComing">;
  readonly sleep: (ms: number) => Promise<void>;
  /** True: the books are about to be closed, and nothing more may be written. */
  readonly isOver: () => boolean;
}

/** After a pass over everything. A list that lacks it and two flat rows prove a close. */
export async function endClosedLives(parts: ClosedParts, picture: Picture): Promise<void> {
  const { reader, memory, sleep } = parts;
  const { gaps, unreadablePositions, positions } = picture.snapshot;
  if (gaps.length > 0 || unreadablePositions.length > 0) return;
  const open = new Set(positions.map(({ key }) => keyText(key)));
  const unlisted = memory.openLives(reader.account).filter(({ key }) => !open.has(keyText(key)));
  const isProven = ({ key }: Life) => isProvenClosed(picture, keyText(key), Number.NEGATIVE_INFINITY);
  endAll(unlisted.filter(isProven), parts);
  // What nobody can prove must not stand before what has just closed.
  const doubted = unlisted
    .filter((life) => !isProven(life))
    .toSorted((one, other) => other.firstSeenMs - one.firstSeenMs);
  const flat = await stillFlat(doubted.slice(0, MOST), reader);
  if (flat.length === 0 || parts.isOver()) return;
  await sleep(FLAT_APART_MS);
  endAll(await stillFlat(flat, reader), parts);
}

function endAll(lives: readonly Life[], { memory, books, fills, isOver }: ClosedParts): void {
  if (isOver()) return;
  for (const life of lives) {
    memory.end(life.key, UNWATCHED);
    books.noteComing(closingOf(life, fills));
  }
}

/** The account's fills tell what ended it, and when; where they do not in time, only that it is over is known. */
export async function closingOf(life: Life, fills: Pick<FillHistory, "closedSince"> | null): Promise<NewEntry> {
  const { id, key, side, openedAtMs, firstSeenMs } = life;
  const asked = fills?.closedSince(key, side, openedAtMs ?? firstSeenMs).catch(notRead) ?? Promise.resolve(null);
  const told = await within(FILLS_WITHIN_MS, asked);
  const { account, category, symbol, positionIdx } = key;
  const place = { account, category, symbol, positionIdx, side, lifeId: id };
  const facts = told === LATE || told === null ? {} : { closedBy: told.by, closedAtMs: told.atMs };
  return { kind: "life-closed", ...place, body: { by: UNWATCHED, ...facts } };
}

/** Those that a look at their contract shows flat now, or that the exchange has no contract for any more. */
async function stillFlat(lives: readonly Life[], reader: ClosedParts["reader"]): Promise<readonly Life[]> {
  const looks = new Map<string, Promise<Snapshot | "gone" | null>>();
  const look = async (contract: Contract): Promise<Snapshot | "gone" | null> => {
    const seen = await reader.snapshot([contract]).catch(notRead);
    return seen ?? ((await reader.knows(contract)) === false ? "gone" : null);
  };
  const seen = lives.map(({ key: { category, symbol } }) => {
    const name = contractText({ category, symbol });
    const looking = looks.get(name) ?? look({ category, symbol });
    looks.set(name, looking);
    return looking;
  });
  const all = await Promise.all(seen);
  return lives.filter(({ key }, nth) => {
    const shown = all[nth] ?? null;
    return shown === "gone" || (shown !== null && showsFlat(key, shown));
  });
}

function notRead(error: unknown): null {
  if (error instanceof ExchangeFailure) return null;
  throw error;
}
