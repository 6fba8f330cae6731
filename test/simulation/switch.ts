/** The dead man's switch: hears pings, or hangs, refuses and fails. */
import { type Instance, type Ping, type Run } from "./run-parts.js";

export const SWITCH_URL = "http://127.0.0.1:2/ping/of-nobody";

const ENDINGS: Readonly<Record<string, Ping["kind"]>> = { "/start": "start", "/fail": "fail" };

/** In place of the global one. */
export function fetchFor(run: Run, instance: Instance): typeof fetch {
  return (url, options) =>
    new Promise((resolve, reject) => {
      const trouble = run.switchTrouble;
      const address = addressText(url);
      const body = typeof options?.body === "string" ? options.body : "";
      options?.signal?.addEventListener("abort", () => reject(new Error("aborted")));
      const lost = (): void => run.watcher.pinged(instance, { kind: "lost", text: "" });
      if (trouble === "hangs") return lost();
      const kind = Object.entries(ENDINGS).find(([ending]) => address.endsWith(ending))?.[1] ?? "success";
      run.time.after(run.story.latencyMs, run.time.world, () => {
        const isHeard = trouble === null && !run.isNetworkDown;
        if (!isHeard) lost();
        else run.watcher.pinged(instance, { kind, text: `${address} ${body}` });
        run.time.after(1, instance, () => {
          if (isHeard) resolve(answer(200));
          else if (trouble === "fails") resolve(answer(503));
          else reject(Object.assign(new TypeError("fetch failed"), { cause: refused() }));
        });
      });
    });
}

/** The product names it by text alone. */
export const addressText = (url: Parameters<typeof fetch>[0]): string => (typeof url === "string" ? url : "");

const answer = (status: number): Response => ({ ok: status === 200, status, body: null }) as Response;

const refused = (): Error => Object.assign(new Error("connect"), { code: "ECONNREFUSED" });
