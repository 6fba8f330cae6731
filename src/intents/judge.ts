/** Whether a wish makes sense, for the position as it stands: refused with both prices, or to be kept. */
import { type Assessed } from "../assess/assess.js";
import { isWhole } from "../assess/coverage.js";
import { type Decimal, dec, print } from "../domain/decimal.js";
import type { PositionIdx, Side } from "../domain/position.js";
import { isLooserStop, isPast } from "../domain/price.js";
import { basePrice } from "../policy/levels.js";
import type { IntentAnswer, IntentDocument } from "./document.js";

export interface Wish {
  readonly side: Side;
  readonly stopLoss: Decimal | null;
  readonly takeProfit: Decimal | null;
  readonly waiver: { readonly reason: string; readonly untilMs: number; readonly until: string } | null;
}

export type Refusal = Extract<IntentAnswer, { status: "refused" }>;

export interface Judgement {
  readonly refusal: Refusal | null;
  readonly wish: Wish;
  /** The stop that stands, where the wish is to loosen it; else null. */
  readonly mayLoosenFrom: Decimal | null;
}

export interface JudgedAgainst {
  readonly positionIdx: PositionIdx;
  /** The position of that side that is open at the place; null: none, or it has not been seen. */
  readonly open: Assessed | null;
  readonly nowMs: number;
}

export function judgeWish(document: IntentDocument, against: JudgedAgainst): Judgement {
  const wish = wishOf(document);
  const refusal = senseless(document, wish, against) ?? pastMark(wish, against.open);
  const standing = looserThan(wish, against.open);
  if (refusal !== null || standing === null) return { refusal, wish, mayLoosenFrom: null };
  return document.allowLoosen && against.open?.stop.standingFull != null
    ? { refusal: null, wish, mayLoosenFrom: standing }
    : { refusal: wouldLoosen(wish, standing, document), wish, mayLoosenFrom: null };
}

export function wishOf({ side, stopLoss, takeProfit, reason, until }: IntentDocument): Wish {
  const isWaived = stopLoss === "none" && reason !== undefined && until !== undefined;
  return {
    side,
    stopLoss: stopLoss === undefined || stopLoss === "none" ? null : dec(stopLoss),
    takeProfit: takeProfit === undefined ? null : dec(takeProfit),
    waiver: isWaived ? { reason, untilMs: Date.parse(until), until: new Date(until).toISOString() } : null,
  };
}

function senseless({ allowLoosen }: IntentDocument, wish: Wish, { positionIdx, nowMs }: JudgedAgainst): Refusal | null {
  const { side, stopLoss, takeProfit, waiver } = wish;
  const leg = positionIdx === 1 ? "long" : positionIdx === 2 ? "short" : null;
  if (leg !== null && leg !== side) return unprocessable(`positionIdx ${positionIdx} is the ${leg} leg, not a ${side}`);
  if (waiver !== null && waiver.untilMs <= nowMs) return unprocessable(`until ${waiver.until} is over already`);
  if (waiver !== null && allowLoosen)
    return unprocessable("a waiver loosens nothing: it keeps a stop from being added");
  if (stopLoss === null || takeProfit === null) return null;
  const isCrossed = side === "long" ? stopLoss.gte(takeProfit) : stopLoss.lte(takeProfit);
  if (!isCrossed) return null;
  const where = side === "long" ? "below" : "above";
  return unprocessable(`a ${side}'s stop ${print(stopLoss)} must be ${where} its take-profit ${print(takeProfit)}`);
}

function pastMark({ side, stopLoss, takeProfit }: Wish, open: Assessed | null): Refusal | null {
  if (open?.market == null) return null;
  const { position, market, policy } = open;
  const stopBy = policy.protection.stopLoss?.triggerBy ?? "MarkPrice";
  const profitBy = policy.protection.takeProfit?.triggerBy ?? "LastPrice";
  const levels = [
    { exit: "stop-loss", price: stopLoss, triggerBy: stopBy },
    { exit: "take-profit", price: takeProfit, triggerBy: profitBy },
  ] as const;
  for (const { exit, price, triggerBy } of levels) {
    const base = basePrice(position, market, triggerBy, exit);
    if (price === null || base === null || !(isPast(price, base, side, exit) || price.eq(base))) continue;
    const message = `a ${side} is open, and ${triggerBy} ${print(base)} has passed the ${exit} ${print(price)}`;
    return { ...unprocessable(message), standing: print(base), wanted: print(price) };
  }
  return null;
}

/** The stop that stands and is tighter than the wish; null: nothing would be loosened. */
function looserThan({ side, stopLoss }: Wish, open: Assessed | null): Decimal | null {
  if (open === null || stopLoss === null) return null;
  const { standingFull, inside } = open.stop;
  const standing = standingFull ?? (isWhole(inside) ? (inside?.price ?? null) : null);
  return standing !== null && isLooserStop(stopLoss, standing, side) ? standing : null;
}

/** As keys say it; an option says it otherwise. */
export const LEAVE_TO_LOOSEN = "allowLoosen: true";

function wouldLoosen({ stopLoss }: Wish, standing: Decimal, { allowLoosen }: IntentDocument): Refusal {
  const wanted = stopLoss === null ? "" : print(stopLoss);
  const cure = allowLoosen
    ? "and it rests as orders of another hand, which are never moved"
    : `which needs ${LEAVE_TO_LOOSEN}`;
  const message = `a stop stands at ${print(standing)}; ${wanted} would loosen it, ${cure}`;
  return { status: "refused", httpStatus: 409, code: "would-loosen", message, standing: print(standing), wanted };
}

export function unprocessable(message: string): Refusal {
  return { status: "refused", httpStatus: 422, code: "unprocessable", message };
}
