/** What the fills of one contract tell of its positions: walked back from the size that is known now, never guessed. */
import { type Decimal, dec, minOf } from "./decimal.js";
import type { PositionIdx, Side } from "./position.js";

/** What brought a position to its end, as far as a fill tells; "an order": anybody's, ours included. */
export type ClosedBy =
  | "its stop"
  | "its take-profit"
  | "its trailing stop"
  | "liquidation"
  | "deleveraging"
  | "settlement"
  | "an order";

export interface Fill {
  readonly kind: "fill";
  /** Unique: lists repeat. */
  readonly execId: string;
  /** As the order's sender named it; empty: not named. */
  readonly orderLinkId: string;
  readonly direction: "buy" | "sell";
  /** Above zero, in the unit of a position's size. */
  readonly quantity: Decimal;
  /** How much of it closed a position, at most all; the rest opened or grew one. */
  readonly closed: Decimal;
  /** The exchange's clock. */
  readonly atMs: number;
  /** Puts the fills of one moment in order; the same for all that were matched at once; zero where it is not stated. */
  readonly seq: number;
  readonly by: ClosedBy;
}

/** A size changed, or may have, and nobody can tell how; null: nor when. */
export interface OddFill {
  readonly kind: "odd";
  readonly atMs: number | null;
}

/** One leg of a contract as it stands now. */
export interface LegSize {
  readonly positionIdx: PositionIdx;
  /** Above zero: long; below: short; zero: flat. */
  readonly size: Decimal;
}

export type Opening =
  | { readonly kind: "opened"; readonly atMs: number }
  /** The position is older than the fills at hand. */
  | { readonly kind: "further-back" }
  /** They contradict its size, or themselves, or cannot be read. */
  | { readonly kind: "untold" };

export interface Closing {
  /** The exchange's clock. */
  readonly atMs: number;
  readonly by: ClosedBy;
}

export function legSize(positionIdx: PositionIdx, side: Side, size: Decimal): LegSize {
  return { positionIdx, size: side === "long" ? size : size.negated() };
}

/**
 * When the position that is open now was opened. `fills` are all of its contract, both legs, from some moment on until
 * now, in any order, some perhaps twice.
 */
export function openingOf(leg: LegSize, fills: readonly (Fill | OddFill)[]): Opening {
  const { steps, end } = walkBack(leg, fills);
  const opening = steps.find(isOpening);
  // Also what came before it must be able to lead there: else a fill is missing, or the size is not of this moment.
  if (end === "contradiction") return { kind: "untold" };
  if (opening !== undefined) return { kind: "opened", atMs: opening.atMs };
  return { kind: end === "whole" ? "further-back" : "untold" };
}

/**
 * What ended the position that was open on `side` at `sinceMs`, by the exchange's clock. `fills` are all since then.
 * Null: it is still open, or they do not tell.
 */
export function closingOf(
  leg: LegSize,
  side: Side,
  sinceMs: number,
  fills: readonly (Fill | OddFill)[],
): Closing | null {
  const later = fills.filter(({ atMs }) => atMs === null || atMs > sinceMs);
  const { steps, end } = walkBack(leg, later);
  const then = steps.at(-1)?.before ?? leg.size;
  if (end !== "whole" || !isOn(side, then)) return null;
  const close = steps.findLast(({ before, after }) => isOn(side, before) && !isOn(side, after));
  return close === undefined ? null : { atMs: close.atMs, by: close.by };
}

/**
 * When positions of that side were opened after `sinceMs`, newest first. `fills` are all since then. Null: they do not
 * tell of all.
 */
export function openingsSince(
  leg: LegSize,
  side: Side,
  sinceMs: number,
  fills: readonly (Fill | OddFill)[],
): readonly number[] | null {
  const later = fills.filter(({ atMs }) => atMs === null || atMs > sinceMs);
  const { steps, end } = walkBack(leg, later);
  if (end !== "whole") return null;
  return steps.filter((step) => isOpening(step) && isOn(side, step.after)).map(({ atMs }) => atMs);
}

/** What one leg did in one moment; above zero: bought. */
interface Move {
  readonly atMs: number;
  readonly change: Decimal;
  readonly closed: Decimal;
  readonly by: ClosedBy;
}

interface Step extends Move {
  readonly before: Decimal;
  readonly after: Decimal;
}

