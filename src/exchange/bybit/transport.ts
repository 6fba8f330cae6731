/** The one place that touches the SDK: sends a request and gives back a body or facts, never the SDK's error. */
import http from "node:http";
import https from "node:https";
// One client of the SDK: all of it takes twice as long to load, at each start.
import { RestClientV5 } from "bybit-api/lib/rest-client-v5.js";
import type { APIRegion } from "bybit-api";
import { isLoopbackUrl } from "../../runtime/loopback.js";
import type { FailureFacts } from "../failure.js";
import { valueOf, verdictOfCodeIn, verdictOfNetwork, verdictOfStatus } from "./failures.js";
import { envelope } from "./schemas.js";

export interface Credentials {
  readonly key: string;
  readonly secret: string;
}

export interface TransportOptions extends Credentials {
  readonly environment: "mainnet" | "testnet" | "demo" | "custom";
  /** As bybit-api's apiRegion. */
  readonly region: string;
  /** For `custom` only, and required there. */
  readonly restUrl?: string;
  /** Longest silence on the wire; the whole request may take twice as long. */
  readonly timeoutMs: number;
  /** True: nothing but GET ever leaves. */
  readonly readOnly: boolean;
}

export type Params = Readonly<Record<string, string | number | boolean>>;

export interface Outgoing {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly signed: boolean;
  readonly params: Params;
}

/** Facts still without endpoint and with the exchange's words as they came. */
export type RawFacts = Omit<FailureFacts, "endpoint">;
export type Sent = { readonly body: unknown } | { readonly facts: RawFacts };

/** What a request goes out on and its answer comes back; fails as the SDK's HTTP client does. */
export interface Line {
  /** Added to our wall clock when requests are signed. */
  offsetMs: number;
  carry(outgoing: Outgoing): Promise<unknown>;
}

export interface Lines {
  /** Signs with these credentials. */
  open(credentials: Credentials): Line;
  close(): void;
}

export type OpenLines = (options: TransportOptions) => Lines;

export interface Transport {
  send(outgoing: Outgoing): Promise<Sent>;
  /** Added to our wall clock when requests are signed. */
  setOffsetMs(offsetMs: number): void;
  offsetMs(): number;
  /** Signs what is sent from now on with another key. */
  renewKey(credentials: Credentials): void;
  /** Waits for writes in flight, then drops the connections: nobody needs a read any more. */
  close(): Promise<void>;
}

const LARGEST_ANSWER_BYTES = 32 * 1024 * 1024;
const KEEP_ALIVE = { keepAlive: true, maxSockets: 64, scheduling: "lifo" } as const;

/** The SDK asks for its clock offset before each signed request; it gets ours instead of a request of its own. */
class OffsetClient extends RestClientV5 implements Line {
  offsetMs = 0;

  /** Lets go of each request after so long, or an answer that trickles would hold its connection for ever. */
  letGoAfter(ms: number): this {
    const signal = { enumerable: true, get: () => AbortSignal.timeout(ms) };
    // The SDK copies these options for every request, and offers no other way to end one.
    Object.defineProperty(this["globalRequestOptions"], "signal", signal);
    return this;
  }

  carry({ method, path, signed, params }: Outgoing): Promise<unknown> {
    const own = Object.keys(params).length === 0 ? undefined : { ...params };
    if (method === "POST") return this.postPrivate(path, own);
    return signed ? this.getPrivate(path, own) : this.get(path, own);
  }

  override fetchTimeOffset(): Promise<number> {
    return Promise.resolve(this.offsetMs);
  }
}

export function createTransport(options: TransportOptions, openLines: OpenLines = sdkLines): Transport {
  const lines = openLines(options);
  let line = lines.open(options);
  const writes = new Set<Promise<unknown>>();
  return {
    send: async (outgoing) => {
      if (options.readOnly && outgoing.method !== "GET") {
        return { facts: { kind: "bug", cause: "other", retMsg: "this connection only reads" } };
      }
      const sending = line.carry(outgoing);
      if (outgoing.method !== "GET") writes.add(sending);
      try {
        return { body: await withDeadline(sending, deadlineMs(options)) };
      } catch (error) {
        return { facts: factsOfThrown(error) };
      } finally {
        writes.delete(sending);
      }
    },
    setOffsetMs: (offsetMs) => {
      line.offsetMs = offsetMs;
    },
    offsetMs: () => line.offsetMs,
    renewKey: (credentials) => {
      const { offsetMs } = line;
      line = lines.open(credentials);
      line.offsetMs = offsetMs;
    },
    close: async () => {
      await Promise.allSettled(writes);
      lines.close();
    },
  };
}

