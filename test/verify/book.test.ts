/** The book of a pass: which steps may go, which wait, and what each is told to have become. */
import { describe, expect, test } from "vitest";
import type { Answer, Attempt } from "../../src/apply/attempt.js";
import { lookedAgain, type Picture, pictureOf } from "../../src/domain/picture.js";
import { keyText } from "../../src/domain/position.js";
import type { Snapshot } from "../../src/domain/snapshot.js";
import type { PlannedStep } from "../../src/plan/step.js";
import { PassBook } from "../../src/verify/book.js";
import { fullStop } from "../builders/order.js";
import { takeProfitAt } from "../builders/policy.js";
import { anUnreadablePosition, aPosition } from "../builders/position.js";
import { aSnapshot, assessed, planned, type SnapshotShape } from "../builders/snapshot.js";

const START_MS = 1_700_000_000_000;
const LATER_MS = START_MS + 60_000;
const long = aPosition();
const naked: SnapshotShape = { positions: [long] };
const KEY = keyText(long.key);
const CONTRACT = { category: "linear", symbol: "BTCUSDT" } as const;
const FLAT = { ...CONTRACT, positionIdx: 0 } as const;

function stepsOf(shape: SnapshotShape = naked): readonly PlannedStep[] {
  return planned(shape, { protection: { takeProfit: takeProfitAt("0.04") } });
}

function lookShape(shape: SnapshotShape, afterMs: number): Snapshot {
  return aSnapshot({ ...shape, scope: [CONTRACT], requestedAtMs: START_MS + afterMs });
}

function lookAt(shape: SnapshotShape, afterMs: number): Picture {
  return lookedAgain(pictureOf(aSnapshot(naked)), lookShape(shape, afterMs));
}

const at = (afterMs: number) => ({ now: () => START_MS + afterMs });

function attempt(answer: Answer, afterMs: number): Attempt {
  const [first] = stepsOf();
  if (first === undefined) throw new RangeError("a naked position has a step");
  return { step: first.step, startedAtMs: START_MS, answeredAtMs: START_MS + afterMs, answer };
}

const acknowledged: Answer = { kind: "acknowledged" };

function admitted(
  book: PassBook,
  { afterMs = 0, picture = pictureOf(aSnapshot(naked)), most = 90, steps = stepsOf() } = {},
) {
  const { ready, waiting } = book.admit(steps, assessed(naked), picture, at(afterMs), most);
  return { ready: ready.length, waiting: waiting.length, first: ready[0] };
}

function outcomes(book: PassBook): readonly string[] {
  return (book.records().get(KEY) ?? []).map(({ outcome }) => outcome);
}

describe("admission", () => {
  test("a step decided from a fresh look goes at once", () => {
    expect(admitted(new PassBook())).toMatchObject({ ready: 1, waiting: 0 });
  });

  test("a step decided from an old look waits for a new one", () => {
    expect(admitted(new PassBook(), { afterMs: 1_500 })).toMatchObject({ ready: 1 });
    expect(admitted(new PassBook(), { afterMs: 1_501 })).toMatchObject({ ready: 0, waiting: 1 });
  });

  test("a held step neither goes nor waits", () => {
    const held = stepsOf().map((step) => ({ ...step, held: "read-only" }));
    expect(admitted(new PassBook(), { steps: held })).toMatchObject({ ready: 0, waiting: 0 });
  });

  test("no more go than asked for; the rest waits", () => {
    expect(admitted(new PassBook(), { most: 0 })).toMatchObject({ ready: 0, waiting: 1 });
  });

  test("while a request is under way, nothing else goes to its position", () => {
    const book = new PassBook();
    book.started(attempt(acknowledged, 0).step);
    expect(admitted(book).ready).toBe(0);
  });

  test("after an answer nothing goes until a look that was asked for later has judged it", () => {
    const book = new PassBook();
    book.answered([attempt(acknowledged, 100)]);
    expect(admitted(book, { afterMs: 200 }).ready).toBe(0);
    book.judge(assessed(naked), lookAt(naked, 99));
    expect(outcomes(book)).toEqual(["uncertain"]);
    expect(admitted(book, { afterMs: 200, picture: lookAt(naked, 99) }).ready).toBe(0);
  });

  test("after a refused take-profit only the stop is admitted", () => {
    const book = new PassBook();
    book.answered([attempt({ kind: "refused", cause: "take-profit-past", meetsStopToo: false, detail: "" }, 100)]);
    const { first } = admitted(book, { afterMs: 5_000, picture: lookAt(naked, 4_000) });
    expect(first?.step).toMatchObject({ action: "set-trading-stop", takeProfit: null });
  });

  test("the last write that a position may have goes without the take-profit", () => {
    const book = new PassBook();
    const zero: Answer = { kind: "refused", cause: "zero-position", meetsStopToo: true, detail: "" };
    book.answered([attempt(zero, 100), attempt(zero, 700)]);
    const { first } = admitted(book, { afterMs: 9_000, picture: lookAt(naked, 8_000) });
    expect(first?.step).toMatchObject({ action: "set-trading-stop", takeProfit: null });
  });

  test("a refusal that closes the account to us ends the tries, and is told", () => {
    const book = new PassBook();
    book.answered([attempt({ kind: "refused", cause: "key", meetsStopToo: true, detail: "10003" }, 100)]);
    expect(admitted(book, { afterMs: 9_000, picture: lookAt(naked, 8_000) })).toMatchObject({ ready: 0, waiting: 0 });
    expect(book.refusalOf(KEY)?.answer).toMatchObject({ cause: "key" });
  });
});

