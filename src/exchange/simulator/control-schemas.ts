/** The control verbs' inputs: the same in process and as JSON over HTTP. */
import { z } from "zod";
import { dec, parseDecimal } from "../../domain/decimal.js";
import { FAULT_KINDS } from "./faults.js";

const decimal = z
  .string()
  .refine((text) => parseDecimal(text) !== null, 'a plain decimal as a string, such as "0.5"')
  .transform(dec);
const positive = decimal.refine((value) => value.gt(0), "above zero");
const positionIdx = z.union([z.literal(0), z.literal(1), z.literal(2)]).optional();
const triggerBy = z.enum(["LastPrice", "MarkPrice", "IndexPrice"]);
const target = { account: z.string().optional(), symbol: z.string() };
const legTarget = { ...target, positionIdx };

export const SCHEMAS = {
  open: z.strictObject({
    ...legTarget,
    side: z.enum(["long", "short"]),
    size: positive,
    entryPrice: positive.optional(),
    /** Switches the symbol to hedge mode first. */
    hedge: z.boolean().optional(),
    stopLoss: positive.optional(),
    takeProfit: positive.optional(),
    slTriggerBy: triggerBy.optional(),
    tpTriggerBy: triggerBy.optional(),
    tpslMode: z.enum(["Full", "Partial"]).optional(),
    /** Null: the exchange states none; absent: estimated from leverage. */
    liquidationPrice: positive.nullable().optional(),
    leverage: positive.optional(),
  }),
  close: z.strictObject({ ...legTarget, price: positive.optional() }),
  reduce: z.strictObject({ ...legTarget, size: positive, price: positive.optional() }),
  /** One order that closes the position and opens the opposite one of `size` (default: the same size). */
  flip: z.strictObject({ ...target, size: positive.optional(), price: positive.optional() }),
  /** `price` sets all three; `steps` walks there in that many equal jumps instead of one. */
  setPrice: z.strictObject({
    symbol: z.string(),
    price: positive.optional(),
    mark: positive.optional(),
    last: positive.optional(),
    index: positive.optional(),
    steps: z.number().int().min(1).max(10_000).optional(),
  }),
  addPartialLegs: z.strictObject({
    ...legTarget,
    legs: z.array(
      z.strictObject({
        size: positive,
        stopLoss: positive.optional(),
        takeProfit: positive.optional(),
        /** Makes the stop a stop-limit. */
        stopLimitPrice: positive.optional(),
        triggerBy: triggerBy.optional(),
      }),
    ),
  }),
  /** The parameters of order/create without category; triggerDirection follows from the price when absent. */
  placeOrder: z.looseObject(target),
  /** The parameters of position/trading-stop without category: another hand's exits. */
  tradingStop: z.looseObject(target),
  cancelOrder: z.strictObject({
    account: z.string().optional(),
    orderId: z.string().optional(),
    orderLinkId: z.string().optional(),
  }),
  setFault: z.strictObject({
    kind: z.enum(FAULT_KINDS),
    path: z.string().optional(),
    account: z.string().optional(),
    times: z.number().int().min(1).optional(),
    after: z.number().int().min(0).optional(),
    afterEffect: z.boolean().optional(),
    retCode: z.number().int().optional(),
    retMsg: z.string().optional(),
    status: z.number().int().min(400).max(599).optional(),
    delayMs: z.number().min(0).optional(),
  }),
  setAccount: z.strictObject({
    account: z.string().optional(),
    readOnly: z.boolean().optional(),
    permissions: z.record(z.string(), z.array(z.string())).optional(),
    ips: z.array(z.string()).optional(),
    marginMode: z.enum(["ISOLATED_MARGIN", "REGULAR_MARGIN", "PORTFOLIO_MARGIN"]).optional(),
    positionMode: z.enum(["one-way", "hedge"]).optional(),
    isMasterTrader: z.boolean().optional(),
    dcp: z.boolean().optional(),
    optionPositions: z.number().int().min(0).optional(),
    /** False: position rows say `openTime: 0`. */
    statesOpenTime: z.boolean().optional(),
    /** Older fills and closed profits cannot be asked for; null ends it. */
    fillsKeptMs: z.number().min(0).nullable().optional(),
  }),
  setLags: z.strictObject({
    fillToPositionMs: z.number().min(0).optional(),
    stopToVisibleMs: z.number().min(0).optional(),
  }),
  /** Market orders find only this share of their quantity; "1" ends it. */
  setLiquidity: z.strictObject({ symbol: z.string(), fraction: decimal }),
  /** Auto-deleveraging takes a part of the position at the mark price. */
  deleverage: z.strictObject({ ...legTarget, size: positive }),
  /** Delisting: every order goes with CancelBySettle, every position is settled at `price` (default: the index). */
  deliver: z.strictObject({ symbol: z.string(), price: positive.optional() }),
  setInstrument: z.strictObject({
    symbol: z.string(),
    status: z.enum(["Trading", "PreLaunch", "Delivering", "Closed"]).optional(),
    auctionPhase: z
      .enum(["CallAuction", "CallAuctionNoCancel", "CrossMatching", "ContinuousTrading"])
      .nullable()
      .optional(),
    deliveryTimeMs: z.number().int().min(0).optional(),
    tickSize: positive.optional(),
  }),
  /** A position push although nothing changed. */
  pushPosition: z.strictObject(legTarget),
} as const;

export type ControlVerb = keyof typeof SCHEMAS;
export type ControlInput<V extends ControlVerb> = z.input<(typeof SCHEMAS)[V]>;
export type ControlParsed<V extends ControlVerb> = z.output<(typeof SCHEMAS)[V]>;
