/** When the dead man's switch is told that all is well: after a sweep that saw every account whole. */
import type { SidecarEvent } from "../../sidecar/event.js";
import type { Heartbeat } from "../../sidecar/heartbeat.js";

export function beatOn(heartbeat: Heartbeat): (event: SidecarEvent) => void {
  const results = new Map<string, string | null>();
  return (event) => {
    if (event.kind === "pass-started" && event.whole) return heartbeat.started();
    if (event.kind !== "pass" || !event.whole) return;
    const { account, result, reason } = event;
    results.set(account, result === "complete" ? null : `${account}: ${reason ?? result}`);
    const trouble = [...results.values()].find((one) => one !== null) ?? null;
    if (trouble === null) heartbeat.completed();
    else heartbeat.failed(trouble);
  };
}
