/** HTTP in process: requests reach the exchange after a while, are answered after a while, or go wrong on the way. */
import { type Reply, sign, signatureText } from "../../src/exchange/simulator/index.js";
import type { Fault } from "../../src/exchange/simulator/faults.js";
import type { Credentials, Line, OpenLines, Outgoing } from "../../src/exchange/bybit/index.js";
import { spoilRows } from "./rows.js";
import { addTo, type Instance, passes, type Run, type Sent, strikes } from "./run-parts.js";

const RECV_WINDOW = "5000";
const TIMEOUT_MS = 5_000;
const ADDRESS = "127.0.0.1";

export function openLinesFor(run: Run, instance: Instance): OpenLines {
  const latest = new Map<string, { readonly atMs: number; readonly data: unknown }>();
  return () => ({
    open: (credentials) => lineFor(run, instance, credentials, latest),
    close: () => undefined,
  });
}

type Latest = Map<string, { readonly atMs: number; readonly data: unknown }>;

function lineFor(run: Run, instance: Instance, credentials: Credentials, latest: Latest): Line {
  const line: Line = {
    offsetMs: 0,
    carry: (outgoing) =>
      new Promise((resolve, reject) => {
        const sent: Sent = { instance, outgoing, atMs: run.time.elapsedMs };
        const request = signed(outgoing, credentials, line.offsetMs);
        const trip: Trip = { run, sent, request, resolve, reject, latest };
        if (!instance.isAlive || (outgoing.method === "POST" && passes(run, instance, "request leaving"))) return;
        if (outgoing.method === "POST") run.watcher.sent(sent);
        addTo(run.counts, "requests");
        leave(trip);
      }),
  };
  return line;
}

type Request = Parameters<Run["venue"]["handle"]>[1];

