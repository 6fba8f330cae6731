/** What the book of an account keeps of earlier tries, how long it counts, and whose tries they were. */
import { beforeEach, describe, expect, test } from "vitest";
import type { Answer, Attempt } from "../../src/apply/attempt.js";
import { lookedAgain, type Picture, pictureOf } from "../../src/domain/picture.js";
import { keyText, type Position } from "../../src/domain/position.js";
import type { FailureCause } from "../../src/exchange/failure.js";
import type { PlannedStep, SetTradingStop, Step, StopPurpose } from "../../src/plan/step.js";
import type { LifeRecord } from "../../src/domain/life.js";
import type { Protection } from "../../src/policy/protection.js";
import { PassBook } from "../../src/verify/book.js";
import { LAST_AFTER_MS } from "../../src/verify/tries.js";
import { dec } from "../../src/domain/decimal.js";
import { fullStop, takeProfit } from "../builders/order.js";
import { aTicker } from "../builders/market.js";
import { stopAt, takeProfitAt } from "../builders/policy.js";
import { aPosition, aShort } from "../builders/position.js";
import { aSnapshot, assessed, planned, type SnapshotShape } from "../builders/snapshot.js";

const START_MS = 1_700_000_000_000;
const LATER_MS = START_MS + 60_000;
const long = aPosition();
const KEY = keyText(long.key);
const ACKNOWLEDGED: Answer = { kind: "acknowledged" };

function refused(cause: FailureCause, meetsStopToo = true): Answer {
  return { kind: "refused", cause, meetsStopToo, detail: `refused for ${cause}` };
}

function notSent(cause: FailureCause): Answer {
  return { kind: "not-sent", cause, detail: `not sent for ${cause}` };
}

let book: PassBook;
beforeEach(() => {
  book = new PassBook();
});

interface Scene {
  readonly position?: Position;
  readonly shape?: SnapshotShape;
  readonly protection?: Partial<Protection>;
  readonly life?: Partial<LifeRecord>;
  readonly most?: number;
  /** When it was looked, and when it is asked what may go; milliseconds after the start. */
  readonly seenMs?: number;
  readonly afterMs?: number;
}

const WITH_PROFIT = { takeProfit: takeProfitAt("0.04") };

function shapeOf({ position = long, shape = {}, seenMs = 0 }: Scene): SnapshotShape {
  return { positions: [position], requestedAtMs: START_MS + seenMs, ...shape };
}

function judgingOf({ protection = WITH_PROFIT, life = {} }: Scene) {
  return { protection, life };
}

function stepsFor(scene: Scene = {}): readonly PlannedStep[] {
  return planned(shapeOf(scene), judgingOf(scene));
}

/** What the book lets go of what is planned for the scene. */
function admit(scene: Scene = {}) {
  const shape = shapeOf(scene);
  const { seenMs = 0, afterMs = seenMs, most = 90 } = scene;
  const judged = assessed(shape, judgingOf(scene));
  return book.admit(stepsFor(scene), judged, pictureOf(aSnapshot(shape)), { now: () => START_MS + afterMs }, most);
}

/** `98 + 104`, `98`, `104 alone`, `close`; null: nothing may go. */
function goes(scene: Scene = {}): string | null {
  const [first] = admit(scene).ready;
  if (first === undefined) return null;
  if (first.step.action === "close-position") return "close";
  const { stopLoss, takeProfit: profit } = first.step;
  if (stopLoss === null) return `${profit?.price.toFixed()} alone`;
  return [stopLoss, profit].flatMap((level) => (level === null ? [] : [level.price.toFixed()])).join(" + ");
}

function firstStep(scene: Scene = {}): Step {
  const [first] = stepsFor(scene);
  if (first === undefined) throw new RangeError("nothing is planned");
  return first.step;
}

function attempt(answer: Answer, afterMs: number, step: Step = firstStep()): Attempt {
  return { step, startedAtMs: START_MS + afterMs - 50, answeredAtMs: START_MS + afterMs, answer };
}

function withStop(over: Partial<NonNullable<SetTradingStop["stopLoss"]>>): Step {
  const step = firstStep();
  if (step.action !== "set-trading-stop" || step.stopLoss === null) throw new RangeError("a stop is planned");
  return { ...step, stopLoss: { ...step.stopLoss, ...over } };
}

function give(...attempts: readonly Attempt[]): void {
  book.answered(attempts);
}

function lookAt(shape: SnapshotShape, afterMs: number, before: Picture = pictureOf(aSnapshot({ positions: [long] }))) {
  const scope = [{ category: "linear", symbol: "BTCUSDT" }] as const;
  return lookedAgain(before, aSnapshot({ ...shape, scope, requestedAtMs: START_MS + afterMs }));
}

function judge(shape: SnapshotShape, afterMs: number) {
  return book.judge(assessed(shape), lookAt(shape, afterMs));
}

const naked: SnapshotShape = { positions: [long] };
const records = () => book.records().get(KEY) ?? [];
const outcomes = () => records().map(({ outcome }) => outcome);

