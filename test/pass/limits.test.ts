/** What a pass never does: write without a writer, without leave, beyond its budget, or more than was agreed. */
import { describe, expect, test } from "vitest";
import type { Position } from "../../src/domain/position.js";
import type { Writer } from "../../src/exchange/port.js";
import { failure, refuses, truth } from "../builders/fake-exchange.js";
import { outcomesOf, play } from "../builders/pass.js";
import { stopAt, takeProfitAt } from "../builders/policy.js";
import { aPosition, aShort } from "../builders/position.js";

const long = aPosition();
const { key } = long;

/** Every second one a short, sizes growing, so that the last is the largest. */
function manyPositions(count: number, overrides: { readonly fullStop?: string } = {}): readonly Position[] {
  return Array.from({ length: count }, (_, index) =>
    index % 2 === 0 || overrides.fullStop !== undefined
      ? aPosition({ symbol: `C${index}USDT`, size: String(index + 1), ...overrides })
      : aShort({ symbol: `C${index}USDT`, size: String(index + 1) }),
  );
}

function scopesOf(reads: readonly { readonly scope: unknown }[]): readonly number[] {
  return reads.map(({ scope }) => (Array.isArray(scope) ? scope.length : 0));
}

describe("without a writer", () => {
  test("an audit reads once, plans, and sends nothing", async () => {
    const { exchange, result } = await play({ positions: manyPositions(5), writes: false });
    expect(exchange.writes).toEqual([]);
    expect(exchange.reads).toHaveLength(1);
    expect(result.planned).toHaveLength(5);
    expect([...result.book.records()]).toEqual([]);
  });

  test("report-only never touches the writer that it was handed", async () => {
    const touched: string[] = [];
    const writer = new Proxy({} as Writer, {
      get: (_target, name) => {
        touched.push(String(name));
        return () => Promise.reject(failure("bug", "other"));
      },
    });
    const { result } = await play({
      positions: [long, aPosition({ symbol: "ETHUSDT", mark: "90" })],
      protection: { mode: "report-only", pastStop: "close" },
      pass: { writer },
    });
    expect(touched).toEqual([]);
    expect(result.planned).toEqual([]);
  });
});

describe("leave to write", () => {
  test("a person who declines stops everything", async () => {
    const { exchange, result } = await play({ positions: [long], approve: () => Promise.resolve(false) });
    expect(exchange.writes).toEqual([]);
    expect(result.planned).toHaveLength(1);
  });

  test("what a person agreed to covers only the positions that the plan named", async () => {
    const late = aPosition({ symbol: "ETHUSDT" });
    const other = aShort({ positionIdx: 2 });
    const first = aPosition({ positionIdx: 1 });
    const { exchange } = await play({
      positions: [first, late],
      approve: ({ hand }) => {
        hand.put(other);
        return Promise.resolve(true);
      },
    });
    expect(exchange.writes.map(({ request }) => `${request.key.symbol}/${request.key.positionIdx}`).sort()).toEqual([
      "BTCUSDT/1",
      "ETHUSDT/0",
    ]);
  });

  test("who agreed to a stop has not agreed to the close that pastStop makes of it while they think", async () => {
    const { exchange, result } = await play({
      positions: [long],
      protection: { pastStop: "close" },
      approve: async ({ hand }, clock) => {
        await clock.sleep(60_000);
        hand.price("BTCUSDT", "97");
        return true;
      },
    });
    expect(exchange.writes).toEqual([]);
    expect(result.planned.map(({ step }) => step.action)).toEqual(["close-position"]);
  });

  test("who agreed to a stop has not agreed to the close that its refusal leads to", async () => {
    const { exchange } = await play({
      positions: [long],
      protection: { pastStop: "close" },
      approve: () => Promise.resolve(true),
      beforeWrite: (_write, hand) => hand.price("BTCUSDT", "97"),
    });
    expect(exchange.writes.map(({ kind }) => kind)).toEqual(["trading-stop"]);
  });

  test("who agreed to a long's stop has not agreed to anything for the short that it became", async () => {
    const { exchange, result } = await play({
      positions: [long],
      approve: async ({ hand }, clock) => {
        await clock.sleep(60_000);
        hand.put(aShort({ openedAtMs: 2_000 }));
        return true;
      },
    });
    expect(exchange.writes).toEqual([]);
    expect(result.planned.map(({ step }) => step.side)).toEqual(["short"]);
  });

  test("a frozen account is read and planned, and nothing is sent", async () => {
    const { exchange, result } = await play({ positions: [long], pass: { frozen: () => "read-only switch" } });
    expect(exchange.writes).toEqual([]);
    expect(result.planned.map(({ held }) => held)).toEqual(["read-only switch"]);
  });

  test("a freeze in mid-pass stops the next write, not only the next pass", async () => {
    let sent = 0;
    const { exchange, result } = await play({
      positions: manyPositions(12),
      spacingMs: 111,
      beforeWrite: () => {
        sent += 1;
      },
      pass: { frozen: () => (sent >= 5 ? "read-only switch" : null) },
    });
    expect(exchange.writes).toHaveLength(5);
    expect(result.planned.every(({ held }) => held === "read-only switch")).toBe(true);
  });
});

