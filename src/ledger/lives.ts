/** Which life of a position is meant: a position that closes and opens again, or flips, begins a new one. */
import { type LifeRecord, UNWRITTEN_LIFE } from "../domain/life.js";
import { isOtherOpening, keyText, type Position } from "../domain/position.js";
import type { Life, SavedRecord } from "./port.js";

/** The exchange's clock and ours need not agree to the second. */
const CLOCKS_APART_MS = 60_000;

/**
 * For a life that this process has watched all along. The opening tells lives apart where it is known. Where a life's
 * was not, one that opened after the life had been seen is another; where the position's is not, nothing speaks
 * against the life that has not ended.
 */
export function isSameLife(life: Life, { side, openedAtMs }: Pick<Position, "side" | "openedAtMs">): boolean {
  if (life.side !== side) return false;
  if (openedAtMs === null) return life.ended === null;
  if (life.openedAtMs !== null) return !isOtherOpening(life.openedAtMs, openedAtMs);
  return life.ended === null && openedAtMs <= life.firstSeenMs + CLOCKS_APART_MS;
}

/** Unproven counts as another: what was meant for one life is never applied to the next. */
export type Recognition = "same" | "another" | "unproven";

/**
 * For a life that is known from the ledger only: nobody watched since it was last seen open at `lastSeenMs`, wall clock,
 * and by then it may have closed and opened again. `openedAtMs` by the position's row, or by its fills where the row
 * does not state it.
 */
export function recognised(
  life: Life,
  { side, openedAtMs }: Pick<Position, "side" | "openedAtMs">,
  lastSeenMs: number = life.firstSeenMs,
): Recognition {
  if (life.side !== side) return "another";
  if (life.openedAtMs !== null && openedAtMs !== null) {
    return isOtherOpening(life.openedAtMs, openedAtMs) ? "another" : "same";
  }
  if (life.ended !== null) return "another";
  if (openedAtMs === null) return "unproven";
  // Open without a break since before the life was seen: then it was this one that was seen.
  if (openedAtMs <= lastSeenMs - CLOCKS_APART_MS) return "same";
  return openedAtMs > lastSeenMs + CLOCKS_APART_MS ? "another" : "unproven";
}

/** Seen late, by a slow answer: it says nothing about the life that goes on. Only the exchange's own times can tell. */
export function isOlder({ openedAtMs }: Position, life: Life): boolean {
  const isOther = isOtherOpening(openedAtMs, life.openedAtMs);
  return isOther && openedAtMs !== null && life.openedAtMs !== null && openedAtMs < life.openedAtMs;
}

/**
 * Its id is made of what it is, so that writing it twice leaves one. `record`: of the life that it may, unproven, be the
 * continuation of; what was to be done once in a life is then not done again.
 */
export function newLife({ key, side, openedAtMs }: Position, nowMs: number, record = blankRecord()): Life {
  const opening = openedAtMs === null ? `seen-${nowMs}` : `${openedAtMs}`;
  const id = `${keyText(key)}/${side}/${opening}`;
  return { id, key, side, openedAtMs, firstSeenMs: nowMs, ended: null, record, unproven: [] };
}

function blankRecord(): SavedRecord {
  const { complete: _complete, intent: _intent, unproven: _unproven, ...record } = UNWRITTEN_LIFE;
  return record;
}

/** Of a life that may have gone on: what happens once in a life is not done again, but no level is carried over. */
export function inherited(life: Life | undefined): SavedRecord {
  if (life === undefined) return blankRecord();
  return { ...life.record, learned: null, metStopIntent: null, metTakeProfitIntent: null, loosenedFor: null };
}

/** The life with the changes in it, and whether it is over; the same value where that changes nothing. */
export function changed(life: Life, position: Position, change: Partial<LifeRecord>, ended: Life["ended"]): Life {
  const record = recordWith(life.record, change);
  const openedAtMs = life.openedAtMs ?? position.openedAtMs;
  const unproven = unprovenAfter(life.unproven, change);
  const isSameRecord = record === life.record && unproven === life.unproven;
  const isSame = openedAtMs === life.openedAtMs && ended === life.ended && isSameRecord;
  return isSame ? life : { ...life, record, openedAtMs, ended, unproven };
}

/** What is proven now has taken the place of whatever was sent before it. The same value where nothing is. */
function unprovenAfter(unproven: Life["unproven"], change: Partial<LifeRecord>): Life["unproven"] {
  const isStop = change.ourStopLoss !== undefined;
  const isProfit = change.ourTakeProfit !== undefined;
  if (unproven.length === 0 || !(isStop || isProfit)) return unproven;
  return unproven
    .map((step) => ({
      ...step,
      stopLoss: isStop ? null : step.stopLoss,
      takeProfit: isProfit ? null : step.takeProfit,
    }))
    .filter(({ stopLoss, takeProfit }) => stopLoss !== null || takeProfit !== null);
}

/** The same value where the change brings nothing new: every look asks for it. */
function recordWith(record: SavedRecord, change: Partial<LifeRecord>): SavedRecord {
  const { complete: _complete, intent: _intent, unproven: _unproven, ...rest } = change;
  if (Object.keys(rest).length === 0) return record;
  const next: SavedRecord = { ...record, ...rest };
  return JSON.stringify(next) === JSON.stringify(record) ? record : next;
}

/**
 * What this process has seen of a life while the ledger could not be read, and what the ledger knows of it. What has
 * happened once in a life has happened; of levels, what was seen last counts.
 */
export function merged(stored: Life, seen: Life): Life {
  const record: SavedRecord = {
    rebased: stored.record.rebased || seen.record.rebased,
    movedForLiquidation: stored.record.movedForLiquidation || seen.record.movedForLiquidation,
    stopTriggered: stored.record.stopTriggered || seen.record.stopTriggered,
    closeSent: stored.record.closeSent || seen.record.closeSent,
    grown: stored.record.grown || seen.record.grown,
    ourStopLoss: seen.record.ourStopLoss ?? stored.record.ourStopLoss,
    ourTakeProfit: seen.record.ourTakeProfit ?? stored.record.ourTakeProfit,
    learned: seen.record.learned ?? stored.record.learned,
    metStopIntent: seen.record.metStopIntent ?? stored.record.metStopIntent,
    metTakeProfitIntent: seen.record.metTakeProfitIntent ?? stored.record.metTakeProfitIntent,
    loosenedFor: seen.record.loosenedFor ?? stored.record.loosenedFor,
    restoredAtMs: [...new Set([...stored.record.restoredAtMs, ...seen.record.restoredAtMs])].sort((a, b) => a - b),
  };
  return { ...stored, openedAtMs: stored.openedAtMs ?? seen.openedAtMs, ended: seen.ended, record };
}
