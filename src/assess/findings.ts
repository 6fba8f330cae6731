/** The sentences about one position, each with its numbers. */
import { Decimal, print } from "../domain/decimal.js";
import type { MarginMode, Position } from "../domain/position.js";
import { isLooserStop, isTighterStop } from "../domain/price.js";
import type { Snapshot } from "../domain/snapshot.js";
import { isWithinTick, type Wanted } from "../policy/levels.js";
import { type Cover, cover, coveredShare, isWhole, wholeOf } from "./coverage.js";
import { beyondLiquidation, type Finding, finding } from "./finding.js";
import { type Facts, refusesExits, type Status } from "./status.js";

/** A delisting is announced about two days ahead; a dated future within this time is told likewise. */
const DELISTING_SOON_MS = 3 * 24 * 3_600_000;

export function findingsOf(facts: Facts, status: Status, snapshot: Snapshot): readonly Finding[] {
  return [
    ...stopFindings(facts, status),
    ...waiverFindings(facts),
    ...liquidationFindings(facts, snapshot.marginMode),
    ...widthFindings(facts),
    ...takeProfitFindings(facts),
    ...coarseFindings(facts),
    ...contractFindings(facts, status, snapshot.requestedAtMs),
    ...hedgeFindings(facts),
  ];
}

function name({ key, side, size }: Position): string {
  return `${print(size)} ${key.symbol} ${side}`;
}

function stopFindings(facts: Facts, status: Status): Finding[] {
  const { position, stop } = facts;
  const found: Finding[] = [...triggeredFindings(facts, status)];
  switch (status) {
    case "unknown":
      found.push(
        finding("unreadable", `${name(position)}: ${stop.doubt}; it counts as not protected and is left untouched`),
      );
      break;
    case "unprotected":
      found.push(finding("stop-missing", missingSentence(facts)), ...pastFindings(facts));
      break;
    case "underprotected":
      found.push(finding("stop-partial", partialSentence(facts)), ...pastFindings(facts));
      break;
    case "misplaced":
    case "protected":
    case "unprotectable":
    case "ignored":
      break;
  }
  return [...found, ...executionFindings(facts)];
}

/** A stop that has triggered is an IOC order: what it could not fill stays open, without it (docs/v5/order/create-order). */
function triggeredFindings({ position, stop, life }: Facts, status: Status): Finding[] {
  const left = `has triggered and ${print(position.size)} is still open`;
  const seen = stop.triggered.map((order) =>
    finding("stop-triggered-not-filled", `a stop at ${order.triggerPrice?.toFixed() ?? "?"} ${left}`),
  );
  const isNaked = status === "unprotected" || status === "underprotected";
  if (seen.length > 0 || !life.stopTriggered || !isNaked) return seen;
  return [finding("stop-triggered-not-filled", `a stop of this position ${left}`)];
}

function partialSentence({ position, stop }: Facts): string {
  return `stops cover only ${percentDown(coveredShare(stop.all))}% of ${name(position)}`;
}

/** Never says 100 where something is left uncovered. */
function percentDown(share: Decimal): string {
  return print(share.times(100).toDecimalPlaces(2, Decimal.ROUND_DOWN));
}

function missingSentence({ position, wanted }: Facts): string {
  const why = wanted.stopLoss.kind === "impossible" ? `, and none can be placed: ${wanted.stopLoss.reason}` : "";
  return `no stop-loss rests at the exchange for ${name(position)}${why}`;
}

function pastFindings({ wanted, policy }: Facts): Finding[] {
  const { stopLoss } = wanted;
  if (stopLoss.kind !== "past") return [];
  const sentence = `${stopLoss.triggerBy} ${print(stopLoss.base)} has passed the configured stop ${print(stopLoss.level)}`;
  return [finding("stop-past", `${sentence}; pastStop is ${policy.protection.pastStop}`)];
}

