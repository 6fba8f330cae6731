/** What a bot intended, across the death of bot and sidecar: through HTTP, the command line, and the exchange itself. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, type TestContext } from "vitest";
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
  const { url } = await sidecar.says("listening");
  const token = (await readFile(join(folder, "state/token"), "utf8")).trim();
  const call: Api["call"] = async (method, path, body) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    const response = await fetch(`${String(url)}${path}`, init);
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

describe("a bot tells its levels, then bot and sidecar die", () => {
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
