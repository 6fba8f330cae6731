/** Follows each position from its opening to its close, and tells each change once, whoever saw it first. */
import type { Assessed } from "../assess/assess.js";
import type { Cover } from "../assess/coverage.js";
import { type Decimal, dec } from "../domain/decimal.js";
import type { LifeRecord } from "../domain/life.js";
import { isOtherOpening, keyText, type Position, type PositionKey } from "../domain/position.js";
import type { Closer, LifeChange, SidecarEvent } from "./event.js";

/** One life, as far as it was watched; times are on the steady clock. */
export interface Life {
  readonly position: Position;
  /** When what we know of the position was asked for or pushed. */
  readonly asOfMs: number;
  /** False: it was open before we began to watch. */
  readonly openedHere: boolean;
  readonly firstSeenMs: number;
  /** Since when a whole stop is missing; null: none is. */
  readonly nakedSinceMs: number | null;
  /** When a whole stop that had stood was found gone; null: it stands, or none ever stood. */
  readonly stopGoneMs: number | null;
  readonly wasProtected: boolean;
  /** The size when a look last found it protected: so much had a stop. */
  readonly coveredSize: Decimal | null;
}

export class Lives {
  readonly #lives = new Map<string, Life>();
  /** Closes of which a push told; a look that was asked for before may still show them. */
  readonly #closedAtMs = new Map<string, number>();
  #isFirstLook = true;

  get(key: PositionKey): Life | undefined {
    return this.#lives.get(keyText(key));
  }

  all(): readonly Life[] {
    return [...this.#lives.values()];
  }

  /** The first whole look is over: what appears from now on has opened. */
  began(): void {
    this.#isFirstLook = false;
  }

  /** An open position, from a push or a look that was asked for at `askedMs`. */
  saw(position: Position, askedMs: number): readonly SidecarEvent[] {
    const name = keyText(position.key);
    if (askedMs < (this.#closedAtMs.get(name) ?? 0)) return [];
    const known = this.#lives.get(name);
    if (known === undefined) {
      this.#begin(position, askedMs, !this.#isFirstLook);
      return [told(this.#isFirstLook ? "seen" : "opened", position)];
    }
    if (askedMs < known.asOfMs) return [];
    if (known.position.side !== position.side) {
      this.#begin(position, askedMs, true);
      return [told("flipped", position)];
    }
    if (isOtherOpening(known.position.openedAtMs, position.openedAtMs)) {
      this.#begin(position, askedMs, true);
      return [told("closed", known.position, "another hand"), told("opened", position)];
    }
    this.#lives.set(name, { ...known, position, asOfMs: askedMs, stopGoneMs: stopGoneSince(known, position, askedMs) });
    const bySize = position.size.cmp(known.position.size);
    return bySize === 0 ? [] : [told(bySize > 0 ? "grew" : "shrank", position)];
  }

  /** Proven flat, by its own row asked for by name or pushed. */
  sawFlat(key: PositionKey, atMs: number, by: Closer): readonly SidecarEvent[] {
    const name = keyText(key);
    const known = this.#lives.get(name);
    this.#closedAtMs.set(name, atMs);
    if (known === undefined) return [];
    this.#lives.delete(name);
    return [told("closed", known.position, by)];
  }

  /** What its stop is worth by a look; `stopCreatedAtMs`: by the exchange's clock. */
  judged({ position, status, stop }: Assessed, nowMs: number, stopCreatedAtMs: number | null): readonly SidecarEvent[] {
    const name = keyText(position.key);
    const known = this.#lives.get(name);
    if (known === undefined || status === "unknown" || status === "ignored") return [];
    const { key, side, size } = position;
    if (status === "protected") {
      const coveredSize = size;
      this.#lives.set(name, { ...known, nakedSinceMs: null, stopGoneMs: null, wasProtected: true, coveredSize });
      const isNews = known.nakedSinceMs !== null || !known.wasProtected;
      if (!isNews) return [];
      const afterMs = known.wasProtected ? null : timeToProtection(known, stopCreatedAtMs);
      return [{ kind: "protected", key, side, price: stop.inside?.price ?? size, afterMs }];
    }
    if (known.nakedSinceMs !== null) return [];
    const stopGoneMs = known.stopGoneMs ?? (isLess(stop.inside, known) ? nowMs : null);
    this.#lives.set(name, { ...known, nakedSinceMs: nowMs, stopGoneMs });
    return [{ kind: "naked", key, side, size }];
  }

  #begin(position: Position, firstSeenMs: number, openedHere: boolean): void {
    this.#lives.set(keyText(position.key), {
      position,
      asOfMs: firstSeenMs,
      openedHere,
      firstSeenMs,
      nakedSinceMs: null,
      stopGoneMs: null,
      wasProtected: false,
      coveredSize: null,
    });
  }
}

/** Less of it has a stop than had one; that it has grown since takes none away. */
function isLess(inside: Cover | null, { coveredSize }: Life): boolean {
  const covered = (inside?.legs ?? []).reduce((sum, { quantity }) => sum.plus(quantity), dec("0"));
  return coveredSize !== null && covered.lt(coveredSize);
}

/** A push may tell that a Full stop is gone before any look judges what is left. */
function stopGoneSince({ position: before, stopGoneMs, nakedSinceMs }: Life, position: Position, atMs: number) {
  if (position.fullStopLoss !== null) return nakedSinceMs === null ? null : stopGoneMs;
  return stopGoneMs ?? (before.fullStopLoss === null ? null : atMs);
}

/** Whose doing a close was, by what is remembered of the life. */
export function closerBy({ closeSent, stopTriggered }: LifeRecord): Closer {
  if (closeSent) return "us";
  return stopTriggered ? "its stop" : "another hand";
}

function timeToProtection({ openedHere, position }: Life, stopCreatedAtMs: number | null): number | null {
  if (!openedHere || position.openedAtMs === null || stopCreatedAtMs === null) return null;
  return Math.max(0, stopCreatedAtMs - position.openedAtMs);
}

function told(change: LifeChange, position: Position, by: Closer | null = null): SidecarEvent {
  const { key, side, size, openedAtMs } = position;
  return { kind: "life", change, key, side, size: size satisfies Decimal, openedAtMs, by };
}
