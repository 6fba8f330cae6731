/** One connection to the private stream, from login to its end; it never comes back by itself, its owner opens another. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { APIRegion, DefaultLogger } from "bybit-api";
import { WS_KEY_MAP } from "bybit-api/lib/util/websockets/websocket-util.js";
import { WebsocketClient } from "bybit-api/lib/websocket-client.js";
import type { Clock } from "./budget.js";
import type { Log } from "./client.js";
import { cleanWords, valueOf } from "./failures.js";
import type { StreamTiming, Timers } from "./stream-timing.js";

export interface ConnectionOptions {
  readonly environment: "mainnet" | "testnet" | "demo" | "custom";
  /** As bybit-api's apiRegion. */
  readonly region: string;
  /** For `custom` only, and required there. */
  readonly wsUrl?: string;
  readonly key: string;
  readonly secret: string;
  readonly offsetMs: () => number;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly timers: Timers;
  readonly timing: StreamTiming;
  readonly log: Log;
}

export interface ConnectionEvents {
  /** Once: every topic is subscribed. */
  live(): void;
  /** A push as it came; text where it is no JSON. */
  frame(frame: unknown): void;
  /** Once, and the last that is told. */
  ended(reason: string): void;
}

export interface Connection {
  /** Ends it without a word; resolves when the socket is gone. */
  discard(): Promise<void>;
}

export type Phase = "connecting" | "logging-in" | "subscribing" | "live";
type Socket = NonNullable<ReturnType<ReturnType<WebsocketClient["getWsStore"]>["getWs"]>>;

/** docs/v5/websocket/private: all-in-one topics, one request, each row names its category. */
const TOPICS: readonly string[] = ["position", "order", "execution"];
/** Left to itself the SDK reconnects without logging in; it must never come to that. */
const SDK_RECONNECT_MS = 3_600_000;
const LARGEST_FRAME_BYTES = 8 * 1024 * 1024;

export function openConnection(options: ConnectionOptions, events: ConnectionEvents): Connection {
  const sockets = new Set<Socket>();
  const unacknowledged = new Set(TOPICS);
  let phase: Phase = "connecting";
  let leaving: Promise<void> | null = null;
  let trouble: string | null = null;

  const clean = (words: unknown): string =>
    typeof words === "string" ? cleanWords(words, [options.secret, options.key]) : "";
  const watch = startWatch(options, () => phase, end);
  const client = createClient(options, clean, (socket) => {
    sockets.add(socket);
    for (const sign of ["message", "ping", "pong"] as const) socket.on(sign, () => watch.heard());
    socket.on("error", (error) => {
      trouble = clean(error.message);
    });
    socket.on("close", (code) => end(closingWords(trouble, code)));
  });

  function discard(): Promise<void> {
    if (leaving !== null) return leaving;
    watch.stop();
    client.removeAllListeners();
    leaving = letGo(client, sockets);
    return leaving;
  }

  function end(reason: string): void {
    if (leaving !== null) return;
    void discard();
    events.ended(reason);
  }

  client.on("open", () => {
    phase = "logging-in";
  });
  client.on("authenticated", () => {
    phase = "subscribing";
  });
  client.on("response", (response: unknown) => {
    for (const topic of acknowledgedTopics(response)) unacknowledged.delete(topic);
    if (unacknowledged.size > 0 || phase === "live") return;
    phase = "live";
    events.live();
  });
  client.on("exception", (exception: unknown) => {
    const unparsed = valueOf(exception, "eventData");
    if (unparsed !== undefined) return events.frame(unparsed);
    const refused = refusedRequest(exception);
    if (refused === null) return end(closingWords(trouble, null));
    const words = clean(refused.words) || "no reason given";
    if (refused.request !== null) return end(`the ${refused.request} was refused: ${words}`);
    options.log({ level: "info", message: "the private stream refused a request", words });
  });
  client.on("update", (frame: unknown) => events.frame(frame));
  client.on("reconnect", () => end(closingWords(trouble, null)));
  client.on("close", () => end(closingWords(trouble, null)));
  for (const subscribing of client.subscribeV5([...TOPICS], "linear", true)) {
    subscribing.catch(() => end("the SDK could not subscribe"));
  }
  return { discard };
}

export interface Watch {
  heard(): void;
  stop(): void;
}

