/** Intents over HTTP: what is taken, what is refused and why, in words that name the field. */
import { describe, expect, test } from "vitest";
import { LedgerError } from "../../src/ledger/error.js";
import { anIntent } from "./desk.js";
import { ask, errorCode, openAsOwner, owned } from "./stage.js";

const PLACE = "/v1/intents/main/linear/BTCUSDT/0";
const LONG = { side: "long", stopLoss: "49000" };
const HERE = { account: "main", category: "linear", symbol: "BTCUSDT", positionIdx: 0 };

describe("PUT", () => {
  test.each(["applied", "pending"] as const)("hands the intent over and says that it is %s", async (status) => {
    const intent = anIntent({ state: status === "applied" ? "bound" : "pending" });
    const owner = await openAsOwner({ setIntent: () => Promise.resolve({ status, intent, message: "as it is" }) });
    const answer = await owner.ask("PUT", PLACE, LONG);
    expect([answer.status, answer.json()]).toEqual([200, { status, intent, message: "as it is" }]);
    expect(owner.desk.asked).toEqual([["setIntent", HERE, { ...LONG, ttlSeconds: 600, allowLoosen: false }]]);
  });

  test("takes every field, and a hedge leg", async () => {
    const owner = await openAsOwner();
    const whole = {
      side: "short",
      stopLoss: "none",
      takeProfit: "0.00000001",
      ttlSeconds: 1,
      orderLinkId: "bot_1-a",
      allowLoosen: true,
      reason: "hedged elsewhere",
      until: "2026-01-02T00:00:00+01:00",
      who: "grid bot",
    };
    expect((await owner.ask("PUT", "/v1/intents/grid/inverse/BTCUSDH26/2", whole)).status).toBe(200);
    const place = { account: "grid", category: "inverse", symbol: "BTCUSDH26", positionIdx: 2 };
    expect(owner.desk.asked).toEqual([["setIntent", place, whole]]);
  });

  test("says 409 with both prices where the stop that stands would be loosened", async () => {
    const message = "the stop stands at 49500, and 49000 would loosen it";
    const refused = { status: "refused", httpStatus: 409, code: "would-loosen", message } as const;
    const prices = { standing: "49500", wanted: "49000" };
    const owner = await openAsOwner({ setIntent: () => Promise.resolve({ ...refused, ...prices }) });
    const answer = await owner.ask("PUT", PLACE, LONG);
    expect(answer.status).toBe(409);
    expect(answer.json()).toEqual({ status: "refused", error: { code: "would-loosen", message, ...prices } });
  });

  test("says 422 where the market makes it senseless", async () => {
    const refused = {
      status: "refused",
      httpStatus: 422,
      code: "unprocessable",
      message: "the mark is past it",
    } as const;
    const owner = await openAsOwner({ setIntent: () => Promise.resolve(refused) });
    const answer = await owner.ask("PUT", PLACE, LONG);
    expect(answer.status).toBe(422);
    expect(answer.json()).toEqual({
      status: "refused",
      error: { code: "unprocessable", message: "the mark is past it" },
    });
  });

  test("says 503, and when to ask again, where too many wait to be looked at", async () => {
    const refused = { status: "refused", httpStatus: 503, code: "not-read-yet", message: "too many ask" } as const;
    const owner = await openAsOwner({ setIntent: () => Promise.resolve(refused) });
    const answer = await owner.ask("PUT", PLACE, LONG);
    expect([answer.status, answer.headers["retry-after"]]).toEqual([503, "1"]);
    expect(answer.json()).toEqual({ status: "refused", error: { code: "not-read-yet", message: "too many ask" } });
  });

  const price = /^stopLoss: must be a positive decimal in plain notation/;
  test.each([
    { title: "no side", body: { stopLoss: "49000" }, names: /^side: / },
    { title: "an unknown side", body: { ...LONG, side: "Buy" }, names: /^side: must be long or short; given: "Buy"$/ },
    { title: "a number for a price", body: { side: "long", stopLoss: 49000 }, names: price },
    { title: "a negative price", body: { side: "long", stopLoss: "-1" }, names: price },
    { title: "zero", body: { side: "long", stopLoss: "0.000" }, names: price },
    { title: "an exponent", body: { side: "long", stopLoss: "4e4" }, names: price },
    { title: "an endless price", body: { side: "long", stopLoss: "1".repeat(41) }, names: price },
    { title: "no take-profit by word", body: { side: "long", takeProfit: "none" }, names: /^takeProfit: must be/ },
    { title: "no level", body: { side: "long" }, names: /^must name stopLoss, takeProfit or both$/ },
    {
      title: "a waiver without an end",
      body: { side: "long", stopLoss: "none", reason: "x" },
      names: /reason and until/,
    },
    {
      title: "half a second",
      body: { ...LONG, ttlSeconds: 0.5 },
      names: /^ttlSeconds: must be a whole number of seconds, 1 to 2678400 \(31 days\); given: 0\.5$/,
    },
    {
      title: "a secret in the wrong place",
      body: { ...LONG, who: `#${"aB3".repeat(12)}` },
      names: /^who: .*; given: \(value hidden\)$/,
    },
    {
      title: "a day that is none",
      body: { ...LONG, until: "2026-02-30T00:00:00Z" },
      names: /^until: must be a time with its zone .*; given: "2026-02-30T00:00:00Z"$/,
    },
    {
      title: "a key that is not ours",
      body: { ...LONG, sl: "1" },
      names: /^sl: is an unknown key; allowed: side, stopLoss, takeProfit, /,
    },
    { title: "a list", body: [LONG], names: /expected object/ },
    { title: "nothing at all", body: null, names: /expected object/ },
  ])("refuses $title in form, and names the field", async ({ body, names }) => {
    const owner = await openAsOwner();
    const answer = await owner.ask("PUT", PLACE, body);
    expect(answer.status).toBe(422);
    expect(answer.json()).toEqual({
      status: "refused",
      error: { code: "unprocessable", message: expect.stringMatching(names) as string },
    });
    expect(owner.desk.asked).toEqual([]);
  });

  test.each([
    { idx: 1, side: "short", leg: "long" },
    { idx: 2, side: "long", leg: "short" },
  ])("refuses a $side for the $leg leg of hedge mode", async ({ idx, side, leg }) => {
    const owner = await openAsOwner();
    const answer = await owner.ask("PUT", `/v1/intents/main/linear/BTCUSDT/${idx}`, { ...LONG, side });
    expect(answer.status).toBe(422);
    const message = `side: positionIdx ${idx} is the ${leg} leg of hedge mode, and side says ${side}`;
    expect(answer.json()).toEqual({ status: "refused", error: { code: "unprocessable", message } });
    expect(owner.desk.asked).toEqual([]);
  });

  test.each([
    { title: "broken JSON", type: "application/json", body: '{"side":', status: 400, code: "bad-request" },
    { title: "an empty body", type: "application/json", body: "", status: 400, code: "bad-request" },
    {
      title: "a form",
      type: "application/x-www-form-urlencoded",
      body: "side=long",
      status: 415,
      code: "unsupported-type",
    },
    { title: "plain text", type: "text/plain", body: JSON.stringify(LONG), status: 415, code: "unsupported-type" },
    {
      title: "a type that only looks like it",
      type: "application/jsonp",
      body: "{}",
      status: 415,
      code: "unsupported-type",
    },
    { title: "too much", type: "application/json", body: `"${"x".repeat(65_536)}"`, status: 413, code: "too-large" },
    { title: "too deep", type: "application/json", body: "[".repeat(65_536), status: 400, code: "bad-request" },
  ])("refuses $title", async ({ type, body, status, code }) => {
    const owner = await openAsOwner();
    const headers = { ...owned().headers, "content-type": type };
    const answer = await ask(owner.port, PLACE, { method: "PUT", headers, body });
    expect([answer.status, errorCode(answer)]).toEqual([status, code]);
    expect(owner.desk.asked).toEqual([]);
  });

  test("takes JSON that says how it is encoded", async () => {
    const owner = await openAsOwner();
    const headers = { ...owned().headers, "content-type": "Application/JSON; charset=utf-8" };
    const answer = await ask(owner.port, PLACE, { method: "PUT", headers, body: JSON.stringify(LONG) });
    expect(answer.status).toBe(200);
  });

  test("says 404 where there is no such contract", async () => {
    const message = "the exchange knows no linear contract BTCUSDT";
    const refused = { status: "refused", httpStatus: 404, code: "not-found", message } as const;
    const owner = await openAsOwner({ setIntent: () => Promise.resolve(refused) });
    const answer = await owner.ask("PUT", PLACE, LONG);
    expect([answer.status, answer.json()]).toEqual([404, { error: { code: "not-found", message } }]);
  });

  test("says 503 with the reason when the ledger cannot keep it", async () => {
    const full = new LedgerError("full", "the ledger state/backstop.db: the disk is full (SQLITE_FULL)");
    const owner = await openAsOwner({ setIntent: () => Promise.reject(full) });
    const answer = await owner.ask("PUT", PLACE, LONG);
    expect([answer.status, answer.json()]).toEqual([
      503,
      { error: { code: "ledger-unavailable", message: full.message } },
    ]);
    expect(owner.stage.logged()).toContain(`PUT ${PLACE}`);
  });
});

