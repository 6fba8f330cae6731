/** The exits that an order is to carry from the start: worked examples. */
import { describe, expect, test } from "vitest";
import { dec } from "../../src/domain/decimal.js";
import type { PositionIntent } from "../../src/domain/intent.js";
import type { Side } from "../../src/domain/position.js";
import { quoteFor } from "../../src/plan/quote.js";
import type { Protection } from "../../src/policy/protection.js";
import { aMarket, type MarketShape } from "../builders/market.js";
import { fullStop, partialStop, reduceOnlyLimit } from "../builders/order.js";
import { aProtection, resolved, stopAt, takeProfitAt, takeProfitInR } from "../builders/policy.js";
import { aPosition, aShort } from "../builders/position.js";
import { firstOf, type SnapshotShape } from "../builders/snapshot.js";

interface Scene {
  readonly side?: Side;
  readonly price?: string | null;
  readonly protection?: Partial<Protection>;
  readonly market?: MarketShape;
  readonly intent?: Partial<PositionIntent>;
  /** The open position, as the account shows it. */
  readonly open?: SnapshotShape;
  /** The stops of entry orders at rest. */
  readonly resting?: readonly string[];
  /** True: a rule says so. */
  readonly ignored?: boolean;
}

const NOW_MS = 1_700_000_000_000;

/** `98 by MarkPrice`, with a take-profit `98 by MarkPrice, 104 by LastPrice`; or why there is nothing. */
function quoted(scene: Scene): string {
  const { side = "long", price = null, protection, market, intent, open, resting = [], ignored = false } = scene;
  const none = { id: "i-1", stopLoss: null, takeProfit: null, waiver: null, mayLoosenFrom: null, who: "bot" };
  const quote = quoteFor({
    side,
    price: price === null ? null : dec(price),
    policy: resolved({ protection: aProtection(protection), ignored }),
    market: aMarket(market),
    intent: intent === undefined ? null : { ...none, ...intent },
    open: open === undefined ? null : firstOf(open),
    resting: resting.map((level) => dec(level)),
    nowMs: NOW_MS,
  });
  if (quote.kind === "none") return quote.reason;
  expect(quote.kind).toBe("quoted");
  const levels = [quote.stopLoss, ...(quote.takeProfit === null ? [] : [quote.takeProfit])];
  return levels.map((level) => `${level.price.toFixed()} by ${level.triggerBy}`).join(", ");
}

const both = { takeProfit: takeProfitAt("0.04") };
const long = aPosition();

describe("the stop", () => {
  test.each<readonly [string, Scene, string]>([
    ["of a market order is measured from the mark", { market: { mark: "200" } }, "196 by MarkPrice"],
    ["of a limit order is measured from its price", { price: "90" }, "88.2 by MarkPrice"],
    ["of a limit order needs no mark", { price: "90", market: { mark: null } }, "88.2 by MarkPrice"],
    ["of a short lies above", { side: "short", price: "110" }, "112.2 by MarkPrice"],
    ["goes by the configured trigger", { protection: { stopLoss: stopAt("0.02", "LastPrice") } }, "98 by LastPrice"],
    ["is what an intent names", { intent: { stopLoss: dec("95") } }, "95 by MarkPrice"],
    [
      "is what an intent names also where none is configured",
      { intent: { stopLoss: dec("95") }, protection: { stopLoss: null } },
      "95 by MarkPrice",
    ],
    [
      "goes by the configured trigger also where an intent names it",
      { intent: { stopLoss: dec("95") }, protection: { stopLoss: stopAt("0.02", "IndexPrice") } },
      "95 by IndexPrice",
    ],
    [
      "is the configured one where an intent names only a take-profit",
      { intent: { takeProfit: dec("110") } },
      "98 by MarkPrice, 110 by LastPrice",
    ],
  ])("%s", (_what, scene, expected) => {
    expect(quoted(scene)).toBe(expected);
  });

  test("is never looser than the one that stands, which an attached one would replace", () => {
    const standing = (price: string) => ({ positions: [long], orders: [fullStop(long, price)] });
    expect(quoted({ open: standing("99") })).toBe("99 by MarkPrice");
    expect(quoted({ open: standing("97") })).toBe("98 by MarkPrice");
    expect(quoted({ open: { positions: [long] } })).toBe("98 by MarkPrice");
    const short = aShort();
    expect(quoted({ side: "short", open: { positions: [short], orders: [fullStop(short, "101")] } })).toBe(
      "101 by MarkPrice",
    );
  });

  test("is never looser than what an order at rest brings, which this one would replace", () => {
    expect(quoted({ resting: ["97.5", "98.5"] })).toBe("98.5 by MarkPrice");
    expect(quoted({ side: "short", resting: ["101.5"] })).toBe("101.5 by MarkPrice");
    expect(quoted({ resting: ["97.5"] })).toBe("98 by MarkPrice");
  });

  test("is not bound by an order at rest whose stop would end the position before this one is filled", () => {
    expect(quoted({ resting: ["98.5"], price: "98" })).toBe("96.1 by MarkPrice");
    expect(quoted({ resting: ["100"] })).toBe("98 by MarkPrice");
  });

  test("beside a Partial leg is the configured one: that leg stays where it is", () => {
    expect(quoted({ open: { positions: [long], orders: [partialStop(long, "99", "1")] } })).toBe("98 by MarkPrice");
  });

  test("is not quoted where the one that stands is past the order's own price", () => {
    const open = { positions: [long], orders: [fullStop(long, "99")] };
    const sentence = "a stop stands at 99, which the order's price";
    expect(quoted({ open, price: "98" })).toBe(`${sentence} 98 is past`);
    expect(quoted({ open, price: "99" })).toBe(`${sentence} 99 is past`);
    expect(quoted({ open, price: "99.1" })).toBe("99 by MarkPrice");
  });
});

