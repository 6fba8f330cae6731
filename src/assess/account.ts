/** What is wrong with an account as a whole: its key, its clock, its role. */
import type { Severity } from "./finding.js";

/** The key as far as its rights and age matter here. */
export interface KeyFacts {
  readonly readOnly: boolean;
  readonly permissions: Readonly<Record<string, readonly string[]>>;
  readonly boundAddresses: readonly string[];
  readonly expiresAtMs: number | null;
}

export type AccountFindingCode =
  | "key-refused"
  | "clock-skew"
  | "key-can-withdraw"
  | "key-can-transfer"
  | "key-expiring"
  | "key-read-only"
  | "key-without-ip"
  | "dcp-on"
  | "copy-trading-master"
  | "ledger-unwritable";

export interface AccountFinding {
  readonly code: AccountFindingCode;
  readonly severity: Severity;
  readonly message: string;
}

const EXPIRES_SOON_MS = 14 * 24 * 3_600_000;
/** The exchange refuses a timestamp more than 1 s ahead of its own, and one older than the receive window of 5 s. */
const MOST_AHEAD_MS = 1_000;
const MOST_BEHIND_MS = 4_000;

/** Rights beyond trading that a key must not have: withdrawal always, transfers unless named by the operator. */
export function excessRights(key: KeyFacts, allowed: readonly string[]): readonly string[] {
  const named = rightsOf(key).map(({ right, name }) => (/withdraw|transfer/i.test(right) ? right : name));
  return named.filter((right) => /withdraw/i.test(right) || (/transfer/i.test(right) && !allowed.includes(right)));
}

/** docs/v5/user/apikey-info: the groups of rights with which positions are protected. */
const NEEDED_GROUPS: readonly string[] = ["ContractTrade", "Derivatives"];

/** What else the key may do, group before right: no reason to refuse it, and none to pass over in silence. */
export function furtherRights(key: KeyFacts, allowed: readonly string[]): readonly string[] {
  const known = [...excessRights(key, allowed), ...allowed];
  return rightsOf(key)
    .filter(
      ({ group, right, name }) => !NEEDED_GROUPS.includes(group) && !known.includes(right) && !known.includes(name),
    )
    .map(({ name }) => name);
}

export function furtherText(rights: readonly string[]): string {
  return `the key may also do what protecting positions never needs (${rights.join(", ")}); a key without it is the safer one`;
}

function rightsOf({ permissions }: KeyFacts) {
  return Object.entries(permissions).flatMap(([group, rights]) =>
    rights.map((right) => ({ group, right, name: `${group} ${right}` })),
  );
}

export function keyFindings(
  key: KeyFacts,
  options: { readonly allowed: readonly string[]; readonly wantsToWrite: boolean; readonly nowMs: number },
): readonly AccountFinding[] {
  const found: AccountFinding[] = excessRights(key, options.allowed).map((right) => excessFinding(right));
  if (key.readOnly && options.wantsToWrite) {
    found.push(
      warning(
        "key-read-only",
        "the key may only read, so no stop can be set with it; make a key with the rights Contract Orders and Positions",
      ),
    );
  }
  if (key.boundAddresses.length === 0) {
    found.push(
      warning(
        "key-without-ip",
        "the key is not bound to any IP address, so whoever has it can use it anywhere; bind it to this machine's address",
      ),
    );
  }
  if (key.expiresAtMs !== null && key.expiresAtMs - options.nowMs <= EXPIRES_SOON_MS) {
    const days = Math.max(0, Math.floor((key.expiresAtMs - options.nowMs) / 86_400_000));
    found.push(
      warning(
        "key-expiring",
        `the key expires in ${days} ${days === 1 ? "day" : "days"}; renew it or bind it to an address`,
      ),
    );
  }
  return found;
}

export function clockFindings(skewMs: number | null): readonly AccountFinding[] {
  if (skewMs === null || (skewMs <= MOST_AHEAD_MS && skewMs >= -MOST_BEHIND_MS)) return [];
  const direction = skewMs > 0 ? "ahead of" : "behind";
  const message = `this machine's clock is ${Math.abs(Math.round(skewMs))} ms ${direction} the exchange's; synchronise it (NTP)`;
  return [{ code: "clock-skew", severity: "critical", message }];
}

/** What a failure says of the account as a whole; `cause`: as the exchange's edge names it. */
export function refusalFindings(cause: string, message: string): readonly AccountFinding[] {
  if (cause === "clock") return [{ code: "clock-skew", severity: "critical", message }];
  return cause === "key" || cause === "permission" ? [{ code: "key-refused", severity: "critical", message }] : [];
}

export function copyTradingFindings(
  isMaster: boolean | "unread" | null,
  isAccepted: boolean,
): readonly AccountFinding[] {
  if (isMaster !== true || isAccepted) return [];
  const message = "a copy-trading master's exits close its followers too: report-only until copyTradingMaster is true";
  return [warning("copy-trading-master", message)];
}

export function disconnectFindings(isOn: boolean | null): readonly AccountFinding[] {
  if (isOn !== true) return [];
  const message =
    "disconnect protection is on: the exchange cancels derivative orders, perhaps stops too, when a connection drops";
  return [warning("dcp-on", message)];
}

function excessFinding(right: string): AccountFinding {
  const has = `the key has the right ${right}, which this program never needs`;
  if (/withdraw/i.test(right)) return warning("key-can-withdraw", `${has}; make a key without it`);
  return warning("key-can-transfer", `${has}; make a key without it, or name the right in allowPermissions`);
}

function warning(code: AccountFindingCode, message: string): AccountFinding {
  return { code, severity: "warning", message };
}
