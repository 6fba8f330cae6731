/** What an answer adds to the memory of a position's life at once, before any look has judged it. */
import { expect, test } from "vitest";
import type { Answer } from "../../src/apply/attempt.js";
import { dec } from "../../src/domain/decimal.js";
import type { SetTradingStop } from "../../src/plan/step.js";
import { answeredChange } from "../../src/verify/life.js";
import { aPosition } from "../builders/position.js";

const intent = { id: "i-1", stopLoss: dec("95"), takeProfit: null, waiver: null, mayLoosenFrom: dec("97"), who: "bot" };
const step: SetTradingStop = {
  action: "set-trading-stop",
  key: aPosition().key,
  side: "long",
  stopLoss: { price: dec("95"), triggerBy: "MarkPrice", purpose: "loosen" },
  takeProfit: null,
  reason: "intent-drift",
};

function answered(answer: Answer, inForce: typeof intent | null) {
  return answeredChange({ step, answer, startedAtMs: 1, answeredAtMs: 2 }, { restoredAtMs: [], intent: inForce });
}

test.each<[Answer]>([[{ kind: "acknowledged" }], [{ kind: "uncertain", detail: "no answer" }]])(
  "a loosening that may have had its effect is remembered with its intent: %j",
  (answer) => {
    expect(answered(answer, intent)).toEqual({ loosenedFor: "i-1" });
  },
);

test("of an intent that has ended meanwhile nothing is remembered, nor of a loosening that was refused", () => {
  expect(answered({ kind: "acknowledged" }, null)).toEqual({ loosenedFor: null });
  expect(answered({ kind: "refused", cause: "permission", meetsStopToo: true, detail: "no" }, intent)).toEqual({});
});
