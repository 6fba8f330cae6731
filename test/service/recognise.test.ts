/** What the fills tell of an intent that was set while nobody looked. */
import { expect, test } from "vitest";
import type { FillHistory } from "../../src/exchange/fills.js";
import { missedBy } from "../../src/service/books/recognise.js";
import { aPosition } from "../builders/position.js";

const SET_MS = 1_700_000_000_000;
const { key } = aPosition();

/** Closed so long after it was set, by the exchange's clock. */
function closedAfter(ms: number) {
  const fills: Pick<FillHistory, "closedSince" | "firstOpeningSince"> = {
    closedSince: (_key, _side, sinceMs) =>
      Promise.resolve(SET_MS + ms > sinceMs ? { atMs: SET_MS + ms, by: "its stop" } : null),
    firstOpeningSince: () => Promise.resolve(null),
  };
  return missedBy({ key, side: "long", createdAtMs: SET_MS, setFor: { kind: "unseen" } }, null, fills as FillHistory);
}

test("a position that closed before an intent was set is not the one that it was set for, though the clocks differ by a moment", async () => {
  expect(await closedAfter(-500)).toBeNull();
  expect(await closedAfter(600)).toBeNull();
});

test("one that has closed since has taken the intent with it", async () => {
  expect(await closedAfter(5_000)).toMatch(/has closed since$/);
});
