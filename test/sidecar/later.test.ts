/** Looks that are due later: soon for what is new, seldom for what lasts. */
import { expect, test } from "vitest";
import { LaterLooks } from "../../src/sidecar/later.js";

const BTC = { category: "linear", symbol: "BTCUSDT" } as const;
const ETH = { category: "linear", symbol: "ETHUSDT" } as const;
const SOON_MS = 500;

/** Time goes from one timer to the next. */
function scene() {
  let nowMs = 0;
  let timers: { readonly atMs: number; readonly callback: () => void }[] = [];
  const woken: string[] = [];
  const after = (ms: number, callback: () => void) => {
    const timer = { atMs: nowMs + ms, callback };
    timers.push(timer);
    return () => void (timers = timers.filter((one) => one !== timer));
  };
  const later = new LaterLooks(
    { after },
    () => nowMs,
    ({ symbol }) => void woken.push(`${symbol} at ${nowMs}`),
  );
  const next = (): void => {
    const [first] = timers.sort((one, other) => one.atMs - other.atMs);
    if (first === undefined) return;
    timers = timers.filter((one) => one !== first);
    nowMs = first.atMs;
    first.callback();
  };
  return { later, woken, next, nowMs: () => nowMs, waiting: () => timers.length };
}

/** It is looked at whenever it is due, and never seen. */
function lasts({ later, next, nowMs }: ReturnType<typeof scene>, untilMs: number): void {
  while (nowMs() < untilMs) {
    later.unseen(BTC, SOON_MS);
    next();
  }
}

test("what cannot be seen is due soon, and every five seconds once that has not helped for ten", () => {
  const it = scene();
  lasts(it, 25_000);
  expect(it.woken.slice(0, 2)).toEqual(["BTCUSDT at 500", "BTCUSDT at 1000"]);
  expect(it.woken.slice(-3)).toEqual(["BTCUSDT at 15000", "BTCUSDT at 20000", "BTCUSDT at 25000"]);
});

test("once it was seen, what cannot be seen is new, and waits for nothing old", () => {
  const it = scene();
  lasts(it, 25_000);
  it.later.unseen(BTC, SOON_MS);
  it.later.looked("account", []);
  expect(it.waiting()).toBe(0);
  it.later.unseen(BTC, SOON_MS);
  it.next();
  expect(it.woken.at(-1)).toBe("BTCUSDT at 25500");
});

test.each([
  ["a look at another contract", [ETH], []],
  ["a look that does not show it either", "account", [BTC]],
] as const)("%s changes nothing", (_what, scope, unseen) => {
  const it = scene();
  lasts(it, 25_000);
  it.later.looked(scope, unseen);
  it.later.unseen(BTC, SOON_MS);
  it.next();
  expect(it.woken.at(-1)).toBe("BTCUSDT at 30000");
});

test.each([
  ["sooner takes the place of what waits", 100, "BTCUSDT at 100"],
  ["later waits with it", 900, "BTCUSDT at 500"],
])("of one name, what is due %s", (_what, afterMs, woken) => {
  const it = scene();
  it.later.add("hold", BTC, 500);
  it.later.add("hold", BTC, afterMs);
  expect(it.waiting()).toBe(1);
  it.next();
  expect(it.woken).toEqual([woken]);
});

test("after the close nothing is due any more", () => {
  const it = scene();
  it.later.unseen(BTC, SOON_MS);
  it.later.add("hold", ETH, 100);
  it.later.close();
  expect(it.waiting()).toBe(0);
});
