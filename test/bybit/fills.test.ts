/** The account's fills as the wire spells them: what they tell of a position's opening and end, and when they tell nothing. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { BybitSession } from "../../src/exchange/bybit/index.js";
import { aPosition, type PositionShape } from "../builders/position.js";
import {
  type Asked,
  closeStage,
  failureOf,
  ok,
  openStage,
  page,
  position,
  refusal,
  settled,
  type Told,
  type Venue,
} from "./venue.js";

const EXECUTIONS = "/v5/execution/list";
const POSITIONS = "/v5/position/list";
const NOW_MS = Date.parse("2026-01-01T00:00:00Z");
const DAY_MS = 24 * 3_600_000;
const KEY = { account: "main", category: "linear", symbol: "BTCUSDT", positionIdx: 0 } as const;

let venue: Venue;
let session: BybitSession;
let made = 0;

beforeEach(() => {
  ({ venue, session } = openStage());
});

afterEach(() => closeStage(session));

/** A bought one, that opens; its time is in milliseconds before now. */
function row(agoMs: number, over: object = {}): Record<string, unknown> {
  made += 1;
  return {
    symbol: "BTCUSDT",
    orderId: `o${made}`,
    orderLinkId: "",
    side: "Buy",
    execId: `e${made}`,
    execType: "Trade",
    execQty: "0.5",
    closedSize: "",
    stopOrderType: "UNKNOWN",
    createType: "CreateByUser",
    execTime: String(NOW_MS - agoMs),
    seq: 1_000_000 - made,
    ...over,
  };
}

const closing = (agoMs: number, over: object = {}) => row(agoMs, { side: "Sell", closedSize: "0.5", ...over });
const funding = (agoMs: number) => row(agoMs, { execType: "Funding", closedSize: "0", side: "Sell", orderId: "" });

/** As the exchange answers: what lies in the window, newest first, a page at a time. */
function traded(...rows: readonly Record<string, unknown>[]): void {
  venue.answers(EXECUTIONS, ({ query }) => {
    const from = Number(query["startTime"]);
    const until = Number(query["endTime"] ?? from + 7 * DAY_MS);
    const within = rows.filter(({ execTime }) => Number(execTime) >= from && Number(execTime) <= until);
    const first = Number(query["cursor"] ?? 0);
    const list = within.slice(first, first + 100);
    return ok(page("linear", list, first + 100 < within.length ? String(first + 100) : ""));
  });
}

/** What the position's row says now; a size of zero: it is flat. */
function holding(over: object = {}): void {
  venue.answers(POSITIONS, () => ok(page("linear", [position({ openTime: 0, ...over })])));
}

const FLAT = { side: "", size: "0", avgPrice: "0", stopLoss: "" };

function opening(over: Partial<PositionShape> = {}): Promise<number | null> {
  return settled(session.fills.openedAtMs(aPosition({ size: "0.5", openedAtMs: null, ...over })));
}

function windows(): readonly [number, number | null][] {
  return venue
    .asks(EXECUTIONS)
    .filter(({ query }) => query["cursor"] === undefined)
    .map(({ query }) => [Number(query["startTime"]), query["endTime"] === undefined ? null : Number(query["endTime"])]);
}

