/** What is open at this moment, as far as a live stream tells: the last whole look, with every push since laid over it. */
import type { OpenOrder } from "../domain/order.js";
import { contractText, keyText, type Position, type PositionKey } from "../domain/position.js";
import type { Contract, Snapshot } from "../domain/snapshot.js";
import type { Push } from "../exchange/stream.js";

/** A look takes seconds at most; pushes that came while it was under way are laid over it. */
const PUSHES_KEPT_MS = 60_000;
/** A read may show the exchange as it was a moment before it was asked. */
export const READ_LAG_MS = 2_000;

/** Null: it was told flat. */
interface Pushed {
  readonly contract: Contract;
  readonly position: Position | null;
}

/** When it was received, on the steady clock. */
export interface HeardPush {
  readonly atMs: number;
  readonly push: Push;
}

export class Live {
  #liveSinceMs: number | null = null;
  #wholeFromMs: number | null = null;
  readonly #orders = new Map<string, OpenOrder>();
  readonly #doubtful = new Set<string>();
  readonly #positions = new Map<string, Pushed>();
  #pushes: HeardPush[] = [];

  /** Nothing that was known before counts: it may have changed while nobody told. */
  streamLive(nowMs: number): void {
    this.#forget();
    this.#liveSinceMs = nowMs;
  }

  streamDown(): void {
    this.#forget();
    this.#liveSinceMs = null;
  }

  pushed(push: Push, nowMs: number): void {
    this.#forgetPushes(nowMs);
    this.#pushes.push({ atMs: nowMs, push });
    this.#lay(push);
  }

  /** A look that was asked for before the stream came live may have missed what happened in between. */
  looked(snapshot: Snapshot): void {
    if (this.#liveSinceMs === null || snapshot.requestedAtMs < this.#liveSinceMs) return;
    if (snapshot.scope === "account") this.#lookedAtAll(snapshot);
    else this.#lookedAtSome(snapshot, snapshot.scope);
    // What a look shows open is not told flat any more, but by what was pushed since.
    for (const { key } of snapshot.positions) if (this.lastPushed(key) === null) this.#positions.delete(keyText(key));
    const fromMs = snapshot.requestedAtMs - READ_LAG_MS;
    for (const { atMs, push } of this.#pushes) if (atMs >= fromMs) this.#lay(push);
  }

  /** True: everything open was looked at since the stream came live, and pushes tell the rest. */
  isWhole(): boolean {
    return this.#wholeFromMs !== null;
  }

  /** Until it is looked at, what orders it has is not known for sure. */
  doubt({ category, symbol }: Contract): void {
    this.#doubt(category, symbol);
  }

  /** Null: what orders a contract has is not known for sure. */
  ordersOf(contract: Contract): readonly OpenOrder[] | null {
    const name = contractText(contract);
    const isDoubtful = this.#doubtful.has(name) || this.#doubtful.has(contract.category);
    if (this.#wholeFromMs === null || isDoubtful) return null;
    return [...this.#orders.values()].filter((order) => contractText(order) === name);
  }

  orderOf(orderId: string): OpenOrder | undefined {
    return this.#orders.get(orderId);
  }

  /** As pushed last since the stream came live: null where it was flat, undefined where nothing was pushed. */
  lastPushed(key: PositionKey): Position | null | undefined {
    return this.#positions.get(keyText(key))?.position;
  }

  /** What was pushed from then on, as far as it is remembered. */
  pushedSince(fromMs: number): readonly HeardPush[] {
    return this.#pushes.filter(({ atMs }) => atMs >= fromMs);
  }

  #lookedAtAll(snapshot: Snapshot): void {
    if (!snapshot.allOrders) return;
    this.#wholeFromMs = snapshot.requestedAtMs;
    this.#orders.clear();
    this.#doubtful.clear();
    for (const order of snapshot.orders) this.#orders.set(order.orderId, order);
    for (const { category, symbol } of snapshot.unreadableOrders) this.#doubt(category, symbol);
  }

  #lookedAtSome(snapshot: Snapshot, scope: readonly Contract[]): void {
    if (!snapshot.allOrders) return;
    const seen = new Set(scope.map(contractText));
    for (const [orderId, order] of this.#orders) if (seen.has(contractText(order))) this.#orders.delete(orderId);
    for (const order of snapshot.orders) this.#orders.set(order.orderId, order);
    for (const contract of seen) this.#doubtful.delete(contract);
    for (const { category, symbol } of snapshot.unreadableOrders) this.#doubt(category, symbol);
  }

  #lay(push: Push): void {
    switch (push.kind) {
      case "position-open":
        this.#positions.set(keyText(push.position.key), { contract: push.position.key, position: push.position });
        return;
      case "position-flat":
        this.#positions.set(keyText(push.key), { contract: push.key, position: null });
        return;
      case "order-open":
        this.#orders.set(push.order.orderId, push.order);
        return;
      case "order-gone":
        this.#orders.delete(push.orderId);
        return;
      case "unreadable":
        if (push.category === null) this.#doubtAll();
        else this.#doubt(push.category, push.symbol);
        return;
      case "execution":
        return;
    }
  }

  /** A row without a symbol may be of any contract of its category; and it may have opened what was told flat. */
  #doubt(category: Contract["category"], symbol: string | null): void {
    this.#doubtful.add(symbol === null ? category : contractText({ category, symbol }));
    this.#forgetFlat((contract) => contract.category === category && (symbol ?? contract.symbol) === contract.symbol);
  }

  #doubtAll(): void {
    this.#wholeFromMs = null;
    this.#forgetFlat(() => true);
  }

  #forgetFlat(isMeant: (contract: Contract) => boolean): void {
    for (const [name, { contract, position }] of this.#positions)
      if (position === null && isMeant(contract)) this.#positions.delete(name);
  }

  /** Seldom, as a busy account pushes hundreds of times a second. */
  #forgetPushes(nowMs: number): void {
    const [oldest] = this.#pushes;
    if (oldest === undefined || nowMs - oldest.atMs < 2 * PUSHES_KEPT_MS) return;
    this.#pushes = this.#pushes.filter(({ atMs }) => nowMs - atMs < PUSHES_KEPT_MS);
  }

  #forget(): void {
    this.#wholeFromMs = null;
    this.#orders.clear();
    this.#doubtful.clear();
    this.#positions.clear();
    this.#pushes = [];
  }
}
