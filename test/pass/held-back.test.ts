/** A position that somebody holds back is looked at and planned for like any other, and not written. */
import { describe, expect, test } from "vitest";
import { outcomesOf, play, recordsOf, told } from "../builders/pass.js";
import { aPosition } from "../builders/position.js";

const held = aPosition({ symbol: "BTCUSDT", size: "9" });
const free = aPosition({ symbol: "ETHUSDT" });
const heldBack = ({ key }: { readonly key: { readonly symbol: string } }) =>
  key.symbol === "BTCUSDT" ? "paused until resumed" : null;

describe("a position that is held back", () => {
  test("is not written while another is, and its step is skipped with the reason", async () => {
    const { exchange, report } = await play({ positions: [held, free], pass: { heldBack } });
    expect(exchange.writes.map(({ request }) => request.key.symbol)).toEqual(["ETHUSDT"]);
    expect(told(report, held.key)).toMatchObject({
      status: "unprotected",
      steps: [{ action: "set-trading-stop", outcome: "skipped", detail: "paused until resumed" }],
    });
    expect(told(report, free.key)).toMatchObject({ status: "protected", steps: [{ outcome: "confirmed" }] });
  });

  test("is planned in an audit too, and shown as held", async () => {
    const { report } = await play({ positions: [held, free], pass: { heldBack }, writes: false });
    expect(told(report, held.key).steps).toMatchObject([{ outcome: "skipped", detail: "paused until resumed" }]);
    expect(told(report, free.key).steps).toMatchObject([{ outcome: "planned" }]);
  });

  test("from the moment before the write on gets none: the question is asked again when its turn comes", async () => {
    let asked = 0;
    const { exchange, result } = await play({
      positions: [free],
      pass: { heldBack: () => (++asked === 1 ? null : "paused until resumed") },
    });
    expect(asked).toBeGreaterThan(1);
    expect(exchange.writes).toEqual([]);
    expect(outcomesOf(result, free.key)).toEqual(["skipped"]);
    expect(recordsOf(result, free.key)[0]?.detail).toContain("paused until resumed");
  });

  test("for a moment only gets its stop in the same pass", async () => {
    let asked = 0;
    const { exchange } = await play({
      positions: [free],
      pass: { heldBack: () => (++asked === 2 ? "paused for a moment" : null) },
    });
    expect(exchange.stopOf(free.key)).toBe("98");
  });
});
