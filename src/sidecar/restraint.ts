/** Why nothing may be written for a position at this moment, and when that ends. */
import type { Position } from "../domain/position.js";
import { type Hold, holdOf, type LaterLook, looksAfter } from "./holding.js";
import type { Lives } from "./lives.js";
import type { GuardParts } from "./parts.js";

export interface RestraintParts extends Pick<GuardParts, "pass" | "paused" | "orderIntents"> {
  readonly lives: Lives;
}

export class Restraint {
  readonly #parts: RestraintParts;

  constructor(parts: RestraintParts) {
    this.#parts = parts;
  }

  /** Null: nothing speaks against it. */
  on(position: Position): string | null {
    const { lives, paused } = this.#parts;
    const { key, side } = position;
    const latest = lives.get(key)?.position;
    if (latest !== undefined && latest.side !== side) return "it has flipped since, so a look has to decide";
    return paused(key) ?? this.#hold(position)?.reason ?? null;
  }

  /** When the reason to wait ends, the position is to be looked at again. */
  looksAfter(position: Position): readonly LaterLook[] {
    const { memory, clock } = this.#parts.pass;
    return looksAfter(this.#hold(position), memory.recall(position), clock.now());
  }

  #hold(position: Position): Hold | null {
    const { lives, orderIntents, pass } = this.#parts;
    const { protection } = pass.policyOf(position.key, position.side);
    const record = pass.memory.recall(position);
    const isAwaited = record.intent === null && (orderIntents?.isAwaited(position) ?? false);
    return holdOf(lives.get(position.key), record, protection, isAwaited, pass.clock.now());
  }
}
