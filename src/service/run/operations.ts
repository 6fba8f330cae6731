/** How the sidecar is seen from outside: log, metrics, health over HTTP, dead man's switch, service manager. */
import {
  type Desk,
  type HttpOptions,
  type HttpServer,
  openToken,
  startHttp,
  TokenFileError,
  unknownToken,
} from "../../http/index.js";
import type { Log, Notifier } from "../../runtime/index.js";
import { createMetrics } from "../../runtime/metrics.js";
import type { Settings } from "../../settings/index.js";
import type { SidecarEvent } from "../../sidecar/event.js";
import { createHeartbeat, type Heartbeat } from "../../sidecar/heartbeat.js";
import type { SidecarStatus } from "../../sidecar/status.js";
import { StartRefused } from "../refused.js";
import { beatOn } from "./beating.js";
import { countEvents, countNakedSeconds } from "./gauges.js";
import { logEvents } from "./telling.js";

export interface Operations {
  tell(event: SidecarEvent): void;
  /** Nothing is served and counted before. @throws StartRefused where the address cannot be listened on */
  started(status: () => SidecarStatus, desk: Desk): Promise<void>;
  /** Calls back whenever the exchange has refused the key of an account. */
  onKeyRefused(callback: () => void): void;
  readonly notifier: Notifier;
  close(): Promise<void>;
}

const NOTHING_YET: SidecarStatus = { nowMs: 0, sweepIntervalMs: 0, accounts: [] };
const COUNT_EVERY_MS = 1_000;

export function openOperations({ http, heartbeat }: Settings, notifier: Notifier, log: Log): Operations {
  let status = (): SidecarStatus => NOTHING_YET;
  const metrics = createMetrics({ status: () => status() });
  const beating = heartbeat === null ? null : openHeartbeat(heartbeat.url, log, () => metrics.heartbeatFailed());
  const names = () => status().accounts.map(({ name }) => name);
  const listeners = [logEvents(log), countEvents(metrics), ...(beating === null ? [] : [beatOn(beating, names)])];
  const timers: NodeJS.Timeout[] = [];
  let server: HttpServer | null = null;
  return {
    notifier,
    onKeyRefused: (callback) =>
      void listeners.push((event) => {
        if (event.kind === "pass" && event.cause === "key") callback();
      }),
    tell: (event) => {
      for (const listener of listeners) listener(event);
    },
    started: async (ask, desk) => {
      status = ask;
      const count = countNakedSeconds(metrics);
      timers.push(setInterval(() => count(status()), COUNT_EVERY_MS));
      if (notifier.watchdogMs !== null) timers.push(setInterval(() => notifier.alive(), notifier.watchdogMs));
      const asked = { status: () => status(), metricsText: () => metrics.text(), desk, log };
      if (http !== null) server = await listen(http, asked);
      notifier.ready();
    },
    close: async () => {
      for (const timer of timers) clearInterval(timer);
      await Promise.all([notifier.stopping(), server?.close(), beating?.close()]);
    },
  };
}

function openHeartbeat(url: string, log: Log, onFailure: () => void): Heartbeat {
  return createHeartbeat({ url, fetch, log, onFailure });
}

async function listen(
  { host, port, tokenFile }: NonNullable<Settings["http"]>,
  asked: Omit<HttpOptions, "host" | "port" | "token">,
): Promise<HttpServer> {
  try {
    const token = await tokenFrom(tokenFile, asked.log);
    const server = await startHttp({ ...asked, host, port, token });
    asked.log.info({ url: server.url, tokenFile }, "listening");
    return server;
  } catch (error) {
    throw new StartRefused(error instanceof Error ? error.message : "http: cannot listen");
  }
}

/** A disk that takes no token must not keep positions from being guarded: health is told, and the rest waits. */
async function tokenFrom(file: string, log: Log): Promise<string> {
  try {
    return await openToken(file);
  } catch (error) {
    if (!(error instanceof TokenFileError) || error.trouble !== "unmade") throw error;
    log.error({ code: "token-unmade" }, `${error.message}; until a restart nothing that needs a token is answered`);
    return unknownToken();
  }
}
