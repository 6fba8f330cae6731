/** Pausing and resuming over HTTP, as the commands do it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Desk } from "../../src/http/index.js";
import { addPauses, PauseFileError, removePauses } from "../../src/ledger/pausing.js";
import { aPause } from "./desk.js";
import { errorCode, openAsOwner, type Owner } from "./stage.js";
import { fakeTiming, STANDING_MS } from "./timing.js";

const TEN_MINUTES_MS = 600_000;
const NOW = "2026-01-01T00:00:00.000Z";
const IN_TEN_MINUTES = "2026-01-01T00:10:00.000Z";

function openAtRest(changes: Partial<Desk> = {}): Promise<Owner> {
  return openAsOwner(changes, { timing: fakeTiming() });
}

/** With the real file of pauses behind it. */
async function openWithFile(text?: string): Promise<Owner> {
  const folder = mkdtempSync(join(tmpdir(), "backstop-http-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  if (text !== undefined) writeFileSync(join(folder, "pauses.json"), text);
  const clock = { now: () => STANDING_MS, sleep: () => Promise.resolve() };
  return openAtRest({
    pause: (wish) => addPauses(folder, wish, clock),
    resume: (scope) => removePauses(folder, scope, clock),
  });
}

describe("what is handed over", () => {
  test.each([
    {
      title: "everything until resumed, without a word",
      body: {},
      wish: { accounts: [], symbols: [], untilMs: null, reason: null },
    },
    {
      title: "some accounts and symbols for a while, with a reason",
      body: { accounts: ["main", "grid"], symbols: ["BTCUSDT", "ETH*"], for: "10m", reason: " moving the bot " },
      wish: {
        accounts: ["main", "grid"],
        symbols: ["BTCUSDT", "ETH*"],
        untilMs: STANDING_MS + TEN_MINUTES_MS,
        reason: "moving the bot",
      },
    },
  ])("$title", async ({ body, wish }) => {
    const owner = await openAtRest();
    expect((await owner.ask("POST", "/v1/pause", body)).status).toBe(200);
    expect(owner.desk.asked).toEqual([["pause", wish]]);
  });

  test("no body means everything, as with the commands", async () => {
    const owner = await openAtRest();
    await owner.ask("POST", "/v1/pause");
    await owner.ask("POST", "/v1/resume");
    const everything = { accounts: [], symbols: [] };
    expect(owner.desk.asked).toEqual([
      ["pause", { ...everything, untilMs: null, reason: null }],
      ["resume", everything],
    ]);
  });
});

describe("what is answered", () => {
  test("a pause, then its end, with times in UTC", async () => {
    const owner = await openWithFile();
    const paused = await owner.ask("POST", "/v1/pause", { symbols: ["BTC*"], for: "10m", reason: "maintenance" });
    const told = { account: null, symbol: "BTC*", until: IN_TEN_MINUTES, since: NOW, reason: "maintenance" };
    expect([paused.status, paused.json()]).toEqual([200, { added: [told], inForce: [told] }]);
    const resumed = await owner.ask("POST", "/v1/resume", { symbols: ["BTC*"] });
    expect(resumed.json()).toEqual({ removed: [told], stillHolding: [], inForce: [], damage: null });
    const nothing = await owner.ask("POST", "/v1/resume");
    expect([nothing.status, nothing.json()]).toEqual([
      200,
      { removed: [], stillHolding: [], inForce: [], damage: null },
    ]);
  });

  test("409 where nothing was resumed, because a pause that reaches farther holds it", async () => {
    const owner = await openWithFile();
    await owner.ask("POST", "/v1/pause", { reason: "all of it" });
    const answer = await owner.ask("POST", "/v1/resume", { symbols: ["BTCUSDT"] });
    const message =
      "nothing was resumed, because a pause that reaches farther holds it: all accounts, all symbols, until resumed: all of it";
    expect([answer.status, answer.json()]).toEqual([409, { error: { code: "held-by-wider-pause", message } }]);
  });

  test("what was resumed, and what still holds the rest", async () => {
    const [narrow, wide] = [aPause({ symbol: "BTCUSDT" }), aPause()];
    const resume = () => Promise.resolve({ removed: [narrow], stillHolding: [wide], inForce: [wide], damage: null });
    const owner = await openAtRest({ resume });
    const answer = await owner.ask("POST", "/v1/resume", { symbols: ["BTCUSDT"] });
    expect([answer.status, answer.json()]).toMatchObject([
      200,
      { removed: [{ symbol: "BTCUSDT" }], stillHolding: [{ symbol: null }] },
    ]);
  });

  test("a damaged file, with its cure", async () => {
    const owner = await openWithFile("{");
    for (const [path, body] of [
      ["/v1/pause", {}],
      ["/v1/resume", { symbols: ["BTCUSDT"] }],
    ] as const) {
      const answer = await owner.ask("POST", path, body);
      expect([answer.status, errorCode(answer)]).toEqual([500, "pause-file"]);
      expect(answer.text).toContain("everything is paused");
    }
    expect((await owner.ask("POST", "/v1/resume", {})).json()).toMatchObject({ damage: "it is no JSON" });
  });

  test("a file that cannot be written", async () => {
    const pause = () => Promise.reject(new PauseFileError("state/pauses.json cannot be written (ENOSPC)"));
    const owner = await openAtRest({ pause });
    const answer = await owner.ask("POST", "/v1/pause");
    expect([answer.status, answer.json()]).toEqual([
      500,
      { error: { code: "pause-file", message: "state/pauses.json cannot be written (ENOSPC)" } },
    ]);
  });
});

describe("what is refused", () => {
  test.each([
    { title: "no duration", body: { for: "soon" }, names: "for: must be a whole number above 0 with s, m, h or d" },
    { title: "no time at all", body: { for: "0m" }, names: "for: must be a whole number above 0 with s, m, h or d" },
    { title: "centuries", body: { for: "366d" }, names: "for: must be a whole number above 0 with s, m, h or d" },
    { title: "a number", body: { for: 10 }, names: "365d is the most; given: 10" },
    { title: "an empty list, which a program may send by mistake", body: { symbols: [] }, names: "symbols: " },
    { title: "a list of no accounts", body: { accounts: [] }, names: "accounts: " },
    { title: "a list in one text", body: { symbols: ["BTCUSDT,ETHUSDT"] }, names: "symbols.0: must be one symbol" },
    { title: "one text for a list", body: { symbols: "BTCUSDT" }, names: "symbols: " },
    { title: "an empty reason", body: { reason: " " }, names: "reason: must be one line of 1 to 200 characters" },
    { title: "a reason of two lines", body: { reason: "a\nb" }, names: "reason: must be one line" },
    {
      title: "the command's spelling",
      body: { symbol: ["BTCUSDT"] },
      names: "symbol: is an unknown key; allowed: accounts, symbols, for, reason",
    },
  ])("$title", async ({ body, names }) => {
    const owner = await openAtRest();
    const answer = await owner.ask("POST", "/v1/pause", body);
    expect([answer.status, errorCode(answer)]).toEqual([422, "unprocessable"]);
    expect((answer.json() as { error: { message: string } }).error.message).toContain(names);
    expect(owner.desk.asked).toEqual([]);
  });

  test("a length of a resume, which has none", async () => {
    const owner = await openAtRest();
    expect((await owner.ask("POST", "/v1/resume", { for: "10m" })).status).toBe(422);
    expect(owner.desk.asked).toEqual([]);
  });

  test.each(["/v1/pause", "/v1/resume"])("an account that there is not, by %s", async (path) => {
    const owner = await openAtRest();
    const answer = await owner.ask("POST", path, { accounts: ["main", "mian"] });
    expect([answer.status, answer.json()]).toEqual([
      404,
      { error: { code: "not-found", message: "no such account; there are: main, grid" } },
    ]);
    expect(owner.desk.asked).toEqual([]);
  });
});
