/** What a bot intended, across the death of bot and sidecar: through HTTP, the command line, and the exchange itself. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, type TestContext } from "vitest";
import type { Rewrite } from "./mirror.js";
import { listenTo, type LogLine, type RunningSidecar, startRun } from "./sidecar.js";
import { openStage, type Stage, type StageOptions } from "./stage.js";

interface Answer {
  readonly status: number;
  readonly body: { readonly status?: string; readonly error?: { readonly message: string } };
}

interface Api {
  put(place: string, wish: object): Promise<Answer>;
  call(method: string, path: string, body?: object): Promise<Answer & { readonly body: Record<string, unknown> }>;
}

const HTTP = { http: { host: "127.0.0.1", port: 0, tokenFile: "state/token" } };

function openWith(context: TestContext, { config, ...rest }: StageOptions = {}): Promise<Stage> {
  return openStage(context, { ...rest, config: { ...HTTP, ...config } });
}

async function apiOf(sidecar: RunningSidecar, { folder }: Stage): Promise<Api> {
  const url = await sidecar.url();
  const token = (await readFile(join(folder, "state/token"), "utf8")).trim();
  const call: Api["call"] = async (method, path, body) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    const response = await fetch(`${url}${path}`, init);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  return { call, put: (place, wish) => call("PUT", `/v1/intents/main/linear/${place}`, wish) };
}

function levelsOf({ exchange }: Stage, symbol: string) {
  const found = exchange.snapshot().accounts[0]?.positions.find((position) => position.symbol === symbol);
  const level = (text: string | null | undefined) => (text == null || Number(text) === 0 ? null : Number(text));
  return { stopLoss: level(found?.stopLoss), takeProfit: level(found?.takeProfit) };
}

function cancelExits({ exchange }: Stage, symbol: string): void {
  const levels = { stopLoss: "0", takeProfit: "0", tpslMode: "Full", positionIdx: 0 };
  exchange.tradingStop({ category: "linear", symbol, ...levels });
}

const BTC = { stopLoss: "62100.5", takeProfit: "67000" };
const ETH = { stopLoss: "3555.5", takeProfit: "3000" };

describe.concurrent("a bot tells its levels, then bot and sidecar die", () => {
  it("exactly those are put back, and none of them reaches the next life of a position", async (context) => {
    const stage = await openWith(context);
    const events = listenTo(stage);
    stage.exchange.setPrice({ symbol: "BTCUSDT", price: "64000" });
    stage.exchange.setPrice({ symbol: "ETHUSDT", price: "3400" });
    const first = startRun(context, stage);
    const api = await apiOf(first, stage);
    await first.watching();
    expect(await api.put("BTCUSDT/0", { side: "long", ...BTC })).toMatchObject({
      status: 200,
      body: { status: "pending" },
    });
    const resting = events.stopRests("BTCUSDT");
    stage.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
    expect(Number(await resting)).toBe(62_100.5);
    stage.exchange.open({ symbol: "ETHUSDT", side: "short", size: "1", stopLoss: "3600" });
    await first.logged.next(({ msg, symbol }) => msg === "a position has opened" && symbol === "ETHUSDT");
    const told = await api.put("ETHUSDT/0", { side: "short", ...ETH, who: "grid-bot" });
    expect(told).toMatchObject({ status: 200, body: { status: "applied" } });
    expect(levelsOf(stage, "ETHUSDT")).toEqual({ stopLoss: 3_555.5, takeProfit: 3_000 });
    expect(await first.end("SIGKILL")).toBe("SIGKILL");

    cancelExits(stage, "BTCUSDT");
    cancelExits(stage, "ETHUSDT");
    const second = startRun(context, stage);
    await second.watching();
    expect(levelsOf(stage, "BTCUSDT")).toEqual({ stopLoss: 62_100.5, takeProfit: 67_000 });
    expect(levelsOf(stage, "ETHUSDT")).toEqual({ stopLoss: 3_555.5, takeProfit: 3_000 });
    expect(await second.end()).toBe(0);

    stage.exchange.close({ symbol: "BTCUSDT" });
    stage.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
    stage.exchange.close({ symbol: "ETHUSDT" });
    stage.exchange.open({ symbol: "ETHUSDT", side: "long", size: "1" });
    const third = startRun(context, stage);
    await third.watching();
    expect(levelsOf(stage, "BTCUSDT")).toEqual({ stopLoss: 62_720, takeProfit: 66_560 });
    expect(levelsOf(stage, "ETHUSDT")).toEqual({ stopLoss: 3_332, takeProfit: 3_536 });
    // On a slow machine they have ended before the first pass is over.
    for (const symbol of ["BTCUSDT", "ETHUSDT"]) {
      const hasEnded = (line: LogLine) => line.msg === "intent ended" && line["symbol"] === symbol;
      if (!third.logged.all.some(hasEnded)) await third.logged.next(hasEnded);
    }
    const left = await stage.backstop(["intent", "list"]);
    expect(JSON.parse(left.stdout)).toEqual({ intents: [] });
    expect(await third.end()).toBe(0);
  });
});

describe.concurrent("where the exchange states no opening times", () => {
  it("fills tell that a life goes on, and that another has begun", async (context) => {
    const stage = await openWith(context);
    stage.exchange.setAccount({ statesOpenTime: false });
    stage.exchange.setPrice({ symbol: "BTCUSDT", price: "64000" });
    stage.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
    const first = startRun(context, stage);
    const api = await apiOf(first, stage);
    await first.watching();
    expect(await api.put("BTCUSDT/0", { side: "long", stopLoss: "63000" })).toMatchObject({
      body: { status: "applied" },
    });
    const isKnown = () => first.logged.all.some(({ msg }) => msg === "its fills tell when the position was opened");
    if (!isKnown()) await first.says("its fills tell when the position was opened");
    expect(await first.end("SIGKILL")).toBe("SIGKILL");
    cancelExits(stage, "BTCUSDT");
    const second = startRun(context, stage);
    await second.watching();
    expect(levelsOf(stage, "BTCUSDT").stopLoss).toBe(63_000);
    expect(await second.end()).toBe(0);
    stage.exchange.close({ symbol: "BTCUSDT" });
    stage.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
    const third = startRun(context, stage);
    await third.watching();
    expect(levelsOf(stage, "BTCUSDT").stopLoss).toBe(62_720);
    expect(await third.end()).toBe(0);
  });

  it("a position that closes and opens anew while the stream is down is not given the old one's levels", async (context) => {
    const stage = await openWith(context);
    stage.exchange.setAccount({ statesOpenTime: false });
    stage.exchange.setPrice({ symbol: "BTCUSDT", price: "64000" });
    stage.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
    const sidecar = startRun(context, stage);
    const api = await apiOf(sidecar, stage);
    await sidecar.watching();
    expect(await api.put("BTCUSDT/0", { side: "long", stopLoss: "63000" })).toMatchObject({ status: 200 });
    stage.exchange.setFault({ kind: "streamRefuseAuth", times: 1_000 });
    stage.exchange.dropStreams();
    await sidecar.says(/^the stream is down/);
    const resting = listenTo(stage).stopRests("BTCUSDT");
    stage.exchange.close({ symbol: "BTCUSDT" });
    stage.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
    expect(Number(await resting)).toBe(62_720);
    expect(await sidecar.end()).toBe(0);
  });
});

describe.concurrent("an intent for an open position", () => {
  async function opened(context: TestContext, config = {}) {
    const stage = await openWith(context, { config });
    stage.exchange.setPrice({ symbol: "BTCUSDT", price: "64000" });
    stage.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1", stopLoss: "63000" });
    const sidecar = startRun(context, stage);
    const api = await apiOf(sidecar, stage);
    await sidecar.watching();
    return { stage, sidecar, api };
  }

  it("is refused past the mark, and where it would loosen, with both prices", async (context) => {
    const { stage, sidecar, api } = await opened(context);
    const past = await api.put("BTCUSDT/0", { side: "long", stopLoss: "64000" });
    expect(past).toMatchObject({ status: 422, body: { status: "refused" } });
    expect(past.body.error?.message).toMatch(/64000/);
    const looser = await api.put("BTCUSDT/0", { side: "long", stopLoss: "62000" });
    expect(looser).toMatchObject({
      status: 409,
      body: { status: "refused", error: { standing: "63000", wanted: "62000" } },
    });
    expect(levelsOf(stage, "BTCUSDT").stopLoss).toBe(63_000);
    expect(await sidecar.end()).toBe(0);
  });

  it("loosens the stop once where it says allowLoosen, which the history tells", async (context) => {
    const { stage, sidecar, api } = await opened(context);
    const wish = { side: "long", stopLoss: "62000", allowLoosen: true, who: "alice" };
    expect(await api.put("BTCUSDT/0", wish)).toMatchObject({ status: 200, body: { status: "applied" } });
    expect(levelsOf(stage, "BTCUSDT").stopLoss).toBe(62_000);
    stage.exchange.tradingStop({
      category: "linear",
      symbol: "BTCUSDT",
      tpslMode: "Full",
      positionIdx: 0,
      stopLoss: "63500",
    });
    await api.call("POST", "/v1/sweep");
    expect(levelsOf(stage, "BTCUSDT").stopLoss).toBe(63_500);
    expect(await sidecar.end()).toBe(0);
    const { stdout } = await stage.backstop(["history", "--stops", "--format", "json"]);
    expect(JSON.parse(stdout)).toMatchObject({ stops: [{ stopLoss: "62000", by: "intent of alice" }] });
  });

  it("that waives the stop keeps one from being set until it ends, and every report says so", async (context) => {
    const { stage, sidecar, api } = await opened(context);
    cancelExits(stage, "BTCUSDT");
    stage.exchange.close({ symbol: "BTCUSDT" });
    const waiver = { side: "long", stopLoss: "none", reason: "hedged elsewhere" };
    const until = (ms: number) => new Date(Date.now() + ms).toISOString();
    expect(await api.put("BTCUSDT/0", { ...waiver, until: until(3_600_000) })).toMatchObject({ status: 200 });
    stage.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
    await sidecar.logged.next(({ msg, code }) => code === "stop-waived" || msg === "intent bound");
    const { body } = await api.call("POST", "/v1/sweep");
    expect(body).toMatchObject({ positions: [{ status: "ignored", findings: [{ code: "stop-waived" }] }] });
    expect(levelsOf(stage, "BTCUSDT").stopLoss).toBeNull();
    const audit = await stage.backstop(["audit"]);
    expect(JSON.parse(audit.stdout)).toMatchObject({
      positions: [{ intent: { waiver: { reason: "hedged elsewhere" } } }],
    });
    const resting = listenTo(stage).stopRests("BTCUSDT");
    expect(await api.put("BTCUSDT/0", { ...waiver, until: until(1_500) })).toMatchObject({ status: 200 });
    await sidecar.says("a stop for the whole position rests at the exchange");
    expect(Number(await resting)).toBe(62_720);
    expect(await sidecar.end()).toBe(0);
  });
});

describe.concurrent("an intent for an order", () => {
  it("waits for its fill, and for no other", async (context) => {
    const stage = await openWith(context);
    stage.exchange.setPrice({ symbol: "BTCUSDT", price: "64000" });
    const sidecar = startRun(context, stage);
    const events = listenTo(stage);
    const api = await apiOf(sidecar, stage);
    await sidecar.watching();
    await api.put("BTCUSDT/0", { side: "long", stopLoss: "60000", orderLinkId: "bot-7" });
    await api.put("ETHUSDT/0", { side: "long", stopLoss: "3000", orderLinkId: "bot-8" });
    const order = {
      category: "linear",
      symbol: "BTCUSDT",
      side: "Buy",
      orderType: "Limit",
      qty: "0.1",
      price: "63900",
    };
    stage.exchange.placeOrder({ ...order, timeInForce: "GTC", positionIdx: 0, orderLinkId: "bot-7" });
    const resting = events.stopRests("BTCUSDT");
    stage.exchange.setPrice({ symbol: "BTCUSDT", price: "63890" });
    expect(Number(await resting)).toBe(60_000);
    const other = events.stopRests("ETHUSDT");
    stage.exchange.setPrice({ symbol: "ETHUSDT", price: "3400" });
    stage.exchange.open({ symbol: "ETHUSDT", side: "long", size: "1" });
    expect(Number(await other)).toBe(3_332);
    expect(await sidecar.end()).toBe(0);
  });
});

describe.concurrent("a position that opens and closes while nobody watches", () => {
  it("takes its intent with it: the next one is protected by config", async (context) => {
    const stage = await openWith(context);
    stage.exchange.setPrice({ symbol: "BTCUSDT", price: "64000" });
    const first = startRun(context, stage);
    const api = await apiOf(first, stage);
    await first.watching();
    await api.put("BTCUSDT/0", { side: "long", stopLoss: "63000" });
    expect(await first.end("SIGKILL")).toBe("SIGKILL");
    stage.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
    stage.exchange.close({ symbol: "BTCUSDT" });
    // Longer than the moment in which two openings are not told apart.
    expect(JSON.parse((await stage.backstop(["intent", "list"])).stdout)).toMatchObject({
      intents: [{ state: "pending" }],
    });
    stage.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
    const second = startRun(context, stage);
    await second.watching();
    expect(levelsOf(stage, "BTCUSDT").stopLoss).toBe(62_720);
    expect(await second.end()).toBe(0);
  });
});

describe.concurrent("a position list that is some seconds old when the sidecar is back", () => {
  it("does not bring an ended life's levels to the next: the fills know better", async (context) => {
    let kept: Map<string, string> | null = null;
    let isStale = false;
    const rewrite: Rewrite = ({ path, query }, body) => {
      if (path !== "/v5/position/list") return { body };
      const name = query.replace(/cursor=[^&]*/, "");
      const old = kept?.get(name);
      if (isStale && old !== undefined) return { body: old };
      kept?.set(name, body);
      return { body };
    };
    const stage = await openWith(context, { rewrite });
    stage.exchange.setPrice({ symbol: "BTCUSDT", price: "64000" });
    stage.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
    const first = startRun(context, stage);
    const api = await apiOf(first, stage);
    await first.watching();
    expect(await api.put("BTCUSDT/0", { side: "long", stopLoss: "63000" })).toMatchObject({
      body: { status: "applied" },
    });
    expect(await first.end("SIGKILL")).toBe("SIGKILL");
    cancelExits(stage, "BTCUSDT");
    kept = new Map();
    await stage.backstop(["audit"]);
    stage.exchange.close({ symbol: "BTCUSDT" });
    stage.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
    isStale = true;
    const resting = listenTo(stage).stopRests("BTCUSDT");
    const second = startRun(context, stage);
    expect(Number(await resting)).toBe(62_720);
    isStale = false;
    expect(await second.end()).toBe(0);
  });
});

