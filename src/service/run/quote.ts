/** The exits for an order that is about to be sent, from a read that is asked for now. */
import { type Assessed, type Assessment, assess } from "../../assess/assess.js";
import { dec } from "../../domain/decimal.js";
import { contractText, keyText, type PositionKey } from "../../domain/position.js";
import type { Contract } from "../../domain/snapshot.js";
import { ExchangeFailure } from "../../exchange/failure.js";
import type { QuoteAnswer, QuoteRequest } from "../../http/desk.js";
import type { Intent } from "../../ledger/port.js";
import { quoteFor } from "../../plan/quote.js";
import { systemClock } from "../../runtime/index.js";
import type { GuardParts } from "../../sidecar/parts.js";

export type Sight = Pick<GuardParts["pass"], "reader" | "policyOf" | "memory">;

/** Null: nothing could be read. */
export async function lookAt({ category, symbol }: Contract, sight: Sight): Promise<Assessment | null> {
  const { reader, policyOf, memory } = sight;
  try {
    const snapshot = await reader.snapshot([{ category, symbol }]);
    return assess({
      snapshot,
      policyOf: ({ key, side }) => policyOf(key, side),
      lifeOf: (position) => memory.recall(position),
    });
  } catch (error) {
    if (error instanceof ExchangeFailure) return null;
    throw error;
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
  if (assessment === null) return none(503, "the exchange could not be read");
  const { snapshot } = assessment;
  const instrument = snapshot.instruments.get(contractText(key));
  if (instrument === undefined) return none(404, `the exchange knows no ${category} contract ${symbol}`);
  const ticker = snapshot.tickers.get(contractText(key));
  if (ticker === undefined) return none(503, `the prices of ${symbol} could not be read`);
  if (snapshot.gaps.length > 0) return none(503, snapshot.gaps[0]?.reason ?? "not everything could be read");
  const unread = assessment.unseen.find(({ row }) => row.positionIdx === null || row.positionIdx === positionIdx);
  if (unread !== undefined) return none(503, `what stands at the exchange cannot be read: ${unread.row.reason}`);
  const isOpen = ({ position }: Assessed) => keyText(position.key) === keyText(key) && position.side === side;
  const open = assessment.positions.find(isOpen) ?? null;
  const waiting = parts.intentsAt(key).find((intent) => intent.side === side) ?? null;
  const quoted = quoteFor({
    side,
    price: request.price === undefined ? null : dec(request.price),
    policy: parts.policyOf(key, side),
    market: { instrument, ticker, marginMode: snapshot.marginMode },
    intent: open?.life.intent ?? waiting,
    open,
    nowMs: Math.max(snapshot.requestedAtMs, systemClock.now()),
  });
  if (quoted.kind === "none") return none(422, quoted.reason);
  const { stopLoss, takeProfit } = quoted;
  const profit =
    takeProfit === null ? {} : { takeProfit: takeProfit.price.toFixed(), tpTriggerBy: takeProfit.triggerBy };
  const stop = { stopLoss: stopLoss.price.toFixed(), slTriggerBy: stopLoss.triggerBy };
  return { kind: "quoted", fields: { ...stop, ...profit, tpslMode: "Full" } };
}

function none(httpStatus: 404 | 422 | 503, message: string): QuoteAnswer {
  return { kind: "none", httpStatus, message };
}
