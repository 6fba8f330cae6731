/** The situation → action table: which step, if any, brings one position to what its policy wants. */
import type { Assessed } from "../assess/assess.js";
import type { PositionIntent } from "../domain/intent.js";
import type { LifeRecord } from "../domain/life.js";
import type { Position } from "../domain/position.js";
import { type Exit, isLooserStop, isPast, isTighterStop, roundTowardMark } from "../domain/price.js";
import {
  basePrice,
  isMetBy,
  isWithinTick,
  type Market,
  nearestLevel,
  rebasedStop,
  type Wanted,
} from "../policy/levels.js";
import type { ClosePosition, Step, StepLevel, StepReason, StepStop, StopPurpose } from "./step.js";

type StopChange =
  | { readonly kind: "set"; readonly stop: StepStop; readonly reason: StepReason }
  | { readonly kind: "close"; readonly reason: StepReason };

/**
 * At most one step: everything that a position lacks goes in one request. A close for a stop that is past makes the
 * rest moot; one for a take-profit that is past waits until the stop stands, which a refused close would cost.
 */
export function stepFor(assessed: Assessed): Step | null {
  if (!mayWrite(assessed) || assessed.market === null) return null;
  const stop = stopChange(assessed, assessed.market);
  if (stop?.kind === "close") return close(assessed, stop.reason);
  const takeProfit = takeProfitChange(assessed, assessed.market);
  if (takeProfit?.kind === "close" && stop === null) return close(assessed, "take-profit-past");
  if (stop === null && takeProfit === null) return null;
  return {
    action: "set-trading-stop",
    key: assessed.position.key,
    side: assessed.position.side,
    stopLoss: stop?.stop ?? null,
    takeProfit: takeProfit?.kind === "set" ? takeProfit.level : null,
    reason: stop?.reason ?? takeProfitReason(assessed),
  };
}

function takeProfitReason({ takeProfit, wanted }: Assessed): StepReason {
  if (takeProfit === null) return "take-profit-missing";
  return wanted.takeProfitBy === "intent" ? "intent-drift" : "take-profit-differs";
}

/** What cannot be seen may be an exit of another hand, so a doubtful position is left alone even where it is covered. */
function mayWrite({ policy, status, stop, hedgedBy, wanted }: Assessed): boolean {
  const { mode, hedged } = policy.protection;
  if (mode === "report-only" || policy.ignored || !policy.inScope) return false;
  if (hedged !== "protect" && hedgedBy.length > 0) return false;
  if (stop.doubt !== null) return false;
  // A waiver speaks of the stop alone.
  const isIgnored = status === "ignored" && wanted.waiver === null;
  return status !== "unknown" && !isIgnored && status !== "unprotectable";
}

function mayMove({ policy }: Assessed): boolean {
  return policy.protection.mode === "tighten-only" || policy.protection.mode === "sync";
}

/** The average entry has moved with the size, and the operator wants the stop to follow where that is tighter. */
function tightensOnGrowth({ policy, life }: Assessed): boolean {
  return policy.protection.onScaleIn === "tighten" && life.grown;
}

function stopChange(assessed: Assessed, market: Market): StopChange | null {
  const { status } = assessed;
  if (status === "protected") return loosened(assessed) ?? restored(assessed, market) ?? tightened(assessed);
  if (status === "misplaced") return misplacedChange(assessed, market);
  if (assessed.stop.standingFull !== null) return null;
  return missingChange(assessed, market, status === "underprotected" ? "stop-partial" : "stop-missing");
}

/** Only from where it stood when somebody asked for it: what another hand has tightened since then stays. */
function loosened(assessed: Assessed): StopChange | null {
  const { position, stop, wanted, life } = assessed;
  const from = unmetIntent(life)?.mayLoosenFrom ?? null;
  const { stopBenchmark: target, stopLoss } = wanted;
  const standing = stop.standingFull;
  if (from === null || standing === null || target.kind !== "level" || stopLoss.kind !== "level") return null;
  const isWider = isLooserStop(stopLoss.price, standing, position.side);
  if (!isWider || isTighterStop(standing, from, position.side)) return null;
  const { price, triggerBy } = stopLoss;
  return { kind: "set", stop: { price, triggerBy, purpose: "loosen", ...namedBy(assessed) }, reason: "intent-drift" };
}

