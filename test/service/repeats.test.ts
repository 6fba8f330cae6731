/** What the log says of an exchange that is away: each failure once a minute, and how often it came meanwhile. */
import { expect, test } from "vitest";
import { createLog } from "../../src/runtime/index.js";
import { withoutRepeats } from "../../src/service/repeats.js";

function stage() {
  let nowMs = 0;
  const lines: Record<string, unknown>[] = [];
  const stream = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
  const log = createLog({ level: "info", stream, pretty: false, secrets: () => [] });
  const edge = withoutRepeats(log, "main", { monotonicMs: () => nowMs });
  const fails = (endpoint: string, cause = "network") =>
    edge({ level: "warn", message: `${endpoint} failed: ${cause}`, endpoint, cause, kind: "not-happened" });
  return {
    fails,
    passMs: (ms: number) => void (nowMs += ms),
    told: () =>
      lines.splice(0).map(({ msg, repeats }) => (repeats === undefined ? msg : `${String(msg)} (${Number(repeats)})`)),
  };
}

test("the same failure of the same read is told once a minute, then with how often it came", () => {
  const { fails, passMs, told } = stage();
  for (let second = 0; second < 59; second += 1) {
    fails("GET /v5/position/list");
    passMs(1_000);
  }
  expect(told()).toEqual(["GET /v5/position/list failed: network"]);
  passMs(1_000);
  fails("GET /v5/position/list");
  expect(told()).toEqual(["GET /v5/position/list failed: network (58)"]);
});

test("another read, another cause and every write are told at once", () => {
  const { fails, told } = stage();
  fails("GET /v5/position/list");
  fails("GET /v5/order/realtime");
  fails("GET /v5/position/list", "timeout");
  fails("POST /v5/position/trading-stop");
  fails("POST /v5/position/trading-stop");
  expect(told()).toHaveLength(5);
});
