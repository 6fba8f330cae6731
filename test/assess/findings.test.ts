/** Status and findings of a position in every situation that the report can tell of: scenarios as data. */
import { describe, expect, test } from "vitest";
import { assess } from "../../src/assess/assess.js";
import { dec } from "../../src/domain/decimal.js";
import { UNWRITTEN_LIFE } from "../../src/domain/life.js";
import { lookedAgain, pictureOf } from "../../src/domain/picture.js";
import type { Gap } from "../../src/domain/snapshot.js";
import { plan } from "../../src/plan/plan.js";
import { anInstrument, aTicker } from "../builders/market.js";
import {
  anUnreadableOrder,
  conditionalStop,
  fullStop,
  partialStop,
  partialTakeProfit,
  reduceOnlyLimit,
  stopLimit,
  takeProfit,
} from "../builders/order.js";
import { resolved, stopAt, takeProfitAt } from "../builders/policy.js";
import { anUnreadablePosition, aPosition, aShort } from "../builders/position.js";
import { aSnapshot, assessed, findingTexts, firstOf, type Judging, type SnapshotShape } from "../builders/snapshot.js";

/** Liquidation far away, so that only what a scenario is about is found. */
const long = aPosition({ liquidation: "50" });
const short = aShort({ liquidation: "150" });
const deep = aPosition({ liquidation: "95" });
const deepShort = aShort({ liquidation: "105" });
const past = aPosition({ liquidation: "50", mark: "97" });
const doomed = aPosition({ liquidation: "95", mark: "94" });
const doomedShort = aShort({ liquidation: "105", mark: "106" });
const profit = { protection: { takeProfit: takeProfitAt("0.04") } };
const NOW_MS = 1_700_000_000_000;
const HOUR_MS = 3_600_000;

interface Scenario {
  readonly what: string;
  readonly shape: SnapshotShape;
  readonly judging?: Judging;
  readonly status: string;
  readonly findings: readonly string[];
}

const orderGap = (overrides: Partial<Gap> = {}): Gap => ({
  category: "linear",
  what: "orders",
  reason: "timeout",
  ...overrides,
});

const STOP: readonly Scenario[] = [
  {
    what: "a Full stop at the configured level",
    shape: { positions: [long], orders: [fullStop(long, "98")] },
    status: "protected",
    findings: [],
  },
  {
    what: "no stop",
    shape: { positions: [long] },
    status: "unprotected",
    findings: ["critical stop-missing"],
  },
  {
    what: "half a stop",
    shape: { positions: [long], orders: [partialStop(long, "98", "0.5")] },
    status: "underprotected",
    findings: ["critical stop-partial"],
  },
  {
    what: "legs that add up to the whole",
    shape: { positions: [short], orders: [partialStop(short, "102", "0.5"), conditionalStop(short, "102", "0.5")] },
    status: "protected",
    findings: [],
  },
  {
    what: "a stop-limit",
    shape: { positions: [long], orders: [stopLimit(long, "98", "1")] },
    status: "protected",
    findings: ["warning stop-limit"],
  },
  {
    what: "a stop-limit that a whole Full stop makes redundant",
    shape: { positions: [long], orders: [fullStop(long, "98"), stopLimit(long, "98", "1")] },
    status: "protected",
    findings: [],
  },
  {
    what: "a stop-limit without which the cover would not be whole",
    shape: { positions: [long], orders: [partialStop(long, "98", "0.5"), stopLimit(long, "98", "0.5")] },
    status: "protected",
    findings: ["warning stop-limit"],
  },
  {
    what: "a stop that triggered and did not fill",
    shape: { positions: [long], orders: [fullStop(long, "98", { state: "partly-filled" })] },
    status: "unprotected",
    findings: ["critical stop-triggered-not-filled", "critical stop-missing"],
  },
  {
    what: "a stop-limit that triggered and rests",
    shape: { positions: [past], orders: [stopLimit(past, "98", "1", { state: "resting" })] },
    status: "unprotected",
    findings: ["critical stop-triggered-not-filled", "critical stop-missing", "critical stop-past"],
  },
  {
    what: "no stop, and the mark is past the configured level",
    shape: { positions: [past] },
    status: "unprotected",
    findings: ["critical stop-missing", "critical stop-past"],
  },
  {
    what: "a stop stands, and the mark is past the configured level: the stop is not called too wide",
    shape: { positions: [past], orders: [fullStop(past, "90")] },
    status: "protected",
    findings: [],
  },
  {
    what: "a stop wider than configured",
    shape: { positions: [long], orders: [fullStop(long, "90")] },
    status: "protected",
    findings: ["info stop-too-wide"],
  },
  {
    what: "a short's stop wider than configured",
    shape: { positions: [short], orders: [fullStop(short, "110")] },
    status: "protected",
    findings: ["info stop-too-wide"],
  },
  {
    what: "a stop tighter than configured",
    shape: { positions: [long], orders: [fullStop(long, "99")] },
    status: "protected",
    findings: ["info stop-tighter-than-configured"],
  },
  {
    what: "a stop tighter than configured that has stood there since before the position grew",
    shape: {
      positions: [aPosition({ size: "2", liquidation: "50" })],
      orders: [fullStop(aPosition({ size: "2" }), "99")],
    },
    judging: {
      life: { learned: { stopLoss: { price: dec("99"), triggerBy: "MarkPrice" }, takeProfit: null, size: dec("1") } },
    },
    status: "protected",
    findings: ["info stop-tighter-than-configured"],
  },
  {
    what: "a size above the largest market order",
    shape: {
      positions: [aPosition({ liquidation: "50", size: "5" })],
      orders: [fullStop(aPosition({ size: "5" }), "98")],
      instruments: [anInstrument({ largestMarketOrder: "4" })],
    },
    status: "protected",
    findings: ["warning stop-size-over-limit"],
  },
];

