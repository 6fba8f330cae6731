/** Where an intent, or what stood before, puts the levels: they go before config, in the same life only. */
import type { Decimal } from "../domain/decimal.js";
import type { Waiver } from "../domain/intent.js";
import type { LearnedLevel, LifeRecord } from "../domain/life.js";
import type { Position, TriggerBy } from "../domain/position.js";
import { isTighterStop } from "../domain/price.js";
import {
  configuredStop,
  configuredTakeProfit,
  type Market,
  newStop,
  rebasedStop,
  stopLevel,
  stopLevelInside,
  takeProfitLevel,
  type Wanted,
} from "./levels.js";
import type { Protection } from "./protection.js";

/** Who wants a level: `learned` is what stood before it vanished. */
export type WantedBy = "config" | "intent" | "learned";

export interface WantedLevel {
  readonly wanted: Wanted;
  readonly by: WantedBy;
}

/** Null: no waiver, or it has ended. */
export function waiverAt({ intent }: Pick<LifeRecord, "intent">, nowMs: number): Waiver | null {
  const waiver = intent?.waiver ?? null;
  return waiver !== null && nowMs < waiver.untilMs ? waiver : null;
}

/** For a new stop: the intent's, else what vanished, else the configured one; inside liquidation in any case. */
export function wantedNewStop(
  position: Position,
  protection: Protection,
  life: LifeRecord,
  market: Market,
): WantedLevel {
  const intended = life.intent?.stopLoss ?? null;
  const configured = newStop(position, protection, market);
  if (intended !== null) {
    const wanted = stopLevelInside(position, protection, market, intended, stopTrigger(protection));
    return orConfigured({ wanted, by: "intent" }, configured, { position, protection, market });
  }
  const stood = vanishedStop(life);
  if (stood === null || isConfigTighter(stood, configured, position, protection)) {
    return { wanted: configured, by: "config" };
  }
  return putBack(stood.level, configured, { position, protection, market });
}

/** Where the price that it waited for is not known now, by the configured one: as far away, and never a reason to close. */
function putBack({ price, triggerBy }: LearnedLevel, configured: Wanted, situation: Situation): WantedLevel {
  const { position, protection, market } = situation;
  const as = (trigger: TriggerBy) => stopLevelInside(position, protection, market, price, trigger);
  const asItStood: WantedLevel = { wanted: as(triggerBy), by: "learned" };
  if (asItStood.wanted.kind !== "impossible") return orConfigured(asItStood, configured, situation);
  const byConfigured = as(stopTrigger(protection));
  if (byConfigured.kind === "level") return { wanted: byConfigured, by: "learned" };
  const isOfUse = configured.kind === "level" || (configured.kind === "past" && protection.pastStop !== "close");
  return isOfUse ? { wanted: configured, by: "config" } : asItStood;
}

interface Stood {
  readonly level: LearnedLevel;
  readonly size: Decimal;
}

/** Null: nothing was learned, or it has done its work: it has triggered. */
function vanishedStop({ learned, stopTriggered }: LifeRecord): Stood | null {
  return stopTriggered || learned?.stopLoss == null ? null : { level: learned.stopLoss, size: learned.size };
}

interface Situation {
  readonly position: Position;
  readonly protection: Protection;
  readonly market: Market;
}

/**
 * Where the mark has passed what is wanted: a rebase must not end up looser than the configured level, if that is not
 * past; and what has vanished and cannot be put back leaves no position naked, or closed, that the config would keep.
 */
function orConfigured(level: WantedLevel, configured: Wanted, situation: Situation): WantedLevel {
  const { position, protection, market } = situation;
  if (level.wanted.kind !== "past" || configured.kind !== "level" || protection.pastStop === "nearest") return level;
  if (protection.pastStop !== "rebase") return level.by === "learned" ? { wanted: configured, by: "config" } : level;
  const rebased = rebasedStop(position, protection, market);
  const isTighter = rebased.kind !== "level" || isTighterStop(configured.price, rebased.price, position.side);
  return isTighter ? { wanted: configured, by: "config" } : level;
}

/** A mode that may move stops would tighten it in the next breath; and with more size the old level is only a hint. */
function isConfigTighter(stood: Stood, configured: Wanted, { side, size }: Position, { mode }: Protection): boolean {
  const mayMove = mode === "tighten-only" || mode === "sync" || size.gt(stood.size);
  return mayMove && configured.kind === "level" && isTighterStop(configured.price, stood.level.price, side);
}

/** What a standing stop is measured against, without regard to liquidation. */
export function stopBenchmark(position: Position, protection: Protection, life: LifeRecord, market: Market): Wanted {
  const intended = life.intent?.stopLoss ?? null;
  if (intended !== null) return stopLevel(position, market, intended, stopTrigger(protection));
  const wish = protection.stopLoss;
  return wish === null ? { kind: "none" } : configuredStop(position, wish, market);
}

/**
 * What vanished is put back only where a take-profit is wanted at all: a bot may have taken it away to let a gain run;
 * and only where it can be put back. `sync` goes by the config alone.
 */
export function wantedTakeProfit(
  position: Position,
  protection: Protection,
  life: LifeRecord,
  market: Market,
): WantedLevel {
  const intended = life.intent?.takeProfit ?? null;
  const triggerBy = protection.takeProfit?.triggerBy ?? "LastPrice";
  if (intended !== null) return { wanted: takeProfitLevel(position, market, intended, triggerBy), by: "intent" };
  const learned = life.learned?.takeProfit ?? null;
  const isLearned = learned !== null && protection.takeProfit !== null && protection.mode !== "sync";
  const stood = isLearned ? takeProfitLevel(position, market, learned.price, learned.triggerBy) : null;
  return stood?.kind === "level"
    ? { wanted: stood, by: "learned" }
    : { wanted: configuredTakeProfit(position, protection, market), by: "config" };
}

/**
 * The level that another hand must not have moved away from: an intent that has stood once, else what stood before.
 * More size is a reason for another level, so nothing is drift then.
 */
export function driftReference(
  { size, side }: Position,
  life: LifeRecord,
  benchmark: Wanted,
  { instrument }: Market,
): LearnedLevel | null {
  const { intent, learned } = life;
  if (intent === null || intent.stopLoss === null) {
    return learned === null || size.gt(learned.size) ? null : learned.stopLoss;
  }
  if (life.metStopIntent !== intent.id || benchmark.kind !== "level") return null;
  const stood = learned?.stopLoss ?? null;
  // A coarser tick rounds the intent anew; what stood by the finer one was moved by nobody.
  const isRounding =
    stood !== null &&
    isTighterStop(benchmark.price, stood.price, side) &&
    benchmark.price.minus(stood.price).abs().lt(instrument.tickSize);
  return isRounding ? stood : benchmark;
}

function stopTrigger({ stopLoss }: Protection): TriggerBy {
  return stopLoss?.triggerBy ?? "MarkPrice";
}
