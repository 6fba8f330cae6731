/** Tells at the start which lives of the ledger go on: what was meant for one life must not reach the next. */
import type { Position } from "../../domain/position.js";
import { isOtherOpening, keyText } from "../../domain/position.js";
import { ExchangeFailure } from "../../exchange/failure.js";
import type { FillHistory } from "../../exchange/fills.js";
import type { Reader } from "../../exchange/port.js";
import type { Shelf } from "../../intents/shelf.js";
import { CLOSED_SINCE, fitOf, isForOneLife, UNPROVEN } from "../../intents/set-for.js";
import { type Intent, LedgerError } from "../../ledger/port.js";
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
  readonly shelf: Pick<Shelf, "of" | "filled" | "end">;
}

/** Nothing is asked where no life is open and no intent waits. Never rejects for what cannot be read. */
export async function recogniseLives(parts: RecogniseParts): Promise<void> {
  const { reader, memory, shelf } = parts;
  const { account } = reader;
  if (memory.openLives(account).length === 0 && shelf.of(account).length === 0) return;
  await within(MOST_MS, recogniseAll(parts));
}

async function recogniseAll(parts: RecogniseParts): Promise<void> {
  const { reader, memory } = parts;
  const { account } = reader;
  const snapshot = await orNull(() => reader.snapshot("account", "hasty"));
  const positions = snapshot?.positions ?? [];
  // Also where an intent is to be held to the life that is open: only its opening can tell whether it is that one.
  const open = new Set([...memory.openLives(account), ...parts.shelf.of(account).filter(isForOneLife)].map(placeText));
  const known = positions.filter((position) => open.has(placeText(position)));
  await Promise.all([
    ...known.map((position) => recognise(position, parts)),
    recogniseFilled({ ...parts, account }),
    ...(snapshot === null || snapshot.gaps.length > 0 ? [] : [endMissed(positions, parts)]),
  ]);
  await endUnproven(known, parts);
}

const placeText = ({ key, side }: Pick<Position, "key" | "side">) => `${keyText(key)}/${side}`;

/** An intent whose position has opened and closed while nobody watched is not for the next one. */
async function endMissed(
  positions: readonly Position[],
  { reader: { account }, fills, shelf }: RecogniseParts,
): Promise<void> {
  const waiting = shelf.of(account).filter(({ state, orderLinkId }) => state === "pending" && orderLinkId === null);
  for (const intent of waiting) {
    const position = positions.find((one) => placeText(one) === placeText(intent)) ?? null;
    const how = await missedBy(intent, position, fills);
    if (how !== null) await shelf.end(intent, how).catch(ledgerTrouble);
  }
}

/** Our clock says when it was set, the exchange's when something closed: what closed in that moment came before. */
const CLOSED_IN_THE_MOMENT_MS = 1_000;
const MISSED = "its position has opened and closed while nobody watched";

/**
 * Why an intent that waits for no order is not for the position that is open now, null: that none is, by what has
 * happened since it was set. Null: as far as the fills tell it is.
 */
export async function missedBy(
  { key, side, createdAtMs, setFor }: Pick<Intent, "key" | "side" | "createdAtMs" | "setFor">,
  position: Position | null,
  fills: FillHistory,
): Promise<string | null> {
  if (setFor?.kind !== "next") {
    const wasOpenMs = setFor?.kind === "open" ? setFor.seenAtMs : createdAtMs;
    const closing = await orNull(() => fills.closedSince(key, side, wasOpenMs + CLOSED_IN_THE_MOMENT_MS));
    if (closing !== null) return CLOSED_SINCE;
    if (setFor?.kind === "open") return null;
  }
  const first = await orNull(() => fills.firstOpeningSince(key, side, createdAtMs));
  if (first === null) return null;
  const opening = position === null ? null : (position.openedAtMs ?? (await orNull(() => fills.openedAtMs(position))));
  return position === null || isOtherOpening(first, opening) ? MISSED : null;
}

/** What is to be held to one life and is not proven to be for the one that is open goes by nothing but hope. */
async function endUnproven(known: readonly Position[], { reader, memory, shelf }: RecogniseParts): Promise<void> {
  for (const intent of shelf.of(reader.account).filter(isForOneLife)) {
    const position = known.find((one) => placeText(one) === placeText(intent));
    const isUntold = position !== undefined && fitOf(intent, memory.lifeOf(position)) === "waits";
    if (isUntold) await shelf.end(intent, UNPROVEN).catch(ledgerTrouble);
  }
}

/** Told by the books; the intents are compared again every second. */
function ledgerTrouble(error: unknown): void {
  if (!(error instanceof LedgerError)) throw error;
}

async function recognise(
  position: Position,
  { fills, memory }: Pick<RecogniseParts, "fills" | "memory">,
): Promise<void> {
  const { openedAtMs: stated, key, side } = position;
  const isNaked = position.fullStopLoss === null;
  // A row may be seconds old, and the fills newer: before a level of this life is set they have to agree.
  const told = stated === null || isNaked ? await orNull(() => fills.openedAtMs(position)) : null;
  const openedAtMs = stated === null || isOtherOpening(told, stated) ? told : stated;
  if (openedAtMs !== null) memory.lifeOf({ ...position, openedAtMs });
  if (!isNaked || openedAtMs === null) return;
  // What is left of it gets the tightest stop: one that has triggered did not vanish.
  const hasTriggered = await orNull(() => fills.stopFilledSince(key, side, openedAtMs));
  if (hasTriggered === true) memory.remember({ ...position, openedAtMs }, { stopTriggered: true });
}

/** An order that was filled while nobody listened has opened its position all the same. */
export async function recogniseFilled({
  account,
  fills,
  shelf,
}: {
  readonly account: string;
  readonly fills: FillHistory;
  readonly shelf: Pick<Shelf, "of" | "filled">;
}): Promise<void> {
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