describe("what happened long ago", () => {
  test.each<readonly [string, Answer, number]>([
    ["a refusal that time may cure counts for twenty seconds", refused("zero-position"), 20_000],
    ["any other refusal counts for a minute", refused("limit", false), 60_000],
    ["what was not sent counts for ten seconds", notSent("network"), 10_000],
  ])("%s", (_what, given, keptMs) => {
    give(attempt(given, 100));
    book.forget(START_MS + 100 + keptMs - 1);
    expect(records()).toHaveLength(1);
    book.forget(START_MS + 100 + keptMs);
    expect(records()).toHaveLength(0);
  });

  test.each<readonly [FailureCause, number]>([
    ["market-state", 20_000],
    ["limit", 20_000],
    ["other", 20_000],
    ["terms", 60_000],
    ["permission", 60_000],
    ["key", 60_000],
  ])("after a refusal for %s nothing is tried for so long", (cause, closedMs) => {
    give(attempt(refused(cause, true), 0));
    book.forget(START_MS + closedMs - 1);
    expect(goes({ seenMs: closedMs - 1 })).toBeNull();
    book.forget(START_MS + closedMs);
    expect(goes({ seenMs: closedMs })).not.toBeNull();
  });

  test("what never showed counts for half a minute, what was proven for a minute", () => {
    give(attempt(ACKNOWLEDGED, 0));
    judge(naked, 5_000);
    book.forget(START_MS + 29_999);
    expect(outcomes()).toEqual(["uncertain"]);
    book.forget(START_MS + 30_000);
    expect(outcomes()).toEqual([]);
    const covered = { positions: [long], orders: [fullStop(long, "98"), takeProfit(long, "104")] };
    give(attempt(ACKNOWLEDGED, 40_000));
    judge(covered, 41_000);
    book.forget(START_MS + 99_999);
    expect(outcomes()).toEqual(["confirmed"]);
    book.forget(START_MS + 100_000);
    expect(outcomes()).toEqual([]);
  });

  test("what no look has judged is kept, however old", () => {
    give(attempt(ACKNOWLEDGED, 0));
    book.forget(START_MS + 3_600_000);
    expect(records()).toMatchObject([{ outcome: "uncertain", detail: "no read was made after it" }]);
  });

  test("what is on the wire is kept", () => {
    book.started(firstStep());
    book.forget(START_MS + 3_600_000);
    expect(book.onTheWire()).toBe(1);
  });

  test("a refusal that ended the tries ends them for a minute", () => {
    give(attempt(refused("key"), 0));
    book.forget(START_MS + 59_999);
    expect([book.refusalOf(KEY)?.answer.kind, goes({ seenMs: 59_999 })]).toEqual(["refused", null]);
    book.forget(START_MS + 60_000);
    expect([book.refusalOf(KEY), goes({ seenMs: 60_000 })]).toEqual([null, "98 + 104"]);
  });

  test("a refusal that ended the tries ends them for its own minute, whatever else is kept", () => {
    give(attempt(refused("key"), 0), attempt(ACKNOWLEDGED, 10));
    book.forget(START_MS + 60_000);
    expect(book.refusalOf(KEY)).toBeNull();
  });

  test("a refused take-profit is tried again once its refusal is forgotten, and not before", () => {
    give(attempt(refused("take-profit-past", false), 0));
    book.forget(START_MS + 59_999);
    expect(goes({ seenMs: 59_999 })).toBe("98");
    book.forget(START_MS + 60_000);
    expect(goes({ seenMs: 60_000 })).toBe("98 + 104");
  });

  test("a refused take-profit is forgotten in its time also while something is on the wire", () => {
    give(attempt(refused("take-profit-past", false), 0));
    book.started(firstStep());
    book.forget(START_MS + 60_000);
    give(attempt(refused("zero-position"), 60_000));
    expect(goes({ seenMs: 70_000 })).toBe("98 + 104");
  });
});

describe("a new life of a position", () => {
  const reborn = aPosition({ openedAtMs: 5_000 });

  test.each<readonly [string, Position]>([
    ["opened anew", reborn],
    ["on the other side", aShort()],
  ])("%s is not bound by the refusals of the one before", (_what, next) => {
    admit();
    give(attempt(refused("key"), 100));
    expect(goes({ seenMs: 500 })).toBeNull();
    expect(goes({ seenMs: 500, position: next })).toMatch(/^98|^102/);
    expect(book.refusalOf(KEY)).toBeNull();
  });

  test("that is the same one, as far as anybody can tell, is bound by them", () => {
    admit();
    give(attempt(refused("key"), 100));
    for (const openedAtMs of [null, 1_250]) {
      expect(goes({ seenMs: 500, position: aPosition({ openedAtMs }) })).toBeNull();
    }
  });

  test("ends what no look has judged, and leaves what was judged as it is", () => {
    admit();
    give(attempt(refused("zero-position"), 100), attempt(ACKNOWLEDGED, 200));
    admit({ position: reborn, seenMs: 500 });
    expect(records()).toMatchObject([
      { outcome: "refused", detail: "refused for zero-position" },
      { outcome: "skipped", detail: "the position was closed meanwhile" },
    ]);
    expect(book.progress()).toBe("2 sent, 0 confirmed");
  });

  test("waits for what is on the wire for the one before", () => {
    admit();
    book.started(firstStep());
    expect(goes({ position: reborn, seenMs: 500 })).toBeNull();
    expect(book.onTheWire()).toBe(1);
    give(attempt(ACKNOWLEDGED, 600));
    expect(goes({ position: reborn, seenMs: 700 })).toBe("98 + 104");
  });

  test("is known from the first look on, also where the first step went before it", () => {
    give(attempt(refused("key"), 100));
    expect(goes({ seenMs: 500, position: reborn })).toBeNull();
    expect(goes({ seenMs: 500, position: aPosition({ openedAtMs: 9_000 }) })).toBe("98 + 104");
  });

  test("leaves the tries of the one before to be forgotten in their time", () => {
    admit();
    give(attempt(refused("zero-position"), 100));
    admit({ position: reborn, seenMs: 500 });
    book.forget(START_MS + 20_099);
    expect(records()).toHaveLength(1);
    book.forget(START_MS + 20_100);
    expect(records()).toHaveLength(0);
  });
});

