/** The real bybit-api over real sockets, unchanged. */
import { once } from "node:events";
import { RestClientV5, WebsocketClient } from "bybit-api";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { type Simulator, sign, startSimulator } from "../../src/exchange/simulator/index.js";

let simulator: Simulator;
const closers: (() => void)[] = [];

beforeEach(async () => {
  simulator = await startSimulator({ seed: 3 });
});
afterEach(async () => {
  for (const close of closers.splice(0)) close();
  await simulator.close();
});

const credentials = (): { key: string; secret: string } => {
  const [account] = simulator.accounts;
  if (account === undefined) throw new Error("no account");
  return account;
};

function restClient(): RestClientV5 {
  return new RestClientV5(
    { ...credentials(), baseUrl: simulator.restUrl, parseAPIRateLimits: true },
    { timeout: 5000 },
  );
}

type Frame = Record<string, unknown>;

/** A bare stream client: send a frame, await the next one. */
async function stream(): Promise<{
  send: (frame: object) => Promise<Frame>;
  next: () => Promise<Frame>;
  socket: WebSocket;
}> {
  const socket = new WebSocket(simulator.wsUrl);
  closers.push(() => socket.terminate());
  const waiting: ((frame: Frame) => void)[] = [];
  const arrived: Frame[] = [];
  socket.on("message", (data: Buffer) => {
    const frame = JSON.parse(data.toString("utf8")) as Frame;
    const taker = waiting.shift();
    if (taker) taker(frame);
    else arrived.push(frame);
  });
  const next = (): Promise<Frame> => {
    const ready = arrived.shift();
    return ready ? Promise.resolve(ready) : new Promise((resolve) => waiting.push(resolve));
  };
  await once(socket, "open");
  const send = (frame: object): Promise<Frame> => {
    socket.send(JSON.stringify(frame));
    return next();
  };
  return { send, next, socket };
}

function login(expires = Date.now() + 5000): object {
  const { key, secret } = credentials();
  return { op: "auth", args: [key, expires, sign(secret, `GET/realtime${expires}`)] };
}

describe("bybit-api's REST client, unchanged", () => {
  it("reads, sets a stop, reads it back and pages with the cursor it was given", async () => {
    const client = restClient();
    for (const symbol of ["BTCUSDT", "ETHUSDT", "SOLUSDT"])
      simulator.exchange.open({ symbol, side: "long", size: "1" });
    const first = await client.getPositionInfo({ category: "linear", settleCoin: "USDT", limit: 2 });
    const cursor = first.result.nextPageCursor ?? "";
    expect(cursor).toMatch(/%2C/);
    const second = await client.getPositionInfo({ category: "linear", settleCoin: "USDT", limit: 2, cursor });
    expect([...first.result.list, ...second.result.list].map((row) => row.symbol)).toEqual([
      "BTCUSDT",
      "ETHUSDT",
      "SOLUSDT",
    ]);
    const answer = await client.setTradingStop({
      category: "linear",
      symbol: "ETHUSDT",
      tpslMode: "Full",
      positionIdx: 0,
      stopLoss: "3000",
      slTriggerBy: "MarkPrice",
    });
    expect(answer.retCode).toBe(0);
    expect(answer.rateLimitApi).toMatchObject({ maxRequests: 10, remainingRequests: 9 });
    const orders = await client.getActiveOrders({ category: "linear", symbol: "ETHUSDT" });
    expect(orders.result.list).toMatchObject([
      { triggerPrice: "3000.00", triggerBy: "MarkPrice", stopOrderType: "StopLoss" },
    ]);
    expect(simulator.requests.filter(({ method }) => method === "POST")).toHaveLength(1);
  });

  it("finds server time, key facts and instruments", async () => {
    const client = restClient();
    expect(await client.fetchServerTime()).toBeGreaterThan(1_600_000_000);
    expect((await client.getQueryApiKey()).result.apiKey).toBe(credentials().key);
    expect((await client.getInstrumentsInfo({ category: "inverse" })).result.list.length).toBeGreaterThanOrEqual(5);
  });

  it("sees HTML, resets and hangs as they really are", async () => {
    const client = new RestClientV5({ ...credentials(), baseUrl: simulator.restUrl }, { timeout: 200 });
    simulator.exchange.setFault({ kind: "html", status: 502 });
    await expect(client.getAccountInfo()).rejects.toMatchObject({ code: 502 });
    simulator.exchange.setFault({ kind: "reset" });
    await expect(client.getAccountInfo()).rejects.toMatchObject({ code: "ECONNRESET" });
    simulator.exchange.setFault({ kind: "hang" });
    await expect(client.getAccountInfo()).rejects.toMatchObject({ code: "ECONNABORTED" });
    expect((await client.getAccountInfo()).retCode).toBe(0);
  });
});

