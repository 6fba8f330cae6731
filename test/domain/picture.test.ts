/** Laying a later look at some contracts over what is known of the whole account. */
import { describe, expect, test } from "vitest";
import { lookedAgain, outOfSight, pictureOf, seenAtMs } from "../../src/domain/picture.js";
import { contractText } from "../../src/domain/position.js";
import type { Gap } from "../../src/domain/snapshot.js";
import { anUnreadableOrder, fullStop } from "../builders/order.js";
import { anUnreadablePosition, aPosition, aShort } from "../builders/position.js";
import { aSnapshot, type SnapshotShape } from "../builders/snapshot.js";

const btc = aPosition();
const eth = aPosition({ symbol: "ETHUSDT" });
const BTC = { category: "linear", symbol: "BTCUSDT" } as const;
const ETH = { category: "linear", symbol: "ETHUSDT" } as const;
const START_MS = 1_700_000_000_000;

const whole = (shape: SnapshotShape = {}) => pictureOf(aSnapshot({ positions: [btc, eth], ...shape }));
const later = (shape: SnapshotShape) => aSnapshot({ requestedAtMs: START_MS + 5_000, ...shape });
const symbolsOf = ({ snapshot }: ReturnType<typeof whole>) => snapshot.positions.map(({ key }) => key.symbol).sort();
const gap = (overrides: Partial<Gap>): Gap => ({ category: "linear", what: "orders", reason: "timeout", ...overrides });