describe("a step that was pushed for", () => {
  test("may go where nothing was tried yet", () => {
    expect(book.isFree(long, LATER_MS)).toBe(true);
  });

  test("waits for what is on the wire and for what no look has judged", () => {
    book.started(firstStep());
    expect(book.isFree(long, LATER_MS)).toBe(false);
    give(attempt(ACKNOWLEDGED, 100));
    expect(book.isFree(long, LATER_MS)).toBe(false);
    judge(naked, 5_000);
    expect(book.isFree(long, LATER_MS)).toBe(true);
  });

  test("may go where a position has closed of which nothing is kept", () => {
    book.ended(long.key);
    expect(book.isFree(long, LATER_MS)).toBe(true);
  });

  test("of a new life waits for what shows more than the last answer of the life before", () => {
    book.isFree(long, LATER_MS);
    give(attempt(ACKNOWLEDGED, 900));
    book.ended(long.key);
    expect(book.isFree(long, START_MS + 899)).toBe(false);
    expect(book.isFree(long, START_MS + 900)).toBe(true);
    expect(admit({ seenMs: 899 }).ready).toEqual([]);
    expect(admit({ seenMs: 900 }).ready).toHaveLength(1);
  });

  test("of a new life waits for a look made since a write that none had judged, whatever is pushed", () => {
    const [reborn, again] = [aPosition({ openedAtMs: 5_000 }), aPosition({ openedAtMs: 6_000 })];
    book.isFree(long, LATER_MS);
    give(attempt({ kind: "uncertain", detail: "the connection broke" }, 900));
    for (const position of [reborn, again]) {
      expect(book.isFree(position, LATER_MS, START_MS + 899)).toBe(false);
      expect(book.isFree(position, LATER_MS, START_MS + 900)).toBe(true);
    }
  });

  test("of a new life waits for it also when a pass has begun meanwhile, for as long as that write may show late", () => {
    const reborn = aPosition({ openedAtMs: 5_000 });
    book.isFree(long, LATER_MS);
    give(attempt(ACKNOWLEDGED, 900));
    expect(book.isFree(reborn, LATER_MS, START_MS)).toBe(false);
    book.forget(START_MS + 30_899);
    expect(book.isFree(reborn, LATER_MS, START_MS)).toBe(false);
    book.forget(START_MS + 30_900);
    expect(book.isFree(reborn, LATER_MS, START_MS)).toBe(true);
  });

  test("of a new life does not wait for a look where the last write was refused", () => {
    book.isFree(long, LATER_MS);
    give(attempt(refused("zero-position"), 900));
    expect(book.isFree(aPosition({ openedAtMs: 5_000 }), LATER_MS, START_MS)).toBe(true);
  });

  test("is bound by a refusal of this life, and by none of another", () => {
    book.isFree(long, LATER_MS);
    give(attempt(refused("permission"), 100));
    expect([book.isFree(long, LATER_MS), book.isFree(aPosition({ openedAtMs: 5_000 }), LATER_MS)]).toEqual([
      false,
      true,
    ]);
  });
});

