/** The intents that are in force or wait for their position: kept at hand, and the same as in the ledger. */
import type { PositionIntent } from "../domain/intent.js";
import { isOtherOpening, keyText } from "../domain/position.js";
import { type Intent, type Ledger, LedgerError, type Life } from "../ledger/port.js";
import { CLOCKS_APART_MS, fitOf, isForOneLife } from "./set-for.js";

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
  /** Those of the account that are pending or bound. */
  of(account: string): readonly Intent[];
  /**
   * In place of what was wanted for the same side. Durable when it resolves. False: one of this id has been taken up
   * before, or is over, and nothing is changed. @throws LedgerError
   */
  put(intent: Intent): Promise<boolean>;
  /** False: there was none. @throws LedgerError */
  clear(key: Life["key"]): Promise<boolean>;
  /** Ends this one; without effect where it is over. @throws LedgerError */
  end(intent: Intent, how: string): Promise<void>;
  /** True: one of that place and side waits for its order. */
  isAwaited(place: Pick<Life, "key" | "side">): boolean;
  /** An order with this link was filled, by the exchange's clock: the intent that waits for it may be taken up. */
  filled(account: string, orderLinkId: string, atMs: number): void;
  /** Orders with these links rest: what waits for one of them does not expire meanwhile. */
  resting(account: string, orderLinkIds: readonly string[]): void;
}

const LIVE = ["pending", "bound"] as const;
const NOT_OPENED = "no such position has opened in time";
const NOT_PROVEN_IN_TIME = "that its position is still the one that it was set for was not proven in time";
const REPLACED = "another one was set in its place";

