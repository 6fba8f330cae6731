/** The window opens where it is told to, or says why not; and it closes in time, whoever holds on to it. */
import { once } from "node:events";
import { Agent, request } from "node:http";
import { connect, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { ListenError } from "../../src/http/index.js";
import { ask, openWindow, type Stage } from "./stage.js";

const MOST_MS = 2000;

/** How long it took, milliseconds. */
async function closing({ close }: Stage): Promise<number> {
  const startMs = performance.now();
  await close();
  return performance.now() - startMs;
}

function socketTo(port: number): Socket {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  onTestFinished(() => void socket.destroy());
  return socket;
}

/** However it ends: being cut off is an error to `once`. */
function gone(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once("close", () => resolve()));
}

test("it answers at the url it names", async () => {
  const { url } = await openWindow();
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
});

test("a port that is taken is refused with the cure", async () => {
  const { port } = await openWindow();
  const refused = openWindow({ port });
  await expect(refused).rejects.toThrow(ListenError);
  await expect(refused).rejects.toThrow(
    `http: cannot listen on 127.0.0.1:${port} (EADDRINUSE): another program listens there; end it, or change http.port`,
  );
});

test("an address that is not ours is refused with the cure", async () => {
  await expect(openWindow({ host: "192.0.2.1" })).rejects.toThrow("change http.host");
});

test("closing ends connections that are kept alive without a request", async () => {
  const stage = await openWindow({ closeGraceMs: 60_000 });
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => agent.destroy());
  const outgoing = request({ host: "127.0.0.1", port: stage.port, path: "/healthz", agent }).end();
  const [response] = (await once(outgoing, "response")) as [NodeJS.ReadableStream];
  response.resume();
  const [socket] = await Promise.all([once(agent, "free").then(([free]) => free as Socket), once(response, "end")]);
  const ended = gone(socket);
  expect(await closing(stage)).toBeLessThan(MOST_MS);
  await ended;
});

test("closing lets a request in flight end, and its connection with it", async () => {
  let answer: (text: string) => void = () => undefined;
  let asked: () => void = () => undefined;
  const inFlight = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const metricsText = () => {
    asked();
    return new Promise<string>((resolve) => {
      answer = resolve;
    });
  };
  const stage = await openWindow({ metricsText, closeGraceMs: 60_000 });
  const answered = ask(stage.port, "/metrics", { headers: { connection: "keep-alive" } });
  await inFlight;
  const closed = stage.close();
  answer("late\n");
  expect((await answered).text).toBe("late\n");
  await closed;
});

test("closing cuts off what does not end by itself", async () => {
  const stage = await openWindow({ metricsText: () => new Promise(() => undefined), closeGraceMs: 20 });
  const hanging = socketTo(stage.port);
  const silent = socketTo(stage.port);
  const slow = socketTo(stage.port);
  await Promise.all([hanging, silent, slow].map((socket) => once(socket, "connect")));
  hanging.write(`GET /metrics HTTP/1.1\r\nHost: localhost:${stage.port}\r\n\r\n`);
  slow.write("GET /healthz HTTP/1.1\r\nHost: loc");
  const ended = Promise.all([hanging, silent, slow].map(gone));
  expect(await closing(stage)).toBeLessThan(MOST_MS);
  await ended;
});

test("its own grace is short enough", async () => {
  const stage = await openWindow();
  const silent = socketTo(stage.port);
  await once(silent, "connect");
  expect(await closing(stage)).toBeLessThan(MOST_MS);
});

test("closing twice is closing once, and nothing answers afterwards", async () => {
  const { port, close } = await openWindow();
  await Promise.all([close(), close()]);
  await close();
  await expect(ask(port, "/healthz")).rejects.toThrow("ECONNREFUSED");
});

test("what is no HTTP is turned away without a trace", async () => {
  const { port } = await openWindow();
  const socket = socketTo(port);
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.write("this is no request\r\n\r\n");
  await gone(socket);
  expect(Buffer.concat(chunks).toString()).toBe("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
});
