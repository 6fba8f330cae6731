/** What is done with each push: it is remembered, it may add a missing stop, and it wakes a look where something changed. */
import type { Decimal } from "../domain/decimal.js";
import type { OpenOrder } from "../domain/order.js";
import { contractText, isOtherOpening, type Position, type TriggerBy } from "../domain/position.js";
import type { Contract } from "../domain/snapshot.js";
import { contractOf, type Push, type StreamListener } from "../exchange/stream.js";
import type { Closer } from "./event.js";
import type { Hearsay } from "./hearsay.js";
import { type AttachedStops, replacedByAttached, triggerOf } from "./hindsight.js";
import type { GuardParts } from "./parts.js";
import { isLate } from "./lateness.js";
import type { Live } from "./live.js";
import type { Lives } from "./lives.js";
import type { Reflex } from "./reflex.js";
import type { WholeReason } from "./wake.js";

export interface EarParts extends Pick<GuardParts, "pass" | "tell" | "orderIntents" | "exchangeNowMs"> {
  readonly live: Live;
  readonly lives: Lives;
  readonly hearsay: Pick<Hearsay, "heard">;
  readonly reflex: Reflex;
  readonly wake: (reason: WholeReason) => void;
  readonly wakeFor: (contract: Contract) => void;
  readonly closerOf: (position: Position) => Closer;
  readonly watchesEntries: () => boolean;
  readonly attached: Pick<AttachedStops, "isOurs" | "has">;
}

/** So long the look may have taken that has shown a position first. */
const FIRST_LOOK_MS = 5_000;

type Of<K extends Push["kind"]> = Extract<Push, { kind: K }>;

export class Ear implements StreamListener {
  readonly #parts: EarParts;
  state: "starting" | "live" | "down" = "starting";

  constructor(parts: EarParts) {
    this.#parts = parts;
  }

  live(): void {
    const { live, pass, tell, wake } = this.#parts;
    live.streamLive(pass.clock.now());
    this.state = "live";
    tell({ kind: "stream", account: this.#account(), state: "live", reason: null });
    wake("stream");
  }

  down(reason: string): void {
    const { live, tell } = this.#parts;
    live.streamDown();
    this.state = "down";
    tell({ kind: "stream", account: this.#account(), state: "down", reason });
  }

  /** Orders first: a position is judged by all that the same message tells. */
  pushed(pushes: readonly Push[]): void {
    const nowMs = this.#parts.pass.clock.now();
    for (const push of pushes) if (push.kind !== "position-open") this.#heard(push, nowMs);
    for (const push of pushes) if (push.kind === "position-open") this.#heard(push, nowMs);
  }

  #heard(push: Push, nowMs: number): void {
    const { live, wake, hearsay } = this.#parts;
    const before = orderBefore(live, push);
    hearsay.heard(push, nowMs);
    if (this.#isLate(push)) return this.#heardLate(push, before, nowMs);
    // Looks are quicker at times: it closed the position before the one that is open now.
    if (push.kind === "position-flat" && this.#isBeforeOpening(push)) return this.#wakeFor(push.key);
    if (push.kind === "position-open" && this.#isOfLifeBefore(push.position)) return this.#wakeFor(push.position.key);
    live.pushed(push, nowMs);
    switch (push.kind) {
      case "position-open":
        return this.#positionOpen(push, nowMs);
      case "position-flat":
        return this.#positionFlat(push, nowMs);
      case "order-open":
        return this.#orderOpen(push, before, nowMs);
      case "order-gone":
        return this.#orderGone(push, before, nowMs);
      case "execution":
        return this.#execution(push);
      case "unreadable": {
        const contract = contractOf(push);
        if (contract === null) wake("stream");
        else this.#wakeFor(contract);
      }
    }
  }

  #isBeforeOpening(push: Of<"position-flat">): boolean {
    const openedAtMs = this.#parts.lives.get(push.key)?.position.openedAtMs ?? null;
    return openedAtMs !== null && flatAtMs(push) < openedAtMs;
  }

  #isOfLifeBefore(position: Position): boolean {
    return isOfFormerLife(position, this.#parts.lives.get(position.key)?.position);
  }

  #isLate(push: Push): boolean {
    // A fill is news for as long as it is not known.
    if (push.kind === "execution" || push.kind === "unreadable") return false;
    if (push.kind === "position-flat" && push.isOutdated === true) return true;
    const { lives, exchangeNowMs } = this.#parts;
    // That a leg is flat still is told with every order; of one that counts as open it may be told long after.
    const isOfKnown = push.kind === "position-flat" && lives.get(push.key) !== undefined;
    return isLate(isOfKnown ? flatAtMs(push) : push.atMs, exchangeNowMs());
  }

  #heardLate(push: Push, before: OpenOrder | undefined, nowMs: number): void {
    const contract = contractOf(push);
    if (contract === null) return;
    this.#parts.live.doubt(contract);
    if (push.kind === "order-open" && push.order.filledQuantity.gt(0)) this.#filled(push.order.orderLinkId, push.atMs);
    if (push.kind === "order-gone" && before !== undefined) this.#ended(push, before);
    if (push.kind === "position-flat") this.#wasFlat(push, nowMs);
    this.#wakeFor(contract);
  }

  /** Flat at a moment when what counts as open had long begun: that one is over, and what is open now is another. */
  #wasFlat(push: Of<"position-flat">, nowMs: number): void {
    const { lives, exchangeNowMs } = this.#parts;
    const known = lives.get(push.key);
    const exchangeMs = exchangeNowMs();
    // Where the exchange states when a position was opened, the next look tells them apart.
    if (known === undefined || known.position.openedAtMs !== null || exchangeMs === null) return;
    const steadyMs = nowMs - (exchangeMs - flatAtMs(push));
    if (steadyMs > known.firstSeenMs + FIRST_LOOK_MS) this.#closed(known.position, steadyMs);
  }

  #closed(position: Position, atMs: number): void {
    const { lives, tell, closerOf } = this.#parts;
    for (const event of lives.sawFlat(position.key, atMs, closerOf(position))) tell(event);
  }

  #positionOpen({ position, atMs }: Of<"position-open">, nowMs: number): void {
    const { lives, reflex, tell } = this.#parts;
    const known = lives.get(position.key)?.position;
    this.#statedStop(position, this.#steadyMs(atMs, nowMs), nowMs);
    for (const event of lives.saw(position, nowMs)) tell(event);
    const isOnItsWay = position.fullStopLoss === null && reflex.sendStop(position, nowMs);
    if (!isOnItsWay && (known === undefined || isNews(position, known))) this.#wakeFor(position.key);
  }

