/** Which contracts a pass cares for: all, or some and those that it is woken for meanwhile. */
import { contractText } from "../domain/position.js";
import type { Contract, ReadScope } from "../domain/snapshot.js";

export interface Attention {
  has(contract: Contract): boolean;
  /** Hands them back once each. */
  drawTo(contracts: readonly Contract[]): readonly Contract[];
}

export function attentionTo(scope: ReadScope = "account"): Attention {
  const attended = scope === "account" ? null : new Set(scope.map(contractText));
  return {
    has: (contract) => attended?.has(contractText(contract)) ?? true,
    drawTo: (contracts) => {
      for (const contract of contracts) attended?.add(contractText(contract));
      return contracts;
    },
  };
}