interface Trip {
  readonly run: Run;
  readonly sent: Sent;
  readonly request: Request;
  readonly resolve: (body: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly latest: Latest;
}

/** As the SDK signs: over the raw query or the raw body. */
function signed({ method, path, params }: Outgoing, { key, secret }: Credentials, offsetMs: number): Request {
  const isRead = method === "GET";
  const rawQuery = isRead ? new URLSearchParams(params as Record<string, string>).toString() : "";
  const rawBody = isRead ? "" : JSON.stringify(params);
  const timestamp = String(Date.now() + offsetMs);
  const signature = sign(secret, signatureText(key, timestamp, RECV_WINDOW, isRead ? rawQuery : rawBody));
  const headers = {
    "x-bapi-api-key": key,
    "x-bapi-timestamp": timestamp,
    "x-bapi-recv-window": RECV_WINDOW,
    "x-bapi-sign": signature,
  };
  return { method, path, rawQuery, rawBody, headers, ip: ADDRESS };
}

/** Fails as the HTTP client does: an error that holds the whole signed request. */
function networkError({ request }: Trip, code: string, syscall?: string): Error {
  const about = { headers: request.headers, url: request.path, data: request.rawBody };
  return Object.assign(new Error(`${code} ${request.headers["x-bapi-api-key"]}`), {
    code,
    config: about,
    request: about,
    ...(syscall === undefined ? {} : { syscall }),
  });
}

/** For the record: it surely had no effect. */
const NEVER_LEFT = { retCode: -1 };

function leave(trip: Trip): void {
  const { run, sent } = trip;
  const isWrite = sent.outgoing.method === "POST";
  const back = (ms: number, done: () => void): void => void run.time.after(ms, sent.instance, done);
  if (run.isNetworkDown || (isWrite && strikes(run, "writeNeverLeft"))) {
    run.watcher.answered(sent, NEVER_LEFT);
    return back(3, () => trip.reject(networkError(trip, run.dice.pick(["ENOTFOUND", "ECONNREFUSED", "ENETUNREACH"]))));
  }
  const wayMs = halfTrip(run);
  run.time.after(wayMs, run.time.world, () => arrive(trip, wayMs));
}

function halfTrip({ story, dice }: Run): number {
  return story.latencyMs / 2 + dice.next() * story.latencyMs * 0.3;
}

function arrive(trip: Trip, wayMs: number): void {
  const { run, sent, request } = trip;
  const { outgoing, instance } = sent;
  const isWrite = outgoing.method === "POST";
  const fault = run.isBanned
    ? BANNED
    : (badKey(run, outgoing) ?? (isWrite ? writeFault(run) : readFault(run, outgoing)));
  if (isWrite) meddle(run, outgoing);
  if (isWrite && passes(run, instance, "request arrived") && run.dice.next() < 0.5) return;
  const { faults } = run.venue.exchange.world;
  faults.length = 0;
  if (fault !== null) faults.push({ fault, passesLeft: 0, hitsLeft: 1 });
  const reply = run.venue.handle("us", request);
  faults.length = 0;
  const summary =
    reply.kind === "answer" ? (/"retCode":(-?\d+)/.exec(reply.body)?.[1] ?? String(reply.status)) : reply.kind;
  if (isWrite) run.trace(`${instance.name} POST ${outgoing.path} ${request.rawBody} ${summary}`);
  else run.trace(`${instance.name} GET ${outgoing.path} ${summary}`);
  if (isWrite)
    run.tell?.(
      `${instance.name} writes ${outgoing.path} ${request.rawBody} → ${summary}${fault === null ? "" : ` (${fault.kind})`}`,
    );
  if (isWrite && passes(run, instance, "effect done")) return;
  run.time.after(wayMs, instance, () => {
    if (isWrite && passes(run, instance, "answer back")) return;
    deliver(trip, reply);
  });
}

const BANNED: Fault = { kind: "html", status: 403 };
const WEB_PAGE: Fault = { kind: "html", status: 200 };

function badKey({ keyTrouble }: Run, { path }: Outgoing): Fault | null {
  return keyTrouble === null || path.startsWith("/v5/market/") ? null : { kind: "retCode", retCode: keyTrouble };
}

function readFault(run: Run, { path, params }: Outgoing): Fault | null {
  const { dice } = run;
  const isNextPage = params["cursor"] !== undefined;
  if (strikes(run, "readServerError")) {
    return dice.pick<Fault>([
      { kind: "retCode", retCode: 10000 },
      { kind: "retCode", retCode: 10016 },
      { kind: "retCode", retCode: 10429 },
      { kind: "html", status: 502 },
      { kind: "html", status: 429 },
    ]);
  }
  if (strikes(run, "readHang")) return { kind: "hang" };
  if (strikes(run, "readReset")) return { kind: "reset" };
  if (strikes(run, "readGarbage"))
    return dice.pick<Fault>([{ kind: "empty" }, { kind: "truncated" }, { kind: "stall" }, WEB_PAGE]);
  if (strikes(run, "readRateLimit")) return { kind: "retCode", retCode: 10006, retMsg: "Too many visits!" };
  if (isNextPage && strikes(run, "pageFails")) return { kind: "retCode", retCode: 10016 };
  const isList = path === "/v5/position/list" || path === "/v5/order/realtime";
  if (isList && strikes(run, "cursorLoop")) {
    return dice.pick<Fault>([{ kind: "lastCursorEmptyPage" }, { kind: "lastCursorRepeat" }, { kind: "selfCursor" }]);
  }
  return null;
}

function writeFault(run: Run): Fault | null {
  const { dice } = run;
  const server = (): Fault =>
    dice.pick<Fault>([
      { kind: "retCode", retCode: 10000 },
      { kind: "retCode", retCode: 10016 },
      { kind: "html", status: 502 },
    ]);
  const echo = `for ${run.venue.account.key}`;
  if (strikes(run, "writeServerErrorBefore")) return server();
  if (strikes(run, "writeServerErrorAfter")) return { ...server(), afterEffect: true };
  if (strikes(run, "writeTimeoutBefore")) return { kind: "hang" };
  if (strikes(run, "writeTimeoutAfter")) return { kind: "hang", afterEffect: true };
  if (strikes(run, "writeResetAfter")) return { kind: "effectThenReset" };
  if (strikes(run, "writeLateEffect")) return { kind: "delayedEffect", delayMs: dice.between(100, 8_000) };
  if (strikes(run, "writeGarbage")) {
    const kind = dice.pick(["empty", "truncated", "stall", "html"] as const);
    return { kind, status: 200, afterEffect: dice.next() < 0.5 };
  }
  if (strikes(run, "writeRateLimit")) return { kind: "retCode", retCode: 10006, retMsg: `Too many visits! ${echo}` };
  if (strikes(run, "writeNotModified")) return { kind: "retCode", retCode: 34040, retMsg: "not modified" };
  if (strikes(run, "writeLie")) return { kind: "ackButIgnore" };
  if (strikes(run, "writeZeroPosition")) return { kind: "zeroPosition" };
  if (strikes(run, "writeStopLimits")) return { kind: "retCode", retCode: dice.pick([110061, 110058, 3400214]) };
  return null;
}

/** What happens to the position while the write is under way. */
function meddle(run: Run, { params }: Outgoing): void {
  const symbol = String(params["symbol"]);
  const idx = params["positionIdx"];
  const state = run.venue
    .states()
    .find((one) => one.symbol === symbol && (idx === undefined || one.positionIdx === idx));
  if (state === undefined || state.side === null) return;
  const target = { symbol, positionIdx: state.positionIdx };
  if (state.positionIdx === 0 && strikes(run, "flipInWrite")) run.venue.act("bot", (it) => it.flip({ symbol }));
  if (strikes(run, "closeInWrite")) run.venue.act("bot", (it) => it.close(target));
  if (strikes(run, "growInWrite")) {
    const size = state.size.div(2).toFixed();
    const { side } = state;
    if (run.dice.next() < 0.5) run.venue.act("bot", (it) => it.reduce({ ...target, size }));
    else run.venue.act("bot", (it) => it.open({ symbol, side, size, ...(run.story.hedge ? { hedge: true } : {}) }));
  }
  if (strikes(run, "handInWrite")) {
    const mark = run.venue.marks(symbol, run.time.elapsedMs).at(-1)?.mark;
    if (mark === undefined) return;
    const price = mark.times(state.side === "long" ? 0.997 : 1.003).toFixed();
    run.venue.act("person", (it) =>
      it.tradingStop({
        symbol,
        positionIdx: state.positionIdx,
        stopLoss: price,
        slTriggerBy: "MarkPrice",
        tpslMode: "Full",
      }),
    );
  }
}

/** What the SDK makes of an answer: it takes any body for good, and throws for other statuses. */
function deliver(trip: Trip, reply: Reply): void {
  const { run, sent, request } = trip;
  const lateMs = TIMEOUT_MS - (run.time.elapsedMs - sent.atMs);
  const failsLate = (): void =>
    void run.time.after(Math.max(0, lateMs), sent.instance, () => trip.reject(networkError(trip, "ECONNABORTED")));
  switch (reply.kind) {
    case "hang":
    case "stall":
      return failsLate();
    case "reset":
      return trip.reject(networkError(trip, "ECONNRESET", "read"));
    case "answer": {
      const data = parsed(reply.body);
      if (reply.status !== 200) {
        if (reply.status === 403) run.watcher.answered(sent, NEVER_LEFT);
        const response = { status: reply.status, data: `${reply.body} ${request.headers["x-bapi-sign"]}`, headers: {} };
        return trip.reject(Object.assign(networkError(trip, "ERR_BAD_RESPONSE"), { response }));
      }
      const shown = sent.outgoing.method === "GET" ? staled(trip, data) : data;
      const body = Object.assign({ rateLimitApi: limitsOf(reply.headers) }, shown);
      run.watcher.answered(sent, body);
      return trip.resolve(body);
    }
  }
}

/** Sometimes what was true a moment ago, or rows that nobody expects. */
function staled({ run, request, sent, latest }: Trip, data: unknown): unknown {
  const name = `${request.path}?${request.rawQuery}`;
  const before = latest.get(name);
  const nowMs = run.time.elapsedMs;
  latest.set(name, { atMs: nowMs, data });
  if (before !== undefined && nowMs - before.atMs <= 2_000 && strikes(run, "readStale")) return before.data;
  return spoilRows(run, sent.outgoing.path, data);
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

function limitsOf(headers: Readonly<Record<string, unknown>>) {
  const status = headers["X-Bapi-Limit-Status"];
  if (status === undefined) return undefined;
  return {
    remainingRequests: Number(status),
    maxRequests: Number(headers["X-Bapi-Limit"]),
    resetAtTimestamp: Number(headers["X-Bapi-Limit-Reset-Timestamp"]),
  };
}
