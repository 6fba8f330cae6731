/** A process that is killed while it writes: what it was told to be safe is there afterwards, and nothing is broken. */
import { expect, test } from "vitest";
import { child, fileUrl, opened } from "./stage.js";

/** Each costs the start of a process: who has time asks for more, as docs/reliability.md does. */
const ROUNDS = Number(process.env["BACKSTOP_TEST_KILLS"] ?? 48);
/** Starting a process takes far longer than what it is killed in. */
const AT_ONCE = 4;

/** Moments that come back in every run, and lie anywhere between the first entry and many. */
function delayMs(round: number): number {
  return (round * 37) % 101;
}

test("no acknowledged entry is lost, whenever the process is killed", { timeout: 300_000 }, async () => {
  const url = fileUrl();
  const acknowledged: number[] = [];
  for (let round = 0; round < ROUNDS; round += AT_ONCE) {
    const writers = Array.from({ length: AT_ONCE }, async (_, index) => {
      const number = round + index;
      const writer = child("append", url);
      await writer.line(0);
      await new Promise((resolve) => {
        setTimeout(resolve, delayMs(number));
      });
      await writer.kill();
      acknowledged.push(...writer.lines.filter((line) => line !== "").map(Number));
    });
    await Promise.all(writers);
  }
  expect(acknowledged.length).toBeGreaterThanOrEqual(ROUNDS);

  const { ledger } = await opened(url);
  const kept = new Set<number>();
  let page = await ledger.history({ limit: 1_000 });
  while (page.length > 0) {
    for (const { id, body } of page) {
      expect(body).toEqual({ turn: expect.any(Number) as number });
      kept.add(id);
    }
    page = await ledger.history({ limit: 1_000, beforeId: page.at(-1)?.id ?? 0 });
  }
  expect(acknowledged.filter((id) => !kept.has(id))).toEqual([]);
  // No number was given twice, also not by two processes that wrote at once.
  expect(new Set(acknowledged).size).toBe(acknowledged.length);
  expect(await ledger.append({ kind: "finding", body: null })).toBeGreaterThan(Math.max(...acknowledged));
});

test("processes that open the same new ledger at once all get it", async () => {
  const url = fileUrl();
  const looking = [1, 2, 3, 4].map(() => child("look", url));
  await Promise.all(looking.map((one) => one.ended()));
  expect(looking.map(({ lines }) => lines)).toEqual([["done"], ["done"], ["done"], ["done"]]);
  const { ledger } = await opened(url);
  expect(await ledger.history({ limit: 9 })).toHaveLength(4);
});
