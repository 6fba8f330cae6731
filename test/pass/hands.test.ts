/** What a pass does when people, bots and the market change positions while it works. */
import { describe, expect, test } from "vitest";
import { dec } from "../../src/domain/decimal.js";
import { keyText, type Position } from "../../src/domain/position.js";
import { inMemory } from "../../src/ledger/memory.js";
import { exitCode } from "../../src/report/index.js";
import { type Hand, lie, truth } from "../builders/fake-exchange.js";
import { conditionalStop, fullStop } from "../builders/order.js";
import { instrumentFor } from "../builders/market.js";
import { outcomesOf, play, recordsOf, type Scene, told } from "../builders/pass.js";
import { takeProfitAt } from "../builders/policy.js";
import { anUnreadablePosition, aPosition, aShort } from "../builders/position.js";

const long = aPosition();
const { key } = long;

describe("a flip in mid-pass", () => {
  test("gives the new side its own stop on its own side, and calls the old one closed", async () => {
    const { exchange, result, report } = await play({
      positions: [long],
      beforeRead: (nth, hand) => {
        if (nth === 2) hand.put(aShort({ openedAtMs: 2_000 }));
      },
    });
    expect(exchange.writes.map(({ request }) => request.side)).toEqual(["long", "short"]);
    expect(exchange.stopOf(key)).toBe("102");
    expect(outcomesOf(result, key)).toEqual(["skipped", "confirmed"]);
    expect(told(report, key)).toMatchObject({ side: "short", status: "protected" });
  });

  test("never repeats for the new side a level that was meant for the old one", async () => {
    const { exchange } = await play({
      positions: [aPosition({ entry: "104", mark: "103" })],
      fate: (_request, nth) => (nth === 1 ? lie : truth),
      beforeRead: (nth, hand) => {
        if (nth < 8) return;
        hand.price("BTCUSDT", "101");
        hand.put(aShort({ entry: "101", mark: "101", openedAtMs: 2_000 }));
        hand.price("BTCUSDT", "101");
      },
      lagMs: 0,
    });
    const [first, second] = exchange.writes;
    expect(first?.request).toMatchObject({ side: "long" });
    expect(second?.request).toMatchObject({ side: "short" });
    const stop = second !== undefined && "stopLoss" in second.request ? second.request.stopLoss?.price.toFixed() : null;
    expect(stop).toBe("103");
  });
});

test("a stop order that the position's own row does not state is looked at twice before it counts", async () => {
  const { exchange, report } = await play({
    positions: [aPosition({ fullStop: "97" })],
    hidesRowStops: (nth) => nth === 1,
    beforeRead: (nth, hand) => {
      if (nth !== 2) return;
      hand.close(key);
      hand.put(long);
    },
  });
  expect(exchange.writes).toHaveLength(1);
  expect(exchange.stopOf(key)).toBe("98");
  expect(told(report, key).status).toBe("protected");
});

test.each([false, true])(
  "a stop order that the position's own row goes on not stating is never called protection (writes: %s)",
  async (writes) => {
    const { exchange, report } = await play({
      positions: [aPosition({ fullStop: "97" })],
      hidesRowStops: () => true,
      writes,
    });
    expect(told(report, key).status).toBe("unknown");
    expect(exchange.writes).toHaveLength(0);
  },
);

test("in sync a take-profit that another hand has set goes to the configured level, once", async () => {
  const profit = { protection: { mode: "sync", takeProfit: takeProfitAt("0.04") } } as const;
  const positions = [aPosition({ fullStop: "98", fullTakeProfit: "110" })];
  const { exchange } = await play({ positions, ...profit });
  expect(exchange.writes.map(({ request }) => request)).toMatchObject([{ takeProfit: { price: dec("104") } }]);
});

