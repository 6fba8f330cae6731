/** For supervisors: does the process turn, and is it of use just now. */
import * as z from "zod";
import type { SidecarStatus } from "../sidecar/status.js";
import { sendError, sendJson } from "./answers.js";
import { accountName, failure, named } from "./operation.js";
import { type Readiness, readinessOf, readinessOfOne } from "./readiness.js";
import { type Route, route } from "./route.js";

const readinessForm = named(
  "Readiness",
  z.object({
    ready: z.boolean(),
    accounts: z.array(
      z.object({
        name: z.string(),
        ready: z.boolean(),
        reachable: z.boolean(),
        reason: z.string().nullable().describe("why it is not ready; null where it is"),
        ageMs: z.number().nullable().describe("since the last complete pass; null: there was none"),
      }),
    ),
  }) satisfies z.ZodType<Readiness>,
);

export function healthRoutes(status: () => SidecarStatus): readonly Route[] {
  return [healthRoute(), readyRoute(status)];
}

function healthRoute(): Route {
  return route(
    {
      name: "isAlive",
      method: "GET",
      path: "/healthz",
      summary: "Whether the process turns",
      answers: { 200: { what: "it does", form: z.object({ status: z.literal("ok") }) } },
    },
    (ask) => sendJson(ask, 200, { status: "ok" }),
  );
}

function readyRoute(status: () => SidecarStatus): Route {
  return route(
    {
      name: "isReady",
      method: "GET",
      path: "/readyz",
      summary: "Whether every account that can be reached was seen whole lately",
      query: z.object({ account: accountName.exactOptional().describe("only this one") }),
      answers: {
        200: { what: "ready", form: readinessForm },
        404: failure("no such account"),
        503: { what: "not ready", form: readinessForm },
      },
    },
    (ask, { query: { account: name } }) => {
      const readiness = name === undefined ? readinessOf(status()) : readinessOfOne(status(), name);
      if (readiness !== null) return sendJson(ask, readiness.ready ? 200 : 503, readiness);
      const known = status().accounts.map((account) => account.name);
      return sendError(ask, 404, "not-found", `no such account; there are: ${known.join(", ")}`);
    },
  );
}
