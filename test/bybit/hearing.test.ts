/** Whether the exchange itself answers: a page in its place is none, and neither is a refusal silence. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createHearing } from "../../src/exchange/bybit/hearing.js";
import type { BybitSession } from "../../src/exchange/bybit/index.js";
import { closeStage, failureOf, ok, openStage, refusal, settled, type Told, type Venue } from "./venue.js";

describe("requests and their ends", () => {
  function heard() {
    let nowMs = 0;
    const hearing = createHearing({ monotonicMs: () => nowMs });
    return { hearing, passes: (ms: number) => void (nowMs += ms) };
  }

  test("where nothing is asked, nothing is unanswered", () => {
    const { hearing, passes } = heard();
    passes(60_000);
    expect(hearing.unansweredForMs()).toBe(0);
    expect(hearing.silentForMs()).toBe(Number.POSITIVE_INFINITY);
  });

  test("one that hangs counts from when it left", () => {
    const { hearing, passes } = heard();
    hearing.asked();
    passes(3_000);
    expect(hearing.unansweredForMs()).toBe(3_000);
  });

  test("several in a row count from the first to the last, until one is answered", () => {
    const { hearing, passes } = heard();
    for (let request = 0; request < 3; request += 1) {
      hearing.asked();
      passes(1_000);
      hearing.ended(false);
      passes(500);
    }
    expect(hearing.unansweredForMs()).toBe(4_000);
    passes(60_000);
    expect(hearing.unansweredForMs()).toBe(4_000);
    hearing.asked();
    hearing.ended(true);
    hearing.answered();
    expect(hearing.unansweredForMs()).toBe(0);
    expect(hearing.silentForMs()).toBe(0);
  });

  test("one that hangs beside others that are answered is no silence", () => {
    const { hearing, passes } = heard();
    hearing.asked();
    for (let request = 0; request < 10; request += 1) {
      passes(1_000);
      hearing.asked();
      hearing.ended(true);
      hearing.answered();
    }
    passes(500);
    expect(hearing.unansweredForMs()).toBe(500);
  });
});

describe("a session", () => {
  let venue: Venue;
  let session: BybitSession;
  beforeEach(() => {
    ({ venue, session } = openStage());
  });
  afterEach(() => closeStage(session));

  const TIME = "/v5/market/time";
  const asks = () => failureOf(session.reader.clockSkewMs());
  const asksFor = async (ms: number): Promise<void> => {
    await asks();
    await vi.advanceTimersByTimeAsync(ms);
    await asks();
  };

  test.each<[string, Told]>([
    ["a gateway's page", { status: 502, body: "<html>bad gateway</html>" }],
    ["too many requests", { status: 429, body: "" }],
    ["a page with a good status", { body: "<html>welcome</html>" }],
  ])("is not answered by %s", async (_what, told) => {
    venue.answers(TIME, () => told);
    await asksFor(6_000);
    expect(session.unansweredForMs()).toBeGreaterThanOrEqual(6_000);
    venue.answers(TIME, () => ok({ timeSecond: "1", timeNano: "1" }));
    await settled(session.reader.clockSkewMs());
    expect(session.unansweredForMs()).toBe(0);
  });

  test("is answered by the exchange's own error", async () => {
    venue.answers(TIME, () => refusal(10_016, "server error"));
    await asksFor(6_000);
    expect(session.unansweredForMs()).toBe(0);
  });

  test("is not answered for as long as the exchange has shut it out", async () => {
    venue.answers(TIME, () => ({ status: 403, body: "<html>access too frequent</html>" }));
    await asks();
    await vi.advanceTimersByTimeAsync(590_000);
    expect(session.unansweredForMs()).toBe(Number.POSITIVE_INFINITY);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(session.unansweredForMs()).toBeLessThan(1_000);
  });
});
