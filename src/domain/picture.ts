/** What is known of an account during a pass: one whole read, with later looks laid over it. */
import type { UnreadableOrder } from "./order.js";
import { contractText, type PositionKey } from "./position.js";
import { type Contract, type Gap, hidesRows, isBlindFor, type ReadScope, type Snapshot } from "./snapshot.js";
import {
  type Absence,
  absenceAfter,
  absentRows,
  isAbsentRow,
  lacksList,
  NOBODY_ABSENT,
  type Vanished,
  wantsList,
} from "./vanished.js";

export interface Picture {
  readonly snapshot: Snapshot;
  /** The latest look as it was read. */
  readonly latest: Snapshot;
  /** When the read that shows a contract was requested, by `contractText`; others are as old as the snapshot. */
  readonly seenAtMs: ReadonlyMap<string, number>;
  /** Positions that were open and that later looks do not show. */
  readonly absence: Absence;
  /** The latest look, where it was one in a row; null: nobody has looked again yet. */
  readonly again: Pick<Snapshot, "requestedAtMs" | "receivedAtMs" | "shownAtMs"> | null;
}

export function pictureOf(snapshot: Snapshot): Picture {
  return { snapshot, latest: snapshot, seenAtMs: new Map(), absence: NOBODY_ABSENT, again: null };
}

/** A look at these contracts has failed: what is known of them stays, and stands in doubt until one does not. */
export function notSeenAgain(picture: Picture, contracts: readonly Contract[], reason: string): Picture {
  const gaps = contracts.map(
    ({ category, symbol }): Gap => ({ category, what: "positions", symbols: [symbol], reason }),
  );
  return { ...picture, snapshot: { ...picture.snapshot, gaps: [...picture.snapshot.gaps, ...gaps] } };
}

/** When what we know of this contract was asked for. */
export function seenAtMs(picture: Picture, contract: Contract): number {
  return picture.seenAtMs.get(contractText(contract)) ?? picture.snapshot.requestedAtMs;
}

/** Why this contract was not shown by the latest look that was to show it; null: it was. */
export function outOfSight(picture: Picture, contract: Contract): string | null {
  const inVain = picture.snapshot.gaps.find((gap) => gap.symbols !== undefined && isBlindFor(gap, contract));
  if (inVain !== undefined) return `it could not be read again since it was seen last: ${inVain.reason}`;
  if (seenAtMs(picture, contract) >= picture.snapshot.requestedAtMs) return null;
  const gap = picture.snapshot.gaps.find((hole) => isBlindFor(hole, contract));
  return `it could not be read again since it was seen last${gap === undefined ? "" : `: ${gap.reason}`}`;
}

/** Three tries of a request, each given up after five seconds: a look that takes longer was not held up by the exchange. */
const MOST_SLOWNESS_MS = 20_000;

/** How long the rows took that show this contract, where they were read again: a slow exchange shows nothing younger. */
export function slownessMs(picture: Picture, contract: Contract): number {
  const { again } = picture;
  if (again === null || seenAtMs(picture, contract) !== again.requestedAtMs) return 0;
  // What the look waited for besides made none of these rows older.
  const shownAtMs = again.shownAtMs.get(contractText(contract)) ?? again.receivedAtMs;
  const tookMs = shownAtMs - again.requestedAtMs;
  return tookMs <= MOST_SLOWNESS_MS ? tookMs : 0;
}

/** False: the whole read could not see this contract, and no later look has: that it is missing says nothing. */
export function wasSeen({ seenAtMs: laterMs, snapshot }: Picture, contract: Contract): boolean {
  return laterMs.has(contractText(contract)) || !snapshot.gaps.some((gap) => isBlindFor(gap, contract));
}

/**
 * A later read replaces exactly what it shows; what it failed to see stays as it was known, and what it does not show
 * any more is not believed closed at once. `isToldFlat`: the private stream has told that a position is flat.
 */
export function lookedAgain(
  { snapshot, ...facts }: Picture,
  later: Snapshot,
  isToldFlat: (key: PositionKey) => boolean = () => false,
): Picture {
  const unreadablePositions = snapshot.unreadablePositions.filter((row) => !isAbsentRow(row));
  const before: Picture = { ...facts, snapshot: { ...snapshot, unreadablePositions } };
  const next = later.scope === "account" ? overlaidWhole(before, later) : overlaidPart(before, later, later.scope);
  const absence = absenceAfter(facts.absence, snapshot.positions, next.snapshot, later, isToldFlat);
  const unreadable = next.snapshot.unreadablePositions;
  const rows = [...unreadable, ...absentRows(absence, unreadable)];
  return { ...next, absence, snapshot: { ...next.snapshot, unreadablePositions: rows } };
}