/** Two deadlines on a clock that never jumps: until everything is subscribed, and from frame to frame. */
export function startWatch(
  options: Pick<ConnectionOptions, "clock" | "timing" | "timers">,
  phase: () => Phase,
  end: (reason: string) => void,
): Watch {
  const { clock, timing, timers } = options;
  const startedMs = clock.monotonicMs();
  let heardMs = startedMs;
  let cancel = look();

  function look(): () => void {
    const nowMs = clock.monotonicMs();
    const now = phase();
    const settledByMs = now === "live" ? Number.POSITIVE_INFINITY : startedMs + timing.settleWithinMs;
    const dueMs = Math.min(settledByMs, heardMs + timing.silentAfterMs);
    if (nowMs < dueMs) {
      return timers.after(Math.ceil(dueMs - nowMs), () => {
        cancel = look();
      });
    }
    end(now === "live" ? `nothing was heard for ${timing.silentAfterMs / 1000} s` : unsettled(now, timing));
    return () => undefined;
  }

  return {
    heard: () => {
      heardMs = clock.monotonicMs();
    },
    stop: () => cancel(),
  };
}

function unsettled(phase: Exclude<Phase, "live">, timing: StreamTiming): string {
  return `${WAITING_FOR[phase]} within ${timing.settleWithinMs / 1000} s`;
}

const WAITING_FOR: Readonly<Record<Exclude<Phase, "live">, string>> = {
  connecting: "no connection",
  "logging-in": "no answer to the login",
  subscribing: "no answer to the subscription",
};

function closingWords(trouble: string | null, code: number | null): string {
  if (trouble !== null) return `the connection failed: ${trouble}`;
  return code === null ? "the connection was lost" : `the connection was closed (${code})`;
}

/** The SDK asks for all topics at once and names them in the request's id; without an id it can only be that request. */
function acknowledgedTopics(response: unknown): readonly string[] {
  if (valueOf(response, "op") !== "subscribe" || valueOf(response, "success") !== true) return [];
  const id = valueOf(response, "req_id");
  return typeof id === "string" && id !== "" ? id.split(",") : TOPICS;
}

/** Null: the connection failed, rather than the exchange saying no; `request` null: to something we can do without. */
function refusedRequest(
  exception: unknown,
): { readonly request: "login" | "subscription" | null; readonly words: unknown } | null {
  const op = valueOf(exception, "op");
  if (typeof op !== "string") return null;
  const words = valueOf(exception, "ret_msg") ?? valueOf(exception, "retMsg");
  return { request: op === "auth" ? "login" : op === "subscribe" ? "subscription" : null, words };
}

/** `adopt` gets each socket before its first byte leaves: the SDK tells of them late, and never why one failed. */
function createClient(
  options: ConnectionOptions,
  clean: (text: unknown) => string,
  adopt: (socket: Socket) => void,
): WebsocketClient {
  const { environment, key, secret, wsUrl, timing } = options;
  const client = new WebsocketClient(
    {
      key,
      secret,
      market: "v5",
      apiRegion: options.region as APIRegion,
      ...(environment === "testnet" ? { testnet: true } : {}),
      ...(environment === "demo" ? { demoTrading: true } : {}),
      ...(environment === "custom" && wsUrl !== undefined ? { wsUrl } : {}),
      pingInterval: timing.pingEveryMs,
      pongTimeout: timing.pongWithinMs,
      reconnectTimeout: SDK_RECONNECT_MS,
      wsOptions: {
        handshakeTimeout: timing.settleWithinMs,
        maxPayload: LARGEST_FRAME_BYTES,
        followRedirects: false,
        finishRequest: (request, socket) => {
          adopt(socket);
          request.end();
        },
      },
    },
    sdkLogger(options.log, clean),
  );
  client.setTimeOffsetMs(options.offsetMs());
  return client;
}

/** Only the SDK's first words: what follows them may be a login frame, and its traces are made of frames. */
function sdkLogger(log: Log, clean: (text: unknown) => string): DefaultLogger {
  const tell = (words: unknown): void => {
    if (typeof words === "string") log({ level: "debug", message: "bybit-api", words: clean(words) });
  };
  return { trace: () => undefined, info: tell, error: tell };
}

/** In the middle of connecting the SDK goes on to open a socket or set a timer; one turn later it has done so. */
async function letGo(client: WebsocketClient, sockets: ReadonlySet<Socket>): Promise<void> {
  await nextTurn();
  client.close(WS_KEY_MAP.v5Private, true);
  const closing = [...sockets].map(async (socket) => {
    if (socket.readyState === socket.CLOSED) return;
    await new Promise((resolve) => {
      socket.once("close", resolve);
      socket.terminate();
    });
  });
  await Promise.all(closing);
}
