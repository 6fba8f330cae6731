/** What an intent, what was learned, and what another hand has moved make of a position: situation × mode → step and findings. */
import { describe, expect, test } from "vitest";
import { dec } from "../../src/domain/decimal.js";
import type { PositionIntent } from "../../src/domain/intent.js";
import type { LifeRecord } from "../../src/domain/life.js";
import type { Mode, Protection } from "../../src/policy/protection.js";
import { learnedChange } from "../../src/verify/learn.js";
import { anInstrument, aTicker } from "../builders/market.js";
import { fullStop, partialStop, takeProfit } from "../builders/order.js";
import { takeProfitAt } from "../builders/policy.js";
import { aPosition, aShort } from "../builders/position.js";
import { findingTexts, firstOf, planned, type SnapshotShape, stepText } from "../builders/snapshot.js";

const MODES: readonly Mode[] = ["report-only", "create-only", "tighten-only", "sync"];
const WRITING: readonly Mode[] = ["create-only", "tighten-only", "sync"];
const MOVING: readonly Mode[] = ["tighten-only", "sync"];

const long = aPosition();
const short = aShort();

function intent(over: Partial<PositionIntent>): PositionIntent {
  return { id: "i-1", stopLoss: null, takeProfit: null, waiver: null, mayLoosenFrom: null, who: "bot", ...over };
}

function learned(stopLoss: string, size: string = long.size.toFixed(), profit: string | null = null) {
  const level = { price: dec(stopLoss), triggerBy: "MarkPrice" } as const;
  const takeProfitLevel = profit === null ? null : ({ price: dec(profit), triggerBy: "LastPrice" } as const);
  return { stopLoss: level, takeProfit: takeProfitLevel, size: dec(size) };
}

/** The position with a Full stop at this price, and what it is remembered by. */
function standing(price: string, position = long): SnapshotShape {
  return { positions: [{ ...position, fullStopLoss: dec(price) }], orders: [fullStop(position, price)] };
}

interface Judged {
  readonly life: Partial<LifeRecord>;
  readonly protection?: Partial<Protection>;
}

function steps(shape: SnapshotShape, { life, protection }: Judged, mode: Mode): readonly string[] {
  return planned(shape, { life, protection: { ...protection, mode } }).map(stepText);
}

function perMode(shape: SnapshotShape, judged: Judged): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(MODES.map((mode) => [mode, steps(shape, judged, mode)]));
}

function inModes(modes: readonly Mode[], step: string) {
  return Object.fromEntries(MODES.map((mode) => [mode, modes.includes(mode) ? [step] : []]));
}

