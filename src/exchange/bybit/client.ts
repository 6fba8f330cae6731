/** One account's line to the exchange: each request ends as a checked result or as an ExchangeFailure, nothing else. */
import pRetry from "p-retry";
import type { z } from "zod";
import { ExchangeFailure } from "../failure.js";
import { type AccountBudget, type Clock, type IpGate, type LimitClass, PATIENT } from "./budget.js";
import { cleanWords, clocksIn, forRead, isPassing, valueOf, verdictOfCode } from "./failures.js";
import { createHearing, type Hearing } from "./hearing.js";
import { envelope, serverTime } from "./schemas.js";
import { createSkewMeter, type SkewMeter, skewOf, type TimedAnswer } from "./skew.js";
import { deadlineMs, type Params, type RawFacts, type Transport } from "./transport.js";

export interface LogEvent {
  readonly level: "debug" | "info" | "warn";
  readonly message: string;
  readonly [fact: string]: unknown;
}
export type Log = (event: LogEvent) => void;

export interface Request<T> {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly params: Params;
  readonly limitClass: LimitClass;
  readonly schema: z.ZodType<T>;
  /** In the budget: higher goes first; default 0. */
  readonly priority?: number;
  /** Asked right before each try leaves: a reason not to send it any more. */
  readonly veto?: () => string | null;
  /** Told as each try begins to wait for its turn in the budget. */
  readonly waits?: () => void;
  /** Told as it leaves. */
  readonly leaves?: () => void;
}

export interface Answer<T> extends TimedAnswer {
  readonly result: T;
}

export interface Client {
  /** Tries passing failures again, three times in all. @throws ExchangeFailure */
  read<T>(request: Request<T>): Promise<Answer<T>>;
  /** One try. @throws ExchangeFailure */
  readOnce<T>(request: Request<T>): Promise<Answer<T>>;
  /** Tries again only what surely did not happen. @throws ExchangeFailure */
  write<T>(request: Request<T>): Promise<Answer<T>>;
  /** Our clock minus the exchange's by the quickest recent answer; null before the first. */
  skewMs(): number | null;
  /** The exchange's time; null: not known, or not since our clock has jumped. */
  exchangeNowMs(): number | null;
  /** Asks the exchange for its time. @throws ExchangeFailure */
  measureSkewMs(): Promise<number>;
  /** Milliseconds since it last answered anything at all, also an error; infinite before the first answer. */
  silentForMs(): number;
  /** For how long requests have stayed without an answer of its own, milliseconds; infinite while it has shut us out. */
  unansweredForMs(): number;
}

export interface ClientParts {
  readonly transport: Transport;
  readonly budget: AccountBudget;
  readonly clock: Clock;
  /** Removed from every word of the exchange before it goes anywhere; earlier ones included, answers may be late. */
  readonly secrets: () => readonly string[];
  readonly ip: IpGate;
  readonly log: Log;
  /** Longest silence on the wire. */
  readonly timeoutMs: number;
}

const READ_RETRIES = 2;
const WRITE_RETRIES = 3;
const FIRST_PAUSE_MS = 250;
/** A busy process may give a request up so late. */
const LATE_MS = 1_000;
/** docs/v5/rate-limit: windows are one second long; for refusals that name no reset time. */
const RATE_PAUSE_MS = 1_000;

