/** Positions that were open and that a later read does not show: closed only by independent signs, or as the stream tells. */
import type { OpenOrder } from "./order.js";
import { contractText, keyText, type Position, type PositionKey, type UnreadablePosition } from "./position.js";
import { type Contract, type FlatLeg, isBlindFor, type Snapshot } from "./snapshot.js";

/** Not believed closed yet. */
export interface Vanished {
  readonly position: Position;
  /** When the first look was asked for that does not show it. */
  readonly sinceMs: number;
  /** When the first and the last read were asked for whose own row said flat; null: something spoke against it since. */
  readonly flat: { readonly sinceMs: number; readonly untilMs: number } | null;
  /** A list of open positions that was asked for since then, and came whole, lacks it as well. */
  readonly isUnlisted: boolean;
  /** When a whole list was asked for last that could not show it; null: none was. */
  readonly blindAtMs: number | null;
}

export interface Absence {
  /** By `keyText`. */
  readonly vanished: ReadonlyMap<string, Vanished>;
  /**
   * Proven flat since a look last showed them open, by `keyText`: when the last look was asked for whose own row said so.
   * Also what no look has ever shown, where the stream has told of its close and its own row agrees.
   */
  readonly closed: ReadonlyMap<string, number>;
}

export const NOBODY_ABSENT: Absence = { vanished: new Map(), closed: new Map() };

/** Reads may lag behind what was open a moment ago; two that agree this far apart do not lag. */
export const FLAT_APART_MS = 2_500;
const REASON = "it was open a moment ago and is missing from a read that does not prove it closed";

/** `isToldFlat`: the private stream has told so since it was last open, and one row that agrees is enough. */
export function absenceAfter(
  before: Absence,
  wasOpen: readonly Position[],
  now: Snapshot,
  later: Snapshot,
  isToldFlat: (key: PositionKey) => boolean,
): Absence {
  const open = new Set(now.positions.map(({ key }) => keyText(key)));
  const vanished = new Map<string, Vanished>();
  const sinceMs = later.requestedAtMs;
  const closed = new Map([...before.closed].filter(([key]) => !open.has(key)));
  const missing = [
    ...wasOpen.map((position): Vanished => ({ position, sinceMs, flat: null, isUnlisted: false, blindAtMs: null })),
    ...before.vanished.values(),
  ].filter(({ position }) => !open.has(keyText(position.key)));
  for (const one of missing) {
    const { key } = one.position;
    const seen = withLook(one, later);
    const isClosed = isToldFlat(key) || (isFlatTwice(seen) && seen.isUnlisted);
    if (seen.flat !== null && isClosed) closed.set(keyText(key), seen.flat.untilMs);
    else vanished.set(keyText(key), seen);
  }
  for (const key of toldFlat(later, isToldFlat)) {
    const name = keyText(key);
    if (!open.has(name) && !vanished.has(name)) closed.set(name, sinceMs);
  }
  return { vanished, closed };
}

/** Opened, written to and closed between two looks, it is missing from none of them: its own row proves it all the same. */
function toldFlat(later: Snapshot, isToldFlat: (key: PositionKey) => boolean): readonly PositionKey[] {
  return later.flatLegs
    .map((leg): PositionKey => ({ account: later.account, ...leg }))
    .filter((key) => isToldFlat(key) && !later.orders.some((order) => isExitOf(order, key)));
}

/** As rows that cannot be read: the positions count as not protected, and nothing is written to them. */
export function absentRows(absence: Absence, unreadable: readonly UnreadablePosition[]): readonly UnreadablePosition[] {
  return [...absence.vanished.values()].flatMap(({ position: { key, side } }) => {
    const isToldAlready = unreadable.some((row) => isAbout(row, key));
    return isToldAlready ? [] : [{ ...key, side, reason: REASON }];
  });
}

export function isAbsentRow({ reason }: UnreadablePosition): boolean {
  return reason === REASON;
}