describe("a read that lags behind a position which was just seen open", () => {
  const stale = (from: number, to: number) => (nth: number, hand: Hand) => {
    if (nth === from) hand.close(key);
    if (nth === to) hand.put(long);
  };

  test.each([
    ["once", 3],
    ["for two seconds", 6],
  ])("%s is no close: the position is looked at until it shows again, and protected", async (_how, to) => {
    const { exchange, report } = await play({ positions: [long], beforeRead: stale(2, to) });
    expect(told(report, key)).toMatchObject({ status: "protected", size: "1" });
    expect(exchange.stopOf(key)).toBe("98");
  });

  test("is no close where its row is missing altogether: nothing is claimed, and it is told as unknown", async () => {
    const { report } = await play({
      positions: [long],
      fate: () => lie,
      beforeRead: stale(2, 1_000),
      hidesFlatRows: () => true,
    });
    expect(told(report, key).status).toBe("unknown");
    expect(exitCode(report, "warning")).toBe(2);
  });

  test("never turns a close that did not happen into a proven one", async () => {
    const past = aPosition({ entry: "110" });
    const { report, result } = await play({
      positions: [past],
      protection: { pastStop: "close" },
      fate: (request) => ("quantity" in request ? lie : truth),
      beforeRead: (nth, hand) => {
        if (nth === 2) hand.close(key);
        if (nth === 3) hand.put(past);
      },
    });
    expect(outcomesOf(result, key)[0]).not.toBe("confirmed");
    expect(told(report, key).status).not.toBe("closed");
  });

  test("one leg of a hedge whose row is missing is not closed, while the other shows", async () => {
    const leg = aPosition({ positionIdx: 1 });
    const other = aShort({ positionIdx: 2 });
    const { report } = await play({
      positions: [leg, other],
      beforeRead: (nth, hand) => {
        if (nth === 2) hand.close(leg.key);
      },
      hidesFlatRows: () => true,
    });
    expect(told(report, leg.key).status).toBe("unknown");
    expect(told(report, other.key).status).toBe("protected");
  });
});

describe("a close in mid-pass", () => {
  test("before the write: the refusal and the look prove it closed, and nothing more is sent", async () => {
    const { exchange, report, result } = await play({
      positions: [long],
      beforeWrite: (_write, hand) => hand.close(key),
    });
    expect(exchange.writes).toHaveLength(1);
    expect(outcomesOf(result, key)).toEqual(["refused"]);
    expect(told(report, key)).toMatchObject({ size: "0", status: "closed", findings: [] });
  });

  test("after the write: the contract's own empty row proves it closed", async () => {
    const { result, report } = await play({
      positions: [long],
      beforeRead: (nth, hand) => {
        if (nth === 2) hand.close(key);
      },
    });
    expect(recordsOf(result, key)).toMatchObject([{ outcome: "skipped", detail: "the position was closed meanwhile" }]);
    expect(told(report, key).status).toBe("closed");
  });

  test("with a look that failed for its contract, a close is not claimed", async () => {
    const { report, result } = await play({
      positions: [long],
      beforeRead: (nth, hand) => {
        if (nth < 2) return undefined;
        hand.close(key);
        return [{ category: "linear", what: "positions", symbols: ["BTCUSDT"], reason: "timeout" }];
      },
    });
    expect(outcomesOf(result, key)).toEqual(["uncertain"]);
    expect(told(report, key)).toMatchObject({ size: "1", status: "unknown" });
  });
});

describe("looks at some contracts that are answered with the whole account", () => {
  const symbols = ["BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT"];
  const naked = (mark: string) => symbols.map((symbol) => aPosition({ symbol, mark }));

  test("prove every one of four closes that we sent", async () => {
    const positions = naked("97");
    const { exchange, result, report } = await play({
      positions,
      protection: { pastStop: "close" },
      wholeFrom: 1,
    });
    expect(exchange.writes.map(({ kind }) => kind)).toEqual(["close", "close", "close", "close"]);
    expect(report.summary).toMatchObject({ positions: 4, closed: 4, confirmed: 4 });
    for (const position of positions) {
      expect(outcomesOf(result, position.key)).toEqual(["confirmed"]);
      expect(told(report, position.key)).toMatchObject({ size: "0", status: "closed", findings: [] });
    }
  });

  test("prove that another hand has closed all four while their stops were being set", async () => {
    const positions = naked("100");
    const { result, report } = await play({
      positions,
      wholeFrom: 1,
      beforeRead: (nth, hand) => {
        if (nth === 2) for (const position of positions) hand.close(position.key);
      },
    });
    expect(report.summary).toMatchObject({ positions: 4, closed: 4 });
    for (const position of positions) {
      expect(recordsOf(result, position.key)).toMatchObject([{ detail: "the position was closed meanwhile" }]);
      expect(told(report, position.key)).toMatchObject({ size: "0", status: "closed", findings: [] });
    }
  });

  test("keep in sight what they failed to see", async () => {
    const { result, report } = await play({
      positions: [long],
      wholeFrom: 1,
      beforeRead: (nth, hand) => {
        if (nth < 2) return undefined;
        hand.close(key);
        return [{ category: "linear", what: "positions", reason: "timeout" }];
      },
    });
    expect(outcomesOf(result, key)).toEqual(["uncertain"]);
    expect(told(report, key)).toMatchObject({ size: "1", status: "unknown" });
  });
});