describe.concurrent("a position that closes while nobody watches", () => {
  it("has its end in the history, and what ended it", async (context) => {
    const stage = await openWith(context);
    stage.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
    const first = startRun(context, stage);
    await first.watching();
    expect(await first.end("SIGKILL")).toBe("SIGKILL");
    stage.exchange.close({ symbol: "BTCUSDT" });
    const second = startRun(context, stage);
    const api = await apiOf(second, stage);
    await second.watching();
    const history = async () => {
      await api.call("POST", "/v1/sweep");
      return JSON.parse((await stage.backstop(["history", "--kind", "life-closed", "--format", "json"])).stdout);
    };
    await context.expect.poll(history, { timeout: 30_000 }).toMatchObject({
      entries: [{ symbol: "BTCUSDT", body: { by: "closed while nobody watched", closedBy: "an order" } }],
    });
    expect(await second.end()).toBe(0);
  });
});

describe.concurrent("a position that closes between two commands", () => {
  it("has its end in the history as well, and is asked for no longer", async (context) => {
    const stage = await openWith(context);
    stage.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
    expect((await stage.backstop(["protect"])).code).toBe(0);
    stage.exchange.close({ symbol: "BTCUSDT" });
    expect((await stage.backstop(["protect"])).code).toBe(0);
    const { stdout } = await stage.backstop(["history", "--kind", "life-closed", "--format", "json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      entries: [{ symbol: "BTCUSDT", body: { by: "closed while nobody watched", closedBy: "an order" } }],
    });
    const before = stage.exchange.requests.length;
    expect((await stage.backstop(["protect"])).code).toBe(0);
    const asked = stage.exchange.requests.slice(before).filter(({ query }) => query["symbol"] === "BTCUSDT");
    expect(asked).toEqual([]);
  });
});

