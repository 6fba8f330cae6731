/** Guards what only the owner of the token may ask for. */
import type { MiddlewareHandler } from "hono";
import { type Env, sendError } from "./answers.js";
import { bearerToken, sameToken } from "./token.js";

const GUARDED = "/v1/";

/** Everything below it, also what is not there: a stranger learns nothing of it. */
export const GUARDED_PATHS = `${GUARDED}*`;

export function isGuarded(path: string): boolean {
  return path.startsWith(GUARDED);
}

export function bearer(token: string): MiddlewareHandler<Env> {
  return async (ask, next) => {
    const offered = bearerToken(ask.req.header("authorization"));
    if (offered !== null && sameToken(offered, token)) return next();
    ask.header("www-authenticate", "Bearer");
    const what = offered === null ? "wanted is the header Authorization: Bearer TOKEN" : "this is not the token";
    return sendError(ask, 401, "unauthorized", `${what}; http.tokenFile holds it`);
  };
}