function executionFindings({ position, stop, market }: Facts): Finding[] {
  const legs = stop.inside?.legs ?? [];
  const found: Finding[] = [];
  const certain = legs.filter((leg) => leg.execution === "market");
  if (certain.length < legs.length && !isWhole(cover(position, "stop-loss", certain))) {
    found.push(finding("stop-limit", "a stop is a stop-limit order: once triggered it may rest unfilled"));
  }
  const most = market?.instrument.maxMarketQuantity ?? null;
  if (most !== null && legs.some(({ quantity }) => quantity.gt(most))) {
    const sentence = `size ${print(position.size)} is above the largest market order ${print(most)}`;
    found.push(finding("stop-size-over-limit", `${sentence}; the stop may be filled in parts`));
  }
  return found;
}

function liquidationFindings({ position, stop }: Facts, marginMode: MarginMode | null): Finding[] {
  const isIsolated = marginMode !== "cross" && marginMode !== "portfolio";
  if (position.liquidationPrice === null) {
    return [
      finding("liquidation-unknown", "the exchange states no liquidation price, so stops are not checked against it"),
    ];
  }
  const worst = stop.beyondLiquidation.at(-1);
  if (worst === undefined || isWhole(stop.inside)) return [];
  const estimate = isIsolated ? "" : "estimated ";
  const sentence = `the stop at ${print(worst.price)} comes only after ${estimate}liquidation at`;
  return [beyondLiquidation(isIsolated ? "critical" : "warning", `${sentence} ${print(position.liquidationPrice)}`)];
}

function widthFindings(facts: Facts): Finding[] {
  const { position, stop, wanted } = facts;
  const standing = wholeOf(stop.inside);
  const benchmark = wanted.stopBenchmark;
  if (standing === null) return [];
  const drift = driftFinding(facts, standing.price);
  if (drift !== null) return [drift];
  if (benchmark.kind !== "level") return [];
  const level = `${wantedName(facts)} is ${print(benchmark.price)}`;
  const sentence = `the stop stands at ${print(standing.price)}, ${level}`;
  if (isLooserStop(standing.price, benchmark.price, position.side)) return [finding("stop-too-wide", sentence)];
  const placed = wanted.stopPlaced.kind === "level" ? wanted.stopPlaced.price : benchmark.price;
  const isTighter = [benchmark.price, placed].every((price) => isTighterStop(standing.price, price, position.side));
  return isTighter ? [finding("stop-tighter-than-configured", sentence)] : [];
}

function wantedName({ life }: Facts): string {
  const { intent } = life;
  return intent?.stopLoss == null ? "the configured level" : `the level that the intent of ${intent.who} wants`;
}

/** Looser than what an intent wants, or than what stood before another hand moved it; a tighter one wins and is none. */
function driftFinding(facts: Facts, standing: Decimal): Finding | null {
  const { position, wanted, life } = facts;
  const stands = `the stop stands at ${print(standing)}`;
  const { reference, stopBenchmark: benchmark } = wanted;
  if (reference !== null && isLooserStop(standing, reference.price, position.side)) {
    const left = wanted.mayRestore ? "" : "; it was moved back three times in this hour, and is not again";
    return finding("intent-drift", `${stands}, and stood at ${print(reference.price)} before${left}`);
  }
  const isIntended = life.intent?.stopLoss != null && benchmark.kind === "level";
  if (!isIntended || !isLooserStop(standing, benchmark.price, position.side)) return null;
  return finding("intent-drift", `${stands}, ${wantedName(facts)} is ${print(benchmark.price)}`);
}

