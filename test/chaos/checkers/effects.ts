/** What became of positions and exits by our writes: nothing loosened, removed, opened or closed, and on the right leg. */
import { isLooserStop } from "../../../src/domain/price.js";
import type { Effect } from "../record.js";
import { count, type Notes } from "./notes.js";

/**
 * The race that nobody can close (S5b): another hand sets a tighter stop while our write is under way. So long after
 * it was set a stop may still be unknown to a decision, on a line that is well and with nobody standing still.
 */
const UNKNOWN_MS = 5_000;

/** `lateMs`: so much more, for whoever stood still or had a bad line. */
export function checkEffects(notes: Notes, effects: readonly Effect[], lateMs: number): void {
  for (const effect of effects) {
    const { after, actor } = effect;
    notes.tell(
      `${actor}: ${after.leg} ${after.side ?? "flat"} ${after.size.toFixed()}` +
        `, stop ${after.stop?.price.toFixed() ?? "none"}, take-profit ${after.takeProfit?.price.toFixed() ?? "none"}`,
    );
    if (actor === "us") checkOurs(notes, effect, lateMs);
  }
}

function checkOurs(notes: Notes, { before, after, atMs }: Effect, lateMs: number): void {
  count(notes, "effects");
  const { broken, record } = notes;
  const { leg, side } = after;
  if (before.life !== after.life || !before.size.eq(after.size))
    return broken("S12", `${leg}: ${before.size.toFixed()} has become ${after.size.toFixed()} by our write`);
  if (before.stop !== null && after.stop === null) broken("S2", `${leg}: its stop is gone by our write`);
  if (before.takeProfit !== null && after.takeProfit === null)
    broken("S2", `${leg}: its take-profit is gone by our write`);
  if (before.stop === null || after.stop === null || side === null) return;
  const from = before.stop.price;
  const to = after.stop.price;
  if (after.stop.triggerBy !== "MarkPrice" && before.stop.triggerBy === "MarkPrice")
    broken("S1", `${leg}: its stop triggers by ${after.stop.triggerBy} now`);
  if (!isLooserStop(to, from, side)) return;
  const stoodMs = atMs - record.stopSinceMs(leg, before.stop);
  if (stoodMs > UNKNOWN_MS + lateMs)
    broken("S1", `${leg}: loosened from ${from.toFixed()}, which had stood for ${stoodMs} ms, to ${to.toFixed()}`);
  else count(notes, "races");
}