describe("a position that closes and opens again, and whose row does not state when it opened", () => {
  const before = aPosition({ openedAtMs: null });
  const after = aPosition({ openedAtMs: null, entry: "101" });

  function bookAfterLostWrite(): PassBook {
    const book = new PassBook();
    admitted(book, { steps: stepsOf({ positions: [before] }), most: 0 });
    book.answered([attempt(acknowledged, 100)]);
    book.judge(assessed({ positions: [before] }), lookAt({ positions: [before] }, 3_200));
    return book;
  }

  function nextStop(book: PassBook): string | undefined {
    const shape = { positions: [after] };
    const picture = lookAt(shape, 9_000);
    const { ready } = book.admit(stepsOf(shape), assessed(shape), picture, at(9_100), 9);
    const step = ready[0]?.step;
    return step?.action === "set-trading-stop" ? step.stopLoss?.price.toFixed() : undefined;
  }

  test("is asked for the same stop again while it goes on, so that a late effect changes nothing", () => {
    expect(nextStop(bookAfterLostWrite())).toBe("98");
  });

  test("is not asked for the stop of the life before, once a look has proven that one closed", () => {
    const book = bookAfterLostWrite();
    const once = lookAt({ flatLegs: [FLAT] }, 4_000);
    const twice = lookedAgain(once, lookShape({ flatLegs: [FLAT] }, 6_500));
    const closed = lookedAgain(twice, aSnapshot({ requestedAtMs: START_MS + 6_600 }));
    book.admit([], assessed({}), closed, at(6_700), 9);
    expect(nextStop(book)).toBe("99");
  });

  test("waits for its own write to be judged, also where the latest look still shows the close before it", () => {
    const book = bookAfterLostWrite();
    const once = lookAt({ flatLegs: [FLAT] }, 4_000);
    const twice = lookedAgain(once, lookShape({ flatLegs: [FLAT] }, 6_500));
    const closed = lookedAgain(twice, aSnapshot({ requestedAtMs: START_MS + 6_600 }));
    book.ended(before.key);
    expect(book.isFree(after, LATER_MS)).toBe(true);
    book.answered([{ ...attempt(acknowledged, 9_000), startedAtMs: START_MS + 8_900 }]);
    book.admit([], assessed({}), closed, at(9_100), 9);
    expect(book.isFree(after, LATER_MS)).toBe(false);
  });

  test("nor once the stream has told of the close", () => {
    const book = bookAfterLostWrite();
    book.ended(before.key);
    expect(nextStop(book)).toBe("99");
  });
});

