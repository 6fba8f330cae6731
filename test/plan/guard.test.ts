/** What must never be sent is refused, whoever planned it. */
import { describe, expect, test } from "vitest";
import { dec } from "../../src/domain/decimal.js";
import type { PositionIdx, Side } from "../../src/domain/position.js";
import { objection } from "../../src/plan/guard.js";
import type { ClosePosition, SetTradingStop } from "../../src/plan/step.js";
import { fullStop } from "../builders/order.js";
import { aPosition } from "../builders/position.js";
import { firstOf } from "../builders/snapshot.js";

const long = aPosition();
const seen = firstOf({ positions: [long] });
const covered = firstOf({ positions: [long], orders: [fullStop(long, "97")] });

function stop(price: string): SetTradingStop["stopLoss"] {
  return { price: dec(price), triggerBy: "MarkPrice", purpose: "add" };
}

function aStep(overrides: Partial<SetTradingStop> = {}): SetTradingStop {
  return {
    action: "set-trading-stop",
    key: long.key,
    side: "long",
    stopLoss: stop("98"),
    takeProfit: null,
    reason: "stop-missing",
    ...overrides,
  };
}

const aClose: ClosePosition = {
  action: "close-position",
  key: long.key,
  side: "long",
  quantity: dec("1"),
  reason: "stop-past",
};

test("a stop below the mark of a naked long is fine, as is a tighter one than stands, and a close of its size", () => {
  expect([objection(aStep(), seen), objection(aStep(), covered), objection(aClose, seen)]).toEqual([null, null, null]);
});

describe("is refused:", () => {
  test.each<readonly [string, SetTradingStop | ClosePosition, typeof seen, RegExp]>([
    ["another symbol", aStep({ key: { ...long.key, symbol: "ETHUSDT" } }), seen, /another position/],
    ["another account", aStep({ key: { ...long.key, account: "other" } }), seen, /another position/],
    ["the other side", aStep({ side: "short" }), seen, /is long/],
    ["nothing to set", aStep({ stopLoss: null }), seen, /sets nothing/],
    ["a stop of zero", aStep({ stopLoss: stop("0") }), seen, /not above zero/],
    [
      "a stop of no number",
      aStep({ stopLoss: { price: dec("1").div(0), triggerBy: "MarkPrice", purpose: "add" } }),
      seen,
      /not above zero/,
    ],
    ["a stop off the tick", aStep({ stopLoss: stop("98.05") }), seen, /not on the tick 0.1/],
    ["a stop at the mark", aStep({ stopLoss: stop("100") }), seen, /past MarkPrice 100/],
    ["a stop above the mark", aStep({ stopLoss: stop("101") }), seen, /past MarkPrice 100/],
    [
      "a take-profit below the price",
      aStep({ takeProfit: { price: dec("99"), triggerBy: "LastPrice" } }),
      seen,
      /past LastPrice 100/,
    ],
    ["a looser stop than stands", aStep({ stopLoss: stop("96") }), covered, /stands at 97/],
    ["the stop that stands already", aStep({ stopLoss: stop("97") }), covered, /stands at 97/],
    ["a close that is larger than the position", { ...aClose, quantity: dec("1.1") }, seen, /larger/],
  ])("%s", (_what, step, assessed, reason) => {
    expect(objection(step, assessed)).toMatch(reason);
  });

  test.each<readonly [PositionIdx, Side]>([
    [1, "short"],
    [2, "long"],
  ])("leg %i as a %s", (positionIdx, side) => {
    const odd = aPosition({ positionIdx, side });
    expect(objection(aStep({ key: odd.key, side }), firstOf({ positions: [odd] }))).toMatch(/is not a/);
  });

  test("a looser stop than the position row states, though no order is listed", () => {
    const stated = firstOf({ positions: [aPosition({ fullStop: "99" })] });
    expect(objection(aStep(), stated)).toMatch(/stands at 99/);
  });
});
