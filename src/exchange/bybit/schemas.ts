/** The shapes that the exchange's answers must have; unknown fields pass, numbers may come as strings and back. */
import { z } from "zod";
import { Decimal } from "../../domain/decimal.js";

/** Text that a script may have made of a very small number, or of none: a tick of `1e-7`, a size of `0E-8`. */
const EXPONENT = /^\s*[+-]?\d+(\.\d+)?e[+-]?\d{1,2}\s*$/i;
/** A field that is text on most days: decimal text, a JSON number, or null. Absent stays absent. */
const numeric = z
  .union([z.string(), z.number(), z.null()])
  .transform((value) => {
    const isOther = typeof value === "number" || (value !== null && EXPONENT.test(value));
    return isOther ? new Decimal(typeof value === "number" ? value : value.trim()).toFixed() : value;
  })
  .optional();
const text = z.string().nullish();
/** Fields that decide nothing must not make a row unreadable. */
const lenientNumeric = numeric.catch(null);
const lenientText = text.catch(null);
/** Only what says so is true: nothing, zero and null are not. */
const NOT_SET = z.union([z.literal(""), z.literal(0), z.literal("0")]).transform(() => null);
const flag = z
  .union([z.boolean(), z.enum(["true", "false"]).transform((value) => value === "true"), NOT_SET])
  .nullish();
/** docs/v5/guide: only retCode tells success, the words differ between endpoints. */
export const envelope = z.looseObject({
  retCode: z.number().int(),
  retMsg: z.string().nullish().catch(null),
  result: z.unknown(),
  time: lenientNumeric,
});

/** Rows are read one by one, so that a bad one spoils only itself. */
export const pageOfRows = z.looseObject({
  list: z.array(z.unknown()),
  nextPageCursor: z.union([z.string(), z.number().transform((value) => (value === 0 ? "" : String(value)))]).nullish(),
  category: z.string().nullish(),
});

/** docs/v5/position; the stream calls the entry price `entryPrice`. */
export const positionRow = z.looseObject({
  symbol: z.string(),
  positionIdx: numeric,
  side: text,
  size: numeric,
  avgPrice: numeric,
  entryPrice: numeric,
  markPrice: lenientNumeric,
  liqPrice: numeric,
  leverage: lenientNumeric,
  positionStatus: text,
  stopLoss: numeric,
  takeProfit: numeric,
  openTime: lenientNumeric,
});
export type PositionWire = z.infer<typeof positionRow>;

/** docs/v5/order/open-order */
export const orderRow = z.looseObject({
  symbol: z.string(),
  orderId: z.string().min(1),
  orderLinkId: lenientText,
  positionIdx: numeric,
  side: text,
  orderType: text,
  orderStatus: text,
  stopOrderType: text,
  createType: lenientText,
  price: numeric,
  qty: numeric,
  leavesQty: numeric,
  cumExecQty: numeric,
  triggerPrice: numeric,
  triggerBy: text,
  triggerDirection: numeric,
  reduceOnly: flag,
  closeOnTrigger: z.union([flag, z.unknown().transform(() => "unreadable" as const)]),
  stopLoss: numeric,
  takeProfit: numeric,
  tpslMode: lenientText,
  slTriggerBy: lenientText,
  createdTime: lenientNumeric,
  updatedTime: lenientNumeric,
});
export type OrderWire = z.infer<typeof orderRow>;

/** docs/v5/ws/connect: what the private stream pushes; the rows are read one by one. */
export const pushFrame = z.looseObject({
  topic: z.string(),
  creationTime: lenientNumeric,
  data: z.array(z.unknown()),
});

/** docs/v5/websocket/private/execution */
export const executionRow = z.looseObject({
  symbol: z.string().min(1),
  execId: z.string().min(1),
  orderId: z.string(),
  orderLinkId: lenientText,
  side: text,
  execTime: numeric,
  execType: lenientText,
  stopOrderType: lenientText,
  createType: lenientText,
  closedSize: lenientNumeric,
});

/** docs/v5/order/execution: the same row as a list has it; here its quantities decide. */
export const fillRow = executionRow.extend({ execQty: numeric, closedSize: numeric, seq: lenientNumeric });
export type FillWire = z.infer<typeof fillRow>;

/** docs/v5/market/instrument */
export const instrumentRow = z.looseObject({
  symbol: z.string().min(1),
  status: lenientText,
  baseCoin: z.string(),
  quoteCoin: z.string(),
  settleCoin: z.string().min(1),
  deliveryTime: lenientNumeric,
  priceFilter: z.looseObject({ tickSize: numeric, minPrice: lenientNumeric, maxPrice: lenientNumeric }),
  lotSizeFilter: z.looseObject({ qtyStep: lenientNumeric, maxMktOrderQty: lenientNumeric }).nullish().catch(null),
  preListingInfo: z.looseObject({ curAuctionPhase: lenientText }).nullish().catch(null),
});

/** docs/v5/market/tickers */
export const tickerRow = z.looseObject({
  symbol: z.string().min(1),
  markPrice: lenientNumeric,
  lastPrice: lenientNumeric,
  indexPrice: lenientNumeric,
  curPreListingPhase: lenientText,
});

/** docs/v5/account/account-info */
export const accountInfo = z.looseObject({
  marginMode: lenientText,
  isMasterTrader: z.union([flag, z.unknown().transform(() => "unread" as const)]),
});

/** docs/v5/account/dcp-info; empty for accounts that never asked for it. */
export const dcpInfo = z.looseObject({
  dcpInfos: z.array(z.looseObject({ product: lenientText, dcpStatus: lenientText })).nullish(),
});

/** docs/v5/user/apikey-info */
export const keyInfo = z.looseObject({
  readOnly: z.union([z.literal(0), z.literal(1), z.literal("0"), z.literal("1")]).transform((value) => `${value}`),
  permissions: z.record(z.string(), z.unknown()),
  ips: z.union([z.array(z.string()), z.string()]).nullish(),
  expiredAt: lenientText,
  isMaster: flag.catch(null),
});
export type KeyInfoWire = z.infer<typeof keyInfo>;

/** docs/v5/market/time: the envelope's own time is what counts. */
export const serverTime = z.looseObject({ timeSecond: numeric });

/** docs/v5/position/trading-stop: the result is an empty object. */
export const tradingStopResult = z.looseObject({});

/** docs/v5/order/create-order, docs/v5/order/amend-order */
export const namedOrder = z.looseObject({ orderId: z.string().min(1) });
