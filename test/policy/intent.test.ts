/** Who wants which level: an intent, what stood before it vanished, or config, and which of them gives way. */
import { describe, expect, test } from "vitest";
import { dec } from "../../src/domain/decimal.js";
import type { PositionIntent } from "../../src/domain/intent.js";
import { type LifeRecord, UNWRITTEN_LIFE } from "../../src/domain/life.js";
import type { Position } from "../../src/domain/position.js";
import {
  driftReference,
  stopBenchmark,
  waiverAt,
  type WantedLevel,
  wantedNewStop,
  wantedTakeProfit,
} from "../../src/policy/intent.js";
import { basePrice } from "../../src/policy/levels.js";
import type { Protection } from "../../src/policy/protection.js";
import { aMarket } from "../builders/market.js";
import { aProtection, stopAt, takeProfitAt } from "../builders/policy.js";
import { aPosition, aShort } from "../builders/position.js";

function intent(over: Partial<PositionIntent>): PositionIntent {
  return { id: "i-1", stopLoss: null, takeProfit: null, waiver: null, mayLoosenFrom: null, who: "bot", ...over };
}

function aLife(over: Partial<LifeRecord>): LifeRecord {
  return { ...UNWRITTEN_LIFE, ...over };
}

const intending = (stopLoss: string) => aLife({ intent: intent({ stopLoss: dec(stopLoss) }) });
const level = (price: string) => ({ price: dec(price), triggerBy: "LastPrice" }) as const;

/** What stood, with the size of then. */
function learning(stopLoss: string | null, size = "1", takeProfit: string | null = null): LifeRecord {
  return aLife({
    learned: {
      stopLoss: stopLoss === null ? null : level(stopLoss),
      takeProfit: takeProfit === null ? null : level(takeProfit),
      size: dec(size),
    },
  });
}

/** `95.5 by intent`. */
function text({ wanted, by }: WantedLevel): string {
  return `${wanted.kind === "level" ? wanted.price.toFixed() : wanted.kind} by ${by}`;
}

interface Scene {
  readonly position?: Position;
  readonly protection?: Partial<Protection>;
  readonly mark?: string;
  readonly tick?: string;
  readonly index?: string | null;
  /** False: the ticker could not be read. */
  readonly hasTicker?: boolean;
}

function newStop(life: LifeRecord, scene: Scene = {}): WantedLevel {
  const { position = aPosition(), protection, mark = "100", tick = "0.1", index = mark, hasTicker = true } = scene;
  const market = aMarket({ mark, tick, index });
  const blind = { ...market, ticker: { ...market.ticker, markPrice: null, lastPrice: null, indexPrice: null } };
  return wantedNewStop(position, aProtection(protection), life, hasTicker ? market : blind);
}

