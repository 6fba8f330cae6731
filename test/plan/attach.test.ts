/** Which resting entry orders get their exits before they fill, and where. */
import { describe, expect, test } from "vitest";
import type { OpenOrder } from "../../src/domain/order.js";
import { type AmendOrder, type AttachInput, planAttach } from "../../src/plan/attach.js";
import type { Protection } from "../../src/policy/protection.js";
import type { ResolvedPolicy } from "../../src/policy/resolve.js";
import { anInstrument, aTicker } from "../builders/market.js";
import {
  anEntry,
  anUnreadableOrder,
  conditionalStop,
  type EntryShape,
  fullStop,
  partialStop,
  reduceOnlyLimit,
  takeProfit,
} from "../builders/order.js";
import { aProtection, resolved, stopAt, takeProfitAt, takeProfitInR } from "../builders/policy.js";
import { anUnreadablePosition, aPosition, aShort } from "../builders/position.js";
import { aSnapshot, type SnapshotShape } from "../builders/snapshot.js";

interface Scene extends SnapshotShape {
  readonly protection?: Partial<Protection>;
  readonly policy?: Partial<ResolvedPolicy>;
  readonly nowMs?: number;
  readonly leftAlone?: readonly string[];
  readonly spokenFor?: string;
}

function attach({
  protection,
  policy,
  nowMs = 100_000,
  leftAlone = [],
  spokenFor,
  ...shape
}: Scene): readonly AmendOrder[] {
  const applied = resolved({ protection: aProtection({ attachToOrders: true, ...protection }), ...policy });
  const market = { instruments: [anInstrument()], tickers: [aTicker()] };
  const snapshot = aSnapshot({ ...market, ...shape });
  const isSpokenFor: AttachInput["isSpokenFor"] = (_key, _side, { orderLinkId }) => orderLinkId === spokenFor;
  return planAttach({ snapshot, policyOf: () => applied, nowMs, leftAlone: new Set(leftAlone), isSpokenFor });
}

/** `entry-1 98`, or `entry-1 98 104` with a take-profit. */
const text = ({ orderId, stopLoss, takeProfit: profit }: AmendOrder): string =>
  [orderId, stopLoss.price.toFixed(), ...(profit === null ? [] : [profit.price.toFixed()])].join(" ");
const attached = (scene: Scene): readonly string[] => attach(scene).map(text);
const alone = (entry: EntryShape, scene: Scene = {}) => attached({ orders: [anEntry(entry)], ...scene });

test("an order that somebody has spoken for is left alone, and the others of its side are not", () => {
  const orders = [anEntry({ orderLinkId: "link-1" }), anEntry({ orderId: "entry-2" })];
  expect(attached({ orders, spokenFor: "link-1" })).toEqual(["entry-2 98"]);
});

test("a resting entry order gets a stop at the distance from its own price, and says for whom", () => {
  expect(attach({ orders: [anEntry()], protection: { takeProfit: takeProfitAt("0.04") } })).toMatchObject([
    {
      action: "amend-order",
      key: { account: "main", category: "linear", symbol: "BTCUSDT", positionIdx: 0 },
      side: "long",
      orderId: "entry-1",
      stopLoss: { triggerBy: "MarkPrice" },
      takeProfit: { triggerBy: "LastPrice" },
      reason: "stop-missing",
    },
  ]);
});

describe("the levels", () => {
  const both = { protection: { takeProfit: takeProfitAt("0.04") } };

  test.each<readonly [string, EntryShape, readonly string[]]>([
    ["a buy limit", {}, ["entry-1 98 104"]],
    ["a sell limit", { side: "short" }, ["entry-1 102 96"]],
    ["a buy below the market", { price: "90" }, ["entry-1 88.2 93.6"]],
    ["a price off the tick's grid: toward the mark", { price: "90.1" }, ["entry-1 88.3 93.7"]],
    ["the same of a sell", { side: "short", price: "110.1" }, ["entry-1 112.3 105.7"]],
    ["a conditional market order: from its trigger", { trigger: "105" }, ["entry-1 102.9 109.2"]],
    ["a conditional limit order: from its limit", { trigger: "105", price: "106" }, ["entry-1 103.9 110.2"]],
  ])("of %s", (_what, entry, expected) => {
    expect(alone(entry, both)).toEqual(expected);
  });

  test("a stop-limit whose stop would be past where it triggers is left alone", () => {
    expect(alone({ trigger: "105", price: "110" }, both)).toEqual([]);
    expect(alone({ side: "short", trigger: "95", price: "90" }, both)).toEqual([]);
  });

  test("an order whose stop the mark has already reached is left alone, until the mark comes back", () => {
    expect(alone({}, { tickers: [aTicker({ mark: "97.9", last: "101" })] })).toEqual([]);
    expect(alone({}, { tickers: [aTicker({ mark: "98.1", last: "101" })] })).toEqual(["entry-1 98"]);
  });

  test("where the tick is too coarse the stop is rounded away from the order's price", () => {
    expect(alone({}, { instruments: [anInstrument({ tick: "5" })] })).toEqual(["entry-1 95"]);
  });

  test("a take-profit that cannot be had does not cost the stop", () => {
    const wild = { stopLoss: stopAt("0.4"), takeProfit: takeProfitInR("3") };
    expect(alone({ side: "short" }, { protection: wild })).toEqual(["entry-1 140"]);
  });
});