/**
 * What to look at next for the sake of these contracts; a list, where that alone is missing to believe a close and none
 * has failed since `sinceMs`.
 */
export function scopeToSettle(
  { absence }: Picture,
  contracts: readonly Contract[],
  sinceMs = Number.POSITIVE_INFINITY,
): ReadScope {
  return wantsList(absence, sinceMs) ? "account" : contracts;
}

/** The contracts that the latest looks were to show by name, and did not. */
export function lookedForInVain({ snapshot }: Picture): readonly Contract[] {
  return snapshot.gaps.flatMap((gap) => {
    const { category, symbols = [] } = gap;
    return category === "account" || !hidesRows(gap) ? [] : symbols.map((symbol) => ({ category, symbol }));
  });
}

/**
 * The contracts of positions that are not believed closed yet; of those that vanished before `sinceMs`, where a list
 * alone is missing and none has failed since then.
 */
export function vanishedContracts({ absence }: Picture, sinceMs = Number.NEGATIVE_INFINITY): readonly Contract[] {
  const isDue = (one: Vanished) => one.sinceMs >= sinceMs || lacksList(one, sinceMs);
  return [...absence.vanished.values()].filter(isDue).map(({ position }) => position.key);
}

/** True: proven flat by a look that was asked for then or later. A push may have told of another life since. */
export function isProvenClosed({ absence }: Picture, key: string, sinceMs: number): boolean {
  const closedAtMs = absence.closed.get(key);
  return closedAtMs !== undefined && closedAtMs >= sinceMs;
}

type Row = { readonly category: Contract["category"]; readonly symbol: string | null };

/** Everything is new, but for positions under a gap: that they are missing from a failed read says nothing. */
function overlaidWhole(picture: Picture, later: Snapshot): Picture {
  const { snapshot } = picture;
  const shown = new Set(later.positions.map(({ key }) => contractText(key)));
  const isKept = ({ category, symbol }: Row) =>
    symbol !== null &&
    !shown.has(contractText({ category, symbol })) &&
    later.gaps.some((gap) => isBlindFor(gap, { category, symbol }));
  const kept = snapshot.positions.filter(({ key }) => isKept(key));
  const keptContracts = new Set(kept.map(({ key }) => contractText(key)));
  return {
    seenAtMs: new Map(kept.map(({ key }) => [contractText(key), seenAtMs(picture, key)] as const)),
    absence: picture.absence,
    again: later,
    latest: later,
    snapshot: {
      ...later,
      positions: [...later.positions, ...kept],
      unreadablePositions: [
        // One that is kept counts as unknown already.
        ...later.unreadablePositions.filter((row) => row.positionIdx !== null || !isAmong(row, keptContracts)),
        ...snapshot.unreadablePositions.filter(isKept),
      ],
      orders: [...later.orders, ...snapshot.orders.filter(isKept)],
      unreadableOrders: [...later.unreadableOrders, ...snapshot.unreadableOrders.filter(isKept)],
      instruments: new Map([...snapshot.instruments, ...later.instruments]),
      tickers: new Map([...only(snapshot.tickers, keptContracts), ...later.tickers]),
    },
  };
}

function isAmong({ category, symbol }: Row, contracts: ReadonlySet<string>): boolean {
  return symbol !== null && contracts.has(contractText({ category, symbol }));
}

