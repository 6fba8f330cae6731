/** When a position that a read does not show any more is believed closed. */
import { describe, expect, test } from "vitest";
import {
  isProvenClosed,
  lookedAgain,
  type Picture,
  pictureOf,
  scopeToSettle,
  vanishedContracts,
} from "../../src/domain/picture.js";
import { keyText } from "../../src/domain/position.js";
import type { FlatLeg } from "../../src/domain/snapshot.js";
import { fullStop } from "../builders/order.js";
import { anUnreadablePosition, aPosition, aShort } from "../builders/position.js";
import { aSnapshot, type SnapshotShape } from "../builders/snapshot.js";

const START_MS = 1_700_000_000_000;
const long = aPosition();
const CONTRACT = { category: "linear", symbol: "BTCUSDT" } as const;
const flat = (positionIdx: FlatLeg["positionIdx"] = 0): FlatLeg => ({ ...CONTRACT, positionIdx });

function looks(...shapes: (SnapshotShape & { afterMs: number })[]): Picture {
  return shapes.reduce(
    (picture, { afterMs, ...shape }) =>
      lookedAgain(picture, aSnapshot({ scope: [CONTRACT], ...shape, requestedAtMs: START_MS + afterMs })),
    pictureOf(aSnapshot({ positions: [long] })),
  );
}

const CLOSED = [
  { afterMs: 100, flatLegs: [flat()] },
  { afterMs: 2_600, flatLegs: [flat()] },
  { afterMs: 2_700, scope: "account" },
] as const;

const isClosed = ({ absence }: Picture, position = long) => absence.closed.has(keyText(position.key));

describe("a position whose own row says flat", () => {
  test("once is unknown, not closed", () => {
    const picture = looks({ afterMs: 100, flatLegs: [flat()] });
    expect(isClosed(picture)).toBe(false);
    expect(picture.snapshot.positions).toEqual([]);
    expect(picture.snapshot.unreadablePositions).toMatchObject([{ symbol: "BTCUSDT", positionIdx: 0, side: "long" }]);
    expect(vanishedContracts(picture)).toMatchObject([CONTRACT]);
  });

  test("again seconds later, but still in the list of open positions, is open", () => {
    const twice = [
      { afterMs: 100, flatLegs: [flat()] },
      { afterMs: 2_600, flatLegs: [flat()] },
    ];
    expect(isClosed(looks(...twice))).toBe(false);
    const listed = looks(...twice, { afterMs: 2_700, scope: "account", positions: [long] });
    expect(listed.snapshot.positions).toEqual([long]);
  });

  test("is closed also where a Partial exit has outlived it; one that follows the size speaks against it", () => {
    const withOrder = (kind: "partial-stop-loss" | "full-stop-loss") =>
      looks(...CLOSED.map((look) => ({ ...look, orders: [{ ...fullStop(long, "98"), kind }] })));
    expect(isClosed(withOrder("partial-stop-loss"))).toBe(true);
    expect(isClosed(withOrder("full-stop-loss"))).toBe(false);
  });

  test("again seconds later, and missing from the list of open positions, is closed, and told no more", () => {
    const picture = looks(...CLOSED);
    expect(isClosed(picture)).toBe(true);
    expect(picture.snapshot.unreadablePositions).toEqual([]);
    expect(vanishedContracts(picture)).toEqual([]);
  });

  test("long after it vanished is waited for only where a list alone is missing for the proof", () => {
    const once = looks({ afterMs: 100, flatLegs: [flat()] });
    const twice = looks({ afterMs: 100, flatLegs: [flat()] }, { afterMs: 2_600, flatLegs: [flat()] });
    expect(vanishedContracts(once, START_MS + 100)).toMatchObject([CONTRACT]);
    expect(vanishedContracts(once, START_MS + 101)).toEqual([]);
    expect(vanishedContracts(twice, START_MS + 101)).toMatchObject([CONTRACT]);
  });

  test("is not closed by a list that failed, or that has a row which may be its own", () => {
    const twice = [
      { afterMs: 100, flatLegs: [flat()] },
      { afterMs: 2_600, flatLegs: [flat()] },
    ];
    const list = { afterMs: 2_700, scope: "account" } as const;
    const gap = { category: "linear", what: "positions", reason: "502" } as const;
    expect(isClosed(looks(...twice, { ...list, gaps: [gap] }))).toBe(false);
    expect(isClosed(looks(...twice, { ...list, unreadablePositions: [anUnreadablePosition()] }))).toBe(false);
    expect(isClosed(looks(...twice, { ...list, unreadablePositions: [anUnreadablePosition({ symbol: null })] }))).toBe(
      false,
    );
    const elsewhere = [anUnreadablePosition({ symbol: "ETHUSDT" })];
    expect(isClosed(looks(...twice, { ...list, unreadablePositions: elsewhere }))).toBe(true);
  });

  test("asks for a list, and after one that has failed not again for a while, so that others are read by name", () => {
    const twice = [
      { afterMs: 100, flatLegs: [flat()] },
      { afterMs: 2_600, flatLegs: [flat()] },
    ];
    const gap = { category: "linear", what: "positions", reason: "502" } as const;
    const failed = looks(...twice, { afterMs: 2_700, scope: "account", gaps: [gap] });
    expect(scopeToSettle(looks(...twice), [CONTRACT], START_MS)).toBe("account");
    expect(scopeToSettle(failed, [CONTRACT], START_MS + 2_700)).toEqual([CONTRACT]);
    expect(vanishedContracts(failed, START_MS + 2_700)).toEqual([]);
    expect(scopeToSettle(failed, [CONTRACT], START_MS + 2_701)).toBe("account");
  });

  test("again at once is still not closed", () => {
    expect(isClosed(looks({ afterMs: 100, flatLegs: [flat()] }, { afterMs: 110, flatLegs: [flat()] }))).toBe(false);
  });

  test("is open again when a row shows it, and the count begins anew", () => {
    const open = { afterMs: 1_000, positions: [long] };
    const picture = looks({ afterMs: 100, flatLegs: [flat()] }, open, { afterMs: 2_700, flatLegs: [flat()] });
    expect(isClosed(picture)).toBe(false);
  });

  test("while its own exits still wait is not closed: the exchange clears them with the position", () => {
    const orders = [fullStop(long, "98")];
    const picture = looks({ afterMs: 100, flatLegs: [flat()], orders }, { afterMs: 9_000, flatLegs: [flat()], orders });
    expect(isClosed(picture)).toBe(false);
  });

  test("where the stream has told so is closed by one row that agrees", () => {
    const later = aSnapshot({ scope: [CONTRACT], flatLegs: [flat()], requestedAtMs: START_MS + 100 });
    const picture = lookedAgain(pictureOf(aSnapshot({ positions: [long] })), later, () => true);
    expect(isClosed(picture)).toBe(true);
  });

  test("where the stream has told so is closed also if no look has ever shown it, unless its own exits still wait", () => {
    const after = (shape: SnapshotShape) =>
      lookedAgain(
        pictureOf(aSnapshot()),
        aSnapshot({ scope: [CONTRACT], flatLegs: [flat()], requestedAtMs: START_MS + 100, ...shape }),
        () => true,
      );
    expect(isProvenClosed(after({}), keyText(long.key), START_MS + 100)).toBe(true);
    expect(isProvenClosed(after({}), keyText(long.key), START_MS + 101)).toBe(false);
    expect(isClosed(after({ orders: [fullStop(long, "98")] }))).toBe(false);
    expect(isClosed(after({ flatLegs: [] }))).toBe(false);
  });

  test("of which the stream has told another life is proven closed as late as its own row says so again", () => {
    const look = (afterMs: number) =>
      aSnapshot({ scope: [CONTRACT], flatLegs: [flat()], requestedAtMs: START_MS + afterMs });
    const first = lookedAgain(pictureOf(aSnapshot({ positions: [long] })), look(100), () => true);
    expect(isProvenClosed(lookedAgain(first, look(200)), keyText(long.key), START_MS + 150)).toBe(false);
    expect(
      isProvenClosed(
        lookedAgain(first, look(200), () => true),
        keyText(long.key),
        START_MS + 150,
      ),
    ).toBe(true);
  });
});

