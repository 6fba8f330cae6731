/** Which step closes which gap in which mode: situation × mode → step, as data. */
import { describe, expect, test } from "vitest";
import { assess } from "../../src/assess/assess.js";
import { dec } from "../../src/domain/decimal.js";
import { type LifeRecord, UNWRITTEN_LIFE } from "../../src/domain/life.js";
import { plan } from "../../src/plan/plan.js";
import type { Mode, Protection } from "../../src/policy/protection.js";
import { anInstrument, aTicker } from "../builders/market.js";
import {
  anUnreadableOrder,
  conditionalStop,
  conditionalTakeProfit,
  fullStop,
  partialStop,
  partialTakeProfit,
  reduceOnlyLimit,
  takeProfit,
  trailing,
} from "../builders/order.js";
import { aProtection, resolved, stopAt, takeProfitAt, takeProfitInR } from "../builders/policy.js";
import { anUnreadablePosition, aPosition, aShort } from "../builders/position.js";
import { aSnapshot, planned, type Judging, type SnapshotShape, stepText } from "../builders/snapshot.js";

const MODES: readonly Mode[] = ["report-only", "create-only", "tighten-only", "sync"];

const long = aPosition();
const short = aShort();
const deep = aPosition({ liquidation: "95" });
const past = aPosition({ mark: "97" });
const pastShort = aShort({ mark: "103" });
const rich = aPosition({ mark: "105" });
const at4 = { takeProfit: takeProfitAt("0.04") };

interface Situation {
  readonly what: string;
  readonly shape: SnapshotShape;
  readonly protection?: Partial<Protection>;
  readonly life?: Partial<LifeRecord>;
  /** By mode; a missing mode plans nothing. */
  readonly steps: Readonly<Partial<Record<Mode, string>>>;
}

const writing = (step: string) => ({ "create-only": step, "tighten-only": step, sync: step });
const moving = (step: string) => ({ "tighten-only": step, sync: step });

