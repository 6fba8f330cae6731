/** What has waited for its turn is held against one more look at its contract, also where that look is not whole. */
import { describe, expect, test } from "vitest";
import type { Gap } from "../../src/domain/snapshot.js";
import type { Hand } from "../builders/fake-exchange.js";
import { lie, refuses, truth } from "../builders/fake-exchange.js";
import { play, type Played, type Scene, told } from "../builders/pass.js";
import { takeProfitAt } from "../builders/policy.js";
import { aPosition } from "../builders/position.js";

const long = aPosition();
const { key } = long;
const LAST_LOOK = 2;

const missing = (what: Gap["what"]): Gap => ({ category: "linear", what, symbols: ["BTCUSDT"], reason: "no answer" });

/** The first look takes so long that a second one is made before the write leaves; another hand acts between the two. */
function meanwhile(act: (hand: Hand) => void, scene: Partial<Scene> = {}, gaps: readonly Gap[] = []): Promise<Played> {
  return play({
    positions: [long],
    latencyMs: 150,
    hidesExitRows: (nth) => nth === LAST_LOOK && gaps.some(({ what }) => what === "orders"),
    beforeRead: (nth, hand) => {
      if (nth !== LAST_LOOK) return [];
      act(hand);
      return gaps;
    },
    ...scene,
  });
}

const stopsSent = ({ exchange }: Played) =>
  exchange.writes.map(({ request }) => ("stopLoss" in request ? request.stopLoss?.price.toFixed() : undefined));

const profitsSent = ({ exchange }: Played) =>
  exchange.writes.map(({ request }) => ("takeProfit" in request ? request.takeProfit?.price.toFixed() : undefined));

describe("a tighter stop that the row of the last look states stands", () => {
  test.each<Gap["what"]>(["tickers", "instruments", "orders"])("although the %s could not be read", async (what) => {
    const played = await meanwhile((hand) => hand.setStop(key, "99.5"), {}, [missing(what)]);
    expect(played.exchange.writes).toEqual([]);
    expect(played.exchange.stopOf(key)).toBe("99.5");
    expect(told(played.report, key).status).toBe("protected");
  });
});

test.each<Gap["what"]>(["tickers", "instruments", "orders", "positions"])(
  "a last look that lacks the %s and shows nothing new holds no stop up",
  async (what) => {
    const played = await meanwhile(() => undefined, {}, [missing(what)]);
    expect(stopsSent(played)).toEqual(["98"]);
    expect(played.exchange.reads[LAST_LOOK]?.atMs).toBeGreaterThan(played.exchange.writes[0]?.atMs ?? 0);
  },
);

test("a look that was long under way stands for no last one: its rows were read before it came", async () => {
  const { exchange, report } = await play({
    positions: [long],
    latencyMs: 600,
    fate: (_request, nth) => (nth === 1 ? refuses("zero-position") : truth),
    beforeRead: (nth, hand) => {
      if (nth === 5) hand.setStop(key, "99.5");
    },
  });
  expect(exchange.writes).toHaveLength(1);
  expect(exchange.stopOf(key)).toBe("99.5");
  expect(told(report, key).status).toBe("protected");
});

describe("of a step that sets both, what another hand has set meanwhile is not set over", () => {
  const both = { protection: { takeProfit: takeProfitAt("0.04") } } as const;

  test("its looser stop stands in create-only, and the take-profit goes alone", async () => {
    const played = await meanwhile((hand) => hand.setStop(key, "95"), both);
    expect(stopsSent(played)).toEqual([undefined]);
    expect(profitsSent(played)).toEqual(["104"]);
    expect(played.exchange.stopOf(key)).toBe("95");
  });

  test("its take-profit stands, and the stop goes alone", async () => {
    const played = await meanwhile((hand) => hand.setTakeProfit(key, "110"), both);
    expect(stopsSent(played)).toEqual(["98"]);
    expect(profitsSent(played)).toEqual([undefined]);
    expect(played.exchange.takeProfitOf(key)).toBe("110");
  });
});

describe("what answers a level that was past is void once the price has come back", () => {
  const past = aPosition({ mark: "97" });
  const comesBack = (hand: Hand) => hand.price("BTCUSDT", "100");

  test("before it leaves: the configured level is set", async () => {
    const played = await meanwhile(comesBack, { positions: [past] });
    expect(stopsSent(played)).toEqual(["98"]);
  });

  test("after it never showed: the configured level is set, not the wider one again", async () => {
    const played = await play({
      positions: [past],
      fate: (_request, nth) => (nth === 1 ? lie : truth),
      beforeRead: (nth, hand) => {
        if (nth > 2) comesBack(hand);
      },
    });
    expect(stopsSent(played)).toEqual(["95.1", "98"]);
  });
});