const LIQUIDATION: readonly Scenario[] = [
  {
    what: "isolated: a stop beyond liquidation is no stop",
    shape: { positions: [deep], orders: [fullStop(deep, "94")] },
    status: "misplaced",
    findings: ["critical stop-beyond-liquidation"],
  },
  {
    what: "isolated: a stop at the liquidation price is no stop",
    shape: { positions: [deep], orders: [fullStop(deep, "95")] },
    status: "misplaced",
    findings: ["critical stop-beyond-liquidation"],
  },
  {
    what: "isolated: a short's stop beyond liquidation is no stop",
    shape: { positions: [deepShort], orders: [fullStop(deepShort, "106")] },
    status: "misplaced",
    findings: ["critical stop-beyond-liquidation"],
  },
  {
    what: "cross: a stop beyond the estimated liquidation warns",
    shape: { positions: [deep], orders: [fullStop(deep, "94")], marginMode: "cross" },
    status: "misplaced",
    findings: ["warning stop-beyond-liquidation"],
  },
  {
    what: "isolated: one leg inside, one beyond",
    shape: { positions: [deep], orders: [partialStop(deep, "98", "0.5"), partialStop(deep, "94", "0.5")] },
    status: "misplaced",
    findings: ["critical stop-beyond-liquidation"],
  },
  {
    what: "isolated: a whole stop inside makes a leg beyond harmless",
    shape: { positions: [deep], orders: [fullStop(deep, "98"), partialStop(deep, "94", "0.5")] },
    status: "protected",
    findings: [],
  },
  {
    what: "half a stop, and that beyond liquidation",
    shape: { positions: [deep], orders: [partialStop(deep, "94", "0.5")] },
    status: "underprotected",
    findings: ["critical stop-partial", "critical stop-beyond-liquidation"],
  },
  {
    what: "isolated: the mark is past liquidation already, and the stop lies beyond it",
    shape: { positions: [doomed], orders: [fullStop(doomed, "93")] },
    status: "misplaced",
    findings: ["critical stop-beyond-liquidation"],
  },
  {
    what: "isolated: a short's mark is past liquidation already, and the stop lies beyond it",
    shape: { positions: [doomedShort], orders: [fullStop(doomedShort, "107")] },
    status: "misplaced",
    findings: ["critical stop-beyond-liquidation"],
  },
  {
    what: "a stop beyond liquidation is none while the exchange liquidates either",
    shape: {
      positions: [aPosition({ liquidation: "95", mark: "94", state: "liquidating" })],
      orders: [fullStop(doomed, "93")],
    },
    status: "misplaced",
    findings: ["critical stop-beyond-liquidation"],
  },
  {
    what: "isolated: a stop exactly at the configured level, within the buffer, is neither too wide nor too tight",
    shape: { positions: [deep], orders: [fullStop(deep, "95.1")] },
    judging: { protection: { mode: "tighten-only", stopLoss: stopAt("0.049") } },
    status: "protected",
    findings: [],
  },
  {
    what: "isolated: a stop between the configured level and where a new one would be placed is not called too tight",
    shape: { positions: [deep], orders: [fullStop(deep, "95.3")] },
    judging: { protection: { mode: "tighten-only", stopLoss: stopAt("0.049") } },
    status: "protected",
    findings: [],
  },
  {
    what: "no liquidation buffer: a stop one tick inside liquidation is told of without any word about ticks",
    shape: { positions: [deep] },
    judging: { protection: { stopLoss: stopAt("0.1"), liquidationBuffer: dec("0") } },
    status: "unprotected",
    findings: ["critical stop-missing"],
  },
  {
    what: "no liquidation price is not 'safe', and no reason to distrust a stop",
    shape: { positions: [aPosition()], orders: [fullStop(aPosition(), "98")] },
    status: "protected",
    findings: ["info liquidation-unknown"],
  },
  {
    what: "nor while it deleverages",
    shape: {
      positions: [aPosition({ liquidation: "95", state: "adl" })],
      orders: [fullStop(aPosition(), "94")],
    },
    status: "misplaced",
    findings: ["critical stop-beyond-liquidation"],
  },
];