describe("nothing is attached", () => {
  const other = anInstrument({ symbol: "BTCUSDC", baseCoin: "BTC" });
  const shortElsewhere = aShort({ symbol: "BTCUSDC", size: "0.01" });

  test.each<readonly [string, Scene]>([
    ["unless it is asked for", { protection: { attachToOrders: false } }],
    ["in report-only", { protection: { mode: "report-only" } }],
    ["without a configured stop", { protection: { stopLoss: null, takeProfit: takeProfitAt("0.04") } }],
    ["where a rule ignores the contract", { policy: { ignored: true } }],
    ["out of scope", { policy: { inScope: false } }],
    ["to an order that is left alone", { leftAlone: ["entry-1"] }],
    ["while the contract's rules are not known", { instruments: [] }],
    ["while its prices are not known", { tickers: [] }],
    ["while its mark is not known", { tickers: [aTicker({ mark: null, last: "100" })] }],
    ["in a pre-market auction", { tickers: [aTicker({ preMarketPhase: "CallAuction" })] }],
    ["while the contract is being delivered", { instruments: [anInstrument({ status: "delivering" })] }],
    ["while positions were not seen", { gaps: [{ category: "linear", what: "positions", reason: "timeout" }] }],
    [
      "while orders of the contract were not seen",
      { gaps: [{ category: "linear", what: "orders", symbols: ["BTCUSDT"], reason: "timeout" }] },
    ],
    ["beside an order that cannot be read", { unreadableOrders: [anUnreadableOrder({ positionIdx: null })] }],
    ["beside one that may be of any contract", { unreadableOrders: [anUnreadableOrder({ symbol: null })] }],
    ["beside a position that cannot be read", { unreadablePositions: [anUnreadablePosition()] }],
    [
      "against a hedge that is not to be written",
      { protection: { hedged: "alert" }, positions: [shortElsewhere], instruments: [anInstrument(), other] },
    ],
    ["where the other side may be out of sight", { protection: { hedged: "ignore" }, scope: [anInstrument()] }],
  ])("%s", (_when, scene) => {
    expect(alone({}, scene)).toEqual([]);
  });

  test.each<readonly [string, EntryShape]>([
    ["reduces only", { reducesOnly: true }],
    ["closes on trigger", { closesOnTrigger: true }],
    ["is partly filled", { state: "partly-filled", filledQuantity: anEntry().quantity }],
    ["has just been triggered", { state: "triggered", trigger: "100" }],
    ["has a stop already", { stop: "97" }],
    ["brings a Partial take-profit", { profit: "110", attachedMode: "partial" }],
    ["has no price of its own", { price: null }],
    ["is of the exchange itself", { kind: "exchange" }],
    ["closes a leg in hedge mode", { positionIdx: 2 }],
    ["closes the long leg in hedge mode", { side: "short", positionIdx: 1 }],
    ["is filled in part though it says that it rests", { filledQuantity: anEntry().quantity }],
    ["brings a take-profit of no known mode", { profit: "110", attachedMode: null }],
    ["is an exit of a position", { kind: "full-take-profit" }],
    ["does not say when it was made", { createdAtMs: null }],
    ["has been changed since", { createdAtMs: 1_000, updatedAtMs: 2_001 }],
    ["does not say whether it was changed", { updatedAtMs: null }],
  ])("to an order that %s", (_what, entry) => {
    expect(alone(entry)).toEqual([]);
  });

  test("but to one that was changed within a second of its making: that is still its making", () => {
    expect(alone({ createdAtMs: 1_000, updatedAtMs: 2_000 })).toEqual(["entry-1 98"]);
  });

  test("within the grace that its bot has, by the exchange's clock", () => {
    const grace = { protection: { graceMs: 5_000 } };
    expect(alone({}, { ...grace, nowMs: 5_999 })).toEqual([]);
    expect(alone({}, { ...grace, nowMs: 6_000 })).toEqual(["entry-1 98"]);
  });
});