describe("stops that another hand sets meanwhile", () => {
  test("a tighter one after our write stays, and ours is not called confirmed", async () => {
    const { exchange, result, report } = await play({
      positions: [long],
      beforeRead: (nth, hand) => {
        if (nth === 2) hand.setStop(key, "99");
      },
    });
    expect(exchange.writes).toHaveLength(1);
    expect(exchange.stopOf(key)).toBe("99");
    expect(outcomesOf(result, key)).toEqual(["uncertain"]);
    expect(told(report, key).status).toBe("protected");
  });

  test("one that stands by the time of the second look makes a further write unnecessary", async () => {
    const { exchange } = await play({
      positions: [long],
      fate: () => lie,
      beforeRead: (nth, hand) => {
        if (nth === 3) hand.setStop(key, "99");
      },
    });
    expect(exchange.writes).toHaveLength(1);
    expect(exchange.stopOf(key)).toBe("99");
  });

  test("a looser one after our write is left alone in create-only, and ours is not called confirmed", async () => {
    const { exchange, result } = await play({
      positions: [long],
      beforeRead: (nth, hand) => {
        if (nth === 2) hand.setStop(key, "90");
      },
    });
    expect(exchange.writes).toHaveLength(1);
    expect(outcomesOf(result, key)).toEqual(["uncertain"]);
  });

  test("a plan that waited a minute for a person's answer is decided anew from a fresh look", async () => {
    const { exchange } = await play({
      positions: [long],
      approve: async ({ hand }, clock) => {
        await clock.sleep(60_000);
        hand.setStop(key, "99");
        return true;
      },
    });
    expect(exchange.writes).toEqual([]);
    expect(exchange.stopOf(key)).toBe("99");
  });
});

describe("once per life", () => {
  test("a rebase happens once: when its stop is gone and the level is past again, the nearest tick is taken", async () => {
    const past = aPosition({ mark: "97" });
    const { exchange, again } = await play({ positions: [past] });
    expect(exchange.stopOf(key)).toBe("95.1");
    exchange.hand.put(aPosition({ mark: "95" }));
    await again();
    expect(exchange.stopOf(key)).toBe("94.9");
  });

  test("a stop of ours in place of a tighter one that has vanished is nobody's drift", async () => {
    const { exchange, again } = await play({ positions: [long] });
    const drifts: string[] = [];
    for (const mark of ["97", "95"]) {
      exchange.hand.put(aPosition({ mark }));
      const { positions } = (await again()).assessment;
      drifts.push(...positions.flatMap(({ findings }) => findings.map(({ code }) => code)));
    }
    expect(exchange.stopOf(key)).toBe("94.9");
    expect(drifts).not.toContain("intent-drift");
  });

  test("a rebased stop that vanishes is put back where it stood", async () => {
    const past = aPosition({ mark: "97" });
    const { exchange, again } = await play({ positions: [past] });
    exchange.hand.put(past);
    await again();
    expect(exchange.stopOf(key)).toBe("95.1");
  });

  test("a new life of the position may be rebased again", async () => {
    const past = aPosition({ mark: "97" });
    const { exchange, again } = await play({ positions: [past] });
    exchange.hand.put(aPosition({ mark: "97", openedAtMs: 9_000 }));
    await again();
    expect(exchange.stopOf(key)).toBe("95.1");
  });

  test("while a triggered stop is still being filled, what remains gets the nearest tick and no rebase", async () => {
    const past = aPosition({ mark: "97" });
    const { exchange } = await play({
      positions: [past],
      orders: [fullStop(past, "98", { state: "triggered" })],
    });
    expect(exchange.stopOf(key)).toBe("96.9");
  });

  test("a stop that has triggered and left the list is remembered: what remains is not rebased", async () => {
    const past = aPosition({ mark: "97" });
    const triggered = conditionalStop(past, "98", "1", { state: "partly-filled" });
    let isFrozen = true;
    const { exchange, again } = await play({
      positions: [past],
      orders: [triggered],
      pass: { frozen: () => (isFrozen ? "read-only" : null) },
    });
    expect(exchange.writes).toEqual([]);
    isFrozen = false;
    exchange.hand.close(key);
    exchange.hand.put(past);
    await again();
    expect(exchange.stopOf(key)).toBe("96.9");
  });

  test("a cross-margin stop is moved inside the estimated liquidation price once", async () => {
    const beyond = aPosition({ entry: "100", mark: "100", liquidation: "95", fullStop: "90" });
    const scene = { marginMode: "cross", protection: { mode: "tighten-only" } } as const;
    const { exchange, again } = await play({ positions: [beyond], ...scene });
    expect(exchange.stopOf(key)).toBe("98");
    exchange.hand.put({ ...beyond, fullStopLoss: beyond.fullStopLoss });
    const before = exchange.writes.length;
    const result = await again();
    expect(exchange.writes).toHaveLength(before);
    expect(result.assessment.positions.map(({ status }) => status)).toEqual(["misplaced"]);
  });
});

