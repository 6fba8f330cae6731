/** When the dead man's switch is told that all is well: after a sweep that saw every account whole. */
import type { SidecarEvent } from "../../sidecar/event.js";
import type { Heartbeat } from "../../sidecar/heartbeat.js";

/** `accounts` are those that are watched now: one that a reload has taken away counts no more, one not yet seen counts. */
export function beatOn(heartbeat: Heartbeat, accounts: () => readonly string[]): (event: SidecarEvent) => void {
  const results = new Map<string, string | null>();
  return (event) => {
    if (event.kind === "pass-started" && event.whole) return heartbeat.started();
    if (event.kind !== "pass" || !event.whole) return;
    const { account, result, reason } = event;
    results.set(account, result === "complete" ? null : `${account}: ${reason ?? result}`);
    const watched = accounts();
    const trouble = watched.map((name) => results.get(name)).find((one) => typeof one === "string");
    if (trouble !== undefined) heartbeat.failed(trouble);
    else if (watched.length > 0 && watched.every((name) => results.has(name))) heartbeat.completed();
  };
}
