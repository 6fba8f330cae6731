/** The rights of an account's key while the sidecar runs: read at the start, and again now and then. */
import { type AccountFinding, keyFindings } from "../../assess/account.js";
import { ExchangeFailure } from "../../exchange/failure.js";
import { type Log, systemClock } from "../../runtime/index.js";
import type { AccountSettings } from "../../settings/index.js";
import { type FirstReading, freezeBy, type KeyReading, readKey } from "../accounts.js";
import type { Connected } from "../connect.js";

/** docs/v5/user/apikey-info: rights may be changed at any time. */
const READ_EVERY_MS = 6 * 3_600_000;
const RETRY_EVERY_MS = 60_000;

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
    frozen: () => freezeBy(reading, account),
    reading: () => reading,
    close: () => {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}

/** While nothing is written for what the key may do, or may not, somebody is mending that. */
function delayAfter(reading: KeyReading, account: AccountSettings): number {
  const isDue = reading instanceof ExchangeFailure || freezeBy(reading, account) !== null;
  return isDue ? RETRY_EVERY_MS : READ_EVERY_MS;
}

function findingsOf(reading: KeyReading, { allowPermissions }: AccountSettings): readonly AccountFinding[] {
  if (reading instanceof ExchangeFailure) return [];
  return keyFindings(reading, { allowed: allowPermissions, wantsToWrite: true, nowMs: systemClock.now() });
}
