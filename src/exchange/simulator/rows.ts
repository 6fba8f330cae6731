/** Position, order and execution rows exactly as the wire spells them (docs/v5/position, docs/v5/order/open-order). */
import { type Decimal, print } from "../../domain/decimal.js";
import { type Channel, amountText, noEnum, noValue, priceText, quantityText } from "./formats.js";
import { liquidationPrice, profit, valueOf } from "./valuation.js";
import {
  type Account,
  type Leg,
  type Row,
  type RowContext,
  type SimOrder,
  type World,
  ZERO,
  opposite,
  pricesOf,
  visibleLeg,
} from "./world.js";

/** A row of position/list ("rest": with lags, `avgPrice`) or of the position stream ("stream": `entryPrice`). */
export function positionRow(world: World, account: Account, leg: Leg, channel: Channel): Row {
  const view = channel === "rest" ? visibleLeg(world, leg) : leg;
  const { instrument } = leg;
  const none = (): string => noValue(world.random, channel);
  const mark = pricesOf(world, instrument).mark;
  const flat = view.size.isZero() || view.side === "";
  const value = valueOf(instrument, view.size, view.entryPrice);
  const portfolio = account.marginMode === "PORTFOLIO_MARGIN";
  const margin = (amount: Decimal): string => (portfolio ? "" : amountText(amount));
  const initial = margin(value.div(leg.leverage));
  const maintenance = margin(value.times("0.005"));
  const liquidation = liquidationPrice(account, leg, view);
  const entry = flat ? none() : print(view.entryPrice);
  const row: Row = {
    positionIdx: leg.positionIdx,
    riskId: 1,
    riskLimitValue: "2000000",
    symbol: instrument.symbol,
    side: flat ? "" : view.side,
    size: flat ? "0" : print(view.size),
    ...(channel === "rest" ? { avgPrice: entry } : { entryPrice: entry, category: instrument.category }),
    positionValue: flat ? none() : amountText(value),
    tradeMode: 0,
    positionStatus: leg.status,
    autoAddMargin: 0,
    adlRankIndicator: flat ? 0 : 2,
    leverage: portfolio ? "" : print(leg.leverage),
    breakEvenPrice: flat ? none() : print(view.entryPrice),
    positionBalance: flat ? none() : initial,
    markPrice: priceText(mark, instrument),
    liqPrice: liquidation === null ? "" : priceText(liquidation, instrument),
    bustPrice: "",
    positionMM: maintenance,
    positionMMByMp: maintenance,
    positionIM: initial,
    positionIMByMp: initial,
    tpslMode: "Full",
    ...exitFields(world, account, leg, channel),
    unrealisedPnl: flat ? none() : amountText(profit(instrument, view.side, view.entryPrice, mark, view.size)),
    curRealisedPnl: amountText(leg.currentRealised),
    cumRealisedPnl: amountText(leg.cumulativeRealised),
    sessionAvgPrice: instrument.settleCoin === "USDC" && !flat ? print(view.entryPrice) : none(),
    seq: leg.seq,
    isReduceOnly: false,
    mmrSysUpdatedTime: "",
    leverageSysUpdatedTime: "",
    createdTime: String(leg.createdAtMs),
    updatedTime: String(leg.updatedAtMs),
    openTime: flat || !account.statesOpenTime ? 0 : leg.openedAtMs,
  };
  return mutate(world, row, { kind: "position", account: account.name, channel });
}

/** Only the Full-mode exits show here; Partial legs never do. */
function exitFields(world: World, account: Account, leg: Leg, channel: Channel): Row {
  const level = (kind: SimOrder["stopOrderType"]): string => {
    const order = fullExit(account, leg, kind);
    const price = order === undefined ? null : visibleTrigger(world, order, channel).triggerPrice;
    return price === null ? noValue(world.random, channel) : priceText(price, leg.instrument);
  };
  const trailing = fullExit(account, leg, "TrailingStop")?.trailing?.distance;
  return {
    takeProfit: level("TakeProfit"),
    stopLoss: level("StopLoss"),
    trailingStop: trailing === undefined ? noValue(world.random, channel) : priceText(trailing, leg.instrument),
  };
}

export function fullExit(account: Account, leg: Leg, kind: SimOrder["stopOrderType"]): SimOrder | undefined {
  return account.orders.find(
    (order) =>
      order.status === "Untriggered" &&
      order.stopOrderType === kind &&
      order.instrument === leg.instrument &&
      order.positionIdx === leg.positionIdx,
  );
}

/** Whether reads show the order already. */
export const isVisible = (world: World, order: SimOrder): boolean => world.now() >= order.visibleAtMs;

function visibleTrigger(world: World, order: SimOrder, channel: Channel): Pick<SimOrder, "triggerPrice" | "triggerBy"> {
  if (channel === "stream") return order;
  if (!isVisible(world, order)) return { triggerPrice: null, triggerBy: null };
  return order.lag !== null && world.now() < order.lag.untilMs ? order.lag : order;
}

