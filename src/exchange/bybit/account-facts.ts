/** What an account says of itself: its margin mode, whether others copy its trades, its disconnect protection, its options. */
import type { MarginMode } from "../../domain/position.js";
import type { Gap, Snapshot } from "../../domain/snapshot.js";
import { ExchangeFailure, type FailureFacts } from "../failure.js";
import { LATE_MS, oneAtATime } from "./asking.js";
import type { Client } from "./client.js";
import { countOptionPositions } from "./lists.js";
import { accountInfo, dcpInfo } from "./schemas.js";
import { marginModeOf } from "./translate.js";

export interface AccountFacts extends AccountInfo {
  readonly disconnectProtection: boolean | null;
  /** "option: 3 positions"; null: none. */
  readonly optionNote: string | null;
}

interface AccountInfo {
  readonly marginMode: MarginMode | null;
  readonly copyTradingMaster: Snapshot["copyTradingMaster"];
  /** Why margin mode and copy-trading role are not known; null: they are, as far as the exchange states them. */
  readonly failure: string | null;
}

export interface FactKeeper {
  /** As it was last told. */
  known(): AccountFacts;
  /** False: the account was never asked, or has not told yet whether others copy its trades. */
  isKnown(): boolean;
  /**
   * Asks at once. What it gives back waits until all was told, but no longer than is worth it: what is late is as it was
   * last told, and counts for the next look. `insists`: until it is known, it is waited for also where it was given up
   * before. @throws ExchangeFailure when the account is closed to us
   */
  ask(what: "all" | "without-options"): (ms?: number, insists?: boolean) => Promise<AccountFacts>;
}

/** Until it is told whether others copy its trades nothing may be written, so it is waited for a little longer. */
const FIRST_INFO_MS = 2_500;
const OPTIONS_NOT_READ = "option: not read";

/** So does one that has failed to answer so far. */
const NEVER_TOLD: AccountInfo = {
  marginMode: null,
  copyTradingMaster: "unread",
  failure: new ExchangeFailure({ kind: "not-happened", cause: "timeout", endpoint: "GET /v5/account/info" }).message,
};

export function createFactKeeper(client: Client): FactKeeper {
  let info: AccountInfo | null = null;
  let disconnectProtection: boolean | null = null;
  let optionNote: string | null = OPTIONS_NOT_READ;
  const known = (): AccountFacts => ({ ...(info ?? NEVER_TOLD), disconnectProtection, optionNote });
  const askInfo = oneAtATime(async () => {
    info = await readAccountInfo(client, info);
  });
  const askProtection = oneAtATime(async () => {
    disconnectProtection = await readDisconnectProtection(client);
  });
  const askOptions = oneAtATime(async () => {
    optionNote = await readOptionNote(client);
  });
  const isKnown = () => info !== null && info.copyTradingMaster !== "unread";
  return {
    known,
    isKnown,
    ask: (what) => {
      const infoWait = askInfo();
      const waits = [askProtection(), ...(what === "all" ? [askOptions()] : [])];
      return async (ms = LATE_MS, insists = false) => {
        const isAwaited = info === null || (insists && !isKnown());
        const infoMs = isAwaited ? Math.max(ms, FIRST_INFO_MS) : ms;
        await Promise.all([infoWait(infoMs, insists && isAwaited), ...waits.map((wait) => wait(ms))]);
        return known();
      };
    },
  };
}

/** Options are only counted: that they could not be read says nothing about what is guarded. */
async function readOptionNote(client: Client): Promise<string | null> {
  try {
    const count = await countOptionPositions(client);
    return count === 0 ? null : `option: ${count} ${count === 1 ? "position" : "positions"}`;
  } catch (error) {
    if (error instanceof ExchangeFailure) return OPTIONS_NOT_READ;
    throw error;
  }
}

/** An account without it answers with an empty list, demo and older ones with an error: both are no gap. */
async function readDisconnectProtection(client: Client): Promise<boolean | null> {
  try {
    const { result } = await client.readOnce({
      method: "GET",
      path: "/v5/account/query-dcp-info",
      params: {},
      limitClass: "account",
      schema: dcpInfo,
    });
    return (result.dcpInfos ?? []).some(({ product, dcpStatus }) => product === "DERIVATIVES" && dcpStatus === "ON");
  } catch (error) {
    if (error instanceof ExchangeFailure) return null;
    throw error;
  }
}

/** Positions can be judged without the margin mode; that something was not seen is told all the same. */
async function readAccountInfo(client: Client, known: AccountInfo | null): Promise<AccountInfo> {
  try {
    const { result } = await client.read({
      method: "GET",
      path: "/v5/account/info",
      params: {},
      limitClass: "account",
      schema: accountInfo,
    });
    const marginMode = marginModeOf(result.marginMode);
    // An answer that lacks the one fact says nothing about the other either.
    const copyTradingMaster = result.isMasterTrader ?? (marginMode === null ? "unread" : null);
    return { marginMode, copyTradingMaster, failure: unstated(marginMode, copyTradingMaster) };
  } catch (error) {
    // A right that is lacking here may still be there for positions; a refused key is refused everywhere.
    if (!(error instanceof ExchangeFailure) || error.facts.cause === "key") throw error;
    // An account does not become a copy-trading master while it fails to answer; what it answers unreadably is another matter.
    const unanswered = isUntold(error.facts) ? null : "unread";
    const isKnown = known !== null && known.copyTradingMaster !== "unread";
    const copyTradingMaster = isKnown ? known.copyTradingMaster : unanswered;
    return { marginMode: null, copyTradingMaster, failure: error.message };
  }
}

/** Surely no passing trouble: here it is not told at all. */
function isUntold({ kind, httpStatus }: FailureFacts): boolean {
  return kind === "refused" || httpStatus === 404;
}

function unstated(marginMode: MarginMode | null, master: Snapshot["copyTradingMaster"]): string | null {
  if (marginMode === null) return "GET /v5/account/info does not state a margin mode that is known";
  return master === "unread" ? "GET /v5/account/info does not state whether others copy this account's trades" : null;
}

export function factGaps({ failure }: AccountFacts): readonly Gap[] {
  return failure === null ? [] : [{ category: "account", what: "account-info", reason: failure }];
}