describe("a new stop", () => {
  test.each<readonly [string, LifeRecord, Scene, string]>([
    ["is the configured one where nobody wants another", aLife({}), {}, "98 by config"],
    ["is the intent's", intending("95.5"), {}, "95.5 by intent"],
    ["is the intent's also where the mark has moved toward it", intending("95.5"), { mark: "99" }, "95.5 by intent"],
    [
      "is the intent's also where no distance is configured",
      intending("95"),
      { protection: { stopLoss: null } },
      "95 by intent",
    ],
    ["is what stood before it vanished", learning("97"), {}, "97 by learned"],
    ["is the configured one where only a take-profit stood", learning(null, "1", "104"), {}, "98 by config"],
    [
      "is the configured one where what stood has triggered",
      { ...learning("97"), stopTriggered: true },
      {},
      "98 by config",
    ],
    ["is the tighter one in a mode that moves stops", learning("97"), { protection: { mode: "sync" } }, "98 by config"],
    [
      "is the tighter one in tighten-only too",
      learning("97"),
      { protection: { mode: "tighten-only" } },
      "98 by config",
    ],
    ["is what stood where that is tighter", learning("99"), { protection: { mode: "sync" } }, "99 by learned"],
    ["is the tighter one where size was added", learning("97", "0.5"), {}, "98 by config"],
    ["is what stood where size was taken off", learning("97", "2"), {}, "97 by learned"],
    [
      "is what stood where the configured level is past",
      learning("97", "0.5"),
      { position: aPosition({ entry: "110" }) },
      "97 by learned",
    ],
  ])("%s", (_what, life, scene, expected) => {
    expect(text(newStop(life, scene))).toBe(expected);
  });

  test("that the mark has passed gives way to a configured one that is tighter than what a rebase would give", () => {
    expect(text(newStop(intending("99.2"), { mark: "99" }))).toBe("98 by config");
    expect(text(newStop(learning("99.2"), { mark: "99", protection: { stopLoss: stopAt("0.02", "LastPrice") } }))).toBe(
      "98 by config",
    );
    const short = aShort({ mark: "101" });
    expect(text(newStop(intending("100.8"), { position: short, mark: "101" }))).toBe("102 by config");
  });

  test("that the mark has passed stays past where a rebase is as tight, where config is past too, or where none is asked for", () => {
    expect(text(newStop(intending("101")))).toBe("past by intent");
    expect(text(newStop(learning("101")))).toBe("past by learned");
    expect(text(newStop(intending("99"), { mark: "97" }))).toBe("past by intent");
    expect(text(newStop(intending("99.2"), { mark: "99", protection: { pastStop: "nearest" } }))).toBe(
      "past by intent",
    );
  });

  test.each(["alert", "close"] as const)(
    "that stood, vanished and cannot be put back gives way to the configured one, also with pastStop: %s",
    (pastStop) => {
      expect(text(newStop(learning("99.2"), { mark: "99", protection: { pastStop } }))).toBe("98 by config");
      expect(text(newStop(learning("99.2"), { mark: "97", protection: { pastStop } }))).toBe("past by learned");
      expect(text(newStop(intending("99.2"), { mark: "99", protection: { pastStop } }))).toBe("past by intent");
    },
  );

  test("that stood by a price which is not known now is put back by the configured one, or not at all", () => {
    const blind = newStop(learning("99"), { hasTicker: false });
    expect([text(blind), blind.wanted]).toMatchObject(["99 by learned", { triggerBy: "MarkPrice" }]);
    const near = { hasTicker: false, position: aPosition({ mark: "98.5" }) };
    expect(text(newStop(learning("99"), near))).toBe("98 by config");
    const past = { hasTicker: false, position: aPosition({ mark: "97" }) };
    for (const [pastStop, expected] of [
      ["close", "impossible by learned"],
      ["rebase", "past by config"],
    ] as const)
      expect(text(newStop(learning("97.5"), { ...past, protection: { pastStop } }))).toBe(expected);
    const byIndex = { protection: { stopLoss: stopAt("0.02", "IndexPrice") }, hasTicker: false };
    expect(text(newStop(learning("99"), byIndex))).toBe("impossible by learned");
    expect(text(newStop(intending("99"), byIndex))).toBe("impossible by intent");
  });

  test("goes by the configured trigger price, or by the mark, and by that of what stood", () => {
    const byIndex = { protection: { stopLoss: stopAt("0.02", "IndexPrice") } };
    expect(newStop(intending("95"), byIndex).wanted).toMatchObject({ triggerBy: "IndexPrice" });
    expect(newStop(intending("95"), { protection: { stopLoss: null } }).wanted).toMatchObject({
      triggerBy: "MarkPrice",
    });
    expect(newStop(learning("97"), byIndex).wanted).toMatchObject({ triggerBy: "LastPrice" });
  });
});

describe("what a standing stop is measured against", () => {
  const benchmark = (life: LifeRecord, protection: Partial<Protection> = {}) =>
    stopBenchmark(aPosition({ liquidation: "97" }), aProtection(protection), life, aMarket());

  test("is the intent's level, else the configured one, whatever the liquidation price", () => {
    expect(benchmark(intending("95"))).toMatchObject({ kind: "level", price: dec("95") });
    expect(benchmark(aLife({}), { stopLoss: stopAt("0.05") })).toMatchObject({ kind: "level", price: dec("95") });
  });

  test("is nothing where nobody wants anything", () => {
    expect(benchmark(aLife({}), { stopLoss: null })).toEqual({ kind: "none" });
  });
});

describe("a take-profit", () => {
  const wished = { takeProfit: takeProfitAt("0.04", "MarkPrice") };
  const wanted = (life: LifeRecord, protection: Partial<Protection> = wished) =>
    wantedTakeProfit(aPosition(), aProtection(protection), life, aMarket());
  const intended = aLife({ intent: intent({ takeProfit: dec("110") }) });

  test.each<readonly [string, LifeRecord, Partial<Protection>, string]>([
    ["is the configured one", aLife({}), wished, "104 by config"],
    ["is the intent's", intended, wished, "110 by intent"],
    ["is the intent's also where none is configured", intended, {}, "110 by intent"],
    ["is what stood before it vanished", learning(null, "1", "107"), wished, "107 by learned"],
    ["is none where none is configured any more", learning(null, "1", "107"), {}, "none by config"],
    ["is the configured one where only a stop stood", learning("97"), wished, "104 by config"],
    ["is the configured one where what stood is past", learning(null, "1", "99"), wished, "104 by config"],
    ["is the configured one in sync", learning(null, "1", "107"), { ...wished, mode: "sync" }, "104 by config"],
  ])("%s", (_what, life, protection, expected) => {
    expect(text(wanted(life, protection))).toBe(expected);
  });

  test("goes by the configured trigger price, or by the last price, and by that of what stood", () => {
    expect(wanted(intended).wanted).toMatchObject({ triggerBy: "MarkPrice" });
    expect(wanted(intended, {}).wanted).toMatchObject({ triggerBy: "LastPrice" });
    expect(wanted(learning(null, "1", "107")).wanted).toMatchObject({ triggerBy: "LastPrice" });
  });
});

