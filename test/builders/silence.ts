/** An exchange that stays silent about the orders of some contracts, and what an honest reader makes of it. */
import { contractText } from "../../src/domain/position.js";
import type { Gap } from "../../src/domain/snapshot.js";
import type { Reader } from "../../src/exchange/port.js";
import type { FakeClock } from "./clock.js";

export interface Silence {
  readonly symbols: readonly string[];
  /** Default: never. Asked anew at each look. */
  readonly answersAfterMs?: number;
  /** True: lists show them all the same. */
  readonly onlyByName?: boolean;
}

/** So long a look waits for what is silent, by its manner, where others have come; and for a contract alone. */
const WAITS_MS = { hasty: 800, "for-a-write": 800, prompt: 7_000, patient: 7_000, alone: 5_500 };
const endpoint = "GET /v5/order/realtime";

export function silently(look: Reader["snapshot"], silence: Silence, clock: FakeClock): Reader["snapshot"] {
  let heardAtMs = Number.POSITIVE_INFINITY;
  return async (scope, manner = "prompt", remembered = []) => {
    const { symbols, onlyByName = false, answersAfterMs = Number.POSITIVE_INFINITY } = silence;
    const isSilent = (symbol: string) => symbols.includes(symbol) && !(onlyByName && scope === "account");
    const isAlone = scope !== "account" && scope.length > 0 && scope.every(({ symbol }) => isSilent(symbol));
    const seen = await look(scope, manner, remembered);
    const unheard = seen.positions.map(({ key }) => key.symbol).filter(isSilent);
    if (unheard.length === 0) return seen;
    const silentMs = isAlone && manner !== "hasty" && manner !== "for-a-write" ? WAITS_MS.alone : WAITS_MS[manner];
    // What came too late for one look is waited for by the next.
    const waitsMs =
      clock.now() >= heardAtMs ? Math.max(silentMs, Math.min(2 * answersAfterMs, WAITS_MS.prompt)) : silentMs;
    heardAtMs = Math.min(heardAtMs, clock.now() + answersAfterMs);
    const shownMs = clock.now();
    const heard = seen.positions.filter(({ key }) => !isSilent(key.symbol));
    const shownAtMs = new Map(heard.map(({ key }) => [contractText(key), shownMs]));
    await clock.sleep(Math.min(waitsMs, answersAfterMs));
    const receivedAtMs = clock.now();
    if (answersAfterMs <= waitsMs) return { ...seen, receivedAtMs, shownAtMs };
    const gap: Gap = { category: "linear", what: "orders", symbols: unheard, reason: `${endpoint}: no answer in time` };
    const orders = seen.orders.filter(({ symbol }) => !unheard.includes(symbol));
    const wentOnWithout = manner === "hasty";
    return { ...seen, receivedAtMs, shownAtMs, orders, gaps: [...seen.gaps, gap], wentOnWithout };
  };
}