describe("hedge legs", () => {
  test("each leg gets its own stop under its own positionIdx, whatever the order of the rows", async () => {
    const one = aPosition({ positionIdx: 1, size: "2" });
    const two = aShort({ positionIdx: 2, size: "1" });
    const { exchange } = await play({ positions: [two, one] });
    expect([exchange.stopOf(one.key), exchange.stopOf(two.key)]).toEqual(["98", "102"]);
    expect(exchange.writes.map(({ request }) => `${keyText(request.key)} ${request.side}`)).toEqual([
      "main/linear/BTCUSDT/1 long",
      "main/linear/BTCUSDT/2 short",
    ]);
  });

  const perp = aShort({ symbol: "BTCPERP" });
  const OUT_OF_SIGHT: readonly (readonly [string, Partial<Scene>])[] = [
    [
      "a list of positions that could not be read",
      { beforeRead: () => [{ category: "inverse", what: "positions", reason: "502" }] },
    ],
    [
      "a row on the same base coin that cannot be read",
      {
        unreadable: () => [anUnreadablePosition({ symbol: "BTCPERP", side: "short" })],
        instruments: [instrumentFor(perp)],
      },
    ],
  ];

  describe.each(OUT_OF_SIGHT)("that may be hidden in %s", (_what, hidden) => {
    test.each(["alert", "ignore"] as const)(
      "hedged %s: nothing is written, and the report says why",
      async (hedged) => {
        const { exchange, report } = await play({ positions: [long], protection: { hedged }, ...hidden });
        expect(exchange.writes).toEqual([]);
        expect(told(report, key)).toMatchObject({
          status: "unprotected",
          steps: [{ outcome: "skipped", detail: expect.stringMatching(/^hedged legs are set to: .*other side$/) }],
        });
      },
    );

    test("hedged protect: the stop is set all the same", async () => {
      const { exchange, report } = await play({ positions: [long], ...hidden });
      expect(exchange.stopOf(key)).toBe("98");
      expect(told(report, key).status).toBe("protected");
    });
  });

  test("a leg that opens while the other is written gets its stop in the same pass", async () => {
    const one = aPosition({ positionIdx: 1 });
    const two = aShort({ positionIdx: 2 });
    const { exchange } = await play({
      positions: [one],
      beforeRead: (nth, hand) => {
        if (nth === 2) hand.put(two);
      },
    });
    expect(exchange.stopOf(two.key)).toBe("102");
  });
});

describe("stop and take-profit together", () => {
  test("go in one request and are confirmed together", async () => {
    const { exchange, result } = await play({ positions: [long], protection: { takeProfit: takeProfitAt("0.04") } });
    expect(exchange.writes).toHaveLength(1);
    expect([exchange.stopOf(key), exchange.takeProfitOf(key)]).toEqual(["98", "104"]);
    expect(outcomesOf(result, key)).toEqual(["confirmed"]);
  });

  test("a second pass over a quiet account sends nothing", async () => {
    const { exchange, again } = await play({
      positions: [long, aShort({ symbol: "ETHUSDT", entry: "0.00001234", mark: "0.00001230" })],
      protection: { takeProfit: takeProfitAt("0.04") },
    });
    const before = exchange.writes.length;
    await again();
    expect(exchange.writes).toHaveLength(before);
  });
});

describe("a batch that waits for its turn", () => {
  const many = Array.from({ length: 20 }, (_, index) => aPosition({ symbol: `C${index}USDT` }));

  test("is held against what was seen since: stops that another hand set meanwhile are not loosened", async () => {
    const written = new Set<string>();
    const { exchange, report } = await play({
      positions: many,
      spacingMs: 111,
      beforeWrite: ({ request }, hand) => {
        written.add(keyText(request.key));
        if (written.size !== 3) return;
        for (const position of many) if (!written.has(keyText(position.key))) hand.setStop(position.key, "99.5");
      },
    });
    const kept = many.filter((position) => exchange.stopOf(position.key) === "99.5");
    // What was on the wire within the second before the next look cannot be taken back.
    expect(kept.length).toBeGreaterThanOrEqual(8);
    expect(report.summary.protected).toBe(20);
  });

  test("closes nothing that has recovered and got its stop while it waited", async () => {
    const past = many.map((position) => ({ ...position, entryPrice: dec("104") }));
    let sent = 0;
    const { exchange } = await play({
      positions: past,
      protection: { pastStop: "close" },
      spacingMs: 111,
      beforeWrite: (_write, hand) => {
        sent += 1;
        if (sent !== 3) return;
        for (const { key: other } of many) hand.price(other.symbol, "105");
      },
    });
    const closes = exchange.writes.filter(({ kind }) => kind === "close");
    expect(closes.length).toBeLessThanOrEqual(5);
  });
});