test("nothing is proven closed that no look has shown flat, since whenever", () => {
  const picture = pictureOf(aSnapshot({ positions: [long] }));
  expect(isProvenClosed(picture, keyText(long.key), Number.NEGATIVE_INFINITY)).toBe(false);
  expect(isProvenClosed(looks(...CLOSED), keyText(long.key), Number.NEGATIVE_INFINITY)).toBe(true);
});

describe("a position whose row is missing", () => {
  test.each([[100], [9_000], [60_000]])("is not closed, also after %i ms", (afterMs) => {
    expect(isClosed(looks({ afterMs: 50 }, { afterMs }))).toBe(false);
  });

  test("from a list of open positions is asked for by name", () => {
    const picture = looks({ afterMs: 100, scope: "account" });
    expect(isClosed(picture)).toBe(false);
    expect(vanishedContracts(picture)).toMatchObject([CONTRACT]);
  });

  test("in one-way mode, where both legs of hedge mode show instead, is closed: the mode cannot change before", () => {
    const rows = { flatLegs: [flat(1), flat(2)] };
    const list = { afterMs: 2_700, scope: "account" } as const;
    expect(isClosed(looks({ afterMs: 100, ...rows }, { afterMs: 2_600, ...rows }, list))).toBe(true);
  });

  test("as one leg of a hedge, while the other shows, is not closed", () => {
    const leg = aPosition({ positionIdx: 1 });
    const other = aShort({ positionIdx: 2 });
    const before = pictureOf(aSnapshot({ positions: [leg, other] }));
    const later = (afterMs: number) =>
      aSnapshot({ scope: [CONTRACT], positions: [other], requestedAtMs: START_MS + afterMs });
    expect(isClosed(lookedAgain(lookedAgain(before, later(100)), later(9_000)), leg)).toBe(false);
  });
});
