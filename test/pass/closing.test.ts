/** What a pass says of a close that it has sent: what the looks after it prove, however they happen to fall. */
import { describe, expect, test } from "vitest";
import { lostWithEffect } from "../builders/fake-exchange.js";
import { play, recordsOf, type Scene, told } from "../builders/pass.js";
import { takeProfitAt } from "../builders/policy.js";
import { aPosition } from "../builders/position.js";

const pastStop: Scene = { positions: [aPosition({ mark: "97" })], protection: { pastStop: "close" } };
const pastTakeProfit: Scene = {
  positions: [aPosition({ mark: "105", fullStop: "98" })],
  protection: { takeProfit: takeProfitAt("0.04"), pastTakeProfit: "close" },
};
const { key } = aPosition();

/** How long a read takes decides when the looks fall: some before the time for an effect to show is over, some after. */
const LATENCIES_MS = [5, 20, 40, 60, 90, 150, 300];

describe.each<readonly [string, Scene]>([
  ["past its stop", pastStop],
  ["past its take-profit", pastTakeProfit],
])("a position %s that we close", (_where, scene) => {
  test.each(LATENCIES_MS)("is closed, and the step confirmed, where a read takes %i ms", async (latencyMs) => {
    const { exchange, report, result } = await play({ ...scene, latencyMs });
    expect(exchange.writes.map(({ kind }) => kind)).toEqual(["close"]);
    expect(told(report, key)).toMatchObject({ size: "0", status: "closed", findings: [] });
    expect(recordsOf(result, key)).toMatchObject([{ outcome: "confirmed", detail: null }]);
    expect(report).toMatchObject({ complete: true, summary: { closed: 1, confirmed: 1 } });
  });

  test("is so too where the reply is lost, or one read after it fails", async () => {
    const lost = await play({ ...scene, latencyMs: 60, fate: () => lostWithEffect });
    expect(told(lost.report, key)).toMatchObject({ status: "closed", steps: [{ outcome: "confirmed" }] });
    const gap = { category: "linear", what: "positions", symbols: ["BTCUSDT"], reason: "timeout" } as const;
    const hurt = await play({ ...scene, latencyMs: 60, beforeRead: (nth) => (nth === 7 ? [gap] : undefined) });
    expect(told(hurt.report, key)).toMatchObject({ status: "closed", steps: [{ outcome: "confirmed" }] });
  });

  test("is unknown, and the step not confirmed, where lists lack it and its own row is never shown flat", async () => {
    const { report } = await play({ ...scene, hidesFlatRows: () => true });
    expect(told(report, key)).toMatchObject({ status: "unknown", steps: [{ outcome: "uncertain" }] });
  });
});

test("what another hand closes while its stop is proven is closed, and the step void, however long reads take", async () => {
  for (const latencyMs of [5, 40, 60, 90]) {
    const { report } = await play({
      positions: [aPosition()],
      latencyMs,
      beforeRead: (nth, hand) => {
        if (nth === 2) hand.close(key);
      },
    });
    expect(told(report, key)).toMatchObject({
      status: "closed",
      steps: [{ outcome: "skipped", detail: "the position was closed meanwhile" }],
    });
  }
});
