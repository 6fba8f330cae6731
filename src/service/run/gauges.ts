/** What the sidecar's events count for in the metrics. */
import { keyText } from "../../domain/position.js";
import type { Metrics } from "../../runtime/metrics.js";
import type { SidecarEvent } from "../../sidecar/event.js";
import type { SidecarStatus } from "../../sidecar/status.js";

export function countEvents(metrics: Metrics): (event: SidecarEvent) => void {
  /** Positions that we have sent a stop for since they were last protected, and how. */
  const paths = new Map<string, "push" | "pass">();
  return (event) => {
    switch (event.kind) {
      case "sent":
        if (event.step.action === "set-trading-stop" && event.step.stopLoss !== null) {
          paths.set(keyText(event.step.key), event.path);
        }
        return;
      case "protected": {
        const path = paths.get(keyText(event.key));
        paths.delete(keyText(event.key));
        if (path === undefined || event.afterMs === null) return;
        return metrics.protectedAfter(event.afterMs / 1_000, { account: event.key.account, path });
      }
      case "outcome": {
        const { step, outcome } = event.record;
        if (outcome === "planned") return;
        return metrics.written({ account: step.key.account, action: step.action, outcome });
      }
      case "pass": {
        const { account, result, tookMs, whole } = event;
        if (whole) metrics.passEnded({ account, result, seconds: tookMs / 1_000 });
        return;
      }
      case "stream":
        if (event.state === "down") metrics.streamDropped(event.account);
        return;
      case "attach": {
        const { outcome, step } = event.event;
        if (outcome === "sent") return;
        return metrics.written({ account: step.key.account, action: step.action, outcome });
      }
      case "life":
      case "naked":
      case "finding":
      case "would-send":
      case "mended":
      case "watching":
      case "pass-started":
        return;
    }
  };
}

/** Every second of every position without a whole stop, from one reading of the status to the next. */
export function countNakedSeconds(metrics: Metrics): (status: SidecarStatus) => void {
  let readAtMs: number | null = null;
  return ({ nowMs, accounts }) => {
    const seconds = readAtMs === null ? 0 : Math.max(0, nowMs - readAtMs) / 1_000;
    readAtMs = nowMs;
    for (const { name, positions } of accounts) {
      const { unprotected, underprotected, misplaced, unprotectable, unknown } = positions;
      metrics.nakedFor((unprotected + underprotected + misplaced + unprotectable + unknown) * seconds, name);
    }
  };
}