describe("GET", () => {
  test("shows what waits there", async () => {
    const owner = await openAsOwner();
    const answer = await owner.ask("GET", PLACE);
    expect([answer.status, answer.json()]).toEqual([200, anIntent()]);
    expect(owner.desk.asked).toEqual([["intent", HERE]]);
  });

  test("says 404 where nothing does", async () => {
    const owner = await openAsOwner({ intent: () => Promise.resolve(null) });
    const answer = await owner.ask("GET", PLACE);
    expect([answer.status, answer.json()]).toEqual([
      404,
      { error: { code: "not-found", message: "no intent is pending or bound there" } },
    ]);
  });
});

describe("DELETE", () => {
  test("takes it back", async () => {
    const owner = await openAsOwner();
    const answer = await owner.ask("DELETE", PLACE);
    expect([answer.status, answer.json()]).toEqual([200, { cleared: true }]);
    expect(owner.desk.asked).toEqual([["clearIntent", HERE]]);
  });

  test("says 404 where there was none", async () => {
    const owner = await openAsOwner({ clearIntent: () => Promise.resolve(false) });
    expect((await owner.ask("DELETE", PLACE)).status).toBe(404);
  });
});

const SYMBOL = "symbol: must be a contract as the exchange spells it, such as BTCUSDT";
const LEG = "positionIdx: must be 0 (one-way), 1 (long leg) or 2 (short leg)";

