/** Legs that offset each other: the other side of the same contract, or of the same base coin in the account. */
import { type Decimal, dec, maxOf, minOf } from "../domain/decimal.js";
import { contractText, keyText, type Position } from "../domain/position.js";
import type { Snapshot } from "../domain/snapshot.js";
import { notionalQuote } from "./value.js";

/** From which share on two sides of one base coin count as hedged. */
const OFFSET_SHARE = dec("0.5");

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

function legName(position: Position): string {
  return `${position.key.symbol} ${position.side}`;
}

function sameContract(one: Position, other: Position): boolean {
  return contractText(one.key) === contractText(other.key);
}

function byBaseCoin(snapshot: Snapshot): Map<string, Position[]> {
  const groups = new Map<string, Position[]>();
  for (const position of snapshot.positions) {
    const contract = contractText(position.key);
    const coin = snapshot.instruments.get(contract)?.baseCoin ?? contract;
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