describe("a look at one contract", () => {
  test("replaces that contract and leaves the others as old as they are", () => {
    const picture = lookedAgain(whole(), later({ scope: [BTC], positions: [aShort()] }));
    expect(symbolsOf(picture)).toEqual(["BTCUSDT", "ETHUSDT"]);
    expect(picture.snapshot.positions.find(({ key }) => key.symbol === "BTCUSDT")?.side).toBe("short");
    expect([seenAtMs(picture, BTC), seenAtMs(picture, ETH)]).toEqual([START_MS + 5_000, START_MS]);
  });

  test("that is told whether others copy the account's trades counts for the whole", () => {
    const untold = { copyTradingMaster: "unread", marginMode: null } as const;
    const told = { copyTradingMaster: true, marginMode: "cross" } as const;
    const factsOf = ({ snapshot: { copyTradingMaster, marginMode } }: ReturnType<typeof whole>) => ({
      copyTradingMaster,
      marginMode,
    });
    expect(factsOf(lookedAgain(whole(untold), later({ scope: [BTC], ...told })))).toEqual(told);
    expect(factsOf(lookedAgain(whole(told), later({ scope: [BTC], ...untold })))).toEqual(told);
    expect(factsOf(lookedAgain(whole(untold), later({ scope: [BTC], ...untold })))).toEqual(untold);
  });

  test("without a row takes the position away, and its orders with it", () => {
    const before = whole({ orders: [fullStop(btc, "98"), fullStop(eth, "98")] });
    const picture = lookedAgain(before, later({ scope: [BTC] }));
    expect(symbolsOf(picture)).toEqual(["ETHUSDT"]);
    expect(picture.snapshot.orders.map(({ symbol }) => symbol)).toEqual(["ETHUSDT"]);
  });

  test.each(["tickers", "instruments"] as const)("whose %s could not be read still shows its rows", (what) => {
    const failed = later({ scope: [BTC], gaps: [gap({ what, symbols: ["BTCUSDT"] })] });
    const picture = lookedAgain(whole(), failed);
    expect(symbolsOf(picture)).toEqual(["ETHUSDT"]);
    expect(seenAtMs(picture, BTC)).toBe(START_MS + 5_000);
  });

  test("whose price could not be read leaves none: the older one may be long past", () => {
    const failed = later({ scope: [BTC], positions: [btc], gaps: [gap({ what: "tickers", symbols: ["BTCUSDT"] })] });
    const picture = lookedAgain(whole(), { ...failed, tickers: new Map() });
    expect([...picture.snapshot.tickers.keys()]).toEqual([contractText(ETH)]);
  });

  test.each(["tickers", "instruments"] as const)(
    "whose %s could not be read says so, until a look brings them",
    (what) => {
      const unread = gap({ what, symbols: ["BTCUSDT"] });
      const failed = later({ scope: [BTC], positions: [btc], gaps: [unread] });
      const picture = lookedAgain(whole(), failed);
      expect(picture.snapshot.gaps).toEqual([unread]);
      expect(lookedAgain(picture, later({ scope: [ETH], positions: [eth] })).snapshot.gaps).toEqual([unread]);
      expect(lookedAgain(picture, failed).snapshot.gaps).toEqual([unread]);
      expect(lookedAgain(picture, later({ scope: [BTC], positions: [btc] })).snapshot.gaps).toEqual([]);
    },
  );

  test("whose prices failed as a whole category lacks those of the contracts that were looked at", () => {
    const failed = later({ scope: [BTC], positions: [btc], gaps: [gap({ what: "tickers" })] });
    expect(lookedAgain(whole(), failed).snapshot.gaps).toEqual([gap({ what: "tickers", symbols: ["BTCUSDT"] })]);
  });

  test.each(["positions", "orders"] as const)("whose %s could not be read changes nothing about it", (what) => {
    const failed = later({ scope: [BTC], gaps: [gap({ what, symbols: ["BTCUSDT"] })] });
    const picture = lookedAgain(whole(), failed);
    expect(symbolsOf(picture)).toEqual(["BTCUSDT", "ETHUSDT"]);
    expect(seenAtMs(picture, BTC)).toBe(START_MS);
  });

  test("with a gap of the whole category changes nothing in that category", () => {
    const picture = lookedAgain(whole(), later({ scope: [BTC, ETH], gaps: [gap({ what: "positions" })] }));
    expect(symbolsOf(picture)).toEqual(["BTCUSDT", "ETHUSDT"]);
    expect(seenAtMs(picture, ETH)).toBe(START_MS);
  });

  test("with a nameless unreadable row changes nothing: it may be any contract's", () => {
    const nameless = later({ scope: [BTC], unreadablePositions: [anUnreadablePosition({ symbol: null })] });
    const picture = lookedAgain(whole(), nameless);
    expect(symbolsOf(picture)).toEqual(["BTCUSDT", "ETHUSDT"]);
    expect(seenAtMs(picture, BTC)).toBe(START_MS);
  });

  test("whose row has become unreadable is not flat", () => {
    const unreadable = later({ scope: [BTC], unreadablePositions: [anUnreadablePosition()] });
    const picture = lookedAgain(whole(), unreadable);
    expect(symbolsOf(picture)).toEqual(["ETHUSDT"]);
    expect(picture.snapshot.unreadablePositions).toHaveLength(1);
  });

  test("closes the gap that named it, and keeps the rest of that gap", () => {
    const before = whole({ gaps: [gap({ symbols: ["BTCUSDT", "ETHUSDT"] })] });
    const picture = lookedAgain(before, later({ scope: [BTC], positions: [btc] }));
    expect(picture.snapshot.gaps).toEqual([gap({ symbols: ["ETHUSDT"] })]);
  });

  test("cannot close a gap that names no contract: whom it hides is not known", () => {
    const before = whole({ gaps: [gap({ what: "orders", symbols: [] })] });
    const picture = lookedAgain(before, later({ scope: [BTC, ETH], positions: [btc, eth] }));
    expect(picture.snapshot.gaps).toEqual(before.snapshot.gaps);
    expect([outOfSight(picture, BTC), outOfSight(picture, ETH)]).toEqual([null, null]);
  });

  test("cannot close a gap of the whole category", () => {
    const picture = lookedAgain(whole({ gaps: [gap({})] }), later({ scope: [BTC, ETH], positions: [btc, eth] }));
    expect(picture.snapshot.gaps).toEqual([gap({})]);
  });

  test("says nothing about the same symbol in another category", () => {
    const inverse = aPosition({ category: "inverse" });
    const before = pictureOf(aSnapshot({ positions: [inverse] }));
    const picture = lookedAgain(before, later({ scope: [BTC] }));
    expect(symbolsOf(picture)).toEqual(["BTCUSDT"]);
  });
});

describe("a contract is out of sight", () => {
  const blind = later({ positions: [], gaps: [gap({ what: "positions" })] });

  test("from a whole read that could not see it, which says why, to a look that does", () => {
    const picture = lookedAgain(whole(), blind);
    expect(outOfSight(picture, BTC)).toBe("it could not be read again since it was seen last: timeout");
    const again = lookedAgain(picture, later({ scope: [BTC], positions: [btc], requestedAtMs: START_MS + 6_000 }));
    expect(outOfSight(again, BTC)).toBeNull();
    expect(outOfSight(again, ETH)).not.toBeNull();
  });

  test("also where that gap has closed since for another", () => {
    const named = later({ positions: [], gaps: [gap({ what: "positions", symbols: ["BTCUSDT", "ETHUSDT"] })] });
    const picture = { ...lookedAgain(whole(), named) };
    const closed = { ...picture, snapshot: { ...picture.snapshot, gaps: [] } };
    expect(outOfSight(closed, BTC)).toBe("it could not be read again since it was seen last");
  });

  test("neither in a whole read that shows it, nor while later looks are at others", () => {
    expect(outOfSight(whole(), BTC)).toBeNull();
    expect(outOfSight(lookedAgain(whole(), later({ scope: [ETH], positions: [eth] })), BTC)).toBeNull();
  });
});

