/** The table a person reads at a terminal. */
import { describe, expect, it } from "vitest";
import { type Report, type ReportPosition, render } from "../../src/report/index.js";
import { aFinding, anAccount, anExit, anUnprotectedPosition, aPosition, aReport, aStep } from "./builders.js";

const ESCAPE = String.fromCharCode(27);

const table = (report: Report, width = 140) => render(report, "table", { color: false, width });
const lines = (report: Report, width = 140) => table(report, width).trimEnd().split("\n");

function manyPositions(count: number): readonly ReportPosition[] {
  return Array.from({ length: count }, (_, index) =>
    index % 3 === 0
      ? anUnprotectedPosition({
          symbol: `COIN${index}USDT`,
          size: `${index + 1}`,
          entryPrice: `${1000 + index}.123456`,
        })
      : aPosition({ symbol: `COIN${index}USDT`, side: index % 2 === 0 ? "long" : "short" }),
  );
}

describe("the table", () => {
  it("ends with the sum of positions, worded as a person would", () => {
    const positions = [anUnprotectedPosition(), anUnprotectedPosition({ symbol: "ETHUSDT" }), aPosition()];
    expect(table(aReport({ positions: positions.map((position) => ({ ...position, steps: [] })) }))).toMatch(
      /\n3 positions: 1 protected, 2 unprotected\n$/,
    );
  });

  it("says that there are no open positions", () => {
    expect(table(aReport({ positions: [] }))).toContain("no open positions");
  });

  it("aligns prices at their right end under their title, whatever their length", () => {
    const positions = ["7", "50123.45678901", "0.0001"].map((entryPrice) => aPosition({ entryPrice }));
    const [header = "", ...rows] = lines(aReport({ positions }), 200).slice(2, 6);
    const end = header.indexOf("entry") + "entry".length;
    const endings = rows.map((row) => row.slice(0, end).split(" ").at(-1));
    expect(endings).toEqual(["7", "50123.45678901", "0.0001"]);
    expect(rows.map((row) => row.charAt(end))).toEqual([" ", " ", " "]);
  });

  it("keeps 200 positions within the terminal from 120 columns on", () => {
    const report = aReport({ positions: manyPositions(200) });
    for (const width of [120, 140, 160, 200]) {
      const longest = Math.max(...lines(report, width).map((line) => line.length));
      expect(longest).toBeLessThanOrEqual(width);
    }
  });

  it("spends one line on each protected position when there is room", () => {
    const report = aReport({ positions: Array.from({ length: 200 }, () => aPosition()) });
    expect(lines(report, 160)).toHaveLength(200 + 5);
  });

  it("never cuts a price, however narrow the terminal", () => {
    const position = aPosition({
      entryPrice: "50123.4567890123",
      liquidationPrice: "45500.000001",
      size: "1234567.89",
    });
    for (const width of [20, 40, 80, 120]) {
      const text = table(aReport({ positions: [position] }), width);
      for (const price of ["50123.4567890123", "45500.000001", "1234567.89", "49000", "52000", "50100"]) {
        expect(text).toContain(price);
      }
    }
  });

  it("shows beneath a position the steps, with their reason and outcome", () => {
    const steps = [aStep({ outcome: "confirmed" })];
    expect(table(aReport({ positions: [aPosition({ steps })] }))).toContain(
      "→ set stop 49000, take-profit 52000 (stop-missing): confirmed",
    );
  });

  it("shows the loss at a stop that had to be placed past the configured one", () => {
    const steps = [aStep({ lossQuote: "812.5", reason: "stop-past" })];
    expect(table(aReport({ positions: [anUnprotectedPosition({ steps })] }))).toContain(
      "set stop 49000 at a loss of 812.5, take-profit 52000 (stop-past): planned",
    );
  });

  it("explains a finding that the row itself does not show", () => {
    const findings = [aFinding({ code: "stop-limit", severity: "warning", message: "a stop-limit may not fill" })];
    expect(table(aReport({ positions: [aPosition({ findings })] }))).toContain("stop-limit: a stop-limit may not fill");
  });

  it("marks cover that is less than the size, and never rounds it up to everything", () => {
    const stopLoss = anExit({ coverage: "0.9999" });
    expect(table(aReport({ positions: [aPosition({ status: "underprotected", stopLoss })] }))).toContain(
      "99.9% covered",
    );
  });

  it("names the account only when there is more than one", () => {
    expect(table(aReport())).not.toContain("main");
    const accounts = [anAccount(), anAccount({ name: "second" })];
    expect(table(aReport({ accounts, positions: [aPosition({ account: "second" })] }))).toMatch(/BTCUSDT/);
    expect(table(aReport({ accounts, positions: [aPosition({ account: "second" })] }))).toContain("second");
  });

  it("tells the legs of a hedge apart", () => {
    const positions = [aPosition({ positionIdx: 1 }), aPosition({ positionIdx: 2, side: "short" })];
    const text = table(aReport({ positions }));
    expect(text).toContain("BTCUSDT long (hedge)");
    expect(text).toContain("BTCUSDT short (hedge)");
  });

  it("says how long a position has been without a stop", () => {
    expect(table(aReport({ positions: [anUnprotectedPosition({ nakedForMs: 93_784_000 })] }), 200)).toContain(
      "without stop for up to 1d 2h",
    );
  });

  it("colours only when asked to", () => {
    const report = aReport({ positions: [anUnprotectedPosition()] });
    expect(render(report, "table", { color: true, width: 120 })).toContain(`${ESCAPE}[31m`);
    expect(table(report)).not.toContain(ESCAPE);
  });

  it("looks the same with and without colours", () => {
    const report = aReport({ positions: manyPositions(9) });
    const painted = render(report, "table", { color: true, width: 120 });
    expect(painted.replaceAll(new RegExp(`${ESCAPE}\\[\\d+m`, "g"), "")).toBe(table(report, 120));
  });
});
