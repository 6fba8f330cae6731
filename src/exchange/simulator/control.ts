/** The control verbs: what a test, a demo or a bot's author does to the simulated exchange behind its back. */
import { type Decimal, dec, print } from "../../domain/decimal.js";
import type { PositionIdx, TriggerBy } from "../../domain/position.js";
import { setMode } from "./account-reads.js";
import { deleverage, deliver, setInstrument, setLiquidity, setPrices } from "./control-market.js";
import type { ControlParsed, ControlVerb } from "./control-schemas.js";
import { announcePosition } from "./events.js";
import { wrongSide } from "./exit-rules.js";
import { type PartialExit, addPartialExits, attachedLevels, cancelOrder } from "./exits.js";
import { type Fault, armFault } from "./faults.js";
import { fillOrder, marketOrder } from "./fills.js";
import { truncate } from "./formats.js";
import type { SimInstrument } from "./instruments.js";
import { newOrder } from "./order-record.js";
import { type OrderIds, createOrder } from "./orders.js";
import type { Params } from "./parameters.js";
import { ControlError } from "./refusal.js";
import { tradingStop } from "./trading-stop.js";
import {
  type Account,
  type AttachedExits,
  type Leg,
  type SimOrder,
  type WireSide,
  type World,
  accountNamed,
  basePrice,
  hedgeable,
  instrumentBySymbol,
  isOpen,
  legFor,
  legKey,
  legsOf,
  modeOf,
  opposite,
  pricesOf,
} from "./world.js";

type Runners = { readonly [V in ControlVerb]: (world: World, input: ControlParsed<V>) => object };

export const RUNNERS: Runners = {
  open: openPosition,
  close: (world, input) => closePosition(world, { ...input, size: undefined }),
  reduce: closePosition,
  flip: flipPosition,
  setPrice: setPrices,
  addPartialLegs,
  placeOrder: (world, input) => createOrder(world, ...signedParams(world, input, true)),
  tradingStop: (world, input) => tradingStop(world, ...signedParams(world, input, false)),
  cancelOrder: cancelOne,
  setFault: (world, input: Fault) => {
    armFault(world.faults, input);
    return {};
  },
  setAccount,
  setLags: (world, input) => Object.assign(world.lags, input),
  setLiquidity,
  setInstrument,
  deleverage: (world, input) => {
    const { account, leg } = heldLeg(world, input);
    return deleverage(world, account, leg, input.size);
  },
  deliver,
  pushPosition: (world, input) => {
    const { account, leg } = heldLeg(world, input);
    announcePosition(world, account, leg);
    return {};
  },
};

function openPosition(world: World, input: ControlParsed<"open">): object {
  const account = accountNamed(world, input.account);
  const instrument = instrumentBySymbol(world, input.symbol);
  const positionIdx = enterMode(account, instrument, input);
  const side: WireSide = input.side === "long" ? "Buy" : "Sell";
  const leg = legFor(world, account, instrument, positionIdx);
  if (leg.size.gt(0) && leg.side !== side)
    throw new ControlError(`${input.symbol} is open the other way: reduce or flip it`);
  const qty = truncate(input.size, instrument.qtyStep);
  if (qty.isZero()) throw new ControlError(`size is below the step ${print(instrument.qtyStep)}`);
  if (input.leverage !== undefined) leg.leverage = input.leverage;
  if (input.liquidationPrice !== undefined) leg.liquidation = input.liquidationPrice;
  const attached = attachedExits(world, instrument, side, input);
  const facts = { instrument, positionIdx, side, qty, attached };
  const order = newOrder(world, { ...facts, orderType: "Market", createType: "CreateByUser" });
  account.orders.push(order);
  fillOrder(world, account, order, input.entryPrice ?? pricesOf(world, instrument).last, { ignoresBook: true });
  return { orderId: order.orderId, positionIdx };
}

function enterMode(account: Account, instrument: SimInstrument, input: ControlParsed<"open">): PositionIdx {
  const wantsHedge = input.hedge ?? (input.positionIdx === undefined ? undefined : input.positionIdx > 0);
  if (wantsHedge !== undefined && wantsHedge !== (modeOf(account, instrument) === "hedge")) {
    if (wantsHedge && !hedgeable(instrument)) throw new ControlError(`${instrument.symbol} has no hedge mode`);
    if (legsOf(account, instrument).some((leg) => leg.size.gt(0))) {
      throw new ControlError(`${instrument.symbol} has an open position in the other mode`);
    }
    setMode(account, instrument.symbol, wantsHedge ? "hedge" : "one-way");
  }
  if (modeOf(account, instrument) === "one-way") return 0;
  const idx = input.side === "long" ? 1 : 2;
  if (input.positionIdx !== undefined && input.positionIdx !== idx) {
    throw new ControlError(`positionIdx ${input.positionIdx} is not the ${input.side} leg`);
  }
  return idx;
}

function attachedExits(
  world: World,
  instrument: SimInstrument,
  side: WireSide,
  input: Pick<ControlParsed<"open">, "stopLoss" | "takeProfit" | "slTriggerBy" | "tpTriggerBy" | "tpslMode">,
): AttachedExits | null {
  if (input.stopLoss === undefined && input.takeProfit === undefined) return null;
  const level = (price: Decimal | undefined): Decimal | null =>
    price === undefined ? null : truncate(price, instrument.tickSize);
  const attached: AttachedExits = {
    stopLoss: level(input.stopLoss),
    takeProfit: level(input.takeProfit),
    slTriggerBy: input.slTriggerBy ?? "LastPrice",
    tpTriggerBy: input.tpTriggerBy ?? "LastPrice",
    mode: input.tpslMode ?? "Full",
  };
  for (const exit of attachedLevels(attached)) {
    checkSide(world, instrument, side, exit, attached.mode === "Partial");
  }
  return attached;
}

