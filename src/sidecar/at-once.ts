/** The one decision that a push may carry: adding a stop where none stands, before any read could tell. */
import { type Assessed, assess } from "../assess/assess.js";
import type { Instrument } from "../domain/instrument.js";
import type { LifeRecord } from "../domain/life.js";
import type { OpenOrder } from "../domain/order.js";
import { contractText, type MarginMode, type Position } from "../domain/position.js";
import type { Snapshot } from "../domain/snapshot.js";
import { plan } from "../plan/plan.js";
import type { PlannedStep } from "../plan/step.js";
import type { ResolvedPolicy } from "../policy/resolve.js";

export interface PushedPosition {
  /** As pushed; its mark price is the mark of the push. */
  readonly position: Position;
  /** When it was received, on the steady clock. */
  readonly receivedAtMs: number;
  /** All open orders of the contract, known whole. */
  readonly orders: readonly OpenOrder[];
  readonly instrument: Instrument;
  readonly marginMode: MarginMode | null;
  readonly policy: ResolvedPolicy;
  readonly life: LifeRecord;
  /** Why nothing may be written; null: nothing speaks against it. */
  readonly held: string | null;
}

export interface UrgentStop {
  readonly planned: PlannedStep;
  /** The position as it was judged. */
  readonly assessed: Assessed;
}

/**
 * The stop to be sent at once; null where anything but adding one is called for: a read decides that. Hedged legs are
 * left to a read too, unless they are protected like all others, because a push shows one leg alone.
 */
export function stopAtOnce(pushed: PushedPosition): UrgentStop | null {
  const { position, orders, policy, life, held } = pushed;
  if (position.state !== "normal" || policy.protection.hedged !== "protect") return null;
  // A fill is pushed bare at first: the stop that its order brings shows a moment later, and ours would replace it.
  if (orders.some((order) => bringsStop(order, position))) return null;
  const assessment = assess({ snapshot: snapshotOf(pushed), policyOf: () => policy, lifeOf: () => life });
  const [assessed] = assessment.positions;
  if (assessed === undefined || assessed.status !== "unprotected" || assessed.stop.standingFull !== null) return null;
  const [planned] = plan(assessment, { frozen: held, manyChangesAgreed: false });
  if (planned === undefined || planned.held !== null) return null;
  const { step } = planned;
  if (step.action !== "set-trading-stop" || step.stopLoss?.purpose !== "add") return null;
  // What stood by a price that no push states is put back by that one, which a read knows.
  const stoodBy = life.learned?.stopLoss?.triggerBy ?? "MarkPrice";
  if (assessed.wanted.stopBy !== "intent" && stoodBy !== "MarkPrice") return null;
  return { planned: { ...planned, step: { ...step, takeProfit: null } }, assessed };
}

function bringsStop(
  { positionIdx, direction, reducesOnly, attachedStopLoss, filledQuantity }: OpenOrder,
  { key, side }: Position,
): boolean {
  const isEntry = positionIdx === key.positionIdx && (direction === "buy") === (side === "long") && !reducesOnly;
  // Its first part has brought it already.
  return isEntry && attachedStopLoss !== null && filledQuantity.isZero();
}

function snapshotOf({ position, orders, instrument, marginMode, receivedAtMs }: PushedPosition): Snapshot {
  const { account, category, symbol } = position.key;
  const contract = contractText(position.key);
  const { markPrice } = position;
  const ticker = { category, symbol, markPrice, lastPrice: null, indexPrice: null, preMarketPhase: null };
  return {
    account,
    scope: [{ category, symbol }],
    requestedAtMs: receivedAtMs,
    receivedAtMs,
    gaps: [],
    positions: [position],
    unreadablePositions: [],
    flatLegs: [],
    orders,
    unreadableOrders: [],
    allOrders: true,
    instruments: new Map([[contract, instrument]]),
    tickers: new Map([[contract, ticker]]),
    marginMode,
    copyTradingMaster: null,
    disconnectProtection: null,
    notCovered: [],
    clockSkewMs: null,
    wentOnWithout: false,
    shownAtMs: new Map(),
  };
}
