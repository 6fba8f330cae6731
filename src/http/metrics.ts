/** The metrics as Prometheus reads them: open to this machine, elsewhere for the token, since they name the accounts. */
import { scrub } from "../runtime/index.js";
import { refusedToken } from "./bearer.js";
import { plainAddress } from "./gate.js";
import { failure } from "./operation.js";
import { type Route, route } from "./route.js";

const PROMETHEUS_TEXT = "text/plain; version=0.0.4; charset=utf-8";

export function metricsRoutes(metricsText: () => Promise<string>, token: string): readonly Route[] {
  const metrics = route(
    {
      name: "getMetrics",
      method: "GET",
      path: "/metrics",
      summary: "Metrics for Prometheus; from another machine with the token",
      answers: {
        200: { what: "Prometheus text", form: "text/plain" },
        401: failure("asked from another machine without the token"),
      },
    },
    async (ask) => {
      const isNear = isLoopback(ask.env.incoming.socket.remoteAddress);
      const refusal = isNear ? null : refusedToken(ask, token);
      return refusal ?? ask.body(scrub(await metricsText()), 200, { "content-type": PROMETHEUS_TEXT });
    },
  );
  return [metrics];
}

/** Undefined, as of a connection that is gone, is nobody we know. */
function isLoopback(address: string | undefined): boolean {
  const plain = plainAddress(address ?? "");
  return plain === "::1" || plain.startsWith("127.");
}
