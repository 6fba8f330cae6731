/** The exchange's own words, as they were seen in the wild, and what each one means for the caller. */
import { existsSync, readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { dec } from "../../src/domain/decimal.js";
import type { BybitSession } from "../../src/exchange/bybit/index.js";
import type { FailureCause, FailureKind } from "../../src/exchange/failure.js";
import { closeStage, failureOf, openStage, refusal, type Venue } from "./venue.js";

let venue: Venue;
let session: BybitSession;

beforeEach(() => {
  ({ venue, session } = openStage());
});

afterEach(() => closeStage(session));

type Meaning = readonly [FailureKind, FailureCause];

/** By code, then by the beginning or a part of the words; the first that fits counts. */
const MEANINGS: readonly (readonly [number, RegExp, Meaning])[] = [
  [34040, /./, ["unknown", "not-modified"]],
  [10001, /zero position/, ["refused", "zero-position"]],
  [10001, /liq_price/, ["refused", "limit"]],
  [10001, /^(Partial)?StopLoss:|^sl:/, ["refused", "stop-loss-past"]],
  [10001, /^(Partial)?TakeProfit:|^tp:/, ["refused", "take-profit-past"]],
  [10001, /position idx not match/, ["refused", "mode-mismatch"]],
  [10001, /not modified/, ["unknown", "not-modified"]],
  [10001, /./, ["refused", "other"]],
  [110061, /./, ["refused", "limit"]],
  [110025, /./, ["unknown", "not-modified"]],
  [110043, /./, ["unknown", "not-modified"]],
  [110001, /./, ["refused", "gone"]],
  [110007, /./, ["refused", "other"]],
  [10010, /./, ["refused", "key"]],
  [10002, /./, ["not-happened", "clock"]],
  [10003, /./, ["refused", "key"]],
  [10004, /./, ["refused", "key"]],
  [10006, /./, ["not-happened", "rate-limit"]],
  [10016, /./, ["unknown", "server"]],
  [10032, /./, ["refused", "other"]],
];
/** Codes of other products and of the API before this one say nothing that could be relied on. */
const STRANGE: Meaning = ["unknown", "other"];

const setStop = () =>
  session.writer().setTradingStop(
    {
      key: { account: "main", category: "linear", symbol: "BTCUSDT", positionIdx: 0 },
      side: "long",
      stopLoss: { price: dec("1"), triggerBy: "MarkPrice" },
    },
    { priority: 0, veto: () => null },
  );

async function meaningOf(retCode: number, retMsg: string): Promise<Meaning> {
  venue.answers("/v5/position/trading-stop", () => refusal(retCode, retMsg));
  const { facts } = await failureOf(setStop());
  expect(facts.retCode).toBe(retCode);
  return [facts.kind, facts.cause];
}

const file = "../shared/fixtures/errors/error_responses.json";
const recorded: readonly { retCode: number; retMsg: string }[] = existsSync(file)
  ? JSON.parse(readFileSync(file, "utf8"))
  : [];

describe.skipIf(recorded.length === 0)("recorded refusals (skipped where the recordings are not at hand)", () => {
  it.each(recorded.map(({ retCode, retMsg }) => [retCode, retMsg] as const))("%i %s", async (retCode, retMsg) => {
    const expected = MEANINGS.find(([code, words]) => code === retCode && words.test(retMsg))?.[2] ?? STRANGE;
    expect(await meaningOf(retCode, retMsg)).toEqual(expected);
  });
});

describe("a refusal", () => {
  const past = (exit: string, side: string, than: string, by: string): string =>
    `${exit}:1768 set for ${side} position should ${than} base_price:1833??${by}`;

  it.each([
    [past("StopLoss", "Buy", "lower than", "LastPrice"), "stop-loss-past"],
    [past("StopLoss", "Sell", "greater", "MarkPrice"), "stop-loss-past"],
    [past("PartialStopLoss", "Sell", "greater", "MarkPrice"), "stop-loss-past"],
    [past("sl", "Sell", "greater", "LastPrice"), "stop-loss-past"],
    [past("TakeProfit", "Buy", "be higher than", "LastPrice"), "take-profit-past"],
    [past("PartialTakeProfit", "Sell", "be lower than", "MarkPrice"), "take-profit-past"],
    [past("tp", "Buy", "be higher than", "IndexPrice"), "take-profit-past"],
  ] as const)("'%s' is about the %s", async (words, cause) => {
    expect(await meaningOf(10001, words)).toEqual(["refused", cause]);
  });

  it.each([
    [110017, "current position is zero, cannot fix reduce-only order qty", "zero-position"],
    [110017, "orderQty will be truncated to zero", "other"],
    [110034, "There is no net position", "zero-position"],
    [110009, "too many", "limit"],
    [110058, "too small", "limit"],
    [110099, "pre-market", "market-state"],
    [30228, "reduce only", "market-state"],
    [110123, "terms", "terms"],
    [10029, "The requested symbol is invalid, please check symbol whitelist", "terms"],
    [33004, "expired", "key"],
  ] as const)("%i %s is refused for good: %s", async (retCode, words, cause) => {
    expect(await meaningOf(retCode, words)).toEqual(["refused", cause]);
  });

  it("keeps at most 200 characters of the exchange's words", async () => {
    venue.answers("/v5/position/trading-stop", () => refusal(10001, "x".repeat(5_000)));
    const { facts } = await failureOf(setStop());
    expect(facts.retMsg).toHaveLength(200);
  });

  it("names method and path, never a query", async () => {
    venue.answers("/v5/position/list", () => refusal(10016, "Server error"));
    const failure = await failureOf(session.reader.snapshot("account"));
    expect(failure.facts.endpoint).toBe("GET /v5/position/list");
  });
});
