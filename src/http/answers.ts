/** How every route answers: JSON without secrets, and errors in one form. */
import type { HttpBindings } from "@hono/node-server";
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { scrub } from "../runtime/index.js";

export interface Env {
  readonly Bindings: HttpBindings;
  /** What the request carried, whole; empty where it carried nothing. */
  readonly Variables: { readonly body: Buffer };
}

export type Ask = Context<Env>;

/** Each is explained in docs/http.md. */
export const ERROR_CODES = [
  "bad-request",
  "unauthorized",
  "wrong-host",
  "wrong-origin",
  "not-found",
  "method-not-allowed",
  "too-large",
  "unsupported-type",
  "unprocessable",
  "would-loosen",
  "held-by-wider-pause",
  "too-many-readers",
  "not-read-yet",
  "ledger-unavailable",
  "pause-file",
  "internal",
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

const JSON_TYPE = "application/json; charset=utf-8";

export function sendJson(ask: Ask, status: ContentfulStatusCode, value: object): Response {
  return ask.body(textOf(value), status, { "content-type": JSON_TYPE });
}

/** For programs that keep to it: in a second it may be otherwise. */
export function askAgainSoon(ask: Ask): void {
  ask.header("retry-after", "1");
}

export function sendError(ask: Ask, status: ContentfulStatusCode, code: ErrorCode, message: string): Response {
  return sendJson(ask, status, errorBody(code, message));
}

/** For a request that never became one that a route could be asked for. */
export function bareError(status: number, code: ErrorCode, message: string): Response {
  return new Response(textOf(errorBody(code, message)), { status, headers: { "content-type": JSON_TYPE } });
}

function errorBody(code: ErrorCode, message: string): object {
  return { error: { code, message } };
}

function textOf(value: object): string {
  return `${scrub(JSON.stringify(value))}\n`;
}