export function openShelf({ ledger, now, tell, mayBind, isOver }: ShelfParts): Shelf {
  const live = new Map<string, Intent>();
  /** Changed here, and not yet in the ledger. */
  const changing = new Set<string>();
  /** Changed here since a question was put to the ledger that is not answered yet: its word about them is old. */
  const changedSince = new Set<string>();
  let questions = 0;
  /** What the ledger could not be told of when another one came in its place. */
  const replaced = new Map<string, Intent>();
  /** When each was filled, by the exchange's clock. */
  const filledLinks = new Map<string, number>();
  /** Found to be for no position any more, and why: not taken up, also while the ledger cannot be told. */
  const overNow = new Map<string, string>();
  const restingUntil = new Map<string, number>();
  /** Accounts whose orders have been looked at: before that nobody knows which orders rest. */
  const lookedAt = new Set<string>();

  const linkText = ({ key }: Intent, link: string) => `${key.account}/${link}`;

  function hasExpired(intent: Intent): boolean {
    const { key, orderLinkId, createdAtMs, ttlMs } = intent;
    // A position that opened in time may not have been looked at yet.
    if (!lookedAt.has(key.account)) return false;
    if (orderLinkId === null) return now() > createdAtMs + ttlMs;
    const restedMs = restingUntil.get(linkText(intent, orderLinkId)) ?? createdAtMs;
    return now() > Math.max(createdAtMs, restedMs) + ttlMs;
  }

  /** Where it cannot be written it is in force as before. */
  async function end(intent: Intent, how: string, change: "ended" | "expired" | "cleared"): Promise<void> {
    live.delete(intent.id);
    forgetFill(intent);
    const state = change === "expired" ? "expired" : "ended";
    try {
      const isEnded = await changed(intent, () => ledger.endIntent(intent.id, how, state));
      if (isEnded) tell({ change, intent: { ...intent, state, endedHow: how } });
    } catch (error) {
      live.set(intent.id, intent);
      throw error;
    }
  }

  /** Another one is in force already: what cannot be written now is tried again when everything is compared. */
  async function replace(old: Intent): Promise<void> {
    replaced.set(old.id, old);
    try {
      await end(old, REPLACED, "ended");
      replaced.delete(old.id);
    } catch (error) {
      live.delete(old.id);
      if (!(error instanceof LedgerError)) throw error;
    }
  }

  async function changed<T>({ id }: Intent, write: () => Promise<T>): Promise<T> {
    changing.add(id);
    try {
      return await write();
    } finally {
      changing.delete(id);
      if (questions > 0) changedSince.add(id);
    }
  }

  function mayTake(intent: Intent, life: Life): boolean {
    const { id, state, orderLinkId, mayLoosenFrom, createdAtMs } = intent;
    if (state !== "pending" || overNow.has(id) || !mayBind(life.key.account)) return false;
    if (orderLinkId !== null) {
      const isLater = (life.openedAtMs ?? life.firstSeenMs) > createdAtMs + CLOCKS_APART_MS;
      if (mayLoosenFrom !== null && isLater) return false;
      return isItsFill(filledLinks.get(linkText(intent, orderLinkId)), intent, life);
    }
    const fit = fitOf(intent, life);
    if (typeof fit !== "string") giveUp(intent, fit.over);
    return fit === "fits";
  }

  /** What cannot be written now is tried again when everything is compared. */
  function giveUp(intent: Intent, how: string): void {
    overNow.set(intent.id, how);
    end(intent, how, "ended").catch(() => undefined);
  }

  function forgetFill(intent: Intent): void {
    if (intent.orderLinkId !== null) filledLinks.delete(linkText(intent, intent.orderLinkId));
  }

  function take(intent: Intent, life: Life): Intent {
    forgetFill(intent);
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

  /** Those that are bound to the same life. */
  function ofLife(intent: Intent): readonly Intent[] {
    return ofSide(intent).filter(({ state, lifeId }) => state === "bound" && lifeId === intent.lifeId);
  }

  async function refresh(account: string): Promise<readonly Intent[]> {
    questions += 1;
    try {
      return await compare(account, await ledger.intents({ account, states: LIVE }));
    } finally {
      questions -= 1;
      if (questions === 0) changedSince.clear();
    }
  }

  const isOwnWord = ({ id }: Intent) => changing.has(id) || changedSince.has(id);

  async function compare(account: string, stored: readonly Intent[]): Promise<readonly Intent[]> {
    const arrived: Intent[] = [];
    const names = new Set(stored.map(({ id }) => id));
    for (const intent of live.values()) {
      if (intent.key.account === account && !names.has(intent.id) && !isOwnWord(intent)) live.delete(intent.id);
    }
    for (const intent of stored) {
      if (isOwnWord(intent)) continue;
      const known = live.get(intent.id);
      const old = replaced.get(intent.id);
      if (old !== undefined) {
        await replace(old);
      } else if (known?.state === "bound" && intent.state === "pending" && known.lifeId !== null) {
        const { id, lifeId } = known;
        await changed(known, () => ledger.bindIntent(id, lifeId));
      } else {
        if (known === undefined) arrived.push(intent);
        live.set(intent.id, intent);
      }
    }
    await tidy(account);
    return arrived;
  }

  /** What has waited too long, what belonged to a life that is over, and what another one has come in place of. */
  async function tidy(account: string): Promise<void> {
    for (const intent of live.values()) {
      if (intent.key.account !== account || changing.has(intent.id)) continue;
      // Who set the other may have died before it could end this one.
      const newest = ofSide(intent).findLast(({ state }) => state === "pending") ?? newestOf(ofLife(intent));
      if (newest !== undefined && newest.id !== intent.id) {
        await end(intent, REPLACED, "ended");
      } else if (overNow.has(intent.id)) {
        await end(intent, overNow.get(intent.id) ?? "", "ended");
      } else if (intent.state === "pending" && hasExpired(intent)) {
        await end(intent, isForOneLife(intent) ? NOT_PROVEN_IN_TIME : NOT_OPENED, "expired");
      } else if (intent.state === "bound" && intent.lifeId !== null && isOver(account, intent.lifeId)) {
        await end(intent, "its position has closed, flipped or opened anew", "ended");
      }
    }
  }

  return {
    refresh,
    forLife: (life) => {
      // A row that is seconds old may still speak of a life that is over.
      if (life.ended !== null) return null;
      const candidates = ofSide(life);
      const bound = newestOf(candidates.filter(({ state, lifeId }) => state === "bound" && lifeId === life.id));
      if (bound !== undefined) return bound;
      const pending = candidates.findLast((intent) => mayTake(intent, life));
      return pending === undefined ? null : take(pending, life);
    },
    at: (key) => {
      const name = keyText(key);
      const here = [...live.values()].filter((intent) => keyText(intent.key) === name);
      return here.sort((one, other) => Number(other.state === "bound") - Number(one.state === "bound"));
    },
    of: (account) => [...live.values()].filter(({ key }) => key.account === account),
    put: async (intent) => {
      const before = ofSide(intent).filter(({ id }) => id !== intent.id);
      const isNew = await changed(intent, async () => {
        if (!(await ledger.saveIntent(intent))) return false;
        live.set(intent.id, intent);
        tell({ change: "set", intent });
        for (const old of before) await replace(old);
        return true;
      });
      return isNew;
    },
    clear: async (key) => {
      const name = keyText(key);
      const here = [...live.values()].filter((intent) => keyText(intent.key) === name);
      for (const intent of here) await end(intent, "it was cleared", "cleared");
      return here.length > 0;
    },
    end: (intent, how) => end(intent, how, "ended"),
    isAwaited: (place) => ofSide(place).some(({ state, orderLinkId }) => state === "pending" && orderLinkId !== null),
    filled: (account, orderLinkId, atMs) => {
      // Only what somebody waits for is worth remembering.
      const isAwaited = [...live.values()].some(
        (intent) => intent.key.account === account && intent.orderLinkId === orderLinkId,
      );
      if (isAwaited) filledLinks.set(`${account}/${orderLinkId}`, atMs);
    },
    resting: (account, orderLinkIds) => {
      lookedAt.add(account);
      const awaited = new Set([...live.values()].map(({ orderLinkId }) => orderLinkId));
      for (const link of orderLinkIds) if (awaited.has(link)) restingUntil.set(`${account}/${link}`, now());
    },
  };
}

function newestOf(intents: readonly Intent[]): Intent | undefined {
  return [...intents].sort((one, other) => other.createdAtMs - one.createdAtMs)[0];
}

/** The fill has opened this life, or added to it: what began later is another's, and what was filled before was not asked for. */
function isItsFill(filledMs: number | undefined, { createdAtMs }: Intent, { openedAtMs, firstSeenMs }: Life): boolean {
  if (filledMs === undefined || filledMs < createdAtMs - CLOCKS_APART_MS) return false;
  if (openedAtMs === null) return firstSeenMs <= filledMs + CLOCKS_APART_MS;
  return openedAtMs <= filledMs || !isOtherOpening(openedAtMs, filledMs);
}
