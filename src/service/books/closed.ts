/** Ends the lives of positions that have closed while nobody watched: what was learned of them is for no other. */
import { FLAT_APART_MS } from "../../domain/vanished.js";
import { contractText, keyText, type PositionKey } from "../../domain/position.js";
import { isProvenClosed, type Picture } from "../../domain/picture.js";
import type { Snapshot } from "../../domain/snapshot.js";
import { ExchangeFailure } from "../../exchange/failure.js";
import type { FillHistory } from "../../exchange/fills.js";
import type { Reader } from "../../exchange/port.js";
import type { LedgerMemory } from "../../ledger/ledger-memory.js";
import type { Life, NewEntry } from "../../ledger/port.js";
import type { Books } from "./books.js";

export const UNWATCHED = "closed while nobody watched";

/** A command that ends must not ask for hundreds: the next one goes on with the rest. */
const MOST = 20;

export interface ClosedParts {
  readonly reader: Pick<Reader, "account" | "snapshot">;
  readonly fills: Pick<FillHistory, "closedSince">;
  readonly memory: Pick<LedgerMemory, "openLives" | "end">;
  readonly books: Pick<Books, "noteComing">;
  readonly sleep: (ms: number) => Promise<void>;
}

/** `last`: the last look of a pass that has gone over everything. A list that lacks it and two flat rows prove a close. */
export async function endClosedLives(parts: ClosedParts, picture: Picture): Promise<void> {
  const { reader, memory, sleep } = parts;
  const last = picture.snapshot;
  if (last.gaps.length > 0 || last.unreadablePositions.length > 0) return;
  const open = new Set(last.positions.map(({ key }) => keyText(key)));
  const unlisted = memory.openLives(reader.account).filter(({ key }) => !open.has(keyText(key)));
  const isProven = ({ key }: Life) => isProvenClosed(picture, keyText(key), Number.NEGATIVE_INFINITY);
  endAll(unlisted.filter(isProven), parts);
  const flat = await stillFlat(unlisted.filter((life) => !isProven(life)).slice(0, MOST), reader);
  if (flat.length === 0) return;
  await sleep(FLAT_APART_MS);
  endAll(await stillFlat(flat, reader), parts);
}

function endAll(lives: readonly Life[], { memory, books, fills }: ClosedParts): void {
  for (const life of lives) {
    memory.end(life.key, UNWATCHED);
    books.noteComing(closingOf(life, fills));
  }
}

/** The account's fills tell what ended it, and when; where they do not, only that it is over is known. */
export async function closingOf(life: Life, fills: Pick<FillHistory, "closedSince"> | null): Promise<NewEntry> {
  const { id, key, side, openedAtMs, firstSeenMs } = life;
  const closing = await fills?.closedSince(key, side, openedAtMs ?? firstSeenMs).catch(notRead);
  const { account, category, symbol, positionIdx } = key;
  const place = { account, category, symbol, positionIdx, side, lifeId: id };
  const told = closing == null ? {} : { closedBy: closing.by, closedAtMs: closing.atMs };
  return { kind: "life-closed", ...place, body: { by: UNWATCHED, ...told } };
}

/** Those whose own row says flat, as read now. */
async function stillFlat(lives: readonly Life[], reader: ClosedParts["reader"]): Promise<readonly Life[]> {
  const contracts = new Map(
    lives.map(({ key }) => [contractText(key), { category: key.category, symbol: key.symbol }]),
  );
  const looks = await Promise.all(
    [...contracts.values()].map((contract) => reader.snapshot([contract]).catch(notRead)),
  );
  return lives.filter(({ key }) => looks.some((look) => look !== null && saysFlat(look, key)));
}

function saysFlat({ flatLegs, positions }: Snapshot, key: PositionKey): boolean {
  const isOpen = positions.some((position) => keyText(position.key) === keyText(key));
  const leg = flatLegs.find(
    ({ category, symbol, positionIdx }) => keyText({ ...key, category, symbol, positionIdx }) === keyText(key),
  );
  return leg !== undefined && !isOpen;
}

function notRead(error: unknown): null {
  if (error instanceof ExchangeFailure) return null;
  throw error;
}