describe("when a position was opened", () => {
  beforeEach(() => holding());

  it("is told by its first fill, past what is only booked and what was before", async () => {
    const settlement = row(20, { execType: "Settle", closedSize: "0", side: "Sell" });
    traded(funding(10), settlement, row(60_000), closing(70_000), row(80_000));
    expect(await opening()).toBe(NOW_MS - 60_000);
    expect(venue.asks(EXECUTIONS)).toHaveLength(1);
    expect(venue.asks(EXECUTIONS)[0]?.query).toMatchObject({ category: "linear", symbol: "BTCUSDT", limit: "100" });
  });

  it("is looked for a week at a time, with no gap between, as long as the exchange allows in one question", async () => {
    traded(row(16 * DAY_MS));
    expect(await opening()).toBe(NOW_MS - 16 * DAY_MS);
    const asked = windows();
    expect(asked).toHaveLength(3);
    expect(asked.map(([from, until]) => (until ?? from + 7 * DAY_MS) - from)).toEqual([7, 7, 7].map((n) => n * DAY_MS));
    expect(asked.slice(1).map(([, until]) => until)).toEqual(asked.slice(0, -1).map(([from]) => from));
    expect((asked[0]?.[0] ?? 0) + 7 * DAY_MS).toBeGreaterThan(NOW_MS);
  });

  it("needs no page behind the one that tells it", async () => {
    const older = Array.from({ length: 150 }, (_, index) => [closing(9_000 + 20 * index), row(9_010 + 20 * index)]);
    traded(row(5_000), ...older.flat());
    expect(await opening()).toBe(NOW_MS - 5_000);
    expect(venue.asks(EXECUTIONS)).toHaveLength(1);
  });

  it("waits for the next page where a moment may go on there, or where the rows are in no order", async () => {
    const booked = Array.from({ length: 97 }, (_, index) => funding(100 + index));
    const split = [row(5_000, { seq: 9 }), closing(5_000, { seq: 9 })];
    traded(...booked, funding(1_000), funding(2_000), ...split, row(6_000));
    expect(await opening()).toBeNull();
    const muddled = [row(9_000), ...booked.slice(1), row(500), row(9_500), closing(9_600)];
    traded(...muddled, row(1_000, { execQty: "1" }), closing(5_000, { execQty: "1", closedSize: "1" }));
    holding({ size: "1.5" });
    expect(await opening({ size: "1.5" })).toBe(NOW_MS - 1_000);
  });

  it("is found behind pages of fills, also where rows are doubled and the last page names a cursor", async () => {
    holding({ size: "151" });
    const rows = Array.from({ length: 151 }, (_, index) => row(1_000 + index, { execQty: "1" }));
    const list = [...rows.slice(0, 100), ...rows.slice(90)];
    venue.answers(EXECUTIONS, ({ query }) => {
      const first = Number(query["cursor"] ?? 0);
      const isOfThisWeek = query["endTime"] === undefined;
      return ok(
        page("linear", isOfThisWeek ? list.slice(first, first + 100) : [], isOfThisWeek ? `${first + 100}` : ""),
      );
    });
    expect(await opening({ size: "151" })).toBe(NOW_MS - 1_150);
  });

  it.each([
    ["the fills do not reach back to it", () => traded(row(10, { execQty: "0.2" }))],
    ["there are none", () => traded()],
    ["they contradict its size", () => traded(row(10, { execQty: "0.7" }))],
    ["what kind of fill there was is not known", () => traded(row(5, { execType: "CorporateAction" }), row(10))],
    ["a row does not say what it closed", () => traded(row(10, { closedSize: undefined }))],
    [
      "a row cannot be read",
      () => venue.answers(EXECUTIONS, () => ok(page("linear", [row(10), { symbol: "BTCUSDT" }]))),
    ],
    [
      "the exchange does not keep to the window",
      () => venue.answers(EXECUTIONS, () => ok(page("linear", [closing(99 * DAY_MS)]))),
    ],
  ])("is not guessed where %s", async (_why, answers) => {
    answers();
    expect(await opening()).toBeNull();
  });

  it("is given up after half a year, or after too many pages", async () => {
    traded();
    expect(await opening()).toBeNull();
    expect(venue.asks(EXECUTIONS).length).toBe(26);
    venue.asked.length = 0;
    holding({ size: "90000" });
    traded(...Array.from({ length: 9_000 }, (_, index) => row(index, { execQty: "1" })));
    expect(await opening({ size: "90000" })).toBeNull();
    expect(venue.asks(EXECUTIONS).length).toBe(60);
  });

  it("is not told of a position that has changed meanwhile", async () => {
    traded(row(10));
    holding({ size: "0.6" });
    expect(await opening()).toBeNull();
  });

  it("reads one leg of a hedge, whatever the other does", async () => {
    venue.answers(POSITIONS, () =>
      ok(
        page("linear", [
          position({ positionIdx: 2, side: "Sell", size: "1" }),
          position({ positionIdx: 1, side: "Buy" }),
        ]),
      ),
    );
    const other = [row(10, { side: "Sell", execQty: "1.5" }), row(20, { closedSize: "0.5" })];
    traded(...other, row(30), closing(40), row(50));
    expect(await opening({ positionIdx: 1 })).toBe(NOW_MS - 30);
  });
});