const DOUBT: readonly Scenario[] = [
  {
    what: "open orders of the category that could not be read",
    shape: { positions: [long], gaps: [orderGap()] },
    status: "unknown",
    findings: ["critical unreadable"],
  },
  {
    what: "open orders of this contract that could not be read",
    shape: { positions: [long], gaps: [orderGap({ symbols: ["BTCUSDT"] })] },
    status: "unknown",
    findings: ["critical unreadable"],
  },
  {
    what: "open orders of another contract that could not be read",
    shape: { positions: [long], orders: [fullStop(long, "98")], gaps: [orderGap({ symbols: ["ETHUSDT"] })] },
    status: "protected",
    findings: [],
  },
  {
    what: "an order row that cannot be read, without any other stop",
    shape: { positions: [long], unreadableOrders: [anUnreadableOrder()] },
    status: "unknown",
    findings: ["critical unreadable"],
  },
  {
    what: "an order row of no known contract that cannot be read",
    shape: { positions: [long], unreadableOrders: [anUnreadableOrder({ symbol: null, positionIdx: null })] },
    status: "unknown",
    findings: ["critical unreadable"],
  },
  {
    what: "an unreadable order row of the other leg",
    shape: { positions: [long], unreadableOrders: [anUnreadableOrder({ positionIdx: 2 })] },
    status: "unprotected",
    findings: ["critical stop-missing"],
  },
  {
    what: "a whole stop is seen, whatever an unreadable row may be",
    shape: { positions: [long], orders: [fullStop(long, "98")], unreadableOrders: [anUnreadableOrder()] },
    status: "protected",
    findings: [],
  },
  {
    what: "the position row states a stop, but no such order is open",
    shape: { positions: [aPosition({ liquidation: "50", fullStop: "98" })] },
    status: "unknown",
    findings: ["critical unreadable"],
  },
  {
    what: "a Full stop is open that the position row does not state",
    shape: { positions: [long], orders: [fullStop(long, "98")], rowsAsGiven: true },
    status: "unknown",
    findings: ["critical unreadable"],
  },
  {
    what: "a Full stop is open at another price than the position row states",
    shape: {
      positions: [aPosition({ liquidation: "50", fullStop: "90" })],
      orders: [fullStop(long, "98")],
      rowsAsGiven: true,
    },
    status: "unknown",
    findings: ["critical unreadable"],
  },
  {
    what: "a Full stop is open within a tick of what the position row states",
    shape: {
      positions: [aPosition({ liquidation: "50", fullStop: "98.07" })],
      orders: [fullStop(long, "98")],
      rowsAsGiven: true,
    },
    status: "protected",
    findings: [],
  },
  {
    what: "the same, and other orders cover the position whole",
    shape: { positions: [long], orders: [fullStop(long, "98"), partialStop(long, "98", "1")], rowsAsGiven: true },
    status: "protected",
    findings: [],
  },
  {
    what: "with a take-profit configured, an unreadable row leaves open whether there is one",
    shape: { positions: [long], orders: [fullStop(long, "98")], unreadableOrders: [anUnreadableOrder()] },
    judging: profit,
    status: "protected",
    findings: ["warning take-profit-missing"],
  },
];

