/** The rights of an account's key while the sidecar runs: read at the start, and again now and then. */
import { type AccountFinding, excessRights, keyFindings } from "../../assess/account.js";
import { ExchangeFailure } from "../../exchange/failure.js";
import { type Log, systemClock } from "../../runtime/index.js";
import type { AccountSettings } from "../../settings/index.js";
import { isReadOnly, type KeyReading, readKey } from "../accounts.js";
import type { Connected } from "../connect.js";

/** docs/v5/user/apikey-info: rights may be changed at any time. */
const READ_EVERY_MS = 6 * 3_600_000;
const RETRY_EVERY_MS = 60_000;

/** One account that does not answer must not keep the others waiting at the start. */
const FIRST_WITHIN_MS = 3_000;

export interface FirstReading {
  readonly first: KeyReading;
  readonly coming: Promise<KeyReading>;
}

/** What the exchange says of the key, or that it has not said it in time; it is awaited on. */
export async function firstReading(connected: Connected): Promise<FirstReading> {
  const coming = readKey(connected);
  const endpoint = "GET /v5/user/query-api";
  const late = new ExchangeFailure({ kind: "not-happened", cause: "timeout", endpoint });
  const first = await Promise.race([coming, systemClock.sleep(FIRST_WITHIN_MS).then(() => late)]);
  return { first, coming };
}

export interface KeyWatch {
  /** Why nothing may be written with this key; null: nothing speaks against it. */
  frozen(): string | null;
  /** The latest that is known of it, or why nothing is. */
  reading(): KeyReading;
  close(): void;
}

/** `first` is what is known now, `coming` the read that may still be under way. */
export function watchKey(connected: Connected, { first, coming }: FirstReading, log: Log): KeyWatch {
  const { account } = connected;
  let reading = first;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  let told = "";
  let untoldMs = 0;
  void taken(coming);

  async function taken(read: Promise<KeyReading>): Promise<void> {
    const latest = await read;
    // A read that fails says nothing about rights that were known before.
    if (!(latest instanceof ExchangeFailure)) reading = latest;
    tell();
    const delayMs = delayAfter(latest, account);
    untoldMs += delayMs;
    if (!isClosed) timer = setTimeout(() => void taken(readKey(connected)), delayMs);
  }

  /** Every six hours, and whenever there is something else to tell. */
  function tell(): void {
    const findings = findingsOf(reading, account);
    const text = JSON.stringify(findings);
    if (text === told && untoldMs < READ_EVERY_MS) return;
    told = text;
    untoldMs = 0;
    for (const { code, message } of findings) log.warn({ account: account.name, code }, message);
  }

  return {
    frozen: () => frozenBy(reading, account),
    reading: () => reading,
    close: () => {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}

/** While nothing is written for what the key may do, or may not, somebody is mending that. */
function delayAfter(reading: KeyReading, account: AccountSettings): number {
  const isDue = reading instanceof ExchangeFailure || frozenBy(reading, account) !== null;
  return isDue ? RETRY_EVERY_MS : READ_EVERY_MS;
}

function frozenBy(reading: KeyReading, { allowPermissions }: AccountSettings): string | null {
  if (isReadOnly(reading)) return "the key may only read: nothing is written";
  const excess = reading instanceof ExchangeFailure ? [] : excessRights(reading, allowPermissions);
  return excess.length === 0 ? null : `the key has the right ${excess.join(", ")}: nothing is written with it`;
}

function findingsOf(reading: KeyReading, { allowPermissions }: AccountSettings): readonly AccountFinding[] {
  if (reading instanceof ExchangeFailure) return [];
  return keyFindings(reading, { allowed: allowPermissions, wantsToWrite: true, nowMs: systemClock.now() });
}
