/** Execution rows of the history become fills whose quantities count, or are told as odd. */
import { type Decimal, dec } from "../../domain/decimal.js";
import type { ClosedBy, Fill, OddFill } from "../../domain/fills.js";
import { decimalOf, misshapen, positiveOf, positiveOrNull, timeOrNull, UnreadableField, wordOf } from "./fields.js";
import { type FillWire, fillRow } from "./schemas.js";

const DIRECTIONS: ReadonlyMap<string, Fill["direction"]> = new Map([
  ["Buy", "buy"],
  ["Sell", "sell"],
]);

/** docs/v5/enum, execType: with these the exchange itself closes; null: orders, which may also open. */
const FILL_TYPES: ReadonlyMap<string, ClosedBy | null> = new Map([
  ["Trade", null],
  ["BustTrade", "liquidation"],
  ["AdlTrade", "deleveraging"],
  ["Delivery", "settlement"],
  ["Settle", "settlement"],
]);

const MADE_BY: ReadonlyMap<string, ClosedBy> = new Map([
  ["StopLoss", "its stop"],
  ["PartialStopLoss", "its stop"],
  ["TakeProfit", "its take-profit"],
  ["PartialTakeProfit", "its take-profit"],
  ["TrailingStop", "its trailing stop"],
  ["CreateByStopLoss", "its stop"],
  ["CreateByPartialStopLoss", "its stop"],
  ["CreateByTakeProfit", "its take-profit"],
  ["CreateByPartialTakeProfit", "its take-profit"],
  ["CreateByTrailingStop", "its trailing stop"],
  ["CreateByTrailingProfit", "its trailing stop"],
  ["CreateByLiq", "liquidation"],
  ["CreateByTakeOver_PassThrough", "liquidation"],
  ["CreateByAdl_PassThrough", "deleveraging"],
  ["CreateBySettle", "settlement"],
]);

/** Null: booked beside the fills, and no size changed. */
export function readFill(row: unknown): Fill | OddFill | null {
  const parsed = fillRow.safeParse(row);
  try {
    if (!parsed.success) throw misshapen(row, parsed.error);
    const wire = parsed.data;
    return isNoFill(wire) ? null : fillFrom(wire);
  } catch (error) {
    if (!(error instanceof UnreadableField)) throw error;
    return { kind: "odd", atMs: parsed.success ? timeOrNull(parsed.data.execTime) : null };
  }
}

/** Funding carries the whole size as its quantity; USDC contracts settle their profit every eight hours and stay open. */
function isNoFill({ execType, closedSize }: FillWire): boolean {
  if (execType === "Funding") return true;
  return execType === "Settle" && positiveOrNull(closedSize) === null;
}

function fillFrom(wire: FillWire): Fill {
  const quantity = positiveOf("execQty", wire.execQty);
  const closedByExchange = wordOf("execType", wire.execType, FILL_TYPES);
  return {
    kind: "fill",
    execId: wire.execId,
    orderLinkId: wire.orderLinkId ?? "",
    direction: wordOf("side", wire.side, DIRECTIONS),
    quantity,
    closed: closedByExchange === null ? closedOf(wire, quantity) : quantity,
    atMs: positiveOf("execTime", wire.execTime).toNumber(),
    seq: positiveOrNull(wire.seq)?.toNumber() ?? 0,
    by: closedByExchange ?? MADE_BY.get(wire.stopOrderType ?? "") ?? MADE_BY.get(wire.createType ?? "") ?? "an order",
  };
}

/** A row without the field says nothing, and nothing is not "none". */
function closedOf({ closedSize }: FillWire, quantity: Decimal): Decimal {
  if (closedSize === undefined) throw new UnreadableField("closedSize", closedSize);
  if (closedSize === null || closedSize.trim() === "") return dec("0");
  const closed = decimalOf("closedSize", closedSize);
  if (closed.lt(0) || closed.gt(quantity)) throw new UnreadableField("closedSize", closedSize);
  return closed;
}
