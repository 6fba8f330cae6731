/** The metrics as Prometheus would read them. */
import { describe, expect, test } from "vitest";
import { registerSecret } from "../../src/runtime/index.js";
import { createMetrics, type Metrics } from "../../src/runtime/metrics.js";
import type { SidecarStatus } from "../../src/sidecar/status.js";
import { NOW_MS, accountStatus, sidecarStatus } from "../builders/sidecar-status.js";

interface Scrape {
  readonly text: string;
  /** The value of one line by its name and labels as printed; undefined: no such line. */
  readonly value: (line: string) => number | undefined;
  readonly lines: (name: string) => string[];
}

async function scrape(metrics: Metrics): Promise<Scrape> {
  const text = await metrics.text();
  const all = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const values = new Map(
    all.map((line) => [line.slice(0, line.lastIndexOf(" ")), line.slice(line.lastIndexOf(" ") + 1)]),
  );
  return {
    text,
    value: (line) => {
      const found = values.get(line);
      return found === undefined ? undefined : Number(found.replace("+Inf", "Infinity"));
    },
    lines: (name) => all.filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `)),
  };
}

const metricsOf = (status: SidecarStatus = sidecarStatus()) => createMetrics({ status: () => status });

describe("what stands at this moment", () => {
  test("is asked for at each scrape", async () => {
    let status = sidecarStatus([{ stream: "live", budgetLeft: 1, lastCompletePassAtMs: NOW_MS - 1500 }]);
    const metrics = createMetrics({ status: () => status });
    const first = await scrape(metrics);
    expect(first.value('backstop_stream_up{account="main"}')).toBe(1);
    expect(first.value('backstop_write_budget_left{account="main"}')).toBe(1);
    expect(first.value('backstop_last_complete_pass_age_seconds{account="main"}')).toBe(1.5);
    expect(first.value('backstop_positions{account="main",status="protected"}')).toBe(2);

    const positions = { ...accountStatus().positions, protected: 0, unprotected: 3 };
    status = sidecarStatus([{ stream: "down", budgetLeft: -4, positions, lastCompletePassAtMs: NOW_MS - 61_000 }]);
    const second = await scrape(metrics);
    expect(second.value('backstop_stream_up{account="main"}')).toBe(0);
    expect(second.value('backstop_write_budget_left{account="main"}')).toBe(-4);
    expect(second.value('backstop_last_complete_pass_age_seconds{account="main"}')).toBe(61);
    expect(second.value('backstop_positions{account="main",status="protected"}')).toBe(0);
    expect(second.value('backstop_positions{account="main",status="unprotected"}')).toBe(3);
  });

  test("a stream that is still starting is not up", async () => {
    expect(
      (await scrape(metricsOf(sidecarStatus([{ stream: "starting" }])))).value('backstop_stream_up{account="main"}'),
    ).toBe(0);
  });

  test("an account that was never seen whole is older than any limit", async () => {
    const { value } = await scrape(metricsOf(sidecarStatus([{ lastCompletePassAtMs: null }])));
    expect(value('backstop_last_complete_pass_age_seconds{account="main"}')).toBe(Number.POSITIVE_INFINITY);
  });

  test("accounts are told apart, and one that is gone leaves nothing behind", async () => {
    let status = sidecarStatus([{}, { name: "grid", stream: "down" }]);
    const metrics = createMetrics({ status: () => status });
    const both = await scrape(metrics);
    expect(both.lines("backstop_stream_up")).toEqual([
      'backstop_stream_up{account="main"} 1',
      'backstop_stream_up{account="grid"} 0',
    ]);
    status = sidecarStatus([{}]);
    expect((await scrape(metrics)).lines("backstop_stream_up")).toEqual(['backstop_stream_up{account="main"} 1']);
  });
});

describe("what happened", () => {
  test("starts at zero for every account, so that the first event is an increase", async () => {
    const { value } = await scrape(metricsOf());
    expect(value('backstop_naked_seconds_total{account="main"}')).toBe(0);
    expect(value('backstop_stream_drops_total{account="main"}')).toBe(0);
    for (const result of ["complete", "partial", "failed"]) {
      expect(value(`backstop_passes_total{account="main",result="${result}"}`)).toBe(0);
    }
    expect(value("backstop_heartbeat_failures_total")).toBe(0);
  });

  test("is counted", async () => {
    const metrics = metricsOf();
    metrics.nakedFor(1.5, "main");
    metrics.nakedFor(2, "main");
    metrics.written({ account: "main", action: "set-trading-stop", outcome: "confirmed" });
    metrics.written({ account: "main", action: "set-trading-stop", outcome: "confirmed" });
    metrics.written({ account: "main", action: "close-position", outcome: "uncertain" });
    metrics.streamDropped("main");
    metrics.heartbeatFailed();
    metrics.passEnded({ account: "main", result: "partial", seconds: 0.3 });
    const { value } = await scrape(metrics);
    expect(value('backstop_naked_seconds_total{account="main"}')).toBe(3.5);
    expect(value('backstop_writes_total{account="main",action="set-trading-stop",outcome="confirmed"}')).toBe(2);
    expect(value('backstop_writes_total{account="main",action="close-position",outcome="uncertain"}')).toBe(1);
    expect(value('backstop_stream_drops_total{account="main"}')).toBe(1);
    expect(value("backstop_heartbeat_failures_total")).toBe(1);
    expect(value('backstop_passes_total{account="main",result="partial"}')).toBe(1);
    expect(value('backstop_pass_duration_seconds_count{account="main"}')).toBe(1);
    expect(value('backstop_pass_duration_seconds_bucket{le="0.25",account="main"}')).toBe(0);
    expect(value('backstop_pass_duration_seconds_bucket{le="0.5",account="main"}')).toBe(1);
  });

  test("the time to protection is kept in buckets from 25 ms to a minute, by the way it was found", async () => {
    const metrics = metricsOf();
    metrics.protectedAfter(0.02, { account: "main", path: "push" });
    metrics.protectedAfter(0.9, { account: "main", path: "push" });
    metrics.protectedAfter(31, { account: "main", path: "pass" });
    const { value, lines } = await scrape(metrics);
    const bucket = (le: string, path: string) =>
      value(`backstop_time_to_protection_seconds_bucket{le="${le}",account="main",path="${path}"}`);
    expect(["0.025", "0.5", "1", "60", "+Inf"].map((le) => bucket(le, "push"))).toEqual([1, 1, 2, 2, 2]);
    expect(["30", "60"].map((le) => bucket(le, "pass"))).toEqual([0, 1]);
    expect(value('backstop_time_to_protection_seconds_sum{account="main",path="push"}')).toBeCloseTo(0.92);
    expect(lines("backstop_time_to_protection_seconds_bucket")).toHaveLength(2 * 12);
  });

  test("a figure that makes no sense stops nobody: less than nothing is nothing, no number is left out", async () => {
    const metrics = metricsOf();
    for (const seconds of [-0.004, Number.NaN, Number.POSITIVE_INFINITY]) {
      metrics.protectedAfter(seconds, { account: "main", path: "push" });
      metrics.nakedFor(seconds, "main");
      metrics.passEnded({ account: "main", result: "failed", seconds });
    }
    const { value } = await scrape(metrics);
    expect(value('backstop_time_to_protection_seconds_count{account="main",path="push"}')).toBe(1);
    expect(value('backstop_time_to_protection_seconds_sum{account="main",path="push"}')).toBe(0);
    expect(value('backstop_naked_seconds_total{account="main"}')).toBe(0);
    expect(value('backstop_passes_total{account="main",result="failed"}')).toBe(3);
    expect(value('backstop_pass_duration_seconds_count{account="main"}')).toBe(1);
  });
});

describe("the text", () => {
  test("says of every metric what it is and begins each name alike", async () => {
    const metrics = metricsOf();
    metrics.written({ account: "main", action: "amend-order", outcome: "refused" });
    const { text } = await scrape(metrics);
    const names = [...text.matchAll(/^([a-z]\w*)[{ ]/gm)].map(([, name]) => name ?? "");
    expect(names.filter((name) => !name.startsWith("backstop_"))).toEqual([]);
    const typed = new Set(
      [...text.matchAll(/^# TYPE (\w+) (?:counter|gauge|histogram|summary)$/gm)].map(([, name]) => name),
    );
    const families = new Set(
      names.map((name) => (typed.has(name) ? name : name.replace(/_(?:bucket|sum|count)$/, ""))),
    );
    expect([...families].filter((name) => !typed.has(name) || !text.includes(`# HELP ${name} `))).toEqual([]);
  });

  test("tells of the process: lag of its event loop, and memory", async () => {
    const { value } = await scrape(metricsOf());
    expect(value("backstop_nodejs_eventloop_lag_p99_seconds")).toBeGreaterThanOrEqual(0);
    expect(value("backstop_process_resident_memory_bytes")).toBeGreaterThan(0);
  });

  test("holds no secret of the process", async () => {
    const canary = "CanarySecret00000000000000000000003C";
    registerSecret(canary);
    const status = sidecarStatus([{ reachable: false, trouble: canary, frozen: canary }]);
    expect((await scrape(metricsOf(status))).text).not.toContain(canary);
  });

  test("of two sidecars in one process does not mix", async () => {
    const [one, other] = [metricsOf(), metricsOf()];
    one.streamDropped("main");
    expect((await scrape(one)).value('backstop_stream_drops_total{account="main"}')).toBe(1);
    expect((await scrape(other)).value('backstop_stream_drops_total{account="main"}')).toBe(0);
  });

  test("is refused where the status cannot be told", async () => {
    const metrics = createMetrics({
      status: () => {
        throw new Error("no status");
      },
    });
    await expect(metrics.text()).rejects.toThrow("no status");
  });
});
