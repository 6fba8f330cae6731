/** What the writer sends, and what it makes of every answer. */
import fc from "fast-check";
import nock from "nock";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { dec } from "../../src/domain/decimal.js";
import type { BybitSession } from "../../src/exchange/bybit/index.js";
import type { AttachRequest, TradingStopRequest, Urgency } from "../../src/exchange/port.js";
import { closeStage, failureOf, HOST, ok, openStage, refusal, settled, type Venue } from "./venue.js";

let venue: Venue;
let session: BybitSession;

beforeEach(() => {
  ({ venue, session } = openStage());
});

afterEach(() => closeStage(session));

const TRADING_STOP = "/v5/position/trading-stop";
const now: Urgency = { priority: 0, veto: () => null };

function stop(over: Partial<TradingStopRequest> = {}): TradingStopRequest {
  return {
    key: { account: "main", category: "linear", symbol: "BTCUSDT", positionIdx: 0 },
    side: "long",
    stopLoss: { price: dec("49000.10"), triggerBy: "MarkPrice" },
    ...over,
  };
}

const set = (request: TradingStopRequest = stop(), urgency = now) => session.writer().setTradingStop(request, urgency);

describe("a price that was passed by the trigger", () => {
  it.each([
    ["long", 110093, "expect Falling, but trigger_price[490] >= current[480]??LastPrice", "stop-loss-past"],
    ["long", 110092, "expect Rising, but trigger_price[490] <= current[500]??LastPrice", "take-profit-past"],
    ["short", 110092, "expect Rising, but trigger_price[490] <= current[500]??LastPrice", "stop-loss-past"],
    ["short", 110093, "expect Falling, but trigger_price[490] >= current[480]??LastPrice", "take-profit-past"],
  ] as const)("of a %s position, told as %i %s, is its %s", async (side, retCode, words, cause) => {
    venue.answers(TRADING_STOP, () => refusal(retCode, words));
    expect((await failureOf(set({ ...stop(), side }))).facts).toMatchObject({ kind: "refused", cause, retCode });
  });

  it("is told with words of the exchange's own before it", async () => {
    const words = "params error: StopLoss:530 set for Buy position should lower than base_price:520??LastPrice";
    venue.answers(TRADING_STOP, () => refusal(10001, words));
    expect((await failureOf(set())).facts).toMatchObject({ kind: "refused", cause: "stop-loss-past" });
  });
});