const TAKE_PROFIT: readonly Scenario[] = [
  {
    what: "none, and none configured",
    shape: { positions: [long], orders: [fullStop(long, "98")] },
    status: "protected",
    findings: [],
  },
  {
    what: "none, but one is configured",
    shape: { positions: [long], orders: [fullStop(long, "98")] },
    judging: profit,
    status: "protected",
    findings: ["warning take-profit-missing"],
  },
  {
    what: "a half one, and one is configured",
    shape: { positions: [long], orders: [fullStop(long, "98"), partialTakeProfit(long, "104", "0.5")] },
    judging: profit,
    status: "protected",
    findings: ["warning take-profit-partial"],
  },
  {
    what: "a half one, and none is configured",
    shape: { positions: [long], orders: [fullStop(long, "98"), partialTakeProfit(long, "104", "0.5")] },
    status: "protected",
    findings: [],
  },
  {
    what: "a resting reduce-only limit for the whole size",
    shape: { positions: [long], orders: [fullStop(long, "98"), reduceOnlyLimit(long, "105", "1")] },
    judging: profit,
    status: "protected",
    findings: [],
  },
  {
    what: "none, and the price has passed the configured one",
    shape: { positions: [aPosition({ liquidation: "50", mark: "105" })], orders: [fullStop(long, "98")] },
    judging: profit,
    status: "protected",
    findings: ["info take-profit-past"],
  },
  {
    what: "a short's whole take-profit",
    shape: { positions: [short], orders: [fullStop(short, "102"), takeProfit(short, "96")] },
    judging: profit,
    status: "protected",
    findings: [],
  },
];

const CONTRACT: readonly Scenario[] = [
  {
    what: "a level within three ticks of the mark is rounded away and told",
    shape: { positions: [aPosition({ liquidation: "50" })], instruments: [anInstrument({ tick: "0.75" })] },
    status: "unprotected",
    findings: ["critical stop-missing", "warning tick-too-coarse"],
  },
  {
    what: "a level that is rounded away is told also once the stop stands there, and has been learned",
    shape: {
      positions: [aPosition({ liquidation: "50" })],
      orders: [fullStop(long, "97.5")],
      instruments: [anInstrument({ tick: "0.75" })],
    },
    judging: {
      life: { learned: { stopLoss: { price: dec("97.5"), triggerBy: "MarkPrice" }, takeProfit: null, size: dec("1") } },
    },
    status: "protected",
    findings: ["warning tick-too-coarse"],
  },
  {
    what: "and not where a tighter one stands",
    shape: {
      positions: [aPosition({ liquidation: "50" })],
      orders: [fullStop(long, "98.25")],
      instruments: [anInstrument({ tick: "0.75" })],
    },
    status: "protected",
    findings: ["info stop-tighter-than-configured"],
  },
  {
    what: "a contract that is delisted within three days",
    shape: {
      positions: [long],
      orders: [fullStop(long, "98")],
      instruments: [anInstrument({ deliveryAtMs: NOW_MS + 40 * HOUR_MS })],
    },
    status: "protected",
    findings: ["warning delisting-soon"],
  },
  {
    what: "a dated future that has months to go",
    shape: {
      positions: [long],
      orders: [fullStop(long, "98")],
      instruments: [anInstrument({ deliveryAtMs: NOW_MS + 2_000 * HOUR_MS })],
    },
    status: "protected",
    findings: [],
  },
  ...["CallAuction", "CallAuctionNoCancel", "CrossMatching", "NotStarted"].map((phase) => ({
    what: `no exits are accepted in the phase ${phase}`,
    shape: { positions: [long], tickers: [aTicker({ preMarketPhase: phase })] },
    status: "unprotectable",
    findings: ["warning unprotectable"],
  })),
  {
    what: "continuous pre-market trading is as good as any",
    shape: { positions: [long], tickers: [aTicker({ preMarketPhase: "continuous-trading" })] },
    status: "unprotected",
    findings: ["critical stop-missing"],
  },
  ...["continuous-trading", "finished"].map((phase) => ({
    what: `the phase of now (${phase}) counts, whatever it was when the rules were read`,
    shape: {
      positions: [long],
      instruments: [anInstrument({ preMarketPhase: "call-auction" })],
      tickers: [aTicker({ preMarketPhase: phase })],
    },
    status: "unprotected",
    findings: ["critical stop-missing"],
  })),
  {
    what: "a delivering contract takes no exits and is about to end",
    shape: {
      positions: [long],
      instruments: [anInstrument({ status: "delivering", deliveryAtMs: NOW_MS - HOUR_MS })],
    },
    status: "unprotectable",
    findings: ["warning unprotectable", "warning delisting-soon"],
  },
  {
    what: "an ignored position has a status and nothing to find",
    shape: { positions: [long] },
    judging: { policy: resolved({ ignored: true }) },
    status: "ignored",
    findings: [],
  },
];

