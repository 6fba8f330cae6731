/** Snapshots for tests, and what the quiet rooms make of them. */
import { type Assessed, type Assessment, assess } from "../../src/assess/assess.js";
import { ordersOf } from "../../src/assess/coverage.js";
import type { Instrument, Ticker } from "../../src/domain/instrument.js";
import { type LifeRecord, UNWRITTEN_LIFE } from "../../src/domain/life.js";
import type { OpenOrder } from "../../src/domain/order.js";
import { contractText, type Position } from "../../src/domain/position.js";
import type { Snapshot } from "../../src/domain/snapshot.js";
import { type PlanOptions, plan } from "../../src/plan/plan.js";
import type { PlannedStep } from "../../src/plan/step.js";
import type { Protection } from "../../src/policy/protection.js";
import type { ResolvedPolicy } from "../../src/policy/resolve.js";
import { aTicker, instrumentFor } from "./market.js";
import { aProtection, resolved } from "./policy.js";

export interface SnapshotShape extends Partial<Omit<Snapshot, "instruments" | "tickers">> {
  /** Those of the positions are added where they are not named here. */
  readonly instruments?: readonly Instrument[];
  readonly tickers?: readonly Ticker[];
  /** True: rows state no Full stop but their own; default: as at the exchange, the one among the orders too. */
  readonly rowsAsGiven?: boolean;
}

/** An isolated-margin account that was read whole. */
export function aSnapshot(shape: SnapshotShape = {}): Snapshot {
  const { instruments = [], tickers = [], rowsAsGiven = false, ...overrides } = shape;
  const given = overrides.positions ?? [];
  const positions = rowsAsGiven ? given : given.map((position) => stated(position, overrides.orders ?? []));
  const byContract = <Row extends Parameters<typeof contractText>[0]>(usual: readonly Row[], named: readonly Row[]) =>
    new Map([...usual, ...named].map((row) => [contractText(row), row] as const));
  const usualTickers = positions.map(({ key, markPrice }) =>
    aTicker({ category: key.category, symbol: key.symbol, mark: markPrice?.toFixed() ?? null }),
  );
  return {
    account: "main",
    scope: "account",
    requestedAtMs: 1_700_000_000_000,
    receivedAtMs: (overrides.requestedAtMs ?? 1_700_000_000_000) + 100,
    gaps: [],
    flatLegs: [],
    unreadablePositions: [],
    orders: [],
    unreadableOrders: [],
    instruments: byContract(
      positions.map((position) => instrumentFor(position)),
      instruments,
    ),
    tickers: byContract(usualTickers, tickers),
    allOrders: false,
    marginMode: "isolated",
    copyTradingMaster: false,
    disconnectProtection: false,
    notCovered: [],
    clockSkewMs: 0,
    wentOnWithout: false,
    shownAtMs: new Map(),
    ...overrides,
    positions,
  };
}

function stated(position: Position, orders: readonly OpenOrder[]): Position {
  const full = ordersOf(position, orders).find(({ kind, state }) => kind === "full-stop-loss" && state === "waiting");
  return { ...position, fullStopLoss: position.fullStopLoss ?? full?.triggerPrice ?? null };
}

export interface Judging {
  readonly policy?: ResolvedPolicy;
  readonly protection?: Partial<Protection>;
  readonly life?: Partial<LifeRecord>;
}

export function assessed(shape: SnapshotShape, { policy, protection, life }: Judging = {}): Assessment {
  const applied = policy ?? resolved({ protection: aProtection(protection) });
  return assess({
    snapshot: aSnapshot(shape),
    policyOf: () => applied,
    lifeOf: () => ({ ...UNWRITTEN_LIFE, ...life }),
  });
}

/** What is made of the snapshot's first position. */
export function firstOf(shape: SnapshotShape, judging: Judging = {}): Assessed {
  const [first] = assessed(shape, judging).positions;
  if (first === undefined) throw new RangeError("the snapshot has no position");
  return first;
}

export function planned(
  shape: SnapshotShape,
  judging: Judging = {},
  options: Partial<PlanOptions> = {},
): readonly PlannedStep[] {
  return plan(assessed(shape, judging), { manyChangesAgreed: false, frozen: null, ...options });
}

/** `critical stop-missing`, in the order found. */
export function findingTexts({ findings }: Pick<Assessed, "findings">): readonly string[] {
  return findings.map(({ severity, code }) => `${severity} ${code}`);
}

/** A step as a line: `set BTCUSDT/0 stop 98 profit 104 (stop-missing)`. */
export function stepText({ step }: Pick<PlannedStep, "step">): string {
  const name = `${step.key.symbol}/${step.key.positionIdx}`;
  if (step.action === "close-position") return `close ${name} ${step.quantity.toFixed()} (${step.reason})`;
  const stop = step.stopLoss === null ? "" : ` stop ${step.stopLoss.price.toFixed()} ${step.stopLoss.purpose}`;
  const profit = step.takeProfit === null ? "" : ` profit ${step.takeProfit.price.toFixed()}`;
  return `set ${name}${stop}${profit} (${step.reason})`;
}
