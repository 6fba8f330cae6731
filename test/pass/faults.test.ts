/** What a pass does when the exchange answers late, falsely or not at all. */
import { describe, expect, test } from "vitest";
import { dec } from "../../src/domain/decimal.js";
import type { PositionKey } from "../../src/domain/position.js";
import type { Protection } from "../../src/policy/protection.js";
import { exitCode } from "../../src/report/verdict.js";
import {
  failure,
  lie,
  lostWithEffect,
  lostWithoutEffect,
  refuses,
  truth,
  type Fate,
} from "../builders/fake-exchange.js";
import { outcomesOf, type Played, play, recordsOf, type Scene, told } from "../builders/pass.js";
import { stopAt, takeProfitAt } from "../builders/policy.js";
import { aPosition, aShort } from "../builders/position.js";

const long = aPosition();
const { key } = long;

function fates(...list: readonly Fate[]): (request: unknown, nth: number) => Fate {
  return (_request, nth) => list[nth - 1] ?? truth;
}

function stopsSent({ exchange }: Played, of: PositionKey = key): readonly (string | undefined)[] {
  return exchange.writes.flatMap((write) =>
    write.kind === "trading-stop" && write.request.key.symbol === of.symbol
      ? [write.request.stopLoss?.price.toFixed()]
      : [],
  );
}

describe("a stop is confirmed only by a later look", () => {
  test("a naked long gets its stop in one write, and the look that proves it was asked for after the answer", async () => {
    const played = await play({ positions: [long] });
    const [write] = played.exchange.writes;
    const lastRead = played.exchange.reads.at(-1);
    expect(stopsSent(played)).toEqual(["98"]);
    expect(outcomesOf(played.result, key)).toEqual(["confirmed"]);
    expect(lastRead?.atMs).toBeGreaterThan(write?.atMs ?? Number.POSITIVE_INFINITY);
    expect(told(played.report, key).status).toBe("protected");
  });

  test("an effect that shows two seconds late is waited for, not written again", async () => {
    const played = await play({ positions: [long], lagMs: 2_000 });
    expect(stopsSent(played)).toEqual(["98"]);
    expect(outcomesOf(played.result, key)).toEqual(["confirmed"]);
  });

  test("a look that was asked for early proves no absence, however late it is answered", async () => {
    const played = await play({ positions: [long], lagMs: 2_500, latencyMs: 4_000 });
    expect(stopsSent(played)).toEqual(["98"]);
    expect(outcomesOf(played.result, key)).toEqual(["confirmed"]);
  });

  test("the request carries the leg, the mark price as trigger, and no take-profit where none is configured", async () => {
    const leg = aShort({ positionIdx: 2 });
    const { exchange } = await play({ positions: [leg] });
    expect(exchange.writes.map(({ request }) => request)).toEqual([
      { key: leg.key, side: "short", stopLoss: expect.objectContaining({ triggerBy: "MarkPrice" }) },
    ]);
  });
});

