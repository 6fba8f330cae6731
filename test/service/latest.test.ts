/** What the running sidecar reports: what it knows at this moment, and never more. */
import { expect, test } from "vitest";
import { latestReport } from "../../src/service/run/latest.js";
import { fullStop } from "../builders/order.js";
import { play } from "../builders/pass.js";
import { aPosition } from "../builders/position.js";

type Given = Parameters<typeof latestReport>;

const stands = aPosition({ fullStop: "98" });

async function reported(status: { readonly trouble: string | null; readonly reachable: boolean } | null) {
  const { result } = await play({ positions: [stands], orders: [fullStop(stands, "98")] });
  const sidecar = {
    latest: () => new Map(status === null ? [] : [["main", result]]),
    status: () => ({ accounts: [{ name: "main", trouble: null, reachable: true, ...status }] }),
  };
  const books = { trouble: () => null };
  return latestReport(
    [{ name: "main" }] as unknown as Given[0],
    sidecar as unknown as Given[1],
    books as unknown as Given[2],
  );
}

test("what the last pass has seen is told as it was", async () => {
  const report = await reported({ trouble: null, reachable: true });
  expect(report).toMatchObject({ complete: true, summary: { positions: 1, protected: 1 } });
});

test.each([true, false])(
  "while nothing can be looked at, every position is unknown and told (reachable: %s)",
  async (reachable) => {
    const report = await reported({ trouble: "no answer in time", reachable });
    expect(report).toMatchObject({ complete: false, summary: { positions: 1, protected: 0, unknown: 1 } });
    expect(report.accounts[0]?.gaps).toEqual([{ category: "account", what: "positions", reason: "no answer in time" }]);
    expect(report.positions[0]?.findings.map(({ code }) => code)).toContain("unreadable");
    expect(report.positions[0]?.stopLoss).toBeNull();
  },
);

test("before the first look nothing is told but that", async () => {
  const report = await reported(null);
  expect(report).toMatchObject({ complete: false, positions: [], accounts: [{ readable: false }] });
});
