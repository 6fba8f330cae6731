/** Runs passes over a scripted exchange, and reads their results the way a report does. */
import type { PositionKey } from "../../src/domain/position.js";
import { keyText } from "../../src/domain/position.js";
import { inMemory } from "../../src/ledger/memory.js";
import { type PassOptions, type PassResult, runPass } from "../../src/pass.js";
import type { Protection } from "../../src/policy/protection.js";
import { buildReport } from "../../src/report/build.js";
import type { Report, ReportPosition } from "../../src/report/report.js";
import type { StepRecord } from "../../src/verify/book.js";
import { type FakeClock, fakeClock } from "./clock.js";
import { type FakeExchange, type FakeExchangeOptions, fakeExchange } from "./fake-exchange.js";
import { aProtection, resolved } from "./policy.js";

export interface Scene extends Omit<FakeExchangeOptions, "clock"> {
  readonly protection?: Partial<Protection>;
  readonly pass?: Partial<Omit<PassOptions, "reader" | "clock">>;
  /** When the machine was last noticed to have slept, on the clock of the scene. */
  readonly wokeAtMs?: () => number;
  /** A person looks at the plan; the clock and the exchange go on meanwhile. */
  readonly approve?: (exchange: FakeExchange, clock: FakeClock) => Promise<boolean>;
  /** How long others take whose results the same report tells; absent: there is no report. */
  readonly othersTakeMs?: number;
  /** False: the pass is handed no writer. */
  readonly writes?: boolean;
}

export interface Played {
  readonly clock: FakeClock;
  readonly exchange: FakeExchange;
  readonly result: PassResult;
  readonly report: Report;
  /** Runs another pass over the same exchange, with the same memory. */
  again(): Promise<PassResult>;
}

export async function play({
  protection,
  pass,
  approve,
  wokeAtMs,
  othersTakeMs,
  writes = true,
  ...scene
}: Scene): Promise<Played> {
  const clock = fakeClock();
  const exchange = fakeExchange({ ...scene, clock });
  let links = 0;
  let othersAreDone: Promise<void> | undefined;
  const options: PassOptions = {
    reader: exchange.reader,
    ...(writes ? { writer: exchange.writer } : {}),
    policyOf: () => resolved({ protection: aProtection(protection) }),
    memory: inMemory(),
    clock: { ...clock, ...(wokeAtMs === undefined ? {} : { wokeAtMs }) },
    writesPerSecond: 9,
    newOrderLinkId: () => `link-${++links}`,
    frozen: () => null,
    manyChangesAgreed: false,
    ...(othersTakeMs === undefined ? {} : { beforeEnd: () => (othersAreDone ??= clock.sleep(othersTakeMs)) }),
    ...(approve === undefined ? {} : { approve: () => approve(exchange, clock) }),
    ...pass,
  };
  const result = await runPass(options);
  return { clock, exchange, result, report: reportOf(result, clock), again: () => runPass(options) };
}

function reportOf(result: PassResult, clock: FakeClock): Report {
  return buildReport({
    command: "protect",
    generatedAtMs: clock.now(),
    generatedAt: "2026-01-01T00:00:00.000Z",
    outcomes: [{ kind: "seen", name: "main", ...result, findings: [] }],
  });
}

export function recordsOf(result: PassResult, key: PositionKey): readonly StepRecord[] {
  return result.book.records().get(keyText(key)) ?? [];
}

export function outcomesOf(result: PassResult, key: PositionKey): readonly string[] {
  return recordsOf(result, key).map(({ outcome }) => outcome);
}

export function told(report: Report, key: PositionKey): ReportPosition {
  const found = report.positions.find(
    ({ symbol, positionIdx, category }) =>
      symbol === key.symbol && positionIdx === key.positionIdx && category === key.category,
  );
  if (found === undefined) throw new RangeError(`the report does not tell of ${keyText(key)}`);
  return found;
}
