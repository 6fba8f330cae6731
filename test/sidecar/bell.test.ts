/** What has woken a guard is looked at, whenever it has rung. */
import { expect, test } from "vitest";
import { Bell } from "../../src/sidecar/bell.js";

const BTC = { category: "linear", symbol: "BTCUSDT" } as const;
const ETH = { category: "linear", symbol: "ETHUSDT" } as const;
const noTimers = { after: () => () => undefined };

test("what rings after the scope of a pass was taken is due in the next", () => {
  const bell = new Bell(noTimers);
  bell.ringFor(BTC);
  const scope = bell.scope();
  bell.ringFor(ETH);
  if (scope === null) throw new RangeError("something has rung");
  bell.answered(scope);
  expect(bell.scope()).toEqual([ETH]);
});

test("a pass over everything leaves nothing that rang before due", () => {
  const bell = new Bell(noTimers);
  bell.ringFor(BTC);
  bell.ring("schedule");
  bell.answered("account");
  expect(bell.scope()).toBeNull();
});