describe("a naked position", () => {
  test.each([
    [
      "with an intent gets its stop, in every mode that writes",
      { intent: intent({ stopLoss: dec("95.5") }) },
      "set BTCUSDT/0 stop 95.5 add (stop-missing)",
    ],
    [
      "with an intent off the tick gets the next one toward the mark",
      { intent: intent({ stopLoss: dec("95.51") }) },
      "set BTCUSDT/0 stop 95.6 add (stop-missing)",
    ],
    [
      "whose intent names only a take-profit gets the configured stop",
      { intent: intent({ takeProfit: dec("110") }) },
      "set BTCUSDT/0 stop 98 add profit 110 (stop-missing)",
    ],
    [
      "whose intent the mark has passed is treated as past",
      { intent: intent({ stopLoss: dec("101") }) },
      "set BTCUSDT/0 stop 98 rebase (stop-missing)",
    ],
  ] as const)("%s", (_what, life, step) => {
    expect(perMode({ positions: [long] }, { life })).toEqual(inModes(WRITING, step));
  });

  test("whose intent the mark has passed is not rebased farther away than the configured level", () => {
    const fallen = aPosition({ mark: "99" });
    const life = { intent: intent({ stopLoss: dec("99.2") }) };
    expect(steps({ positions: [fallen] }, { life }, "create-only")).toEqual([
      "set BTCUSDT/0 stop 98 add (stop-missing)",
    ]);
    const nearest = { pastStop: "nearest" } as const;
    expect(steps({ positions: [fallen] }, { life, protection: nearest }, "create-only")).toEqual([
      "set BTCUSDT/0 stop 98.9 nearest (stop-missing)",
    ]);
  });

  test("whose intent the mark has passed gets the nearest stop where no distance is configured", () => {
    const life = { intent: intent({ stopLoss: dec("101") }) };
    const [step] = planned({ positions: [long] }, { life, protection: { stopLoss: null } });
    expect(step?.step).toMatchObject({ stopLoss: { price: dec("99.9"), triggerBy: "MarkPrice", purpose: "nearest" } });
  });

  test("that has grown since takes the tighter of what stood and config", () => {
    const life = { learned: learned("97", "0.1") };
    expect(steps({ positions: [long] }, { life }, "create-only")).toEqual(["set BTCUSDT/0 stop 98 add (stop-missing)"]);
  });

  test("gets what stood before it vanished; a mode that moves stops takes the tighter of it and config", () => {
    const life = { learned: learned("97") };
    expect(perMode({ positions: [long] }, { life })).toEqual({
      ...inModes(["create-only"], "set BTCUSDT/0 stop 97 add (stop-missing)"),
      "tighten-only": ["set BTCUSDT/0 stop 98 add (stop-missing)"],
      sync: ["set BTCUSDT/0 stop 98 add (stop-missing)"],
    });
    expect(perMode({ positions: [long] }, { life: { learned: learned("99") } })).toEqual(
      inModes(WRITING, "set BTCUSDT/0 stop 99 add (stop-missing)"),
    );
  });

  test("is told to get what it had, also where that had to be rounded to a coarser tick, and else is not", () => {
    const coarse = [anInstrument({ tick: "0.5" })];
    const stopOf = (life: Partial<LifeRecord>) => {
      const [draft] = planned({ positions: [long], instruments: coarse }, { life });
      const stop = draft?.step.action === "set-trading-stop" ? draft.step.stopLoss : null;
      return `${stop?.price.toFixed()} ${stop?.isLearned === true ? "as before" : "anew"}`;
    };
    expect(stopOf({ learned: learned("97.2") })).toBe("97.5 as before");
    expect(stopOf({})).toBe("98 anew");
    expect(stopOf({ intent: intent({ stopLoss: dec("98.5") }) })).toBe("98.5 anew");
  });

  test("whose stop has triggered never gets the learned one again", () => {
    const life = { learned: learned("97"), stopTriggered: true };
    expect(steps({ positions: [long] }, { life }, "create-only")).toEqual(["set BTCUSDT/0 stop 98 add (stop-missing)"]);
  });

  test("gets the learned take-profit only where one is wanted at all", () => {
    const life = { learned: learned("97", long.size.toFixed(), "107") };
    expect(steps({ positions: [long] }, { life }, "create-only")).toEqual(["set BTCUSDT/0 stop 97 add (stop-missing)"]);
    const protection = { takeProfit: takeProfitAt("0.04") };
    expect(steps({ positions: [long] }, { life, protection }, "create-only")).toEqual([
      "set BTCUSDT/0 stop 97 add profit 107 (stop-missing)",
    ]);
  });

  test("whose intent lies beyond liquidation gets a stop inside it", () => {
    const deep = aPosition({ liquidation: "95" });
    const [step] = steps({ positions: [deep] }, { life: { intent: intent({ stopLoss: dec("94") }) } }, "create-only");
    expect(step).toBe("set BTCUSDT/0 stop 95.5 add (stop-missing)");
  });
});

