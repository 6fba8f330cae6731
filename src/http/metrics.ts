/** The metrics as Prometheus reads them: for this machine only, since they name the accounts. */
import { scrub } from "../runtime/index.js";
import { sendError } from "./answers.js";
import { plainAddress } from "./gate.js";
import { failure } from "./operation.js";
import { type Route, route } from "./route.js";

const PROMETHEUS_TEXT = "text/plain; version=0.0.4; charset=utf-8";

export function metricsRoutes(metricsText: () => Promise<string>): readonly Route[] {
  const metrics = route(
    {
      name: "getMetrics",
      method: "GET",
      path: "/metrics",
      summary: "Metrics for Prometheus, for this machine only",
      answers: { 200: { what: "Prometheus text", form: "text/plain" }, 401: failure("asked from another machine") },
    },
    async (ask) => {
      if (isLoopback(ask.env.incoming.socket.remoteAddress)) {
        return ask.body(scrub(await metricsText()), 200, { "content-type": PROMETHEUS_TEXT });
      }
      ask.header("www-authenticate", "Bearer");
      return sendError(ask, 401, "unauthorized", "the metrics are open to this machine only");
    },
  );
  return [metrics];
}

/** Undefined, as of a connection that is gone, is nobody we know. */
function isLoopback(address: string | undefined): boolean {
  const plain = plainAddress(address ?? "");
  return plain === "::1" || plain.startsWith("127.");
}
