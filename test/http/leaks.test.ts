/** No answer shows a secret: not of what was asked, not of what the desk says, not of what broke. */
import { describe, expect, test } from "vitest";
import type { Desk } from "../../src/http/index.js";
import { LedgerError } from "../../src/ledger/error.js";
import { PauseFileError } from "../../src/ledger/pausing.js";
import { registerSecret } from "../../src/runtime/index.js";
import { aFinding, anAccount, aReport } from "../report/builders.js";
import { anEntry, anIntent, aPause } from "./desk.js";
import { ask, openAsOwner, owned, TOKEN } from "./stage.js";

const CANARY = "CANARY0SECRET0000000000000000000001";
const PLACE = "/v1/intents/main/linear/BTCUSDT/0";
const QUOTE = { account: "main", category: "linear", symbol: "BTCUSDT", side: "long" };
const LONG = { side: "long", stopLoss: "1" };

registerSecret(CANARY);

const answered =
  <T>(value: T) =>
  () =>
    Promise.resolve(value);

const TALKATIVE: Partial<Desk> = {
  report: () => aReport({ accounts: [anAccount({ findings: [aFinding({ message: `key ${CANARY}` })] })] }),
  sweep: answered(aReport({ accounts: [anAccount({ notCovered: [CANARY] })] })),
  setIntent: answered({ status: "pending", intent: anIntent({ who: CANARY }), message: CANARY }),
  intent: answered(anIntent({ orderLinkId: CANARY })),
  quote: answered({ kind: "none", httpStatus: 422, message: CANARY }),
  pause: answered({ added: [aPause({ reason: CANARY })], inForce: [] }),
  resume: answered({ removed: [aPause({ reason: CANARY })], stillHolding: [], inForce: [], damage: null }),
  history: answered([anEntry({ body: { [CANARY]: CANARY } })]),
};

const ASKED = [
  ["GET", "/v1/report", undefined],
  ["POST", "/v1/sweep", undefined],
  ["PUT", PLACE, LONG],
  ["GET", PLACE, undefined],
  ["POST", "/v1/quote", QUOTE],
  ["POST", "/v1/pause", {}],
  ["POST", "/v1/resume", {}],
  ["GET", "/v1/history", undefined],
] as const;

describe("what the desk says", () => {
  test.each(ASKED)("%s %s", async (method, path, json) => {
    const owner = await openAsOwner(TALKATIVE);
    const { status, text } = await owner.ask(method, path, json);
    expect([200, 422]).toContain(status);
    expect(text).toContain("[secret]");
    expect(text).not.toContain(CANARY);
  });
});

describe("what breaks", () => {
  const failures = [
    new Error(`a ${CANARY} at ${TOKEN}`),
    new LedgerError("other", `a ${CANARY} at ${TOKEN}`),
    new PauseFileError(`a ${CANARY} at ${TOKEN}`),
  ];
  test.each(failures)("%s", async (error) => {
    const names = ["sweep", "setIntent", "intent", "clearIntent", "quote", "pause", "resume", "history"] as const;
    const broken = () => {
      throw error;
    };
    const owner = await openAsOwner(Object.fromEntries(names.map((name) => [name, broken])));
    const asked = [...ASKED, ["DELETE", PLACE, undefined] as const].filter(([, path]) => path !== "/v1/report");
    for (const [method, path, json] of asked) {
      const { status, text } = await owner.ask(method, path, json);
      expect([500, 503]).toContain(status);
      for (const hidden of [CANARY, TOKEN, "stack", ".ts", "    at "]) expect(text).not.toContain(hidden);
    }
    expect(owner.stage.logged()).not.toContain(CANARY);
    expect(owner.stage.logged()).not.toContain(TOKEN);
  });
});

describe("what was asked", () => {
  const own = [TOKEN, CANARY] as const;
  test.each(own)("%s as a key, a value, a word of the path or of the query", async (secret) => {
    const owner = await openAsOwner();
    const answers = await Promise.all([
      owner.ask("PUT", PLACE, { ...LONG, [secret]: 1 }),
      owner.ask("PUT", PLACE, { ...LONG, [`${"x".repeat(350)}${secret}`]: 1 }),
      owner.ask("PUT", PLACE, { ...LONG, side: secret }),
      owner.ask("PUT", `/v1/intents/${secret}/linear/BTCUSDT/0`, LONG),
      owner.ask("GET", `/v1/intents/main/linear/${secret.toLowerCase()}/0`),
      owner.ask("GET", `/v1/history?${secret}=1`),
      owner.ask("GET", `/v1/history?limit=${secret}`),
      owner.ask("POST", "/v1/pause", { accounts: [secret] }),
      owner.ask("POST", "/v1/quote", { ...QUOTE, price: secret }),
      owner.ask("GET", `/v1/${secret}`),
      ask(owner.port, PLACE, { method: "PUT", body: secret, headers: { ...owned().headers, "content-type": secret } }),
    ]);
    for (const { status, text } of answers) {
      expect(status).toBeGreaterThanOrEqual(400);
      expect(text).not.toContain(secret);
      expect(text).not.toContain(secret.slice(0, 20));
    }
  });
});

test("a message never grows with what was sent", async () => {
  const owner = await openAsOwner();
  const answer = await owner.ask("PUT", PLACE, { ...LONG, ["k".repeat(60_000)]: 1 });
  expect(answer.status).toBe(422);
  expect(answer.text.length).toBeLessThan(600);
});