test("a whole read replaces everything", () => {
  const picture = lookedAgain(lookedAgain(whole(), later({ scope: [BTC] })), later({ positions: [eth] }));
  expect(symbolsOf(picture)).toEqual(["ETHUSDT"]);
  expect(seenAtMs(picture, BTC)).toBe(START_MS + 5_000);
});

describe("a whole read that could not see the positions of a category", () => {
  const inverse = aPosition({ category: "inverse", symbol: "BTCUSD" });
  const before = () => pictureOf(aSnapshot({ positions: [btc, inverse], orders: [fullStop(btc, "98")] }));
  const blind = (shape: SnapshotShape = {}) => later({ gaps: [gap({ what: "positions" })], ...shape });

  test("keeps what was known there, with its orders, and as old as it is", () => {
    const picture = lookedAgain(before(), blind());
    expect(symbolsOf(picture)).toEqual(["BTCUSDT"]);
    expect(picture.snapshot.orders.map(({ symbol }) => symbol)).toEqual(["BTCUSDT"]);
    expect(seenAtMs(picture, BTC)).toBe(START_MS);
  });

  test("tells once of what it keeps, and of what else it has shown that could not be read alone", () => {
    const unreadable = ["BTCUSDT", "ETHUSDT"].map((symbol) => anUnreadablePosition({ symbol, positionIdx: null }));
    const { snapshot } = lookedAgain(before(), blind({ unreadablePositions: unreadable }));
    expect(snapshot.positions.map(({ key }) => key.symbol)).toEqual(["BTCUSDT"]);
    const unread = snapshot.unreadablePositions.filter(({ category }) => category === "linear");
    expect(unread.map(({ symbol }) => symbol)).toEqual(["ETHUSDT"]);
  });

  test("keeps the age of what a later look at one contract had shown", () => {
    const looked = lookedAgain(before(), later({ scope: [BTC], positions: [btc], requestedAtMs: START_MS + 2_000 }));
    expect(seenAtMs(lookedAgain(looked, blind()), BTC)).toBe(START_MS + 2_000);
  });

  test("replaces what it did see, and what is missing from the lists that it read whole is gone", () => {
    const picture = lookedAgain(before(), blind({ positions: [aShort(), eth] }));
    expect(picture.snapshot.positions.map(({ key, side }) => `${key.symbol} ${side}`)).toEqual([
      "BTCUSDT short",
      "ETHUSDT long",
    ]);
    expect(seenAtMs(picture, BTC)).toBe(START_MS + 5_000);
    expect(picture.snapshot.orders).toEqual([]);
  });
});

describe("an order of no known contract that cannot be read", () => {
  const nameless = anUnreadableOrder({ symbol: null, positionIdx: null });
  const doubtful = ({ snapshot }: ReturnType<typeof whole>) => snapshot.unreadableOrders.map(({ symbol }) => symbol);

  test("is told by whichever look shows it", () => {
    const picture = lookedAgain(whole(), later({ scope: [BTC], positions: [btc], unreadableOrders: [nameless] }));
    expect(doubtful(picture)).toEqual([null]);
  });

  test("may still be any contract's that was not looked at since", () => {
    const picture = lookedAgain(whole({ unreadableOrders: [nameless] }), later({ scope: [BTC], positions: [btc] }));
    expect(doubtful(picture)).toEqual(["ETHUSDT"]);
    expect(doubtful(lookedAgain(picture, later({ scope: [ETH], positions: [eth] })))).toEqual([]);
  });

  test("may still be that of a contract at which the look failed", () => {
    const halfBlind = later({ scope: [BTC, ETH], positions: [btc], gaps: [gap({ symbols: ["ETHUSDT"] })] });
    expect(doubtful(lookedAgain(whole({ unreadableOrders: [nameless] }), halfBlind))).toEqual(["ETHUSDT"]);
  });
});