function unmetIntent({ intent, metStopIntent }: LifeRecord): PositionIntent | null {
  return intent !== null && intent.stopLoss !== null && metStopIntent !== intent.id ? intent : null;
}

/** Another hand has moved the stop away from the mark since it stood where it was wanted. */
function restored(assessed: Assessed, market: Market): StopChange | null {
  const { position, stop, wanted, policy } = assessed;
  const { reference, mayRestore } = wanted;
  if (reference === null || stop.inside === null || !isLooserStop(stop.inside.price, reference.price, position.side))
    return null;
  if (!mayMove(assessed) || policy.protection.onDrift !== "restore" || !mayRestore) return null;
  const base = basePrice(position, market, reference.triggerBy, "stop-loss");
  if (base === null || isPast(reference.price, base, position.side, "stop-loss")) return null;
  // The tick may have become coarser since.
  const price = roundTowardMark(reference.price, market.instrument.tickSize, position.side, "stop-loss");
  return setTo(assessed, { ...reference, price }, "restore", "intent-drift");
}

function tightened(assessed: Assessed): StopChange | null {
  const { position, stop, wanted, life } = assessed;
  const benchmark = wanted.stopBenchmark;
  if (benchmark.kind !== "level" || stop.inside === null) return null;
  if (!isLooserStop(stop.inside.price, benchmark.price, position.side)) return null;
  if (unmetIntent(life) !== null) return setStop(assessed, benchmark, "intent", "intent-drift");
  if (isDrift(assessed) || !(mayMove(assessed) || tightensOnGrowth(assessed))) return null;
  return setStop(assessed, benchmark, "tighten", "stop-too-wide");
}

/** What another hand has moved is moved back as drift or not at all: the operator's `onDrift` decides. */
function isDrift({ wanted, stop, position }: Assessed): boolean {
  const { reference } = wanted;
  return reference !== null && stop.inside !== null && isLooserStop(stop.inside.price, reference.price, position.side);
}

/**
 * A stop beyond liquidation is no stop. Where no Full stop stands and the liquidation price is exact, adding one
 * touches nothing; else a stop is moved, which only an intent and the moving modes may do, and an estimate only once
 * per life.
 */
function misplacedChange(assessed: Assessed, market: Market): StopChange | null {
  const isExact = market.marginMode === "isolated";
  if (isExact && assessed.stop.standingFull === null) {
    return missingChange(assessed, market, "stop-beyond-liquidation");
  }
  const { stopLoss, stopBenchmark } = assessed.wanted;
  // An intent that lies beyond liquidation itself cures nothing: what is set inside is ours, and follows the mode.
  const isInside =
    stopLoss.kind === "level" && stopBenchmark.kind === "level" && stopLoss.price.eq(stopBenchmark.price);
  if (isInside && unmetIntent(assessed.life) !== null) return setStop(assessed, stopLoss, "intent", "intent-drift");
  if (!mayMove(assessed) || (!isExact && assessed.life.movedForLiquidation)) return null;
  const purpose = isExact ? "tighten" : "inside-liquidation";
  return setStop(assessed, stopLoss, purpose, "stop-beyond-liquidation");
}

function missingChange(assessed: Assessed, market: Market, reason: StepReason): StopChange | null {
  const { wanted } = assessed;
  return wanted.stopLoss.kind === "past"
    ? pastChange(assessed, market, reason)
    : setStop(assessed, wanted.stopLoss, "add", reason);
}

