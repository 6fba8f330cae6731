/** One REST request against the model: address limit, faults, access, limits, effect, envelope. No sockets, no timers. */
import { type SignedRequest, authorise } from "./access.js";
import { type Fault, WIRE_FAULTS, type WireFaultKind, takeFault } from "./faults.js";
import type { Params } from "./parameters.js";
import type { LimitState, RateLimits } from "./rate-limits.js";
import { Refusal, invalid } from "./refusal.js";
import { ROUTES, type Route } from "./routes.js";
import type { Account, Row, World } from "./world.js";

/** What the server is to do on the socket. */
export type Reply =
  | { readonly kind: "answer"; readonly status: number; readonly headers: Row; readonly body: string }
  /** Headers and half a body, then silence. */
  | { readonly kind: "stall"; readonly body: string }
  | { readonly kind: "hang" }
  | { readonly kind: "reset" };

export interface Handled {
  readonly reply: Reply;
  readonly account: string | null;
  /** Null: the answer carries none. */
  readonly retCode: number | null;
  readonly body: unknown;
}

type Effect = { readonly when: "now" } | { readonly when: "never" } | { readonly when: "later"; readonly atMs: number };

interface Envelope {
  readonly retCode: number;
  readonly retMsg: string;
  readonly result: Row;
}

export function handleRequest(world: World, limits: RateLimits, request: SignedRequest): Handled {
  const key = request.headers["x-bapi-api-key"];
  const account = [...world.accounts.values()].find((candidate) => candidate.key === key)?.name ?? null;
  const body = request.method === "GET" ? null : parseBody(request.rawBody);
  const refusedBody = request.method === "GET" && request.rawBody !== "";
  if (!limits.admitAddress(request.ip, world.now()) || refusedBody) {
    return { reply: htmlPage(403), account, retCode: null, body };
  }
  const fault = takeFault(world.faults, WIRE_FAULTS, { path: request.path, account });
  if (fault !== undefined && !takesEffect(fault)) return { ...spoil(world, fault, null), account, body };
  const answered = answer(world, limits, request, body, effectOf(world, fault));
  const handled = fault === undefined ? answered : spoil(world, fault, answered);
  return { ...handled, account, body };
}

type Answered = Pick<Handled, "reply" | "retCode">;

function takesEffect(fault: Fault): boolean {
  const alwaysAnswers = fault.kind === "ackButIgnore" || fault.kind === "delayedEffect";
  return alwaysAnswers || fault.kind === "effectThenReset" || fault.afterEffect === true;
}

function effectOf(world: World, fault: Fault | undefined): Effect {
  if (fault?.kind === "ackButIgnore") return { when: "never" };
  if (fault?.kind === "delayedEffect") return { when: "later", atMs: world.now() + (fault.delayMs ?? 1000) };
  return { when: "now" };
}

/** What the caller gets instead of the answer. */
function spoil(world: World, fault: Fault, answered: Answered | null): Answered {
  const whole = answered?.reply.kind === "answer" ? answered.reply.body : '{"retCode":0,"retMsg":"OK","result":{"li';
  switch (fault.kind as WireFaultKind) {
    case "retCode": {
      const retCode = fault.retCode ?? 10016;
      const retMsg = fault.retMsg ?? (retCode === 10000 ? "Server Timeout" : "Server error.");
      return { reply: json(world, { retCode, retMsg, result: {} }, null), retCode };
    }
    case "html":
      return { reply: htmlPage(fault.status ?? 502), retCode: null };
    case "hang":
      return { reply: { kind: "hang" }, retCode: null };
    case "stall":
      return { reply: { kind: "stall", body: whole }, retCode: null };
    case "reset":
    case "effectThenReset":
      return { reply: { kind: "reset" }, retCode: null };
    case "empty":
      return { reply: { kind: "answer", status: 200, headers: {}, body: "" }, retCode: null };
    case "truncated": {
      const half = whole.slice(0, Math.floor(whole.length / 2));
      const headers = { "content-type": "application/json; charset=utf-8" };
      return { reply: { kind: "answer", status: 200, headers, body: half }, retCode: null };
    }
    case "ackButIgnore":
    case "delayedEffect":
      return answered ?? { reply: { kind: "reset" }, retCode: null };
  }
}

function answer(world: World, limits: RateLimits, request: SignedRequest, body: unknown, effect: Effect): Answered {
  let limit: LimitState | null = null;
  let envelope: Envelope;
  try {
    const route = ROUTES.get(`${request.method} ${request.path}`);
    if (route === undefined) throw new Refusal(10017, "Route not found.");
    const params = request.method === "GET" ? queryParams(request.rawQuery) : bodyParams(body);
    const account = route.access === "public" ? null : authorise(world.accounts.values(), request, world.now());
    if (account !== null) {
      limit = limits.admit(account.name, `${request.method} ${request.path}`, world.now());
      if (!limit.admitted) throw new Refusal(10006, "Too many visits!");
    }
    const result = perform(world, route, account, params, effect);
    envelope = { retCode: 0, retMsg: "OK", result };
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    envelope = { retCode: refusal.retCode, retMsg: refusal.retMsg, result: {} };
  }
  return { reply: json(world, envelope, limit), retCode: envelope.retCode };
}

function perform(world: World, route: Route, account: Account | null, params: Params, effect: Effect): Row {
  const run = (): Row => {
    if (route.access === "public") return route.run(world, params);
    if (account === null) throw new Refusal(10003, "API key is invalid.");
    return route.run(world, account, params);
  };
  if (effect.when === "now") return run();
  if (effect.when === "later") {
    world.deferred.push({ atMs: effect.atMs, run: () => swallowRefusal(run) });
  }
  const names = typeof params["side"] === "string";
  return names ? { orderId: world.random.uuid(), orderLinkId: params["orderLinkId"] ?? "" } : {};
}

/** The acknowledgement is long gone: nobody is left to be refused. */
function swallowRefusal(run: () => Row): void {
  try {
    run();
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
  }
}

function json(world: World, envelope: Envelope, limit: LimitState | null): Reply {
  const nowMs = world.now();
  const headers: Row = {
    "content-type": "application/json; charset=utf-8",
    Ret_code: String(envelope.retCode),
    Traceid: world.random.hex(32),
    Timenow: String(nowMs),
    ...(limit === null
      ? {}
      : {
          "X-Bapi-Limit": String(limit.limit),
          "X-Bapi-Limit-Status": String(limit.remaining),
          "X-Bapi-Limit-Reset-Timestamp": String(limit.resetAtMs),
        }),
  };
  return { kind: "answer", status: 200, headers, body: JSON.stringify({ ...envelope, retExtInfo: {}, time: nowMs }) };
}

function htmlPage(status: number): Reply {
  const title = status === 403 ? "ERROR: access too frequent" : `${status} Bad Gateway`;
  const body = `<html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>`;
  return { kind: "answer", status, headers: { "content-type": "text/html" }, body };
}

/** One decoding, no more: cursors carry escapes of their own. */
function queryParams(rawQuery: string): Params {
  return Object.fromEntries(new URLSearchParams(rawQuery));
}

function parseBody(rawBody: string): unknown {
  try {
    return rawBody === "" ? {} : JSON.parse(rawBody);
  } catch {
    return undefined;
  }
}

function bodyParams(body: unknown): Params {
  if (typeof body !== "object" || body === null || Array.isArray(body)) throw invalid("params error: body invalid");
  return body as Params;
}
