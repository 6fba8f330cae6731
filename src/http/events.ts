/** What happens, as it happens: server-sent events. */
import { sendError } from "./answers.js";
import type { Feed } from "./feed.js";
import { failure } from "./operation.js";
import { type Route, route } from "./route.js";

const EVENT_STREAM = "text/event-stream";

export function eventRoutes(feed: Feed): readonly Route[] {
  const events = route(
    {
      name: "listen",
      method: "GET",
      path: "/v1/events",
      summary: "Findings, steps, outcomes and more, as they happen",
      detail:
        "Each has an id, counted since the start; event: finding, step, outcome, life, pass, intent or stream; and JSON as data. " +
        "Nothing is repeated after a reconnect. A comment comes every 15 s. Who cannot keep up is cut off.",
      answers: {
        200: { what: "until either side ends it", form: EVENT_STREAM },
        503: failure("too many are listening already"),
      },
    },
    (ask) => {
      const headers = { "content-type": EVENT_STREAM, "x-accel-buffering": "no" };
      if (ask.req.method === "HEAD") return ask.body(null, 200, headers);
      const { outgoing } = ask.env;
      const stream = feed.open(() => void outgoing.destroy());
      if (stream !== null) return ask.body(stream, 200, headers);
      return sendError(ask, 503, "too-many-readers", "too many are listening already; end another connection first");
    },
  );
  return [events];
}