const SITUATIONS: readonly Situation[] = [
  {
    what: "naked long",
    shape: { positions: [long] },
    steps: writing("set BTCUSDT/0 stop 98 add (stop-missing)"),
  },
  {
    what: "naked short",
    shape: { positions: [short] },
    steps: writing("set BTCUSDT/0 stop 102 add (stop-missing)"),
  },
  {
    what: "naked short leg of a hedge",
    shape: { positions: [aShort({ positionIdx: 2 })] },
    steps: writing("set BTCUSDT/2 stop 102 add (stop-missing)"),
  },
  {
    what: "half covered",
    shape: { positions: [long], orders: [partialStop(long, "97", "0.5")] },
    steps: writing("set BTCUSDT/0 stop 98 add (stop-partial)"),
  },
  {
    what: "only a trailing stop",
    shape: { positions: [long], orders: [trailing(long, "99")] },
    steps: writing("set BTCUSDT/0 stop 98 add (stop-missing)"),
  },
  { what: "stop as configured", shape: { positions: [long], orders: [fullStop(long, "98")] }, steps: {} },
  {
    what: "stop wider than configured",
    shape: { positions: [long], orders: [fullStop(long, "90")] },
    steps: moving("set BTCUSDT/0 stop 98 tighten (stop-too-wide)"),
  },
  {
    what: "stop wider than configured, of a position that has grown, where a stop is to follow",
    shape: { positions: [long], orders: [fullStop(long, "90")] },
    protection: { onScaleIn: "tighten" },
    life: { grown: true },
    steps: writing("set BTCUSDT/0 stop 98 tighten (stop-too-wide)"),
  },
  {
    what: "stop wider than configured, of a position that has not grown, where a stop is to follow",
    shape: { positions: [long], orders: [fullStop(long, "90")] },
    protection: { onScaleIn: "tighten" },
    steps: moving("set BTCUSDT/0 stop 98 tighten (stop-too-wide)"),
  },
  {
    what: "stop wider than configured, of a position that has grown, where a stop is to stay",
    shape: { positions: [long], orders: [fullStop(long, "90")] },
    life: { grown: true },
    steps: moving("set BTCUSDT/0 stop 98 tighten (stop-too-wide)"),
  },
  {
    what: "covered by Partial legs tighter than configured",
    shape: { positions: [long], orders: [partialStop(long, "99", "1")] },
    steps: {},
  },
  {
    what: "covered by conditionals wider than configured",
    shape: { positions: [long], orders: [conditionalStop(long, "90", "1")] },
    steps: moving("set BTCUSDT/0 stop 98 tighten (stop-too-wide)"),
  },
  { what: "stop tighter than configured", shape: { positions: [long], orders: [fullStop(long, "99")] }, steps: {} },
  {
    what: "a short's stop tighter than configured",
    shape: { positions: [short], orders: [fullStop(short, "101")] },
    steps: {},
  },
  {
    what: "a stop stands while the configured level is past",
    shape: { positions: [past], orders: [fullStop(past, "90")] },
    steps: {},
  },
  {
    what: "stop fine, take-profit missing",
    shape: { positions: [long], orders: [fullStop(long, "98")] },
    protection: at4,
    steps: writing("set BTCUSDT/0 profit 104 (take-profit-missing)"),
  },
  {
    what: "both missing: one request",
    shape: { positions: [long] },
    protection: at4,
    steps: writing("set BTCUSDT/0 stop 98 add profit 104 (stop-missing)"),
  },
  {
    what: "take-profit in R",
    shape: { positions: [short] },
    protection: { takeProfit: takeProfitInR("1.5") },
    steps: writing("set BTCUSDT/0 stop 102 add profit 97 (stop-missing)"),
  },
  {
    what: "a take-profit below zero goes unset, and the stop goes alone",
    shape: { positions: [short] },
    protection: { stopLoss: stopAt("0.6"), takeProfit: takeProfitInR("2") },
    steps: writing("set BTCUSDT/0 stop 160 add (stop-missing)"),
  },
  {
    what: "a take-profit whose trigger price is not known goes unset, and the stop goes alone",
    shape: { positions: [long], tickers: [aTicker({ last: null })] },
    protection: at4,
    steps: writing("set BTCUSDT/0 stop 98 add (stop-missing)"),
  },
  {
    what: "a Full take-profit elsewhere than configured",
    shape: { positions: [long], orders: [fullStop(long, "98"), takeProfit(long, "110")] },
    protection: at4,
    steps: { sync: "set BTCUSDT/0 profit 104 (take-profit-differs)" },
  },
  ...["103.9", "104", "104.1"].map((price) => ({
    what: `a Full take-profit at ${price}, within one tick of the configured level`,
    shape: { positions: [long], orders: [fullStop(long, "98"), takeProfit(long, price)] },
    protection: at4,
    steps: {},
  })),
  ...["103.8", "104.2"].map((price) => ({
    what: `a Full take-profit at ${price}, two ticks from the configured level`,
    shape: { positions: [long], orders: [fullStop(long, "98"), takeProfit(long, price)] },
    protection: at4,
    steps: { sync: "set BTCUSDT/0 profit 104 (take-profit-differs)" },
  })),
  {
    what: "another hand's half take-profit",
    shape: { positions: [long], orders: [fullStop(long, "98"), partialTakeProfit(long, "110", "0.5")] },
    protection: at4,
    steps: {},
  },
  {
    what: "another hand's resting reduce-only limit order",
    shape: { positions: [long], orders: [fullStop(long, "98"), reduceOnlyLimit(long, "110", "0.1")] },
    protection: at4,
    steps: {},
  },
  {
    what: "another hand's triggered take-profit-limit that rests",
    shape: {
      positions: [long],
      orders: [
        fullStop(long, "98"),
        conditionalTakeProfit(long, "104", "0.5", { execution: "limit", price: dec("104"), state: "resting" }),
      ],
    },
    protection: at4,
    steps: {},
  },
  {
    what: "the position row states a take-profit whose order is not listed",
    shape: { positions: [aPosition({ fullTakeProfit: "110" })], orders: [fullStop(long, "98")] },
    protection: at4,
    steps: {},
  },
  {
    what: "isolated: the configured stop would lie beyond liquidation",
    shape: { positions: [deep] },
    protection: { stopLoss: stopAt("0.1") },
    steps: writing("set BTCUSDT/0 stop 95.5 add (stop-missing)"),
  },
  {
    what: "cross: a new stop is placed inside the estimate too",
    shape: { positions: [deep], marginMode: "cross" },
    protection: { stopLoss: stopAt("0.1") },
    steps: writing("set BTCUSDT/0 stop 95.5 add (stop-missing)"),
  },
  {
    what: "liquidation so near that less than a quarter of the way would be left",
    shape: { positions: [aPosition({ liquidation: "99.5" })], instruments: [anInstrument({ tick: "0.01" })] },
    steps: writing("set BTCUSDT/0 stop 99.75 add (stop-missing)"),
  },
  {
    what: "isolated: only a Partial stop, and that beyond liquidation",
    shape: { positions: [deep], orders: [partialStop(deep, "94", "1")] },
    steps: writing("set BTCUSDT/0 stop 98 add (stop-beyond-liquidation)"),
  },
  {
    what: "isolated: a Full stop beyond liquidation",
    shape: { positions: [deep], orders: [fullStop(deep, "94")] },
    steps: moving("set BTCUSDT/0 stop 98 tighten (stop-beyond-liquidation)"),
  },
  {
    what: "isolated: a stop exactly at the configured level, within the buffer of liquidation",
    shape: { positions: [deep], orders: [fullStop(deep, "95.1")] },
    protection: { stopLoss: stopAt("0.049") },
    steps: {},
  },
  {
    what: "cross: a Full stop beyond the estimate",
    shape: { positions: [deep], orders: [fullStop(deep, "94")], marginMode: "cross" },
    steps: moving("set BTCUSDT/0 stop 98 inside-liquidation (stop-beyond-liquidation)"),
  },
  {
    what: "cross: a Full stop beyond the estimate, and it was moved for that once",
    shape: { positions: [deep], orders: [fullStop(deep, "94")], marginMode: "cross" },
    life: { movedForLiquidation: true },
    steps: {},
  },
  {
    what: "cross: a stop wider than configured but inside the estimate is measured without the estimate",
    shape: { positions: [deep], orders: [fullStop(deep, "95.2")], marginMode: "cross" },
    protection: { stopLoss: stopAt("0.1") },
    steps: {},
  },
  {
    what: "no liquidation price is no reason not to set a stop",
    shape: { positions: [long] },
    steps: writing("set BTCUSDT/0 stop 98 add (stop-missing)"),
  },
  {
    what: "orders that could not be read",
    shape: { positions: [long], gaps: [{ category: "linear", what: "orders", reason: "timeout" }] },
    steps: {},
  },
  {
    what: "an unreadable order beside a whole stop: it may be the take-profit",
    shape: { positions: [long], orders: [fullStop(long, "90")], unreadableOrders: [anUnreadableOrder()] },
    protection: at4,
    steps: {},
  },
  {
    what: "the position row states a stop, but no such order is open",
    shape: { positions: [aPosition({ fullStop: "90" })] },
    steps: {},
  },
  {
    what: "a call auction",
    shape: { positions: [long], tickers: [aTicker({ preMarketPhase: "CallAuction" })] },
    steps: {},
  },
  {
    what: "no mark price at all",
    shape: { positions: [aPosition({ mark: null })], tickers: [aTicker({ mark: null })] },
    steps: {},
  },
  {
    what: "a stop so far away that it would be zero or less",
    shape: { positions: [aPosition({ entry: "0.5", mark: "0.5" })], instruments: [anInstrument({ tick: "1" })] },
    protection: { stopLoss: stopAt("0.9") },
    steps: {},
  },
];

