/** Judges every position of a snapshot: what protects it, what is missing or misplaced, and what cannot be known. */
import type { LifeRecord } from "../domain/life.js";
import type { OpenOrder } from "../domain/order.js";
import { contractText, keyText, type Position, type UnreadablePosition } from "../domain/position.js";
import type { Snapshot } from "../domain/snapshot.js";
import type { Market } from "../policy/levels.js";
import type { ResolvedPolicy } from "../policy/resolve.js";
import { type Cover, cover, takeProfitLegs } from "./coverage.js";
import type { Finding } from "./finding.js";
import { findingsOf, hedgeFindings, takeProfitFindings, waiverFindings } from "./findings.js";
import { hedgeLegs } from "./hedge.js";
import { type Facts, isIgnoredHedge, type Status, statusOf } from "./status.js";
import { type StopView, stopView, unseenStop } from "./stop.js";
import { marketOf, type WantedLevels, wantedLevels } from "./wanted.js";

/** A position whose row could be read; its status may still be unknown. */
export interface Assessed {
  readonly kind: "assessed";
  readonly position: Position;
  readonly policy: ResolvedPolicy;
  readonly life: LifeRecord;
  /** Null: no instrument is known, so no price can be put on its tick. */
  readonly market: Market | null;
  readonly stop: StopView;
  readonly takeProfit: Cover | null;
  readonly wanted: WantedLevels;
  /** The legs that offset this one, as people name them. */
  readonly hedgedBy: readonly string[];
  readonly status: Status;
  readonly findings: readonly Finding[];
}

/** A position that may be open and of which nothing can be said. */
export interface Unseen {
  readonly kind: "unseen";
  readonly row: UnreadablePosition;
  readonly findings: readonly Finding[];
}

export interface AssessInput {
  readonly snapshot: Snapshot;
  readonly policyOf: (position: Position) => ResolvedPolicy;
  readonly lifeOf: (position: Position) => LifeRecord;
  /** Milliseconds since 1970; default: when the snapshot was asked for, which a picture of several looks makes old. */
  readonly nowMs?: number;
  /** The same by the clock of the passes, which does not jump; default likewise. */
  readonly steadyMs?: number;
  /** Why a position was not seen by the latest look that should have shown it; null: it was. Default: all were. */
  readonly outOfSight?: (position: Position) => string | null;
}

export interface Assessment {
  readonly snapshot: Snapshot;
  readonly positions: readonly Assessed[];
  readonly unseen: readonly Unseen[];
}

export function assess(input: AssessInput): Assessment {
  const { snapshot, policyOf, lifeOf, outOfSight = () => null } = input;
  const { nowMs = snapshot.requestedAtMs, steadyMs = snapshot.requestedAtMs } = input;
  const hedges = hedgeLegs(snapshot);
  const ordersByContract = groupByContract(snapshot.orders);
  const positions = snapshot.positions.map((position) =>
    assessPosition(position, snapshot, {
      policy: policyOf(position),
      life: lifeOf(position),
      hedgedBy: hedges.get(keyText(position.key)) ?? [],
      orders: ordersByContract.get(contractText(position.key)) ?? [],
      nowMs,
      steadyMs,
      outOfSight: outOfSight(position),
    }),
  );
  return { snapshot, positions, unseen: snapshot.unreadablePositions.map(unseenOf) };
}

/** What is known of the same snapshot. */
export type Moment = Omit<AssessInput, "snapshot" | "nowMs"> & { readonly nowMs: number };

/** The same snapshot at the same moment, after memory or intents have changed: judged anew is only what they change. */
export function reassess(earlier: Assessment, input: Moment): Assessment {
  const { snapshot, unseen: unseenBefore } = earlier;
  const { policyOf, lifeOf, nowMs, steadyMs = snapshot.requestedAtMs, outOfSight = () => null } = input;
  const orders = groupByContract(snapshot.orders);
  const positions = earlier.positions.map((assessed) => {
    const { position, hedgedBy } = assessed;
    const policy = policyOf(position);
    const life = lifeOf(position);
    if (policy === assessed.policy && isSameRecord(life, assessed.life)) return assessed;
    return assessPosition(position, snapshot, {
      policy,
      life,
      hedgedBy,
      orders: orders.get(contractText(position.key)) ?? [],
      nowMs,
      steadyMs,
      outOfSight: outOfSight(position),
    });
  });
  return { snapshot, positions, unseen: unseenBefore };
}

function isSameRecord(one: LifeRecord, other: LifeRecord): boolean {
  const names = Object.keys({ ...one, ...other }) as (keyof LifeRecord)[];
  return names.every((name) => one[name] === other[name]);
}

interface Circumstances {
  readonly policy: ResolvedPolicy;
  readonly life: LifeRecord;
  readonly hedgedBy: readonly string[];
  readonly orders: readonly OpenOrder[];
  readonly nowMs: number;
  readonly steadyMs: number;
  readonly outOfSight: string | null;
}

function assessPosition(position: Position, snapshot: Snapshot, circumstances: Circumstances): Assessed {
  const { policy, life, hedgedBy, orders, outOfSight } = circumstances;
  const market = marketOf(position, snapshot);
  const seen = stopView(position, market, orders, snapshot);
  const stop = outOfSight === null ? seen : unseenStop(seen, outOfSight);
  const takeProfit = cover(position, "take-profit", takeProfitLegs(position, orders));
  const wanted = wantedLevels(position, policy, life, market, circumstances);
  const facts = { position, policy, life, market, stop, takeProfit, wanted, hedgedBy };
  const status = statusOf(facts);
  const findings = status === "ignored" ? ignoredFindings(facts) : findingsOf(facts, status, snapshot);
  return { kind: "assessed", ...facts, status, findings };
}

/** Everything is as it was known, and may be long past: nothing of it counts, beyond this moment or for a write. */
export function withoutSight(assessment: Assessment, reason: string): Assessment {
  const positions = assessment.positions.map((assessed) => lostFromSight(assessed, reason, assessment.snapshot));
  return { ...assessment, positions };
}

/** The same of one position. */
export function lostFromSight(assessed: Assessed, reason: string, snapshot: Snapshot): Assessed {
  const facts = { ...assessed, stop: unseenStop(assessed.stop, reason) };
  const status = statusOf(facts);
  const findings = status === "ignored" ? ignoredFindings(facts) : findingsOf(facts, status, snapshot);
  return { ...facts, status, findings };
}

/** Nothing is said of a position that a rule ignores; one that is ignored as a hedge is still named as one. */
function ignoredFindings(facts: Facts): readonly Finding[] {
  if (facts.policy.ignored) return [];
  // A waiver speaks of the stop alone.
  const takeProfit = isIgnoredHedge(facts) ? [] : takeProfitFindings(facts);
  return [...waiverFindings(facts), ...takeProfit, ...hedgeFindings(facts)];
}

/** A position that no look has shown. */
export function unseenOf(row: UnreadablePosition): Unseen {
  const name = row.symbol ?? "a position";
  const message = `${name} cannot be read (${row.reason}); it counts as not protected and is left untouched`;
  return { kind: "unseen", row, findings: [{ code: "unreadable", severity: "critical", message }] };
}

function groupByContract(orders: readonly OpenOrder[]): ReadonlyMap<string, readonly OpenOrder[]> {
  const groups = new Map<string, OpenOrder[]>();
  for (const order of orders) {
    const contract = contractText(order);
    const group = groups.get(contract);
    if (group === undefined) groups.set(contract, [order]);
    else group.push(order);
  }
  return groups;
}