describe.each([
  ["the stop", STOP],
  ["liquidation", LIQUIDATION],
  ["what cannot be read", DOUBT],
  ["the take-profit", TAKE_PROFIT],
  ["the contract", CONTRACT],
] as const)("%s", (_name, scenarios: readonly Scenario[]) => {
  test.each(scenarios)("$what: $status", ({ shape, judging, status, findings }) => {
    const found = firstOf(shape, judging);
    expect({ status: found.status, findings: findingTexts(found) }).toEqual({ status, findings });
  });
});

describe("a row that cannot be read", () => {
  test("is an unseen position with a critical finding, never a flat one", () => {
    const { positions, unseen } = assessed({ unreadablePositions: [anUnreadablePosition()] });
    expect(positions).toEqual([]);
    expect(unseen.map(findingTexts)).toEqual([["critical unreadable"]]);
  });

  test("says which row and why, also where the symbol is not known", () => {
    const { unseen } = assessed({ unreadablePositions: [anUnreadablePosition({ symbol: null })] });
    expect(unseen[0]?.findings[0]?.message).toContain('side is "Both"');
  });
});

describe("legs that offset each other", () => {
  const found = (shape: SnapshotShape) =>
    assessed(shape).positions.map(
      ({ position, hedgedBy }) => `${position.key.symbol} ${position.side}: ${hedgedBy.join(", ")}`,
    );

  test("the two legs of one contract name each other, however unequal", () => {
    const legs = [aPosition({ positionIdx: 1, size: "100" }), aShort({ positionIdx: 2, size: "1" })];
    expect(found({ positions: legs })).toEqual(["BTCUSDT long: BTCUSDT short", "BTCUSDT short: BTCUSDT long"]);
  });

  test("contracts on one base coin that offset each other by half name each other", () => {
    const positions = [aPosition({ size: "2" }), aShort({ symbol: "BTCPERP", size: "1" })];
    expect(found({ positions })).toEqual(["BTCUSDT long: BTCPERP short", "BTCPERP short: BTCUSDT long"]);
  });

  test("an inverse contract counts with its size, which is dollars", () => {
    const inverse = aShort({ category: "inverse", symbol: "BTCUSD", size: "200" });
    expect(found({ positions: [aPosition({ size: "2" }), inverse] })).toEqual([
      "BTCUSDT long: BTCUSD short",
      "BTCUSD short: BTCUSDT long",
    ]);
  });

  test("less than half is no hedge", () => {
    const positions = [aPosition({ size: "2.1" }), aShort({ symbol: "BTCPERP", size: "1" })];
    expect(found({ positions })).toEqual(["BTCUSDT long: ", "BTCPERP short: "]);
  });

  test("the same side on one coin is no hedge, nor is another coin", () => {
    const positions = [aPosition(), aPosition({ symbol: "BTCPERP" }), aShort({ symbol: "ETHUSDT" })];
    expect(found({ positions }).every((line) => line.endsWith(": "))).toBe(true);
  });

  test("are told as information, or ignored where the operator wants it so", () => {
    const legs = [aPosition({ positionIdx: 1, liquidation: "50" }), aShort({ positionIdx: 2, liquidation: "150" })];
    expect(findingTexts(firstOf({ positions: legs }))).toEqual(["critical stop-missing", "info hedge-leg"]);
    expect(firstOf({ positions: legs }, { protection: { hedged: "ignore" } }).status).toBe("ignored");
  });

  test("are still named as such where they are ignored for it; a rule's ignore says nothing at all", () => {
    const legs = [aPosition({ positionIdx: 1, liquidation: "50" }), aShort({ positionIdx: 2, liquidation: "150" })];
    const ignoredAsHedge = firstOf({ positions: legs }, { protection: { hedged: "ignore" } });
    const ignoredByRule = firstOf({ positions: legs }, { policy: resolved({ ignored: true }) });
    expect(findingTexts(ignoredAsHedge)).toEqual(["info hedge-leg"]);
    expect([ignoredByRule.status, findingTexts(ignoredByRule)]).toEqual(["ignored", []]);
  });
});

