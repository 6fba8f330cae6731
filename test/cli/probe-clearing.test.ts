/** What the probe leaves behind: nothing, also of what shows only seconds after it was sent. */
import { expect, test } from "vitest";
import type { Bench, Patience } from "../../src/cli/probe/bench.js";
import { clear } from "../../src/cli/probe/clearing.js";
import { dec } from "../../src/domain/decimal.js";

const PATIENCE: Patience = { stepMs: 200, waitMs: 8_000, calmMs: 1_500, clearMs: 60_000 };
const CONTRACT = {
  symbol: "BTCUSDT",
  tickSize: dec("0.1"),
  unit: dec("0.001"),
  unitNotional: dec("60"),
  positionIdx: 0,
} as const;

/** An order that was sent a moment ago fills `showsAfterMs` later; what closes it works at once. */
function scene(showsAfterMs: number) {
  let nowMs = 0;
  const closes: string[] = [];
  const isOpen = () => nowMs >= showsAfterMs && closes.length === 0;
  const bench = {
    contract: CONTRACT,
    linkPrefix: "bsprobe-",
    monotonicMs: () => nowMs,
    position: () => Promise.resolve(isOpen() ? { side: "Buy", size: "0.001" } : { side: "", size: "0" }),
    openOrders: () => Promise.resolve([]),
    wire: {
      post: (path: string, { qty, reduceOnly }: Record<string, unknown>) => {
        closes.push(`${path} ${String(qty)} ${String(reduceOnly)}`);
        return Promise.resolve({ accepted: true, result: {} });
      },
    },
  } as unknown as Bench;
  const sleep = (ms: number) => {
    nowMs += ms;
    return Promise.resolve();
  };
  const cleared = (isInDoubt: boolean) => clear(bench, { patience: PATIENCE, sleep }, isInDoubt);
  return { closes, cleared, nowMs: () => nowMs };
}

test("what shows a second later is closed, reduce-only", async () => {
  const { closes, cleared } = scene(1_000);
  expect(await cleared(false)).toEqual([]);
  expect(closes).toEqual(["/v5/order/create 0.001 true"]);
});

test("what may have been done is waited for longer: it is closed when it shows seven seconds later", async () => {
  const { closes, cleared } = scene(7_000);
  expect(await cleared(true)).toEqual([]);
  expect(closes).toEqual(["/v5/order/create 0.001 true"]);
});

test("where nothing is there nobody waits for longer than that", async () => {
  const { closes, cleared, nowMs } = scene(Number.POSITIVE_INFINITY);
  expect(await cleared(false)).toEqual([]);
  expect(nowMs()).toBeLessThan(2_500);
  expect(closes).toEqual([]);
});
