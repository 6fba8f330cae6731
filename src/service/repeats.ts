/** The exchange edge's log without the same failure over and over: what is tried again meets the same one each time. */
import type { BybitConnection } from "../exchange/bybit/index.js";
import type { Clock, Log } from "../runtime/index.js";

type EdgeLog = NonNullable<BybitConnection["log"]>;

const TOLD_EVERY_MS = 60_000;

interface Told {
  readonly atMs: number;
  /** Since then. */
  repeats: number;
}

/**
 * A read that fails the same way within a minute is logged at `debug`; the next one that is told says how many there
 * were. What became of a write is always told.
 */
export function withoutRepeats(log: Log, account: string, clock: Pick<Clock, "monotonicMs">): EdgeLog {
  const told = new Map<string, Told>();
  return ({ level, message, ...facts }) => {
    const name = level === "warn" ? failedRead(facts) : null;
    const nowMs = clock.monotonicMs();
    const before = name === null ? undefined : told.get(name);
    if (before !== undefined && nowMs - before.atMs < TOLD_EVERY_MS) {
      before.repeats += 1;
      return log.debug({ account, ...facts }, message);
    }
    const repeats = before === undefined || before.repeats === 0 ? {} : { repeats: before.repeats };
    if (name !== null) told.set(name, { atMs: nowMs, repeats: 0 });
    return log[level]({ account, ...facts, ...repeats }, message);
  };
}

/** Endpoint and cause; null: no failed read. */
function failedRead(facts: Readonly<Record<string, unknown>>): string | null {
  const { endpoint, cause, httpStatus, retCode } = facts;
  if (typeof endpoint !== "string" || !endpoint.startsWith("GET ")) return null;
  return JSON.stringify([endpoint, cause, httpStatus, retCode]);
}
