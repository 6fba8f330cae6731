/** What is sent for a step, and what is said of it. */
import { describe, expect, test } from "vitest";
import { applyStep } from "../../src/apply/apply.js";
import { ExchangeFailure, type FailureCause, type FailureKind } from "../../src/exchange/failure.js";
import type { Urgency, Writer } from "../../src/exchange/port.js";
import type { PlannedStep } from "../../src/plan/step.js";
import { fullStop } from "../builders/order.js";
import { takeProfitAt } from "../builders/policy.js";
import { aPosition, aShort } from "../builders/position.js";
import { planned } from "../builders/snapshot.js";

interface Sent {
  readonly request: object;
  readonly urgency: Urgency;
}

/** Answers the nth request with the nth failure; null: acknowledged. */
function scripted(...answers: readonly (ExchangeFailure | Error | null)[]) {
  const sent: Sent[] = [];
  const answer = (request: object, urgency: Urgency) => {
    sent.push({ request, urgency });
    const failure = answers[sent.length - 1] ?? null;
    return failure === null ? Promise.resolve({ sentAtMs: 1, acknowledgedAtMs: 2 }) : Promise.reject(failure);
  };
  const writer: Writer = { account: "main", setTradingStop: answer, attachExits: answer, closePosition: answer };
  return { writer, sent };
}

function failed(kind: FailureKind, cause: FailureCause): ExchangeFailure {
  return new ExchangeFailure({
    kind,
    cause,
    endpoint: "POST /v5/position/trading-stop",
    retCode: 10001,
    retMsg: "words",
  });
}

function only(steps: readonly PlannedStep[]): PlannedStep {
  const [first] = steps;
  if (first === undefined) throw new RangeError("nothing is planned");
  return first;
}

const both = () => only(planned({ positions: [aPosition()] }, { protection: { takeProfit: takeProfitAt("0.04") } }));
const stopOnly = () => only(planned({ positions: [aShort({ positionIdx: 2 })] }));
const profitOnly = () =>
  only(
    planned(
      { positions: [aPosition({ fullStop: "98" })], orders: [fullStop(aPosition(), "98")] },
      { protection: { takeProfit: takeProfitAt("0.04") } },
    ),
  );
const close = () =>
  only(planned({ positions: [aPosition({ mark: "97", size: "3" })] }, { protection: { pastStop: "close" } }));

async function apply(step: PlannedStep, ...answers: readonly (ExchangeFailure | Error | null)[]) {
  const { writer, sent } = scripted(...answers);
  let nowMs = 0;
  const attempts = await applyStep(step, {
    writer,
    now: () => ++nowMs,
    newOrderLinkId: () => "link-1",
    veto: ({ key }) => `not ${key.symbol}`,
  });
  return { attempts, sent, answers: attempts.map(({ answer }) => answer) };
}

describe("the request", () => {
  test("carries key, side and both levels with their triggers", async () => {
    const { sent } = await apply(both());
    expect(sent.map(({ request }) => JSON.parse(JSON.stringify(request)) as object)).toEqual([
      {
        key: { account: "main", category: "linear", symbol: "BTCUSDT", positionIdx: 0 },
        side: "long",
        stopLoss: { price: "98", triggerBy: "MarkPrice" },
        takeProfit: { price: "104", triggerBy: "LastPrice" },
      },
    ]);
  });

  test("leaves out what is to be left alone", async () => {
    const { sent } = await apply(stopOnly());
    expect(Object.keys(sent[0]?.request ?? {})).toEqual(["key", "side", "stopLoss"]);
  });

  test("of a take-profit alone leaves the stop as it is", async () => {
    const { sent } = await apply(profitOnly());
    expect(Object.keys(sent[0]?.request ?? {})).toEqual(["key", "side", "takeProfit"]);
  });

  test("of a close carries the whole size and a link that makes doubling harmless", async () => {
    const { sent } = await apply(close());
    expect(JSON.parse(JSON.stringify(sent[0]?.request))).toMatchObject({
      side: "long",
      quantity: "3",
      orderLinkId: "link-1",
    });
  });

  test("waits with its step's priority, and can be vetoed until it leaves", async () => {
    const { sent } = await apply(both());
    expect(sent[0]?.urgency.priority).toBe(both().priority);
    expect(sent[0]?.urgency.veto()).toBe("not BTCUSDT");
  });
});