function textsOf(shape: SnapshotShape, judging: Judging): readonly string[] {
  return planned(shape, judging).map((step) =>
    step.held === null ? stepText(step) : `${stepText(step)} held: ${step.held}`,
  );
}

describe.each(SITUATIONS)("$what", ({ shape, protection, life, steps }) => {
  test.each(MODES)("in %s", (mode) => {
    const expected = steps[mode];
    const texts = textsOf(shape, { protection: { ...protection, mode }, ...(life === undefined ? {} : { life }) });
    expect(texts).toEqual(expected === undefined ? [] : [expected]);
  });
});

const PAST: readonly (readonly [
  string,
  Protection["pastStop"],
  SnapshotShape,
  Partial<LifeRecord>,
  readonly string[],
])[] = [
  [
    "rebase a long: the distance is taken from the mark",
    "rebase",
    { positions: [past] },
    {},
    ["set BTCUSDT/0 stop 95.1 rebase (stop-missing)"],
  ],
  ["rebase a short", "rebase", { positions: [pastShort] }, {}, ["set BTCUSDT/0 stop 105 rebase (stop-missing)"]],
  [
    "rebase a second time in this life: nearest",
    "rebase",
    { positions: [past] },
    { rebased: true },
    ["set BTCUSDT/0 stop 96.9 nearest (stop-missing)"],
  ],
  [
    "rebase after a stop of this life has triggered: nearest",
    "rebase",
    { positions: [past] },
    { stopTriggered: true },
    ["set BTCUSDT/0 stop 96.9 nearest (stop-missing)"],
  ],
  [
    "rebase while a triggered stop is still open: nearest",
    "rebase",
    { positions: [past], orders: [fullStop(past, "98", { state: "triggered" })] },
    {},
    ["set BTCUSDT/0 stop 96.9 nearest (stop-missing)"],
  ],
  [
    "rebase keeps inside liquidation",
    "rebase",
    { positions: [aPosition({ mark: "97", liquidation: "96" })] },
    {},
    ["set BTCUSDT/0 stop 96.5 rebase (stop-missing)"],
  ],
  [
    "rebase a half-covered position: the rest gets its stop",
    "rebase",
    { positions: [past], orders: [partialStop(past, "90", "0.5")] },
    {},
    ["set BTCUSDT/0 stop 95.1 rebase (stop-partial)"],
  ],
  ["nearest for a long", "nearest", { positions: [past] }, {}, ["set BTCUSDT/0 stop 96.9 nearest (stop-missing)"]],
  [
    "nearest for a short",
    "nearest",
    { positions: [pastShort] },
    {},
    ["set BTCUSDT/0 stop 103.1 nearest (stop-missing)"],
  ],
  [
    "nearest where the mark is between ticks",
    "nearest",
    { positions: [aPosition({ mark: "97.04" })] },
    {},
    ["set BTCUSDT/0 stop 97 nearest (stop-missing)"],
  ],
  ["close", "close", { positions: [past] }, {}, ["close BTCUSDT/0 1 (stop-past)"]],
  [
    "close on the ticker's word alone where the row states no mark",
    "close",
    { positions: [aPosition({ mark: null })], tickers: [aTicker({ mark: "97" })] },
    {},
    ["close BTCUSDT/0 1 (stop-past)"],
  ],
  [
    "close not on one price that the row's own mark contradicts: the tightest stop instead",
    "close",
    { positions: [aPosition({ mark: "100" })], tickers: [aTicker({ mark: "97" })] },
    {},
    ["set BTCUSDT/0 stop 96.9 nearest (stop-missing)"],
  ],
  [
    "close only once; what the close left behind gets the tightest stop",
    "close",
    { positions: [past] },
    { closeSent: true },
    ["set BTCUSDT/0 stop 96.9 nearest (stop-missing)"],
  ],
  [
    "close never over a stop that stands for a part",
    "close",
    { positions: [past], orders: [partialStop(past, "90", "0.5")] },
    {},
    ["set BTCUSDT/0 stop 96.9 nearest (stop-partial)"],
  ],
  ["alert", "alert", { positions: [past] }, {}, []],
  ["alert leaves a whole stop alone", "alert", { positions: [past], orders: [fullStop(past, "90")] }, {}, []],
  ["rebase leaves a whole stop alone", "rebase", { positions: [past], orders: [fullStop(past, "90")] }, {}, []],
  ["nearest leaves a whole stop alone", "nearest", { positions: [past], orders: [fullStop(past, "90")] }, {}, []],
  [
    "close leaves a position with a whole stop open",
    "close",
    { positions: [past], orders: [fullStop(past, "90")] },
    {},
    [],
  ],
];