export function createClient(parts: ClientParts): Client {
  const { transport } = parts;
  const meter = createSkewMeter(parts.clock);
  const hearing = createHearing(parts.clock);
  let measuring: Promise<number> | null = null;

  const once = <T>(wanted: Request<T>): Promise<Answer<T>> => attempt(parts, wanted, meter, hearing);

  async function measure(): Promise<number> {
    const answer = await once({
      method: "GET",
      path: "/v5/market/time",
      params: {},
      limitClass: "market",
      schema: serverTime,
    });
    if (answer.serverMs > 0) return skewOf(answer);
    throw new ExchangeFailure({ kind: "not-happened", cause: "garbage", endpoint: "GET /v5/market/time" });
  }

  const measureSkewMs = (): Promise<number> => {
    measuring ??= measure().finally(() => {
      measuring = null;
    });
    return measuring;
  };

  /** Outside the receive window nothing happened, or only a read: learn the exchange's clock, sign anew, once. */
  async function withRightClock<T>(wanted: Request<T>): Promise<Answer<T>> {
    try {
      return await once(wanted);
    } catch (error) {
      if (!(error instanceof ExchangeFailure) || !isOutOfTime(error, wanted.method)) throw error;
      const refusal = error;
      const skewMs = await measureSkewMs().catch(() => skewFromRefusal(refusal, transport.offsetMs()));
      transport.setOffsetMs(-skewMs);
      parts.log({ level: "warn", message: "signing with the exchange's clock", skewMs });
      return await once(wanted);
    }
  }

  // Without p-retry's own signal: it would report a write as not sent that was answered while we close.
  const retrying = <T>(wanted: Request<T>, retries: number): Promise<Answer<T>> =>
    pRetry(() => withRightClock(wanted), {
      retries,
      minTimeout: FIRST_PAUSE_MS,
      randomize: true,
      shouldRetry: ({ error }) => !parts.budget.signal.aborted && mayTryAgain(error),
    });

  return {
    read: (wanted) => retrying(wanted, READ_RETRIES),
    readOnce: withRightClock,
    write: (wanted) => retrying(wanted, WRITE_RETRIES),
    skewMs: () => meter.skewMs(),
    exchangeNowMs: () => meter.exchangeNowMs(),
    measureSkewMs,
    silentForMs: () => hearing.silentForMs(),
    unansweredForMs: () => (parts.ip.bannedForMs() > 0 ? Number.POSITIVE_INFINITY : hearing.unansweredForMs()),
  };
}

/** The same line, whose reads wait for everybody else's. */
export function patiently(client: Client): Client {
  return {
    ...client,
    read: (wanted) => client.read({ ...wanted, priority: PATIENT }),
    readOnce: (wanted) => client.readOnce({ ...wanted, priority: PATIENT }),
  };
}

function mayTryAgain(error: Error): boolean {
  return error instanceof ExchangeFailure && error.facts.kind === "not-happened" && isPassing(error.facts);
}

/** The refusal names both clocks; the request's one already holds the offset it was signed with. */
function skewFromRefusal(refusal: ExchangeFailure, offsetMs: number): number {
  const clocks = clocksIn(refusal.facts.retMsg ?? "");
  if (clocks === null) throw refusal;
  return clocks.requestMs - clocks.serverMs - offsetMs;
}

/** Waits for its turn, sends, checks, and tells what it learned on the way. */
async function attempt<T>(
  parts: ClientParts,
  wanted: Request<T>,
  meter: SkewMeter,
  hearing: Hearing,
): Promise<Answer<T>> {
  const { budget, clock, log } = parts;
  const { method, path, params } = wanted;
  const endpoint = `${method} ${path}`;
  wanted.waits?.();
  await budget.acquire(wanted.limitClass, wanted.priority ?? 0, endpoint);
  const fail = (raw: RawFacts): ExchangeFailure => {
    const failure = failureFrom(raw, method, endpoint, parts.secrets());
    // That nobody waits for a read any more is no trouble.
    const level = method === "GET" && raw.cause === "vetoed" ? "debug" : "warn";
    log({ level, message: failure.message, ...failure.facts });
    return failure;
  };
  const veto = wanted.veto?.() ?? null;
  if (veto !== null) throw fail({ kind: "not-happened", cause: "vetoed", retMsg: veto });
  const sentAtMs = clock.now();
  const startedMs = clock.monotonicMs();
  wanted.leaves?.();
  hearing.asked();
  const sent = await parts.transport.send({ method, path, params, signed: wanted.limitClass !== "market" });
  hearing.ended(!("facts" in sent) || sent.facts.httpStatus !== undefined);
  const times = { sentAtMs, receivedAtMs: clock.now(), roundTripMs: clock.monotonicMs() - startedMs };
  if ("facts" in sent) throw fail(shutOut(parts, wanted.limitClass, sent.facts, times.receivedAtMs));
  // It has lain in a process that stood still, and shows what was; what became of a write is true for good.
  const isLongPast = method === "GET" && times.roundTripMs > deadlineMs(parts) + LATE_MS;
  if (isLongPast) throw fail({ kind: "unknown", cause: "timeout", retMsg: "the answer was read long after it came" });
  const read = readEnvelope(sent.body);
  if (read === null) throw fail(garbage("the answer is no envelope"));
  hearing.answered();
  const timed = { ...times, serverMs: read.serverMs };
  if (timed.serverMs > 0) meter.note(timed);
  const holdMs = holdAfter(read, timed);
  if (holdMs > 0) budget.hold(wanted.limitClass, holdMs);
  if (read.retCode !== 0) throw fail(factsOfRefusal(read, timed.receivedAtMs, holdMs));
  const shaped = wanted.schema.safeParse(read.result);
  if (!shaped.success) throw fail(garbage(whereMisshapen(shaped.error)));
  log({ level: "debug", message: `${endpoint} answered`, roundTripMs: Math.round(timed.roundTripMs) });
  return { result: shaped.data, ...timed };
}

