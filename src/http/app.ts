/** The order in which a request is judged: who asks, how much it carries, whether there is such a route. */
import { Hono } from "hono";
import { methodNotAllowed } from "hono/method-not-allowed";
import { LedgerError } from "../ledger/error.js";
import { PauseFileError } from "../ledger/pausing.js";
import type { Log } from "../runtime/index.js";
import type { SidecarStatus } from "../sidecar/status.js";
import { type Ask, type Env, sendError } from "./answers.js";
import { bearer, GUARDED_PATHS } from "./bearer.js";
import { readBody } from "./body.js";
import type { Desk } from "./desk.js";
import { eventRoutes } from "./events.js";
import type { Feed } from "./feed.js";
import { gate } from "./gate.js";
import { healthRoutes } from "./health.js";
import { historyRoutes } from "./history.js";
import { intentRoutes } from "./intents.js";
import { metricsRoutes } from "./metrics.js";
import { openapiRoute } from "./openapi.js";
import { pauseRoutes } from "./pausing.js";
import { quoteRoutes } from "./quote.js";
import { reportRoutes } from "./report.js";
import { mount, type Route } from "./route.js";
import type { Timing } from "./timing.js";

export interface AppOptions {
  /** As configured: the name by which the server may be asked for, beside those of the loopback. */
  readonly host: string;
  readonly status: () => SidecarStatus;
  readonly metricsText: () => Promise<string>;
  readonly desk: Desk;
  /** Opens the guarded routes; as `openToken` gave it, so that no answer shows it. */
  readonly token: string;
  readonly log: Log;
}

/** What the server adds of its own. */
export interface AppParts {
  readonly feed: Feed;
  readonly timing: Timing;
}

export function createApp(options: AppOptions, parts: AppParts): Hono<Env> {
  const app = new Hono<Env>();
  app.use(async (ask, next) => {
    ask.header("cache-control", "no-store");
    ask.header("x-content-type-options", "nosniff");
    await next();
  });
  app.use(gate(options.host));
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
  app.use(GUARDED_PATHS, bearer(options.token));
  const routes = routesOf(options, parts);
  for (const route of [...routes, openapiRoute(routes.map(({ operation }) => operation))]) mount(app, route);
  app.notFound((ask) => sendError(ask, 404, "not-found", "no such route"));
  app.onError((error, ask) => failed(error, ask, options.log));
  return app;
}

function routesOf({ status, metricsText, desk, token }: AppOptions, { feed, timing }: AppParts): readonly Route[] {
  return [
    ...healthRoutes(status),
    ...metricsRoutes(metricsText, token),
    ...reportRoutes(desk),
    ...eventRoutes(feed),
    ...intentRoutes(desk),
    ...quoteRoutes(desk),
    ...pauseRoutes(desk, timing),
    ...historyRoutes(desk),
  ];
}

function failed(error: Error, ask: Ask, log: Log): Response {
  const route = `${ask.req.method} ${ask.req.path}`;
  // Both are written for an operator: what is wrong with which file, and what to do.
  if (error instanceof LedgerError && error.trouble !== "value") {
    log.warn({ err: error, route }, "a request failed for want of the ledger");
    return sendError(ask, 503, "ledger-unavailable", error.message);
  }
  if (error instanceof PauseFileError) {
    log.warn({ err: error, route }, "a request failed for want of the pauses' file");
    return sendError(ask, 500, "pause-file", error.message);
  }
  log.error({ err: error, route }, "a request failed by a mistake of ours");
  return sendError(ask, 500, "internal", "a mistake of ours; the log says more");
}
