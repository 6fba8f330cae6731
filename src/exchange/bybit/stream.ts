/** The private stream of one account on bybit-api: opens connections one after another, and tells what they push. */
import type { Category } from "../../domain/position.js";
import { systemRandom } from "../../runtime/random.js";
import type { Push, Stream, StreamListener } from "../stream.js";
import type { Clock } from "./budget.js";
import type { Log } from "./client.js";
import { cleanWords } from "./failures.js";
import { type Connection, type ConnectionOptions, openConnection } from "./stream-connection.js";
import { createPushReader, type PushReader } from "./stream-pushes.js";
import { createPacing, STREAM_TIMING, type StreamTiming, systemTimers, type Timers } from "./stream-timing.js";

export interface StreamConnection {
  readonly account: string;
  readonly environment: "mainnet" | "testnet" | "demo" | "custom";
  /** As bybit-api's apiRegion. */
  readonly region: string;
  /** For `custom` only, and required there. */
  readonly wsUrl?: string;
  readonly key: string;
  readonly secret: string;
  /** Rows of other categories are not told. */
  readonly categories: readonly Category[];
  readonly clock: Clock;
  /** What our wall clock lacks to be the exchange's; asked before each login. Default 0. */
  readonly offsetMs?: () => number;
  /** Never sees a secret. */
  readonly log?: Log;
  readonly timers?: Timers;
  /** From 0 up to 1; spreads the reconnects. */
  readonly random?: () => number;
  readonly timing?: Partial<StreamTiming>;
  /** How a connection is made; absent: by the SDK, on a real socket. */
  readonly connect?: typeof openConnection;
}

/** The state before the first connection is neither: nothing was interrupted yet. */
type State = "starting" | "live" | "down" | "closed";

export function connectBybitStream(options: StreamConnection, listener: StreamListener): Stream {
  const { account, categories, clock } = options;
  const parts = connectionOptions(options);
  const { log, timing, timers, offsetMs } = parts;
  const { connect = openConnection } = options;
  const pacing = createPacing(clock, options.random ?? systemRandom, timing);
  const reader = createPushReader({ account, categories, nowMs: () => clock.now() + offsetMs() });
  const told = shielded(listener, options, log);
  const leaving = new Set<Promise<void>>();
  let state: State = "starting";
  let connection: Connection | null = null;
  let cancelRetry = (): void => undefined;

  function attempt(): void {
    pacing.started();
    reader.forgetPast();
    connection = connect(parts, {
      live: () => {
        state = "live";
        pacing.live();
        log({ level: "info", message: "the private stream is live" });
        told.live();
      },
      frame: (frame) => {
        const pushes = pushesIn(reader, frame, log);
        if (pushes.length > 0) told.pushed(pushes);
      },
      ended,
    });
  }

  function ended(reason: string): void {
    const isNews = state !== "down";
    const waitMs = pacing.waitAfterEndMs();
    state = "down";
    letGo();
    cancelRetry = timers.after(Math.ceil(waitMs), attempt);
    log({
      level: isNews ? "warn" : "info",
      message: isNews ? "the private stream is down" : "the private stream is still down",
      reason,
      retryInMs: Math.ceil(waitMs),
    });
    if (isNews) told.down(reason);
  }

  function letGo(): void {
    if (connection === null) return;
    const going = connection.discard().finally(() => leaving.delete(going));
    leaving.add(going);
    connection = null;
  }

  attempt();
  return {
    account,
    isLive: () => state === "live",
    close: async () => {
      state = "closed";
      cancelRetry();
      letGo();
      await Promise.all(leaving);
    },
  };
}

/** The SDK would swallow what a listener throws; one bad push must not silence the ones after it. */
function shielded(listener: StreamListener, { key, secret }: StreamConnection, log: Log): StreamListener {
  const tell = (what: keyof StreamListener, telling: () => void): void => {
    try {
      telling();
    } catch (error) {
      const words = cleanWords(error instanceof Error ? error.message : "", [secret, key]);
      log({ level: "warn", message: `the listener of the private stream failed on "${what}"`, words });
    }
  };
  return {
    live: () => tell("live", () => listener.live()),
    down: (reason) => tell("down", () => listener.down(reason)),
    pushed: (pushes) => tell("pushed", () => listener.pushed(pushes)),
  };
}

function pushesIn(reader: PushReader, frame: unknown, log: Log): readonly Push[] {
  try {
    return reader.read(frame);
  } catch {
    const reason = "a mistake of this program while it read a frame";
    log({ level: "warn", message: reason });
    return [{ kind: "unreadable", category: null, symbol: null, reason }];
  }
}

function connectionOptions(options: StreamConnection): ConnectionOptions {
  const { environment, region, wsUrl, key, secret, clock } = options;
  if (environment === "custom" && wsUrl === undefined) throw new Error("a custom environment needs a wsUrl");
  return {
    environment,
    region,
    ...(wsUrl === undefined ? {} : { wsUrl }),
    key,
    secret,
    clock,
    offsetMs: options.offsetMs ?? (() => 0),
    timers: options.timers ?? systemTimers,
    timing: { ...STREAM_TIMING, ...options.timing },
    log: options.log ?? (() => undefined),
  };
}