test.each<readonly [string, Scene]>([
  ["positions of the whole account", { gaps: [{ category: "account", what: "positions", reason: "timeout" }] }],
  ["orders of the whole category", { gaps: [{ category: "linear", what: "orders", reason: "timeout" }] }],
])("nothing is attached while %s were not seen", (_what, scene) => {
  expect(alone({}, scene)).toEqual([]);
});

test.each<readonly [string, Scene]>([
  ["prices", { gaps: [{ category: "linear", what: "tickers", reason: "timeout" }] }],
  ["positions of another category", { gaps: [{ category: "inverse", what: "positions", reason: "timeout" }] }],
  ["an order of the same name in another category", { unreadableOrders: [anUnreadableOrder({ category: "inverse" })] }],
  ["a position of another contract", { unreadablePositions: [anUnreadablePosition({ symbol: "ETHUSDT" })] }],
])("%s that were not seen are no reason", (_what, scene) => {
  expect(alone({}, scene)).toEqual(["entry-1 98"]);
});

test("gaps and unreadable rows of other contracts are no reason", () => {
  const scene: Scene = {
    gaps: [{ category: "linear", what: "orders", symbols: ["ETHUSDT"], reason: "timeout" }],
    unreadableOrders: [anUnreadableOrder({ symbol: "ETHUSDT" })],
    unreadablePositions: [anUnreadablePosition({ category: "inverse", symbol: null })],
  };
  expect(alone({}, scene)).toEqual(["entry-1 98"]);
});

test("an order that brings its own Full take-profit gets the stop alone", () => {
  expect(alone({ profit: "110" }, { protection: { takeProfit: takeProfitAt("0.04") } })).toEqual(["entry-1 98"]);
});

