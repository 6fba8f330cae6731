/** While the sidecar runs, its key is read again: what it may do can change at any time. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Connected } from "../../src/service/connect.js";
import { watchKey } from "../../src/service/run/key.js";
import { ExchangeFailure } from "../../src/exchange/failure.js";
import type { KeyInfo } from "../../src/exchange/port.js";
import { createLog } from "../../src/runtime/index.js";

const SIX_HOURS_MS = 6 * 3_600_000;
const SOUND: KeyInfo = {
  readOnly: false,
  permissions: { ContractTrade: ["Order", "Position"] },
  boundAddresses: ["192.0.2.1"],
  expiresAtMs: null,
  isMaster: false,
};
const STRONG: KeyInfo = { ...SOUND, permissions: { ...SOUND.permissions, Wallet: ["Withdraw"] } };
const UNREACHED = new ExchangeFailure({ kind: "not-happened", cause: "network", endpoint: "GET /v5/user/query-api" });

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A key that is read as `first` at the start and then as each of `later`, the last of them for ever. */
function watched(first: KeyInfo | ExchangeFailure, later: readonly (KeyInfo | ExchangeFailure)[]) {
  const lines: string[] = [];
  let reads = 0;
  const keyInfo = (): Promise<KeyInfo> => {
    const next = later[Math.min(reads, later.length - 1)] ?? first;
    reads += 1;
    return next instanceof ExchangeFailure ? Promise.reject(next) : Promise.resolve(next);
  };
  const account = { name: "main", allowPermissions: [] };
  const connected = { account, session: { reader: { keyInfo } } } as unknown as Connected;
  const stream = { write: (line: string) => lines.push(line) };
  const log = createLog({ level: "warn", stream, pretty: false, secrets: () => [] });
  const watch = watchKey(connected, { first, coming: Promise.resolve(first) }, log);
  return { watch, logged: () => lines.join("") };
}

test("a key that gains the right to withdraw is not written with any more, and it is told", async () => {
  const { watch, logged } = watched(SOUND, [STRONG]);
  await vi.advanceTimersByTimeAsync(SIX_HOURS_MS - 1);
  expect(watch.frozen()).toBeNull();
  await vi.advanceTimersByTimeAsync(1);
  expect(watch.frozen()).toBe("the key has the right Withdraw: nothing is written with it");
  expect(logged()).toContain("key-can-withdraw");
  watch.close();
});

test.each([
  ["may withdraw", STRONG],
  ["may only read", { ...SOUND, readOnly: true }],
])("one that %s is written with again within a minute after that was mended", async (_what, given) => {
  const { watch } = watched(given, [given, SOUND]);
  await vi.advanceTimersByTimeAsync(119_999);
  expect(watch.frozen()).not.toBeNull();
  await vi.advanceTimersByTimeAsync(1);
  expect(watch.frozen()).toBeNull();
  watch.close();
});

test("what is asked every minute is told every six hours", async () => {
  const { watch, logged } = watched(STRONG, [STRONG]);
  await vi.advanceTimersByTimeAsync(2 * SIX_HOURS_MS);
  expect(logged().split("key-can-withdraw").length - 1).toBe(3);
  watch.close();
});

test("a read that fails takes back nothing that was known, and is tried again within a minute", async () => {
  const { watch } = watched(STRONG, [UNREACHED, SOUND]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(watch.frozen()).not.toBeNull();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(watch.frozen()).toBeNull();
  watch.close();
});

test("what is to be warned of is told at the start and every six hours: soon expired, bound to no address", async () => {
  const expiresAtMs = Date.now() + 13 * 86_400_000;
  const weak: KeyInfo = { ...SOUND, boundAddresses: [], expiresAtMs };
  const { watch, logged } = watched(weak, [weak]);
  await vi.advanceTimersByTimeAsync(0);
  const times = (code: string) => logged().split(code).length - 1;
  expect([times("key-expiring"), times("key-without-ip")]).toEqual([1, 1]);
  await vi.advanceTimersByTimeAsync(4 * SIX_HOURS_MS);
  expect([times("key-expiring"), times("key-without-ip")]).toEqual([5, 5]);
  expect(watch.frozen()).toBeNull();
  watch.close();
});

test("after closing nothing is read any more", async () => {
  const { watch } = watched(SOUND, [STRONG]);
  await vi.advanceTimersByTimeAsync(0);
  watch.close();
  await vi.advanceTimersByTimeAsync(2 * SIX_HOURS_MS);
  expect(watch.frozen()).toBeNull();
});