describe("many positions", () => {
  test("all of 250 are confirmed, one write each, within a budget of nine writes per second", async () => {
    const positions = manyPositions(250);
    const { exchange, result, clock } = await play({
      positions,
      protection: { takeProfit: takeProfitAt("0.04") },
      spacingMs: 112,
      lagMs: 300,
    });
    expect(exchange.writes).toHaveLength(250);
    expect(positions.filter((position) => outcomesOf(result, position.key).join() !== "confirmed")).toEqual([]);
    const [first] = exchange.reads;
    const seconds = (clock.now() - (first?.atMs ?? 0)) / 1_000;
    expect(seconds).toBeLessThan(250 / 9 + 8);
  });

  test("looks are bounded: a batch is looked at together, and each position once more as its turn comes", async () => {
    const { exchange } = await play({ positions: manyPositions(250), spacingMs: 112, lagMs: 300 });
    const scopes = scopesOf(exchange.reads);
    expect(scopes.filter((size) => size !== 1).length).toBeLessThan(45);
    expect(scopes.filter((size) => size === 1).length).toBeLessThanOrEqual(exchange.writes.length);
    expect(Math.max(...scopes)).toBeGreaterThan(10);
  });

  test("prices that come late let several be looked at at once, so that the pace stays that of the budget", async () => {
    const { exchange } = await play({ positions: manyPositions(12), spacingMs: 112, pricesLateMs: 700 });
    const times = exchange.writes.map(({ atMs }) => atMs);
    expect(times).toHaveLength(12);
    expect(Math.max(...times) - Math.min(...times)).toBeLessThan(4_000);
  });

  test("a tighter stop that another hand sets while a position waits for its turn stands", async () => {
    const positions = manyPositions(60);
    let isSet = false;
    const { exchange } = await play({
      positions,
      spacingMs: 112,
      latencyMs: 20,
      beforeWrite: (_write, hand) => {
        if (isSet) return;
        isSet = true;
        for (const waiting of positions.slice(1)) hand.setStop(waiting.key, "99.5");
      },
    });
    const stops = positions.map((position) => exchange.stopOf(position.key));
    // The one that had been looked at already may leave; all others are looked at as their turn comes.
    expect(stops.filter((stop) => stop !== "99.5").length).toBeLessThanOrEqual(2);
    expect(exchange.writes.length).toBeLessThanOrEqual(2);
  });

  test("no write is decided from what was asked for more than ten seconds before its batch", async () => {
    const { exchange } = await play({ positions: manyPositions(250), spacingMs: 112 });
    const tooOld = exchange.writes.filter(({ atMs, request }) => {
      const looks = exchange.reads.filter(
        ({ scope, atMs: readAtMs }) =>
          readAtMs <= atMs && (scope === "account" || scope.some(({ symbol }) => symbol === request.key.symbol)),
      );
      return atMs - (looks.at(-1)?.atMs ?? 0) > 20_000;
    });
    expect(tooOld).toEqual([]);
  });

  test("the largest naked position is written first", async () => {
    const { exchange } = await play({ positions: manyPositions(20), spacingMs: 112 });
    const sizes = exchange.writes.map(({ request }) => Number(request.key.symbol.slice(1, -4)));
    expect(sizes).toEqual([...sizes].sort((one, other) => other - one));
  });

  test("one position that is always refused does not keep the others from their stops", async () => {
    const positions = manyPositions(20);
    const { exchange, result } = await play({
      positions,
      fate: ({ key: { symbol } }) => (symbol === "C7USDT" ? refuses("zero-position") : truth),
    });
    const confirmed = positions.filter((position) => outcomesOf(result, position.key).includes("confirmed"));
    expect(confirmed).toHaveLength(19);
    expect(exchange.writes).toHaveLength(19 + 3);
  });
});