function checkSide(
  world: World,
  instrument: SimInstrument,
  side: WireSide,
  exit: { kind: "StopLoss" | "TakeProfit"; price: Decimal; triggerBy: TriggerBy },
  partial: boolean,
): void {
  const base = basePrice(pricesOf(world, instrument), exit.triggerBy);
  const refusal = wrongSide({ instrument, side, base, partial, ...exit });
  if (refusal !== null) throw new ControlError(refusal.retMsg);
}

interface LegTarget {
  readonly account?: string | undefined;
  readonly symbol: string;
  readonly positionIdx?: PositionIdx | undefined;
}

function heldLeg(world: World, input: LegTarget): { account: Account; leg: Leg } {
  const account = accountNamed(world, input.account);
  const instrument = instrumentBySymbol(world, input.symbol);
  const open = legsOf(account, instrument).filter((leg) => leg.size.gt(0));
  const [leg, second] = open.filter((one) => input.positionIdx === undefined || one.positionIdx === input.positionIdx);
  if (leg === undefined) throw new ControlError(`no open position in ${input.symbol}`);
  if (second !== undefined) throw new ControlError(`${input.symbol} has two legs: say positionIdx`);
  return { account, leg };
}

function closePosition(
  world: World,
  input: LegTarget & { readonly size?: Decimal | undefined; readonly price?: Decimal | undefined },
): object {
  const { account, leg } = heldLeg(world, input);
  const order = marketOrder(world, leg, "CreateByUser");
  if (input.size !== undefined) order.qty = truncate(input.size, leg.instrument.qtyStep);
  account.orders.push(order);
  fillOrder(world, account, order, input.price ?? pricesOf(world, leg.instrument).last, { ignoresBook: true });
  return { orderId: order.orderId };
}

function flipPosition(world: World, input: ControlParsed<"flip">): object {
  const { account, leg } = heldLeg(world, input);
  if (leg.positionIdx !== 0) throw new ControlError("only one-way positions flip");
  const { instrument, positionIdx, size } = leg;
  const side = opposite(leg.side === "Buy" ? "Buy" : "Sell");
  const qty = size.plus(input.size ?? size);
  const order = newOrder(world, {
    instrument,
    positionIdx,
    side,
    qty,
    orderType: "Market",
    createType: "CreateByUser",
  });
  account.orders.push(order);
  fillOrder(world, account, order, input.price ?? pricesOf(world, instrument).last, { ignoresBook: true });
  return { orderId: order.orderId };
}

function addPartialLegs(world: World, input: ControlParsed<"addPartialLegs">): object {
  const { account, leg } = heldLeg(world, input);
  const orderIds = input.legs.flatMap(({ size, stopLoss, takeProfit, stopLimitPrice, triggerBy = "LastPrice" }) => {
    const shared = { triggerBy, quantity: truncate(size, leg.instrument.qtyStep) };
    const exits: PartialExit[] = [
      ...(takeProfit === undefined
        ? []
        : [{ ...shared, kind: "TakeProfit" as const, price: takeProfit, limitPrice: null }]),
      ...(stopLoss === undefined
        ? []
        : [{ ...shared, kind: "StopLoss" as const, price: stopLoss, limitPrice: stopLimitPrice ?? null }]),
    ];
    for (const exit of exits) checkSide(world, leg.instrument, leg.side === "Sell" ? "Sell" : "Buy", exit, true);
    return addPartialExits(world, account, leg, exits).map((order) => order.orderId);
  });
  announcePosition(world, account, leg);
  return { orderIds };
}

function signedParams(world: World, input: ControlParsed<"placeOrder">, ordering: boolean): [Account, Params] {
  const { account: name, ...rest } = input;
  const instrument = instrumentBySymbol(world, input.symbol);
  const params: Record<string, unknown> = { category: instrument.category, ...rest };
  if (ordering && typeof params["triggerPrice"] === "string" && params["triggerDirection"] === undefined) {
    const by = (params["triggerBy"] ?? "LastPrice") as TriggerBy;
    const rises = dec(params["triggerPrice"]).gt(basePrice(pricesOf(world, instrument), by));
    params["triggerDirection"] = rises ? 1 : 2;
  }
  return [accountNamed(world, name), params];
}

function cancelOne(world: World, input: ControlParsed<"cancelOrder">): OrderIds {
  const account = accountNamed(world, input.account);
  const order = account.orders.find(
    (candidate) => isOpen(candidate) && (candidate.orderId === input.orderId || isLinked(candidate, input.orderLinkId)),
  );
  if (order === undefined) throw new ControlError("no such open order");
  cancelOrder(world, account, order, "CancelByUser");
  const leg = account.legs.get(legKey(order.instrument, order.positionIdx));
  if (leg !== undefined) announcePosition(world, account, leg);
  return { orderId: order.orderId, orderLinkId: order.orderLinkId };
}

const isLinked = (order: SimOrder, orderLinkId: string | undefined): boolean =>
  orderLinkId !== undefined && order.orderLinkId === orderLinkId;

function setAccount(world: World, { account: name, ...changes }: ControlParsed<"setAccount">): object {
  const account = accountNamed(world, name);
  Object.assign(account, changes);
  if (changes.positionMode !== undefined) account.modes.clear();
  return {};
}