describe("beside a position", () => {
  const naked = aPosition();
  const covered = [partialStop(naked, "96", "1")];

  test.each<readonly [string, Scene, readonly string[]]>([
    ["with a Full stop by its row", { positions: [aPosition({ fullStop: "90" })] }, []],
    ["with a Full stop by its orders", { positions: [naked], orders: [fullStop(naked, "90")] }, []],
    ["that is naked: the pass comes first", { positions: [naked] }, []],
    [
      "that a triggered Full stop is leaving",
      { positions: [naked], orders: [...covered, fullStop(naked, "90", { state: "triggered" })] },
      [],
    ],
    [
      "whose stop should have triggered and still waits",
      {
        positions: [naked],
        orders: [partialStop(naked, "96", "1", { triggerBy: "LastPrice" })],
        tickers: [aTicker({ last: "95.5" })],
      },
      [],
    ],
    ["that two rows tell of", { positions: [naked, naked], orders: covered }, []],
    [
      "whose row states a take-profit: the stop alone",
      { positions: [aPosition({ fullTakeProfit: "120" })], orders: covered },
      ["entry-1 98"],
    ],
    [
      "that is held by the exchange's own order alone",
      { orders: [partialStop(naked, "96", "1", { kind: "exchange" })] },
      ["entry-1 98 104"],
    ],
    ["of the leg beside it", { orders: [fullStop(aPosition({ positionIdx: 1 }), "90")] }, ["entry-1 98 104"]],
    ["that is half covered", { positions: [naked], orders: [partialStop(naked, "96", "0.5")] }, []],
    ["that Partial stops cover", { positions: [naked], orders: covered }, ["entry-1 98 104"]],
    ["on the other side: the order closes it", { positions: [aShort()], orders: [] }, []],
    [
      "on the other side, and covered: the order closes it",
      { positions: [aShort()], orders: [partialStop(aShort(), "104", "1")] },
      [],
    ],
    ["of another contract that is naked", { positions: [aPosition({ symbol: "ETHUSDT" })] }, ["entry-1 98 104"]],
    ["that is being liquidated", { positions: [aPosition({ state: "liquidating" })], orders: covered }, []],
    [
      "with a take-profit of its own: the stop alone",
      { positions: [naked], orders: [...covered, takeProfit(naked, "120")] },
      ["entry-1 98"],
    ],
    [
      "with a resting exit on the profit side: the stop alone",
      { positions: [naked], orders: [...covered, reduceOnlyLimit(naked, "120", "1")] },
      ["entry-1 98"],
    ],
    ["whose row no read shows yet, only its exits", { orders: [fullStop(naked, "90")] }, []],
    [
      "that was closed, with a conditional exit left behind",
      { orders: [conditionalStop(naked, "90", "1")] },
      ["entry-1 98 104"],
    ],
  ])("%s", (_what, { orders = [], ...scene }, expected) => {
    const protection = { takeProfit: takeProfitAt("0.04") };
    expect(attached({ ...scene, protection, orders: [anEntry(), ...orders] })).toEqual(expected);
  });

  describe("in one-way mode", () => {
    const buy = anEntry({ orderId: "buy", price: "99" });
    const sell = anEntry({ orderId: "sell", side: "short", price: "101" });

    test.each<readonly [string, readonly OpenOrder[]]>([
      ["of a flat contract", [buy, sell]],
      ["where one of them has a stop already", [buy, { ...sell, attachedStopLoss: anEntry().price }]],
      ["where one of them waits for its trigger", [buy, anEntry({ orderId: "sell", side: "short", trigger: "90" })]],
      ["where one of them is filled in part", [buy, { ...sell, state: "partly-filled", filledQuantity: buy.quantity }]],
    ])("orders of both directions %s get none: the second to fill would close, not open", (_what, orders) => {
      expect(attached({ orders })).toEqual([]);
      expect(attached({ orders: orders.toReversed() })).toEqual([]);
    });

    test("nor does the order that would grow a covered position, while another may turn it round", () => {
      expect(attached({ positions: [naked], orders: [...covered, buy, sell] })).toEqual([]);
    });

    test.each<readonly [string, EntryShape]>([
      ["of another contract", { symbol: "ETHUSDT" }],
      ["of the same name in another category", { category: "inverse" }],
      ["that only reduces", { reducesOnly: true }],
    ])("an order of the other direction %s is no reason", (_what, shape) => {
      const against = anEntry({ orderId: "sell", side: "short", price: "101", ...shape });
      expect(attached({ orders: [buy, against] })).toEqual(["buy 97.1"]);
    });
  });

  test("each leg of hedge mode gets its own", () => {
    const legs = [
      anEntry({ positionIdx: 1, orderId: "up" }),
      anEntry({ positionIdx: 2, side: "short", orderId: "down" }),
    ];
    expect(attached({ orders: legs })).toEqual(["up 98", "down 102"]);
  });

  test("where hedges are not to be written an order gets its stop while every other side was seen, and there is none", () => {
    const protection = { hedged: "alert" } as const;
    expect(alone({}, { protection })).toEqual(["entry-1 98"]);
    const gaps = [{ category: "inverse", what: "positions", reason: "timeout" }] as const;
    expect(alone({}, { protection, gaps })).toEqual([]);
  });

  test("the other leg of hedge mode does not matter where hedges are protected", () => {
    const shortLeg = aShort({ positionIdx: 2, fullStop: "110" });
    const entry = { positionIdx: 1 } as const;
    expect(alone(entry, { positions: [shortLeg] })).toEqual(["entry-1 98"]);
    expect(alone(entry, { positions: [shortLeg], protection: { hedged: "alert" } })).toEqual([]);
  });
});