describe("what another hand must not have moved away from", () => {
  const reference = (life: LifeRecord, position = aPosition()) => {
    const market = aMarket({ mark: position.markPrice?.toFixed() ?? null });
    const benchmark = stopBenchmark(position, aProtection(), life, market);
    return driftReference(position, life, benchmark, market)?.price.toFixed() ?? null;
  };
  const met = (stopLoss: string) => ({ ...intending(stopLoss), metStopIntent: "i-1" });

  test.each<readonly [string, LifeRecord, Position, string | null]>([
    ["is nothing that was never seen", aLife({}), aPosition(), null],
    ["is what stood", learning("97"), aPosition(), "97"],
    ["is nothing after size was added", learning("97", "0.5"), aPosition(), null],
    ["is what stood after size was taken off", learning("97", "2"), aPosition(), "97"],
    ["is an intent's level once that has stood", met("96"), aPosition(), "96"],
    ["is no intent's level before that has stood", intending("96"), aPosition(), null],
    [
      "is no level of an intent that another one has replaced",
      { ...met("96"), metStopIntent: "i-0" },
      aPosition(),
      null,
    ],
    ["is no intent's level that the mark has passed", met("96"), aPosition({ mark: "95" }), null],
    [
      "is the intent's and not what stood before it",
      { ...learning("97"), ...met("96"), learned: null },
      aPosition(),
      "96",
    ],
    [
      "is what stood by a finer tick, which the intent's level is rounded away from now",
      { ...met("96.04"), learned: learning("96.04").learned },
      aPosition(),
      "96.04",
    ],
    [
      "is the intent's level where what stood is a whole tick looser",
      { ...met("96.1"), learned: learning("96").learned },
      aPosition(),
      "96.1",
    ],
    [
      "is the intent's level where what stood was tighter",
      { ...met("96"), learned: learning("96.04").learned },
      aPosition(),
      "96",
    ],
    [
      "is what stood where the intent names only a take-profit",
      { ...learning("97"), intent: intent({ takeProfit: dec("110") }) },
      aPosition(),
      "97",
    ],
  ])("%s", (_what, life, position, expected) => {
    expect(reference(life, position)).toBe(expected);
  });
});

test("a waiver holds until its time has come, and is none from then on", () => {
  const waiver = { reason: "hedged", untilMs: 1_000, until: "1970-01-01T00:00:01.000Z" };
  const life = aLife({ intent: intent({ waiver }) });
  expect([waiverAt(life, 999), waiverAt(life, 1_000)]).toEqual([waiver, null]);
  expect([waiverAt(aLife({}), 0), waiverAt(intending("95"), 0)]).toEqual([null, null]);
});

describe("the price that a trigger compares with", () => {
  const base = (by: "MarkPrice" | "LastPrice", prices: Parameters<typeof aMarket>[0], mark: string | null = "99") =>
    basePrice(aPosition({ mark }), aMarket(prices), by, "stop-loss")?.toFixed() ?? null;

  test("is the ticker's; the row's own mark stands in for a missing mark alone", () => {
    expect(base("MarkPrice", { mark: "100" })).toBe("100");
    expect(base("MarkPrice", { mark: null })).toBe("99");
    expect(base("LastPrice", { mark: null, last: null })).toBeNull();
    expect(base("MarkPrice", { mark: null }, null)).toBeNull();
    expect(base("LastPrice", { last: "0" })).toBeNull();
  });

  test.each([
    ["a long's stop", "long", "stop-loss", "130.01", "130.01"],
    ["a long's stop", "long", "stop-loss", "130", "130"],
    ["a long's stop", "long", "stop-loss", "70", "70"],
    ["a long's stop", "long", "stop-loss", "69.99", "100"],
    ["a long's take-profit", "long", "take-profit", "130.01", "100"],
    ["a long's take-profit", "long", "take-profit", "69.99", "69.99"],
    ["a short's stop", "short", "stop-loss", "130.01", "100"],
    ["a short's stop", "short", "stop-loss", "69.99", "69.99"],
    ["a short's take-profit", "short", "take-profit", "130.01", "130.01"],
    ["a short's take-profit", "short", "take-profit", "69.99", "100"],
  ] as const)(
    "of %s (%s %s) with a ticker at %s and a row at 100 is %s: far apart, one is wrong",
    (_what, side, exit, mark, expected) => {
      const position = side === "long" ? aPosition({ mark: "100" }) : aShort({ mark: "100" });
      expect(basePrice(position, aMarket({ mark }), "MarkPrice", exit)?.toFixed()).toBe(expected);
    },
  );
});