describe("a price that runs away from the nearest stop", () => {
  test("is given more room at each try, so that one of them rests", async () => {
    let mark = 100;
    const { exchange, report } = await play({
      positions: [aPosition({ entry: "110", mark: "100" })],
      protection: { pastStop: "nearest" },
      beforeWrite: (_write, hand) => {
        mark -= 0.15;
        hand.price("BTCUSDT", mark.toFixed(2));
      },
    });
    expect(exchange.writes.length).toBeGreaterThan(1);
    expect(told(report, key).status).toBe("protected");
  });
});

describe("a first look that took seconds", () => {
  test("is made anew before anything is decided, so that a tighter stop set meanwhile stands", async () => {
    const { exchange, report } = await play({
      positions: [long],
      latencyMs: 2_000,
      beforeRead: (nth, hand) => {
        if (nth === 2) hand.setStop(key, "99.5");
      },
    });
    expect(exchange.writes).toEqual([]);
    expect(exchange.stopOf(key)).toBe("99.5");
    expect(told(report, key).status).toBe("protected");
  });

  test("keeps no position naked where the exchange is as slow each time", async () => {
    const { exchange, report } = await play({ positions: [long], latencyMs: 4_000 });
    expect(exchange.stopOf(key)).toBe("98");
    expect(told(report, key).status).toBe("protected");
  });
});

test("what was looked at before the machine slept is looked at again before anything is written", async () => {
  let reads = 0;
  const { exchange } = await play({
    positions: [long],
    wokeAtMs: () => (reads === 1 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY),
    beforeRead: (nth, hand) => {
      reads = nth;
      if (nth === 2) hand.setStop(key, "99.5");
    },
  });
  expect(exchange.writes).toEqual([]);
  expect(exchange.stopOf(key)).toBe("99.5");
});

test("a level of an intent that is in doubt by the time it is to leave does not leave", async () => {
  let isDoubted = false;
  const intent = { id: "wish", stopLoss: dec("97"), takeProfit: null, waiver: null, mayLoosenFrom: null, who: "http" };
  const known = inMemory();
  const memory = {
    ...known,
    recall: (position: Position) => ({ ...known.recall(position), intent: isDoubted ? null : intent }),
  };
  const { exchange } = await play({
    positions: [aPosition()],
    latencyMs: 150,
    // The last look before the write.
    beforeRead: (nth) => {
      isDoubted ||= nth === 2;
      return undefined;
    },
    pass: { memory },
  });
  expect(
    exchange.writes.map(({ request }) => ("stopLoss" in request ? request.stopLoss?.price.toFixed() : null)),
  ).toEqual(["98"]);
});

test("a take-profit of an intent that is over by the time it is to leave does not leave", async () => {
  let isOver = false;
  const known = inMemory();
  const intent = { id: "wish", stopLoss: null, takeProfit: dec("110"), waiver: null, mayLoosenFrom: null, who: "http" };
  const memory = {
    ...known,
    recall: (position: Position) => ({ ...known.recall(position), intent: isOver ? null : intent }),
  };
  const { exchange } = await play({
    positions: [aPosition({ fullStop: "98" })],
    protection: { takeProfit: takeProfitAt("0.04") },
    latencyMs: 150,
    beforeRead: (nth) => {
      isOver ||= nth === 2;
      return undefined;
    },
    pass: { memory },
  });
  expect(exchange.takeProfitOf(key)).toBe("104");
  expect(exchange.writes).toHaveLength(1);
});

test("an intent that leaves the stop alone holds no missing stop back, however often it is set anew", async () => {
  let nth = 0;
  const known = inMemory();
  const wish = { stopLoss: null, takeProfit: dec("110"), waiver: null, mayLoosenFrom: null, who: "http" };
  const memory = {
    ...known,
    recall: (position: Position) => ({ ...known.recall(position), intent: { ...wish, id: `wish ${++nth}` } }),
  };
  const { exchange } = await play({ positions: [long], latencyMs: 150, pass: { memory } });
  expect(exchange.writes).toHaveLength(1);
  expect(exchange.stopOf(key)).toBe("98");
});
