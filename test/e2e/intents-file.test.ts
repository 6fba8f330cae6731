/** What a bot that can only write files intended: set, kept through deaths, taken back, and refused in words. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { listenTo, startRun } from "./sidecar.js";
import { openStage, type Stage } from "./stage.js";

const CONFIG = { intents: { file: "state/intents.json" } };
const LONG = { symbol: "BTCUSDT", side: "long", stopLoss: "62100.5", takeProfit: "67000" };

function write({ folder }: Stage, content: unknown): Promise<void> {
  const text = typeof content === "string" ? content : JSON.stringify(content);
  return writeFile(join(folder, "state/intents.json"), text);
}

function stopOf({ exchange }: Stage, symbol: string): number {
  const found = exchange.snapshot().accounts[0]?.positions.find((position) => position.symbol === symbol);
  return Number(found?.stopLoss ?? 0);
}

async function pending(stage: Stage): Promise<unknown> {
  return JSON.parse((await stage.backstop(["intent", "list"])).stdout);
}

describe("a bot writes its levels to the file", () => {
  it("they are set, outlive the sidecar, never reach the next life, and end with their entry", async (context) => {
    const stage = await openStage(context, { config: CONFIG });
    const events = listenTo(stage);
    stage.exchange.setPrice({ symbol: "BTCUSDT", price: "64000" });
    const first = startRun(context, stage);
    await first.says("the intents file is not valid, and changes nothing");
    await first.watching();
    await write(stage, { intents: [LONG] });
    await first.says("intent set");
    const resting = events.stopRests("BTCUSDT");
    stage.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
    expect(Number(await resting)).toBe(62_100.5);
    await first.says("intent bound");
    await write(stage, '{ "intents": [');
    await first.says("the intents file is not valid, and changes nothing");
    await write(stage, { intents: [LONG] });
    await first.says("the intents file was read");
    expect(await first.end("SIGKILL")).toBe("SIGKILL");

    stage.exchange.tradingStop({
      category: "linear",
      symbol: "BTCUSDT",
      stopLoss: "0",
      tpslMode: "Full",
      positionIdx: 0,
    });
    const second = startRun(context, stage);
    await second.watching();
    expect(stopOf(stage, "BTCUSDT")).toBe(62_100.5);
    stage.exchange.close({ symbol: "BTCUSDT" });
    await second.says("intent ended");
    const next = events.stopRests("BTCUSDT");
    stage.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
    expect(Number(await next)).toBe(62_720);
    expect(await pending(stage)).toEqual({ intents: [] });

    await write(stage, { intents: [{ ...LONG, id: "trade-2" }] });
    const refused = await second.says(/^an intent of the file was refused/);
    expect(refused).toMatchObject({ where: "intents[0]", code: "would-loosen", symbol: "BTCUSDT" });
    expect(refused.msg).toContain("a stop stands at 62720; 62100.5 would loosen it");
    await write(stage, { intents: [{ ...LONG, id: "trade-2", stopLoss: "63000" }] });
    await second.says("intent bound");
    await write(stage, { intents: [] });
    expect(await second.says("intent ended")).toMatchObject({ how: "its file no longer names it" });
    expect(await pending(stage)).toEqual({ intents: [] });
    expect(await second.end()).toBe(0);
    const history = JSON.parse((await stage.backstop(["history", "--kind", "intent-refused"])).stdout) as {
      entries: readonly { readonly body: unknown }[];
    };
    expect(history.entries).toMatchObject([{ body: { who: "file", stopLoss: "62100.5" } }]);
  });
});
