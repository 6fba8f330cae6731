/** What wakes a pass, gathered until one can run: everything, or some contracts, each once however often it was named. */
import { contractText } from "../domain/position.js";
import type { Contract, ReadScope } from "../domain/snapshot.js";

export type WholeReason = "start" | "stream" | "schedule" | "watchdog" | "stream-down" | "asked";

export interface Wakes {
  readonly whole: WholeReason | null;
  /** By `contractText`. */
  readonly contracts: ReadonlyMap<string, Contract>;
}

export const ASLEEP: Wakes = { whole: null, contracts: new Map() };

export function wokenWhole(wakes: Wakes, reason: WholeReason): Wakes {
  return { ...wakes, whole: wakes.whole ?? reason };
}

export function wokenFor(wakes: Wakes, { category, symbol }: Contract): Wakes {
  const contract = { category, symbol };
  return { ...wakes, contracts: new Map([...wakes.contracts, [contractText(contract), contract]]) };
}

/** What has rung since the scope was taken is still due. */
export function answeredFor(wakes: Wakes, scope: readonly Contract[]): Wakes {
  const seen = new Set(scope.map(contractText));
  return { ...wakes, contracts: new Map([...wakes.contracts].filter(([name]) => !seen.has(name))) };
}

/** A look at everything sees each contract too. Null: nothing woke us. */
export function scopeOf({ whole, contracts }: Wakes): ReadScope | null {
  if (whole !== null) return "account";
  return contracts.size === 0 ? null : [...contracts.values()];
}
