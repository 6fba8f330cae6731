/** What a sidecar says of itself: one account that was just seen whole, and what a test changes of it. */
import type { AccountStatus, SidecarStatus } from "../../src/sidecar/status.js";

export const NOW_MS = 1_700_000_000_000;
export const SWEEP_MS = 30_000;

export function accountStatus(changes: Partial<AccountStatus> = {}): AccountStatus {
  return {
    name: "main",
    reachable: true,
    trouble: null,
    refusal: null,
    lastCompletePassAtMs: NOW_MS - 1000,
    lastPassMs: 250,
    stream: "live",
    frozen: null,
    positions: {
      protected: 2,
      unprotected: 0,
      underprotected: 0,
      misplaced: 0,
      unprotectable: 0,
      unknown: 0,
      ignored: 0,
    },
    nakedForMs: new Map(),
    budgetLeft: 1,
    ...changes,
  };
}

export function sidecarStatus(
  accounts: readonly Partial<AccountStatus>[] = [{}],
  changes: Partial<SidecarStatus> = {},
): SidecarStatus {
  return { nowMs: NOW_MS, sweepIntervalMs: SWEEP_MS, accounts: accounts.map(accountStatus), ...changes };
}
