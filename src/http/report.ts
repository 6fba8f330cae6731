/** The latest report, and a new one on demand. */
import * as z from "zod";
import { sendJson } from "./answers.js";
import type { Desk } from "./desk.js";
import { named } from "./operation.js";
import { reportForm } from "./report-form.js";
import { type Route, route } from "./route.js";

const nothing = named("Nothing", z.strictObject({}).prefault({}).describe("no body, or an empty object"));

export function reportRoutes(desk: Desk): readonly Route[] {
  return [
    route(
      {
        name: "getReport",
        method: "GET",
        path: "/v1/report",
        summary: "The latest report",
        answers: { 200: { what: "of all accounts, as the last passes left it", form: reportForm } },
      },
      (ask) => sendJson(ask, 200, desk.report()),
    ),
    route(
      {
        name: "sweep",
        method: "POST",
        path: "/v1/sweep",
        summary: "One pass over every account, now",
        body: nothing,
        answers: { 200: { what: "the report of that pass", form: reportForm } },
      },
      async (ask) => sendJson(ask, 200, await desk.sweep()),
    ),
  ];
}
