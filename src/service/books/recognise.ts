/** Tells at the start which lives of the ledger go on: what was meant for one life must not reach the next. */
import type { Position } from "../../domain/position.js";
import { keyText } from "../../domain/position.js";
import { ExchangeFailure } from "../../exchange/failure.js";
import type { FillHistory } from "../../exchange/fills.js";
import type { Reader } from "../../exchange/port.js";
import type { Shelf } from "../../intents/shelf.js";
import type { LedgerMemory } from "../../ledger/ledger-memory.js";
import { within } from "../../runtime/index.js";

/** A naked position waits so long at most; a life that is not proven then counts as another. */
const MOST_MS = 3_000;
/** An intent is set by our clock, and its order is filled by the exchange's. */
const CLOCKS_APART_MS = 60_000;

export interface RecogniseParts {
  readonly reader: Reader;
  readonly fills: FillHistory;
  readonly memory: Pick<LedgerMemory, "openLives" | "lifeOf" | "remember">;
  readonly shelf: Pick<Shelf, "of" | "filled">;
}

/** Nothing is asked where no life is open and no intent waits for an order. Never rejects. */
export async function recogniseLives(parts: RecogniseParts): Promise<void> {
  await within(
    MOST_MS,
    Promise.all([recogniseOpen(parts), recogniseFilled({ account: parts.reader.account, ...parts })]),
  );
}

async function recogniseOpen({ reader, fills, memory }: RecogniseParts): Promise<void> {
  const open = new Set(memory.openLives(reader.account).map(({ key, side }) => `${keyText(key)}/${side}`));
  if (open.size === 0) return;
  const snapshot = await orNull(() => reader.snapshot("account"));
  const known = (snapshot?.positions ?? []).filter(({ key, side }) => open.has(`${keyText(key)}/${side}`));
  await Promise.all(known.map((position) => recognise(position, { fills, memory })));
}

async function recognise(
  position: Position,
  { fills, memory }: Pick<RecogniseParts, "fills" | "memory">,
): Promise<void> {
  const { openedAtMs: stated, key, side } = position;
  const openedAtMs = stated ?? (await orNull(() => fills.openedAtMs(position)));
  if (openedAtMs !== null) memory.lifeOf({ ...position, openedAtMs });
  if (position.fullStopLoss !== null || openedAtMs === null) return;
  // What is left of it gets the tightest stop: one that has triggered did not vanish.
  const hasTriggered = await orNull(() => fills.stopFilledSince(key, side, openedAtMs));
  if (hasTriggered === true) memory.remember({ ...position, openedAtMs }, { stopTriggered: true });
}

/** An order that was filled while nobody listened has opened its position all the same. */
export async function recogniseFilled({
  account,
  fills,
  shelf,
}: Pick<RecogniseParts, "fills" | "shelf"> & { readonly account: string }): Promise<void> {
  const waiting = shelf.of(account).filter(({ state, orderLinkId }) => state === "pending" && orderLinkId !== null);
  for (const { key, orderLinkId, createdAtMs } of waiting) {
    const filled = await orNull(() => fills.filledSince(key, createdAtMs - CLOCKS_APART_MS));
    const atMs = filled?.get(orderLinkId ?? "");
    if (atMs !== undefined && orderLinkId !== null) shelf.filled(account, orderLinkId, atMs);
  }
}

/** What cannot be read proves nothing. */
async function orNull<T>(read: () => Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof ExchangeFailure) return null;
    throw error;
  }
}
