/** The window on a real socket: opens, says where, and closes in time. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener, RequestError } from "@hono/node-server";
import type { Log } from "../runtime/index.js";
import { bareError } from "./answers.js";
import { type AppOptions, createApp } from "./app.js";
import { createFeed, type Feed } from "./feed.js";
import { inAuthority } from "./gate.js";
import { systemTiming, type Timing } from "./timing.js";

export interface HttpOptions extends AppOptions {
  /** 0: any free one. */
  readonly port: number;
  /** How long requests in flight may take to end once we close; default 1500. */
  readonly closeGraceMs?: number;
  /** Default: the real one. */
  readonly timing?: Timing;
}

export interface HttpServer {
  /** The one that was opened. */
  readonly port: number;
  readonly url: string;
  /** Ends idle connections and listeners at once, all others after the grace; resolves when none is left. */
  close(): Promise<void>;
}

/** The address is taken, not there, or not ours to take; the message names the cure. */
export class ListenError extends Error {
  override readonly name = "ListenError";
  /** Another program has it for now, or it comes later than we do, as after a machine's start: it may well be right. */
  readonly mayPass: boolean;

  constructor(message: string, { cause }: { readonly cause: NodeJS.ErrnoException }) {
    super(message, { cause });
    this.mayPass = PASSING.has(cause.code ?? "");
  }
}

/** A browser or a probe sends its whole request at once: who takes longer holds a connection for its own sake. */
const PATIENCE = { headersTimeout: 5000, requestTimeout: 10_000, connectionsCheckingInterval: 2000 };
const MOST_CONNECTIONS = 256;
const CLOSE_GRACE_MS = 1500;

/** @throws ListenError */
export async function startHttp(options: HttpOptions): Promise<HttpServer> {
  const { host, log, desk, timing = systemTiming, closeGraceMs = CLOSE_GRACE_MS } = options;
  const feed = createFeed(desk, timing);
  const listener = getRequestListener(createApp(options, { feed, timing }).fetch, {
    // The library would else put its own Request and Response in the place of everybody's.
    overrideGlobalObjects: false,
    errorHandler: (error) => unansweredError(error, log),
  });
  const server = createServer(PATIENCE, (request, response) => {
    response.once("close", () => {
      if (!server.listening) server.closeIdleConnections();
    });
    void listener(request, response);
  });
  server.maxConnections = MOST_CONNECTIONS;
  const port = await listen(server, host, options.port).catch((error: unknown) => {
    feed.close();
    throw error;
  });
  server.on("error", (error) => log.error({ err: error }, "the HTTP server is in trouble"));
  let closed: Promise<void> | null = null;
  return {
    port,
    url: `http://${inAuthority(reachable(host))}:${port}`,
    close: () => (closed ??= closeServer(server, feed, closeGraceMs)),
  };
}

/** What no route and no handler of the app could answer. */
function unansweredError(error: unknown, log: Log): Response {
  if (error instanceof RequestError) return bareError(400, "bad-request", "the request's address cannot be read");
  log.error({ err: error }, "a request failed by a mistake of ours");
  return bareError(500, "internal", "a mistake of ours; the log says more");
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const refused = (error: NodeJS.ErrnoException): void => reject(listenError(error, host, port));
    server.once("error", refused);
    server.listen(port, host, () => {
      server.removeListener("error", refused);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

const PASSING: ReadonlySet<string> = new Set(["EADDRINUSE", "EADDRNOTAVAIL", "ENOTFOUND", "EAI_AGAIN"]);

const CURES: Readonly<Record<string, string>> = {
  EADDRINUSE: "another program listens there; end it, or change http.port",
  EADDRNOTAVAIL: "this machine has no such address; change http.host",
  ENOTFOUND: "the name has no address; change http.host",
  EAI_AGAIN: "the name cannot be looked up now; if that lasts, change http.host",
  EACCES: "ports below 1024 need a right that this process lacks; change http.port",
};

function listenError(error: NodeJS.ErrnoException, host: string, port: number): ListenError {
  const code = error.code ?? "unknown reason";
  const cure = CURES[code] ?? "change http.host or http.port";
  return new ListenError(`http: cannot listen on ${inAuthority(host)}:${port} (${code}): ${cure}`, { cause: error });
}

/** "Everywhere" is no place that one can go to. */
function reachable(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  return host === "::" ? "::1" : host;
}

function closeServer(server: Server, feed: Feed, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), graceMs);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    feed.close();
    server.closeIdleConnections();
  });
}