describe("acknowledgements and lost replies", () => {
  test("after a false acknowledgement it writes twice more, and leaves it uncertain when those were false too", async () => {
    const played = await play({ positions: [long], fate: () => lie });
    expect(stopsSent(played)).toEqual(["98", "98", "98"]);
    expect(outcomesOf(played.result, key)).toEqual(["uncertain", "uncertain", "uncertain"]);
    expect(told(played.report, key).status).toBe("unprotected");
  });

  test("after one false acknowledgement the second write is confirmed", async () => {
    const played = await play({ positions: [long], fate: fates(lie) });
    expect(outcomesOf(played.result, key)).toEqual(["uncertain", "confirmed"]);
  });

  test("a lost reply whose request took effect causes no further write", async () => {
    const played = await play({ positions: [long], fate: fates(lostWithEffect) });
    expect(stopsSent(played)).toEqual(["98"]);
    expect(outcomesOf(played.result, key)).toEqual(["confirmed"]);
  });

  test("a lost reply whose effect comes a second later causes no further write", async () => {
    const played = await play({ positions: [long], fate: fates({ kind: "lost", effectAfterMs: 1_000 }) });
    expect(stopsSent(played)).toEqual(["98"]);
    expect(outcomesOf(played.result, key)).toEqual(["confirmed"]);
  });

  test("a lost reply without effect causes exactly one more write", async () => {
    const played = await play({ positions: [long], fate: fates(lostWithoutEffect) });
    expect(stopsSent(played)).toEqual(["98", "98"]);
    expect(played.exchange.stopOf(key)).toBe("98");
    expect(outcomesOf(played.result, key)).toEqual(["uncertain", "confirmed"]);
  });

  test("three lost replies without effect end the tries; the position is not called protected", async () => {
    const played = await play({ positions: [long], fate: () => lostWithoutEffect });
    expect(stopsSent(played)).toHaveLength(3);
    expect(told(played.report, key).status).toBe("unprotected");
  });

  test("a rebased stop whose reply was lost is asked for again at the same price, though the mark has moved", async () => {
    const past = aPosition({ mark: "97" });
    const played = await play({
      positions: [past],
      fate: fates(lostWithoutEffect),
      beforeRead: (nth, hand) => {
        if (nth > 2) hand.price("BTCUSDT", "97.3");
      },
    });
    const sent = stopsSent(played);
    expect(sent).toHaveLength(2);
    expect(sent[1]).toBe(sent[0]);
  });

  test("a rebase whose effect vanished is not made again: where its price no longer fits, the nearest tick is", async () => {
    const played = await play({
      positions: [aPosition({ mark: "97" })],
      fate: fates(lostWithoutEffect),
      beforeRead: (nth, hand) => {
        if (nth > 2) hand.price("BTCUSDT", "94");
      },
    });
    expect(stopsSent(played)).toEqual(["95.1", "93.9"]);
    expect(outcomesOf(played.result, key)).toEqual(["uncertain", "confirmed"]);
  });

  test("a rebase whose effect never showed is not made again by a later pass either", async () => {
    const played = await play({
      positions: [aPosition({ mark: "97" })],
      fate: (_request, nth) => (nth <= 3 ? lie : truth),
    });
    expect(stopsSent(played)).toEqual(["95.1", "95.1", "95.1"]);
    await played.again();
    expect(stopsSent(played)).toEqual(["95.1", "95.1", "95.1", "96.9"]);
  });

  test("a 'not modified' is believed when the look shows the stop", async () => {
    const played = await play({
      positions: [long],
      beforeWrite: (_write, hand) => hand.setStop(key, "98"),
    });
    expect(stopsSent(played)).toHaveLength(1);
    expect(outcomesOf(played.result, key)).toEqual(["confirmed"]);
  });

  test("a 'not modified' without a stop to be seen causes two more writes, and no claim", async () => {
    const notModified: Fate = { kind: "fails", failure: "unknown", cause: "not-modified" };
    const played = await play({ positions: [long], fate: () => notModified });
    expect(stopsSent(played)).toHaveLength(3);
    expect(outcomesOf(played.result, key)).toEqual(["uncertain", "uncertain", "uncertain"]);
    expect(told(played.report, key).status).toBe("unprotected");
  });

  test("a request that surely never left is tried again", async () => {
    const offline: Fate = { kind: "fails", failure: "not-happened", cause: "network" };
    const played = await play({ positions: [long], fate: fates(offline) });
    expect(outcomesOf(played.result, key)).toEqual(["skipped", "confirmed"]);
  });
});

