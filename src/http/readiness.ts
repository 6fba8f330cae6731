/** Whether every account that can be looked at has been looked at lately; what was seen is no matter here. */
import type { AccountStatus, SidecarStatus } from "../sidecar/status.js";

const INTERVALS_A_PASS_IS_GOOD_FOR = 2;

export interface AccountReadiness {
  readonly name: string;
  readonly ready: boolean;
  readonly reachable: boolean;
  /** Why it is not ready; null where it is. */
  readonly reason: string | null;
  /** Since the last complete pass; null: there was none. */
  readonly ageMs: number | null;
}

export interface Readiness {
  readonly ready: boolean;
  readonly accounts: readonly AccountReadiness[];
}

/**
 * An account that cannot be reached does not count here: restarting us or taking us out of service would not bring
 * the exchange back. But where no account was ever seen whole, nothing is ready.
 */
export function readinessOf(status: SidecarStatus): Readiness {
  const accounts = status.accounts.map((account) => accountReadiness(account, status));
  const seen = accounts.some(({ ageMs }) => ageMs !== null);
  return { ready: seen && accounts.every(({ ready, reachable }) => ready || !reachable), accounts };
}

/** Whoever asks for one account asks about that one: here unreachable is not ready. Null: no such account. */
export function readinessOfOne(status: SidecarStatus, name: string): Readiness | null {
  const account = status.accounts.find((candidate) => candidate.name === name);
  if (account === undefined) return null;
  const readiness = accountReadiness(account, status);
  return { ready: readiness.ready, accounts: [readiness] };
}

function accountReadiness(account: AccountStatus, { nowMs, sweepIntervalMs }: SidecarStatus): AccountReadiness {
  const { name, reachable, lastCompletePassAtMs } = account;
  const ageMs = lastCompletePassAtMs === null ? null : Math.max(0, Math.floor(nowMs - lastCompletePassAtMs));
  const reason = whyNot(account, ageMs, INTERVALS_A_PASS_IS_GOOD_FOR * sweepIntervalMs);
  return { name, ready: reason === null, reachable, reason, ageMs };
}

function whyNot({ reachable, trouble }: AccountStatus, ageMs: number | null, limitMs: number): string | null {
  if (!reachable) return trouble === null ? "not reachable" : `not reachable: ${trouble}`;
  if (ageMs === null) return "no complete pass yet";
  if (ageMs < limitMs) return null;
  return `the last complete pass ended ${seconds(ageMs)} ago; it must be less than ${seconds(limitMs)}`;
}

function seconds(ms: number): string {
  return `${Number((ms / 1000).toFixed(1))} s`;
}
