/** What a look reveals that no push has told: a stop that triggered, or one of ours that replaced a tighter one. */
import type { Assessed, Assessment } from "../assess/assess.js";
import type { Decimal } from "../domain/decimal.js";
import { fullLevel } from "../verify/learn.js";
import type { LearnedLevel } from "../domain/life.js";
import { type Picture, seenAtMs } from "../domain/picture.js";
import {
  isOtherOpening,
  keyText,
  type Position,
  type PositionKey,
  type Side,
  type TriggerBy,
} from "../domain/position.js";
import type { Snapshot } from "../domain/snapshot.js";
import { isLooserStop, isPast } from "../domain/price.js";
import { basePrice } from "../policy/levels.js";
import type { Life, Lives } from "./lives.js";
import type { PassBasics } from "./parts.js";
import type { Reflex } from "./reflex.js";

export interface HindsightParts {
  /** Exits were sent to this order, perhaps by the process before this one. */
  readonly isAttached: (orderId: string) => boolean;
  readonly pass: Pick<PassBasics, "memory">;
  /** As they were known before the look. */
  readonly lives: Lives;
  /** What the look before it has shown; null: there was none. */
  readonly earlier: Assessment | null;
  readonly attached: AttachedStops;
  readonly reflex: Pick<Reflex, "broughtByUs">;
}

/** Holds each position against what was known of it before the look. */
export function lookBack(
  { positions }: Assessment,
  picture: Picture,
  { pass, lives, earlier, attached, reflex, isAttached }: HindsightParts,
): void {
  attached.recognise(picture.snapshot, isAttached);
  for (const assessed of positions) {
    const { position, stop } = assessed;
    const { key, side } = position;
    const shown = earlier?.positions.find((one) => keyText(one.position.key) === keyText(key));
    const before = lives.get(key);
    if (hasTriggeredUnseen(assessed, before)) pass.memory.remember(position, { stopTriggered: true });
    const stood = replacedByAttached(position, stop.standingFull, before, attached);
    if (stood === null || stop.standingFull === null) continue;
    const brought = { key, side, price: stop.standingFull, atMs: seenAtMs(picture, key) };
    reflex.broughtByUs(brought, { price: stood, triggerBy: triggerOf(stood, fullLevel(shown?.stop.all ?? null)) });
  }
  attached.forgetGone(picture.latest);
}

/** The stop of a position is gone, with a part of its size, and the mark is past where it stood. */
function hasTriggeredUnseen({ position, stop, market }: Assessed, before: Life | undefined): boolean {
  const stood = before?.position.fullStopLoss ?? null;
  if (before === undefined || stood === null || market === null || stop.standingFull !== null) return false;
  const mark = basePrice(position, market, "MarkPrice", "stop-loss");
  const isReduced = isSameLife(position, before) && position.size.lt(before.position.size);
  return isReduced && mark !== null && isPast(stood, mark, position.side, "stop-loss");
}

/** The tighter level that stood before, where a stop that we had attached to an entry order has replaced it; else null. */
export function replacedByAttached(
  position: Position,
  stands: Decimal | null,
  before: Life | undefined,
  attached: Pick<AttachedStops, "has">,
): Decimal | null {
  const stood = before?.position.fullStopLoss ?? null;
  if (before === undefined || stood === null || stands === null || !isSameLife(position, before)) return null;
  return isLooserStop(stands, stood, position.side) && attached.has(position.key, position.side, stands) ? stood : null;
}

/** A row alone states no trigger: it is the one that was learned with this level, if any was. */
export function triggerOf(price: Decimal, learned: LearnedLevel | null | undefined): TriggerBy | null {
  return learned?.price.eq(price) === true ? learned.triggerBy : null;
}

function isSameLife(position: Position, { position: before }: Life): boolean {
  return before.side === position.side && !isOtherOpening(before.openedAtMs, position.openedAtMs);
}

/** What an order brings is told within this time after a look has missed it; later the same level is another hand's. */
const GONE_FOR_MS = 120_000;

interface Attached {
  readonly level: string;
  /** When the first look was asked for that did not show the order; null: it rests, as far as is known. */
  goneAtMs: number | null;
}

/** The entry orders whose exits we have sent, and the levels. */
export class AttachedStops {
  readonly #byOrder = new Map<string, Attached>();

  sent(orderId: string, key: PositionKey, side: Side, stopLoss: Decimal): void {
    this.#byOrder.set(orderId, { level: levelText(key, side, stopLoss), goneAtMs: null });
  }

  /** What rests with exits that the process before this one has sent. */
  recognise({ account, orders }: Snapshot, isAttached: (orderId: string) => boolean): void {
    for (const { orderId, attachedStopLoss: price, category, symbol, positionIdx, direction } of orders) {
      if (price === null || this.isOurs(orderId) || !isAttached(orderId)) continue;
      this.sent(orderId, { account, category, symbol, positionIdx }, direction === "buy" ? "long" : "short", price);
    }
  }

  /** After each position has been held against what it may have brought. */
  forgetGone({ scope, allOrders, gaps, orders, requestedAtMs: atMs }: Snapshot): void {
    if (scope !== "account" || !allOrders || gaps.some(({ what }) => what === "positions")) return;
    const resting = new Set(orders.map(({ orderId }) => orderId));
    for (const [orderId, attached] of this.#byOrder) {
      attached.goneAtMs = resting.has(orderId) ? null : (attached.goneAtMs ?? atMs);
      if (attached.goneAtMs !== null && atMs - attached.goneAtMs > GONE_FOR_MS) this.#byOrder.delete(orderId);
    }
  }

  isOurs(orderId: string): boolean {
    return this.#byOrder.has(orderId);
  }

  has(key: PositionKey, side: Side, stopLoss: Decimal): boolean {
    const level = levelText(key, side, stopLoss);
    return [...this.#byOrder.values()].some((attached) => attached.level === level);
  }
}

function levelText(key: PositionKey, side: Side, price: Decimal): string {
  return `${keyText(key)}/${side}/${price.toFixed()}`;
}
