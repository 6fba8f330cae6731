/** What a running sidecar says of itself: for readiness, metrics and the page, which compute nothing of their own. */
import type { AccountFinding } from "../assess/account.js";
import type { Status } from "../assess/status.js";

export interface SidecarStatus {
  /** When asked, on the steady clock, milliseconds. */
  readonly nowMs: number;
  /** The longest time between two scheduled sweeps, milliseconds. */
  readonly sweepIntervalMs: number;
  readonly accounts: readonly AccountStatus[];
}

export interface AccountStatus {
  readonly name: string;
  /** False: the last try to read the account brought nothing at all (exchange unreachable, key refused). */
  readonly reachable: boolean;
  /** Why it is not reachable, without secrets; null where it is. */
  readonly trouble: string | null;
  /** While the exchange refuses the key, or our clock: that, as a finding. */
  readonly refusal: AccountFinding | null;
  /** When the last pass that saw everything ended, on the steady clock; null: none yet. */
  readonly lastCompletePassAtMs: number | null;
  /** How long the last whole pass took, complete or not; null: none yet. */
  readonly lastPassMs: number | null;
  readonly stream: "starting" | "live" | "down";
  /** Writes may leave: no read-only switch, no refused key, no dry run. The reason otherwise. */
  readonly frozen: string | null;
  readonly positions: Readonly<Record<Status, number>>;
  /** By `keyText`, how long each position has been watched without a whole stop, milliseconds. */
  readonly nakedForMs: ReadonlyMap<string, number>;
  /** Writes that may leave at this moment without waiting: 0 or 1; negative: so many wait. */
  readonly budgetLeft: number;
}