describe("the mark is past the configured stop", () => {
  test.each(PAST)("%s", (_what, pastStop, shape, life, steps) => {
    expect(textsOf(shape, { protection: { pastStop }, life })).toEqual(steps);
  });

  test("the configured level itself counts as past: the exchange refuses equality", () => {
    const touching = { positions: [aPosition({ mark: "98" })] };
    expect(textsOf(touching, {})).toEqual(["set BTCUSDT/0 stop 96.1 rebase (stop-missing)"]);
  });

  test("by last price beyond the liquidation's side, the tightest accepted level is taken instead of none", () => {
    const shape = { positions: [aPosition({ liquidation: "98" })], tickers: [aTicker({ mark: "100", last: "97" })] };
    const judging = { protection: { stopLoss: stopAt("0.02", "LastPrice") } };
    expect(textsOf(shape, judging)).toEqual(["set BTCUSDT/0 stop 96.9 nearest (stop-missing)"]);
  });
});

const PAST_PROFIT: readonly (readonly [
  string,
  Protection["pastTakeProfit"],
  SnapshotShape,
  Partial<LifeRecord>,
  readonly string[],
])[] = [
  ["skip: the stop goes alone", "skip", { positions: [rich] }, {}, ["set BTCUSDT/0 stop 98 add (stop-missing)"]],
  ["skip with a stop: nothing", "skip", { positions: [rich], orders: [fullStop(rich, "98")] }, {}, []],
  ["nearest", "nearest", { positions: [rich] }, {}, ["set BTCUSDT/0 stop 98 add profit 105.1 (stop-missing)"]],
  [
    "nearest for a short",
    "nearest",
    { positions: [aShort({ mark: "95" })] },
    {},
    ["set BTCUSDT/0 stop 102 add profit 94.9 (stop-missing)"],
  ],
  [
    "close, once the stop stands",
    "close",
    { positions: [rich], orders: [fullStop(rich, "98")] },
    {},
    ["close BTCUSDT/0 1 (take-profit-past)"],
  ],
  [
    "close, while no stop stands: the stop first",
    "close",
    { positions: [rich] },
    {},
    ["set BTCUSDT/0 stop 98 add (stop-missing)"],
  ],
  [
    "close, by the last price alone, which the mark of the position's row contradicts: nothing",
    "close",
    { positions: [long], orders: [fullStop(long, "98")], tickers: [aTicker({ mark: "100", last: "105" })] },
    {},
    [],
  ],
  ["close only once", "close", { positions: [rich], orders: [fullStop(rich, "98")] }, { closeSent: true }, []],
];

