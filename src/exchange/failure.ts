/** Failures at the exchange's edge, named by what the caller must do next. */

/**
 * `not-happened`: surely without effect, may be tried again (at `retryAtMs` where given).
 * `refused`: the exchange said no; the same request will be refused again.
 * `unknown`: it may have taken effect; look before anything else.
 * `bug`: our own mistake; stop.
 */
export type FailureKind = "not-happened" | "refused" | "unknown" | "bug";

/** Why, as far as a caller decides differently on it. */
export type FailureCause =
  | "key" // key, signature or address refused: the whole account is closed to us
  | "permission" // the key may not do this, or region and compliance
  | "terms" // this account may not trade this contract: conditions not accepted, banned, not in its region
  | "clock" // outside the receive window
  | "rate-limit"
  | "ip-ban" // stop all HTTP for ten minutes
  | "network" // no connection, reset, DNS
  | "timeout"
  | "server" // the exchange's own error or overload
  | "garbage" // an answer that is no answer: empty, HTML, truncated, wrong shape
  | "paging" // pages that cannot be one complete list
  | "not-modified" // 34040: already so, or a parameter missing; only a read tells
  | "zero-position"
  | "stop-loss-past" // wrong side of the base price
  | "take-profit-past"
  | "mode-mismatch" // positionIdx does not fit the account's position mode
  | "limit" // count, size or mode limits of exits
  | "market-state" // auction, settlement, delisting, liquidation in progress
  | "gone" // the order or position is no longer there
  | "vetoed" // withdrawn by its sender right before it would have left
  | "closed" // this account's writer or the program is stopping
  | "other";

/** A refusal for one of these would meet a stop sent alone as well; any other may be about the take-profit. */
export const MEETS_STOP_TOO: readonly FailureCause[] = [
  "key",
  "permission",
  "terms",
  "clock",
  "rate-limit",
  "ip-ban",
  "zero-position",
  "mode-mismatch",
  "stop-loss-past",
  "market-state",
  "gone",
  "vetoed",
  "closed",
];

export interface FailureFacts {
  readonly kind: FailureKind;
  readonly cause: FailureCause;
  /** `GET /v5/position/list`: method and path, never a query. */
  readonly endpoint: string;
  readonly httpStatus?: number;
  readonly retCode?: number;
  /** The exchange's own words, at most 200 characters. */
  readonly retMsg?: string;
  readonly retryAtMs?: number;
}

/** The only error that leaves `exchange/`; it carries an allow-list of facts and never the SDK's error. */
export class ExchangeFailure extends Error {
  override readonly name = "ExchangeFailure";
  readonly facts: FailureFacts;

  constructor(facts: FailureFacts) {
    super(sentence(facts));
    this.facts = facts;
  }
}

/** `GET /v5/position/list failed: the exchange had an error, HTTP 502`. */
function sentence({ endpoint, kind, cause, httpStatus, retCode, retMsg }: FailureFacts): string {
  const status = httpStatus === undefined ? [] : [`HTTP ${httpStatus}`];
  const code = retCode === undefined ? [] : [String(retCode)];
  const words = retMsg === undefined || retMsg === "" ? [] : [retMsg.replace(/\.$/, "")];
  const why = [...(REASONS[cause] === undefined ? [] : [REASONS[cause]]), ...status, [...code, ...words].join(" ")];
  return `${endpoint} ${VERBS[kind]}: ${why.filter((part) => part !== "").join(", ") || cause}`;
}

const VERBS: Readonly<Record<FailureKind, string>> = {
  "not-happened": "failed",
  refused: "was refused",
  unknown: "may or may not have taken effect",
  bug: "was stopped by a mistake of this program",
};

/** Where the exchange's own words do not say it. */
const REASONS: Partial<Record<FailureCause, string>> = {
  key: "the key is not accepted",
  permission: "the key may not do this",
  clock: "the clocks differ too much",
  "rate-limit": "too many requests",
  "ip-ban": "this address is blocked for now",
  network: "no connection",
  timeout: "no answer in time",
  server: "the exchange had an error",
  garbage: "the answer cannot be read",
  paging: "the pages do not make one complete list",
};