describe("the take-profit", () => {
  test.each<readonly [string, Scene, string]>([
    [
      "lies at the distance from the order's price",
      { protection: both, price: "90" },
      "88.2 by MarkPrice, 93.6 by LastPrice",
    ],
    ["of a short lies below", { side: "short", protection: both }, "102 by MarkPrice, 96 by LastPrice"],
    ["may be a multiple of R", { protection: { takeProfit: takeProfitInR("3") } }, "98 by MarkPrice, 106 by LastPrice"],
    [
      "goes by the configured trigger",
      { protection: { takeProfit: takeProfitAt("0.04", "MarkPrice") } },
      "98 by MarkPrice, 104 by MarkPrice",
    ],
    [
      "is what an intent names",
      { protection: both, intent: { takeProfit: dec("110") } },
      "98 by MarkPrice, 110 by LastPrice",
    ],
    [
      "that cannot be had does not cost the stop",
      { protection: both, intent: { takeProfit: dec("99") } },
      "98 by MarkPrice",
    ],
    [
      "as a multiple of R without a configured stop is left out",
      { protection: { stopLoss: null, takeProfit: takeProfitInR("3") }, intent: { stopLoss: dec("95") } },
      "95 by MarkPrice",
    ],
    ["is left out where none is wanted", {}, "98 by MarkPrice"],
    [
      "is added to a position that has none",
      { protection: both, open: { positions: [long] } },
      "98 by MarkPrice, 104 by LastPrice",
    ],
    [
      "is left out where the position's row states one",
      { protection: both, open: { positions: [aPosition({ fullTakeProfit: "120" })] } },
      "98 by MarkPrice",
    ],
    [
      "is left out where anybody's exit rests on the profit side",
      { protection: both, open: { positions: [long], orders: [reduceOnlyLimit(long, "120", "1")] } },
      "98 by MarkPrice",
    ],
  ])("%s", (_what, scene, expected) => {
    expect(quoted(scene)).toBe(expected);
  });
});

describe("nothing is quoted", () => {
  const gaps = [{ category: "linear", what: "orders", reason: "timeout" }] as const;

  test.each<readonly [string, Scene, string]>([
    ["where no stop is configured", { protection: { stopLoss: null } }, "no stop-loss is configured for it"],
    ["where the intent is past the price", { intent: { stopLoss: dec("101") } }, "the stop 101 would be past 100"],
    ["where no level can be had", { price: "0.05" }, "the level is below one tick of 0.1"],
    [
      "without a mark to measure a market order from",
      { market: { mark: null } },
      "the exchange states no current mark price",
    ],
    ["from a mark of zero", { market: { mark: "0" } }, "the exchange states no current mark price"],
    [
      "while the contract takes no exits",
      { market: { status: "closed" } },
      "the contract is closed; the exchange settles the position itself",
    ],
    [
      "while it cannot be told what protects the open position",
      { open: { positions: [long], gaps } },
      "what protects the open long cannot be told: its open orders could not be read: timeout",
    ],
  ])("%s", (_why, scene, expected) => {
    expect(quoted(scene)).toBe(expected);
  });
});

describe("nothing is quoted", () => {
  const waiver = { reason: "hedged elsewhere", until: "2023-11-14T22:13:20.001Z", untilMs: NOW_MS + 1 };

  test("for what a rule says to ignore", () => {
    expect(quoted({ ignored: true })).toBe("a rule says to ignore it: defaults");
  });

  test("while somebody wants no stop, and is again when that is over", () => {
    const because = "no stop is wanted until 2023-11-14T22:13:20.001Z: hedged elsewhere";
    expect(quoted({ intent: { waiver } })).toBe(because);
    expect(quoted({ intent: { waiver: { ...waiver, untilMs: NOW_MS } } })).toBe("98 by MarkPrice");
  });
});
