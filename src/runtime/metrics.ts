/** What Prometheus is told: counted as it happens, and what stands at this moment asked for at each scrape. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** What a scrape asks; the status of a sidecar has it. */
export interface Measured {
  /** On the same clock as the times below, milliseconds. */
  readonly nowMs: number;
  readonly accounts: readonly MeasuredAccount[];
}

export interface MeasuredAccount {
  readonly name: string;
  readonly lastCompletePassAtMs: number | null;
  readonly stream: "starting" | "live" | "down";
  readonly positions: Readonly<Record<string, number>>;
  readonly budgetLeft: number;
}

export interface Protection {
  readonly account: string;
  /** Whether a push or a whole pass found the position without a stop. */
  readonly path: "push" | "pass";
}

export interface Write {
  readonly account: string;
  readonly action: "set-trading-stop" | "amend-order" | "close-position";
  readonly outcome: "confirmed" | "refused" | "uncertain" | "skipped";
}

export interface PassEnd {
  readonly account: string;
  /** Failed: nothing was seen at all. */
  readonly result: (typeof RESULTS)[number];
  readonly seconds: number;
}

export interface Metrics {
  /** From the exchange's time of the opening to its time of the stop; by its own clock both. */
  protectedAfter(seconds: number, labels: Protection): void;
  /** So many seconds more, each open position without a whole stop counted on its own. */
  nakedFor(seconds: number, account: string): void;
  written(write: Write): void;
  streamDropped(account: string): void;
  passEnded(end: PassEnd): void;
  heartbeatFailed(): void;
  /** As Prometheus reads it, version 0.0.4. */
  text(): Promise<string>;
}

const RESULTS = ["complete", "partial", "failed"] as const;
const PREFIX = "backstop_";
const PROTECTION_SECONDS = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60];
const PASS_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60];

/** A registry of its own: nothing that another library counts gets in, and two sidecars in one process do not mix. */
export function createMetrics({ status }: { readonly status: () => Measured }): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: PREFIX });
  const events = eventMetrics(registry);
  const gauges = statusGauges(registry);
  return {
    protectedAfter: (seconds, { account, path }) =>
      measured(seconds, (plain) => events.timeToProtection.observe({ account, path }, plain)),
    nakedFor: (seconds, account) => measured(seconds, (plain) => events.naked.inc({ account }, plain)),
    written: ({ account, action, outcome }) => events.writes.inc({ account, action, outcome }),
    streamDropped: (account) => events.streamDrops.inc({ account }),
    passEnded: ({ account, result, seconds }) => {
      events.passes.inc({ account, result });
      measured(seconds, (plain) => events.passDuration.observe({ account }, plain));
    },
    heartbeatFailed: () => events.heartbeatFailures.inc(),
    text: async () => {
      const seen = status();
      fillGauges(gauges, seen);
      for (const { name } of seen.accounts) startAtZero(events, name);
      return registry.metrics();
    },
  };
}

/**
 * prom-client throws on what is no number, and a figure must never stop a pass. A little less than nothing is nothing:
 * a stop that came with its order can be older than the position.
 */
function measured(seconds: number, record: (seconds: number) => void): void {
  if (Number.isFinite(seconds)) record(Math.max(0, seconds));
}

function eventMetrics(registry: Registry) {
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Counter({ name: `${PREFIX}${name}`, help, labelNames, registers });
  const histogram = <L extends string>(name: string, help: string, labelNames: L[], buckets: number[]) =>
    new Histogram({ name: `${PREFIX}${name}`, help, labelNames, buckets, registers });
  return {
    timeToProtection: histogram(
      "time_to_protection_seconds",
      "From the opening of a position to its stop resting at the exchange, by the exchange's clock.",
      ["account", "path"],
      PROTECTION_SECONDS,
    ),
    naked: counter("naked_seconds_total", "Seconds that open positions spent without a whole stop, summed.", [
      "account",
    ]),
    writes: counter("writes_total", "Writes, by what became of them.", ["account", "action", "outcome"]),
    streamDrops: counter("stream_drops_total", "How often the private stream was lost.", ["account"]),
    passes: counter("passes_total", "Passes over an account: all seen, some, or nothing.", ["account", "result"]),
    passDuration: histogram("pass_duration_seconds", "How long a pass took.", ["account"], PASS_SECONDS),
    heartbeatFailures: counter("heartbeat_failures_total", "Heartbeats that were not heard.", []),
  };
}

/** A counter that is born with its first event shows no increase: alerts would miss just that one. */
function startAtZero({ naked, streamDrops, passes }: ReturnType<typeof eventMetrics>, account: string): void {
  naked.inc({ account }, 0);
  streamDrops.inc({ account }, 0);
  for (const result of RESULTS) passes.inc({ account, result }, 0);
}

function statusGauges(registry: Registry) {
  const gauge = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Gauge({ name: `${PREFIX}${name}`, help, labelNames, registers: [registry] });
  return {
    positions: gauge("positions", "Open positions, by what their stop is worth.", ["account", "status"]),
    streamUp: gauge("stream_up", "1 while the private stream can be relied on.", ["account"]),
    passAge: gauge(
      "last_complete_pass_age_seconds",
      "Since the end of the last pass that saw everything; +Inf: there was none yet.",
      ["account"],
    ),
    budgetLeft: gauge("write_budget_left", "Writes that may leave without waiting; negative: so many wait.", [
      "account",
    ]),
  };
}

function fillGauges(gauges: ReturnType<typeof statusGauges>, { nowMs, accounts }: Measured): void {
  for (const gauge of Object.values(gauges)) gauge.reset();
  for (const { name: account, positions, stream, lastCompletePassAtMs, budgetLeft } of accounts) {
    for (const [status, count] of Object.entries(positions)) gauges.positions.set({ account, status }, count);
    gauges.streamUp.set({ account }, stream === "live" ? 1 : 0);
    // Infinite and not absent, so that a rule on the age also finds the account that was never seen whole.
    const ageMs = lastCompletePassAtMs === null ? Number.POSITIVE_INFINITY : nowMs - lastCompletePassAtMs;
    gauges.passAge.set({ account }, Math.max(0, ageMs) / 1000);
    gauges.budgetLeft.set({ account }, budgetLeft);
  }
}