export function takeProfitFindings(facts: Facts): Finding[] {
  const { takeProfit, wanted, policy, stop } = facts;
  const wish = wanted.takeProfit;
  const whole = wholeOf(takeProfit);
  if (whole !== null) return takeProfitDrift(whole, facts);
  if (policy.protection.takeProfit === null && wanted.takeProfitBy !== "intent") return [];
  if (takeProfit !== null) {
    const covered = percentDown(takeProfit.coverage);
    return [finding("take-profit-partial", `take-profits cover only ${covered}% of the position`)];
  }
  if (wish.kind === "past") {
    const sentence = `${wish.triggerBy} ${print(wish.base)} has passed the configured take-profit ${print(wish.level)}`;
    return [finding("take-profit-past", `${sentence}; pastTakeProfit is ${policy.protection.pastTakeProfit}`)];
  }
  if (stop.doubt !== null) return [finding("take-profit-missing", `no take-profit can be seen: ${stop.doubt}`)];
  const why = wish.kind === "impossible" ? `: ${wish.reason}` : "";
  return [finding("take-profit-missing", `no take-profit rests at the exchange${why}`)];
}

function takeProfitDrift({ legs }: Cover, { wanted, life: { intent }, market }: Facts): Finding[] {
  const full = legs.find(({ source }) => source === "full");
  if (intent === null || wanted.takeProfitBy !== "intent" || wanted.takeProfit.kind !== "level") return [];
  if (full === undefined || isWithinTick(full.price, wanted.takeProfit.price, market)) return [];
  const wish = `the intent of ${intent.who} wants ${print(wanted.takeProfit.price)}`;
  return [finding("intent-drift", `the take-profit stands at ${print(full.price)}, ${wish}`)];
}

function coarseFindings({ position, stop, takeProfit, wanted }: Facts): Finding[] {
  const stands = wholeOf(stop.inside);
  // What stands has been learned as a level of its own, on the tick; the wish behind it is as coarse as ever.
  const level = stands === null ? wanted.stopLoss : wanted.stopBenchmark;
  const stopMatters =
    level.kind === "level" && (stands === null || !isTighterStop(stands.price, level.price, position.side));
  const takeProfitMatters = takeProfit === null || isAt(wanted.takeProfit, takeProfit.price);
  return [
    ...(stopMatters ? coarse("stop-loss", level) : []),
    ...(takeProfitMatters ? coarse("take-profit", wanted.takeProfit) : []),
  ];
}

function isAt(wanted: Wanted, price: Decimal): boolean {
  return wanted.kind === "level" && wanted.price.eq(price);
}

function coarse(exit: string, wanted: Wanted): Finding[] {
  if (wanted.kind !== "level" || !wanted.coarse) return [];
  const sentence = `the ${exit} is within 3 ticks of the mark, so it is rounded away from it`;
  return [finding("tick-too-coarse", `${sentence}, to ${print(wanted.price)}`)];
}

function contractFindings({ market }: Facts, status: Status, nowMs: number): Finding[] {
  if (market === null) return [];
  const { instrument, ticker } = market;
  const found: Finding[] = [];
  const refusal = refusesExits(instrument, ticker);
  if (status === "unprotectable" && refusal !== null) {
    found.push(finding("unprotectable", `no stop-loss can rest now: ${refusal}; it is tried again in every pass`));
  }
  const { deliveryAtMs } = instrument;
  if (deliveryAtMs !== null && deliveryAtMs - nowMs <= DELISTING_SOON_MS) {
    const hours = Math.max(0, Math.round((deliveryAtMs - nowMs) / 3_600_000));
    found.push(
      finding("delisting-soon", `the contract is delivered or delisted in about ${hours} h; all orders end then`),
    );
  }
  return found;
}

export function waiverFindings({ wanted: { waiver }, life: { intent } }: Facts): Finding[] {
  if (waiver === null || intent === null) return [];
  const sentence = `no stop is wanted until ${waiver.until}: ${waiver.reason}`;
  return [finding("stop-waived", `${sentence} (asked for by ${intent.who})`)];
}

export function hedgeFindings({ hedgedBy, policy }: Facts): Finding[] {
  if (hedgedBy.length === 0) return [];
  return [finding("hedge-leg", `offset by ${hedgedBy.join(", ")}; such legs are set to: ${policy.protection.hedged}`)];
}