describe("bybit-api's stream client, unchanged", () => {
  it("logs in, subscribes and hears of a stop", async () => {
    const silent = { trace: () => {}, info: () => {}, error: () => {} };
    const client = new WebsocketClient({ ...credentials(), market: "v5", wsUrl: simulator.wsUrl }, silent);
    closers.push(() => client.closeAll(true));
    const subscribed = new Promise((resolve) => client.on("response", resolve));
    for (const promise of client.subscribeV5(["position", "order"], "linear", true)) promise.catch(() => undefined);
    await subscribed;
    simulator.exchange.open({ symbol: "ETHUSDT", side: "long", size: "1" });
    const heard = new Promise<string>((resolve) =>
      client.on("update", ({ topic, data }: { topic: string; data: { stopLoss?: string }[] }) => {
        if (topic === "position" && data[0]?.stopLoss === "3000.00") resolve(topic);
      }),
    );
    simulator.exchange.tradingStop({ symbol: "ETHUSDT", stopLoss: "3000" });
    expect(await heard).toBe("position");
  });
});

describe("the private stream", () => {
  it("answers login, subscription and ping in the documented shapes", async () => {
    const { send } = await stream();
    const authenticated = await send({ ...login(), req_id: "a" });
    expect(authenticated).toEqual({ success: true, ret_msg: "", op: "auth", req_id: "a", conn_id: expect.any(String) });
    const subscribed = await send({ op: "subscribe", args: ["position", "order"] });
    expect(subscribed).toEqual({ success: true, ret_msg: "", op: "subscribe", conn_id: authenticated["conn_id"] });
    expect(await send({ op: "ping", req_id: "p" })).toEqual({
      op: "pong",
      args: [expect.stringMatching(/^\d+$/)],
      req_id: "p",
      conn_id: authenticated["conn_id"],
    });
  });

  it("refuses a stale login, topics before login, unknown topics and mixed ones", async () => {
    const { send } = await stream();
    expect(await send({ op: "subscribe", args: ["position"] })).toMatchObject({
      success: false,
      ret_msg: "error:topic:position needs auth first",
    });
    expect(await send(login(Date.now() - 1))).toMatchObject({ success: false, ret_msg: "Params Error" });
    expect(await send(login())).toMatchObject({ success: true });
    expect(await send({ op: "subscribe", args: ["nonsense"] })).toMatchObject({
      success: false,
      ret_msg: "error:handler not found,topic:nonsense",
    });
    expect(await send({ op: "subscribe", args: ["order", "order.linear"] })).toMatchObject({ success: false });
  });

  it("sends no snapshot on subscription, then one frame per change with the category in the row", async () => {
    const { send, next } = await stream();
    simulator.exchange.open({ symbol: "ETHUSDT", side: "long", size: "1" });
    await send(login());
    await send({ op: "subscribe", args: ["position"] });
    expect(await send({ op: "ping" })).toMatchObject({ op: "pong" });
    simulator.exchange.pushPosition({ symbol: "ETHUSDT" });
    expect(await next()).toMatchObject({
      id: expect.any(String),
      topic: "position",
      creationTime: expect.any(Number),
      data: [{ symbol: "ETHUSDT", category: "linear", size: "1", side: "Buy" }],
    });
  });

  it("can drop before the login's reply, or be ended at will", async () => {
    simulator.exchange.setFault({ kind: "streamDropBeforeAuthReply" });
    const dropped = await stream();
    dropped.socket.send(JSON.stringify(login()));
    expect((await once(dropped.socket, "close"))[0]).toBe(1006);
    const alive = await stream();
    expect(await alive.send(login())).toMatchObject({ success: true });
    simulator.exchange.dropStreams("main");
    expect((await once(alive.socket, "close"))[0]).toBe(1006);
  });
});

describe("the control interface over HTTP", () => {
  const control = (verb: string, body: object, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${simulator.controlUrl}/${verb}`, { method: "POST", body: JSON.stringify(body), headers });

  it("opens, moves prices and shows the state", async () => {
    expect((await control("open", { symbol: "ETHUSDT", side: "long", size: "1", stopLoss: "3000" })).status).toBe(200);
    await control("setPrice", { symbol: "ETHUSDT", price: "2900" });
    const state = (await (await control("snapshot", {})).json()) as { accounts: { positions: object[] }[] };
    expect(state.accounts[0]?.positions).toEqual([]);
  });

  it("refuses nonsense with a reason, and browsers altogether", async () => {
    const refused = await control("open", { symbol: "ETHUSDT" });
    expect([refused.status, await refused.json()]).toEqual([400, { error: expect.stringContaining("open: side") }]);
    expect((await control("snapshot", {}, { origin: "http://evil.example" })).status).toBe(404);
  });
});

describe("closing", () => {
  it("ends hanging requests and open streams", async () => {
    const { socket } = await stream();
    const ended = once(socket, "close");
    simulator.exchange.setFault({ kind: "hang" });
    const pending = fetch(`${simulator.restUrl}/v5/market/time`).catch(() => "ended");
    const arrived = new Promise<void>((resolve) => {
      const look = (): void => {
        if (simulator.requests.length > 0) resolve();
        else setImmediate(look);
      };
      look();
    });
    await arrived;
    await simulator.close();
    await ended;
    expect(await pending).toBe("ended");
    simulator = await startSimulator();
  });
});
