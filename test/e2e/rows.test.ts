/** What the exchange may send: hedge legs in any order, every spelling of none, odd pages, rows nobody has seen before. */
import { describe, expect, test } from "vitest";
import type { RowMutation } from "../../src/exchange/simulator/index.js";
import { reportIn } from "./cli.js";
import { bodyOf, codesOf, openBook, openStage, positionIn } from "./stage.js";

describe("hedge legs and spellings of no value", { concurrent: true }, () => {
  test.for([1, 2, 3, 4])(
    "come in any order and any spelling: each leg gets its own stop (seed %i)",
    async (seed, context) => {
      const stage = await openStage(context, { seed });
      const { exchange } = stage;
      exchange.open({ symbol: "SOLUSDT", side: "short", size: "5", hedge: true });
      exchange.open({ symbol: "SOLUSDT", side: "long", size: "10", hedge: true });
      exchange.open({ symbol: "XRPUSDT", side: "short", size: "100", hedge: true, liquidationPrice: null });
      exchange.open({ symbol: "BTCUSD", side: "short", size: "1000" });
      exchange.open({ symbol: "ETHPERP", side: "long", size: "1", stopLoss: "3057.6", takeProfit: "3244.7" });
      const audited = reportIn(await stage.backstop(["audit"]));
      expect(audited.summary).toMatchObject({ positions: 5, unprotected: 4, protected: 1 });
      const finished = await stage.backstop(["protect"]);
      expect(finished.code).toBe(0);
      expect(reportIn(finished).summary).toMatchObject({ positions: 5, protected: 5, steps: 4, confirmed: 4 });
      const sent = stage
        .posts()
        .map(bodyOf)
        .map((body) => [body["symbol"], body["positionIdx"], body["stopLoss"]]);
      // 2% from the entry, rounded toward the mark.
      expect(sent.sort((one, other) => String(one).localeCompare(String(other)))).toEqual([
        ["BTCUSD", 0, "65528.5"],
        ["SOLUSDT", 1, "145.37"],
        ["SOLUSDT", 2, "151.29"],
        ["XRPUSDT", 2, "0.5988"],
      ]);
      const again = reportIn(await stage.backstop(["protect"]));
      expect(again.summary).toMatchObject({ protected: 5, steps: 0 });
    },
  );
});

describe("long lists whose pages misbehave", { concurrent: true }, () => {
  const BIG = { syntheticInstruments: 230, rateLimits: false };

  test.for([
    ["lastCursorEmptyPage", "/v5/position/list"],
    ["lastCursorRepeat", "/v5/position/list"],
    ["selfCursor", "/v5/position/list"],
    ["lastCursorEmptyPage", "/v5/order/realtime"],
    ["lastCursorRepeat", "/v5/order/realtime"],
    ["selfCursor", "/v5/order/realtime"],
  ] as const)(
    "(%s on %s) are read whole, or the report names the gap",
    { timeout: 40_000 },
    async ([kind, path], context) => {
      const stage = await openStage(context, BIG);
      for (let index = 0; index < 220; index += 1) {
        const symbol = `SYN${String(index).padStart(4, "0")}USDT`;
        const exits = index % 3 === 0 ? {} : { stopLoss: "9.8", takeProfit: "10.4" };
        stage.exchange.open({ symbol, side: "long", size: "1", ...exits });
      }
      stage.exchange.setFault({ kind, path });
      const finished = await stage.backstop(["audit", "--log-level", "silent"]);
      const report = reportIn(finished);
      expect(finished.code).toBe(2);
      const gaps = report.accounts.flatMap((account) => account.gaps);
      expect(report.complete).toBe(gaps.length === 0);
      expect(report.complete || kind === "selfCursor").toBe(true);
      const judged = report.positions.filter(({ status }) => status !== "unknown");
      expect(judged.length === 220 || !report.complete).toBe(true);
      // Whatever was judged was judged by what stands.
      const wrong = judged.filter(({ symbol, status }) => {
        const isNaked = Number(symbol?.slice(3, 7)) % 3 === 0;
        return status !== (isNaked ? "unprotected" : "protected");
      });
      expect(wrong).toEqual([]);
    },
  );
});

type Row = Parameters<RowMutation>[0];

const WITHOUT = (field: string, row: Row): Row =>
  Object.fromEntries(Object.entries(row).filter(([name]) => name !== field));

interface Odd {
  readonly what: string;
  readonly kind: "position" | "order";
  readonly change: (row: Row) => Row;
}