describe("a stop beyond liquidation", () => {
  const estimated = aPosition({ liquidation: "95" });
  const asked = { intent: intent({ stopLoss: dec("96") }), movedForLiquidation: true };

  test("is moved to where an intent wants it, in every mode that writes and by any kind of margin", () => {
    for (const marginMode of ["cross", "isolated"] as const) {
      const shape: SnapshotShape = { ...standing("94", estimated), marginMode };
      expect(perMode(shape, { life: asked })).toEqual(inModes(WRITING, "set BTCUSDT/0 stop 96 intent (intent-drift)"));
    }
  });

  test("is left to the mode where the intent lies beyond liquidation itself", () => {
    const life = { intent: intent({ stopLoss: dec("94.8") }), movedForLiquidation: true };
    const inside = "set BTCUSDT/0 stop 95.5 tighten (stop-beyond-liquidation)";
    expect(perMode(standing("94.5", estimated), { life })).toEqual(inModes(MOVING, inside));
  });
});

describe("a waiver", () => {
  const waiver = { reason: "hedged", untilMs: 5_000_000_000_000, until: "2128-06-11T08:53:20.000Z" };
  const over = { reason: "hedged", untilMs: 0, until: "1970-01-01T00:00:00.000Z" };

  test("keeps a stop from being added, is told, and calls nothing protected", () => {
    const life = { intent: intent({ waiver }) };
    expect(perMode({ positions: [long] }, { life })).toEqual(inModes([], ""));
    const judged = firstOf({ positions: [long] }, { life });
    expect(judged.status).toBe("ignored");
    expect(findingTexts(judged)).toContain("info stop-waived");
  });

  test("does not keep a wanted take-profit from being added", () => {
    const life = { intent: intent({ waiver, takeProfit: dec("110") }) };
    expect(steps({ positions: [long] }, { life }, "create-only")).toEqual([
      "set BTCUSDT/0 profit 110 (take-profit-missing)",
    ]);
  });

  test("leaves a stop beyond liquidation where it is", () => {
    const deep = aPosition({ liquidation: "95" });
    const life = { intent: intent({ waiver }) };
    expect(perMode(standing("94", deep), { life })).toEqual(inModes([], ""));
    expect(firstOf(standing("94", deep), { life }).status).toBe("ignored");
  });

  test("that is over is none", () => {
    const judged = firstOf({ positions: [long] }, { life: { intent: intent({ waiver: over }) } });
    expect(judged.status).toBe("unprotected");
    expect(findingTexts(judged)).toContain("critical stop-missing");
  });
});

