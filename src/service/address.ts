/** Where an account's exchange was looked for, and what to do where it did not answer: words for reports and doctor. */
import type { ExchangeFailure } from "../exchange/failure.js";
import type { AccountSettings } from "../settings/index.js";

const UNREACHED = ["network", "timeout", "garbage"];
const DOCTOR = "`npx bybit-backstop doctor` says more";

/** The origin of an exchange of one's own, without what else may stand in its URL; else the environment's name. */
export function exchangePlace({ environment, restUrl }: Pick<AccountSettings, "environment" | "restUrl">): string {
  return restUrl !== undefined && URL.canParse(restUrl) ? new URL(restUrl).origin : environment;
}

/** What to look at where the exchange did not answer as it does. */
export function addressCure({ facts }: ExchangeFailure, { environment }: Pick<AccountSettings, "environment">): string {
  return environment === "custom" && UNREACHED.includes(facts.cause)
    ? "restUrl may be wrong, or nothing runs there"
    : "check the network, the region of the account and the exchange's status page";
}

/** Why the account could not be read, with what the exchange's edge does not know. */
export function unreadableReason(failure: ExchangeFailure, account: AccountSettings): string {
  if (!UNREACHED.includes(failure.facts.cause)) return keyReason(failure);
  return `${failure.message}; tried ${exchangePlace(account)}: ${addressCure(failure, account)}; ${DOCTOR}`;
}

/** The same of a key that was refused. */
export function keyReason({ message, facts }: ExchangeFailure): string {
  return facts.cause === "key" || facts.cause === "permission" ? `${message}; ${DOCTOR}` : message;
}
