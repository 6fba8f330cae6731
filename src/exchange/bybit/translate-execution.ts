/** Execution rows of the private stream become fills as far as they matter to a position. */
import { positiveOrNull, decimalOf, misshapen, UnreadableField, wordOf } from "./fields.js";
import type { Execution } from "../stream.js";
import { executionRow } from "./schemas.js";

export type ReadExecution =
  | { readonly kind: "execution"; readonly symbol: string; readonly execution: Execution }
  /** Booked like a fill, but no position changed. */
  | { readonly kind: "no-fill" }
  | { readonly kind: "unreadable"; readonly reason: string };

const DIRECTIONS: ReadonlyMap<string, Execution["direction"]> = new Map([
  ["Buy", "buy"],
  ["Sell", "sell"],
]);

/** docs/v5/enum, stopOrderType and createType; a trailing stop is not the hard stop. */
const STOP_LOSS_KINDS: ReadonlySet<string> = new Set(["StopLoss", "PartialStopLoss"]);
const MADE_BY_STOP_LOSS: ReadonlySet<string> = new Set(["CreateByStopLoss", "CreateByPartialStopLoss"]);

export function readExecution(row: unknown): ReadExecution {
  const parsed = executionRow.safeParse(row);
  try {
    if (!parsed.success) throw misshapen(row, parsed.error);
    const wire = parsed.data;
    if (wire.execType === "Funding") return { kind: "no-fill" };
    const execution: Execution = {
      execId: wire.execId,
      orderId: wire.orderId,
      orderLinkId: wire.orderLinkId ?? "",
      direction: wordOf("side", wire.side, DIRECTIONS),
      atMs: decimalOf("execTime", wire.execTime).toNumber(),
      fromStopLoss: STOP_LOSS_KINDS.has(wire.stopOrderType ?? "") || MADE_BY_STOP_LOSS.has(wire.createType ?? ""),
      closes: positiveOrNull(wire.closedSize) !== null,
    };
    return { kind: "execution", symbol: wire.symbol, execution };
  } catch (error) {
    if (!(error instanceof UnreadableField)) throw error;
    return { kind: "unreadable", reason: error.message };
  }
}