export function orderRow(world: World, account: Account, order: SimOrder, channel: Channel): Row {
  const { instrument, attached } = order;
  const none = (): string => noValue(world.random, channel);
  const price = (value: Decimal | null | undefined): string =>
    value === null || value === undefined ? none() : priceText(value, instrument);
  const closed = order.status === "Cancelled" || order.status === "Rejected";
  const leaves = closed ? ZERO : order.qty.minus(order.filledQty);
  const trigger = visibleTrigger(world, order, channel);
  const row: Row = {
    orderId: order.orderId,
    orderLinkId: order.orderLinkId,
    parentOrderLinkId: order.parentOrderLinkId,
    blockTradeId: "",
    symbol: instrument.symbol,
    price: price(order.price),
    qty: quantityText(order.qty, instrument),
    side: order.side,
    isLeverage: "",
    positionIdx: order.positionIdx,
    orderStatus: order.status,
    createType: order.createType,
    cancelType: order.cancelType,
    rejectReason: order.rejectReason,
    avgPrice: order.filledQty.isZero() ? world.random.pick(["", "0"]) : averageFill(order),
    leavesQty: quantityText(leaves, instrument),
    leavesValue: order.price === null ? "0" : amountText(valueOf(instrument, leaves, order.price)),
    cumExecQty: quantityText(order.filledQty, instrument),
    cumExecValue: amountText(order.filledValue),
    cumExecFee: "0",
    closedPnl: "0",
    timeInForce: order.timeInForce,
    orderType: order.orderType,
    stopOrderType: order.stopOrderType === "" ? noEnum(world.random) : order.stopOrderType,
    orderIv: "",
    triggerPrice: price(trigger.triggerPrice),
    takeProfit: price(attached?.takeProfit),
    stopLoss: price(attached?.stopLoss),
    tpTriggerBy: attached?.takeProfit ? attached.tpTriggerBy : noEnum(world.random),
    slTriggerBy: attached?.stopLoss ? attached.slTriggerBy : noEnum(world.random),
    triggerDirection: order.triggerDirection,
    triggerBy: trigger.triggerBy ?? noEnum(world.random),
    lastPriceOnCreated: priceText(order.lastPriceOnCreated, instrument),
    reduceOnly: order.reduceOnly,
    closeOnTrigger: order.closeOnTrigger,
    smpType: "None",
    smpGroup: 0,
    smpOrderId: "",
    tpslMode: attached?.mode ?? order.tpslMode,
    tpLimitPrice: "",
    slLimitPrice: "",
    placeType: "",
    ocoTriggerBy: "",
    slippageToleranceType: "UNKNOWN",
    slippageTolerance: "",
    extraFees: "",
    cumFeeDetail: {},
    rpiTakerAccess: false,
    rpiMatchedQty: "0",
    createdTime: String(order.createdAtMs),
    updatedTime: String(order.updatedAtMs),
    ...(channel === "stream" ? { category: instrument.category, feeCurrency: "" } : {}),
  };
  return mutate(world, row, { kind: "order", account: account.name, channel });
}

function averageFill(order: SimOrder): string {
  const { filledQty, filledValue } = order;
  const average = order.instrument.category === "linear" ? filledValue.div(filledQty) : filledQty.div(filledValue);
  return print(average.toDecimalPlaces(order.instrument.tickSize.decimalPlaces() + 4));
}

export type ExecType = "Trade" | "BustTrade" | "AdlTrade" | "Settle";

export interface FillFacts {
  readonly order: SimOrder;
  readonly quantity: Decimal;
  readonly price: Decimal;
  readonly closedQuantity: Decimal;
  readonly realised: Decimal;
  readonly isMaker: boolean;
  readonly execType: ExecType;
  readonly atMs: number;
}

export function executionRow(world: World, fill: FillFacts): Row {
  const { order, price } = fill;
  const { instrument } = order;
  const prices = pricesOf(world, instrument);
  return {
    category: instrument.category,
    symbol: instrument.symbol,
    orderId: order.orderId,
    orderLinkId: order.orderLinkId,
    side: order.side,
    orderPrice: priceText(order.price ?? price, instrument),
    orderQty: quantityText(order.qty, instrument),
    leavesQty: quantityText(order.qty.minus(order.filledQty), instrument),
    createType: order.createType,
    orderType: order.orderType,
    stopOrderType: order.stopOrderType === "" ? "UNKNOWN" : order.stopOrderType,
    execFee: "0",
    execId: world.random.uuid(),
    execPrice: priceText(price, instrument),
    execQty: quantityText(fill.quantity, instrument),
    execPnl: amountText(fill.realised),
    execType: fill.execType,
    execValue: amountText(valueOf(instrument, fill.quantity, price)),
    execTime: String(fill.atMs),
    isMaker: fill.isMaker,
    feeRate: "0",
    tradeIv: "",
    markIv: "",
    markPrice: priceText(prices.mark, instrument),
    indexPrice: priceText(prices.index, instrument),
    underlyingPrice: "",
    blockTradeId: "",
    closedSize: fill.closedQuantity.isZero() ? "" : quantityText(fill.closedQuantity, instrument),
    feeCurrency: "",
    isLeverage: "0",
    extraFees: "",
    marketUnit: "",
    seq: world.seq,
  };
}

/** A row of position/closed-pnl; `side` is that of the closing order. */
export function closedPnlRow(leg: Leg, entry: Decimal, fill: FillFacts): Row {
  const { order, quantity, price } = fill;
  const { instrument } = order;
  return {
    category: instrument.category,
    symbol: instrument.symbol,
    orderType: order.orderType,
    leverage: print(leg.leverage),
    updatedTime: String(fill.atMs),
    side: opposite(leg.side === "Buy" ? "Buy" : "Sell"),
    orderId: order.orderId,
    closedPnl: amountText(fill.realised),
    avgEntryPrice: print(entry),
    qty: quantityText(quantity, instrument),
    cumEntryValue: amountText(valueOf(instrument, fill.closedQuantity, entry)),
    createdTime: String(fill.atMs),
    orderPrice: priceText(order.price ?? price, instrument),
    closedSize: quantityText(fill.closedQuantity, instrument),
    avgExitPrice: priceText(price, instrument),
    execType: fill.execType,
    fillCount: "1",
    cumExitValue: amountText(valueOf(instrument, fill.closedQuantity, price)),
  };
}

export const mutate = (world: World, row: Row, context: RowContext): Row =>
  world.mutation === null ? row : world.mutation(row, context);