function failureFrom(
  raw: RawFacts,
  method: "GET" | "POST",
  endpoint: string,
  secrets: readonly string[],
): ExchangeFailure {
  const kind = method === "GET" ? forRead(raw.kind) : raw.kind;
  const words = raw.retMsg === undefined ? {} : { retMsg: cleanWords(raw.retMsg, secrets) };
  return new ExchangeFailure({ ...raw, ...words, kind, endpoint });
}

/** A ban of the address holds all of this process back, a refusal for its rate those of its class. */
function shutOut({ ip, budget }: ClientParts, limitClass: LimitClass, facts: RawFacts, receivedAtMs: number): RawFacts {
  if (facts.cause === "ip-ban") {
    ip.ban();
    return { ...facts, retryAtMs: receivedAtMs + ip.bannedForMs() };
  }
  if (facts.cause !== "rate-limit") return facts;
  budget.hold(limitClass, RATE_PAUSE_MS);
  return { ...facts, retryAtMs: receivedAtMs + RATE_PAUSE_MS };
}

function garbage(retMsg: string): RawFacts {
  return { kind: "unknown", cause: "garbage", retMsg };
}

interface Envelope {
  readonly retCode: number;
  readonly retMsg: string;
  readonly result: unknown;
  /** Zero where the answer carries no time. */
  readonly serverMs: number;
  readonly remaining: unknown;
  readonly resetAtMs: unknown;
}

function readEnvelope(body: unknown): Envelope | null {
  const parsed = envelope.safeParse(body);
  if (!parsed.success) return null;
  const { retCode, retMsg, result, time } = parsed.data;
  const serverMs = Number(time ?? "0");
  const limits = valueOf(body, "rateLimitApi");
  return {
    retCode,
    retMsg: retMsg ?? "",
    result,
    serverMs: Number.isFinite(serverMs) ? serverMs : 0,
    remaining: valueOf(limits, "remainingRequests"),
    resetAtMs: valueOf(limits, "resetAtTimestamp"),
  };
}

/** docs/v5/error: 10002 comes before anything is done; after -1 it is unknown what was done, which only a read may ignore. */
function isOutOfTime({ facts }: ExchangeFailure, method: "GET" | "POST"): boolean {
  if (facts.cause !== "clock") return false;
  return facts.retCode === 10_002 || (facts.retCode === -1 && method === "GET");
}

function factsOfRefusal({ retCode, retMsg }: Envelope, receivedAtMs: number, holdMs: number): RawFacts {
  const [kind, cause] = verdictOfCode(retCode, retMsg);
  return { kind, cause, retCode, retMsg, ...(holdMs > 0 ? { retryAtMs: receivedAtMs + holdMs } : {}) };
}

/** docs/v5/rate-limit: how long this class must rest; the reset time is by the exchange's clock. */
function holdAfter(read: Envelope, timed: TimedAnswer): number {
  const isRefused = read.retCode === 10006;
  if (!isRefused && read.remaining !== 0) return 0;
  const serverNowMs = timed.serverMs > 0 ? timed.serverMs : timed.receivedAtMs;
  const restMs = typeof read.resetAtMs === "number" ? Math.max(0, read.resetAtMs - serverNowMs) : 0;
  return restMs > 0 || !isRefused ? restMs : RATE_PAUSE_MS;
}

function whereMisshapen(error: z.ZodError): string {
  const path = error.issues[0]?.path ?? [];
  return `the result has no usable ${path.length === 0 ? "shape" : path.map(String).join(".")}`;
}