describe("a history that cannot be read", () => {
  beforeEach(() => holding());
  const broken: readonly [string, (asked: Asked) => Told][] = [
    ["refused", () => refusal(10005, "Permission denied")],
    ["in circles", ({ query }) => ok(page("linear", fullPage, query["cursor"] ?? "again"))],
    ["about another contract", () => ok(page("linear", [row(5, { symbol: "ETHUSDT" })]))],
    ["about another category", () => ok(page("inverse", [row(5)]))],
  ];
  const fullPage = Array.from({ length: 100 }, (_, index) => row(10 + index, { execQty: "0.001" }));

  it.each(broken)("because it is %s is a failure, not an answer", async (_what, answering) => {
    venue.answers(EXECUTIONS, answering);
    const failure = await failureOf(session.fills.openedAtMs(aPosition({ size: "0.5" })));
    expect(failure.facts.endpoint).toBe("GET /v5/execution/list");
    const other = await failureOf(session.fills.closedSince(KEY, "long", NOW_MS - DAY_MS));
    expect(other.facts.endpoint).toBe("GET /v5/execution/list");
  });

  it("is one as well where the position's own row is lacking", async () => {
    traded(row(10));
    venue.answers(POSITIONS, () => refusal(10016, "server error"));
    expect((await failureOf(session.fills.openedAtMs(aPosition({ size: "0.5" })))).facts.cause).toBe("server");
  });
});

describe("what ended a position", () => {
  beforeEach(() => holding(FLAT));

  it.each([
    ["its stop", { stopOrderType: "StopLoss", createType: "CreateByStopLoss" }],
    ["its stop", { stopOrderType: "PartialStopLoss" }],
    ["its stop", { stopOrderType: "", createType: "CreateByPartialStopLoss" }],
    ["its take-profit", { stopOrderType: "TakeProfit", createType: "CreateByTakeProfit" }],
    ["its take-profit", { stopOrderType: "UNKNOWN", createType: "CreateByPartialTakeProfit" }],
    ["its trailing stop", { stopOrderType: "TrailingStop" }],
    ["liquidation", { execType: "BustTrade", createType: "CreateByLiq" }],
    ["liquidation", { execType: "BustTrade", closedSize: "" }],
    ["deleveraging", { execType: "AdlTrade" }],
    ["settlement", { execType: "Delivery", closedSize: "" }],
    ["settlement", { execType: "Settle", createType: "CreateBySettle" }],
    ["an order", { stopOrderType: "Stop", createType: "CreateByStopOrder" }],
    ["an order", { createType: "CreateByClosing" }],
  ])("was %s, by its row %j", async (by, over) => {
    traded(row(5_000), closing(6_000, over), row(9_000));
    holding();
    expect(await settled(session.fills.closedSince(KEY, "long", NOW_MS - 8_000))).toEqual({ atMs: NOW_MS - 6_000, by });
  });

  it("may be a flip", async () => {
    holding({ side: "Sell", size: "1" });
    traded(row(6_000, { side: "Sell", execQty: "1.5", closedSize: "0.5" }));
    const told = await settled(session.fills.closedSince(KEY, "long", NOW_MS - 8_000));
    expect(told).toEqual({ atMs: NOW_MS - 6_000, by: "an order" });
  });

  it("is found weeks back", async () => {
    traded(row(DAY_MS), closing(2 * DAY_MS), row(3 * DAY_MS), closing(15 * DAY_MS, { stopOrderType: "StopLoss" }));
    holding();
    const told = await settled(session.fills.closedSince(KEY, "long", NOW_MS - 18 * DAY_MS));
    expect(told).toEqual({ atMs: NOW_MS - 15 * DAY_MS, by: "its stop" });
    expect(windows()).toHaveLength(3);
  });

  it.each([
    ["is still open", () => (holding(), traded(row(9_000)))],
    ["was of the other side then", () => (holding(), traded(row(5_000)))],
    ["was closed by fills that nobody keeps any more", () => traded()],
    ["has no row that says how it stands", () => venue.answers(POSITIONS, () => ok(page("linear", [])))],
    ["changes while the fills are read", () => (traded(closing(6_000)), changing())],
  ])("is not told where the position %s", async (_why, answers) => {
    answers();
    expect(await settled(session.fills.closedSince(KEY, "long", NOW_MS - 8_000))).toBeNull();
  });

  function changing(): void {
    venue.answers(POSITIONS, () => ok(page("linear", [position(venue.asks(EXECUTIONS).length === 0 ? FLAT : {})])));
  }
});