describe("refusals", () => {
  test.each(["take-profit-past", "limit", "other"] as const)(
    "a take-profit refused for %s costs the stop nothing: it goes alone in the same pass",
    async (cause) => {
      const played = await play({
        positions: [long],
        protection: { takeProfit: takeProfitAt("0.04") },
        fate: (request) => ("takeProfit" in request ? refuses(cause) : truth),
      });
      expect(played.exchange.stopOf(key)).toBe("98");
      expect(outcomesOf(played.result, key)).toEqual(["refused", "confirmed"]);
      expect(told(played.report, key).status).toBe("protected");
    },
  );

  test("a stop refused for its side is decided anew from a fresh mark, by pastStop", async () => {
    const played = await play({
      positions: [long],
      beforeWrite: ({ atMs }, hand) => {
        if (atMs < 1_700_000_000_500) hand.price("BTCUSDT", "97");
      },
    });
    expect(stopsSent(played)).toEqual(["98", "95.1"]);
    expect(outcomesOf(played.result, key)).toEqual(["refused", "confirmed"]);
  });

  test("with pastStop alert a stop refused for its side is not sent again, and the report says stop-past", async () => {
    const played = await play({
      positions: [long],
      protection: { pastStop: "alert" },
      beforeWrite: (_write, hand) => hand.price("BTCUSDT", "97"),
    });
    expect(stopsSent(played)).toHaveLength(1);
    expect(told(played.report, key).findings.map(({ code }) => code)).toContain("stop-past");
  });

  describe("for its side, by a last price that is far from the mark", () => {
    const scene = (pastStop: Protection["pastStop"], side: "long" | "short" = "long"): Scene => ({
      positions: [aPosition({ side })],
      lastPrice: side === "long" ? "60" : "160",
      protection: { stopLoss: stopAt("0.02", "LastPrice"), pastStop },
    });

    test.each<Protection["pastStop"]>(["rebase", "nearest", "close"])(
      "is believed: with pastStop %s the nearest level by that price is set, and nothing is closed",
      async (pastStop) => {
        const played = await play(scene(pastStop));
        expect(stopsSent(played)).toEqual(["98", "59.8"]);
        expect(played.exchange.stopOf(key)).toBe("59.8");
      },
    );

    test("is believed for a short too", async () => {
      expect(stopsSent(await play(scene("rebase", "short")))).toEqual(["102", "160.3"]);
    });

    test("is believed though it waits so long for its turn that it is looked at once more", async () => {
      expect(stopsSent(await play({ ...scene("rebase"), latencyMs: 150 }))).toEqual(["98", "59.8"]);
    });

    test("is not sent again where the operator wants to be alerted only", async () => {
      const played = await play(scene("alert"));
      expect(stopsSent(played)).toEqual(["98"]);
      expect(told(played.report, key).status).toBe("unprotected");
    });
  });

  test("with pastStop close a stop refused for its side ends in one reduce-only close, listed as closed", async () => {
    const played = await play({
      positions: [long],
      protection: { pastStop: "close" },
      beforeWrite: (write, hand) => {
        if (write.kind === "trading-stop") hand.price("BTCUSDT", "97");
      },
    });
    expect(played.exchange.writes.map(({ kind }) => kind)).toEqual(["trading-stop", "close"]);
    const position = told(played.report, key);
    expect(position).toMatchObject({ size: "0", status: "closed", findings: [] });
    expect(position.steps.at(-1)?.outcome).toBe("confirmed");
  });

  test("a close whose reply is lost is never sent a second time", async () => {
    const played = await play({
      positions: [aPosition({ mark: "97" })],
      protection: { pastStop: "close" },
      fate: () => lostWithoutEffect,
    });
    await played.again();
    expect(played.exchange.writes.filter(({ kind }) => kind === "close")).toHaveLength(1);
    expect(told(played.report, key).status).toBe("unprotected");
  });

  test.each<readonly [string, string]>([
    ["all of it", "1"],
    ["a part of it", "0.4"],
  ])("what a close has left behind (%s) gets the tightest stop instead of a second close", async (_what, size) => {
    const naked = aPosition({ mark: "97" });
    const played = await play({
      positions: [naked],
      protection: { pastStop: "close" },
      fate: (request) => ("quantity" in request ? lie : truth),
      beforeWrite: (write, hand) => {
        if (write.kind === "close") hand.put({ ...naked, size: dec(size) });
      },
    });
    expect(played.exchange.writes.map(({ kind }) => kind)).toEqual(["close", "trading-stop"]);
    expect(stopsSent(played)).toEqual(["96.9"]);
    expect(told(played.report, key)).toMatchObject({ size, status: "protected" });
    expect(outcomesOf(played.result, key)).toEqual(["uncertain", "confirmed"]);
  });

  test("a fill that is not booked yet is waited for with growing pauses", async () => {
    const played = await play({
      positions: [long],
      fate: (_request, nth) => (nth <= 2 ? refuses("zero-position") : truth),
    });
    const times = played.exchange.writes.map(({ atMs }) => atMs);
    expect(outcomesOf(played.result, key)).toEqual(["refused", "refused", "confirmed"]);
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(500);
    expect((times[2] ?? 0) - (times[1] ?? 0)).toBeGreaterThanOrEqual(1_500);
  });

  test("a position that stays 'zero' is given up after three writes", async () => {
    const played = await play({ positions: [long], fate: () => refuses("zero-position") });
    expect(stopsSent(played)).toHaveLength(3);
    expect(told(played.report, key).status).toBe("unprotected");
  });

  test.each(["key", "permission", "market-state", "limit"] as const)(
    "a stop refused for %s is not hammered",
    async (cause) => {
      const played = await play({ positions: [long], fate: () => refuses(cause) });
      expect(stopsSent(played)).toHaveLength(1);
      expect(outcomesOf(played.result, key)).toEqual(["refused"]);
    },
  );

  test("no mix of refusals makes more than three writes to one position in one pass", async () => {
    const played = await play({
      positions: [long],
      protection: { takeProfit: takeProfitAt("0.04") },
      fate: (request, nth) =>
        nth <= 2 ? refuses("zero-position") : "takeProfit" in request ? refuses("limit") : truth,
    });
    expect(played.exchange.writes.length).toBeLessThanOrEqual(3);
    expect(played.exchange.stopOf(key)).toBe("98");
  });

  test("a take-profit past the mark that could not be closed does not cost the stop", async () => {
    const played = await play({
      positions: [aPosition({ mark: "105" })],
      protection: { takeProfit: takeProfitAt("0.04"), pastTakeProfit: "close" },
      fate: (request) => ("quantity" in request ? refuses("other") : truth),
    });
    expect(played.exchange.stopOf(key)).toBe("98");
    expect(told(played.report, key).status).toBe("protected");
  });
});

