/** Single histories of fills, and what they tell. */
import { describe, expect, test } from "vitest";
import { dec } from "../../src/domain/decimal.js";
import { closingOf, type Fill, legSize, type OddFill, openingOf, openingsSince } from "../../src/domain/fills.js";

interface Shape extends Omit<Partial<Fill>, "quantity" | "closed"> {
  readonly quantity: string;
  readonly closed?: string;
}

let made = 0;

function bought({ quantity, closed = "0", ...over }: Shape): Fill {
  made += 1;
  const usual = {
    kind: "fill",
    execId: `e${made}`,
    orderLinkId: "",
    direction: "buy",
    atMs: 1,
    seq: 0,
    by: "an order",
  } as const;
  return { ...usual, ...over, quantity: dec(quantity), closed: dec(closed) };
}

const sold = (shape: Shape): Fill => bought({ direction: "sell", ...shape });
const odd = (atMs: number | null): OddFill => ({ kind: "odd", atMs });
const long = (size: string) => legSize(0, "long", dec(size));
const short = (size: string) => legSize(0, "short", dec(size));

describe("the opening of a position", () => {
  test("is the flip, where one order closed the opposite one and opened it", () => {
    const fills = [bought({ quantity: "2" }), sold({ quantity: "5", closed: "2", atMs: 7 })];
    expect(openingOf(short("3"), fills)).toEqual({ kind: "opened", atMs: 7 });
  });

  test("is not told where it was closed and opened in the same moment, in an order that nobody states", () => {
    const fills = [
      bought({ quantity: "1" }),
      sold({ quantity: "1", closed: "1", atMs: 7 }),
      bought({ quantity: "1", atMs: 7 }),
    ];
    expect(openingOf(long("1"), fills)).toEqual({ kind: "untold" });
    expect(openingOf(long("1"), fills.toReversed())).toEqual({ kind: "untold" });
    const numbered = fills.map((fill, seq) => ({ ...fill, seq }));
    expect(openingOf(long("1"), numbered)).toEqual({ kind: "opened", atMs: 7 });
  });

  test("is not told behind a change that nobody understands, but in front of it", () => {
    const fills = [bought({ quantity: "1", atMs: 5 }), bought({ quantity: "1", atMs: 9 })];
    expect(openingOf(long("2"), [...fills, odd(7)])).toEqual({ kind: "untold" });
    expect(openingOf(long("2"), [...fills, odd(5)])).toEqual({ kind: "untold" });
    expect(openingOf(long("2"), [...fills, odd(4)])).toEqual({ kind: "opened", atMs: 5 });
    expect(openingOf(long("2"), [...fills, odd(null)])).toEqual({ kind: "untold" });
  });

  test("of one leg of a hedge is no business of the other", () => {
    const fills = [
      bought({ quantity: "2", atMs: 1 }),
      sold({ quantity: "3", atMs: 2 }),
      sold({ quantity: "2", closed: "2", atMs: 3 }),
      bought({ quantity: "1", closed: "1", atMs: 4 }),
      bought({ quantity: "4", atMs: 5 }),
    ];
    expect(openingOf(legSize(1, "long", dec("4")), fills)).toEqual({ kind: "opened", atMs: 5 });
    expect(openingOf(legSize(2, "short", dec("2")), fills)).toEqual({ kind: "opened", atMs: 2 });
  });

  test("of a hedge's leg is not told by a fill that closed and opened at once", () => {
    const fills = [bought({ quantity: "2", closed: "1" })];
    expect(openingOf(legSize(1, "long", dec("1")), fills)).toEqual({ kind: "untold" });
  });
});

describe("the end of a position", () => {
  test("is the first after the moment at which it was open, whatever came of the contract later", () => {
    const fills = [
      bought({ quantity: "2", atMs: 1 }),
      sold({ quantity: "1", closed: "1", atMs: 3 }),
      sold({ quantity: "1", closed: "1", atMs: 5, by: "its stop" }),
      bought({ quantity: "2", atMs: 6 }),
    ];
    expect(closingOf(long("2"), "long", 2, fills)).toEqual({ atMs: 5, by: "its stop" });
    expect(closingOf(long("2"), "long", 6, fills)).toBeNull();
  });

  test("is not told of a side that was not open then", () => {
    const fills = [sold({ quantity: "1", closed: "1", atMs: 5 })];
    expect(closingOf(legSize(0, "long", dec("0")), "short", 2, fills)).toBeNull();
    expect(closingOf(legSize(0, "long", dec("0")), "long", 2, fills)).toEqual({ atMs: 5, by: "an order" });
  });

  test("is not told where something odd has happened since", () => {
    const fills = [sold({ quantity: "1", closed: "1", atMs: 5 }), odd(4)];
    expect(closingOf(legSize(0, "long", dec("0")), "long", 2, fills)).toBeNull();
    expect(closingOf(legSize(0, "long", dec("0")), "long", 4, fills)).toMatchObject({ atMs: 5 });
  });
});

describe("all openings since a moment", () => {
  const fills = [
    bought({ quantity: "1", atMs: 3 }),
    sold({ quantity: "1", closed: "1", atMs: 5 }),
    sold({ quantity: "2", atMs: 6 }),
    bought({ quantity: "5", closed: "2", atMs: 8 }),
    bought({ quantity: "1", atMs: 9 }),
  ];

  test("are those of that side alone, closed ones and flips as well, and no growth", () => {
    expect(openingsSince(long("4"), "long", 0, fills)).toEqual([8, 3]);
    expect(openingsSince(long("4"), "short", 0, fills)).toEqual([6]);
    expect(openingsSince(long("4"), "long", 3, fills.slice(1))).toEqual([8]);
  });

  test("are not told where a fill is missing or cannot be read", () => {
    expect(openingsSince(long("4"), "long", 0, [...fills, odd(4)])).toBeNull();
    expect(openingsSince(long("3"), "long", 0, fills)).toBeNull();
  });
});
