/** Which legs may offset another one, and when that cannot be told. */
import { describe, expect, test } from "vitest";
import { hedgeDoubt, otherSides } from "../../src/assess/hedge.js";
import type { Snapshot } from "../../src/domain/snapshot.js";
import { anUnreadablePosition, aPosition, aShort } from "../builders/position.js";
import { aSnapshot, type SnapshotShape } from "../builders/snapshot.js";

const long = aPosition();

/** The rules of a contract could not be read. */
function without(symbol: string, shape: SnapshotShape): Snapshot {
  const snapshot = aSnapshot(shape);
  return {
    ...snapshot,
    instruments: new Map([...snapshot.instruments].filter(([name]) => name !== `linear/${symbol}`)),
  };
}

describe("the other sides of a leg", () => {
  test("are those on its base coin, however small, and no others", () => {
    const positions = [
      long,
      aPosition({ symbol: "BTCPERP" }),
      aShort({ symbol: "BTCUSDC", size: "0.001" }),
      aShort({ symbol: "ETHUSDT" }),
    ];
    expect(otherSides(long, aSnapshot({ positions }))).toEqual(["BTCUSDC short"]);
    expect(otherSides({ ...long, side: "short" }, aSnapshot({ positions }))).toEqual(["BTCUSDT long", "BTCPERP long"]);
  });

  test("are those of its own contract where no base coin is known", () => {
    const positions = [aShort({ positionIdx: 2 }), aShort({ symbol: "BTCUSDC" })];
    expect(otherSides(aPosition({ positionIdx: 1 }), without("BTCUSDT", { positions }))).toEqual(["BTCUSDT short"]);
  });
});

describe("whether a leg is hedged cannot be told", () => {
  const rows = (...unreadablePositions: NonNullable<SnapshotShape["unreadablePositions"]>) =>
    hedgeDoubt(long, aSnapshot({ positions: [long, aPosition({ symbol: "ETHUSDT" })], unreadablePositions }));

  test("where positions were not seen", () => {
    const gap = (what: "positions" | "orders") =>
      aSnapshot({ positions: [long], gaps: [{ category: "inverse", what, reason: "timeout" }] });
    expect(hedgeDoubt(long, gap("positions"))).toBe(
      "positions of inverse were not seen, and one of them may be its other side",
    );
    expect(hedgeDoubt(long, gap("orders"))).toBeNull();
  });

  test("where a contract was not seen by its name that may be of its coin", () => {
    const unseen = (symbol: string) => {
      const gaps = [{ category: "linear", what: "positions", symbols: [symbol], reason: "timeout" }] as const;
      return hedgeDoubt(long, aSnapshot({ positions: [long, aPosition({ symbol: "ETHUSDT" })], gaps }));
    };
    expect(unseen("BTCUSDT")).toContain("were not seen");
    expect(unseen("UNKNOWNUSDT")).toContain("were not seen");
    expect(unseen("ETHUSDT")).toBeNull();
  });

  test("beside a row that cannot be read and may be of its coin", () => {
    const sentence = "cannot be read, and may be its other side";
    expect(rows(anUnreadablePosition())).toBe(`BTCUSDT ${sentence}`);
    expect(rows(anUnreadablePosition({ symbol: "UNKNOWNUSDT" }))).toBe(`UNKNOWNUSDT ${sentence}`);
    expect(rows(anUnreadablePosition({ symbol: null }))).toBe(`a position ${sentence}`);
    expect(rows(anUnreadablePosition({ symbol: "ETHUSDT" }))).toBeNull();
  });

  test("beside a position of the other side whose coin is not known", () => {
    const stranger = (side: "long" | "short") =>
      hedgeDoubt(long, without("XUSDT", { positions: [long, aPosition({ symbol: "XUSDT", side })] }));
    expect(stranger("short")).toBe("XUSDT, whose base coin is not known, may be its other side");
    expect(stranger("long")).toBeNull();
  });
});