describe("reads that fail", () => {
  test("when every look after the write fails, the position is unknown and never called protected", async () => {
    const played = await play({
      positions: [long],
      beforeRead: (nth) => {
        if (nth > 1) throw failure("not-happened", "timeout");
      },
    });
    expect(played.result.lostSight).not.toBeNull();
    expect(outcomesOf(played.result, key)).toEqual(["uncertain"]);
    expect(told(played.report, key).status).toBe("unknown");
  });

  test("an exchange that falls silent after the write ends the pass within a minute", async () => {
    const played = await play({
      positions: [long],
      failsAfterMs: 15_000,
      beforeRead: (nth) => {
        if (nth > 1) throw failure("not-happened", "timeout");
      },
    });
    const [first] = played.exchange.reads;
    expect(played.exchange.reads.length).toBeGreaterThan(1);
    expect(played.clock.now() - (first?.atMs ?? 0)).toBeLessThan(60_000);
    expect(outcomesOf(played.result, key)).toEqual(["uncertain"]);
  });

  describe("ever since a person agreed to the plan", () => {
    const blind = (fullStop: string | null) =>
      play({
        positions: [aPosition({ liquidation: "50", fullStop })],
        protection: { mode: "tighten-only" },
        approve: async (_exchange, clock) => {
          await clock.sleep(60_000);
          return true;
        },
        beforeRead: (nth) => {
          if (nth > 1) throw failure("not-happened", "timeout");
        },
      });

    test.each<readonly [string, string | null, number]>([
      ["with a stop missing, the exit code is that of the finding", null, 2],
      ["with nothing worse than a wide stop, the exit code says that not all was seen", "90", 3],
    ])("%s", async (_what, fullStop, code) => {
      const { exchange, result, report } = await blind(fullStop);
      expect(exchange.writes).toEqual([]);
      expect(report.complete).toBe(false);
      expect(report.accounts).toMatchObject([{ complete: false, gaps: [{ reason: result.lostSight }] }]);
      expect(told(report, key).steps).toMatchObject([{ outcome: "skipped", detail: result.lostSight }]);
      expect([exitCode(report, "warning"), exitCode(report, "never")]).toEqual([code, 3]);
    });
  });

  test("a look that fails for the written contract alone proves nothing about it", async () => {
    const played = await play({
      positions: [long],
      beforeRead: (nth) =>
        nth > 1 ? [{ category: "linear", what: "orders", symbols: ["BTCUSDT"], reason: "timeout" }] : undefined,
    });
    expect(stopsSent(played)).toHaveLength(1);
    expect(told(played.report, key).status).toBe("unknown");
  });

  test("a look that fails once is made again", async () => {
    const played = await play({
      positions: [long],
      beforeRead: (nth) => {
        if (nth === 2) throw failure("not-happened", "timeout");
      },
    });
    expect(outcomesOf(played.result, key)).toEqual(["confirmed"]);
  });

  test("when nothing at all can be read, nothing is written and the failure is told", async () => {
    const scene = play({
      positions: [long],
      beforeRead: () => {
        throw failure("refused", "key");
      },
    });
    await expect(scene).rejects.toMatchObject({ facts: { cause: "key" } });
  });

  test("a row that cannot be read gets no write", async () => {
    const other = aPosition({ symbol: "ETHUSDT" });
    const played = await play({
      positions: [long, other],
      unreadable: () => [
        { account: "main", category: "linear", symbol: "BTCUSDT", positionIdx: 0, side: null, reason: "side" },
      ],
    });
    expect(played.exchange.writes.map(({ request }) => request.key.symbol)).toEqual(["ETHUSDT"]);
    expect(told(played.report, key).status).toBe("unknown");
  });

  test("a written position whose row then cannot be read is uncertain, not closed", async () => {
    const played = await play({
      positions: [long],
      unreadable: (nth) =>
        nth > 1
          ? [{ account: "main", category: "linear", symbol: "BTCUSDT", positionIdx: 0, side: null, reason: "side" }]
          : [],
    });
    expect(outcomesOf(played.result, key)).toEqual(["uncertain"]);
    expect(recordsOf(played.result, key)[0]?.detail).toMatch(/does not prove it flat/);
    expect(played.report.positions.map(({ status, steps }) => [status, steps.length])).toEqual([["unknown", 1]]);
  });

  test("a row that states a stop whose order is not listed is looked at again, and needs no write", async () => {
    const stated = aPosition({ fullStop: "98" });
    const played = await play({ positions: [stated], hidesExitRows: (nth) => nth === 1 });
    expect(played.exchange.writes).toEqual([]);
    expect(played.exchange.reads).toHaveLength(2);
    expect(told(played.report, key).status).toBe("protected");
  });

  test("a row that keeps stating a stop whose order is never listed stays unknown and untouched", async () => {
    const stated = aPosition({ fullStop: "98" });
    const played = await play({ positions: [stated], hidesExitRows: () => true });
    expect(played.exchange.writes).toEqual([]);
    expect(told(played.report, key).status).toBe("unknown");
  });

  test("a position row that states our stop is no proof while the order itself is not listed", async () => {
    const played = await play({ positions: [long], hidesExitRows: () => true });
    expect(stopsSent(played)).toEqual(["98"]);
    expect(outcomesOf(played.result, key)).toEqual(["uncertain"]);
    expect(told(played.report, key).status).toBe("unknown");
  });
});

