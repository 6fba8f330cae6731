/** What a position is worth, and what an exit would lose: worked examples. */
import { describe, expect, test } from "vitest";
import { distancePct, lossAt, notionalQuote } from "../../src/assess/value.js";
import { dec } from "../../src/domain/decimal.js";
import type { Position } from "../../src/domain/position.js";
import { aTicker } from "../builders/market.js";
import { aPosition, aShort } from "../builders/position.js";

const inverse = { category: "inverse", symbol: "BTCUSD", size: "1000" } as const;

describe("the value of a position", () => {
  test.each<readonly [string, Position, Parameters<typeof notionalQuote>[1], string]>([
    ["is its size at the mark", aPosition({ size: "2" }), aTicker({ mark: "110" }), "220"],
    ["is at the row's own mark without a ticker", aPosition({ size: "2", mark: "105" }), undefined, "210"],
    ["is at the row's own mark where the ticker has none", aPosition({ mark: "105" }), aTicker({ mark: null }), "105"],
    ["is at its entry without any mark", aPosition({ size: "2", mark: null }), aTicker({ mark: null }), "200"],
    ["of an inverse contract is its size", aPosition(inverse), aTicker({ mark: "110" }), "1000"],
  ])("%s", (_what, position, ticker, expected) => {
    expect(notionalQuote(position, ticker).toFixed()).toBe(expected);
  });
});

describe("the loss at an exit", () => {
  test.each<readonly [string, Position, string, string]>([
    ["of a long below its entry", aPosition({ size: "2" }), "98", "4"],
    ["of a long above its entry is a gain", aPosition({ size: "2" }), "104", "-8"],
    ["of a short above its entry", aShort({ size: "2" }), "102", "4"],
    ["of a short below its entry is a gain", aShort({ size: "2" }), "96", "-8"],
    ["of an inverse long, in its coin", aPosition(inverse), "80", "2.5"],
    ["of an inverse short, in its coin", aShort(inverse), "125", "2"],
  ])("%s", (_what, position, price, expected) => {
    expect(lossAt(position, dec(price)).toFixed()).toBe(expected);
  });
});

test("the distance of an exit is negative where it would lose", () => {
  expect(distancePct(aPosition({ entry: "200" }), dec("196")).toFixed()).toBe("-2");
  expect(distancePct(aPosition({ entry: "200" }), dec("208")).toFixed()).toBe("4");
  expect(distancePct(aShort({ entry: "200" }), dec("204")).toFixed()).toBe("-2");
  expect(distancePct(aShort({ entry: "200" }), dec("192")).toFixed()).toBe("4");
});
