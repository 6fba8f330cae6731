/** The sidecar inside another program: the same as the command `run`, without a process of its own. */
import type { DeskEvent, QuoteRequest } from "../http/desk.js";
import type { IntentPlace } from "../intents/document.js";
import type { Report } from "../report/index.js";
import type { Log } from "../runtime/index.js";
import { openService, type Service } from "../service/run/service.js";
import {
  type Intent,
  type IntentAnswer,
  intentAnswer,
  type QuoteAnswer,
  quoteAnswer,
  readIntent,
  readPlace,
  readQuote,
} from "./asking.js";
import { fitting } from "./fitting.js";
import { begin, harmless, type Options, silentNotifier } from "./options.js";

export interface SidecarOptions extends Options {
  /** True: it watches, plans and logs what it would send, and is handed no writer. Default false. */
  readonly dryRun?: boolean;
  /** Told of everything from the first moment on. What it throws, or rejects with, is logged and changes nothing. */
  readonly onEvent?: (event: SidecarEvent) => unknown;
}

/**
 * One thing that happened: `finding`, `step`, `outcome`, `life`, `pass`, `intent` or `stream`, with plain data as
 * `GET /v1/events` tells it. New kinds may be added: pass over what you do not know.
 */
export type SidecarEvent = DeskEvent;

export interface RunningSidecar {
  /** What the last passes left, of all accounts. An account that was not looked at yet is not `complete`. */
  report(): Report;
  /** One pass over every account, now; resolves to its report, after a minute at most. */
  sweep(): Promise<Report>;
  /**
   * The levels wanted for one life of one position. What does not fit, or would loosen a stop, is answered with
   * `refused`; a position that is open is awaited for up to 4 s to be `applied`.
   * @throws LedgerError where it cannot be kept; it has not been taken then. In a dry run none is ever taken.
   */
  setIntent(place: IntentPlace, intent: Intent): Promise<IntentAnswer>;
  /**
   * From now on config decides; what rests at the exchange stays there. False: there was none.
   * @throws LedgerError
   */
  clearIntent(place: IntentPlace): Promise<boolean>;
  /** The exits to send along with an order that opens or grows a position; not for reduce-only orders. */
  quote(request: QuoteRequest): Promise<QuoteAnswer>;
  /** Told of everything from here on, until the returned function is called. */
  listen(listener: (event: SidecarEvent) => unknown): () => void;
  /**
   * Sends nothing new, awaits what is on the wire, lets go of everything; within 9 s. Call it before the program ends:
   * what rests at the exchange stays there either way.
   */
  close(): Promise<void>;
  /**
   * Resolves after `close`. Rejects with `StuckError`, or by a mistake of ours; everything is closed then, and positions
   * that open are not protected any more. Left unheard, it ends the program as any rejection does: a guard that is
   * gone must not go unnoticed.
   */
  readonly done: Promise<void>;
}

/**
 * Starts the sidecar: a pass over everything, then the private stream and the sweeps, until `close`. Resolves when it
 * guards; the first pass may still be under way. It takes no signals, prints nothing and never ends the process.
 * With `http` in the config it serves the API too, as soon as its address is there and free.
 *
 * @throws SettingsError for a config that does not fit
 * @throws StartRefused for a key that may withdraw, or transfer without leave, or a port that it may not listen on
 */
export async function startSidecar(options: SidecarOptions = {}): Promise<RunningSidecar> {
  const { dryRun = false, onEvent, ...rest } = fitting(options, ["dryRun", "onEvent"]);
  const begun = await begin(rest);
  const { from, log } = begun;
  const opened = await openService(begun, { isDryRun: dryRun, from, notifier: silentNotifier(log), who: "library" });
  if (onEvent !== undefined) opened.hub.listen(withoutHarm(onEvent, log));
  const service = opened.start();
  const sidecar = handleOf(service, log);
  try {
    await service.serving;
  } catch (error) {
    await sidecar.close();
    throw error;
  }
  return sidecar;
}

function handleOf(service: Service, log: Log): RunningSidecar {
  const { desk } = service;
  let closing: Promise<void> | null = null;
  const close = (): Promise<void> => (closing ??= service.close());
  return {
    report: () => desk.report(),
    sweep: () => desk.sweep(),
    setIntent: async (where, wish) => {
      const place = readPlace(where, desk.accounts());
      if (place.kind === "unfit") return refused(place);
      const intent = readIntent(wish, place.value);
      if (intent.kind === "unfit") return refused(intent);
      return intentAnswer(await desk.setIntent(place.value, intent.value));
    },
    clearIntent: async (where) => {
      const place = readPlace(where, desk.accounts());
      return place.kind === "fit" && desk.clearIntent(place.value);
    },
    quote: async (order) => {
      const request = readQuote(order, desk.accounts());
      if (request.kind === "unfit") return { ...request, kind: "none" };
      return quoteAnswer(await desk.quote(request.value));
    },
    listen: (listener) => desk.listen(withoutHarm(listener, log)),
    close,
    done: endOf(service, close),
  };
}

async function endOf({ done }: Service, close: () => Promise<void>): Promise<void> {
  try {
    await done;
  } finally {
    await close();
  }
}

function refused({ code, message }: Extract<ReturnType<typeof readPlace>, { kind: "unfit" }>): IntentAnswer {
  return { status: "refused", code, message };
}

/** A listener's mistake must not reach the guard that tells it, nor end its process: now or later. */
function withoutHarm(listener: (event: SidecarEvent) => unknown, log: Log): (event: SidecarEvent) => void {
  return (event) => {
    void harmless(
      () => listener(event),
      (error) => log.error({ err: error }, "a listener to the sidecar's events has thrown"),
    );
  };
}