test("a stop whose distance is not configured is neither too wide nor too tight", () => {
  const found = firstOf(
    { positions: [long], orders: [fullStop(long, "60")] },
    { protection: { mode: "report-only", stopLoss: null } },
  );
  expect(findingTexts(found)).toEqual([]);
});

test("a position whose contract is not known is still judged by its orders", () => {
  const shape = { positions: [long, aPosition({ symbol: "ETHUSDT" })], orders: [fullStop(long, "98")] };
  const { positions } = assess({
    snapshot: { ...aSnapshot(shape), instruments: new Map() },
    policyOf: () => resolved(),
    lifeOf: () => UNWRITTEN_LIFE,
  });
  expect(positions.map(({ status }) => status)).toEqual(["protected", "unprotected"]);
});

test("in cross margin a stop beyond the estimate is a warning also where the contract is not known", () => {
  const shape = { positions: [deep], orders: [fullStop(deep, "94")], marginMode: "cross" } as const;
  const { positions } = assess({
    snapshot: { ...aSnapshot(shape), instruments: new Map() },
    policyOf: () => resolved(),
    lifeOf: () => UNWRITTEN_LIFE,
  });
  expect(positions.map(findingTexts)).toEqual([["warning stop-beyond-liquidation"]]);
});

test("an order of no known contract that turns up in a later look leaves every position of its category in doubt", () => {
  const eth = aPosition({ symbol: "ETHUSDT" });
  const nameless = anUnreadableOrder({ symbol: null, positionIdx: null });
  const later = aSnapshot({
    scope: [{ category: "linear", symbol: "BTCUSDT" }],
    positions: [long],
    unreadableOrders: [nameless],
  });
  const { snapshot } = lookedAgain(pictureOf(aSnapshot({ positions: [long, eth] })), later);
  const { positions } = assess({ snapshot, policyOf: () => resolved(), lifeOf: () => UNWRITTEN_LIFE });
  expect(positions.map(({ position, status }) => `${position.key.symbol} ${status}`).sort()).toEqual([
    "BTCUSDT unknown",
    "ETHUSDT unknown",
  ]);
});

describe("a stop whose trigger the price has crossed and which still waits", () => {
  const under = aPosition({ liquidation: "50", mark: "97" });

  test("protects nothing: the position is unknown, whatever else the row says", () => {
    const { status, findings } = firstOf({ positions: [under], orders: [fullStop(under, "98")] });
    expect(status).toBe("unknown");
    expect(findings.map(({ message }) => message).join()).toContain("should have triggered by MarkPrice");
  });

  test("is not touched: it may be triggering this moment", () => {
    const shape = { positions: [under], orders: [fullStop(under, "98")] };
    expect(plan(assessed(shape), { frozen: null, manyChangesAgreed: true })).toEqual([]);
  });

  test("by another price than the mark is judged by that price", () => {
    const byLast = { ...fullStop(under, "98"), triggerBy: "LastPrice" } as const;
    const waits = firstOf({ positions: [under], orders: [byLast], tickers: [aTicker({ mark: "97", last: "98.5" })] });
    const overdue = firstOf({ positions: [under], orders: [byLast], tickers: [aTicker({ mark: "97", last: "97.5" })] });
    expect([waits.status, overdue.status]).toEqual(["protected", "unknown"]);
  });

  test("beside a whole stop that still waits rightly leaves the position protected", () => {
    const orders = [conditionalStop(under, "98", "1"), fullStop(under, "95")];
    expect(firstOf({ positions: [under], orders }).status).toBe("protected");
  });
});