describe.each(["PUT", "GET", "DELETE"])("%s of a place that cannot be", (method) => {
  test.each([
    { path: "nobody/linear/BTCUSDT/0", names: "no such account; there are: main, grid" },
    { path: "Main/linear/BTCUSDT/0", names: "no such account; there are: main, grid" },
    { path: "main/spot/BTCUSDT/0", names: 'category: must be linear or inverse; given: "spot"' },
    { path: "main/linear/btcusdt/0", names: `${SYMBOL}; given: "btcusdt"` },
    { path: "main/linear/BTC*/0", names: `${SYMBOL}; given: "BTC*"` },
    {
      path: "main/linear/BTC%2FUSDT/0",
      names: `${SYMBOL}; given: "BTC/USDT"`,
    },
    { path: "main/linear/BTCUSDT/3", names: `${LEG}; given: "3"` },
    { path: "main/linear/BTCUSDT/00", names: `${LEG}; given: "00"` },
    { path: "main/linear/BTCUSDT/-0", names: `${LEG}; given: "-0"` },
    { path: "main/linear/BTCUSDT", names: "no such route" },
    { path: "main/linear/BTCUSDT/0/1", names: "no such route" },
  ])("$path is not found", async ({ path, names }) => {
    const owner = await openAsOwner();
    const answer = await owner.ask(method, `/v1/intents/${path}`, method === "PUT" ? LONG : undefined);
    expect([answer.status, answer.json()]).toEqual([404, { error: { code: "not-found", message: names } }]);
    expect(owner.desk.asked).toEqual([]);
  });
});

test("a contract may be spelled in any script, as the exchange does", async () => {
  const owner = await openAsOwner();
  await owner.ask("GET", `/v1/intents/main/linear/${encodeURIComponent("币安人生USDT")}/0`);
  await owner.ask("GET", "/v1/intents/main/linear/BTC-26SEP25/0");
  expect(owner.desk.asked.map(([, place]) => (place as { symbol: string }).symbol)).toEqual([
    "币安人生USDT",
    "BTC-26SEP25",
  ]);
});