describe("a stop that stands", () => {
  test("looser than a new intent is moved to it in every mode that writes", () => {
    const life = { intent: intent({ stopLoss: dec("97") }) };
    expect(perMode(standing("95"), { life })).toEqual(inModes(WRITING, "set BTCUSDT/0 stop 97 intent (intent-drift)"));
  });

  test("tighter than an intent stays, and is told as information", () => {
    const life = { intent: intent({ stopLoss: dec("95") }) };
    expect(perMode(standing("97"), { life })).toEqual(inModes([], ""));
    expect(findingTexts(firstOf(standing("97"), { life }))).toEqual(
      expect.arrayContaining(["info stop-tighter-than-configured"]),
    );
  });

  test("is loosened only by an intent that may, from where it stood then or looser", () => {
    const asked = intent({ stopLoss: dec("95"), mayLoosenFrom: dec("97") });
    const loosened = inModes(WRITING, "set BTCUSDT/0 stop 95 loosen (intent-drift)");
    expect(perMode(standing("97"), { life: { intent: asked } })).toEqual(loosened);
    expect(perMode(standing("97.1"), { life: { intent: asked } })).toEqual(inModes([], ""));
    expect(perMode(standing("97"), { life: { intent: asked, metStopIntent: "i-1" } })).toEqual(inModes([], ""));
  });

  test("is not loosened where Partial legs stand in its place, which an intent does not speak of", () => {
    const asked = intent({ stopLoss: dec("95"), mayLoosenFrom: dec("97") });
    const shape = { positions: [long], orders: [partialStop(long, "97", "1")] };
    expect(perMode(shape, { life: { intent: asked } })).toEqual(inModes([], ""));
  });

  test("is not loosened to the configured level where the mark has passed what was asked for", () => {
    const fallen = aPosition({ mark: "99" });
    const asked = intent({ stopLoss: dec("99.2"), mayLoosenFrom: dec("98.5") });
    expect(perMode(standing("98.5", fallen), { life: { intent: asked } })).toEqual(inModes([], ""));
  });

  test("is not loosened where no tick is left for it inside liquidation", () => {
    const cheap = aPosition({ entry: "10", mark: "10", liquidation: "9.6" });
    const asked = intent({ stopLoss: dec("9"), mayLoosenFrom: dec("9.7") });
    const shape = { ...standing("9.7", cheap), instruments: [anInstrument({ tick: "1" })] };
    expect(perMode(shape, { life: { intent: asked } })).toEqual(inModes([], ""));
  });

  test("wider than configured is not moved for an intent that names only a take-profit", () => {
    const life = { intent: intent({ takeProfit: dec("110") }), metTakeProfitIntent: "i-1" };
    const shape = { positions: [long], orders: [fullStop(long, "90"), takeProfit(long, "110")] };
    expect(steps(shape, { life }, "create-only")).toEqual([]);
  });

  test("that another hand has loosened is not moved back while the price that it goes by is not known", () => {
    const stood = {
      stopLoss: { price: dec("97"), triggerBy: "IndexPrice" },
      takeProfit: null,
      size: dec("1"),
    } as const;
    const shape = { ...standing("96"), tickers: [aTicker({ index: null })] };
    expect(steps(shape, { life: { learned: stood } }, "sync")).toEqual([]);
    expect(steps(standing("96"), { life: { learned: stood } }, "sync")).toEqual([
      "set BTCUSDT/0 stop 97 restore (intent-drift)",
    ]);
  });

  test.each([
    ["than an intent that has stood", { intent: intent({ stopLoss: dec("97") }), metStopIntent: "i-1" }],
    ["than it stood before", { learned: learned("97") }],
  ] as const)("and that another hand has made looser %s is drift: restored in the moving modes only", (_what, life) => {
    const shape = standing("96");
    const restored = "set BTCUSDT/0 stop 97 restore (intent-drift)";
    expect(perMode(shape, { life, protection: { stopLoss: null } })).toEqual(inModes(MOVING, restored));
    expect(findingTexts(firstOf(shape, { life }))).toContain("warning intent-drift");
    const alert = { onDrift: "alert" } as const;
    expect(perMode(shape, { life, protection: alert })).toEqual(inModes([], ""));
  });

  test("is moved back to the nearer tick where the tick has become coarser since", () => {
    const life = { learned: learned("97.05") };
    expect(steps(standing("96"), { life }, "sync")).toEqual(["set BTCUSDT/0 stop 97.1 restore (intent-drift)"]);
  });

  test("is moved back three times an hour at most", () => {
    const nowMs = 10_000_000;
    const ago = (minutes: number) => nowMs - minutes * 60_000;
    const shape = { ...standing("96"), requestedAtMs: nowMs };
    const life = { learned: learned("97"), restoredAtMs: [ago(60), ago(50), ago(40)] };
    expect(steps(shape, { life }, "sync")).toEqual(["set BTCUSDT/0 stop 97 restore (intent-drift)"]);
    const again = { ...life, restoredAtMs: [ago(59), ago(50), ago(40)] };
    expect(steps(shape, { life: again }, "sync")).toEqual([]);
    expect(
      firstOf(shape, { life: again })
        .findings.map(({ message }) => message)
        .join(),
    ).toMatch(/three times/);
  });

  test("is no drift after size was added, nor where the mark has passed the old level", () => {
    const life = { learned: learned("97", "0.1") };
    expect(steps(standing("96"), { life, protection: { onDrift: "restore" } }, "sync")).toEqual([
      "set BTCUSDT/0 stop 98 tighten (stop-too-wide)",
    ]);
    const fallen = aPosition({ mark: "96.5" });
    expect(steps(standing("96", fallen), { life: { learned: learned("97") } }, "sync")).toEqual([]);
  });

  test("of a short is judged from the other side", () => {
    const life = { intent: intent({ stopLoss: dec("103") }) };
    expect(steps(standing("105", short), { life }, "create-only")).toEqual([
      "set BTCUSDT/0 stop 103 intent (intent-drift)",
    ]);
    expect(steps(standing("102", short), { life }, "sync")).toEqual([]);
  });
});

