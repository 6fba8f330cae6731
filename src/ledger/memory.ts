/** What is remembered of each position's life, behind a port; here for as long as the process lives. */
import { type LifeRecord, UNWRITTEN_LIFE } from "../domain/life.js";
import { keyText, type Position } from "../domain/position.js";
import type { Contract } from "../domain/snapshot.js";

export interface Memory {
  recall(position: Position): LifeRecord;
  remember(position: Position, change: Partial<LifeRecord>): void;
  /** Contracts of the account that the books hold open: of a life that has not ended, or an intent that is in force. */
  openContracts(account: string): readonly Contract[];
}

/** A position that closes and opens again, or flips, begins a new life: openTime and side tell them apart. */
function lifeText({ key, side, openedAtMs }: Position): string {
  return `${keyText(key)}/${side}/${openedAtMs ?? "?"}`;
}

export function inMemory(): Memory {
  const lives = new Map<string, LifeRecord>();
  return {
    recall: (position) => lives.get(lifeText(position)) ?? UNWRITTEN_LIFE,
    remember: (position, change) => {
      const life = lifeText(position);
      lives.set(life, { ...(lives.get(life) ?? UNWRITTEN_LIFE), ...change });
    },
    // Nothing tells here when a life ends, and nothing is known that the process has not looked at itself.
    openContracts: () => [],
  };
}
