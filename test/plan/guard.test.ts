/** What must never be sent is refused, whoever planned it. */
import { describe, expect, test } from "vitest";
import { assess } from "../../src/assess/assess.js";
import { dec } from "../../src/domain/decimal.js";
import type { PositionIntent } from "../../src/domain/intent.js";
import { type LifeRecord, UNWRITTEN_LIFE } from "../../src/domain/life.js";
import type { PositionIdx, Side } from "../../src/domain/position.js";
import { objection } from "../../src/plan/guard.js";
import type { ClosePosition, SetTradingStop, StopPurpose } from "../../src/plan/step.js";
import { aTicker } from "../builders/market.js";
import { fullStop } from "../builders/order.js";
import { resolved } from "../builders/policy.js";
import { aPosition } from "../builders/position.js";
import { aSnapshot, firstOf } from "../builders/snapshot.js";

const long = aPosition();
const seen = () => firstOf({ positions: [long] });
const covered = () => firstOf({ positions: [long], orders: [fullStop(long, "97")] });

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

test.each([
  ["reports only", { ...resolved(), protection: { ...resolved().protection, mode: "report-only" as const } }],
  ["ignores the position", { ...resolved(), ignored: true }],
  ["leaves the position out", { ...resolved(), inScope: false }],
])("nothing is sent where the policy %s", (_what, policy) => {
  expect(objection(aStep(), { ...seen(), policy })).toBe("its policy allows no writes");
  expect(objection(aClose, { ...seen(), policy })).toBe("its policy allows no writes");
});

test("a stop below the mark of a naked long is fine, as is a tighter one than stands, and a close of its size", () => {
  expect([objection(aStep(), seen()), objection(aStep(), covered()), objection(aClose, seen())]).toEqual([
    null,
    null,
    null,
  ]);
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
    [
      "a take-profit of zero",
      aStep({ takeProfit: { price: dec("0"), triggerBy: "LastPrice" } }),
      seen,
      /the take-profit is not above zero/,
    ],
    ["a looser stop than stands", aStep({ stopLoss: stop("96") }), covered, /stands at 97/],
    ["the stop that stands already", aStep({ stopLoss: stop("97") }), covered, /stands at 97/],
    ["a close that is larger than the position", { ...aClose, quantity: dec("1.1") }, seen, /larger/],
  ])("%s", (_what, step, assessed, reason) => {
    expect(objection(step, assessed())).toMatch(reason);
  });

  test.each<readonly [PositionIdx, Side]>([
    [1, "short"],
    [2, "long"],
  ])("leg %i as a %s", (positionIdx, side) => {
    const odd = aPosition({ positionIdx, side });
    expect(objection(aStep({ key: odd.key, side }), firstOf({ positions: [odd] }))).toMatch(/is not a/);
  });

  test("anything of a contract whose tick is not known, but for a close", () => {
    const snapshot = { ...aSnapshot({ positions: [long] }), instruments: new Map() };
    const [blind] = assess({ snapshot, policyOf: () => resolved(), lifeOf: () => UNWRITTEN_LIFE }).positions;
    if (blind === undefined) throw new RangeError("one position in, one out");
    expect([objection(aStep(), blind), objection(aClose, blind)]).toEqual([
      "the contract's tick size is not known",
      null,
    ]);
  });

  test("a level whose trigger has no current price", () => {
    const dark = firstOf({ positions: [long], tickers: [aTicker({ last: null })] });
    const byLast = aStep({ takeProfit: { price: dec("104"), triggerBy: "LastPrice" } });
    expect(objection(byLast, dark)).toBe("the exchange states no current LastPrice");
  });

  test("a looser stop than the position row states, though no order is listed", () => {
    const stated = firstOf({ positions: [aPosition({ fullStop: "99" })] });
    expect(objection(aStep(), stated)).toMatch(/stands at 99/);
  });
});

describe("a stop that loosens", () => {
  const asked: PositionIntent = {
    id: "i-1",
    stopLoss: dec("95"),
    takeProfit: null,
    waiver: null,
    mayLoosenFrom: dec("97"),
    who: "bot",
  };
  const loosening = (price = "95", purpose: StopPurpose = "loosen") =>
    aStep({ stopLoss: { price: dec(price), triggerBy: "MarkPrice", purpose } });

  function refusal(life: Partial<LifeRecord>, step = loosening(), standing = "97", position = long): string | null {
    return objection(step, firstOf({ positions: [position], orders: [fullStop(position, standing)] }, { life }));
  }

  test("goes where this life's intent asks for that price, from where it spoke of or looser", () => {
    expect(refusal({ intent: asked })).toBeNull();
    expect(refusal({ intent: asked }, loosening(), "96")).toBeNull();
  });

  test.each<readonly [string, () => string | null]>([
    ["without an intent", () => refusal({ intent: null })],
    ["by an intent that may not loosen", () => refusal({ intent: { ...asked, mayLoosenFrom: null } })],
    ["by an intent that was met already", () => refusal({ intent: asked, metStopIntent: "i-1" })],
    ["to another price than was asked for", () => refusal({ intent: asked }, loosening("94"))],
    [
      "to the configured price by an intent that names none",
      () => refusal({ intent: { ...asked, stopLoss: null, mayLoosenFrom: dec("99") } }, loosening("98"), "99"),
    ],
    ["for any other purpose", () => refusal({ intent: asked }, loosening("95", "tighten"))],
    ["from a tighter stop than was spoken of", () => refusal({ intent: asked }, loosening(), "97.1")],
    [
      "to a level that the mark has passed",
      () => refusal({ intent: { ...asked, stopLoss: dec("101") } }, loosening("95")),
    ],
  ])("is refused %s", (_when, reason) => {
    expect(reason()).toMatch(/^a stop stands at 9[79](\.1)?; 9[458] would not be tighter$/);
  });
});