describe("the price is past the configured take-profit", () => {
  test.each(PAST_PROFIT)("%s", (_what, pastTakeProfit, shape, life, steps) => {
    expect(textsOf(shape, { protection: { ...at4, pastTakeProfit }, life })).toEqual(steps);
  });
});

describe("who may be written at all", () => {
  const legs = [aPosition({ positionIdx: 1 }), aShort({ positionIdx: 2 })];

  test("hedged protect: both legs get their own stop", () => {
    expect(textsOf({ positions: legs }, {})).toEqual([
      "set BTCUSDT/1 stop 98 add (stop-missing)",
      "set BTCUSDT/2 stop 102 add (stop-missing)",
    ]);
  });

  test.each(["alert", "ignore"] as const)("hedged %s: neither leg is written", (hedged) => {
    expect(textsOf({ positions: legs }, { protection: { hedged } })).toEqual([]);
  });

  test("hedged alert concerns hedged legs only", () => {
    expect(textsOf({ positions: [long] }, { protection: { hedged: "alert" } })).toHaveLength(1);
  });

  describe.each<readonly [string, SnapshotShape]>([
    [
      "a list of positions that could not be read",
      { gaps: [{ category: "inverse", what: "positions", reason: "502" }] },
    ],
    ["the other leg, which cannot be read", { unreadablePositions: [anUnreadablePosition({ positionIdx: 2 })] }],
    [
      "a contract on the same base coin, which cannot be read",
      {
        unreadablePositions: [anUnreadablePosition({ symbol: "BTCPERP" })],
        instruments: [anInstrument({ symbol: "BTCPERP", settleCoin: "USDC" })],
      },
    ],
    [
      "a contract that cannot be read and of which nothing is known",
      { unreadablePositions: [anUnreadablePosition({ symbol: "PERP1" })] },
    ],
    ["a row of no known contract", { unreadablePositions: [anUnreadablePosition({ symbol: null })] }],
  ])("where the other side may be %s", (_what, unseen) => {
    const shape: SnapshotShape = { positions: [aPosition({ positionIdx: 1 })], ...unseen };
    const held = (hedged: Protection["hedged"]) =>
      planned(shape, { protection: { hedged } }).find(({ step }) => step.key.symbol === "BTCUSDT")?.held;

    test.each(["alert", "ignore"] as const)("hedged %s: the step is held, with the reason", (hedged) => {
      expect(held(hedged)).toMatch(new RegExp(`^hedged legs are set to: ${hedged}, and .*other side$`));
    });

    test("hedged protect: the step may go", () => {
      expect(held("protect")).toBeNull();
    });
  });

  test.each<readonly [string, readonly (string | null)[]]>([
    ["short", [expect.stringMatching(/PERP1.*other side$/)]],
    ["long", [null]],
  ])("hedged alert: beside a %s whose base coin is not known", (side, held) => {
    const stranger = aPosition({ symbol: "PERP1", side: side === "short" ? "short" : "long" });
    const known = new Map([["linear/BTCUSDT", anInstrument()]]);
    const assessment = assess({
      snapshot: { ...aSnapshot({ positions: [long, stranger] }), instruments: known },
      policyOf: () => resolved({ protection: aProtection({ hedged: "alert" }) }),
      lifeOf: () => UNWRITTEN_LIFE,
    });
    const steps = plan(assessment, { manyChangesAgreed: false, frozen: null });
    expect(steps.map((step) => step.held)).toEqual(held);
  });

  test("hedged alert: a contract on another base coin that cannot be read is no other side", () => {
    const steps = planned(
      {
        positions: [long],
        unreadablePositions: [anUnreadablePosition({ symbol: "ETHUSDT" })],
        instruments: [anInstrument({ symbol: "ETHUSDT", baseCoin: "ETH" })],
      },
      { protection: { hedged: "alert" } },
    );
    expect(steps.map(({ held }) => held)).toEqual([null]);
  });

  test("an ignored position is not written", () => {
    expect(textsOf({ positions: [long] }, { policy: resolved({ ignored: true }) })).toEqual([]);
  });

  test("with scope listed, a position that no rule names is judged but not written", () => {
    expect(textsOf({ positions: [long] }, { policy: resolved({ inScope: false }) })).toEqual([]);
  });

  test("a frozen account's plan is shown, and every step of it is held with the reason", () => {
    const steps = planned({ positions: legs }, {}, { frozen: "copy-trading master" });
    expect(steps.map(({ held }) => held)).toEqual(["copy-trading master", "copy-trading master"]);
  });

  test("where a tick is larger than the price, no level exists and none is sent", () => {
    expect(textsOf({ positions: [long], instruments: [anInstrument({ tick: "1000" })] }, {})).toEqual([]);
  });
});
