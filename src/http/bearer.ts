/** Guards what only the owner of the token may ask for. */
import type { Context, MiddlewareHandler } from "hono";
import { type Env, sendError } from "./answers.js";
import { bearerToken, sameToken } from "./token.js";

const GUARDED = "/v1/";

/** Everything below it, also what is not there: a stranger learns nothing of it. */
export const GUARDED_PATHS = `${GUARDED}*`;

export function isGuarded(path: string): boolean {
  return path.startsWith(GUARDED);
}

export function bearer(token: string): MiddlewareHandler<Env> {
  return async (ask, next) => refusedToken(ask, token) ?? (await next());
}

/** The answer to who has not sent the token; null: it was sent. */
export function refusedToken(ask: Context<Env>, token: string): Response | null {
  const offered = bearerToken(ask.req.header("authorization"));
  if (offered !== null && sameToken(offered, token)) return null;
  ask.header("www-authenticate", "Bearer");
  const what = offered === null ? "wanted is the header Authorization: Bearer TOKEN" : "this is not the token";
  return sendError(ask, 401, "unauthorized", `${what}; http.tokenFile holds it`);
}
