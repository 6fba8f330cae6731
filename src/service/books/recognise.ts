/** Tells at the start which lives of the ledger go on: what was meant for one life must not reach the next. */
import type { Position } from "../../domain/position.js";
import { keyText } from "../../domain/position.js";
import { ExchangeFailure } from "../../exchange/failure.js";
import type { FillHistory } from "../../exchange/fills.js";
import type { Reader } from "../../exchange/port.js";
import type { LedgerMemory } from "../../ledger/ledger-memory.js";
import { systemClock } from "../../runtime/index.js";

/** A naked position waits so long at most; a life that is not proven then counts as another. */
const MOST_MS = 3_000;

export interface RecogniseParts {
  readonly reader: Reader;
  readonly fills: FillHistory;
  readonly memory: Pick<LedgerMemory, "openLives" | "lifeOf">;
}

/** Nothing to do, and nothing asked, where no life is open, or every row states its opening itself. Never rejects. */
export async function recogniseLives({ reader, fills, memory }: RecogniseParts): Promise<void> {
  const open = new Set(memory.openLives(reader.account).map(({ key, side }) => `${keyText(key)}/${side}`));
  if (open.size === 0) return;
  const asked = unstated(reader, open).then((positions) =>
    Promise.all(positions.map((one) => recognise(one, { fills, memory }))),
  );
  await Promise.race([asked, systemClock.sleep(MOST_MS)]);
}

async function unstated(reader: Reader, open: ReadonlySet<string>): Promise<readonly Position[]> {
  const snapshot = await orNull(() => reader.snapshot("account"));
  const positions = snapshot?.positions ?? [];
  return positions.filter(({ key, side, openedAtMs }) => openedAtMs === null && open.has(`${keyText(key)}/${side}`));
}

async function recognise(
  position: Position,
  { fills, memory }: Pick<RecogniseParts, "fills" | "memory">,
): Promise<void> {
  const openedAtMs = await orNull(() => fills.openedAtMs(position));
  if (openedAtMs !== null) memory.lifeOf({ ...position, openedAtMs });
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
