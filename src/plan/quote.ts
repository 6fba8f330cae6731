/** The exits that an entry order is to carry from the start: as the position it opens would get them, and never looser. */
import type { Assessed } from "../assess/assess.js";
import { refusesExits } from "../assess/status.js";
import type { Decimal } from "../domain/decimal.js";
import type { PositionIntent } from "../domain/intent.js";
import type { Side } from "../domain/position.js";
import { isPast, isTighterStop } from "../domain/price.js";
import { triggerBase } from "../domain/instrument.js";
import {
  levelAgainst,
  type Market,
  offsetFrom,
  type Placing,
  takeProfitDistance,
  type Wanted,
} from "../policy/levels.js";
import { waiverAt } from "../policy/intent.js";
import type { ResolvedPolicy } from "../policy/resolve.js";
import type { StepLevel } from "./step.js";

export interface QuoteInput {
  readonly side: Side;
  /** The order's limit or trigger price; null: a market order, measured from the mark. */
  readonly price: Decimal | null;
  readonly policy: ResolvedPolicy;
  readonly market: Market;
  /** One that waits for the position that this order opens; null: none does. */
  readonly intent: PositionIntent | null;
  /** The position of that side that is open, and that the order would grow; null: there is none. */
  readonly open: Assessed | null;
  /** The stops that resting entry orders of that side will bring. */
  readonly resting: readonly Decimal[];
  readonly nowMs: number;
}

export type Quote =
  | { readonly kind: "quoted"; readonly stopLoss: StepLevel; readonly takeProfit: StepLevel | null }
  | { readonly kind: "none"; readonly reason: string };

/** A take-profit that cannot be had is left out; without a stop nothing is quoted. */
export function quoteFor(input: QuoteInput): Quote {
  const { market, open, side, policy, nowMs } = input;
  if (policy.ignored) return none(`a rule says to ignore it: ${policy.rule}`);
  const waiver = waiverAt(input, nowMs);
  if (waiver !== null) return none(`no stop is wanted until ${waiver.until}: ${waiver.reason}`);
  const refusal = refusesExits(market.instrument, market.ticker);
  if (refusal !== null) return none(refusal);
  if (open !== null && open.stop.doubt !== null)
    return none(`what protects the open ${side} cannot be told: ${open.stop.doubt}`);
  const base = input.price ?? triggerBase(market.ticker, "MarkPrice");
  if (base === null || base.lte(0)) return none("the exchange states no current mark price");
  const wanted = wantedStop(input, base);
  if (wanted.kind !== "level") return none(whyNot(wanted));
  const stopLoss = notLooser({ price: wanted.price, triggerBy: wanted.triggerBy }, base, input);
  if (isPast(stopLoss.price, base, side, "stop-loss") || stopLoss.price.eq(base)) {
    return none(`a stop stands at ${stopLoss.price.toFixed()}, which the order's price ${base.toFixed()} is past`);
  }
  return { kind: "quoted", stopLoss, takeProfit: takeProfitFor(input, base) };
}

function none(reason: string): Quote {
  return { kind: "none", reason };
}

function wantedStop({ intent, policy, market, side }: QuoteInput, base: Decimal): Wanted {
  const wish = policy.protection.stopLoss;
  const placing: Placing = {
    side,
    instrument: market.instrument,
    triggerBy: wish?.triggerBy ?? "MarkPrice",
    exit: "stop-loss",
  };
  if (intent?.stopLoss != null) return levelAgainst(base, intent.stopLoss, placing);
  return wish === null
    ? { kind: "none" }
    : levelAgainst(base, offsetFrom(base, side, wish.distance, "stop-loss"), placing);
}

/**
 * An attached Full stop takes the place of the one that stands: also of one that an order at rest brings before this
 * one is filled, which it cannot where this one's price is past it.
 */
function notLooser(quoted: StepLevel, base: Decimal, { open, resting, side }: QuoteInput): StepLevel {
  const brought = resting.filter((price) => !isPast(price, base, side, "stop-loss") && !price.eq(base));
  const standing = open?.stop.standingFull ?? null;
  const levels = standing === null ? brought : [standing, ...brought];
  return levels.reduce((best, price) => (isTighterStop(price, best.price, side) ? { ...best, price } : best), quoted);
}

/** Nothing where an exit of anybody is on the profit side already. */
function takeProfitFor({ intent, policy, market, side, open }: QuoteInput, base: Decimal): StepLevel | null {
  if (open !== null && (open.takeProfit !== null || open.position.fullTakeProfit !== null)) return null;
  const { takeProfit, stopLoss } = policy.protection;
  const placing: Placing = {
    side,
    instrument: market.instrument,
    triggerBy: takeProfit?.triggerBy ?? "LastPrice",
    exit: "take-profit",
  };
  const distance = takeProfit === null ? null : takeProfitDistance(takeProfit, stopLoss);
  const exact = intent?.takeProfit ?? (distance === null ? null : offsetFrom(base, side, distance, "take-profit"));
  const wanted = exact === null ? null : levelAgainst(base, exact, placing);
  return wanted?.kind === "level" ? { price: wanted.price, triggerBy: wanted.triggerBy } : null;
}

function whyNot(wanted: Exclude<Wanted, { kind: "level" }>): string {
  switch (wanted.kind) {
    case "none":
      return "no stop-loss is configured for it";
    case "past":
      return `the stop ${wanted.level.toFixed()} would be past ${wanted.base.toFixed()}`;
    case "impossible":
      return wanted.reason;
  }
}
