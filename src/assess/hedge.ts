/** Legs that offset each other: the other side of the same contract, or of the same base coin in the account. */
import { type Decimal, dec, maxOf, minOf } from "../domain/decimal.js";
import { contractText, keyText, type Position } from "../domain/position.js";
import type { Contract, Gap, Snapshot } from "../domain/snapshot.js";
import { notionalQuote } from "./value.js";

/** From which share on two sides of one base coin count as hedged. */
const OFFSET_SHARE = dec("0.5");

/** What may be offset: a position, or one that an order would open. */
export type Leg = Pick<Position, "key" | "side">;

/** By `keyText`: the legs that offset this position, as people name them ("BTCUSDT short"). */
export function hedgeLegs(snapshot: Snapshot): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const group of byBaseCoin(snapshot).values()) {
    const offsets = sidesOffset(group, snapshot);
    for (const position of group) {
      const others = group.filter(
        (other) => other.side !== position.side && (offsets || sameContract(other, position)),
      );
      if (others.length > 0) found.set(keyText(position.key), others.map(legName));
    }
  }
  return found;
}

/** Every position on the other side of the leg's base coin, however small, as people name them. */
export function otherSides({ key, side }: Leg, snapshot: Snapshot): readonly string[] {
  const coin = baseCoin(key, snapshot);
  const others = snapshot.positions.filter((other) => other.side !== side && baseCoin(other.key, snapshot) === coin);
  return others.map(legName);
}

/**
 * Why it cannot be told whether this position is hedged: a part of the account that may hold the other side was not
 * seen. Null: everything that could be the other side was seen.
 */
export function hedgeDoubt(position: Leg, snapshot: Snapshot): string | null {
  const coin = baseCoin(position.key, snapshot);
  const gap = snapshot.gaps.find((one) => one.what === "positions" && mayHold(one, coin, snapshot));
  if (gap !== undefined) return `positions of ${gap.category} were not seen, and one of them may be its other side`;
  const row = snapshot.unreadablePositions.find(
    ({ category, symbol }) => symbol === null || [coin, null].includes(knownCoin({ category, symbol }, snapshot)),
  );
  if (row !== undefined) return `${row.symbol ?? "a position"} cannot be read, and may be its other side`;
  const stranger = snapshot.positions.find(
    ({ key, side }) => side !== position.side && knownCoin(key, snapshot) === null,
  );
  return stranger === undefined ? null : `${stranger.key.symbol}, whose base coin is not known, may be its other side`;
}

/** A gap that names contracts hides those alone. */
function mayHold({ category, symbols }: Gap, coin: string, snapshot: Snapshot): boolean {
  if (symbols === undefined || category === "account") return true;
  return symbols.some((symbol) => [coin, null].includes(knownCoin({ category, symbol }, snapshot)));
}

/** Null: the contract's rules could not be read, so it may be of any coin. */
function knownCoin(contract: Contract, { instruments }: Snapshot): string | null {
  return instruments.get(contractText(contract))?.baseCoin ?? null;
}

function baseCoin(contract: Contract, snapshot: Snapshot): string {
  return knownCoin(contract, snapshot) ?? contractText(contract);
}

function legName(position: Position): string {
  return `${position.key.symbol} ${position.side}`;
}

function sameContract(one: Position, other: Position): boolean {
  return contractText(one.key) === contractText(other.key);
}

function byBaseCoin(snapshot: Snapshot): Map<string, Position[]> {
  const groups = new Map<string, Position[]>();
  for (const position of snapshot.positions) {
    const coin = baseCoin(position.key, snapshot);
    groups.set(coin, [...(groups.get(coin) ?? []), position]);
  }
  return groups;
}

function sidesOffset(group: readonly Position[], snapshot: Snapshot): boolean {
  const long = totalNotional(group, "long", snapshot);
  const short = totalNotional(group, "short", snapshot);
  const larger = maxOf(long, short);
  return larger.gt(0) && minOf(long, short).div(larger).gte(OFFSET_SHARE);
}

function totalNotional(group: readonly Position[], side: Position["side"], snapshot: Snapshot): Decimal {
  return group
    .filter((position) => position.side === side)
    .reduce(
      (sum, position) => sum.plus(notionalQuote(position, snapshot.tickers.get(contractText(position.key)))),
      dec("0"),
    );
}
