/** A desk for tests: answers like a sidecar in good order, keeps what it was asked, and tells what a test says. */
import type { Desk, DeskEvent } from "../../src/http/index.js";
import type { IntentView } from "../../src/intents/document.js";
import type { Pause } from "../../src/ledger/pauses.js";
import type { Entry } from "../../src/ledger/port.js";
import { aReport } from "../report/builders.js";

export interface FakeDesk extends Desk {
  /** In order: the name of what was asked, and with what. */
  readonly asked: readonly (readonly [string, ...unknown[]])[];
  tell(event: DeskEvent): void;
  listeners(): number;
}

export function anIntent(changes: Partial<IntentView> = {}): IntentView {
  return {
    account: "main",
    category: "linear",
    symbol: "BTCUSDT",
    positionIdx: 0,
    id: "intent-1",
    side: "long",
    stopLoss: "49000",
    takeProfit: null,
    waiver: null,
    orderLinkId: null,
    ttlSeconds: 600,
    allowLoosen: false,
    state: "pending",
    createdAt: "2026-01-01T00:00:00.000Z",
    expiresAt: "2026-01-01T00:10:00.000Z",
    endedHow: null,
    who: "http",
    ...changes,
  };
}

export function anEntry(changes: Partial<Entry> = {}): Entry {
  return {
    id: 7,
    atMs: Date.UTC(2026, 0, 1),
    kind: "step-judged",
    account: "main",
    category: "linear",
    symbol: "BTCUSDT",
    positionIdx: 0,
    side: "long",
    lifeId: "life-1",
    body: { outcome: "confirmed" },
    ...changes,
  };
}

export function aPause(changes: Partial<Pause> = {}): Pause {
  return { account: null, symbol: null, untilMs: null, sinceMs: Date.UTC(2026, 0, 1), reason: null, ...changes };
}

export function fakeDesk(changes: Partial<Desk> = {}): FakeDesk {
  const asked: [string, ...unknown[]][] = [];
  const listeners = new Set<(event: DeskEvent) => void>();
  const desk: Desk = {
    accounts: () => ["main", "grid"],
    report: () => aReport({ command: "run" }),
    sweep: () => Promise.resolve(aReport({ command: "run", generatedAt: "2026-01-01T00:00:09.000Z" })),
    listen: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    setIntent: (place, { side }) =>
      Promise.resolve({ status: "pending", intent: anIntent({ ...place, side }), message: "waits for the position" }),
    intent: (place) => Promise.resolve(anIntent(place)),
    clearIntent: () => Promise.resolve(true),
    quote: () => Promise.resolve({ kind: "quoted", fields: { stopLoss: "49000", tpslMode: "Full" } }),
    pause: () => Promise.resolve({ added: [aPause()], inForce: [aPause()] }),
    resume: () => Promise.resolve({ removed: [aPause()], stillHolding: [], inForce: [], damage: null }),
    history: () => Promise.resolve([anEntry()]),
    ...changes,
  };
  const kept = Object.entries(desk).map(([name, work]: [string, (...given: unknown[]) => unknown]) => [
    name,
    (...given: unknown[]) => {
      const words = given.filter((each) => !(each instanceof AbortSignal));
      if (name !== "accounts" && name !== "listen") asked.push([name, ...words]);
      return work(...given);
    },
  ]);
  return {
    ...(Object.fromEntries(kept) as Desk),
    asked,
    tell: (event) => {
      for (const listener of listeners) listener(event);
    },
    listeners: () => listeners.size,
  };
}