describe("how often it is tried", () => {
  const often = (count: number, given: Answer, step?: Step) =>
    give(...Array.from({ length: count }, (_, index) => attempt(given, index, step)));

  test("a curable refusal three times in all", () => {
    often(2, refused("zero-position"));
    expect(goes({ seenMs: 9_000 })).toBe("98");
    often(1, refused("zero-position"));
    expect(admit({ seenMs: 9_000 })).toEqual({ ready: [], waiting: [] });
  });

  test.each<StopPurpose>(["intent", "loosen"])("what somebody asked for by name (%s) does not count", (purpose) => {
    often(3, refused("zero-position"), withStop({ purpose }));
    expect(goes({ seenMs: 9_000 })).toBe("98 + 104");
  });

  describe("what somebody asked for by name", () => {
    // A wish that loosens, which the exchange refuses by a price that no read shows.
    const intent = { id: "i-1", stopLoss: dec("99"), takeProfit: null, waiver: null, mayLoosenFrom: null, who: "bot" };
    const asked: Scene = {
      shape: { positions: [aPosition({ fullStop: "97" })], orders: [fullStop(long, "97")] },
      protection: {},
      life: { intent },
    };
    const step = firstStep(asked);

    test.each<readonly [string, Answer, number]>([
      ["refused three times waits for twenty seconds", refused("stop-loss-past"), 3],
      ["not sent three times waits as well", notSent("network"), 3],
      ["spoken against by six looks waits as well", notSent("vetoed"), 6],
    ])("and %s", (_what, given, most) => {
      often(most - 1, given, step);
      expect(goes({ ...asked, seenMs: 9_000 })).toBe("99");
      often(1, given, step);
      expect(goes({ ...asked, seenMs: 9_000 })).toBeNull();
      expect(book.retryAtMs(long.key, START_MS + 9_000)).toBeGreaterThan(START_MS + 9_000);
      expect(goes({ ...asked, seenMs: 20_005 })).toBe("99");
    });

    test("that never showed, and is sent again for a stop that is missing, is bound by no refusal of wishes", () => {
      const missing: Scene = { ...asked, shape: naked, seenMs: 9_000 };
      give(attempt(ACKNOWLEDGED, 0, step));
      judge({ positions: [aPosition({ fullStop: "97" })], orders: [fullStop(long, "97")] }, 5_000);
      often(3, refused("stop-loss-past"), step);
      expect(goes({ ...asked, seenMs: 9_000 })).toBeNull();
      expect(goes(missing)).toBe("99");
      expect(admit(missing).ready).toMatchObject([{ step: { stopLoss: { purpose: "add" } } }]);
    });

    test("is bound by no automatic write, nor by wishes that were carried out", () => {
      often(2, refused("zero-position"));
      often(2, notSent("vetoed"));
      for (const atMs of [100, 200, 300, 400]) {
        give(attempt(ACKNOWLEDGED, atMs, step));
        judge({ positions: [aPosition({ fullStop: "99" })], orders: [fullStop(long, "99")] }, atMs + 10);
      }
      expect(outcomes().filter((outcome) => outcome === "confirmed")).toHaveLength(4);
      expect(goes({ ...asked, seenMs: 9_000 })).toBe("99");
    });
  });

  test("what never left for a look spoke against it uses up no write, and is given up after six times", () => {
    often(5, notSent("vetoed"));
    expect(goes({ seenMs: 9_000 })).toBe("98 + 104");
    often(1, notSent("vetoed"));
    expect(goes({ seenMs: 9_000 })).toBeNull();
  });

  test("what was spoken against and concerned no stop, or was asked for by name, keeps no stop back", () => {
    often(6, notSent("vetoed"), { ...firstStep(), stopLoss: null } as Step);
    often(6, notSent("vetoed"), withStop({ purpose: "intent" }));
    expect(goes({ seenMs: 9_000 })).toBe("98 + 104");
  });

  test("what did not reach the exchange counts", () => {
    often(3, notSent("network"));
    expect(goes({ seenMs: 9_000 })).toBeNull();
  });

  test("what asks for a take-profit alone counts", () => {
    const profitOnly = { ...firstStep(), stopLoss: null } as Step;
    often(3, refused("zero-position"), profitOnly);
    expect(goes({ seenMs: 9_000 })).toBeNull();
  });

  const unproven = (afterMs: number, step?: Step) => {
    give(attempt(ACKNOWLEDGED, afterMs, step));
    judge(naked, afterMs + 3_000);
  };

  test("what never showed three times, at last the stop alone, also where somebody asked for it by name", () => {
    const asked = withStop({ purpose: "intent" });
    unproven(0);
    expect(goes({ seenMs: 3_000 })).toBe("98 + 104");
    unproven(4_000);
    expect(goes({ seenMs: 7_000 })).toBe("98");
    unproven(8_000);
    expect(goes({ seenMs: 11_000 })).toBeNull();
    book = new PassBook();
    for (const atMs of [0, 4_000, 8_000]) unproven(atMs, asked);
    expect(goes({ seenMs: 11_000 })).toBeNull();
  });

  test("three writes that never showed leave none before the first of them is a minute old", () => {
    for (const atMs of [0, 4_000, 25_000]) unproven(atMs);
    book.forget(START_MS + 59_999);
    expect(goes({ seenMs: 59_999 })).toBeNull();
    expect(book.retryAtMs(long.key, START_MS + 59_999)).toBe(START_MS + 60_000);
    book.forget(START_MS + 60_000);
    expect(goes({ seenMs: 60_000 })).toBe("98");
    expect(book.retryAtMs(long.key, START_MS + 85_000)).toBeNull();
  });

  test.each([notSent("vetoed"), refused("zero-position"), refused("stop-loss-past")])(
    "what surely had no effect is no write of that minute (%j)",
    (given) => {
      give(...[0, 4_000, 15_000].map((atMs) => attempt(given, atMs)));
      book.forget(START_MS + 36_000);
      expect(goes({ seenMs: 36_000 })).toBe("98 + 104");
    },
  );

  describe("in a sidecar", () => {
    beforeEach(() => {
      book = new PassBook(LAST_AFTER_MS.sidecar);
    });

    test("the last write of a minute is kept for twenty seconds, by when most faults are over", () => {
      unproven(0);
      unproven(4_000);
      expect([goes({ seenMs: 19_999 }), goes({ seenMs: 20_000 })]).toEqual([null, "98"]);
      expect(book.isFree(long, START_MS + 19_999)).toBe(false);
      expect(book.isFree(long, START_MS + 20_000)).toBe(true);
      expect(book.retryAtMs(long.key, START_MS + 7_000)).toBe(START_MS + 20_000);
    });

    const covered = { positions: [long], orders: [fullStop(long, "98"), takeProfit(long, "104")] };
    const tighter = { positions: [long], orders: [fullStop(long, "99")] };
    const profitOnly = { ...firstStep(), stopLoss: null } as Step;

    test.each<readonly [string, () => void]>([
      ["was refused", () => give(attempt(refused("zero-position"), 1_000))],
      [
        "was proven: what is missing now is missing anew",
        () => (give(attempt(ACKNOWLEDGED, 0)), judge(covered, 1_000)),
      ],
      ["gave way to a tighter one", () => (give(attempt(ACKNOWLEDGED, 0)), judge(tighter, 1_000))],
      ["was for a take-profit alone", () => unproven(0, profitOnly)],
      ["was asked for by name", () => unproven(0, withStop({ purpose: "intent" }))],
    ])("not where one of the two %s", (_what, first) => {
      first();
      unproven(4_000);
      expect(goes({ seenMs: 8_000 })).toMatch(/^98/);
    });
  });

  test("of what nothing was tried no time is known when more may be", () => {
    expect(book.retryAtMs(long.key, START_MS)).toBeNull();
  });

  test("a refusal whose cause nobody knows speaks for that level alone", () => {
    give(attempt(refused("other", true), 100, withStop({ price: dec("98.05") })));
    expect(goes({ seenMs: 1_000 })).toBe("98 + 104");
    give(attempt(refused("other", true), 1_100));
    expect(goes({ seenMs: 2_000 })).toBeNull();
    expect(goes({ seenMs: 2_000, protection: { stopLoss: stopAt("0.03") } })).toBe("97");
    expect(book.retryAtMs(long.key, START_MS + 20_500)).toBe(START_MS + 21_100);
  });

  test("three such refusals leave a position naked for twenty seconds, and not for as long as they are told", () => {
    for (const [index, price] of ["98.3", "98.2", "98.1"].entries())
      give(attempt(refused("other", true), index * 80, withStop({ price: dec(price) })));
    expect(goes({ seenMs: 19_999 })).toBeNull();
    book.forget(START_MS + 20_160);
    expect([goes({ seenMs: 20_160 }), outcomes()]).toEqual(["98 + 104", ["refused", "refused", "refused"]]);
  });

  describe("counts by the clock, also in a pass that goes on meanwhile and forgets nothing", () => {
    test.each<readonly [string, () => void, number]>([
      ["what closed a position", () => give(attempt(refused("market-state", true), 0)), 20_000],
      ["refusals", () => often(3, refused("zero-position"), undefined), 20_000],
      ["what was not sent", () => often(3, notSent("network")), 10_000],
      ["what a look spoke against", () => often(6, notSent("vetoed")), 10_000],
    ])("%s", (_what, tried, untilMs) => {
      tried();
      expect([goes({ seenMs: untilMs - 1 }), goes({ seenMs: untilMs + 5 })]).toEqual([
        null,
        expect.stringMatching(/^98/),
      ]);
    });

    test("what had an effect, or may have had one", () => {
      for (const atMs of [0, 4_000, 25_000]) unproven(atMs);
      expect([goes({ seenMs: 59_999 }), goes({ seenMs: 60_000 })]).toEqual([null, "98"]);
    });
  });

  test("a moment that passed while a pass went on is told, so that nobody waits for it in vain", () => {
    give(attempt(refused("market-state", true), 0));
    expect(book.retryAtMs(long.key, START_MS + 25_000)).toBeNull();
    expect(goes({ seenMs: 19_000 })).toBeNull();
    expect(book.retryAtMs(long.key, START_MS + 25_000)).toBe(START_MS + 20_000);
    expect(goes({ seenMs: 25_000 })).not.toBeNull();
    expect(book.retryAtMs(long.key, START_MS + 25_000)).toBeNull();
  });

  test("and nothing that names no level of its own goes meanwhile: no close, and nothing from a push", () => {
    const past = { position: aPosition({ entry: "110" }), protection: { pastStop: "close" } } as const;
    expect(goes({ ...past, seenMs: 1_000 })).toBe("close");
    give(attempt(refused("other", true), 1_100));
    expect(goes({ ...past, seenMs: 2_000 })).toBeNull();
    expect(book.isFree(past.position, START_MS + 2_000)).toBe(false);
  });

  test.each<readonly [string, Step]>([
    ["a close", firstStep({ position: aPosition({ mark: "97" }), protection: { pastStop: "close" } })],
    ["a take-profit alone", { ...firstStep(), stopLoss: null } as Step],
  ])("and that of %s speaks for no stop", (_what, step) => {
    give(attempt(refused("other", true), 100, step));
    expect(goes({ seenMs: 1_000 })).toBe("98 + 104");
  });

  test("but not where the key or its rights are why", () => {
    give(attempt(refused("terms", true), 100));
    expect(goes({ seenMs: 1_000, protection: { stopLoss: stopAt("0.03") } })).toBeNull();
  });

  test("a refusal that time may cure again after half a second, then after one and a half", () => {
    give(attempt(refused("zero-position"), 1_000));
    expect([goes({ seenMs: 1_499 }), goes({ seenMs: 1_500 })]).toEqual([null, "98 + 104"]);
    give(attempt(refused("zero-position"), 2_000));
    expect([goes({ seenMs: 3_499 }), goes({ seenMs: 3_500 })]).toEqual([null, "98"]);
  });

  test("from a look that was asked for after the last answer", () => {
    give(attempt(refused("stop-loss-past"), 1_000));
    expect(goes({ seenMs: 999, afterMs: 1_100 })).toBeNull();
    expect(goes({ seenMs: 1_000, afterMs: 1_100 })).toBe("98 + 104");
  });

  test("what only waits for its time is looked at meanwhile", () => {
    give(attempt(refused("zero-position"), 1_000));
    expect(admit({ seenMs: 1_499 }).waiting).toMatchObject([{ symbol: "BTCUSDT" }]);
  });

  test.each<FailureCause>(["mode-mismatch", "gone", "network", "rate-limit", "clock", "vetoed"])(
    "a %s again, for it may pass",
    (cause) => {
      give(attempt(cause === "network" ? notSent(cause) : refused(cause), 1_000));
      expect([goes({ seenMs: 1_499 }), goes({ seenMs: 1_500 })]).toEqual([null, "98 + 104"]);
    },
  );

  test("a stop past the price at once, from a fresh look", () => {
    give(attempt(refused("zero-position"), 900), attempt(refused("stop-loss-past"), 1_000));
    expect(goes({ seenMs: 1_000 })).toBe("98");
  });

  test.each<readonly [string, Answer]>([
    ["refused for what would meet the stop too", refused("market-state", true)],
    ["not sent for what does not pass", notSent("closed")],
  ])("not at all where both were %s", (_what, given) => {
    give(attempt(given, 100));
    expect(goes({ seenMs: 9_000 })).toBeNull();
    expect(book.refusalOf(KEY)?.answer).toBe(given);
  });

  test("not at all where the stop alone was refused for good", () => {
    const stopOnly = { ...firstStep(), takeProfit: null } as Step;
    give(attempt(refused("limit", false), 100, stopOnly));
    expect(goes({ seenMs: 9_000 })).toBeNull();
  });

  test("a close that was refused does not keep the stop from being tried", () => {
    const close = firstStep({ position: aPosition({ mark: "97" }), protection: { pastStop: "close" } });
    expect(close.action).toBe("close-position");
    give(attempt(refused("limit", false), 100, close));
    expect([goes({ seenMs: 9_000 }), book.refusalOf(KEY)]).toEqual(["98 + 104", null]);
  });

  test("nothing further of a take-profit that was refused", () => {
    const covered = { positions: [aPosition({ fullStop: "98" })], orders: [fullStop(long, "98")] };
    expect(goes({ shape: covered, seenMs: 9_000 })).toBe("104 alone");
    give(attempt(refused("take-profit-past", false), 100));
    expect(admit({ shape: covered, seenMs: 9_000 })).toEqual({ ready: [], waiting: [] });
  });

  test("a take-profit alone never as the last write that a position may have: that is its stop's", () => {
    often(2, refused("zero-position"));
    const covered = { positions: [aPosition({ fullStop: "98" })], orders: [fullStop(long, "98")] };
    expect(goes({ shape: covered, seenMs: 9_000 })).toBeNull();
    expect(goes({ seenMs: 9_000 })).toBe("98");
  });

  describe("of a stop that stands", () => {
    const wide = { positions: [aPosition({ fullStop: "90" })], orders: [fullStop(long, "90")] };
    const beyond = { ...wide, positions: [aPosition({ fullStop: "90", liquidation: "95" })] };
    const stood = { stopLoss: { price: dec("97"), triggerBy: "MarkPrice" }, takeProfit: null, size: dec("1") } as const;

    test.each<readonly [string, Scene, string | null]>([
      ["a tightening never", { shape: wide }, null],
      ["a restoring never", { shape: wide, life: { learned: stood } }, null],
      ["one that moves it inside liquidation, since it is none", { shape: beyond }, "98"],
    ])("%s as the last write", (_what, scene, goesThen) => {
      const protection = { mode: "tighten-only" } as const;
      expect(goes({ ...scene, protection, seenMs: 9_000 })).toMatch(/^9[78]/);
      often(2, refused("zero-position"));
      expect(goes({ ...scene, protection, seenMs: 9_000 })).toBe(goesThen);
    });
  });

  test("a close also as the last write: what only betters a position leaves that one", () => {
    const past = { position: aPosition({ entry: "110" }), protection: { pastStop: "close" } } as const;
    expect(goes({ ...past, seenMs: 900 })).toBe("close");
    give(attempt(refused("zero-position"), 1_000), attempt(refused("zero-position"), 1_100));
    expect(goes({ ...past, seenMs: 3_000 })).toBe("close");
  });

  test("a stop whatever became of take-profits alone", () => {
    const covered = { positions: [aPosition({ fullStop: "98" })], orders: [fullStop(long, "98")] };
    const alone = stepsFor({ shape: covered })[0]?.step;
    for (const atMs of [100, 5_000]) {
      give(attempt(ACKNOWLEDGED, atMs, alone));
      judge(covered, atMs + 4_000);
    }
    expect(outcomes()).toEqual(["uncertain", "uncertain"]);
    expect(goes({ seenMs: 9_500 })).toMatch(/^98/);
  });
});

