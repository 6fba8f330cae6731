/** What is known of an account during a pass: one whole read, with later looks at single contracts laid over it. */
import { contractText } from "./position.js";
import type { Contract, Gap, Snapshot } from "./snapshot.js";

export interface Picture {
  readonly snapshot: Snapshot;
  /** When the read that shows a contract was requested, by `contractText`; others are as old as the snapshot. */
  readonly seenAtMs: ReadonlyMap<string, number>;
}

export function pictureOf(snapshot: Snapshot): Picture {
  return { snapshot, seenAtMs: new Map() };
}

/** When what we know of this contract was asked for. */
export function seenAtMs(picture: Picture, contract: Contract): number {
  return picture.seenAtMs.get(contractText(contract)) ?? picture.snapshot.requestedAtMs;
}

/** A whole read replaces the picture; a partial one replaces exactly the contracts it covers. */
export function lookedAgain(picture: Picture, later: Snapshot): Picture {
  if (later.scope === "account") return pictureOf(later);
  const covered = seenContracts(later, later.scope);
  const { snapshot } = picture;
  const stays = (row: { readonly category: Contract["category"]; readonly symbol: string | null }) =>
    row.symbol === null || !covered.has(contractText({ category: row.category, symbol: row.symbol }));
  const isCovered = (row: Parameters<typeof stays>[0]) => !stays(row);
  return {
    seenAtMs: new Map([
      ...picture.seenAtMs,
      ...[...covered].map((contract) => [contract, later.requestedAtMs] as const),
    ]),
    snapshot: {
      ...snapshot,
      receivedAtMs: later.receivedAtMs,
      gaps: snapshot.gaps.flatMap((gap) => withoutContracts(gap, covered)),
      positions: [
        ...snapshot.positions.filter(({ key }) => stays(key)),
        ...later.positions.filter(({ key }) => isCovered(key)),
      ],
      unreadablePositions: [
        ...snapshot.unreadablePositions.filter(stays),
        ...later.unreadablePositions.filter(isCovered),
      ],
      orders: [...snapshot.orders.filter(stays), ...later.orders.filter(isCovered)],
      unreadableOrders: [...snapshot.unreadableOrders.filter(stays), ...later.unreadableOrders.filter(isCovered)],
      instruments: new Map([...snapshot.instruments, ...later.instruments]),
      tickers: new Map([...snapshot.tickers, ...later.tickers]),
    },
  };
}

/** The contracts of a partial read that it really shows; a nameless unreadable row may belong to any of its category. */
function seenContracts(later: Snapshot, scope: readonly Contract[]): ReadonlySet<string> {
  // Without prices or trading rules the rows are seen all the same; what was known of those stays.
  const blind = later.gaps.filter(({ what }) => what === "positions" || what === "orders");
  const failed = new Set(blind.flatMap((gap) => gapContracts(gap, scope)));
  const nameless = new Set(later.unreadablePositions.filter((row) => row.symbol === null).map((row) => row.category));
  const seen = scope.filter((contract) => !failed.has(contractText(contract)) && !nameless.has(contract.category));
  return new Set(seen.map(contractText));
}

function gapContracts(gap: Gap, scope: readonly Contract[]): string[] {
  const symbols = gap.symbols ?? scope.filter(({ category }) => category === gap.category).map(({ symbol }) => symbol);
  return symbols.map((symbol) => contractText({ category: gap.category, symbol }));
}

/** A gap that named its contracts closes as they are seen; one that speaks of a whole category stays. */
function withoutContracts(gap: Gap, covered: ReadonlySet<string>): Gap[] {
  if (gap.symbols === undefined) return [gap];
  const left = gap.symbols.filter((symbol) => !covered.has(contractText({ category: gap.category, symbol })));
  return left.length === 0 ? [] : [{ ...gap, symbols: left }];
}
