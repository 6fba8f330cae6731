/** What the books hold open: that a list lacks it proves nothing before the contract's own rows have been read. */
import type { Picture } from "../domain/picture.js";
import { contractText } from "../domain/position.js";
import { type Contract, isBlindFor, type ReadScope, type Snapshot } from "../domain/snapshot.js";
import type { ReadManner } from "../exchange/port.js";
import type { PassOptions } from "./options.js";

type Parts = Pick<PassOptions, "reader" | "memory" | "scope">;

export class Remembered {
  readonly #parts: Parts;
  /** Not open, as a look of this pass has told that asked for them by name. */
  readonly #told = new Set<string>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** In haste nothing is asked for but what everybody sees, because a stop may be due. @throws ExchangeFailure */
  async look(scope: ReadScope, manner: ReadManner): Promise<Snapshot> {
    const asked = manner === "hasty" ? [] : this.#doubtful();
    const snapshot = await this.#parts.reader.snapshot(scope, manner, asked);
    const answered = [...(snapshot.scope === "account" ? asked : []), ...snapshot.flatLegs];
    for (const contract of answered) if (!isSeen(contract, snapshot)) this.#told.add(contractText(contract));
    for (const { key } of snapshot.positions) this.#told.delete(contractText(key));
    return snapshot;
  }

  /** True: everything was looked at, and something that the books hold open was not among it, nor asked for by name. */
  isLacking({ snapshot }: Picture): boolean {
    const { scope = "account" } = this.#parts;
    return scope === "account" && this.#doubtful().some((contract) => !isSeen(contract, snapshot));
  }

  #doubtful(): readonly Contract[] {
    const { reader, memory } = this.#parts;
    return memory.openContracts(reader.account).filter((contract) => !this.#told.has(contractText(contract)));
  }
}

/** Or told as not seen: then it counts as open all the same. */
function isSeen(contract: Contract, { positions, unreadablePositions, gaps }: Snapshot): boolean {
  const name = contractText(contract);
  return (
    positions.some(({ key }) => contractText(key) === name) ||
    unreadablePositions.some(
      ({ category, symbol }) => symbol !== null && contractText({ category, symbol }) === name,
    ) ||
    gaps.some((gap) => isBlindFor(gap, contract))
  );
}