const ODD_POSITIONS: readonly Odd[] = [
  { what: "a side nobody knows", kind: "position", change: (row) => ({ ...row, side: "Hold" }) },
  { what: "a status nobody knows", kind: "position", change: (row) => ({ ...row, positionStatus: "Frozen" }) },
  { what: "a fourth leg", kind: "position", change: (row) => ({ ...row, positionIdx: 3 }) },
  { what: "a leg that does not fit its side", kind: "position", change: (row) => ({ ...row, positionIdx: 2 }) },
  { what: "a size of null", kind: "position", change: (row) => ({ ...row, size: null }) },
  { what: "no size at all", kind: "position", change: (row) => WITHOUT("size", row) },
  { what: "a size that is no number", kind: "position", change: (row) => ({ ...row, size: "abc" }) },
  { what: "a negative size", kind: "position", change: (row) => ({ ...row, size: "-0.1" }) },
  { what: "an entry price that is no number", kind: "position", change: (row) => ({ ...row, avgPrice: "n/a" }) },
  { what: "a stop that is no number", kind: "position", change: (row) => ({ ...row, stopLoss: "soon" }) },
];

describe("a position row that nobody can read", { concurrent: true }, () => {
  test.for(ODD_POSITIONS)(
    "($what) is unknown and unwritten, the others are judged and guarded",
    async ({ change }, context) => {
      const stage = await openStage(context);
      openBook(stage);
      stage.exchange.mutateRow((row, { kind }) =>
        kind === "position" && row["symbol"] === "BTCUSDT" ? change(row) : row,
      );
      const finished = await stage.backstop(["protect", "--log-level", "silent"]);
      const report = reportIn(finished);
      expect(finished.code).toBe(2);
      expect(positionIn(report, "BTCUSDT")).toMatchObject({ status: "unknown", steps: [] });
      expect(codesOf(positionIn(report, "BTCUSDT"))).toEqual(["unreadable"]);
      expect(report.summary).toMatchObject({ positions: 3, unknown: 1, protected: 2, confirmed: 1 });
      expect(stage.posts().map((post) => bodyOf(post)["symbol"])).toEqual(["ETHUSDT"]);
    },
  );
});

describe("an order row that nobody can read", { concurrent: true }, () => {
  test.for<Odd>([
    { what: "a kind of stop nobody knows", kind: "order", change: (row) => ({ ...row, stopOrderType: "SmartStop" }) },
    { what: "a trigger nobody knows", kind: "order", change: (row) => ({ ...row, triggerBy: "OraclePrice" }) },
    { what: "a quantity that is no number", kind: "order", change: (row) => ({ ...row, qty: "much" }) },
    { what: "a side nobody knows", kind: "order", change: (row) => ({ ...row, side: "Hold" }) },
  ])("($what) makes its position unknown and unwritten, the others are guarded", async ({ change }, context) => {
    const stage = await openStage(context);
    openBook(stage);
    stage.exchange.open({ symbol: "ADAUSDT", side: "long", size: "100", stopLoss: "0.43" });
    stage.exchange.mutateRow((row, { kind }) => (kind === "order" && row["symbol"] === "ADAUSDT" ? change(row) : row));
    const finished = await stage.backstop(["protect", "--log-level", "silent"]);
    const report = reportIn(finished);
    expect(finished.code).toBe(2);
    expect(positionIn(report, "ADAUSDT")).toMatchObject({ status: "unknown", steps: [] });
    expect(report.summary).toMatchObject({ positions: 4, unknown: 1, protected: 3, confirmed: 2 });
    expect(stage.posts().map((post) => bodyOf(post)["symbol"])).not.toContain("ADAUSDT");
  });
});

describe("a row that is written otherwise", () => {
  test("(a size as a number instead of text) is read for what it says", async (context) => {
    const stage = await openStage(context);
    openBook(stage);
    stage.exchange.mutateRow((row, { kind }) => (kind === "position" ? { ...row, size: Number(row["size"]) } : row));
    const report = reportIn(await stage.backstop(["protect"]));
    expect(report.summary).toMatchObject({ positions: 3, protected: 3, confirmed: 2 });
  });
});

describe("fields that are new", () => {
  test("are let through: nothing about the judgement changes", async (context) => {
    const stage = await openStage(context);
    openBook(stage);
    stage.exchange.mutateRow((row) => ({ ...row, sparkle: { level: 9 }, newPrice: "1" }));
    const report = reportIn(await stage.backstop(["protect"]));
    expect(report.summary).toMatchObject({ positions: 3, protected: 3, confirmed: 2 });
  });
});