  /** No other push need tell of a stop; and a position may be told of before the order that has brought its stop. */
  #statedStop(position: Position, statedAtMs: number, atMs: number): void {
    const { lives, attached, reflex } = this.#parts;
    const { key, side, fullStopLoss: price } = position;
    const known = lives.get(key);
    if (price === null) return;
    reflex.rivals.saw({ key, side, price, triggerBy: this.#triggerOf(position, price), atMs: statedAtMs });
    const stood = replacedByAttached(position, price, known, attached);
    if (stood === null) return;
    reflex.broughtByUs({ key, side, price, atMs }, { price: stood, triggerBy: this.#triggerOf(position, stood) });
  }

  #triggerOf(position: Position, price: Decimal): TriggerBy | null {
    return triggerOf(price, this.#parts.pass.memory.recall(position).learned?.stopLoss);
  }

  /** When something was pushed, on the steady clock: what has waited on its way speaks of the time before. */
  #steadyMs(atMs: number, nowMs: number): number {
    const exchangeMs = this.#parts.exchangeNowMs();
    return exchangeMs === null ? nowMs : Math.min(nowMs, nowMs - (exchangeMs - atMs));
  }

  #positionFlat({ key }: Of<"position-flat">, nowMs: number): void {
    const known = this.#parts.lives.get(key);
    if (known === undefined) return;
    this.#closed(known.position, nowMs);
    this.#wakeFor(key);
  }

  #orderOpen(push: Of<"order-open">, before: OpenOrder | undefined, nowMs: number): void {
    const { reflex } = this.#parts;
    const { order, atMs } = push;
    this.#carriedStop({ ...push, contract: order, orderId: order.orderId }, before, nowMs);
    if (order.filledQuantity.gt(0)) this.#filled(order.orderLinkId, atMs);
    if (order.kind === "full-stop-loss" && order.state === "waiting" && order.triggerPrice !== null) {
      const { category, symbol, positionIdx, triggerPrice: price, triggerBy } = order;
      const key = { account: this.#account(), category, symbol, positionIdx };
      const side = order.direction === "sell" ? "long" : "short";
      if (!isOfFormerLife({ openedAtMs: order.createdAtMs }, this.#parts.lives.get(key)?.position))
        reflex.rivals.saw({ key, side, price, triggerBy: triggerBy ?? "LastPrice", atMs: nowMs });
    }
    if (this.#matters(order)) this.#wakeFor(order);
  }

  #orderGone(push: Of<"order-gone">, before: OpenOrder | undefined, nowMs: number): void {
    const { contract, how } = push;
    this.#carriedStop(push, before, nowMs);
    if (before !== undefined) this.#ended(push, before);
    if (before === undefined || this.#matters(before) || how === "filled") this.#wakeFor(contract);
  }

  /** What an order has brought about that is gone now. */
  #ended({ contract, how, atMs }: Of<"order-gone">, { kind, orderLinkId, direction }: OpenOrder): void {
    if (how === "filled") this.#filled(orderLinkId, atMs);
    const isStop = kind === "full-stop-loss" || kind === "partial-stop-loss";
    if (isStop && (how === "triggered" || how === "filled")) this.#stopTriggered(contract, direction, atMs);
  }

  /** A filled entry's own stop replaces the one that stands, also a tighter one, for which we answer if we attached it. */
  #carriedStop(
    { contract, orderId, carriedStop }: Pick<Of<"order-gone">, "contract" | "orderId" | "carriedStop">,
    before: OpenOrder | undefined,
    nowMs: number,
  ): void {
    // It came with the first part that was filled; what another hand has set since then is later.
    if (carriedStop === null || before?.filledQuantity.gt(0)) return;
    const { reflex, lives, attached } = this.#parts;
    const { positionIdx, ...stop } = carriedStop;
    const key = { account: this.#account(), ...contract, positionIdx };
    const brought = { ...stop, key, atMs: nowMs };
    reflex.carries(brought);
    const known = lives.get(key)?.position;
    if (known?.fullStopLoss == null || known.side !== stop.side || !attached.isOurs(orderId)) return;
    const price = known.fullStopLoss;
    reflex.broughtByUs(brought, { price, triggerBy: this.#triggerOf(known, price) });
  }

  #execution({ contract, execution }: Of<"execution">): void {
    if (!execution.closes) this.#filled(execution.orderLinkId, execution.atMs);
    if (execution.fromStopLoss) this.#stopTriggered(contract, execution.direction, execution.atMs);
    this.#wakeFor(contract);
  }

  #filled(orderLinkId: string, atMs: number): void {
    if (orderLinkId !== "") this.#parts.orderIntents?.filled(orderLinkId, atMs);
  }

  /** What such a stop leaves open is never again given the configured distance (contract: `nearest`). */
  #stopTriggered(contract: Contract, direction: "buy" | "sell", atMs: number): void {
    const { lives, pass } = this.#parts;
    const side = direction === "sell" ? "long" : "short";
    for (const { position } of lives.all()) {
      if (contractText(position.key) !== contractText(contract) || position.side !== side) continue;
      if (position.openedAtMs !== null && atMs < position.openedAtMs) continue;
      pass.memory.remember(position, { stopTriggered: true });
    }
  }

  /** Plain entry orders change no cover; their fills come as executions. */
  #matters({ kind, reducesOnly }: OpenOrder): boolean {
    return kind !== "plain" || reducesOnly || this.#parts.watchesEntries();
  }

  /** What is on the wire is looked at when it is answered. */
  #wakeFor(contract: Contract): void {
    if (!this.#parts.reflex.isBusy(contract)) this.#parts.wakeFor(contract);
  }

  #account(): string {
    return this.#parts.pass.reader.account;
  }
}

