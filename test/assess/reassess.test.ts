/** Judging the same look once more, after memory or rules have changed meanwhile. */
import { describe, expect, test } from "vitest";
import { type AssessInput, assess, reassess } from "../../src/assess/assess.js";
import { type LifeRecord, UNWRITTEN_LIFE } from "../../src/domain/life.js";
import { fullStop } from "../builders/order.js";
import { aProtection, resolved } from "../builders/policy.js";
import { anUnreadablePosition, aPosition } from "../builders/position.js";
import { aSnapshot } from "../builders/snapshot.js";

const btc = aPosition({ fullStop: "97" });
const eth = aPosition({ symbol: "ETHUSDT" });
const snapshot = aSnapshot({
  positions: [btc, eth],
  orders: [fullStop(btc, "97")],
  unreadablePositions: [anUnreadablePosition({ symbol: "SOLUSDT" })],
});
const POLICY = resolved({ protection: aProtection() });
const NOW_MS = 1_700_000_000_500;

const known = (changes: Partial<Omit<AssessInput, "snapshot">> = {}) => ({
  policyOf: () => POLICY,
  lifeOf: (): LifeRecord => ({ ...UNWRITTEN_LIFE, complete: true }),
  nowMs: NOW_MS,
  ...changes,
});

describe("a look that is judged once more", () => {
  test("keeps what nothing has changed", () => {
    const first = assess({ snapshot, ...known() });
    const again = reassess(first, known());
    expect(again).toEqual(first);
    expect(again.positions.map((one, index) => one === first.positions[index])).toEqual([true, true]);
  });

  test("judges anew what memory has changed, and only that", () => {
    const first = assess({ snapshot, ...known() });
    const changed = known({
      lifeOf: ({ key }) => ({ ...UNWRITTEN_LIFE, complete: true, stopTriggered: key.symbol === "ETHUSDT" }),
    });
    const again = reassess(first, changed);
    expect(again).toEqual(assess({ snapshot, ...changed }));
    expect(again).not.toEqual(first);
    expect(again.positions.map((one, index) => one === first.positions[index])).toEqual([true, false]);
  });

  test("goes by the rules that hold now", () => {
    const first = assess({ snapshot, ...known() });
    const changed = known({ policyOf: () => resolved({ protection: aProtection(), ignored: true }) });
    const again = reassess(first, changed);
    expect(again).toEqual(assess({ snapshot, ...changed }));
    expect(again.positions.map(({ status }) => status)).toEqual(["ignored", "ignored"]);
  });

  test("sees the same orders and hedges as before", () => {
    const legs = aSnapshot({
      positions: [aPosition({ positionIdx: 1, fullStop: "97" }), aPosition({ positionIdx: 2, side: "short" })],
      orders: [fullStop(aPosition({ positionIdx: 1 }), "97")],
    });
    const first = assess({ snapshot: legs, ...known() });
    const changed = known({ lifeOf: () => ({ ...UNWRITTEN_LIFE, grown: true }) });
    expect(reassess(first, changed)).toEqual(assess({ snapshot: legs, ...changed }));
  });
});
