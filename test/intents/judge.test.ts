/** Whether a wish makes sense for the position as it stands: refused with both prices, or kept. */
import { describe, expect, test } from "vitest";
import type { Assessed } from "../../src/assess/assess.js";
import { judgeWish } from "../../src/intents/judge.js";
import { fullStop, partialStop } from "../builders/order.js";
import { aPosition, aShort, type PositionShape } from "../builders/position.js";
import { firstOf } from "../builders/snapshot.js";
import { NOW_MS, wish } from "./stage.js";

/** A long of 1 from 100 with the mark at 100; its Full stop where one is named. */
function open(stop: string | null = null, shape: Partial<PositionShape> = {}): Assessed {
  const position = aPosition({ fullStop: stop, ...shape });
  return firstOf({ positions: [position], orders: stop === null ? [] : [fullStop(position, stop)] });
}

const openShort = (stop: string | null = null) => {
  const position = aShort({ fullStop: stop });
  return firstOf({ positions: [position], orders: stop === null ? [] : [fullStop(position, stop)] });
};

function judged(asked: Parameters<typeof wish>[0], against: Assessed | null = null, positionIdx: 0 | 1 | 2 = 0) {
  return judgeWish(wish(asked), { positionIdx, open: against, nowMs: NOW_MS });
}

describe("nothing is refused", () => {
  test.each([
    ["while no position is open, whatever the price", { stopLoss: "1000" }, null],
    ["where the stop is tighter than the one that stands", { stopLoss: "95" }, open("90")],
    ["where the stop stands already", { stopLoss: "90" }, open("90")],
    ["where nothing stands", { stopLoss: "1" }, open()],
    ["where only the take-profit is named", { stopLoss: undefined, takeProfit: "110" }, open("90")],
    ["for a short's stop above the mark", { side: "short", stopLoss: "110", takeProfit: "90" }, openShort()],
    ["where the mark is not known", { stopLoss: "100" }, open(null, { mark: null })],
  ])("%s", (_when, asked, against) => {
    expect(judged(asked, against)).toMatchObject({ refusal: null, mayLoosenFrom: null });
  });
});

describe("422 says what is wrong", () => {
  const past = (message: string, standing: string, wanted: string) => ({ message, standing, wanted });

  test.each([
    [
      "a long's stop above the mark",
      judged({ stopLoss: "101" }, open()),
      past("a long is open, and MarkPrice 100 has passed the stop-loss 101", "100", "101"),
    ],
    [
      "a long's stop at the mark",
      judged({ stopLoss: "100" }, open()),
      past("a long is open, and MarkPrice 100 has passed the stop-loss 100", "100", "100"),
    ],
    [
      "a short's stop below the mark",
      judged({ side: "short", stopLoss: "99" }, openShort()),
      past("a short is open, and MarkPrice 100 has passed the stop-loss 99", "100", "99"),
    ],
    [
      "a long's take-profit below the last price",
      judged({ stopLoss: undefined, takeProfit: "99" }, open()),
      past("a long is open, and LastPrice 100 has passed the take-profit 99", "100", "99"),
    ],
    [
      "a short's take-profit at the last price",
      judged({ side: "short", stopLoss: undefined, takeProfit: "100" }, openShort()),
      past("a short is open, and LastPrice 100 has passed the take-profit 100", "100", "100"),
    ],
    [
      "a long's stop above its take-profit",
      judged({ stopLoss: "95", takeProfit: "94" }),
      { message: "a long's stop 95 must be below its take-profit 94" },
    ],
    [
      "a long's stop equal to its take-profit",
      judged({ stopLoss: "95", takeProfit: "95.0" }),
      { message: "a long's stop 95 must be below its take-profit 95" },
    ],
    [
      "a short's stop below its take-profit",
      judged({ side: "short", stopLoss: "95", takeProfit: "96" }),
      { message: "a short's stop 95 must be above its take-profit 96" },
    ],
    ["the other leg of hedge mode", judged({}, null, 2), { message: "positionIdx 2 is the short leg, not a long" }],
    [
      "a waiver that is over",
      judged({ stopLoss: "none", reason: "why", until: "2026-01-01T00:00:00Z" }),
      { message: "until 2026-01-01T00:00:00.000Z is over already" },
    ],
    [
      "a waiver that asks for more",
      judged({ stopLoss: "none", reason: "why", until: "2026-01-02T00:00:00Z", allowLoosen: true }),
      { message: "a waiver loosens nothing: it keeps a stop from being added" },
    ],
  ])("%s", (_what, { refusal, mayLoosenFrom }, told) => {
    expect(refusal).toEqual({ status: "refused", httpStatus: 422, code: "unprocessable", ...told });
    expect(mayLoosenFrom).toBeNull();
  });

  test("also where the loosening was asked for by name: a level past the mark is no level", () => {
    expect(judged({ side: "short", stopLoss: "99", allowLoosen: true }, openShort("98")).refusal?.httpStatus).toBe(422);
  });
});

describe("409 names the stop that stands and the one that was asked for", () => {
  test("for a long", () => {
    expect(judged({ stopLoss: "89.9" }, open("90")).refusal).toEqual({
      status: "refused",
      httpStatus: 409,
      code: "would-loosen",
      message: "a stop stands at 90; 89.9 would loosen it, which needs allowLoosen: true",
      standing: "90",
      wanted: "89.9",
    });
  });

  test("for a short", () => {
    const { refusal } = judged({ side: "short", stopLoss: "110.1" }, openShort("110"));
    expect(refusal).toMatchObject({ httpStatus: 409, standing: "110", wanted: "110.1" });
  });

  test("where Partial legs cover the whole position", () => {
    const position = aPosition();
    const against = firstOf({ positions: [position], orders: [partialStop(position, "90", "1")] });
    expect(judged({ stopLoss: "89" }, against).refusal).toMatchObject({ httpStatus: 409, standing: "90" });
  });

  test("unless it is asked for by name; then the stop that stood is remembered", () => {
    const { refusal, mayLoosenFrom } = judged({ stopLoss: "89", allowLoosen: true }, open("90"));
    expect([refusal, mayLoosenFrom?.toFixed()]).toEqual([null, "90"]);
  });

  test("allowLoosen is nothing where nothing would be loosened", () => {
    expect(judged({ stopLoss: "91", allowLoosen: true }, open("90")).mayLoosenFrom).toBeNull();
    expect(judged({ stopLoss: "91", allowLoosen: true }).mayLoosenFrom).toBeNull();
  });
});

test("a waiver is told with its end in one form", () => {
  const asked = { stopLoss: "none", reason: "why", until: "2026-01-02T00:00:00+01:00" };
  const { waiver, stopLoss } = judged(asked, open("90")).wish;
  expect(stopLoss).toBeNull();
  expect(waiver).toEqual({ reason: "why", until: "2026-01-01T23:00:00.000Z", untilMs: NOW_MS + 23 * 3_600_000 });
});
