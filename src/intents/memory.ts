/** The memory of lives together with the intents that are in force for them: what a pass recalls of a position. */
import type { LedgerMemory } from "../ledger/ledger-memory.js";
import type { Memory } from "../ledger/memory.js";
import type { Shelf } from "./shelf.js";

export function withIntents(memory: LedgerMemory, shelf: Pick<Shelf, "forLife" | "of">): Memory {
  return {
    recall: (position) => {
      const life = memory.lifeOf(position);
      const intent = memory.isDoubted(position) ? null : shelf.forLife(life);
      return { ...memory.recall(position), intent };
    },
    remember: (position, change) => memory.remember(position, change),
    openContracts: (account) => [
      ...memory.openContracts(account),
      ...shelf.of(account).flatMap(({ key, state }) => (state === "bound" ? [key] : [])),
    ],
  };
}
