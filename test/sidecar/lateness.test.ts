/** How late a push is, by nothing but the pushes themselves: our clock may be off, and drift. */
import { expect, test } from "vitest";
import { createLateness } from "../../src/sidecar/lateness.js";

const MINUTE_MS = 60_000;

test("a clock that is off by hours makes no push late", () => {
  const lateness = createLateness();
  const offMs = 5 * 3_600_000;
  for (const ms of [0, 1_000, 2_000]) expect(lateness.lateMs(ms, ms + offMs + 30)).toBe(0);
});

test("what waits is late by what it waited, also when much time has passed without any push", () => {
  const lateness = createLateness();
  expect(lateness.lateMs(0, 50)).toBe(0);
  expect(lateness.lateMs(10 * MINUTE_MS, 40 * MINUTE_MS + 50)).toBe(30 * MINUTE_MS);
  expect(lateness.lateMs(39 * MINUTE_MS, 40 * MINUTE_MS + 60)).toBe(MINUTE_MS + 10);
});

test("a clock that drifts for days makes no push late", () => {
  const lateness = createLateness();
  let most = 0;
  for (let minute = 0; minute < 5 * 24 * 60; minute += 1) {
    const sentMs = minute * MINUTE_MS;
    most = Math.max(most, lateness.lateMs(sentMs, sentMs * 1.000_1 + 50));
  }
  expect(most).toBeLessThan(200);
});
