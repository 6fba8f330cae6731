/** Entries of a ledger for tests: of one long position, numbered and a second apart; and a ledger that only holds them. */
import type { Entry, HistoryFilter, Json, Ledger } from "../../src/ledger/port.js";

export const START_MS = Date.parse("2026-01-01T00:00:00.000Z");

export function entry(id: number, kind: string, body: Json, over: Partial<Entry> = {}): Entry {
  return {
    id,
    atMs: START_MS + id * 1_000,
    kind,
    account: "main",
    category: "linear",
    symbol: "BTCUSDT",
    positionIdx: 0,
    side: "long",
    lifeId: null,
    body,
    ...over,
  };
}

/** The facts of a step that puts a missing stop. */
export const DEED = {
  action: "set-trading-stop",
  reason: "stop-missing",
  stopLoss: "98",
  slTriggerBy: "MarkPrice",
  purpose: "add",
} as const;

export interface HeldEntries extends Pick<Ledger, "history"> {
  readonly asked: readonly HistoryFilter[];
  add(...entries: readonly Entry[]): void;
}

/** As the port promises: newest first, filtered, in pages. */
export function holding(...first: readonly Entry[]): HeldEntries {
  const held = [...first];
  const asked: HistoryFilter[] = [];
  return {
    asked,
    add: (...entries) => void held.push(...entries),
    history: (filter) => {
      asked.push(filter);
      const { account, kinds, beforeId, limit } = filter;
      const fits = ({ id, ...one }: Entry) =>
        (account === undefined || one.account === account) &&
        (kinds === undefined || kinds.includes(one.kind)) &&
        (beforeId === undefined || id < beforeId);
      const found = held.filter(fits).toSorted((one, other) => other.id - one.id);
      return Promise.resolve(found.slice(0, limit));
    },
  };
}