/** When it was flat for sure, by the exchange's clock. */
function flatAtMs({ changedAtMs, atMs }: Of<"position-flat">): number {
  return changedAtMs ?? atMs;
}

/** Late news of a position that was there before the one that is known. */
function isOfFormerLife({ openedAtMs }: Pick<Position, "openedAtMs">, known: Position | undefined): boolean {
  const knownMs = known?.openedAtMs ?? null;
  return isOtherOpening(openedAtMs, knownMs) && openedAtMs !== null && knownMs !== null && openedAtMs < knownMs;
}

/** Null: nobody knows. */
function orderBefore(live: EarParts["live"], push: Push): OpenOrder | undefined {
  if (push.kind === "order-open") return live.orderOf(push.order.orderId);
  return push.kind === "order-gone" ? live.orderOf(push.orderId) : undefined;
}

/** The exchange repeats position rows whenever an order of the contract changes (docs/v5/websocket/private/position). */
function isNews(pushed: Position, known: Position): boolean {
  const isSame = (one: Position["fullStopLoss"], other: Position["fullStopLoss"]) =>
    one === null || other === null ? one === other : one.eq(other);
  return !(
    pushed.side === known.side &&
    pushed.size.eq(known.size) &&
    pushed.state === known.state &&
    isSame(pushed.fullStopLoss, known.fullStopLoss) &&
    isSame(pushed.fullTakeProfit, known.fullTakeProfit)
  );
}