test("a step for a position that no look shows any more neither goes nor waits", () => {
  const judged = assessed({});
  const { ready, waiting } = book.admit(stepsFor(), judged, pictureOf(judged.snapshot), { now: () => START_MS }, 90);
  expect([ready, waiting]).toEqual([[], []]);
});

describe("after a write that never showed", () => {
  const unproven = (step: Step) => {
    give(attempt(ACKNOWLEDGED, 0, step));
    judge(naked, 5_000);
  };

  test("the same stop is asked for again, so that a late effect changes nothing", () => {
    unproven(withStop({ price: dec("98.5") }));
    expect(goes({ seenMs: 6_000 })).toBe("98.5 + 104");
  });

  test("the stop is measured anew where the same one does not fit any more", () => {
    unproven(withStop({ price: dec("99.5") }));
    expect(goes({ seenMs: 6_000, position: aPosition({ mark: "99" }) })).toBe("98 + 104");
  });

  test("the same stop goes without a take-profit that was refused", () => {
    unproven(withStop({ price: dec("98.5") }));
    give(attempt(refused("take-profit-past", false), 5_500));
    expect(goes({ seenMs: 6_000 })).toBe("98.5");
  });

  test("a step that asks for no stop gets none", () => {
    unproven(withStop({ price: dec("98.5") }));
    const covered = { positions: [aPosition({ fullStop: "98" })], orders: [fullStop(long, "98")] };
    expect(goes({ shape: covered, seenMs: 6_000 })).toBe("104 alone");
  });

  test("of a take-profit, or of a close, the stop is what was planned", () => {
    unproven({ ...firstStep(), stopLoss: null } as Step);
    expect(goes({ seenMs: 6_000 })).toBe("98 + 104");
    book = new PassBook();
    unproven(firstStep({ position: aPosition({ mark: "97" }), protection: { pastStop: "close" } }));
    expect(goes({ seenMs: 6_000 })).toBe("98 + 104");
  });

  test("that the flipped position has taken, the stop is what was planned", () => {
    give(attempt(ACKNOWLEDGED, 0, { ...withStop({ price: dec("98.5") }), side: "short" }));
    judge({ positions: [long], orders: [fullStop(long, "98.5")] }, 5_000);
    expect(outcomes()).toEqual(["uncertain"]);
    expect(goes({ seenMs: 6_000 })).toBe("98 + 104");
  });

  test("that gave way to a tighter one, the stop is what was planned", () => {
    give(attempt(ACKNOWLEDGED, 0));
    judge({ positions: [long], orders: [fullStop(long, "99")] }, 5_000);
    expect(outcomes()).toEqual(["uncertain"]);
    expect(goes({ seenMs: 6_000, protection: { stopLoss: stopAt("0.01") } })).toBe("99");
  });

  test("a tighter one that has stood since is put back, and not the older one", () => {
    const life = {
      learned: { stopLoss: { price: dec("99"), triggerBy: "MarkPrice" }, takeProfit: null, size: dec("1") },
    } as const;
    unproven(firstStep());
    expect(goes({ seenMs: 6_000, life, protection: {} })).toBe("99");
  });

  test("a refusal in between does not change which stop is asked for", () => {
    unproven(withStop({ price: dec("98.5") }));
    give(attempt(refused("zero-position"), 5_100, withStop({ price: dec("98.2") })));
    expect(goes({ seenMs: 8_000 })).toBe("98.5");
  });
});

