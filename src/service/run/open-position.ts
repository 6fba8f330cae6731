/** A position as the exchange shows it now, outside of any pass: for wishes that are held against it. */
import type { Assessed } from "../../assess/assess.js";
import { keyText, type PositionKey, type Side } from "../../domain/position.js";
import { lookAt, type Sight } from "./quote.js";

/** From a read that is asked for now; null: none is open, "unread": that cannot be told. */
export async function readOpenPosition(
  sight: Sight,
  key: PositionKey,
  side: Side,
): Promise<Assessed | null | "unread"> {
  const assessment = await lookAt(key, sight);
  if (assessment === null) return "unread";
  const name = keyText(key);
  const found = assessment.positions.find(({ position }) => keyText(position.key) === name && position.side === side);
  if (found !== undefined) return found;
  const { snapshot, unseen } = assessment;
  return snapshot.gaps.some(({ what }) => what === "positions") || unseen.length > 0 ? "unread" : null;
}
