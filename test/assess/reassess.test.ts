/** Judging the same look once more, after memory or rules have changed meanwhile. */
import { describe, expect, test } from "vitest";
import { type AssessInput, assess, reassess, withoutSight } from "../../src/assess/assess.js";
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

describe("a position that could not be seen again", () => {
  const whole = aSnapshot({ positions: [btc, eth], orders: [fullStop(btc, "97")] });
  const lost = ({ key }: typeof btc) => (key.symbol === "BTCUSDT" ? "the clocks differ" : null);

  test("is unknown, and what stood covers nothing; a write may not be looser all the same", () => {
    const [one, other] = assess({ snapshot: whole, ...known({ outOfSight: lost }) }).positions;
    expect([one?.status, other?.status]).toEqual(["unknown", "unprotected"]);
    expect(one?.stop).toMatchObject({ all: null, inside: null, doubt: "the clocks differ" });
    expect(one?.stop.standingFull?.toFixed()).toBe("97");
    expect(one?.findings.map(({ message }) => message).join()).toMatch(
      /BTCUSDT long: the clocks differ; it counts as not/,
    );
  });

  test("is so as well where it is judged once more", () => {
    const first = assess({ snapshot: whole, ...known({ outOfSight: lost }) });
    const grown = known({ outOfSight: lost, lifeOf: () => ({ ...UNWRITTEN_LIFE, grown: true }) });
    expect(reassess(first, grown).positions.map(({ status }) => status)).toEqual(["unknown", "unprotected"]);
  });

  test("is unknown with all others while nothing can be looked at, but for those that are ignored", () => {
    const seen = assess({ snapshot: whole, ...known() });
    expect(seen.positions.map(({ status }) => status)).toEqual(["protected", "unprotected"]);
    const blind = withoutSight(seen, "no answer");
    expect(blind.positions.map(({ status, stop }) => [status, stop.doubt])).toEqual([
      ["unknown", "no answer"],
      ["unknown", "no answer"],
    ]);
    const ignoring = known({ policyOf: () => resolved({ protection: aProtection(), ignored: true }) });
    const ignored = withoutSight(assess({ snapshot: whole, ...ignoring }), "no answer");
    expect(ignored.positions.map(({ status, findings }) => [status, findings])).toEqual([
      ["ignored", []],
      ["ignored", []],
    ]);
  });
});