describe("the nearest stop", () => {
  const nearest = { pastStop: "nearest" } as const;
  const fallen = aPosition({ mark: "97" });
  const risen = aShort({ mark: "103" });
  const refuse = (position: Position, count: number, cause: FailureCause = "stop-loss-past") =>
    give(
      ...Array.from({ length: count }, () =>
        attempt(refused(cause), 100, firstStep({ position, protection: nearest })),
      ),
    );
  const asked = (position: Position) => goes({ position, protection: nearest, seenMs: 5_000 });

  test("gives way by a thousandth of the price for each time that the price was quicker", () => {
    expect(asked(fallen)).toBe("96.9");
    refuse(fallen, 1);
    expect(asked(fallen)).toBe("96.8");
    refuse(fallen, 1);
    expect(asked(fallen)).toBe("96.7");
  });

  test("of a short gives way upwards", () => {
    expect(asked(risen)).toBe("103.1");
    refuse(risen, 1);
    expect(asked(risen)).toBe("103.3");
  });

  test("does not give way to a refusal of another kind", () => {
    refuse(fallen, 1, "zero-position");
    expect(asked(fallen)).toBe("96.9");
  });

  test("is measured anew after one that never showed, where the price was quicker since", () => {
    give(attempt(ACKNOWLEDGED, 0, { ...firstStep({ position: fallen, protection: nearest }), stopLoss: null } as Step));
    judge({ positions: [fallen] }, 5_000);
    refuse(fallen, 1);
    expect(goes({ position: fallen, protection: nearest, seenMs: 9_000 })).toBe("96.8");
  });

  test("does not give way below one tick", () => {
    const cheap = aPosition({ entry: "1", mark: "0.2" });
    refuse(cheap, 1);
    expect(asked(cheap)).toBe("0.1");
  });

  test("alone gives way: the configured one is where the operator wants it", () => {
    give(attempt(refused("stop-loss-past"), 100));
    expect(goes({ seenMs: 5_000 })).toBe("98 + 104");
  });

  describe("where the last price and the mark are far apart, and the exchange has refused by the other one", () => {
    const byLast = (standing: string | null, mark = "60") => {
      const position = aPosition({ mark, fullStop: standing });
      const protection: Partial<Protection> = {
        mode: "tighten-only",
        pastStop: "nearest",
        stopLoss: stopAt("0.02", "LastPrice"),
      };
      const orders = standing === null ? [] : [fullStop(position, standing, { triggerBy: "LastPrice" })];
      const shape = { positions: [position], orders, tickers: [aTicker({ mark: "100", last: "100" })] };
      const scene = { position, protection, shape, seenMs: 5_000 };
      const before = goes(scene);
      give(attempt(refused("stop-loss-past"), 100, firstStep(scene)));
      return [before, goes(scene)];
    };

    test("is set where nothing stands", () => {
      expect(byLast(null)).toEqual(["98", "59.8"]);
    });

    test("is none where no tick is left above zero", () => {
      expect(byLast(null, "0.1")).toEqual(["98", null]);
      book = new PassBook();
      expect(byLast(null, "0.2")).toEqual(["98", "0.1"]);
    });

    test("neither takes the place of a stop that stands, nor pulls it to the price", () => {
      expect(byLast("95")).toEqual(["98", null]);
      book = new PassBook();
      expect(byLast("55")).toEqual(["98", null]);
    });
  });
});

