/** The intents that are in force or wait for their position: kept at hand, and the same as in the ledger. */
import type { PositionIntent } from "../domain/intent.js";
import { keyText } from "../domain/position.js";
import type { Intent, Ledger, Life } from "../ledger/port.js";

export type IntentChange = "set" | "bound" | "ended" | "expired" | "cleared";

export interface IntentEvent {
  readonly change: IntentChange;
  readonly intent: Intent;
}

export interface ShelfParts {
  readonly ledger: Pick<Ledger, "intents" | "saveIntent" | "bindIntent" | "endIntent">;
  /** Wall clock, milliseconds since 1970. */
  readonly now: () => number;
  readonly tell: (event: IntentEvent) => void;
  /** False: another process is the account's writer, and takes them up. */
  readonly mayBind: (account: string) => boolean;
  /** True: the life has ended, or is not known. */
  readonly isOver: (account: string, lifeId: string) => boolean;
}

export interface Shelf {
  /** What the ledger holds for the account; answers with what others have put there since. @throws LedgerError */
  refresh(account: string): Promise<readonly Intent[]>;
  /** The one in force for this life; takes up one that waits for it. Null: none. */
  forLife(life: Life): PositionIntent | null;
  /** Those of the place that are pending or bound, in force first. */
  at(key: Life["key"]): readonly Intent[];
  /** In place of what was wanted for the same side. Durable when it resolves. @throws LedgerError */
  put(intent: Intent): Promise<void>;
  /** False: there was none. @throws LedgerError */
  clear(key: Life["key"]): Promise<boolean>;
  /** True: one of that place and side waits for its order. */
  isAwaited(place: Pick<Life, "key" | "side">): boolean;
  /** An order with this link was filled: the intent that waits for it may be taken up. */
  filled(account: string, orderLinkId: string): void;
  /** Orders with these links rest: what waits for one of them does not expire meanwhile. */
  resting(account: string, orderLinkIds: readonly string[]): void;
}

const LIVE = ["pending", "bound"] as const;

export function openShelf({ ledger, now, tell, mayBind, isOver }: ShelfParts): Shelf {
  const live = new Map<string, Intent>();
  /** Changed here, and not yet, or just now, in the ledger: its word about them is old. */
  const changing = new Set<string>();
  const filledLinks = new Set<string>();
  const restingUntil = new Map<string, number>();

  const linkText = ({ key }: Intent, link: string) => `${key.account}/${link}`;

  function expiresAtMs(intent: Intent): number {
    const { orderLinkId, createdAtMs, ttlMs } = intent;
    const restedMs = orderLinkId === null ? null : restingUntil.get(linkText(intent, orderLinkId));
    return Math.max(createdAtMs, restedMs ?? createdAtMs) + ttlMs;
  }

  async function end(intent: Intent, how: string, change: "ended" | "expired" | "cleared"): Promise<void> {
    live.delete(intent.id);
    await changed(intent, async () => {
      const isEnded = await ledger.endIntent(intent.id, how, change === "expired" ? "expired" : "ended");
      if (isEnded)
        tell({ change, intent: { ...intent, state: change === "expired" ? "expired" : "ended", endedHow: how } });
    });
  }

  async function changed(intent: Intent, write: () => Promise<void>): Promise<void> {
    changing.add(intent.id);
    try {
      await write();
    } finally {
      changing.delete(intent.id);
    }
  }

  function mayTake(intent: Intent, life: Life): boolean {
    if (intent.state !== "pending" || life.ended !== null || !mayBind(life.key.account)) return false;
    const { orderLinkId, createdAtMs, ttlMs } = intent;
    if (orderLinkId !== null) return filledLinks.has(linkText(intent, orderLinkId));
    return (life.openedAtMs ?? life.firstSeenMs) <= createdAtMs + ttlMs;
  }

  function take(intent: Intent, life: Life): Intent {
    const bound: Intent = { ...intent, state: "bound", lifeId: life.id };
    live.set(bound.id, bound);
    tell({ change: "bound", intent: bound });
    // What cannot be written now is tried again when everything is compared.
    changed(bound, async () => void (await ledger.bindIntent(bound.id, life.id))).catch(() => undefined);
    return bound;
  }

  function ofSide({ key, side }: Pick<Life, "key" | "side">): readonly Intent[] {
    const name = keyText(key);
    return [...live.values()].filter((intent) => intent.side === side && keyText(intent.key) === name);
  }

  async function refresh(account: string): Promise<readonly Intent[]> {
    const arrived: Intent[] = [];
    const stored = await ledger.intents({ account, states: LIVE });
    const names = new Set(stored.map(({ id }) => id));
    for (const intent of live.values()) {
      if (intent.key.account === account && !names.has(intent.id) && !changing.has(intent.id)) live.delete(intent.id);
    }
    for (const intent of stored) {
      if (changing.has(intent.id)) continue;
      const known = live.get(intent.id);
      if (known?.state === "bound" && intent.state === "pending" && known.lifeId !== null) {
        await changed(known, async () => void (await ledger.bindIntent(known.id, known.lifeId ?? "")));
      } else {
        if (known === undefined) arrived.push(intent);
        live.set(intent.id, intent);
      }
    }
    await tidy(account);
    return arrived;
  }

  /** What has waited too long, and what belonged to a life that is over. */
  async function tidy(account: string): Promise<void> {
    for (const intent of live.values()) {
      if (intent.key.account !== account || changing.has(intent.id)) continue;
      if (intent.state === "pending" && now() > expiresAtMs(intent)) {
        await end(intent, "no such position has opened in time", "expired");
      } else if (intent.state === "bound" && intent.lifeId !== null && isOver(account, intent.lifeId)) {
        await end(intent, "its position has closed, flipped or opened anew", "ended");
      }
    }
  }

  return {
    refresh,
    forLife: (life) => {
      const candidates = ofSide(life);
      const bound = candidates.find(({ state, lifeId }) => state === "bound" && lifeId === life.id);
      if (bound !== undefined) return bound;
      const pending = candidates.find((intent) => mayTake(intent, life));
      return pending === undefined ? null : take(pending, life);
    },
    at: (key) => {
      const name = keyText(key);
      const here = [...live.values()].filter((intent) => keyText(intent.key) === name);
      return here.sort((one, other) => Number(other.state === "bound") - Number(one.state === "bound"));
    },
    put: async (intent) => {
      const before = ofSide(intent);
      await changed(intent, async () => {
        await ledger.saveIntent(intent);
        live.set(intent.id, intent);
      });
      tell({ change: "set", intent });
      for (const old of before) await end(old, "another one was set in its place", "ended");
    },
    clear: async (key) => {
      const name = keyText(key);
      const here = [...live.values()].filter((intent) => keyText(intent.key) === name);
      for (const intent of here) await end(intent, "it was cleared", "cleared");
      return here.length > 0;
    },
    isAwaited: (place) => ofSide(place).some(({ state, orderLinkId }) => state === "pending" && orderLinkId !== null),
    filled: (account, orderLinkId) => {
      // Only what somebody waits for is worth remembering.
      const isAwaited = [...live.values()].some(
        (intent) => intent.key.account === account && intent.orderLinkId === orderLinkId,
      );
      if (isAwaited) filledLinks.add(`${account}/${orderLinkId}`);
    },
    resting: (account, orderLinkIds) => {
      const awaited = new Set([...live.values()].map(({ orderLinkId }) => orderLinkId));
      for (const link of orderLinkIds) if (awaited.has(link)) restingUntil.set(`${account}/${link}`, now());
    },
  };
}
