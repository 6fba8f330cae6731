/** The window under test on a real loopback socket, and requests as any program could send them. */
import { once } from "node:events";
import { type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import { onTestFinished } from "vitest";
import { type Desk, type HttpOptions, type HttpServer, startHttp } from "../../src/http/index.js";
import { createLog, registeredSecrets, registerSecret } from "../../src/runtime/index.js";
import { sidecarStatus } from "../builders/sidecar-status.js";
import { type FakeDesk, fakeDesk } from "./desk.js";

export const TOKEN = "Stage-token_000000000000000000000000000001";

export interface Stage extends HttpServer {
  /** What was logged, as text. */
  readonly logged: () => string;
}

export async function openWindow(changes: Partial<HttpOptions> = {}): Promise<Stage> {
  const lines: string[] = [];
  // As openToken does with the token that it opens.
  registerSecret(TOKEN);
  const stream = { write: (line: string) => lines.push(line) };
  const server = await startHttp({
    host: "127.0.0.1",
    port: 0,
    status: () => sidecarStatus(),
    metricsText: () => Promise.resolve("backstop_stream_up 1\n"),
    desk: fakeDesk(),
    token: TOKEN,
    log: createLog({ level: "trace", stream, pretty: false, secrets: registeredSecrets }),
    ...changes,
  });
  onTestFinished(() => server.close());
  return { ...server, logged: () => lines.join("") };
}

/** Asks as the owner of the token does, and sends JSON as such. */
export interface Owner {
  readonly port: number;
  readonly desk: FakeDesk;
  readonly stage: Stage;
  ask(method: string, path: string, json?: unknown): Promise<Answer>;
}

export async function openAsOwner(changes: Partial<Desk> = {}, options: Partial<HttpOptions> = {}): Promise<Owner> {
  const desk = fakeDesk(changes);
  const stage = await openWindow({ desk, ...options });
  return {
    port: stage.port,
    desk,
    stage,
    ask: (method, path, json) => ask(stage.port, path, { method, ...owned(json) }),
  };
}

export function owned(json?: unknown): Question {
  const authorization = `Bearer ${TOKEN}`;
  if (json === undefined) return { headers: { authorization } };
  return { headers: { authorization, "content-type": "application/json" }, body: JSON.stringify(json) };
}

export interface Question {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  /** In pieces: sent without a length before them. */
  readonly body?: string | readonly string[];
  /** Where to connect; 127.0.0.1 by default. */
  readonly address?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly json: () => unknown;
}

/** `path` as it stands in the request line. */
export async function ask(port: number, path: string, question: Question = {}): Promise<Answer> {
  const { method = "GET", headers = {}, body, address = "127.0.0.1" } = question;
  const outgoing = request({ host: address, port, path, method, headers, agent: false });
  const answered = once(outgoing, "response") as Promise<[IncomingMessage]>;
  if (typeof body === "string") outgoing.setHeader("content-length", Buffer.byteLength(body));
  for (const piece of typeof body === "string" ? [body] : (body ?? [])) outgoing.write(piece);
  outgoing.end();
  const [response] = await answered;
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString("utf8");
  return { status: response.statusCode ?? 0, headers: response.headers, text, json: () => JSON.parse(text) as unknown };
}

export function errorCode(answer: Answer): string {
  return (answer.json() as { error: { code: string } }).error.code;
}
