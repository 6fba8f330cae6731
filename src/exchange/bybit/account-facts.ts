/** What an account says of itself: its margin mode, whether others copy its trades, and its disconnect protection. */
import type { MarginMode } from "../../domain/position.js";
import type { Gap, Snapshot } from "../../domain/snapshot.js";
import { ExchangeFailure, type FailureFacts } from "../failure.js";
import type { Client } from "./client.js";
import { accountInfo, dcpInfo } from "./schemas.js";
import { marginModeOf } from "./translate.js";

export interface AccountFacts {
  readonly marginMode: MarginMode | null;
  readonly copyTradingMaster: Snapshot["copyTradingMaster"];
  readonly disconnectProtection: boolean | null;
  /** Why margin mode and copy-trading role are not known; null: they are, as far as the exchange states them. */
  readonly failure: string | null;
}

/** `known`: what it said before. */
export async function readFacts(client: Client, known: AccountFacts | null): Promise<AccountFacts> {
  const [info, disconnectProtection] = await Promise.all([
    readAccountInfo(client, known),
    readDisconnectProtection(client),
  ]);
  return { ...info, disconnectProtection };
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
async function readAccountInfo(
  client: Client,
  known: AccountFacts | null,
): Promise<Omit<AccountFacts, "disconnectProtection">> {
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
    const copyTradingMaster = known === null ? unanswered : known.copyTradingMaster;
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
