/** For supervisors: does the process turn, and is it of use just now. */
import { Hono } from "hono";
import type { SidecarStatus } from "../sidecar/status.js";
import { type Env, sendError, sendJson } from "./answers.js";
import { readinessOf, readinessOfOne } from "./readiness.js";

export function healthRoutes(status: () => SidecarStatus): Hono<Env> {
  const routes = new Hono<Env>();
  routes.get("/healthz", (ask) => sendJson(ask, 200, { status: "ok" }));
  routes.get("/readyz", (ask) => {
    const name = ask.req.query("account");
    const readiness = name === undefined ? readinessOf(status()) : readinessOfOne(status(), name);
    if (readiness !== null) return sendJson(ask, readiness.ready ? 200 : 503, readiness);
    const known = status().accounts.map((account) => account.name);
    return sendError(ask, 404, "not-found", `no such account; there are: ${known.join(", ")}`);
  });
  return routes;
}
