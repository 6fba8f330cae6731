/** The private WebSocket: auth, subscribe, ping and pushes in the documented shapes; no snapshot on subscribe. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type RawData, type WebSocket, WebSocketServer } from "ws";
import { sameText, sign } from "./access.js";
import type { SimulatedExchange } from "./exchange.js";
import { type StreamFaultKind, takeFault } from "./faults.js";
import type { Push } from "./world.js";

const TOPICS = ["position", "order", "execution", "wallet", "greeks", "execution.fast", "dcp.future"];
const CONNECTIONS_PER_WINDOW = 500;
const CONNECTION_WINDOW_MS = 300_000;
const DEFAULT_IDLE_MS = 600_000;

interface Connection {
  readonly socket: WebSocket;
  readonly connectionId: string;
  account: string | null;
  readonly topics: Set<string>;
  silent: boolean;
  /** A push held back to arrive after its successor. */
  held: string | null;
  idle: NodeJS.Timeout | null;
}

export interface PrivateStream {
  /** Takes over an upgrade request on /v5/private. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  readonly connections: number;
  close(): Promise<void>;
}

/** `wayMs`: how long a push is under way. */
export function createPrivateStream(exchange: SimulatedExchange, wayMs = 0): PrivateStream {
  const server = new WebSocketServer({ noServer: true });
  const open = new Set<Connection>();
  const delayed = new Set<NodeJS.Timeout>();
  const connectedAtMs: number[] = [];
  exchange.onPush((push) => {
    const waitMs = push.atMs - exchange.world.now() + wayMs;
    if (waitMs <= 0) return deliver(exchange, open, push);
    const timer = setTimeout(() => {
      delayed.delete(timer);
      deliver(exchange, open, push);
    }, waitMs);
    delayed.add(timer);
  });
  exchange.onDropStreams((account) => {
    for (const one of open) if (account === null || one.account === account) one.socket.terminate();
  });
  return {
    get connections() {
      return open.size;
    },
    upgrade(request, socket, head) {
      const nowMs = exchange.world.now();
      while ((connectedAtMs[0] ?? nowMs) < nowMs - CONNECTION_WINDOW_MS) connectedAtMs.shift();
      if (connectedAtMs.length >= CONNECTIONS_PER_WINDOW) {
        socket.end("HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n");
        return;
      }
      connectedAtMs.push(nowMs);
      server.handleUpgrade(request, socket, head, (accepted) => welcome(exchange, open, accepted, request.url ?? ""));
    },
    async close() {
      for (const timer of delayed) clearTimeout(timer);
      for (const one of open) one.socket.terminate();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function welcome(exchange: SimulatedExchange, open: Set<Connection>, socket: WebSocket, url: string): void {
  const connection: Connection = {
    socket,
    connectionId: `${exchange.world.random.hex(20)}-p`,
    account: null,
    topics: new Set(),
    silent: false,
    held: null,
    idle: null,
  };
  open.add(connection);
  const idleMs = idleLimit(url);
  restartIdle(connection, idleMs);
  socket.on("message", (data) => {
    restartIdle(connection, idleMs);
    receive(exchange, connection, textOf(data));
  });
  socket.on("close", () => {
    if (connection.idle !== null) clearTimeout(connection.idle);
    open.delete(connection);
  });
  socket.on("error", () => socket.terminate());
}

function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString("utf8");
  return Buffer.isBuffer(data) ? data.toString("utf8") : Buffer.from(data).toString("utf8");
}

/** `?max_active_time=30s…600s` (or 1m, 2m); without data either way the exchange hangs up. */
function idleLimit(url: string): number {
  const found = /[?&]max_active_time=(\d+)(s|m)/.exec(url);
  if (found === null) return DEFAULT_IDLE_MS;
  const ms = Number(found[1]) * (found[2] === "m" ? 60_000 : 1000);
  return Math.min(Math.max(ms, 30_000), DEFAULT_IDLE_MS);
}

function restartIdle(connection: Connection, idleMs: number): void {
  if (connection.idle !== null) clearTimeout(connection.idle);
  connection.idle = setTimeout(() => connection.socket.close(), idleMs);
  connection.idle.unref();
}

interface Frame {
  readonly op?: unknown;
  readonly req_id?: unknown;
  readonly args?: unknown;
}

function receive(exchange: SimulatedExchange, connection: Connection, text: string): void {
  const frame = parseFrame(text);
  if (hasFault(exchange, connection, "streamSilent")) connection.silent = true;
  if (connection.silent) return;
  const args = Array.isArray(frame.args) ? frame.args.map(String) : [];
  switch (frame.op) {
    case "auth":
      return authenticate(exchange, connection, frame, args);
    case "subscribe":
      return subscribe(exchange, connection, frame, args);
    case "unsubscribe":
      for (const topic of args) connection.topics.delete(topic);
      return acknowledge(connection, frame, true, "");
    case "ping":
      return reply(connection, frame, { op: "pong", args: [String(exchange.world.now())] });
    default:
      return acknowledge(connection, frame, false, "Params Error");
  }
}

function parseFrame(text: string): Frame {
  try {
    const frame: unknown = JSON.parse(text);
    return typeof frame === "object" && frame !== null ? frame : {};
  } catch {
    return {};
  }
}

/** `expires` must lie in the future; the exchange words a stale one "Params Error". */
function authenticate(exchange: SimulatedExchange, connection: Connection, frame: Frame, args: string[]): void {
  const [key = "", expires = "", signature = ""] = args;
  if (hasFault(exchange, connection, "streamDropBeforeAuthReply")) return connection.socket.terminate();
  const refused = hasFault(exchange, connection, "streamRefuseAuth");
  const account = [...exchange.world.accounts.values()].find((one) => one.key === key);
  const valid = account !== undefined && sameText(sign(account.secret, `GET/realtime${expires}`), signature);
  const fresh = /^\d+$/.test(expires) && Number(expires) > exchange.world.now();
  if (refused || !valid || !fresh) return acknowledge(connection, frame, false, "Params Error");
  connection.account = account.name;
  acknowledge(connection, frame, true, "");
}

function subscribe(exchange: SimulatedExchange, connection: Connection, frame: Frame, topics: string[]): void {
  const refusal = refuseTopics(connection, topics);
  if (refusal !== null) return acknowledge(connection, frame, false, refusal);
  for (const topic of topics) connection.topics.add(topic);
  acknowledge(connection, frame, true, "");
  if (hasFault(exchange, connection, "streamDropAfterSubscribe")) connection.socket.terminate();
}

function refuseTopics(connection: Connection, topics: string[]): string | null {
  for (const topic of topics) {
    const [name = ""] = topic.split(/\.(?=linear|inverse|option|spot)/);
    if (!TOPICS.includes(name)) return `error:handler not found,topic:${topic}`;
    if (connection.account === null) return `error:topic:${topic} needs auth first`;
    const mixed = topic !== name && topics.includes(name);
    if (mixed) return `error:topic:${topic} and ${name} can not be in one request`;
  }
  return null;
}

function acknowledge(connection: Connection, frame: Frame, success: boolean, message: string): void {
  reply(connection, frame, { success, ret_msg: message, op: frame.op ?? "" });
}

function reply(connection: Connection, frame: Frame, fields: Record<string, unknown>): void {
  const echo = typeof frame.req_id === "string" ? { req_id: frame.req_id } : {};
  connection.socket.send(JSON.stringify({ ...fields, ...echo, conn_id: connection.connectionId }));
}

function deliver(exchange: SimulatedExchange, open: Set<Connection>, push: Push): void {
  for (const connection of open) {
    if (connection.account !== push.account || connection.silent) continue;
    for (const topic of [push.topic, `${push.topic}.${push.category}`]) {
      if (connection.topics.has(topic)) send(exchange, connection, pushFrame(exchange, topic, push));
    }
  }
}

function pushFrame(exchange: SimulatedExchange, topic: string, push: Push): string {
  const { random, now } = exchange.world;
  return JSON.stringify({ id: random.uuid(), topic, creationTime: now(), data: [push.row] });
}

/** With the stream faults armed: lost, doubled, or swapped with the next one. */
function send(exchange: SimulatedExchange, connection: Connection, frame: string): void {
  if (hasFault(exchange, connection, "streamLose")) return;
  if (connection.held === null && hasFault(exchange, connection, "streamReorder")) {
    connection.held = frame;
    return;
  }
  connection.socket.send(frame);
  if (hasFault(exchange, connection, "streamDuplicate")) connection.socket.send(frame);
  if (connection.held !== null) connection.socket.send(connection.held);
  connection.held = null;
}

function hasFault(exchange: SimulatedExchange, connection: Connection, kind: StreamFaultKind): boolean {
  return takeFault(exchange.world.faults, [kind], { account: connection.account }) !== undefined;
}
