/** How late a push is, by the exchange's own time. */
import { expect, test } from "vitest";
import { isLate } from "../../src/sidecar/lateness.js";

const NOW_MS = 1_700_000_000_000;

test.each([
  ["that has just been sent is not late", NOW_MS - 30, NOW_MS, false],
  ["that took five seconds is not late", NOW_MS - 5_000, NOW_MS, false],
  ["that waited longer is late", NOW_MS - 5_001, NOW_MS, true],
  ["is late, also as the very first, where it waited for minutes", NOW_MS - 300_000, NOW_MS, true],
  ["from a little ahead of our measure is not late", NOW_MS + 4_999, NOW_MS, false],
  ["from the future is of no known age", NOW_MS + 5_001, NOW_MS, true],
  ["is late while the exchange's time is not known", NOW_MS, null, true],
] as const)("a push %s", (_what, pushedAtMs, exchangeNowMs, late) => {
  expect(isLate(pushedAtMs, exchangeNowMs)).toBe(late);
});