describe("a take-profit", () => {
  const shape = {
    positions: [{ ...long, fullStopLoss: dec("98"), fullTakeProfit: dec("104") }],
    orders: [fullStop(long, "98"), takeProfit(long, "104")],
  };

  test("is moved to what a new intent names in every mode that writes, and later only by sync", () => {
    const life = { intent: intent({ takeProfit: dec("110") }) };
    const moved = "set BTCUSDT/0 profit 110 (intent-drift)";
    expect(perMode(shape, { life })).toEqual(inModes(WRITING, moved));
    expect(perMode(shape, { life: { ...life, metTakeProfitIntent: "i-1" } })).toEqual(inModes(["sync"], moved));
  });

  test.each([
    ["is moved by one tick, too, where a new intent names it", "104.1", WRITING],
    ["is not moved by one tick that the nearness of the mark makes", "104.05", []],
  ] as const)("%s", (_what, named, modes) => {
    const near = { ...shape, positions: shape.positions.map((one) => ({ ...one, markPrice: dec("103.9") })) };
    const scene = named === "104.05" ? near : shape;
    const life = { intent: intent({ takeProfit: dec(named) }) };
    expect(perMode(scene, { life })).toEqual(inModes(modes, "set BTCUSDT/0 profit 104.1 (intent-drift)"));
  });

  test("is not moved for an intent that names only a stop", () => {
    const life = { intent: intent({ stopLoss: dec("98") }) };
    const protection = { takeProfit: takeProfitAt("0.06") };
    expect(perMode(shape, { life, protection })).toEqual(
      inModes(["sync"], "set BTCUSDT/0 profit 106 (take-profit-differs)"),
    );
  });
});

describe("what a look teaches", () => {
  const at = (price: string, life: Partial<LifeRecord> = {}) => learnedChange(firstOf(standing(price), { life }));

  test("is the level that stands, the tightest one until size is added", () => {
    expect(at("97").learned).toEqual(learned("97"));
    expect(at("98", { learned: learned("97") }).learned).toEqual(learned("98"));
    expect(at("96", { learned: learned("97") }).learned).toBeUndefined();
    expect(at("96", { learned: learned("97", "0.1") }).learned).toEqual(learned("96"));
  });

  test("is nothing of a position that is not well, or whose orders could not be read", () => {
    expect(learnedChange(firstOf({ positions: [long] }))).toEqual({});
    const gaps = [{ category: "linear", what: "orders", reason: "no answer" }] as const;
    expect(learnedChange(firstOf({ ...standing("97"), gaps }))).toEqual({});
  });

  test("is that an intent was met by its price or a tighter one; one that may loosen only by its price", () => {
    const plain = { intent: intent({ stopLoss: dec("97") }) };
    expect(at("97", plain).metStopIntent).toBe("i-1");
    expect(at("98", plain).metStopIntent).toBe("i-1");
    expect(at("96", plain).metStopIntent).toBeUndefined();
    const loosening = { intent: intent({ stopLoss: dec("95"), mayLoosenFrom: dec("97") }) };
    expect(at("97", loosening).metStopIntent).toBeUndefined();
    expect(at("95", loosening)).toMatchObject({ metStopIntent: "i-1", learned: learned("95") });
  });
});
