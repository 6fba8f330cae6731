/** Rows that other people recorded from the exchange: none may throw, and the telling ones must be read right. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ReadPosition, readInstrument, readPosition, readTicker } from "../../src/exchange/bybit/translate.js";
import { readOrder } from "../../src/exchange/bybit/translate-order.js";

const folder = "../shared/fixtures";

function filesUnder(path: string): string[] {
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
    const inner = join(path, entry.name);
    return entry.isDirectory() ? filesUnder(inner) : inner.endsWith(".json") ? [inner] : [];
  });
}

/** Every object in a recording that names a contract, however deep it lies. */
function rowsIn(value: unknown): Record<string, unknown>[] {
  if (Array.isArray(value)) return value.flatMap(rowsIn);
  if (typeof value !== "object" || value === null) return [];
  const row = value as Record<string, unknown>;
  return [...("symbol" in row ? [row] : []), ...Object.values(row).flatMap(rowsIn)];
}

function rowsOf(name: string): Record<string, unknown>[] {
  return rowsIn(JSON.parse(readFileSync(join(folder, name), "utf8")));
}

const recordings = existsSync(folder) ? filesUnder(folder) : [];

describe.skipIf(recordings.length === 0)("recorded rows (skipped where the recordings are not at hand)", () => {
  it.each(recordings)("%s is read without throwing", (file) => {
    for (const row of rowsIn(JSON.parse(readFileSync(file, "utf8")))) {
      expect(readPosition("main", "linear", row).kind).toMatch(/flat|open|unreadable/);
      expect(readOrder("linear", row).kind).toMatch(/closed|open|unreadable/);
      readInstrument("linear", row);
      readTicker("linear", row);
    }
  });

  it("a position whose stop is 0.00 has none", () => {
    const [row] = rowsOf("github_issues/ccxt_18556_position_LTCUSDT_testnet_2023-09.json");
    expect(readPosition("main", "linear", row)).toMatchObject({
      kind: "open",
      position: { side: "long", fullStopLoss: null, fullTakeProfit: null, liquidationPrice: null },
    });
  });

  it("a flat row whose side is None is flat", () => {
    const [row] = rowsOf("github_issues/ccxt_17278_position_ETHUSDT_side_None_2023-03.json");
    expect(readPosition("main", "linear", row).kind).toBe("flat");
  });

  it("a hedge short with its leg given as text is a short", () => {
    const [row] = rowsOf("github_issues/ccxt_18712_position_hedge_short_2023-11.json");
    expect(readPosition("main", "linear", row)).toMatchObject({
      kind: "open",
      position: { side: "short", key: { positionIdx: 2 }, fullStopLoss: null },
    });
  });

  it("a row that says nothing about a stop is unreadable, its empty other leg is flat", () => {
    const rows = rowsOf("github_issues/pybit_367_hedge_rows_order_2026-08.json");
    expect(rows.map((row) => readPosition("main", "linear", row).kind)).toEqual(["unreadable", "flat"]);
  });

  it("stop and take-profit orders are told apart", () => {
    const read = rowsOf("nautilus_trader/http_get_orders_realtime_tp_sl.json").map((row) => readOrder("linear", row));
    expect(read).toMatchObject([
      { kind: "open", order: { kind: "full-take-profit", execution: "market", triggerDirection: "rise" } },
      { kind: "open", order: { kind: "full-stop-loss", execution: "limit", triggerDirection: "fall" } },
    ]);
  });

  it("listed contracts have ticks", () => {
    for (const name of ["linear", "inverse"] as const) {
      const rows = rowsOf(`nautilus_trader/http_get_instruments_${name}.json`);
      expect(rows.length).toBeGreaterThan(0);
      for (const row of rows) expect(readInstrument(name, row)?.tickSize.gt(0)).toBe(true);
    }
  });
});

function wrongWith(read: ReadPosition, row: unknown): string | null {
  if (read.kind === "unreadable") return null;
  if (read.kind === "flat") {
    const { size } = row as { size: unknown };
    return Number(size) === 0 && /\d/.test(String(size)) ? null : "flat without a size of zero";
  }
  const { key, side, size, entryPrice, fullStopLoss } = read.position;
  if (!size.gt(0) || !entryPrice.gt(0) || fullStopLoss?.gt(0) === false) return "a number that is not above zero";
  if (key.positionIdx === 0) return null;
  return side === (key.positionIdx === 1 ? "long" : "short") ? null : "a leg on the wrong side";
}

describe("any row at all", () => {
  const anything = fc.oneof(
    fc.anything(),
    fc.record(
      {
        symbol: fc.oneof(fc.constant("BTCUSDT"), fc.anything()),
        positionIdx: fc.oneof(fc.constantFrom(0, 1, 2, "0", "1"), fc.anything()),
        side: fc.oneof(fc.constantFrom("Buy", "Sell", "", "None"), fc.anything()),
        size: fc.oneof(fc.constantFrom("0", "1", "0.000", 0, 2.5), fc.anything()),
        avgPrice: fc.oneof(fc.constant("100"), fc.anything()),
        stopLoss: fc.oneof(fc.constantFrom("", "0", "90", null), fc.anything()),
        takeProfit: fc.constantFrom("", "110"),
        positionStatus: fc.constantFrom("Normal", "Liq", "Adl", "Odd"),
      },
      { requiredKeys: [] },
    ),
  );

  it("is open with a positive size and a fitting side, or flat with a size of exactly zero, or unreadable", () => {
    fc.assert(
      fc.property(anything, (row) => wrongWith(readPosition("main", "linear", row), row) === null),
      { numRuns: 3_000 },
    );
    expect(wrongWith({ kind: "flat", symbol: null, positionIdx: null }, { size: "" })).not.toBeNull();
  });

  it("never makes the order reader throw", () => {
    fc.assert(
      fc.property(fc.anything(), (row) => {
        expect(readOrder("linear", row).kind).toBe("unreadable");
      }),
    );
  });
});
