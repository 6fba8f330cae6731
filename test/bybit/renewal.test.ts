/** A key that is renewed while the connection stands: later requests are signed with it, and neither key comes out. */
import { createHmac } from "node:crypto";
import nock from "nock";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { dec } from "../../src/domain/decimal.js";
import type { BybitSession, LogEvent } from "../../src/exchange/bybit/index.js";
import {
  type Asked,
  closeStage,
  connect,
  failureOf,
  holdTime,
  KEY,
  ok,
  openVenue,
  refusal,
  SECRET,
  settled,
  type Venue,
} from "./venue.js";

const NEXT = { key: "RENEWEDKEY2b8d", secret: "RENEWEDSECRET9e107d9d372bb6826" };
const TRADING_STOP = "/v5/position/trading-stop";
const ACCOUNT = "/v5/account/info";

let venue: Venue;
let session: BybitSession;
let logged: LogEvent[];

beforeEach(() => {
  nock.disableNetConnect();
  holdTime();
  venue = openVenue();
  logged = [];
  session = connect({ log: (event) => void logged.push(event) });
});

afterEach(() => closeStage(session));

const look = () => settled(session.reader.snapshot("account"));
const setStop = () =>
  session.writer().setTradingStop(
    {
      key: { account: "main", category: "linear", symbol: "BTCUSDT", positionIdx: 0 },
      side: "long",
      stopLoss: { price: dec("49000"), triggerBy: "MarkPrice" },
    },
    { priority: 0, veto: () => null },
  );

/** docs/v5/guide: HMAC-SHA256 over timestamp + key + window + query or body. */
function isSignedWith(secret: string, { method, query, body, headers }: Asked): boolean {
  const payload = method === "GET" ? new URLSearchParams(query).toString() : body;
  const text = ["x-bapi-timestamp", "x-bapi-api-key", "x-bapi-recv-window"].map((name) => headers[name]).join("");
  return headers["x-bapi-sign"] === createHmac("sha256", secret).update(`${text}${payload}`).digest("hex");
}

const lastOf = (path: string): Asked => {
  const last = venue.asks(path).at(-1);
  if (last === undefined) throw new Error(`${path} was never asked`);
  return last;
};

describe("a renewed key", () => {
  it("signs what is read and written from then on, also by a writer that was handed out before", async () => {
    const writer = session.writer();
    await look();
    expect(lastOf(ACCOUNT).headers["x-bapi-api-key"]).toBe(KEY);
    expect(isSignedWith(SECRET, lastOf(ACCOUNT))).toBe(true);
    session.renewKey(NEXT);
    await look();
    await settled(
      writer.closePosition(
        {
          key: { account: "main", category: "linear", symbol: "BTCUSDT", positionIdx: 0 },
          side: "long",
          quantity: dec("1"),
          orderLinkId: "x",
        },
        { priority: 0, veto: () => null },
      ),
    );
    for (const asked of [lastOf(ACCOUNT), lastOf("/v5/order/create")]) {
      expect(asked.headers["x-bapi-api-key"]).toBe(NEXT.key);
      expect(isSignedWith(NEXT.secret, asked)).toBe(true);
      expect(isSignedWith(SECRET, asked)).toBe(false);
    }
  });

  it("cures what the old one was refused for", async () => {
    venue.answers(TRADING_STOP, ({ headers }) =>
      headers["x-bapi-api-key"] === NEXT.key ? ok({}) : refusal(10003, "API key is invalid."),
    );
    expect((await failureOf(setStop())).facts).toMatchObject({ kind: "refused", cause: "key" });
    session.renewKey(NEXT);
    await settled(setStop());
  });

  it("is used by the next try of a request that was begun with the old one", async () => {
    venue.answers(TRADING_STOP, ({ headers }) => {
      if (headers["x-bapi-api-key"] === NEXT.key) return ok({});
      session.renewKey(NEXT);
      return refusal(10006, "Too many visits!");
    });
    await settled(setStop());
    expect(venue.asks(TRADING_STOP).map(({ headers }) => headers["x-bapi-api-key"])).toEqual([KEY, NEXT.key]);
  });

  it("is signed for by the exchange's clock, as it was learned with the old one", async () => {
    const aheadMs = 60_000;
    venue.answers("/v5/market/time", () => ok({ timeSecond: "1", timeNano: "1" }, { time: Date.now() + aheadMs }));
    venue.answers(TRADING_STOP, ({ headers }) =>
      Number(headers["x-bapi-timestamp"]) > Date.now() + aheadMs / 2 ? ok({}) : refusal(10002, "invalid request"),
    );
    await settled(setStop());
    session.renewKey(NEXT);
    await settled(setStop());
    expect(venue.asks(TRADING_STOP)).toHaveLength(3);
  });

  it("and the one before it stay out of every failure and every log line", async () => {
    session.renewKey(NEXT);
    const words = [KEY, SECRET, NEXT.key, NEXT.secret];
    venue.answers(TRADING_STOP, () => refusal(10003, `invalid: ${words.join(" ")}`));
    const failure = await failureOf(setStop());
    const told = JSON.stringify([failure.facts, failure.message, logged]);
    expect(words.filter((word) => told.includes(word))).toEqual([]);
  });
});
