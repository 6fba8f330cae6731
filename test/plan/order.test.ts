/** Which step goes first, and when many moves are too many. */
import { describe, expect, test } from "vitest";
import { dec } from "../../src/domain/decimal.js";
import { fullStop, partialStop } from "../builders/order.js";
import { takeProfitAt } from "../builders/policy.js";
import { aPosition } from "../builders/position.js";
import { planned, type SnapshotShape } from "../builders/snapshot.js";

const named = (symbol: string, size = "1") => aPosition({ symbol, size });
const sync = { protection: { mode: "sync", takeProfit: takeProfitAt("0.04") } } as const;

function symbolsOf(shape: SnapshotShape): readonly string[] {
  return [...planned(shape, sync, { manyChangesAgreed: true })]
    .sort((one, other) => other.priority - one.priority)
    .map(({ step }) => step.key.symbol);
}

describe("riskiest first", () => {
  const profitOnly = named("PROFITUSDT", "50");
  const wide = named("WIDEUSDT", "40");
  const half = named("HALFUSDT", "30");
  const naked = named("NAKEDUSDT", "1");
  const shape: SnapshotShape = {
    positions: [profitOnly, wide, half, naked],
    orders: [fullStop(profitOnly, "98"), fullStop(wide, "90"), partialStop(half, "98", "15")],
  };

  test("naked, then half covered, then too wide, then a missing take-profit, whatever the sizes", () => {
    expect(symbolsOf(shape)).toEqual(["NAKEDUSDT", "HALFUSDT", "WIDEUSDT", "PROFITUSDT"]);
  });

  test("the order of the rows means nothing", () => {
    const turned = { ...shape, positions: (shape.positions ?? []).toReversed() };
    expect(symbolsOf(turned)).toEqual(symbolsOf(shape));
  });

  test("among naked ones the largest value goes first, then the oldest", () => {
    const small = aPosition({ symbol: "SMALLUSDT", size: "1", openedAtMs: 1 });
    const young = aPosition({ symbol: "YOUNGUSDT", size: "2", openedAtMs: 9 });
    const old = aPosition({ symbol: "OLDUSDT", size: "2", openedAtMs: 3 });
    const ageless = aPosition({ symbol: "AGELESSUSDT", size: "2", openedAtMs: null });
    expect(symbolsOf({ positions: [small, young, old] })).toEqual(["OLDUSDT", "YOUNGUSDT", "SMALLUSDT"]);
    const expected = ["AGELESSUSDT", "OLDUSDT", "YOUNGUSDT", "SMALLUSDT"];
    expect(symbolsOf({ positions: [small, young, old, ageless] })).toEqual(expected);
    expect(symbolsOf({ positions: [ageless, old, young, small] })).toEqual(expected);
  });

  test("a naked one goes before one that is half covered and worth any sum", () => {
    const giant = named("GIANTUSDT", "1000000000000000000000");
    const tiny = named("TINYUSDT", "0.001");
    const scene = { positions: [giant, naked, tiny], orders: [partialStop(giant, "98", "1")] };
    expect(symbolsOf(scene)).toEqual(["NAKEDUSDT", "TINYUSDT", "GIANTUSDT"]);
  });

  test("what an intent moves goes behind what is naked or half covered", () => {
    const intent = { id: "i-1", takeProfit: null, waiver: null, mayLoosenFrom: null, who: "bot" };
    const life = { intent: { ...intent, stopLoss: dec("99") } };
    const scene = { positions: [wide, half], orders: [fullStop(wide, "98"), partialStop(half, "98", "15")] };
    expect(planned(scene, { life }).map(({ step }) => [step.key.symbol, step.reason])).toEqual([
      ["HALFUSDT", "stop-partial"],
      ["WIDEUSDT", "intent-drift"],
    ]);
  });

  test("what is moved inside an estimated liquidation goes behind what is naked, whatever the sizes", () => {
    const deep = aPosition({ symbol: "DEEPUSDT", size: "100", liquidation: "95" });
    const scene = { positions: [deep, naked], orders: [fullStop(deep, "94")], marginMode: "cross" } as const;
    expect(symbolsOf(scene)).toEqual(["NAKEDUSDT", "DEEPUSDT"]);
  });

  test("what is moved inside an estimated liquidation goes before what an intent moves", () => {
    const deep = aPosition({ symbol: "DEEPUSDT", liquidation: "95" });
    const intent = { id: "i-1", takeProfit: null, waiver: null, mayLoosenFrom: null, who: "bot" };
    const life = { intent: { ...intent, stopLoss: dec("99") } };
    const scene = { positions: [wide, deep], orders: [fullStop(wide, "98"), fullStop(deep, "94")] };
    const steps = planned({ ...scene, marginMode: "cross" }, { ...sync, life });
    expect(steps.map(({ step }) => step.key.symbol)).toEqual(["DEEPUSDT", "WIDEUSDT"]);
  });

  test("what is half covered goes by what is left uncovered", () => {
    const mostly = named("MOSTLYUSDT", "100");
    const orders = [partialStop(half, "98", "15"), partialStop(mostly, "98", "90")];
    expect(symbolsOf({ positions: [mostly, half], orders })).toEqual(["HALFUSDT", "MOSTLYUSDT"]);
  });

  test("a close for a take-profit that is past goes last", () => {
    const rich = aPosition({ symbol: "RICHUSDT", size: "100", mark: "105" });
    const scene = { positions: [rich, wide], orders: [fullStop(rich, "98"), fullStop(wide, "90")] };
    const protection = { ...sync.protection, pastTakeProfit: "close" } as const;
    expect(planned(scene, { protection }).map(({ step }) => `${step.action} ${step.key.symbol}`)).toEqual([
      "set-trading-stop WIDEUSDT",
      "close-position RICHUSDT",
    ]);
  });

  test("a close for a stop that is past goes before everything", () => {
    const past = aPosition({ symbol: "PASTUSDT", size: "0.1", mark: "97" });
    const steps = planned({ positions: [named("BIGUSDT", "100"), past] }, { protection: { pastStop: "close" } });
    expect(steps.map(({ step }) => `${step.action} ${step.key.symbol}`)).toEqual([
      "close-position PASTUSDT",
      "set-trading-stop BIGUSDT",
    ]);
  });
});