function overlaidPart(picture: Picture, later: Snapshot, scope: readonly Contract[]): Picture {
  const { snapshot } = picture;
  const covered = seenContracts(later, scope);
  const unseen = scope.filter((contract) => !covered.has(contractText(contract)));
  const asked = new Set(scope.map(contractText));
  const isCovered = ({ category, symbol }: Row) => symbol !== null && covered.has(contractText({ category, symbol }));
  const stays = (row: Row) => !isCovered(row);
  // A nameless order may be anyone's: it is told, whatever the look was about.
  const isTold = (row: Row) => row.symbol === null || isCovered(row);
  // One that an earlier look told may still be that of any contract which this look does not show.
  const narrowed = (row: UnreadableOrder): readonly UnreadableOrder[] =>
    row.symbol === null
      ? heldIn(snapshot, row.category)
          .filter(stays)
          .map(({ symbol }) => ({ ...row, symbol }))
      : [row];
  return {
    seenAtMs: new Map([
      ...picture.seenAtMs,
      ...[...covered].map((contract) => [contract, later.requestedAtMs] as const),
    ]),
    absence: picture.absence,
    again: later,
    latest: later,
    snapshot: {
      ...snapshot,
      ...accountFacts(snapshot, later),
      receivedAtMs: later.receivedAtMs,
      gaps: [
        ...snapshot.gaps.flatMap((gap) => withoutContracts(gap, hidesRows(gap) ? asked : covered)),
        ...later.gaps.flatMap((gap) => ofContracts(gap, scope, covered)),
        ...unseen.map((contract) => gapOf(contract, later)),
      ],
      positions: [
        ...snapshot.positions.filter(({ key }) => stays(key)),
        ...later.positions.filter(({ key }) => isCovered(key)),
      ],
      unreadablePositions: [
        ...snapshot.unreadablePositions.filter(stays),
        ...later.unreadablePositions.filter(isCovered),
      ],
      orders: [...snapshot.orders.filter(stays), ...later.orders.filter(isCovered)],
      unreadableOrders: [
        ...snapshot.unreadableOrders.flatMap(narrowed).filter(stays),
        ...later.unreadableOrders.filter(isTold),
      ],
      flatLegs: [...snapshot.flatLegs.filter(stays), ...later.flatLegs.filter(isCovered)],
      instruments: new Map([...snapshot.instruments, ...later.instruments]),
      // A price that could not be read anew is none: the older one may be long past, and each row brings its own mark.
      tickers: new Map([...except(snapshot.tickers, covered), ...later.tickers]),
    },
  };
}

/** Any look may be the first that is told them; one that was not takes nothing back. */
function accountFacts(known: Snapshot, later: Snapshot): Pick<Snapshot, "marginMode" | "copyTradingMaster"> {
  const isTold = later.copyTradingMaster !== "unread";
  return {
    marginMode: later.marginMode ?? known.marginMode,
    copyTradingMaster: isTold ? later.copyTradingMaster : known.copyTradingMaster,
  };
}

type Tickers = Snapshot["tickers"];

const only = (tickers: Tickers, contracts: ReadonlySet<string>) =>
  [...tickers].filter(([contract]) => contracts.has(contract));

const except = (tickers: Tickers, contracts: ReadonlySet<string>) =>
  [...tickers].filter(([contract]) => !contracts.has(contract));

/** Each contract of the category that has a position, once. */
function heldIn(snapshot: Snapshot, category: Contract["category"]): readonly Contract[] {
  const symbols = snapshot.positions.filter(({ key }) => key.category === category).map(({ key }) => key.symbol);
  return [...new Set(symbols)].map((symbol) => ({ category, symbol }));
}

/** The contracts of a partial read that it really shows; a nameless unreadable row may belong to any of its category. */
function seenContracts(later: Snapshot, scope: readonly Contract[]): ReadonlySet<string> {
  const nameless = new Set(later.unreadablePositions.filter((row) => row.symbol === null).map((row) => row.category));
  const seen = scope.filter(
    (contract) => !later.gaps.some((gap) => isBlindFor(gap, contract)) && !nameless.has(contract.category),
  );
  return new Set(seen.map(contractText));
}

/** What a look at this contract alone did not show, named by the contract: it holds until a later look shows it. */
function gapOf({ category, symbol }: Contract, { gaps }: Snapshot): Gap {
  const blind = gaps.find((gap) => isBlindFor(gap, { category, symbol }));
  const { what = "positions", reason = "a row that names no contract may be its own" } = blind ?? {};
  return { category, what, symbols: [symbol], reason };
}

/** A gap that named its contracts closes as they are seen; one that speaks of a whole list stays. */
function withoutContracts(gap: Gap, covered: ReadonlySet<string>): Gap[] {
  const { symbols, category } = gap;
  if (symbols === undefined || symbols.length === 0 || category === "account") return [gap];
  const left = symbols.filter((symbol) => !covered.has(contractText({ category, symbol })));
  return left.length === 0 ? [] : [{ ...gap, symbols: left }];
}

/** Rows were seen, and prices or trading rules were not: what was not seen of them is told until a look does. */
function ofContracts(gap: Gap, scope: readonly Contract[], covered: ReadonlySet<string>): Gap[] {
  const { category, symbols } = gap;
  const lacking = scope.filter(
    (contract) =>
      contract.category === category &&
      covered.has(contractText(contract)) &&
      (symbols === undefined || symbols.includes(contract.symbol)),
  );
  return lacking.length === 0 ? [] : [{ ...gap, symbols: [...new Set(lacking.map(({ symbol }) => symbol))] }];
}
