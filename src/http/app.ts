/** The order in which a request is judged: who asks, how much it carries, whether there is such a route. */
import { Hono } from "hono";
import { methodNotAllowed } from "hono/method-not-allowed";
import type { Log } from "../runtime/index.js";
import type { SidecarStatus } from "../sidecar/status.js";
import { type Env, sendError } from "./answers.js";
import { readBody } from "./body.js";
import { gate } from "./gate.js";
import { healthRoutes } from "./health.js";
import { metricsRoutes } from "./metrics.js";

export interface AppOptions {
  /** As configured: the name by which the server may be asked for, beside those of the loopback. */
  readonly host: string;
  readonly status: () => SidecarStatus;
  readonly metricsText: () => Promise<string>;
  readonly log: Log;
}

export function createApp({ host, status, metricsText, log }: AppOptions): Hono<Env> {
  const app = new Hono<Env>();
  app.use(async (ask, next) => {
    ask.header("cache-control", "no-store");
    ask.header("x-content-type-options", "nosniff");
    await next();
  });
  app.use(gate(host));
  app.use(readBody);
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed: (ask, methods) => {
        ask.header("allow", methods.join(", "));
        return sendError(ask, 405, "method-not-allowed", `allowed here: ${methods.join(", ")}`);
      },
    }),
  );
  app.route("/", healthRoutes(status));
  app.route("/", metricsRoutes(metricsText));
  app.notFound((ask) => sendError(ask, 404, "not-found", "no such route"));
  app.onError((error, ask) => {
    log.error({ err: error, route: `${ask.req.method} ${ask.req.path}` }, "a request failed by a mistake of ours");
    return sendError(ask, 500, "internal", "a mistake of ours; the log says more");
  });
  return app;
}
