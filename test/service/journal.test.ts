/** What must be written down before it is sent: a step whose own entry is not safe waits, unless a position is naked. */
import { expect, test } from "vitest";
import { dec } from "../../src/domain/decimal.js";
import type { PositionIntent } from "../../src/domain/intent.js";
import { UNWRITTEN_LIFE } from "../../src/domain/life.js";
import type { SetTradingStop, StopPurpose } from "../../src/plan/step.js";
import { heldWithoutLedger } from "../../src/service/books/books.js";
import { openJournal } from "../../src/service/books/journal.js";
import type { EntryMaker, Writing } from "../../src/service/books/writing.js";
import { resolved } from "../builders/policy.js";
import { aPosition } from "../builders/position.js";
import { life } from "../ledger/stage.js";

const position = aPosition();
const INTENT: PositionIntent = {
  id: "wish-1",
  stopLoss: dec("97"),
  takeProfit: null,
  waiver: null,
  mayLoosenFrom: null,
  who: "http",
};

function aStep(purpose: StopPurpose): SetTradingStop {
  const stopLoss = { price: dec("98"), triggerBy: "MarkPrice", purpose } as const;
  return {
    action: "set-trading-stop",
    key: position.key,
    side: "long",
    stopLoss,
    takeProfit: null,
    reason: "stop-too-wide",
  };
}

/** A ledger that takes an entry only when it is told to. */
function scene() {
  let written: (id: number) => void = () => undefined;
  const noted: EntryMaker[] = [];
  const appended: ReturnType<EntryMaker>[] = [];
  const writing: Pick<Writing, "append" | "note"> = {
    append: (make, onWritten = () => undefined) => {
      appended.push(make());
      written = onWritten;
      return Promise.resolve();
    },
    note: (make) => void noted.push(make),
  };
  const journal = openJournal({
    writing,
    lives: { lifeOf: () => life() },
    memory: { recall: () => UNWRITTEN_LIFE, remember: () => undefined, openContracts: () => [] },
    policyOf: () => resolved(),
  });
  return { journal, noted, appended, takes: (id: number) => written(id) };
}

test("a move waits until its own entry is safe, whatever else has been written meanwhile", async () => {
  const { journal, takes } = scene();
  const step = aStep("tighten");
  expect(journal.unwritten(step)).toBeNull();
  await journal.intended(step, position);
  expect(heldWithoutLedger(journal.unwritten(step), step)).toMatch(/has not taken the entry of this step/);
  takes(7);
  expect(heldWithoutLedger(journal.unwritten(step), step)).toBeNull();
});

test("what a look shows of a step of the process before is written down as its proof", async () => {
  const { journal, noted } = scene();
  const level = { price: dec("98"), triggerBy: "MarkPrice" } as const;
  journal.found?.([{ entryId: 7, stopLoss: level, takeProfit: null }], position);
  expect(noted.map((make) => make())).toMatchObject([
    {
      kind: "step-judged",
      symbol: "BTCUSDT",
      side: "long",
      lifeId: "life-1",
      body: { action: "set-trading-stop", stopLoss: "98", slTriggerBy: "MarkPrice", intended: 7, outcome: "confirmed" },
    },
  ]);
});

test("a step is told by whose wish it was decided, though the intent is in doubt by now", async () => {
  const { journal, appended } = scene();
  const decidedFrom = { life: { ...UNWRITTEN_LIFE, intent: INTENT }, policy: resolved() };
  await journal.intended(aStep("add"), position, decidedFrom);
  await journal.intended(aStep("add"), position);
  expect(appended.map(({ body }) => body)).toMatchObject([{ by: "intent of http" }, { by: "config: defaults" }]);
});

test("a missing stop waits for no entry", async () => {
  const { journal } = scene();
  const step = aStep("add");
  await journal.intended(step, position);
  expect(heldWithoutLedger(journal.unwritten(step), step)).toBeNull();
});