describe("judging", () => {
  const covered: SnapshotShape = { positions: [long], orders: [fullStop(long, "98")] };
  function alone(): Attempt {
    const whole = attempt(acknowledged, 100);
    return whole.step.action === "set-trading-stop" ? { ...whole, step: { ...whole.step, takeProfit: null } } : whole;
  }

  function bookWith(one: Attempt): PassBook {
    const book = new PassBook();
    book.answered([one]);
    return book;
  }

  test("a look from before the answer proves nothing", () => {
    const book = bookWith(alone());
    expect(book.judge(assessed(covered), lookAt(covered, 99))).toEqual([]);
    expect(outcomes(book)).toEqual(["uncertain"]);
  });

  test("a look from after the answer confirms", () => {
    const book = bookWith(alone());
    book.judge(assessed(covered), lookAt(covered, 101));
    expect(outcomes(book)).toEqual(["confirmed"]);
  });

  test("absence counts only three seconds after the answer", () => {
    const book = bookWith(alone());
    expect(book.judge(assessed(naked), lookAt(naked, 3_099))).toEqual([]);
    expect(book.judge(assessed(naked), lookAt(naked, 3_100))).toHaveLength(1);
    expect(outcomes(book)).toEqual(["uncertain"]);
  });

  test("the contract's own flat row proves the position closed when it comes twice, seconds apart", () => {
    const book = bookWith(alone());
    const once = lookAt({ flatLegs: [FLAT] }, 200);
    book.judge(assessed({}), once);
    expect(book.records().get(KEY)).toMatchObject([{ outcome: "uncertain" }]);
    expect(book.isClosed(KEY, once)).toBe(false);
    const twice = lookedAgain(once, lookShape({ flatLegs: [FLAT] }, 2_700));
    const closed = lookedAgain(twice, aSnapshot({ requestedAtMs: START_MS + 2_800 }));
    book.judge(assessed({}), closed);
    expect(book.records().get(KEY)).toMatchObject([
      { outcome: "skipped", detail: "the position was closed meanwhile" },
    ]);
    expect(book.isClosed(KEY, closed)).toBe(true);
  });

  test("a close that is proven only when the time for its step was over has the last word, for good", () => {
    const book = bookWith(alone());
    const early = lookAt({ flatLegs: [FLAT] }, 700);
    const late = lookedAgain(early, lookShape({ flatLegs: [FLAT] }, 3_200));
    book.judge(assessed({}), late);
    expect(outcomes(book)).toEqual(["uncertain"]);
    const closed = lookedAgain(late, aSnapshot({ requestedAtMs: START_MS + 4_200 }));
    expect(book.judge(assessed({}), closed)).toMatchObject([{ verdict: { kind: "closed" } }]);
    book.judge(assessed({}), lookedAgain(closed, aSnapshot({ requestedAtMs: START_MS + 9_000 })));
    expect(book.records().get(KEY)).toMatchObject([
      { outcome: "skipped", detail: "the position was closed meanwhile" },
    ]);
  });

  test("a proof that was asked for before a step was sent says nothing of it; one that never left has changed nothing", () => {
    const later = { startedAtMs: START_MS + 2_900, answeredAtMs: START_MS + 3_000 };
    const twice = lookedAgain(lookAt({ flatLegs: [FLAT] }, 200), lookShape({ flatLegs: [FLAT] }, 2_800));
    const closed = lookedAgain(twice, aSnapshot({ requestedAtMs: START_MS + 3_100 }));
    const book = new PassBook();
    expect(book.isClosed(KEY, closed)).toBe(true);
    book.answered([{ ...attempt({ kind: "not-sent", cause: "vetoed", detail: "no longer needed" }, 0), ...later }]);
    expect(book.isClosed(KEY, closed)).toBe(true);
    book.answered([{ ...attempt(acknowledged, 0), ...later }]);
    expect(book.isClosed(KEY, closed)).toBe(false);
  });

  test("a position missing from a whole list is not proven closed", () => {
    const book = bookWith(alone());
    const whole = pictureOf(aSnapshot({ requestedAtMs: START_MS + 9_000 }));
    book.judge(assessed({}), whole);
    expect(outcomes(book)).toEqual(["uncertain"]);
    expect(book.isClosed(KEY, whole)).toBe(false);
  });

  test("a row that cannot be read is not proven closed", () => {
    const unreadable: SnapshotShape = { unreadablePositions: [anUnreadablePosition()] };
    const book = bookWith(alone());
    book.judge(assessed(unreadable), lookAt(unreadable, 9_000));
    expect(outcomes(book)).toEqual(["uncertain"]);
  });

  test("what no look could judge is uncertain, with the reason", () => {
    const book = bookWith(alone());
    book.giveUp("the exchange stopped answering");
    expect(book.records().get(KEY)).toMatchObject([{ outcome: "uncertain", detail: "the exchange stopped answering" }]);
  });

  test("a confirmed step stays confirmed when sight is lost later", () => {
    const book = bookWith(alone());
    book.judge(assessed(covered), lookAt(covered, 200));
    book.giveUp("the exchange stopped answering");
    expect(outcomes(book)).toEqual(["confirmed"]);
    expect(book.progress()).toBe("1 sent, 1 confirmed");
  });
});
