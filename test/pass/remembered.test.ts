/** A position that the books hold open, and that the list of open positions lacks. */
import { describe, expect, test } from "vitest";
import { exitCode } from "../../src/report/verdict.js";
import type { Gap } from "../../src/domain/snapshot.js";
import { inMemory } from "../../src/ledger/memory.js";
import { failure } from "../builders/fake-exchange.js";
import { play, type Scene, told } from "../builders/pass.js";
import { aPosition } from "../builders/position.js";

const seen = aPosition({ symbol: "ETHUSDT" });
const hidden = aPosition();
const contract = { category: hidden.key.category, symbol: hidden.key.symbol };
const memory = { ...inMemory(), openContracts: () => [contract] };

/** The list shows the one, and the books know of the other. */
function lying(more: Partial<Scene> = {}) {
  const { pass, ...rest } = more;
  const scene = { positions: [seen, hidden], lists: (symbol: string) => symbol !== contract.symbol, othersTakeMs: 0 };
  return play({ ...scene, ...rest, pass: { memory, ...pass } });
}

describe("a naked position that the books hold open and the list lacks", () => {
  test("gets its stop in the same pass, after one that everybody sees", async () => {
    const { exchange, report } = await lying();
    expect(exchange.writes.map(({ request }) => request.key.symbol)).toEqual([seen.key.symbol, contract.symbol]);
    expect(told(report, hidden.key)).toMatchObject({ status: "protected", steps: [{ outcome: "confirmed" }] });
    expect(exitCode(report, "warning")).toBe(0);
  });

  test("is asked for only once nothing is left to send: a stop that is due waits for nothing", async () => {
    const { exchange } = await lying();
    const [first] = exchange.writes;
    const asking = exchange.reads.find(({ scope, remembered }) => scope === "account" && remembered.length > 0);
    expect(exchange.reads[0]?.remembered).toEqual([]);
    expect(asking?.atMs).toBeGreaterThan(first?.atMs ?? Number.POSITIVE_INFINITY);
  });

  test("gets it in a sweep as well, where no report awaits the end of the pass", async () => {
    const { exchange } = await play({ positions: [hidden], lists: () => false, pass: { memory } });
    expect(exchange.stopOf(hidden.key)).toBe("98");
  });

  test("is reported at once by who only looks", async () => {
    const { exchange, report } = await lying({ writes: false });
    expect(told(report, hidden.key).status).toBe("unprotected");
    expect(exchange.reads).toHaveLength(1);
    expect(exitCode(report, "warning")).toBe(2);
  });

  test("is in the plan that a person is asked about", async () => {
    let plannedFor: readonly string[] = [];
    const approve = (planned: readonly { readonly step: { readonly key: { readonly symbol: string } } }[]) => {
      plannedFor = planned.map(({ step }) => step.key.symbol);
      return Promise.resolve(false);
    };
    await lying({ pass: { approve } });
    expect(plannedFor).toContain(contract.symbol);
  });

  test.each<readonly [string, () => readonly Gap[]]>([
    [
      "its own rows cannot be read",
      () => [{ ...contract, what: "positions", symbols: [contract.symbol], reason: "no" }],
    ],
    [
      "nothing can be read",
      () => {
        throw failure("not-happened", "network");
      },
    ],
  ])("makes the report incomplete where %s", async (_what, gaps) => {
    const { report } = await lying({
      positions: [aPosition({ symbol: "ETHUSDT", fullStop: "98" }), hidden],
      lists: (symbol) => symbol !== contract.symbol,
      // The first look is of the list alone.
      beforeRead: (nth) => (nth === 1 ? [] : gaps()),
    });
    expect(exitCode(report, "never")).toBe(3);
  });
});

test("one that has closed while nobody watched costs one more look, and is no gap", async () => {
  const { exchange, report } = await lying({ positions: [seen] });
  const asking = exchange.reads.filter(({ scope, remembered }) => scope === "account" && remembered.length > 0);
  expect(asking).toHaveLength(1);
  expect(report.complete).toBe(true);
});

test("where the list shows all that the books hold open, nothing more is looked at", async () => {
  const { exchange } = await play({ positions: [aPosition({ fullStop: "98" })], othersTakeMs: 0, pass: { memory } });
  expect(exchange.reads).toHaveLength(1);
});

test("a pass over some contracts is not held against all that the books hold open", async () => {
  const scope = [{ category: seen.key.category, symbol: seen.key.symbol }];
  const { exchange } = await lying({ pass: { memory, scope } });
  expect(exchange.reads.map(({ scope: looked }) => looked)).not.toContain("account");
});
