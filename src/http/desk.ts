/** What the guarded routes ask of the sidecar: the window only looks through, it computes nothing. */
import type { Category, PositionIdx, Side, TriggerBy } from "../domain/position.js";
import type { IntentAnswer, IntentDocument, IntentPlace, IntentView } from "../intents/document.js";
import type { Paused, PauseScope, PauseWish, Resumed } from "../ledger/pausing.js";
import type { Entry, HistoryFilter } from "../ledger/port.js";
import type { Report } from "../report/report.js";

export interface Desk {
  /** Of all accounts. */
  accounts(): readonly string[];
  /** The latest report of all accounts. */
  report(): Report;
  /** One pass over every account, now; its report. */
  sweep(): Promise<Report>;
  /** Told of everything from here on, until the returned function is called. */
  listen(listener: (event: DeskEvent) => void): () => void;
  /** `gone` fires when who asks has hung up, here and below. @throws LedgerError */
  setIntent(place: IntentPlace, wish: IntentDocument, gone?: AbortSignal): Promise<IntentAnswer>;
  /** The one that is pending or bound; null: there is none. @throws LedgerError */
  intent(place: IntentPlace): Promise<IntentView | null>;
  /** False: there was none. @throws LedgerError */
  clearIntent(place: IntentPlace): Promise<boolean>;
  quote(request: QuoteRequest, gone?: AbortSignal): Promise<QuoteAnswer>;
  /** @throws PauseFileError */
  pause(wish: PauseWish): Promise<Paused>;
  /** @throws PauseFileError */
  resume(scope: PauseScope): Promise<Resumed>;
  /** Newest first. @throws LedgerError */
  history(filter: HistoryFilter): Promise<readonly Entry[]>;
}

/** One thing that happened; `data` is plain JSON without secrets. */
export interface DeskEvent {
  readonly kind: "finding" | "step" | "outcome" | "life" | "pass" | "intent" | "stream";
  readonly data: Readonly<Record<string, unknown>>;
}

export interface QuoteRequest {
  readonly account: string;
  readonly category: Category;
  readonly symbol: string;
  readonly side: Side;
  /** Decimal string: the order's limit or trigger price; absent: a market order, measured from the mark. */
  readonly price?: string;
  /** Absent: 0. */
  readonly positionIdx?: PositionIdx;
}

/** The fields to put into `order/create`, or why there are none. */
export type QuoteAnswer =
  | {
      readonly kind: "quoted";
      readonly fields: {
        readonly stopLoss?: string;
        readonly takeProfit?: string;
        readonly tpslMode: "Full";
        readonly slTriggerBy?: TriggerBy;
        readonly tpTriggerBy?: TriggerBy;
      };
    }
  /** 404: no such account or contract; 422: no level can be quoted; 503: what is needed has not been read. */
  | { readonly kind: "none"; readonly httpStatus: 404 | 422 | 503; readonly message: string };
