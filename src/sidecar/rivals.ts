/** Stops of other hands that a write of ours may have replaced on the way: the race that no one can close. */
import type { Decimal } from "../domain/decimal.js";
import { keyText, type PositionKey, type Side, type TriggerBy } from "../domain/position.js";
import { isTighterStop } from "../domain/price.js";

export interface SeenStop {
  readonly key: PositionKey;
  readonly side: Side;
  readonly price: Decimal;
  /** Null: a row alone has told of it, which does not say. */
  readonly triggerBy: TriggerBy | null;
  /** When it was told, on the steady clock. */
  readonly atMs: number;
}

/** A Full stop of ours that the exchange has taken, or may have. */
export interface OurStop extends Omit<SeenStop, "atMs" | "triggerBy"> {
  /** When what it was decided from was asked for: what was told before that was known. */
  readonly decidedFromMs: number;
  readonly answeredAtMs: number;
  /** What it may have replaced on purpose; only a tighter one than this is given back. Absent: it replaces none. */
  readonly meantToReplace?: Decimal;
}

/** A stop of another hand that shows up later than this after ours was not replaced by it. */
const RACE_MS = 10_000;

export class Rivals {
  #seen: SeenStop[] = [];
  #ours: OurStop[] = [];
  /** By position: what is owed to another hand, and our price that stands in its place. */
  readonly #debts = new Map<string, { readonly stop: SeenStop; readonly replacedBy: Decimal }>();

  /** A Full stop of whoever was told by the stream, or seen by a look while one of ours was under way. */
  saw(stop: SeenStop): void {
    const known = this.#seen.find((one) => isSame(one, stop));
    const others = this.#seen.filter((one) => one !== known && stop.atMs - one.atMs < RACE_MS);
    const atMs = Math.max(stop.atMs, known?.atMs ?? stop.atMs);
    this.#seen = [...others, { ...stop, triggerBy: stop.triggerBy ?? known?.triggerBy ?? null, atMs }];
  }

  wrote(stop: OurStop): void {
    this.#ours = [...this.#ours.filter(({ answeredAtMs }) => stop.answeredAtMs - answeredAtMs < RACE_MS), stop];
  }

  /** One of ours was answered so lately that it may have replaced what is seen. */
  isWatching(key: PositionKey, nowMs: number): boolean {
    const name = keyText(key);
    return this.#ours.some((stop) => keyText(stop.key) === name && nowMs - stop.answeredAtMs < RACE_MS);
  }

  /** The position has closed or flipped: nothing is owed to the next, whose first stop may have been told already. */
  ended(key: PositionKey): void {
    const name = keyText(key);
    this.#ours = this.#ours.filter((stop) => keyText(stop.key) !== name);
    this.#debts.delete(name);
  }

  /** The price has passed it: where it stood, it has triggered, and is not to be set when the price comes back. */
  forgive(stop: SeenStop): void {
    this.#seen = this.#seen.filter((one) => !isSame(one, stop));
    this.#debts.delete(keyText(stop.key));
  }

  /** The tightest stop which ours, that stands now, has replaced, until it is given back; null: none. */
  replaced(key: PositionKey, side: Side, standing: Decimal, nowMs: number): SeenStop | null {
    const name = keyText(key);
    const owed = this.#debts.get(name) ?? null;
    const isOwed = owed !== null && owed.stop.side === side && owed.replacedBy.eq(standing);
    const found = this.#justReplaced(name, side, standing, nowMs) ?? (isOwed ? owed.stop : null);
    if (found === null) this.#debts.delete(name);
    else this.#debts.set(name, { stop: found, replacedBy: standing });
    return found;
  }

  #justReplaced(name: string, side: Side, standing: Decimal, nowMs: number): SeenStop | null {
    const ours = this.#ours.filter(
      (stop) => keyText(stop.key) === name && stop.side === side && nowMs - stop.answeredAtMs < RACE_MS,
    );
    const latest = ours.at(-1);
    if (latest === undefined || !latest.price.eq(standing)) return null;
    const rivals = this.#seen.filter(
      (stop) =>
        keyText(stop.key) === name &&
        stop.side === side &&
        stop.atMs >= latest.decidedFromMs &&
        isTighterStop(stop.price, latest.meantToReplace ?? standing, side),
    );
    return rivals.reduce<SeenStop | null>(
      (tightest, stop) => (tightest === null || isTighterStop(stop.price, tightest.price, side) ? stop : tightest),
      null,
    );
  }
}

function isSame(one: SeenStop, other: SeenStop): boolean {
  return keyText(one.key) === keyText(other.key) && one.side === other.side && one.price.eq(other.price);
}
