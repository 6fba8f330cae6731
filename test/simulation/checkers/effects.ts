/** What our writes did to the exchange: nothing loosened, nothing removed, nothing opened. */
import type { Decimal } from "../../../src/domain/decimal.js";
import { isLooserStop } from "../../../src/domain/price.js";
import type { Change, LegState } from "../venue.js";
import { count, type Notes, type Write } from "./ledger.js";
import { checkMode } from "./modes.js";

/** So long after it was shown a stop may still be unknown to a decision that was under way. */
const DECIDING_MS = 12_000;
/** Nobody decides from what is older. */
export const OLDEST_MS = 45_000;

export function checkEffect(notes: Notes, change: Change): void {
  const { before, after, actor } = change;
  if (actor !== "us" || before === null) return;
  count(notes, "effects");
  const { broken } = notes;
  if (after.side !== null && after.size.gt(before.size) && before.side === after.side)
    broken("S12", `${after.leg}: grown by us to ${after.size.toFixed()}`);
  if (after.side !== null && before.side !== after.side) broken("S12", `${after.leg}: opened by us`);
  if (after.side === null || before.life !== after.life) return;
  if (before.stop !== null && after.stop === null) return broken("S2", `${after.leg}: its stop is gone by our write`);
  if (before.takeProfit !== null && after.takeProfit === null)
    broken("S2", `${after.leg}: its take-profit is gone by our write`);
  if (before.isWhole && !after.isWhole) broken("S1", `${after.leg}: less of it is covered by our write`);
  checkMode(notes, before, after);
  if (before.stop === null || after.stop === null) return;
  if (isLooserStop(after.stop.price, before.stop.price, after.side)) return checkLoosened(notes, before, after);
  const isSamePrice = after.stop.price.eq(before.stop.price);
  if (isSamePrice && before.stop.triggerBy !== after.stop.triggerBy) count(notes, "trigger changed");
}

/** Asked for by name; or the race that nobody can close: another hand was quicker than our write, and we could not know. */
function checkLoosened(notes: Notes, before: LegState, after: LegState): void {
  const { leg, stop } = after;
  const from = before.stop?.price;
  if (stop === null || from === undefined) return;
  const isAsked = notes.wishes.some(
    (wish) =>
      wish.leg === leg &&
      wish.side === after.side &&
      wish.mayLoosenFrom !== null &&
      isWithinWish(notes, after, wish.price),
  );
  if (isAsked) return count(notes, "loosened by name");
  const write = (notes.writes.get(leg) ?? []).findLast(({ stopLoss }) =>
    isAsAsked(notes, after.symbol, stopLoss, stop.price),
  );
  const words = `${leg}: loosened from ${from.toFixed()} to ${stop.price.toFixed()}`;
  if (write === undefined) return notes.broken("S1", `${words} by no write that was seen`);
  if (isCut(notes, after, { asked: write.stopLoss, from })) return count(notes, "cut by a new tick");
  const setMs = stoodSince(notes, before);
  if (write.sent.atMs - setMs > OLDEST_MS || wasKnown(notes, write, from.toFixed()))
    return notes.broken("S1", `${words}, which had stood for ${Math.round((write.sent.atMs - setMs) / 1_000)} s`);
  count(notes, "races");
}

/** What was asked for is no looser; a tick that has changed since it was read, and nobody could know, has cut it. */
function isCut(
  { run }: Notes,
  { symbol, side }: LegState,
  { asked, from }: { readonly asked: Decimal | null; readonly from: Decimal },
): boolean {
  return side !== null && asked !== null && !isLooserStop(asked, from, side) && run.venue.ticks(symbol).length > 1;
}

/** The exchange cuts off what is no multiple of its tick, and the tick may have changed just now. */
export function isAsAsked({ run }: Notes, symbol: string, asked: Decimal | null, stands: Decimal): boolean {
  const widest = run.venue.ticks(symbol).reduce((most, tick) => (tick.gt(most) ? tick : most));
  return asked !== null && asked.minus(stands).abs().lt(widest);
}

/** As far as was asked for by name and no further; a tick that has changed may keep it a little nearer. */
function isWithinWish(notes: Notes, { symbol, side, stop }: LegState, wished: Decimal | null): boolean {
  if (wished === null || side === null || stop === null || isLooserStop(stop.price, wished, side)) return false;
  return isAsAsked(notes, symbol, wished, stop.price);
}

/** When the stop came to stand where it stood. */
export function stoodSince({ run }: Notes, state: LegState, exit: "stop" | "takeProfit" = "stop"): number {
  const { leg, [exit]: level } = state;
  const changes = run.venue.history.get(leg) ?? [];
  let sinceMs = 0;
  for (let index = changes.length - 1; index >= 0; index -= 1) {
    const change = changes[index];
    if (change === undefined) continue;
    const { after } = change;
    const isThere = level !== null && after[exit]?.price.eq(level.price) === true;
    if (index < changes.length - 1 && !isThere) return sinceMs;
    if (isThere) sinceMs = change.atMs;
  }
  return sinceMs;
}

export function wasKnown(notes: Notes, { sent, leg }: Write, price: string): boolean {
  const { stop } = notes.knowledge(sent.instance, leg);
  return stop !== null && stop.price === price && sent.atMs - stop.atMs > DECIDING_MS;
}