describe("the brake on moving stops", () => {
  /** `wide` stops to be moved among `total`. */
  function account(total: number, wide: number): SnapshotShape {
    const positions = Array.from({ length: total }, (_, index) => named(`C${index}USDT`));
    const orders = positions.map((position, index) => fullStop(position, index < wide ? "90" : "98"));
    return { positions, orders };
  }
  const heldCount = (shape: SnapshotShape, agreed = false) =>
    planned(shape, { protection: { mode: "tighten-only" } }, { manyChangesAgreed: agreed }).filter(
      ({ held }) => held !== null,
    ).length;

  test.each([
    [9, 9, 0],
    [10, 3, 0],
    [10, 4, 4],
    [100, 30, 0],
    [100, 31, 31],
  ])("of %i stops, moving %i holds %i", (total, wide, held) => {
    expect(heldCount(account(total, wide))).toBe(held);
  });

  test("is off where a person has agreed", () => {
    expect(heldCount(account(10, 10), true)).toBe(0);
  });

  test("says how many of how many, and what would allow it", () => {
    const [step] = planned(account(10, 5), { protection: { mode: "sync" } });
    expect(step?.held).toMatch(/5 of 10 .* 30%.*`npx bybit-backstop protect --yes` while no `run` writes/);
  });

  test.each(["inside-liquidation", "restore"] as const)("counts a move for %s", (purpose) => {
    const deep = Array.from({ length: 10 }, (_, index) => aPosition({ symbol: `C${index}USDT`, liquidation: "95" }));
    const isRestore = purpose === "restore";
    const shape: SnapshotShape = {
      positions: deep,
      orders: deep.map((position) => fullStop(position, isRestore ? "96" : "94")),
      marginMode: "cross",
    };
    const stood = { stopLoss: { price: dec("97"), triggerBy: "MarkPrice" }, takeProfit: null, size: dec("1") } as const;
    const steps = planned(shape, { protection: { mode: "sync" }, life: { learned: isRestore ? stood : null } });
    const purposes = steps.map(({ step }) => step.action === "set-trading-stop" && step.stopLoss?.purpose);
    expect([new Set(purposes), steps.filter(({ held }) => held === null)]).toEqual([new Set([purpose]), []]);
  });

  test("does not count what an intent asks for by name", () => {
    const intent = { id: "i-1", takeProfit: null, waiver: null, mayLoosenFrom: null, who: "bot" };
    const steps = planned(account(10, 10), { life: { intent: { ...intent, stopLoss: dec("97") } } });
    expect(steps.map(({ held }) => held)).toEqual(Array.from({ length: 10 }, () => null));
  });

  test("does not count a missing take-profit", () => {
    const steps = planned(account(10, 1), sync);
    expect(steps.map(({ held }) => held)).toEqual(Array.from({ length: 10 }, () => null));
  });

  test("of a pass's first plan holds also where later plans look small", () => {
    const steps = planned(account(10, 1), sync, { brakedBefore: "too many at first" });
    expect(steps.filter(({ held }) => held === "too many at first").map(({ step }) => step.key.symbol)).toEqual([
      "C0USDT",
    ]);
    expect(
      planned(account(10, 1), sync, { brakedBefore: "too many", manyChangesAgreed: true }).map(({ held }) => held),
    ).toEqual(Array.from({ length: 10 }, () => null));
    expect(heldCount(account(10, 4))).toBe(4);
  });

  test("never holds a missing stop", () => {
    const { positions = [], orders = [] } = account(10, 10);
    const steps = planned({ positions: [...positions, named("NAKEDUSDT")], orders }, { protection: { mode: "sync" } });
    expect(steps.filter(({ held }) => held === null).map(({ step }) => step.key.symbol)).toEqual(["NAKEDUSDT"]);
  });
});
