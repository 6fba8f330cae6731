/** The metrics as Prometheus reads them: for this machine only, since they name the accounts. */
import { Hono } from "hono";
import { scrub } from "../runtime/index.js";
import { type Env, sendError } from "./answers.js";
import { plainAddress } from "./gate.js";

const PROMETHEUS_TEXT = "text/plain; version=0.0.4; charset=utf-8";

export function metricsRoutes(metricsText: () => Promise<string>): Hono<Env> {
  const routes = new Hono<Env>();
  routes.get("/metrics", async (ask) => {
    if (!isLoopback(ask.env.incoming.socket.remoteAddress)) {
      ask.header("www-authenticate", "Bearer");
      return sendError(ask, 401, "unauthorized", "the metrics are open to this machine only");
    }
    return ask.body(scrub(await metricsText()), 200, { "content-type": PROMETHEUS_TEXT });
  });
  return routes;
}

/** Undefined, as of a connection that is gone, is nobody we know. */
function isLoopback(address: string | undefined): boolean {
  const plain = plainAddress(address ?? "");
  return plain === "::1" || plain.startsWith("127.");
}