describe("closes", () => {
  const closing = { pastStop: "close" } as const;
  const fallen = Array.from({ length: 7 }, (_, index) => aPosition({ symbol: `C${index}USDT`, mark: "97" }));
  const shape = { positions: fallen };

  test("go five at a time, from what was seen within a second", () => {
    const { ready, waiting } = admit({ shape, protection: closing });
    expect([ready.length, waiting.length]).toEqual([5, 2]);
    expect(ready.map(({ step }) => step)).toStrictEqual(
      stepsFor({ shape, protection: closing })
        .slice(0, 5)
        .map(({ step }) => step),
    );
    expect(admit({ shape, protection: closing, most: 2 }).ready).toHaveLength(2);
    expect(admit({ shape, protection: closing, afterMs: 1_000 }).ready).toHaveLength(5);
    expect(admit({ shape, protection: closing, afterMs: 1_001 }).ready).toHaveLength(0);
  });

  test("do not count against stops, of which as many go as are asked for", () => {
    const stops = Array.from({ length: 7 }, (_, index) => aPosition({ symbol: `S${index}USDT` }));
    expect(admit({ shape: { positions: stops } }).ready).toHaveLength(7);
    expect(admit({ shape: { positions: stops }, most: 6 }).ready).toHaveLength(6);
  });
});