describe("moving many stops", () => {
  const tighten = { mode: "tighten-only", stopLoss: stopAt("0.02") } as const;

  test("is held where more than 30% of at least ten would move, and missing stops are set all the same", async () => {
    const wide = manyPositions(10, { fullStop: "90" });
    const { exchange, result } = await play({ positions: [...wide, long], protection: tighten });
    expect(exchange.writes.map(({ request }) => request.key.symbol)).toEqual(["BTCUSDT"]);
    expect(result.planned.filter(({ held }) => held !== null)).toHaveLength(10);
  });

  test("stays held after missing stops were added, though fewer than 30% would move then", async () => {
    const wide = manyPositions(4, { fullStop: "90" });
    const fine = manyPositions(10, { fullStop: "98" }).slice(4);
    const naked = Array.from({ length: 10 }, (_, index) => aPosition({ symbol: `N${index}USDT` }));
    const { exchange } = await play({ positions: [...wide, ...fine, ...naked], protection: tighten });
    expect(exchange.writes.filter(({ request }) => request.key.symbol.startsWith("C"))).toEqual([]);
    expect(exchange.writes).toHaveLength(10);
  });

  test("goes ahead where a person has agreed", async () => {
    const wide = manyPositions(10, { fullStop: "90" });
    const { exchange } = await play({ positions: wide, protection: tighten, pass: { manyChangesAgreed: true } });
    expect(exchange.writes).toHaveLength(10);
    expect(exchange.stopOf(aPosition({ symbol: "C0USDT" }).key)).toBe("98");
  });

  test("is no question in create-only: nothing that stands is touched", async () => {
    const wide = manyPositions(10, { fullStop: "90" });
    const { exchange } = await play({ positions: wide });
    expect(exchange.writes).toEqual([]);
  });
});

test("an account without positions is one read and nothing else", async () => {
  const { exchange, result } = await play({ positions: [] });
  expect(exchange.reads).toHaveLength(1);
  expect(result.assessment.positions).toEqual([]);
  expect(outcomesOf(result, key)).toEqual([]);
});

describe("a key that may not write", () => {
  test("whose rights are refused three times with nothing accepted is not asked a hundred times", async () => {
    const { exchange, report } = await play({
      positions: manyPositions(100),
      spacingMs: 111,
      fate: () => refuses("permission", "Permission denied"),
    });
    expect(exchange.writes).toHaveLength(3);
    expect(report.summary).toMatchObject({ unprotected: 100, confirmed: 0 });
    const details = report.positions.flatMap(({ steps }) => steps.map(({ detail }) => detail));
    expect(details.every((detail) => detail?.includes("Permission denied"))).toBe(true);
  });

  test("that is refused outright is not shown to the exchange again", async () => {
    const { exchange } = await play({
      positions: manyPositions(20),
      spacingMs: 111,
      fate: () => refuses("key", "API key is invalid."),
    });
    expect(exchange.writes).toHaveLength(1);
  });

  test("which lacks the right for one contract only still protects the others", async () => {
    const { exchange, report } = await play({
      positions: manyPositions(10),
      spacingMs: 111,
      fate: ({ key: { symbol } }) => (symbol === "C9USDT" ? refuses("permission", "not allowed") : truth),
    });
    expect(exchange.writes).toHaveLength(10);
    expect(report.summary).toMatchObject({ unprotected: 1, protected: 9 });
  });
});