describe.concurrent("an order that fills while nobody listens", () => {
  it("has its position opened with its intent when the sidecar is back", async (context) => {
    const stage = await openWith(context);
    stage.exchange.setPrice({ symbol: "BTCUSDT", price: "64000" });
    const first = startRun(context, stage);
    const api = await apiOf(first, stage);
    await first.watching();
    await api.put("BTCUSDT/0", { side: "long", stopLoss: "60000", orderLinkId: "bot-7" });
    const order = {
      category: "linear",
      symbol: "BTCUSDT",
      side: "Buy",
      orderType: "Limit",
      qty: "0.1",
      price: "63900",
    };
    stage.exchange.placeOrder({ ...order, timeInForce: "GTC", positionIdx: 0, orderLinkId: "bot-7" });
    expect(await first.end("SIGKILL")).toBe("SIGKILL");
    stage.exchange.setPrice({ symbol: "BTCUSDT", price: "63890" });
    const second = startRun(context, stage);
    await second.watching();
    expect(levelsOf(stage, "BTCUSDT").stopLoss).toBe(60_000);
    expect(await second.end()).toBe(0);
  });
});

describe.concurrent("backstop intent", () => {
  it("is applied by the sidecar that runs, or by the next protect", async (context) => {
    const stage = await openWith(context);
    stage.exchange.setPrice({ symbol: "BTCUSDT", price: "64000" });
    stage.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
    const place = ["--symbol", "BTCUSDT", "--side", "long"];
    const alone = await stage.backstop(["intent", "set", ...place, "--stop-loss", "63100.5"]);
    expect(alone).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^pending: main linear BTCUSDT long: stop 63100\.5/),
    });
    const { code } = await stage.backstop(["protect"]);
    expect(code).toBe(0);
    expect(levelsOf(stage, "BTCUSDT").stopLoss).toBe(63_100.5);
    const sidecar = startRun(context, stage);
    await sidecar.watching();
    const beside = await stage.backstop(["intent", "set", ...place, "--stop-loss", "63200", "--take-profit", "70000"]);
    expect(beside).toMatchObject({ code: 0, stdout: expect.stringMatching(/^applied: /) });
    expect(levelsOf(stage, "BTCUSDT")).toEqual({ stopLoss: 63_200, takeProfit: 70_000 });
    const looser = await stage.backstop(["intent", "set", ...place, "--stop-loss", "62000"]);
    expect(looser).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/63200.*62000 would loosen it, which needs --allow-loosen$/m),
    });
    expect(await stage.backstop(["intent", "clear", "--symbol", "BTCUSDT"])).toMatchObject({ code: 0 });
    expect(JSON.parse((await stage.backstop(["intent", "list"])).stdout)).toEqual({ intents: [] });
    expect(await sidecar.end()).toBe(0);
  });
});
