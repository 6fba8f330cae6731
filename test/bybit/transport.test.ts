/** What goes over real sockets, where the other side never comes to an end. */
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { createTransport, type Transport } from "../../src/exchange/bybit/transport.js";

let server: Server | null = null;
let transport: Transport | null = null;

afterEach(async () => {
  await transport?.close();
  server?.closeAllConnections();
  server?.close();
});

/** Sends its headers at once and a space every 20 ms; tells how many answers are still under way. */
async function trickling(): Promise<{ readonly url: string; readonly underWay: () => number }> {
  let underWay = 0;
  server = createServer((_request, response) => {
    underWay += 1;
    response.writeHead(200, { "content-type": "application/json" });
    const drip = setInterval(() => response.write(" "), 20);
    response.on("close", () => {
      clearInterval(drip);
      underWay -= 1;
    });
  });
  await new Promise<void>((resolve) => void server?.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, underWay: () => underWay };
}

/** Answers writes as it is told, and reads never; tells the methods of what arrived. */
async function silentToReads(answer: (response: ServerResponse) => void): Promise<readonly string[]> {
  const arrived: string[] = [];
  server = createServer(({ method = "" }, response) => {
    arrived.push(method);
    if (method === "POST") answer(response);
  });
  await new Promise<void>((resolve) => void server?.listen(0, "127.0.0.1", resolve));
  const restUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const line = { environment: "custom", region: "default", restUrl, key: "key", secret: "secret" } as const;
  transport = createTransport({ ...line, timeoutMs: 2_000, readOnly: false });
  return arrived;
}

const accept = (response: ServerResponse) =>
  response.writeHead(200, { "content-type": "application/json" }).end('{"retCode":0}');
const read = () => transport?.send({ method: "GET", path: "/v5/position/list", signed: true, params: {} });
const write = () => transport?.send({ method: "POST", path: "/v5/position/trading-stop", signed: true, params: {} });
const ACCEPTED = { body: expect.objectContaining({ retCode: 0 }) };

test("a write goes out at once, however many reads hang", async () => {
  const arrived = await silentToReads(accept);
  let givenUp = 0;
  const reads = Array.from({ length: 100 }, async () => {
    await read();
    givenUp += 1;
  });
  await expect.poll(() => arrived.length).toBeGreaterThanOrEqual(64);
  expect(await write()).toEqual(ACCEPTED);
  expect(givenUp).toBe(0);
  server?.closeAllConnections();
  await Promise.all(reads);
});

test("closing waits for a write that is on its way, and for no read that hangs", async () => {
  let answerWrite = (): void => undefined;
  const arrived = await silentToReads((response) => {
    answerWrite = () => void accept(response);
  });
  const reading = read();
  const writing = write();
  await expect.poll(() => arrived.toSorted()).toEqual(["GET", "POST"]);
  const closing = transport?.close();
  answerWrite();
  expect(await writing).toEqual(ACCEPTED);
  await closing;
  // Not its own deadline has ended it.
  expect(await reading).toMatchObject({ facts: { cause: "network" } });
});

test.each([
  ["a read", "GET", "/v5/position/list"],
  ["a write", "POST", "/v5/position/trading-stop"],
] as const)(
  "%s whose answer trickles is given up in time, and holds no connection after",
  async (_what, method, path) => {
    const { url, underWay } = await trickling();
    const line = { environment: "custom", region: "default", restUrl: url, key: "key", secret: "secret" } as const;
    const opened = createTransport({ ...line, timeoutMs: 200, readOnly: false });
    transport = opened;
    const many = Array.from({ length: 70 }, () => opened.send({ method, path, signed: true, params: {} }));
    for (const sent of await Promise.all(many)) {
      expect(sent).toMatchObject({ facts: { kind: "unknown", cause: "timeout" } });
    }
    await expect.poll(underWay).toBe(0);
  },
);
