/** A position as the exchange shows it now, outside of any pass: for wishes that are held against it. */
import type { Assessed } from "../../assess/assess.js";
import { keyText, type PositionKey, type Side } from "../../domain/position.js";
import type { GuardParts } from "../../sidecar/parts.js";
import { lookAt } from "./quote.js";

/** From a read that is asked for now; null: none is open. */
export async function readOpenPosition(
  guard: GuardParts,
  key: PositionKey,
  side: Side,
): Promise<Assessed | null | "unread"> {
  const assessment = await lookAt(key, guard.pass);
  if (assessment === null) return "unread";
  const name = keyText(key);
  const found = assessment.positions.find(({ position }) => keyText(position.key) === name && position.side === side);
  if (found !== undefined) return found;
  const { snapshot, unseen } = assessment;
  return snapshot.gaps.some(({ what }) => what === "positions") || unseen.length > 0 ? "unread" : null;
}