/** Only a list is missing for the proof: the rows by name may come from a place that lags behind. */
export function wantsList(absence: Absence, sinceMs: number): boolean {
  return [...absence.vanished.values()].some((one) => lacksList(one, sinceMs));
}

/** A list that has failed since then is not asked for again yet: others must not be read by it alone. */
export function lacksList(one: Vanished, sinceMs: number): boolean {
  return isFlatTwice(one) && (one.blindAtMs === null || one.blindAtMs < sinceMs);
}

function isFlatTwice({ flat }: Vanished): boolean {
  return flat !== null && flat.untilMs - flat.sinceMs >= FLAT_APART_MS;
}

function withLook(before: Vanished, later: Snapshot): Vanished {
  const { key } = before.position;
  const isBlindList = later.scope === "account" && isBlind(later, key);
  const one = isBlindList ? { ...before, blindAtMs: later.requestedAtMs } : before;
  const atMs = later.requestedAtMs;
  if (later.orders.some((order) => isExitOf(order, key))) return { ...one, flat: null, isUnlisted: false };
  const isListed = later.scope === "account" && !isBlindList;
  const isUnlisted = one.isUnlisted || (one.flat !== null && isListed);
  if (saysFlat(key, later)) return { ...one, isUnlisted, flat: { sinceMs: one.flat?.sinceMs ?? atMs, untilMs: atMs } };
  return wasAskedAbout(key, later) ? { ...one, flat: null, isUnlisted: false } : { ...one, isUnlisted };
}

/** The list that would show it has failed, or has a row that cannot be read and may be its own. */
function isBlind({ gaps, unreadablePositions }: Snapshot, key: PositionKey): boolean {
  return gaps.some((gap) => isBlindFor(gap, key)) || unreadablePositions.some((row) => isAbout(row, key));
}

/** By name: then its row is missing, where a list of open positions that lacks it says as much as it can. */
function wasAskedAbout(key: PositionKey, { scope }: Snapshot): boolean {
  return scope !== "account" && scope.some((contract) => contractText(contract) === contractText(key));
}

/** Its own row, or a row of the other position mode, which cannot be switched to while a position is open. */
export function saysFlat(key: PositionKey, { flatLegs, positions }: Snapshot): boolean {
  const isOfContract = (contract: Contract) => contractText(contract) === contractText(key);
  if (flatLegs.some((leg) => isOfContract(leg) && leg.positionIdx === key.positionIdx)) return true;
  const isOtherMode = ({ positionIdx }: FlatLeg) => (positionIdx === 0) !== (key.positionIdx === 0);
  return [...flatLegs, ...positions.map((position) => position.key)].some(
    (leg) => isOfContract(leg) && isOtherMode(leg),
  );
}

/** The same, and nothing of this look speaks against it. */
export function showsFlat(key: PositionKey, look: Snapshot): boolean {
  const isOpen = look.positions.some((position) => keyText(position.key) === keyText(key));
  return saysFlat(key, look) && !isOpen && !isBlind(look, key) && !look.orders.some((order) => isExitOf(order, key));
}

/** The exchange clears these when a position closes (docs/v5/position/trading-stop); Partial ones have been seen to outlive it. */
const CLEARED: readonly OpenOrder["kind"][] = ["full-stop-loss", "full-take-profit", "trailing-stop"];

function isExitOf({ category, symbol, positionIdx, kind }: OpenOrder, key: PositionKey): boolean {
  const isOfContract = contractText({ category, symbol }) === contractText(key);
  return CLEARED.includes(kind) && isOfContract && positionIdx === key.positionIdx;
}

function isAbout(row: UnreadablePosition, key: PositionKey): boolean {
  const isSameContract = row.category === key.category && (row.symbol === null || row.symbol === key.symbol);
  return isSameContract && (row.positionIdx === null || row.positionIdx === key.positionIdx);
}
