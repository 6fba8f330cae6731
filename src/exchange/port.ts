/** What the rest of the program may ask of an exchange: a Reader for everyone, a Writer for the few. */
import type { Decimal } from "../domain/decimal.js";
import type { PositionKey, Side, TriggerBy } from "../domain/position.js";
import type { Contract, ReadScope, Snapshot } from "../domain/snapshot.js";

/**
 * `patient`: after everybody else, and within half of what the exchange allows. `hasty`: what stays silent while the
 * rest has come is a gap at once, for stops wait that the rest shows to be missing. `for-a-write`: of a contract by
 * name; a step waits for its row, and not for orders that stay silent beside it.
 */
export type ReadManner = "prompt" | "hasty" | "patient" | "for-a-write";

/** Reads one account. Fails with ExchangeFailure only when nothing at all could be judged. */
export interface Reader {
  readonly account: string;
  /**
   * One read of everything in scope; parts that fail become gaps.
   * `remembered`: contracts of which somebody knows an open position; default none. Where a read of the whole account
   * lists no position of such a contract, its own rows are read as well, after everything that a stop may wait for.
   * @throws ExchangeFailure when no position could be seen (exchange unreachable, key refused).
   */
  snapshot(scope: ReadScope, manner?: ReadManner, remembered?: readonly Contract[]): Promise<Snapshot>;
  /** False: the exchange has said that it has no such contract; null: that cannot be told now. */
  knows(contract: Contract): Promise<boolean | null>;
  /** Rights and age of the key (docs/v5/user/apikey-info). @throws ExchangeFailure */
  keyInfo(): Promise<KeyInfo>;
  /** Our clock minus the exchange's, in milliseconds. @throws ExchangeFailure */
  clockSkewMs(): Promise<number>;
}

export interface KeyInfo {
  readonly readOnly: boolean;
  /** Group → rights, as the exchange names them: `{ ContractTrade: ["Order", "Position"] }`. */
  readonly permissions: Readonly<Record<string, readonly string[]>>;
  /** Empty: not bound to any address. */
  readonly boundAddresses: readonly string[];
  /** Null: does not expire. */
  readonly expiresAtMs: number | null;
  readonly isMaster: boolean;
}

/**
 * Adds or tightens the Full-mode exits of one position. There is deliberately no value that removes one:
 * a field that is absent is left alone by the exchange (docs/v5/position/trading-stop).
 */
export interface TradingStopRequest {
  readonly key: PositionKey;
  readonly side: Side;
  readonly stopLoss?: ExitLevel;
  readonly takeProfit?: ExitLevel;
}

export interface ExitLevel {
  /** Above zero, an exact multiple of the tick. */
  readonly price: Decimal;
  readonly triggerBy: TriggerBy;
}

/**
 * Gives a resting entry order the Full-mode exits that its position will have from the fill on. Like a stop's own
 * request it has no value that removes: a take-profit that is absent is left alone (docs/v5/order/amend-order).
 */
export interface AttachRequest {
  /** The leg that the order would open or grow. */
  readonly key: PositionKey;
  readonly side: Side;
  readonly orderId: string;
  readonly stopLoss: ExitLevel;
  readonly takeProfit?: ExitLevel;
}

/** Closes at market, reduce-only; `quantity` comes from a fresh read. */
export interface CloseRequest {
  readonly key: PositionKey;
  readonly side: Side;
  readonly quantity: Decimal;
  /** Makes a doubled request harmless: at most 36 of A-Z a-z 0-9 - _. */
  readonly orderLinkId: string;
}

/** How a write waits in the budget. */
export interface Urgency {
  /** Higher goes first. */
  readonly priority: number;
  /**
   * Asked right before the request leaves, also before each further try: why it must not be sent any more.
   * Null: it may. A veto fails with kind `not-happened`, cause `vetoed`.
   */
  readonly veto: () => string | null;
}

/** An acknowledgement is not proof: only a later read is. */
export interface Acknowledged {
  readonly sentAtMs: number;
  readonly acknowledgedAtMs: number;
}

export interface Writer {
  readonly account: string;
  /** @throws ExchangeFailure */
  setTradingStop(request: TradingStopRequest, urgency: Urgency): Promise<Acknowledged>;
  /** @throws ExchangeFailure */
  attachExits(request: AttachRequest, urgency: Urgency): Promise<Acknowledged>;
  /** @throws ExchangeFailure */
  closePosition(request: CloseRequest, urgency: Urgency): Promise<Acknowledged>;
}
