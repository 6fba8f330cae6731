/** A price move: whatever lies on the way from the old prices to the new ones happens, nearest first. */
import type { Decimal } from "../../domain/decimal.js";
import type { TriggerBy } from "../../domain/position.js";
import { announceOrder } from "./events.js";
import { cancelOrder } from "./exits.js";
import { fillOrder, liquidate } from "./fills.js";
import type { SimInstrument } from "./instruments.js";
import { liquidationPrice } from "./valuation.js";
import {
  type Account,
  type Prices,
  type SimOrder,
  type World,
  basePrice,
  instrumentKey,
  legKey,
  legsOf,
  openOrdersOf,
} from "./world.js";

interface Path {
  readonly from: Prices;
  readonly to: Prices;
}

interface Happening {
  /** Where on the way, 0 to 1. */
  readonly at: number;
  readonly act: () => void;
}

/**
 * The move is one jump: all three prices go straight to their targets, so the way decides only the order in which
 * triggers are reached. Market orders fill at the target (they gap through), liquidations at the liquidation price.
 */
export function movePrices(world: World, instrument: SimInstrument, from: Prices, to: Prices): void {
  world.moves += 1;
  world.prices.set(instrumentKey(instrument.category, instrument.symbol), to);
  let reached = 0;
  for (;;) {
    const next = nextHappening(world, instrument, { from, to }, reached);
    if (next === undefined) break;
    reached = next.at;
    next.act();
  }
  for (const account of world.accounts.values()) trailBehind(account, instrument, to);
}

function nextHappening(world: World, instrument: SimInstrument, path: Path, reached: number): Happening | undefined {
  const all = [...world.accounts.values()].flatMap((account) => [
    ...openOrdersOf(account, instrument).flatMap((order) => ofOrder(world, account, order, path, reached)),
    ...ofLiquidations(world, account, instrument, path, reached),
  ]);
  return all.reduce<Happening | undefined>((first, one) => (first && first.at <= one.at ? first : one), undefined);
}

function ofOrder(world: World, account: Account, order: SimOrder, path: Path, reached: number): Happening[] {
  if (order.status === "Untriggered") {
    const trigger = triggerLevel(order);
    if (trigger === null) return [];
    const at = reachedAt(path, trigger.by, trigger.price, order.triggerDirection === 1 ? "rise" : "fall", reached);
    return at === null ? [] : [{ at, act: () => fireTrigger(world, account, order, path.to) }];
  }
  if (order.price === null || order.restedInMove === world.moves) return [];
  const price = order.price;
  const at = reachedAt(path, "LastPrice", price, order.side === "Sell" ? "rise" : "fall", reached);
  return at === null ? [] : [{ at, act: () => fillOrder(world, account, order, price, { isMaker: true }) }];
}

/** A trailing stop's real trigger follows the best price; an order row never shows it. */
function triggerLevel(order: SimOrder): { price: Decimal; by: TriggerBy } | null {
  const by = order.triggerBy ?? "LastPrice";
  if (order.trailing === null) return order.triggerPrice === null ? null : { price: order.triggerPrice, by };
  const { best, distance } = order.trailing;
  if (best === null) return null;
  return { price: order.triggerDirection === 2 ? best.minus(distance) : best.plus(distance), by };
}

function ofLiquidations(
  world: World,
  account: Account,
  instrument: SimInstrument,
  path: Path,
  reached: number,
): Happening[] {
  return legsOf(account, instrument).flatMap((leg) => {
    const price = liquidationPrice(account, leg);
    if (price === null) return [];
    const at = reachedAt(path, "MarkPrice", price, leg.side === "Sell" ? "rise" : "fall", reached);
    return at === null ? [] : [{ at, act: () => liquidate(world, account, leg, price) }];
  });
}

/** The first point of the way, not before `reached`, at which the price stands at or beyond the level; null: never. */
function reachedAt(
  path: Path,
  by: TriggerBy,
  level: Decimal,
  direction: "rise" | "fall",
  reached: number,
): number | null {
  const from = basePrice(path.from, by);
  const to = basePrice(path.to, by);
  const isThere = (price: Decimal): boolean => (direction === "rise" ? price.gte(level) : price.lte(level));
  if (isThere(from.plus(to.minus(from).times(reached.toFixed(12))))) return reached;
  if (!isThere(to)) return null;
  return Math.max(reached, level.minus(from).div(to.minus(from)).toNumber());
}

/** Untriggered → Triggered → filled, or resting where it is a limit order beyond the new price. */
function fireTrigger(world: World, account: Account, order: SimOrder, to: Prices): void {
  order.status = "Triggered";
  announceOrder(world, account, order);
  endPartner(world, account, order);
  const market = basePrice(to, order.triggerBy ?? "LastPrice");
  const resting = order.price !== null && (order.side === "Buy" ? order.price.lt(to.last) : order.price.gt(to.last));
  const leg = account.legs.get(legKey(order.instrument, order.positionIdx));
  if (resting && (leg?.size.gt(0) || !order.reduceOnly)) {
    order.status = "New";
    order.restedInMove = world.moves;
    announceOrder(world, account, order);
    return;
  }
  fillOrder(world, account, order, order.price === null ? market : to.last);
}

function endPartner(world: World, account: Account, order: SimOrder): void {
  if (order.pairId === null) return;
  const partner = account.orders.find((other) => other.pairId === order.pairId && other.status === "Untriggered");
  order.pairId = null;
  if (partner === undefined) return;
  partner.pairId = null;
  cancelOrder(world, account, partner, "CancelByTpSlTsClear");
}

/** After the move: armed trailing stops remember the best last price, others may arm. */
function trailBehind(account: Account, instrument: SimInstrument, { last }: Prices): void {
  for (const order of openOrdersOf(account, instrument)) {
    const { trailing } = order;
    if (trailing === null) continue;
    const long = order.triggerDirection === 2;
    const { best, activePrice } = trailing;
    const arms = best === null && activePrice !== null && (long ? last.gte(activePrice) : last.lte(activePrice));
    if (arms || (best !== null && (long ? last.gt(best) : last.lt(best)))) trailing.best = last;
  }
}
