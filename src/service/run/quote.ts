/** The exits for an order that is about to be sent, from a read that is asked for now. */
import { type Assessed, type Assessment, assess } from "../../assess/assess.js";
import { type Decimal, dec } from "../../domain/decimal.js";
import { contractText, keyText, type PositionKey, type Side } from "../../domain/position.js";
import type { Contract, Snapshot } from "../../domain/snapshot.js";
import { ExchangeFailure } from "../../exchange/failure.js";
import type { QuoteAnswer, QuoteRequest } from "../../http/desk.js";
import { unlistedNote } from "../../intents/keep.js";
import { isForNext } from "../../intents/set-for.js";
import type { Intent } from "../../ledger/port.js";
import { entryLegs } from "../../plan/entry.js";
import { quoteFor } from "../../plan/quote.js";
import { systemClock } from "../../runtime/index.js";
import type { GuardParts } from "../../sidecar/parts.js";

export type Sight = Pick<GuardParts["pass"], "reader" | "policyOf" | "memory">;

/** "unread": nothing could be read; "unlisted": the exchange has said that it has no such contract. */
export async function lookAt(
  { category, symbol }: Contract,
  sight: Sight,
): Promise<Assessment | "unread" | "unlisted"> {
  const { reader, policyOf, memory } = sight;
  const contract = { category, symbol };
  const isUnlisted = async () => (await reader.knows(contract)) === false;
  try {
    // Somebody beside the guard wants to know: its passes go first.
    const snapshot = await reader.snapshot([contract], "patient");
    const isBare = snapshot.positions.length === 0 && !snapshot.instruments.has(contractText(contract));
    if (isBare && (await isUnlisted())) return "unlisted";
    return assess({
      snapshot,
      policyOf: ({ key, side }) => policyOf(key, side),
      lifeOf: (position) => memory.recall(position),
    });
  } catch (error) {
    if (!(error instanceof ExchangeFailure)) throw error;
    return error.facts.kind === "refused" && (await isUnlisted()) ? "unlisted" : "unread";
  }
}

export interface QuoteParts extends Sight {
  /** Those of the place that are pending or bound. */
  readonly intentsAt: (key: PositionKey) => readonly Intent[];
}

export async function quoteFrom(request: QuoteRequest, parts: QuoteParts): Promise<QuoteAnswer> {
  const { account, category, symbol, side, positionIdx = 0 } = request;
  const key = { account, category, symbol, positionIdx };
  const assessment = await lookAt(key, parts);
  if (assessment === "unlisted") return none(404, unlistedNote(key));
  if (assessment === "unread") return none(503, "the exchange could not be read");
  const { snapshot } = assessment;
  const instrument = snapshot.instruments.get(contractText(key));
  if (instrument === undefined) return none(503, `the trading rules of ${symbol} could not be read`);
  const ticker = snapshot.tickers.get(contractText(key));
  if (ticker === undefined) return none(503, `the prices of ${symbol} could not be read`);
  if (snapshot.gaps.length > 0) return none(503, snapshot.gaps[0]?.reason ?? "not everything could be read");
  const unread = assessment.unseen.find(({ row }) => row.positionIdx === null || row.positionIdx === positionIdx);
  if (unread !== undefined) return none(503, `what stands at the exchange cannot be read: ${unread.row.reason}`);
  const isOpen = ({ position }: Assessed) => keyText(position.key) === keyText(key) && position.side === side;
  const open = assessment.positions.find(isOpen) ?? null;
  const nowMs = Math.max(snapshot.requestedAtMs, systemClock.now());
  const policy = parts.policyOf(key, side);
  const waiting = parts.intentsAt(key).findLast((intent) => isForNext(intent, side, nowMs)) ?? null;
  const intent = open === null ? waiting : open.life.intent;
  const quoted = quoteFor({
    side,
    price: request.price === undefined ? null : dec(request.price),
    policy,
    market: { instrument, ticker, marginMode: snapshot.marginMode },
    intent: policy.protection.mode === "report-only" ? null : intent,
    open,
    resting: restingStops(snapshot, key, side),
    nowMs,
  });
  if (quoted.kind === "none") return none(422, quoted.reason);
  const { stopLoss, takeProfit } = quoted;
  const profit =
    takeProfit === null ? {} : { takeProfit: takeProfit.price.toFixed(), tpTriggerBy: takeProfit.triggerBy };
  const stop = { stopLoss: stopLoss.price.toFixed(), slTriggerBy: stopLoss.triggerBy };
  return { kind: "quoted", fields: { ...stop, ...profit, tpslMode: "Full" } };
}

/** Those that take a position's place for its stop; a Partial one becomes a leg beside it. */
function restingStops(snapshot: Snapshot, key: PositionKey, side: Side): readonly Decimal[] {
  const legs = entryLegs(snapshot).filter((leg) => keyText(leg.key) === keyText(key) && leg.side === side);
  return legs.flatMap(({ orders }) =>
    orders.flatMap(({ attachedStopLoss: price, attachedMode }) =>
      price === null || attachedMode === "partial" ? [] : [price],
    ),
  );
}

function none(httpStatus: 404 | 422 | 503, message: string): QuoteAnswer {
  return { kind: "none", httpStatus, message };
}