describe("a stop that is set at another trigger", () => {
  test("is proven only with that trigger", async () => {
    const played = await play({ positions: [long], protection: { stopLoss: stopAt("0.02", "LastPrice") } });
    expect(played.exchange.writes.map(({ request }) => "stopLoss" in request && request.stopLoss?.triggerBy)).toEqual([
      "LastPrice",
    ]);
    expect(outcomesOf(played.result, key)).toEqual(["confirmed"]);
  });
});

test("a contract that is to be looked at is looked at once more where a look at everything has failed just there", async () => {
  const ether = { category: "linear", symbol: "ETHUSDT" } as const;
  const woken = [[ether]];
  const { exchange, result } = await play({
    positions: [aPosition({ fullStop: "98" })],
    wholeFrom: 1,
    pass: { woken: () => woken.shift() ?? [] },
    hidesFlatRows: () => true,
    beforeRead: (nth) => (nth === 2 ? [{ category: "linear", what: "positions", reason: "timeout" }] : undefined),
  });
  expect(exchange.reads).toHaveLength(3);
  expect(result).toMatchObject({ lostSight: null, unanswered: [] });
});

test("a contract that was shown is not looked at again because another list of its category fails", async () => {
  const woken = [[{ category: "linear", symbol: "BTCUSDT" } as const]];
  const { exchange, result } = await play({
    positions: [aPosition({ fullStop: "98" })],
    wholeFrom: 1,
    pass: { woken: () => woken.shift() ?? [] },
    beforeRead: () => [{ category: "linear", what: "positions", reason: "timeout" }],
  });
  expect(exchange.reads).toHaveLength(2);
  expect(result).toMatchObject({ lostSight: null, unanswered: [] });
});