describe("an account that takes no writes", () => {
  const other = aPosition({ symbol: "ETHUSDT" });
  const elsewhere = () => firstStep({ position: other });

  test("is told at once where its key was refused, however much was taken since", () => {
    give(attempt(refused("key"), 100), attempt(ACKNOWLEDGED, 200, elsewhere()));
    expect(book.accountTrouble()).toEqual({ cause: "key", detail: "refused for key" });
    expect(book.accountRefusal()).toBe("the exchange refused the key: refused for key");
  });

  test.each<readonly [FailureCause, string]>([
    ["permission", "the key may not do this: refused for permission"],
    ["clock", "the exchange does not accept our clock: refused for clock"],
  ])("is told after three refusals in a row for %s", (cause, sentence) => {
    give(attempt(refused(cause), 100), attempt(refused(cause), 200, elsewhere()));
    expect(book.accountRefusal()).toBeNull();
    give(attempt(refused(cause), 300));
    expect(book.accountRefusal()).toBe(sentence);
  });

  test("is told also where the clock kept requests from being sent, and other reasons for that say nothing", () => {
    give(attempt(notSent("clock"), 100), attempt(notSent("clock"), 200), attempt(notSent("clock"), 300));
    give(attempt(notSent("vetoed"), 400), attempt(notSent("network"), 500, elsewhere()));
    expect(book.accountTrouble()).toEqual({ cause: "clock", detail: "not sent for clock" });
  });

  test("is not told where the latest answers differ, whatever position they are of", () => {
    give(attempt(refused("permission"), 100), attempt(refused("permission"), 300), attempt(refused("permission"), 400));
    give(attempt(ACKNOWLEDGED, 350, elsewhere()));
    expect(book.accountTrouble()).toBeNull();
    book = new PassBook();
    give(attempt(refused("permission"), 100), attempt(refused("clock"), 200), attempt(refused("permission"), 300));
    expect(book.accountTrouble()).toBeNull();
  });

  test("is told by its latest answers: what was taken long before is no proof", () => {
    give(...[400, 300, 200].map((afterMs) => attempt(refused("permission"), afterMs)));
    give(attempt(ACKNOWLEDGED, 50, elsewhere()));
    expect(book.accountTrouble()).toMatchObject({ cause: "permission" });
  });

  test("is not told for refusals that concern one position, nor where nothing was tried", () => {
    expect(book.accountTrouble()).toBeNull();
    give(...[100, 200, 300].map((afterMs) => attempt(refused("limit"), afterMs)));
    expect(book.accountTrouble()).toBeNull();
  });
});

describe("what the book tells", () => {
  const other = aPosition({ symbol: "ETHUSDT" });
  const elsewhere = () => firstStep({ position: other });

  test("is how many requests are on the wire, and where they were sent", () => {
    book.started(firstStep());
    book.started(elsewhere());
    expect(book.onTheWire()).toBe(2);
    expect(book.isOnTheWire(long.key)).toBe(true);
    give(attempt(refused("zero-position"), 100));
    expect([long, other, aPosition({ symbol: "SOLUSDT" })].map(({ key }) => book.isOnTheWire(key))).toEqual([
      false,
      true,
      false,
    ]);
    expect(book.onTheWire()).toBe(1);
    expect(admit({ seenMs: 9_000 }).waiting).toMatchObject([{ symbol: "ETHUSDT" }]);
  });

  test("is what was judged, the same values each time, and each position's tries in their order", () => {
    give(attempt(refused("zero-position"), 100), attempt(notSent("vetoed"), 200), attempt(ACKNOWLEDGED, 300));
    give(attempt(refused("limit", false), 150, elsewhere()));
    expect(book.judged().map(({ outcome }) => outcome)).toEqual(["refused", "skipped", "refused"]);
    expect(book.judged()[0]).toBe(book.judged()[0]);
    expect(outcomes()).toEqual(["refused", "skipped", "uncertain"]);
    expect(book.records().get(keyText(other.key))).toHaveLength(1);
    expect(book.progress()).toBe("4 sent, 0 confirmed");
  });

  test("is nothing of a position that it does not know", () => {
    expect([book.refusalOf("nobody"), book.judged(), book.records().get("nobody")]).toEqual([null, [], undefined]);
  });

  test("is why a look could not judge: the position itself is in doubt, or missing without proof", () => {
    give(attempt(ACKNOWLEDGED, 100));
    const gaps = [{ category: "linear", what: "orders", reason: "timeout" }] as const;
    book.judge(assessed({ ...naked, gaps }), lookAt(naked, 5_000));
    expect(records()).toMatchObject([{ detail: "its open orders could not be read: timeout" }]);
    book = new PassBook();
    give(attempt(ACKNOWLEDGED, 100));
    judge({}, 5_000);
    expect(records()).toMatchObject([{ detail: "the position is missing from a read that does not prove it flat" }]);
  });

  test("is that a close was carried out, and that anything else of a closed position has become moot", () => {
    const close = firstStep({ position: aPosition({ mark: "97" }), protection: { pastStop: "close" } });
    give(attempt(ACKNOWLEDGED, 100, close), attempt(ACKNOWLEDGED, 110));
    const flat = { flatLegs: [{ ...long.key }] };
    const twice = lookAt(flat, 2_700, lookAt(flat, 200));
    book.judge(assessed({}), lookedAgain(twice, aSnapshot({ requestedAtMs: START_MS + 2_800 })));
    expect(records()).toMatchObject([
      { outcome: "confirmed", detail: null },
      { outcome: "skipped", detail: "the position was closed meanwhile" },
    ]);
  });

  test("is that a tighter stop stands in place of ours", () => {
    give(attempt(ACKNOWLEDGED, 100));
    judge({ positions: [long], orders: [fullStop(long, "99")] }, 200);
    expect(records()).toMatchObject([{ outcome: "uncertain", detail: "a tighter stop stands at 99" }]);
  });

  test("is what was judged by each look once", () => {
    give(attempt(ACKNOWLEDGED, 100));
    const covered = { positions: [long], orders: [fullStop(long, "98"), takeProfit(long, "104")] };
    expect(judge(covered, 100)).toMatchObject([{ verdict: { kind: "confirmed" } }]);
    expect(judge(naked, 9_000)).toEqual([]);
    expect(outcomes()).toEqual(["confirmed"]);
  });
});