describe("the answer", () => {
  test("an acknowledgement is no more than that", async () => {
    const { attempts } = await apply(stopOnly());
    expect(attempts).toMatchObject([{ answer: { kind: "acknowledged" }, startedAtMs: 1, answeredAtMs: 2 }]);
  });

  test.each([
    ["unknown", "timeout", "uncertain"],
    ["unknown", "not-modified", "uncertain"],
    ["not-happened", "network", "not-sent"],
    ["not-happened", "vetoed", "not-sent"],
    ["refused", "zero-position", "refused"],
    ["bug", "other", "refused"],
  ] as const)("%s (%s) is %s", async (kind, cause, expected) => {
    const { answers } = await apply(stopOnly(), failed(kind, cause));
    expect(answers.map((answer) => answer.kind)).toEqual([expected]);
  });

  const refusal = { kind: "refused", cause: "limit", endpoint: "POST /v5/position/trading-stop" } as const;

  test.each([
    ["the exchange's code and words", { ...refusal, retCode: 10001, retMsg: "too many" }, "10001 too many"],
    ["its words alone where there is no code", { ...refusal, retMsg: "too many" }, "too many"],
    [
      "our own words where it has none",
      { ...refusal, httpStatus: 502 },
      "POST /v5/position/trading-stop was refused: HTTP 502",
    ],
  ])("tells %s", async (_what, facts, detail) => {
    const { answers } = await apply(stopOnly(), new ExchangeFailure(facts));
    expect(answers).toEqual([{ kind: "refused", cause: "limit", meetsStopToo: false, detail }]);
  });

  test("a mistake of ours is told as one, and would meet a stop sent alone as well", async () => {
    const { answers } = await apply(both(), failed("bug", "limit"));
    expect(answers).toEqual([{ kind: "refused", cause: "other", meetsStopToo: true, detail: "bug: 10001 words" }]);
  });

  test("what is no failure of the exchange is a bug, and is thrown", async () => {
    await expect(apply(stopOnly(), new TypeError("x is not a function"))).rejects.toThrow("x is not a function");
  });
});

describe("the stop alone", () => {
  test.each(["take-profit-past", "limit", "other"] as const)("follows a refusal for %s", async (cause) => {
    const { answers, sent } = await apply(both(), failed("refused", cause));
    expect(answers.map(({ kind }) => kind)).toEqual(["refused", "acknowledged"]);
    expect(Object.keys(sent[1]?.request ?? {})).toEqual(["key", "side", "stopLoss"]);
  });

  test.each(["zero-position", "stop-loss-past", "key", "permission", "mode-mismatch", "market-state"] as const)(
    "does not follow a refusal for %s: it would be refused as well",
    async (cause) => {
      const { sent } = await apply(both(), failed("refused", cause));
      expect(sent).toHaveLength(1);
    },
  );

  test("does not follow an answer that leaves open whether both were set", async () => {
    const { sent } = await apply(both(), failed("unknown", "timeout"));
    expect(sent).toHaveLength(1);
  });

  test("does not follow a close, which is never sent twice", async () => {
    const { sent } = await apply(close(), failed("refused", "other"));
    expect(sent).toHaveLength(1);
  });

  test("does not follow a refused take-profit where no stop was asked for", async () => {
    const { sent } = await apply(profitOnly(), failed("refused", "other"));
    expect(sent).toHaveLength(1);
  });

  test("does not follow where there was no take-profit", async () => {
    const { sent } = await apply(stopOnly(), failed("refused", "other"));
    expect(sent).toHaveLength(1);
  });
});
