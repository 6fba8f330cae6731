/** Who gets in: signatures, the clock window, keys, rights and addresses. */
import { describe, expect, it } from "vitest";
import { sign, signatureText } from "../../src/exchange/simulator/index.js";
import { bench, KEY, read, SECRET, signedRequest } from "./client.js";

const LIST = "/v5/position/list";
const QUERY = "category=linear&settleCoin=USDT";
const AT = 1_700_000_000_000;

describe("a signed request", () => {
  it.each([
    [QUERY, "a81f5536f55e5c748e179a26ff5bfa56e957740ec7c59616ff942a944a58a69d"],
    [
      '{"category":"linear","symbol":"BTCUSDT","tpslMode":"Full","positionIdx":0,"stopLoss":"25000"}',
      "eb7379d15675d25d8bbc27ff1efa91e5f9d51caa07007c54436694b63b49fda7",
    ],
    ["", "2fc9e776b3f07b2ee447067e0f627438055b198bb14dba79e1a3d50e40a5bd8d"],
  ])("signs the exact payload %s as the documents say", (payload, signature) => {
    expect(sign(SECRET, signatureText(KEY, String(AT), "5000", payload))).toBe(signature);
  });

  it("signs a stream login over its expiry", () => {
    expect(sign(SECRET, "GET/realtime1700000005000")).toBe(
      "2330de2041c701a1bf5a61887575a7a784add8c50269478c248edf1b43312515",
    );
  });

  it("is accepted with the right signature and refused with one wrong digit", () => {
    const { exchange } = bench();
    const good = signedRequest(AT, "GET", LIST, QUERY);
    expect(read(exchange.handle(good)).retCode).toBe(0);
    const bad = { ...good, headers: { ...good.headers, "x-bapi-sign": "0".repeat(64) } };
    expect(read(exchange.handle(bad)).retCode).toBe(10004);
  });

  it("is verified over the raw query, percent escapes included", () => {
    const { exchange } = bench();
    const raw = `${QUERY}&cursor=BTCUSDT%252C1%252C0`;
    expect(read(exchange.handle(signedRequest(AT, "GET", LIST, raw))).retCode).toBe(0);
    const decoded = { ...signedRequest(AT, "GET", LIST, decodeURIComponent(raw)), rawQuery: raw };
    expect(read(exchange.handle(decoded)).retCode).toBe(10004);
  });

  it("from an unknown key is 10003", () => {
    const { exchange } = bench();
    expect(read(exchange.handle(signedRequest(AT, "GET", LIST, QUERY, { "x-bapi-api-key": "other" }))).retCode).toBe(
      10003,
    );
  });
});

describe("the clock window", () => {
  it.each([
    [-5001, 10002],
    [-5000, 0],
    [999, 0],
    [1000, 10002],
  ])("a timestamp %i ms from the server's gives %i", (offsetMs, retCode) => {
    const { exchange } = bench();
    expect(read(exchange.handle(signedRequest(AT + offsetMs, "GET", LIST, QUERY))).retCode).toBe(retCode);
  });

  it("names both clocks in its refusal", () => {
    const { exchange } = bench();
    expect(read(exchange.handle(signedRequest(AT - 9000, "GET", LIST, QUERY))).retMsg).toBe(
      "invalid request, please check your server timestamp or recv_window param. " +
        `req_timestamp[${AT - 9000}],server_timestamp[${AT}],recv_window[5000]`,
    );
  });
});

describe("a key's rights", () => {
  it("a read-only key may read and not write", () => {
    const { exchange, get, tradingStop } = bench();
    exchange.setAccount({ readOnly: true });
    expect(get(LIST, { category: "linear", settleCoin: "USDT" }).retCode).toBe(0);
    expect(tradingStop({ stopLoss: "1" }).retCode).toBe(10005);
    expect(get("/v5/user/query-api").result["readOnly"]).toBe(1);
  });

  it("without the position right no stop can be set", () => {
    const { exchange, tradingStop } = bench();
    exchange.setAccount({ permissions: { ContractTrade: ["Order"] } });
    expect(tradingStop({ stopLoss: "1" }).retCode).toBe(10005);
  });

  it("from another address than its own it is 10010", () => {
    const { exchange, get } = bench();
    exchange.setAccount({ ips: ["203.0.113.7"] });
    expect(get("/v5/account/info").retCode).toBe(10010);
    exchange.setAccount({ ips: ["127.0.0.1"] });
    expect(get("/v5/account/info").retCode).toBe(0);
  });
});

describe("request limits", () => {
  it("the eleventh trading-stop within a second is 10006, with the time it has room again", () => {
    const { clock, tradingStop } = bench({ rateLimits: true });
    for (let count = 1; count <= 10; count += 1) {
      const { retCode, headers } = tradingStop({ stopLoss: "60000" });
      expect(retCode).toBe(10001);
      expect(headers["X-Bapi-Limit"]).toBe("10");
      expect(headers["X-Bapi-Limit-Status"]).toBe(String(10 - count));
      expect(headers["X-Bapi-Limit-Reset-Timestamp"]).toBe(String(clock.nowMs));
      clock.nowMs += 10;
    }
    const refused = tradingStop({ stopLoss: "60000" });
    expect(refused).toMatchObject({ retCode: 10006, retMsg: "Too many visits!" });
    expect(refused.headers["X-Bapi-Limit-Reset-Timestamp"]).toBe(String(AT + 1000));
    clock.nowMs = AT + 1000;
    expect(tradingStop({ stopLoss: "60000" }).retCode).toBe(10001);
  });

  it("each account has its own", () => {
    const accounts = [
      { name: "one", key: "one", secret: "x" },
      { name: "main", key: KEY, secret: SECRET },
    ];
    const { exchange, tradingStop } = bench({ rateLimits: true, accounts });
    const other = signedRequest(AT, "POST", "/v5/position/trading-stop", "{}", {
      "x-bapi-api-key": "one",
      "x-bapi-sign": sign("x", signatureText("one", String(AT), "5000", "{}")),
    });
    for (let count = 1; count <= 11; count += 1) exchange.handle(other);
    expect(read(exchange.handle(other)).retCode).toBe(10006);
    expect(tradingStop({ stopLoss: "1" }).retCode).toBe(10001);
  });

  it("six hundred requests in five seconds shut the address out for ten minutes, as an HTML 403", () => {
    const { exchange, clock } = bench({ rateLimits: true });
    const time = signedRequest(AT, "GET", "/v5/market/time", "");
    for (let count = 1; count <= 600; count += 1) exchange.handle(time);
    expect(exchange.handle(time)).toMatchObject({ kind: "answer", status: 403 });
    clock.nowMs += 599_999;
    expect(exchange.handle(time)).toMatchObject({ status: 403 });
    clock.nowMs += 1;
    expect(exchange.handle(time)).toMatchObject({ status: 200 });
  });
});

describe("odd requests", () => {
  it("a GET with a body is an HTML 403", () => {
    const { exchange } = bench();
    const request = { ...signedRequest(AT, "GET", LIST, QUERY), rawBody: "{}" };
    expect(exchange.handle(request)).toMatchObject({ kind: "answer", status: 403 });
  });

  it("an unknown route is 10017 and HTTP 200", () => {
    const { exchange } = bench();
    const reply = exchange.handle(signedRequest(AT, "GET", "/v5/position/lists", ""));
    expect(reply).toMatchObject({ kind: "answer", status: 200 });
    expect(read(reply).retCode).toBe(10017);
  });
});