const sdkLines: OpenLines = (options) => {
  const agents = { reads: openAgents(), writes: openAgents() };
  return {
    open: ({ key, secret }) => {
      const own = { ...options, key, secret };
      return new TwoLines(createRest(own, agents.reads), createRest(own, agents.writes));
    },
    close: () => {
      for (const { httpAgent, httpsAgent } of Object.values(agents)) {
        httpAgent.destroy();
        httpsAgent.destroy();
      }
    },
  };
};

/** A write that has passed its last check must not wait behind reads that hang, or it would leave long after. */
class TwoLines implements Line {
  readonly #reads: Line;
  readonly #writes: Line;

  constructor(reads: Line, writes: Line) {
    this.#reads = reads;
    this.#writes = writes;
  }

  get offsetMs(): number {
    return this.#reads.offsetMs;
  }

  set offsetMs(offsetMs: number) {
    this.#reads.offsetMs = offsetMs;
    this.#writes.offsetMs = offsetMs;
  }

  carry(outgoing: Outgoing): Promise<unknown> {
    return (outgoing.method === "POST" ? this.#writes : this.#reads).carry(outgoing);
  }
}

interface Agents {
  readonly httpAgent: http.Agent;
  readonly httpsAgent: https.Agent;
}

/** The SDK's own keepAlive option forgets plain http, which simulators and proxies speak. */
function openAgents(): Agents {
  return { httpAgent: new http.Agent(KEEP_ALIVE), httpsAgent: new https.Agent(KEEP_ALIVE) };
}

function createRest(options: TransportOptions, agents: Agents): OffsetClient {
  const { environment, key, secret, restUrl } = options;
  if (environment === "custom" && restUrl === undefined) throw new Error("a custom environment needs a restUrl");
  return new OffsetClient(
    {
      key,
      secret,
      apiRegion: options.region as APIRegion,
      ...(environment === "testnet" ? { testnet: true } : {}),
      ...(environment === "demo" ? { demoTrading: true } : {}),
      ...(environment === "custom" && restUrl !== undefined ? { baseUrl: restUrl } : {}),
      // Left to itself the SDK throws objects that hold key and secret.
      parse_exceptions: false,
      parseAPIRateLimits: true,
      syncTimeBeforePrivateRequests: true,
    },
    {
      timeout: options.timeoutMs,
      // A redirect would carry a signed request to another host.
      maxRedirects: 0,
      maxContentLength: LARGEST_ANSWER_BYTES,
      ...agents,
      ...(restUrl !== undefined && isLoopbackUrl(restUrl) ? { proxy: false as const } : {}),
    },
  ).letGoAfter(deadlineMs(options));
}

/** How long a request may take in all. */
export function deadlineMs({ timeoutMs }: Pick<TransportOptions, "timeoutMs">): number {
  return timeoutMs * 2;
}

class DeadlineExceeded extends Error {
  readonly code = "ETIMEDOUT";
}

/** The timeout of the wire starts anew with each byte; a trickling answer would last for ever. */
async function withDeadline<T>(work: Promise<T>, withinMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new DeadlineExceeded()), withinMs);
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

function factsOfThrown(error: unknown): RawFacts {
  const response = valueOf(error, "response");
  const httpStatus = valueOf(response, "status");
  if (typeof httpStatus !== "number") {
    const [kind, cause] = verdictOfNetwork(error);
    const code = valueOf(error, "code");
    return { kind, cause, ...(typeof code === "string" ? { retMsg: code } : {}) };
  }
  const body = valueOf(response, "data");
  const told = envelope.safeParse(body).data;
  const retMsg = told?.retMsg ?? "";
  const byCode = told === undefined ? undefined : verdictOfCodeIn(httpStatus, told.retCode, retMsg);
  const [kind, cause] = byCode ?? verdictOfStatus(httpStatus, body);
  return { kind, cause, httpStatus, ...(told === undefined ? {} : { retCode: told.retCode, retMsg }) };
}
