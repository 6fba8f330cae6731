/** How the sidecar is seen from outside: log, metrics, health over HTTP, dead man's switch, service manager. */
import type { Desk } from "../../http/index.js";
import type { Log, Notifier } from "../../runtime/index.js";
import { createMetrics } from "../../runtime/metrics.js";
import type { Settings } from "../../settings/index.js";
import type { SidecarEvent } from "../../sidecar/event.js";
import { createHeartbeat, type Heartbeat } from "../../sidecar/heartbeat.js";
import type { SidecarStatus } from "../../sidecar/status.js";
import { beatOn } from "./beating.js";
import { countEvents, countNakedSeconds } from "./gauges.js";
import { serve, type Serving } from "./serving.js";
import { logEvents } from "./telling.js";

export interface Operations {
  tell(event: SidecarEvent): void;
  /**
   * Nothing is served and counted before. An address that is in use, or not there yet, is waited for meanwhile.
   * @throws StartRefused where it can never be listened on
   */
  started(status: () => SidecarStatus, desk: Desk): Promise<void>;
  /** Calls back whenever the exchange has refused the key of an account. */
  onKeyRefused(callback: (account: string) => void): void;
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
  let serving: Serving | null = null;
  return {
    notifier,
    onKeyRefused: (callback) =>
      void listeners.push((event) => {
        if (event.kind === "pass" && event.cause === "key") callback(event.account);
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
      if (http !== null) serving = serve(http, asked);
      await serving?.begun;
      notifier.ready();
    },
    close: async () => {
      for (const timer of timers) clearInterval(timer);
      await Promise.all([notifier.stopping(), serving?.close(), beating?.close()]);
    },
  };
}

function openHeartbeat(url: string, log: Log, onFailure: () => void): Heartbeat {
  return createHeartbeat({ url, fetch, log, onFailure });
}
