/** Control of the market itself: prices, depth, contract states, deleveraging and delisting. */
import type { Decimal } from "../../domain/decimal.js";
import type { ControlParsed } from "./control-schemas.js";
import { cancelOrder } from "./exits.js";
import { fillOrder, marketOrder } from "./fills.js";
import { truncate } from "./formats.js";
import { movePrices } from "./price-moves.js";
import {
  type Account,
  type Leg,
  type Prices,
  type World,
  instrumentBySymbol,
  legsOf,
  openOrdersOf,
  pricesOf,
} from "./world.js";

export function setPrices(world: World, input: ControlParsed<"setPrice">): object {
  const instrument = instrumentBySymbol(world, input.symbol);
  const start = pricesOf(world, instrument);
  const steps = input.steps ?? 1;
  const goal: Prices = {
    mark: input.mark ?? input.price ?? start.mark,
    last: input.last ?? input.price ?? start.last,
    index: input.index ?? input.price ?? start.index,
  };
  for (let step = 1; step <= steps; step += 1) {
    const towards = (from: Decimal, to: Decimal): Decimal =>
      step === steps ? to : truncate(from.plus(to.minus(from).times(step).div(steps)), instrument.tickSize);
    movePrices(world, instrument, pricesOf(world, instrument), {
      mark: towards(start.mark, goal.mark),
      last: towards(start.last, goal.last),
      index: towards(start.index, goal.index),
    });
  }
  return {};
}

export function setLiquidity(world: World, { symbol, fraction }: ControlParsed<"setLiquidity">): object {
  world.liquidity.set(instrumentBySymbol(world, symbol).symbol, fraction);
  return {};
}

export function setInstrument(world: World, { symbol, ...changes }: ControlParsed<"setInstrument">): object {
  Object.assign(instrumentBySymbol(world, symbol), changes);
  return {};
}

export function deleverage(world: World, account: Account, leg: Leg, size: Decimal): object {
  const order = marketOrder(world, leg, "CreateByAdl_PassThrough");
  order.qty = truncate(size, leg.instrument.qtyStep);
  account.orders.push(order);
  fillOrder(world, account, order, pricesOf(world, leg.instrument).mark, { execType: "AdlTrade" });
  return { orderId: order.orderId };
}

export function deliver(world: World, { symbol, price }: ControlParsed<"deliver">): object {
  const instrument = instrumentBySymbol(world, symbol);
  instrument.deliveryTimeMs = world.now();
  for (const account of world.accounts.values()) {
    for (const order of openOrdersOf(account, instrument)) cancelOrder(world, account, order, "CancelBySettle");
    for (const leg of legsOf(account, instrument).filter(({ size }) => size.gt(0))) {
      const order = marketOrder(world, leg, "CreateBySettle");
      account.orders.push(order);
      fillOrder(world, account, order, price ?? pricesOf(world, instrument).index, { execType: "Settle" });
    }
  }
  instrument.status = "Closed";
  return {};
}
