/** A route: its operation's forms applied to the request, and only then its work. */
import type { Hono } from "hono";
import type * as z from "zod";
import { type Ask, type Env, sendError } from "./answers.js";
import { readBodyAs, readPlace, readQuery } from "./input.js";
import type { Operation } from "./operation.js";

export interface Route {
  readonly operation: Operation;
  readonly answer: (ask: Ask) => Response | Promise<Response>;
}

/** What the forms of the operation made of the request. */
export interface Input<Place, Query, Body> {
  readonly place: Place;
  readonly query: Query;
  readonly body: Body;
}

type Work<Place, Query, Body> = (ask: Ask, input: Input<Place, Query, Body>) => Response | Promise<Response>;

/** `refuse`: how a body is refused that does not fit its form. */
export function route<
  Place extends z.ZodType = z.ZodUndefined,
  Query extends z.ZodType = z.ZodUndefined,
  Body extends z.ZodType = z.ZodUndefined,
>(
  operation: Operation<Place, Query, Body>,
  work: Work<z.output<Place>, z.output<Query>, z.output<Body>>,
  refuse: (ask: Ask, message: string) => Response = (ask, message) => sendError(ask, 422, "unprocessable", message),
): Route {
  const answer = (ask: Ask): Response | Promise<Response> => {
    const place = readPlace(ask, operation.place);
    if (place.kind === "unfit") return sendError(ask, 404, "not-found", place.message);
    const query = readQuery(ask, operation.query);
    if (query.kind === "unfit") return sendError(ask, 400, "bad-request", query.message);
    const body = readBodyAs(ask, operation.body);
    switch (body.kind) {
      case "other-type":
        return sendError(ask, 415, "unsupported-type", body.message);
      case "no-json":
        return sendError(ask, 400, "bad-request", body.message);
      case "unfit":
        return refuse(ask, body.message);
      case "fit":
        return work(ask, { place: place.value, query: query.value, body: body.value });
    }
  };
  return { operation, answer };
}

export function mount(app: Hono<Env>, { operation, answer }: Route): void {
  app.on(operation.method, operation.path.replace(/\{(\w+)\}/g, ":$1"), answer);
}
