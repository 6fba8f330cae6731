/** A position as the exchange shows it now, outside of any pass: for wishes that are held against it. */
import { keyText, type PositionKey, type Side } from "../../domain/position.js";
import type { Seen } from "../../intents/keep.js";
import { lookAt, type Sight } from "./quote.js";

/** From a read that is asked for now. */
export async function readOpenPosition(sight: Sight, key: PositionKey, side: Side): Promise<Seen> {
  const assessment = await lookAt(key, sight);
  if (typeof assessment === "string") return assessment;
  const name = keyText(key);
  const found = assessment.positions.find(({ position }) => keyText(position.key) === name && position.side === side);
  if (found !== undefined) return found;
  const { snapshot, unseen } = assessment;
  return snapshot.gaps.some(({ what }) => what === "positions") || unseen.length > 0 ? "unread" : null;
}
