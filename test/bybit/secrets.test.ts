/** Whatever goes wrong, no key, secret or signature comes out. */
import { inspect } from "node:util";
import nock from "nock";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { dec } from "../../src/domain/decimal.js";
import { type BybitSession, type LogEvent } from "../../src/exchange/bybit/index.js";
import {
  closeStage,
  connect,
  failureOf,
  holdTime,
  HOST,
  KEY,
  ok,
  openVenue,
  refusal,
  SECRET,
  settled,
  type Told,
  type Venue,
} from "./venue.js";

let venue: Venue;
let session: BybitSession;
let logged: LogEvent[];
let printed: unknown[];

beforeEach(() => {
  nock.disableNetConnect();
  holdTime();
  venue = openVenue();
  logged = [];
  printed = [];
  for (const method of ["log", "info", "warn", "error", "debug", "trace"] as const) {
    vi.spyOn(console, method).mockImplementation((...words) => void printed.push(words));
  }
  session = connect({ log: (event) => void logged.push(event) });
});

afterEach(() => closeStage(session));

const echo = `${KEY} ${SECRET}`;
const ANSWERS: readonly (readonly [string, Told])[] = [
  ["a refusal that repeats them", refusal(10003, `API key ${KEY} with ${SECRET} is invalid.`)],
  ["a gateway's page that repeats them", { status: 502, body: `<html>${echo}</html>` }],
  ["a ban's page that repeats them", { status: 403, body: `<html>${echo}</html>` }],
  ["HTTP 401", { status: 401, body: echo }],
  ["HTTP 404 with an envelope", { status: 404, body: { retCode: 10001, retMsg: echo } }],
  ["HTML with 200", { body: `<html>${echo}</html>` }],
  ["an empty answer", { body: "" }],
  ["a result of the wrong shape", ok(echo)],
];

/** Which of the values show a key or secret, however deep; empty is what must be. */
function leaksIn(...values: readonly unknown[]): string[] {
  return values
    .map((value) => `${inspect(value, { depth: Number.POSITIVE_INFINITY, showHidden: true })} ${JSON.stringify(value)}`)
    .filter((text) => text.includes(KEY) || text.includes(SECRET));
}

const setStop = () =>
  session.writer().setTradingStop(
    {
      key: { account: "main", category: "linear", symbol: "BTCUSDT", positionIdx: 0 },
      side: "long",
      stopLoss: { price: dec("1"), triggerBy: "MarkPrice" },
    },
    { priority: 0, veto: () => null },
  );

describe("key and secret stay inside", () => {
  it.each(ANSWERS)("with %s", async (_what, told) => {
    venue.answers("/v5/position/trading-stop", () => told);
    venue.answers("/v5/position/list", () => told);
    const write = await failureOf(setStop());
    const read = await failureOf(session.reader.snapshot("account"));
    for (const failure of [write, read]) {
      expect(leaksIn(failure)).toEqual([]);
      expect(failure.stack).not.toContain(SECRET);
      expect(failure.cause).toBeUndefined();
    }
    expect(logged.length).toBeGreaterThan(0);
    expect(leaksIn(logged, printed)).toEqual([]);
  });

  it("with refusals that spell them otherwise, and whose words are cut in the middle of them", async () => {
    const spelled = [SECRET, KEY].flatMap((text) => [
      Buffer.from(`x${text}`).toString("base64"),
      Buffer.from(text).toString("base64url"),
      encodeURIComponent(text),
    ]);
    for (const text of spelled) {
      venue.answers("/v5/position/trading-stop", () => refusal(110061, `${"w".repeat(180)} ${text}`));
      const { retMsg = "" } = (await failureOf(setStop())).facts;
      expect(retMsg).toContain("w ");
      expect(spelled.filter((one) => retMsg.includes(one.slice(4, 14)))).toEqual([]);
    }
  });

  it.each(["ECONNRESET", "ECONNREFUSED", "ETIMEDOUT", "CERT_HAS_EXPIRED"])("with %s", async (code) => {
    venue.breaks("POST", "/v5/position/trading-stop", code);
    expect(leaksIn(await failureOf(setStop()), logged, printed)).toEqual([]);
  });

  it("with a timeout", async () => {
    nock.cleanAll();
    nock(HOST).post(/.*/).delayConnection(60_000).reply(200, {});
    expect(leaksIn(await failureOf(setStop()), logged, printed)).toEqual([]);
  });

  it("with everything well", async () => {
    const snapshot = await settled(session.reader.snapshot("account"));
    await settled(setStop());
    expect(leaksIn(snapshot, logged, printed, session, session.reader)).toEqual([]);
  });

  it("also from the SDK's own trace, which is refused at the start", () => {
    vi.stubEnv("BYBITTRACE", "1");
    expect(() => connect()).toThrow(/BYBITTRACE/);
  });
});