interface Walk {
  /** Newest first. */
  readonly steps: readonly Step[];
  readonly end: "whole" | "odd" | "contradiction";
}

const ZERO = dec("0");

function walkBack(leg: LegSize, fills: readonly (Fill | OddFill)[]): Walk {
  const steps: Step[] = [];
  let after = leg.size;
  for (const moment of moments(leg.positionIdx, fills)) {
    const move = moveOf(moment);
    if (move === null) return { steps, end: "odd" };
    const before = sizeBefore(after, move);
    if (before === null) return { steps, end: "contradiction" };
    steps.push({ ...move, before, after });
    after = before;
  }
  return { steps, end: "whole" };
}

/** Null: a fill from whatever size there was would not have closed as much as this one did. */
function sizeBefore(after: Decimal, { change, closed }: Move): Decimal | null {
  const before = after.minus(change);
  const isAgainst = (before.gt(0) && change.lt(0)) || (before.lt(0) && change.gt(0));
  const closes = isAgainst ? minOf(before.abs(), change.abs()) : ZERO;
  return closes.eq(closed) ? before : null;
}

function isOpening({ before, after }: Step): boolean {
  return !after.isZero() && (before.isZero() || before.gt(0) !== after.gt(0));
}

function isOn(side: Side, size: Decimal): boolean {
  return side === "long" ? size.gt(0) : size.lt(0);
}

/** The fills that concern a leg, newest first; those that were matched at once are together. */
function moments(
  positionIdx: PositionIdx,
  fills: readonly (Fill | OddFill)[],
): readonly (readonly (Fill | OddFill)[])[] {
  const groups = new Map<string, (Fill | OddFill)[]>();
  for (const fill of onceEach(fills)
    .flatMap((each) => ofLeg(positionIdx, each))
    .sort(newestFirst)) {
    const name = fill.kind === "odd" ? "odd" : `${fill.atMs}/${fill.seq}`;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [fill]);
    else group.push(fill);
  }
  return [...groups.values()];
}

function onceEach(fills: readonly (Fill | OddFill)[]): readonly (Fill | OddFill)[] {
  const seen = new Set<string>();
  return fills.filter((fill) => {
    if (fill.kind === "odd") return true;
    const isNew = !seen.has(fill.execId);
    seen.add(fill.execId);
    return isNew;
  });
}

/**
 * In hedge mode a fill either opens or closes: a bought one grows the long leg or shrinks the short one. One that does
 * both is of no leg (docs/v5/position/position-mode).
 */
function ofLeg(positionIdx: PositionIdx, fill: Fill | OddFill): readonly (Fill | OddFill)[] {
  if (positionIdx === 0 || fill.kind === "odd") return [fill];
  const closes = fill.closed.eq(fill.quantity);
  if (!closes && !fill.closed.isZero()) return [{ kind: "odd", atMs: fill.atMs }];
  const isOfLong = (fill.direction === "buy") !== closes;
  return isOfLong === (positionIdx === 1) ? [fill] : [];
}

/** Behind an odd one nothing is known any more, nor is it of the moment itself. */
function newestFirst(one: Fill | OddFill, other: Fill | OddFill): number {
  const byTime = (other.atMs ?? Number.MAX_VALUE) - (one.atMs ?? Number.MAX_VALUE);
  if (byTime !== 0) return byTime;
  if (one.kind === "odd" || other.kind === "odd") return one.kind === other.kind ? 0 : one.kind === "odd" ? -1 : 1;
  return other.seq - one.seq;
}

/** Null: nobody can tell what happened, or in which order. */
function moveOf(moment: readonly (Fill | OddFill)[]): Move | null {
  const fills = moment.filter((fill) => fill.kind === "fill");
  const [first] = fills;
  if (first === undefined || fills.length < moment.length) return null;
  if (fills.some(({ direction }) => direction !== first.direction)) return null;
  const quantity = fills.reduce((sum, fill) => sum.plus(fill.quantity), ZERO);
  const closers = new Set(fills.filter(({ closed }) => !closed.isZero()).map(({ by }) => by));
  const [by] = closers;
  return {
    atMs: first.atMs,
    change: first.direction === "buy" ? quantity : quantity.negated(),
    closed: fills.reduce((sum, fill) => sum.plus(fill.closed), ZERO),
    by: closers.size === 1 && by !== undefined ? by : "an order",
  };
}