/** Decides for the uncovered part of a position whose configured level is past; a partial stop is never closed over. */
function pastChange(assessed: Assessed, market: Market, reason: StepReason): StopChange | null {
  const { position, policy, life, stop } = assessed;
  const hasTriggered = life.stopTriggered || stop.triggered.length > 0;
  const triggerBy = policy.protection.stopLoss?.triggerBy ?? "MarkPrice";
  const nearest = () => setStop(assessed, nearestLevel(position, market, triggerBy, "stop-loss"), "nearest", reason);
  switch (policy.protection.pastStop) {
    case "alert":
      return null;
    case "nearest":
      return nearest();
    case "rebase":
      if (life.rebased || hasTriggered) return nearest();
      // By another trigger price than the mark, the liquidation's side may be past as well.
      return setStop(assessed, rebasedStop(position, policy.protection, market), "rebase", reason) ?? nearest();
    case "close":
      if (stop.all !== null) return nearest();
      // What a close has left behind gets the tightest stop: it is never closed twice, and never left naked.
      return life.closeSent || !isPastByOwnMark(position, assessed.wanted.stopLoss, "stop-loss")
        ? nearest()
        : { kind: "close", reason: "stop-past" };
  }
}

/** A close cannot be taken back: one price alone, which the mark in the position's row contradicts, is no reason for it. */
function isPastByOwnMark({ markPrice, side }: Position, wanted: Wanted, exit: Exit): boolean {
  return markPrice === null || wanted.kind !== "past" || isPast(wanted.level, markPrice, side, exit);
}

function setStop(assessed: Assessed, wanted: Wanted, purpose: StopPurpose, reason: StepReason): StopChange | null {
  return wanted.kind === "level" ? setTo(assessed, wanted, purpose, reason) : null;
}

function setTo(assessed: Assessed, level: StepLevel, purpose: StopPurpose, reason: StepReason): StopChange | null {
  const standing = assessed.stop.standingFull;
  if (standing !== null && !isTighterStop(level.price, standing, assessed.position.side)) return null;
  const isLearned = purpose === "restore" || (purpose === "add" && assessed.wanted.stopBy === "learned");
  const memory = isLearned ? ({ isLearned } as const) : namedBy(assessed);
  return { kind: "set", stop: { price: level.price, triggerBy: level.triggerBy, purpose, ...memory }, reason };
}

function namedBy({ wanted, life: { intent } }: Assessed): { readonly intentId?: string } {
  return wanted.stopBy === "intent" && intent !== null ? { intentId: intent.id } : {};
}

type TakeProfitChange = { readonly kind: "set"; readonly level: StepLevel } | { readonly kind: "close" };

/** Only where no exit order of anyone is on the profit side; `sync` also moves a Full take-profit. */
function takeProfitChange(assessed: Assessed, market: Market): TakeProfitChange | null {
  const { position, takeProfit, wanted, policy } = assessed;
  if (position.fullTakeProfit !== null || takeProfit !== null) return movedTakeProfit(assessed, market);
  if (wanted.takeProfit.kind !== "past") return setTakeProfit(wanted.takeProfit);
  switch (policy.protection.pastTakeProfit) {
    case "skip":
      return null;
    case "nearest":
      return setTakeProfit(nearestLevel(position, market, wanted.takeProfit.triggerBy, "take-profit"));
    case "close":
      return assessed.life.closeSent || !isPastByOwnMark(position, wanted.takeProfit, "take-profit")
        ? null
        : { kind: "close" };
  }
}

function movedTakeProfit({ policy, takeProfit, wanted, life }: Assessed, market: Market): TakeProfitChange | null {
  const full = takeProfit?.legs.find((leg) => leg.source === "full");
  const isNewIntent =
    life.intent !== null && wanted.takeProfitBy === "intent" && life.metTakeProfitIntent !== life.intent.id;
  const mayMoveIt = isNewIntent || policy.protection.mode === "sync";
  if (!mayMoveIt || full === undefined || wanted.takeProfit.kind !== "level") return null;
  const isThere = isNewIntent
    ? isMetBy(full.price, wanted.takeProfit, market)
    : isWithinTick(full.price, wanted.takeProfit.price, market);
  return isThere ? null : setTakeProfit(wanted.takeProfit);
}

function setTakeProfit(wanted: Wanted): TakeProfitChange | null {
  return wanted.kind === "level" ? { kind: "set", level: { price: wanted.price, triggerBy: wanted.triggerBy } } : null;
}

function close({ position }: Assessed, reason: StepReason): ClosePosition {
  return { action: "close-position", key: position.key, side: position.side, quantity: position.size, reason };
}
