/** A position as the exchange shows it now, outside of any pass: for wishes that are held against it. */
import { type Assessed, type Assessment, assess } from "../../assess/assess.js";
import { keyText, type PositionKey, type Side } from "../../domain/position.js";
import type { Contract } from "../../domain/snapshot.js";
import { ExchangeFailure } from "../../exchange/failure.js";
import type { GuardParts } from "../../sidecar/parts.js";

/** From a read that is asked for now; null: none is open. */
export async function readOpenPosition(
  guard: GuardParts,
  key: PositionKey,
  side: Side,
): Promise<Assessed | null | "unread"> {
  const assessment = await lookAt(guard, key);
  if (assessment === null) return "unread";
  const name = keyText(key);
  const found = assessment.positions.find(({ position }) => keyText(position.key) === name && position.side === side);
  if (found !== undefined) return found;
  const { snapshot, unseen } = assessment;
  return snapshot.gaps.some(({ what }) => what === "positions") || unseen.length > 0 ? "unread" : null;
}

/** Null: the exchange could not be read. */
export async function lookAt({ pass }: GuardParts, { category, symbol }: Contract): Promise<Assessment | null> {
  try {
    const snapshot = await pass.reader.snapshot([{ category, symbol }]);
    return assess({
      snapshot,
      policyOf: ({ key, side }) => pass.policyOf(key, side),
      lifeOf: (position) => pass.memory.recall(position),
    });
  } catch (error) {
    if (error instanceof ExchangeFailure) return null;
    throw error;
  }
}