describe("setting a stop", () => {
  it("sends the stop and nothing else", async () => {
    await settled(set());
    expect(JSON.parse(venue.asks(TRADING_STOP)[0]?.body ?? "")).toEqual({
      category: "linear",
      symbol: "BTCUSDT",
      tpslMode: "Full",
      positionIdx: 0,
      stopLoss: "49000.1",
      slTriggerBy: "MarkPrice",
    });
  });

  it("sends both levels of a short leg with its number", async () => {
    await settled(
      set(
        stop({
          key: { account: "main", category: "linear", symbol: "ETHUSDT", positionIdx: 2 },
          side: "short",
          takeProfit: { price: dec("0.00000012"), triggerBy: "LastPrice" },
        }),
      ),
    );
    expect(JSON.parse(venue.asks(TRADING_STOP)[0]?.body ?? "")).toEqual({
      category: "linear",
      symbol: "ETHUSDT",
      tpslMode: "Full",
      positionIdx: 2,
      stopLoss: "49000.1",
      slTriggerBy: "MarkPrice",
      takeProfit: "0.00000012",
      tpTriggerBy: "LastPrice",
    });
  });

  it("sends the very text that was signed, without the secret", async () => {
    await settled(set());
    const asked = venue.asks(TRADING_STOP)[0];
    expect(asked?.headers["x-bapi-sign"]).toMatch(/^[0-9a-f]{64}$/);
    expect(JSON.stringify(asked)).not.toContain("CANARYSECRET");
  });

  it("never sends a price that is not above zero", async () => {
    for (const price of ["0", "-1"]) {
      const { facts } = await failureOf(set(stop({ stopLoss: { price: dec(price), triggerBy: "MarkPrice" } })));
      expect(facts.kind).toBe("bug");
    }
    expect(venue.asked).toEqual([]);
  });

  it.each([
    ["the long leg asked for a short", { key: key(1), side: "short" as const }],
    ["the short leg asked for a long", { key: key(2), side: "long" as const }],
    ["another account", { key: { ...key(0), account: "other" } }],
  ])("refuses %s as our own mistake", async (_what, over) => {
    expect((await failureOf(set(stop(over)))).facts.kind).toBe("bug");
    expect(venue.asked).toEqual([]);
  });

  it("refuses to send neither level", async () => {
    const { stopLoss: _none, ...nothing } = stop();
    expect((await failureOf(set(nothing))).facts.kind).toBe("bug");
  });

  it("writes every price in plain notation", async () => {
    const prices = fc.tuple(fc.integer({ min: 1, max: 10 ** 9 }), fc.integer({ min: 0, max: 12 }));
    await fc.assert(
      fc.asyncProperty(prices, async ([digits, places]) => {
        const price = dec(String(digits)).div(dec("10").pow(places));
        venue.asked.length = 0;
        await settled(set(stop({ stopLoss: { price, triggerBy: "MarkPrice" } })));
        const sent = JSON.parse(venue.asked[0]?.body ?? "{}").stopLoss;
        expect(sent).toMatch(/^\d+(\.\d*[1-9])?$/);
        expect(dec(sent).eq(price)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  it("is not sent any more once its sender withdraws it", async () => {
    const { facts } = await failureOf(set(stop(), { priority: 0, veto: () => "the mark moved" }));
    expect(facts).toMatchObject({ kind: "not-happened", cause: "vetoed", retMsg: "the mark moved" });
    expect(venue.asked).toEqual([]);
  });

  function key(positionIdx: 0 | 1 | 2) {
    return { account: "main", category: "linear" as const, symbol: "BTCUSDT", positionIdx };
  }
});

describe("attaching exits to an order", () => {
  const AMEND = "/v5/order/amend";
  const request: AttachRequest = {
    key: { account: "main", category: "linear", symbol: "BTCUSDT", positionIdx: 2 },
    side: "short",
    orderId: "entry-1",
    stopLoss: { price: dec("51000.10"), triggerBy: "MarkPrice" },
  };
  const attach = (over: Partial<AttachRequest> = {}, urgency = now) =>
    session.writer().attachExits({ ...request, ...over }, urgency);

  it("sends the stop with its mode and trigger, and leaves the take-profit alone by not naming it", async () => {
    await settled(attach());
    expect(JSON.parse(venue.asks(AMEND)[0]?.body ?? "")).toEqual({
      category: "linear",
      symbol: "BTCUSDT",
      orderId: "entry-1",
      tpslMode: "Full",
      stopLoss: "51000.1",
      slTriggerBy: "MarkPrice",
    });
  });

  it("sends both levels in one request", async () => {
    await settled(attach({ takeProfit: { price: dec("48000"), triggerBy: "LastPrice" } }));
    expect(JSON.parse(venue.asks(AMEND)[0]?.body ?? "")).toMatchObject({
      stopLoss: "51000.1",
      slTriggerBy: "MarkPrice",
      takeProfit: "48000",
      tpTriggerBy: "LastPrice",
    });
    expect(venue.asked).toHaveLength(1);
  });

  it.each<readonly [string, Partial<AttachRequest>]>([
    ["a stop that is not above zero", { stopLoss: { price: dec("0"), triggerBy: "MarkPrice" } }],
    ["a take-profit that is not above zero", { takeProfit: { price: dec("-1"), triggerBy: "LastPrice" } }],
    ["an order without a name", { orderId: "" }],
    ["the other leg", { side: "long" }],
    ["another account", { key: { ...request.key, account: "other" } }],
  ])("refuses %s as our own mistake", async (_what, over) => {
    expect((await failureOf(attach(over))).facts.kind).toBe("bug");
    expect(venue.asked).toEqual([]);
  });

  it("is not sent any more once its sender withdraws it", async () => {
    const { facts } = await failureOf(attach({}, { priority: -1, veto: () => "the order has filled" }));
    expect(facts).toMatchObject({ kind: "not-happened", cause: "vetoed", retMsg: "the order has filled" });
    expect(venue.asked).toEqual([]);
  });

  it("goes behind the stops of positions that wait with it", async () => {
    const writer = session.writer();
    const first = set();
    const works = [attach({}, { priority: -1, veto: () => null }), writer.setTradingStop(stop(), now)];
    await settled(Promise.all([first, ...works]));
    expect(venue.asked.map(({ path }) => path)).toEqual([TRADING_STOP, TRADING_STOP, AMEND]);
  });

  it.each([
    [110001, "order not exists or too late to replace", "refused", "gone"],
    [110059, "You can not change take profit and stop loss of a partly filled order.", "refused", "limit"],
    [110064, "The qty should be greater than the filled qty.", "refused", "limit"],
    [110099, "You cannot create TP/SL orders during the Call Auction", "refused", "market-state"],
    [10001, "order not modified", "unknown", "not-modified"],
    [10001, "StopLoss:520 set for Sell position should greater base_price:530??MarkPrice", "refused", "stop-loss-past"],
    [10016, "Server error", "unknown", "server"],
    [110079, "order is busy", "unknown", "server"],
  ] as const)("%i %s is %s: %s, and not tried again", async (retCode, words, kind, cause) => {
    venue.answers(AMEND, () => refusal(retCode, words));
    expect((await failureOf(attach())).facts).toMatchObject({ kind, cause });
    expect(venue.asked).toHaveLength(1);
  });

  it("does not take an acknowledgement without an order for one", async () => {
    venue.answers(AMEND, () => ok({}));
    expect((await failureOf(attach())).facts).toMatchObject({ kind: "unknown", cause: "garbage" });
  });

  it("leaves the outcome open where the answer is lost", async () => {
    venue.breaks("POST", AMEND, "ECONNRESET");
    expect((await failureOf(attach())).facts).toMatchObject({ kind: "unknown", cause: "network" });
  });
});

describe("closing a position", () => {
  const request = {
    key: { account: "main", category: "linear", symbol: "BTCUSDT", positionIdx: 1 },
    side: "long",
    quantity: dec("0.500"),
    orderLinkId: "close-1",
  } as const;

  it("sends a reduce-only market order against the position", async () => {
    await settled(session.writer().closePosition(request, now));
    expect(JSON.parse(venue.asks("/v5/order/create")[0]?.body ?? "")).toEqual({
      category: "linear",
      symbol: "BTCUSDT",
      side: "Sell",
      orderType: "Market",
      qty: "0.5",
      reduceOnly: true,
      positionIdx: 1,
      orderLinkId: "close-1",
    });
  });

  it("refuses a name that the exchange would refuse", async () => {
    const work = session.writer().closePosition({ ...request, orderLinkId: "not a name" }, now);
    expect((await failureOf(work)).facts.kind).toBe("bug");
  });

  it("does not take an acknowledgement without an order for one", async () => {
    venue.answers("/v5/order/create", () => ok({}));
    const { facts } = await failureOf(session.writer().closePosition(request, now));
    expect(facts).toMatchObject({ kind: "unknown", cause: "garbage" });
  });
});

describe("an answer that leaves the outcome open", () => {
  it.each([
    ["an empty body", { body: "" }, "garbage"],
    ["a page of HTML", { body: "<html>busy</html>" }, "garbage"],
    ["a truncated body", { body: '{"retCode":0,"retMsg":"OK","resu' }, "garbage"],
    ["an envelope without a code", { body: { result: {} } }, "garbage"],
    ["a result of the wrong shape", { body: { retCode: 0, retMsg: "OK", result: "done" } }, "garbage"],
    ["a gateway's HTML", { status: 502, body: "<html>bad gateway</html>" }, "server"],
    ["HTTP 429", { status: 429, body: "" }, "server"],
    ["a redirect", { status: 302, body: "", headers: { location: "http://elsewhere.test/" } }, "garbage"],
    ["retCode 10000", refusal(10000, "Server Timeout"), "server"],
    ["retCode 10016", refusal(10016, "Server error"), "server"],
    ["retCode 429", refusal(429, "The trading service is experiencing a high server load"), "server"],
    ["retCode 110079", refusal(110079, "order is busy"), "server"],
    ["retCode 40004", refusal(40004, "modified meanwhile"), "server"],
    ["retCode 3400214", refusal(3400214, "server error"), "server"],
    ["a retCode nobody knows", refusal(987654, "hm"), "other"],
  ])("(%s) is unknown, and not tried again", async (_what, told, cause) => {
    venue.answers(TRADING_STOP, () => told);
    expect((await failureOf(set())).facts).toMatchObject({ kind: "unknown", cause });
    expect(venue.asked).toHaveLength(1);
  });

  it.each([
    ["ECONNRESET", "network"],
    ["EPIPE", "network"],
    ["ECONNABORTED", "timeout"],
    ["ETIMEDOUT", "timeout"],
    ["ERR_SSL_WRONG_VERSION_NUMBER", "network"],
    ["ERR_SSL_SSLV3_ALERT_BAD_RECORD_MAC", "network"],
  ])("(%s after sending) is unknown", async (code, cause) => {
    venue.breaks("POST", TRADING_STOP, code);
    expect((await failureOf(set())).facts).toMatchObject({ kind: "unknown", cause });
  });

  it("(none within the time allowed) is unknown", async () => {
    nock.cleanAll();
    nock(HOST).post(TRADING_STOP).delayConnection(60_000).reply(200, {});
    expect((await failureOf(set())).facts).toMatchObject({ kind: "unknown", cause: "timeout" });
  });

  it("(headers, then a body that never ends) is unknown", async () => {
    nock.cleanAll();
    nock(HOST).post(TRADING_STOP).delayBody(60_000).reply(200, {});
    expect((await failureOf(set())).facts).toMatchObject({ kind: "unknown", cause: "timeout" });
  });
});

describe("a request that surely had no effect", () => {
  it.each([
    "ECONNREFUSED",
    "ENOTFOUND",
    "EAI_AGAIN",
    "EHOSTUNREACH",
    "DEPTH_ZERO_SELF_SIGNED_CERT",
    "CERT_HAS_EXPIRED",
    "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    "ERR_TLS_CERT_ALTNAME_INVALID",
  ])("(%s) says so", async (code) => {
    venue.breaks("POST", TRADING_STOP, code);
    expect((await failureOf(set())).facts).toMatchObject({ kind: "not-happened", cause: "network" });
  });

  it("is not assumed when the host became unreachable in the middle", async () => {
    venue.breaks("POST", TRADING_STOP, "EHOSTUNREACH", { syscall: "read" });
    expect((await failureOf(set())).facts.kind).toBe("unknown");
  });

  it("(too many visits) is sent again after the reset that the exchange names", async () => {
    const resetMs = Date.now() + 3_000;
    venue.answers(TRADING_STOP, () => {
      if (venue.asked.length > 1) return ok({});
      return refusal(10006, "Too many visits!", limits(0, resetMs));
    });
    await settled(set());
    expect(venue.asked).toHaveLength(2);
    expect(venue.asked[1]?.atMs).toBeGreaterThanOrEqual(resetMs);
  });

  it("(too many visits) waits a second where no reset is named, and is given up after four tries", async () => {
    venue.answers(TRADING_STOP, () => refusal(10006, "Too many visits!"));
    const { facts } = await failureOf(set());
    expect(facts).toMatchObject({ kind: "not-happened", cause: "rate-limit" });
    expect(facts.retryAtMs).toBeGreaterThan(0);
    const gaps = venue.asked.slice(1).map(({ atMs }, index) => atMs - (venue.asked[index]?.atMs ?? 0));
    expect(gaps).toHaveLength(3);
    for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(1_000);
  });

  it("asks its sender again before every further try", async () => {
    const answers: (string | null)[] = [null];
    venue.answers(TRADING_STOP, () => refusal(10006, "Too many visits!"));
    const { facts } = await failureOf(
      set(stop(), { priority: 0, veto: () => (answers.length > 0 ? (answers.shift() ?? null) : "too late") }),
    );
    expect(facts.cause).toBe("vetoed");
    expect(venue.asked).toHaveLength(1);
  });

  it("(clock) is signed anew with the exchange's clock, once", async () => {
    const aheadMs = 3_000;
    const serverNow = (): number => Date.now() - aheadMs;
    venue.answers("/v5/market/time", () => ok({ timeSecond: "1" }, { time: serverNow() }));
    venue.answers(TRADING_STOP, ({ headers }) => {
      const requestMs = Number(headers["x-bapi-timestamp"]);
      if (requestMs < serverNow() + 1_000) return ok({});
      const words = `req_timestamp[${requestMs}],server_timestamp[${serverNow()}],recv_window[5000]`;
      return refusal(10002, `invalid request, please check your server timestamp or recv_window param. ${words}`);
    });
    await settled(set());
    expect(venue.asks(TRADING_STOP)).toHaveLength(2);
    await settled(set());
    expect(venue.asks(TRADING_STOP)).toHaveLength(3);
  });

  it("(clock) is told after the second refusal", async () => {
    venue.answers(TRADING_STOP, () => refusal(10002, "invalid request, please check your server timestamp"));
    expect((await failureOf(set())).facts).toMatchObject({ kind: "not-happened", cause: "clock" });
    expect(venue.asks(TRADING_STOP)).toHaveLength(2);
  });
});

describe("an expired request (-1)", () => {
  it("leaves a write in doubt, which is not sent again", async () => {
    venue.answers(TRADING_STOP, () => refusal(-1, "request expired"));
    expect((await failureOf(set())).facts).toMatchObject({ kind: "unknown", cause: "clock" });
    expect(venue.asks(TRADING_STOP)).toHaveLength(1);
  });

  it("is asked again, signed with the exchange's clock, where it only reads", async () => {
    let asked = 0;
    venue.answers("/v5/account/info", () => {
      asked += 1;
      return asked === 1 ? refusal(-1, "request expired") : ok({ marginMode: "REGULAR_MARGIN", isMasterTrader: false });
    });
    expect((await settled(session.reader.snapshot("account"))).gaps).toEqual([]);
    expect(asked).toBe(2);
  });
});

describe("a ban of the address", () => {
  it("stops every request for ten minutes", async () => {
    venue.answers(TRADING_STOP, () => ({ status: 403, body: "<html>access too frequent</html>" }));
    const first = await failureOf(set());
    expect(first.facts).toMatchObject({ kind: "not-happened", cause: "ip-ban", httpStatus: 403 });
    expect((first.facts.retryAtMs ?? 0) - Date.now()).toBeGreaterThan(590_000);
    const second = await failureOf(session.reader.snapshot("account"));
    expect(second.facts.cause).toBe("ip-ban");
    expect(venue.asked).toHaveLength(1);
    venue.answers(TRADING_STOP, () => ok({}));
    await vi.advanceTimersByTimeAsync(600_000);
    await settled(set());
    expect(venue.asked).toHaveLength(2);
  });

  it("is told apart from a region that is shut out", async () => {
    venue.answers(TRADING_STOP, () => ({
      status: 403,
      body: "<html>configured to block access from your country</html>",
    }));
    expect((await failureOf(set())).facts).toMatchObject({ kind: "refused", cause: "permission" });
    venue.answers(TRADING_STOP, () => ok({}));
    await settled(set());
    expect(venue.asked).toHaveLength(2);
  });
});

describe("a refusal with its code, under another HTTP status than 200, counts by its code", () => {
  const told = (status: number, retCode: number, retMsg: string) =>
    venue.answers(TRADING_STOP, () => ({
      status,
      body: { retCode, retMsg, result: {}, retExtInfo: {}, time: Date.now() },
    }));

  it.each([
    [403, 10_006, "Too many visits!", "not-happened", "rate-limit"],
    [429, 10_006, "Too many visits!", "not-happened", "rate-limit"],
    [403, 10_010, "Unmatched IP.", "refused", "key"],
    [400, 110_093, "expect Falling, but trigger_price[1] >= current[1]", "refused", "stop-loss-past"],
    [400, 110_999, "not listed", "refused", "other"],
    [400, 110_017, "position is zero", "refused", "zero-position"],
    [403, 10_018, "Too many visits from this address", "not-happened", "ip-ban"],
    [502, 10_006, "Too many visits!", "unknown", "server"],
    [400, 1, "whatever", "unknown", "garbage"],
    [403, 0, "OK", "not-happened", "ip-ban"],
    [429, 0, "OK", "unknown", "server"],
  ] as const)("(%i with %i)", async (status, retCode, retMsg, kind, cause) => {
    told(status, retCode, retMsg);
    expect((await failureOf(set())).facts).toMatchObject({ kind, cause, httpStatus: status, retCode });
  });

  it("of the rate lets that kind of request rest for a second", async () => {
    let asked = 0;
    venue.answers(TRADING_STOP, () => {
      if (++asked > 1) return ok({});
      return { status: 429, body: { retCode: 10_006, retMsg: "Too many visits!", result: {} } };
    });
    const startedMs = Date.now();
    await settled(set());
    expect(asked).toBe(2);
    expect(Date.now() - startedMs).toBeGreaterThanOrEqual(1_000);
  });

  it("that names the clock under a server's failure is not asked again before a read", async () => {
    told(502, 10_002, "invalid request, please check your timestamp");
    expect((await failureOf(set())).facts).toMatchObject({ kind: "unknown", cause: "server" });
    expect(venue.asks(TRADING_STOP)).toHaveLength(1);
  });

  it("that names the clock is answered by signing with the exchange's", async () => {
    let asked = 0;
    venue.answers(TRADING_STOP, () =>
      ++asked === 1
        ? { status: 401, body: { retCode: 10_002, retMsg: "invalid request, please check your timestamp", result: {} } }
        : ok({}),
    );
    await settled(set());
    expect(asked).toBe(2);
  });
});

describe("closing the connection", () => {
  it("rejects what is queued and lets what is under way finish", async () => {
    const writer = session.writer();
    const works = Array.from({ length: 5 }, () => writer.setTradingStop(stop(), now));
    const results = Promise.allSettled(works);
    await settled(Promise.race(works));
    await settled(session.close());
    const settledResults = await settled(results);
    expect(settledResults[0]?.status).toBe("fulfilled");
    const last = settledResults.at(-1);
    expect(last?.status === "rejected" ? last.reason.facts : null).toMatchObject({
      kind: "not-happened",
      cause: "closed",
    });
  });
});

function limits(remaining: number, resetMs: number): Record<string, string> {
  return {
    "x-bapi-limit": "10",
    "x-bapi-limit-status": String(remaining),
    "x-bapi-limit-reset-timestamp": String(resetMs),
  };
}
