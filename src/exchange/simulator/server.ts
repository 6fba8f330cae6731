/** The model on real sockets: HTTP/1.1 keep-alive for REST and control, WebSocket for the private stream. */
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Headers } from "./access.js";
import type { SimulatedExchange } from "./exchange.js";
import { ControlError, Refusal } from "./refusal.js";
import type { Reply } from "./rest.js";
import { createPrivateStream } from "./stream.js";

const MOST_BODY_BYTES = 1_000_000;

export interface ServerOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** A round trip: half of it before a request is seen, half before its answer; a push takes half of it. */
  readonly latencyMs: number;
}

export interface RunningServer {
  readonly port: number;
  close(): Promise<void>;
}

export async function serve(exchange: SimulatedExchange, options: ServerOptions): Promise<RunningServer> {
  const stream = createPrivateStream(exchange, options.latencyMs / 2);
  const sockets = new Set<Socket>();
  const timers = new Set<NodeJS.Timeout>();
  const after = (delayMs: number, run: () => void): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      run();
    }, delayMs);
    timers.add(timer);
  };
  const server = createServer((request, response) => {
    readBody(request, (rawBody) => {
      const answer = (): void => {
        if (request.url?.startsWith("/_control")) answerControl(exchange, request, response, rawBody);
        else answerRest(exchange, request, response, rawBody, options.latencyMs / 2, after);
        scheduleDue(exchange, after);
      };
      if (options.latencyMs > 0 && !request.url?.startsWith("/_control")) after(options.latencyMs / 2, answer);
      else answer();
    });
  });
  server.keepAliveTimeout = 60_000;
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.on("upgrade", (request, socket, head) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    if (path === "/v5/private") stream.upgrade(request, socket, head);
    else socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n");
  });
  const port = await listen(server, options);
  return {
    port,
    async close() {
      for (const timer of timers) clearTimeout(timer);
      await stream.close();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function listen(server: Server, { host, port }: ServerOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.removeListener("error", reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function readBody(request: IncomingMessage, done: (rawBody: string) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MOST_BODY_BYTES) request.destroy();
    else chunks.push(chunk);
  });
  request.on("end", () => done(Buffer.concat(chunks).toString("utf8")));
  request.on("error", () => undefined);
}

function answerRest(
  exchange: SimulatedExchange,
  request: IncomingMessage,
  response: ServerResponse,
  rawBody: string,
  delayMs: number,
  after: (delayMs: number, run: () => void) => void,
): void {
  const url = request.url ?? "/";
  const cut = url.indexOf("?");
  let reply: Reply;
  try {
    reply = exchange.handle({
      method: request.method ?? "GET",
      path: cut < 0 ? url : url.slice(0, cut),
      rawQuery: cut < 0 ? "" : url.slice(cut + 1),
      rawBody,
      headers: request.headers as Headers,
      ip: request.socket.remoteAddress ?? "",
    });
  } catch (bug) {
    // A mistake in the simulator must be loud, and look like none of the exchange's own answers.
    response.writeHead(500, { "content-type": "text/plain" });
    response.end(`simulator bug: ${bug instanceof Error ? (bug.stack ?? bug.message) : String(bug)}`);
    return;
  }
  if (delayMs > 0) after(delayMs, () => sendReply(request, response, reply));
  else sendReply(request, response, reply);
}

function sendReply(request: IncomingMessage, response: ServerResponse, reply: Reply): void {
  switch (reply.kind) {
    case "answer":
      response.writeHead(reply.status, {
        ...(reply.headers as Record<string, string>),
        "content-length": Buffer.byteLength(reply.body),
      });
      response.end(reply.body);
      return;
    case "stall":
      response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(reply.body) });
      response.write(reply.body.slice(0, Math.floor(reply.body.length / 2)));
      return;
    case "hang":
      return;
    case "reset":
      request.socket.resetAndDestroy();
      return;
  }
}

/** Unauthenticated, so not for browsers: whatever carries an Origin is refused. */
function answerControl(
  exchange: SimulatedExchange,
  request: IncomingMessage,
  response: ServerResponse,
  rawBody: string,
): void {
  const verb = /^\/_control\/([A-Za-z]+)$/.exec(request.url ?? "")?.[1];
  const allowed = request.method === "POST" || (request.method === "GET" && verb === "snapshot");
  if (verb === undefined || !allowed || request.headers.origin !== undefined) {
    return sendJson(response, 404, { error: "POST /_control/<verb> with JSON" });
  }
  try {
    sendJson(response, 200, exchange.control(verb, rawBody === "" ? {} : JSON.parse(rawBody)));
  } catch (failure) {
    const known = failure instanceof ControlError || failure instanceof Refusal || failure instanceof SyntaxError;
    sendJson(response, known ? 400 : 500, { error: failure instanceof Error ? failure.message : String(failure) });
  }
}

function sendJson(response: ServerResponse, status: number, value: object): void {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8" });
  response.end(JSON.stringify(value));
}

/** Deferred effects must reach the stream even when no further request comes. */
function scheduleDue(exchange: SimulatedExchange, after: (delayMs: number, run: () => void) => void): void {
  const dueAtMs = exchange.nextDueAtMs();
  if (dueAtMs === null) return;
  after(Math.max(0, dueAtMs - exchange.world.now()), () => exchange.settle());
}