describe("beside other entry orders of the leg, the tightest stop among them counts", () => {
  const other = (shape: EntryShape): OpenOrder => anEntry({ orderId: "other", ...shape });

  test.each<readonly [string, EntryShape, OpenOrder, readonly string[]]>([
    ["a looser one", { price: "100" }, other({ price: "95", stop: "90" }), ["entry-1 98"]],
    ["a tighter one that fits", { price: "100" }, other({ price: "102", stop: "99" }), ["entry-1 99"]],
    ["a tighter one at the order's own price", { price: "95" }, other({ price: "100", stop: "95" }), []],
    ["a tighter one beyond the order's own price", { price: "95" }, other({ price: "100", stop: "98" }), []],
    ["one of another leg", { positionIdx: 1 }, other({ positionIdx: 0, price: "102", stop: "99" }), ["entry-1 98"]],
    [
      "a partly filled one",
      { price: "100" },
      other({ price: "102", stop: "99", state: "partly-filled", filledQuantity: anEntry().quantity }),
      ["entry-1 99"],
    ],
    ["a short's", { side: "short" }, other({ side: "short", price: "98", stop: "101" }), ["entry-1 101"]],
  ])("%s", (_what, entry, sibling, expected) => {
    expect(attached({ orders: [anEntry(entry), sibling] })).toEqual(expected);
  });

  test("the tightest of several, in whatever order they come", () => {
    const others = [
      anEntry({ orderId: "near", price: "102", stop: "99" }),
      anEntry({ orderId: "far", price: "101", stop: "90" }),
    ];
    expect(attached({ orders: [anEntry(), ...others] })).toEqual(["entry-1 99"]);
    expect(attached({ orders: [anEntry(), ...others.toReversed()] })).toEqual(["entry-1 99"]);
  });

  test("of orders that are alike the first by name brings the take-profit, in whatever order they come", () => {
    const alike = [anEntry({ orderId: "a" }), anEntry({ orderId: "b" })];
    const protection = { takeProfit: takeProfitAt("0.04") };
    expect(attached({ orders: alike, protection })).toEqual(["a 98 104", "b 98"]);
    expect(attached({ orders: alike.toReversed(), protection })).toEqual(["a 98 104", "b 98"]);
  });

  test("of orders that are worth the same the first by name goes first, though the other's stop is the tighter", () => {
    const orders = [
      anEntry({ orderId: "b", price: "100", quantity: "99" }),
      anEntry({ orderId: "a", price: "99", quantity: "100" }),
    ];
    expect(attached({ orders })).toEqual(["a 98", "b 98"]);
  });

  test("orders of one plan are held against each other, and only one of them brings a take-profit", () => {
    const orders = [
      anEntry({ orderId: "far", price: "95", quantity: "9" }),
      anEntry({ orderId: "near", price: "99" }),
      anEntry({ orderId: "top", price: "100", quantity: "2" }),
    ];
    expect(attached({ orders, protection: { takeProfit: takeProfitAt("0.04") } })).toEqual(["top 98 104", "near 98"]);
    expect(attached({ orders: orders.toReversed() })).toEqual(["top 98", "near 98"]);
  });

  test("a take-profit that another order brings is not replaced", () => {
    const protection = { takeProfit: takeProfitAt("0.04") };
    expect(attached({ orders: [anEntry(), other({ price: "95", stop: "90", profit: "120" })], protection })).toEqual([
      "entry-1 98",
    ]);
  });
});

test("the largest value goes first, then the oldest", () => {
  const symbols = ["AUSDT", "BUSDT", "CUSDT"];
  const orders = [
    anEntry({ symbol: "AUSDT", orderId: "young", createdAtMs: 2_000, updatedAtMs: 2_000 }),
    anEntry({ symbol: "BUSDT", orderId: "old" }),
    anEntry({ symbol: "CUSDT", orderId: "large", quantity: "3" }),
  ];
  const instruments = symbols.map((symbol) => anInstrument({ symbol }));
  const tickers = symbols.map((symbol) => aTicker({ symbol }));
  expect(attach({ orders, instruments, tickers }).map(({ orderId }) => orderId)).toEqual(["large", "old", "young"]);
});

test("a contract that is counted in dollars goes by its quantity", () => {
  const orders = [
    anEntry({ category: "inverse", symbol: "BTCUSD", orderId: "dollars", quantity: "99" }),
    anEntry({ orderId: "coins", quantity: "1" }),
  ];
  const inverse = { category: "inverse", symbol: "BTCUSD" } as const;
  const scene = { instruments: [anInstrument(), anInstrument(inverse)], tickers: [aTicker(), aTicker(inverse)] };
  expect(attached({ orders, ...scene })).toEqual(["coins 98", "dollars 98"]);
});

test("what is alike goes by its contract and its leg, then by its name, whatever the order of the rows", () => {
  const orders = [
    anEntry({ symbol: "BUSDT", orderId: "b2" }),
    anEntry({ symbol: "BUSDT", orderId: "b1" }),
    anEntry({ symbol: "AUSDT", positionIdx: 1, orderId: "z" }),
    anEntry({ symbol: "AUSDT", orderId: "y" }),
  ];
  const symbols = ["AUSDT", "BUSDT"];
  const scene = {
    instruments: symbols.map((symbol) => anInstrument({ symbol })),
    tickers: symbols.map((symbol) => aTicker({ symbol })),
  };
  const ids = (rows: readonly OpenOrder[]) => attach({ orders: rows, ...scene }).map(({ orderId }) => orderId);
  expect(ids(orders)).toEqual(["y", "z", "b1", "b2"]);
  expect(ids(orders.toReversed())).toEqual(["y", "z", "b1", "b2"]);
});
