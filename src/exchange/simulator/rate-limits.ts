/** The request limits: a rolling second per account and endpoint, and 600 requests per 5 s for an address. */

const PER_SECOND: Readonly<Record<string, number>> = {
  "GET /v5/position/list": 50,
  "GET /v5/order/realtime": 50,
  "GET /v5/order/history": 50,
  "GET /v5/execution/list": 50,
  "GET /v5/account/info": 50,
  "GET /v5/account/wallet-balance": 50,
  "GET /v5/user/query-api": 10,
};
const DEFAULT_READS = 50;
const DEFAULT_WRITES = 10;
const ADDRESS_REQUESTS = 600;
const ADDRESS_WINDOW_MS = 5000;
const ADDRESS_BAN_MS = 600_000;

export interface LimitState {
  readonly admitted: boolean;
  readonly limit: number;
  readonly remaining: number;
  /** Now, unless the limit is exceeded: then when the next request has room. */
  readonly resetAtMs: number;
}

export interface RateLimits {
  /** Counts the request if it is admitted. */
  admit(account: string, endpoint: string, nowMs: number): LimitState;
  /** False: the address is shut out, for ten minutes from the first request too many. */
  admitAddress(address: string, nowMs: number): boolean;
  forget(): void;
}

export function createRateLimits(enabled: boolean): RateLimits {
  const endpoints = new Map<string, number[]>();
  const addresses = new Map<string, number[]>();
  const bannedUntil = new Map<string, number>();
  const recent = (book: Map<string, number[]>, key: string, sinceMs: number): number[] => {
    const times = (book.get(key) ?? []).filter((atMs) => atMs > sinceMs);
    book.set(key, times);
    return times;
  };
  return {
    admit(account, endpoint, nowMs) {
      const limit = PER_SECOND[endpoint] ?? (endpoint.startsWith("GET ") ? DEFAULT_READS : DEFAULT_WRITES);
      const times = recent(endpoints, `${account} ${endpoint}`, nowMs - 1000);
      const admitted = !enabled || times.length < limit;
      if (admitted) times.push(nowMs);
      const resetAtMs = admitted ? nowMs : (times[0] ?? nowMs) + 1000;
      return { admitted, limit, remaining: Math.max(0, limit - times.length), resetAtMs };
    },
    admitAddress(address, nowMs) {
      if (!enabled) return true;
      if (nowMs < (bannedUntil.get(address) ?? 0)) return false;
      const times = recent(addresses, address, nowMs - ADDRESS_WINDOW_MS);
      if (times.length >= ADDRESS_REQUESTS) {
        bannedUntil.set(address, nowMs + ADDRESS_BAN_MS);
        return false;
      }
      times.push(nowMs);
      return true;
    },
    forget() {
      endpoints.clear();
      addresses.clear();
      bannedUntil.clear();
    },
  };
}
