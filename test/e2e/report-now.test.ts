/** The report of `backstop run` speaks of the moment it was asked for, also while the exchange tells nothing to reads. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, type TestContext } from "vitest";
import type { Report } from "../../src/report/index.js";
import { startRun } from "./sidecar.js";
import { openStage, type Stage } from "./stage.js";

async function guarding(context: TestContext) {
  const config = { http: { port: 0 }, sweep: { cron: "*/30 * * * * *" } };
  const stage = await openStage(context, { config });
  stage.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
  const sidecar = startRun(context, stage);
  const url = await sidecar.url();
  await sidecar.watching();
  const token = (await readFile(join(stage.folder, "state", "token"), "utf8")).trim();
  const ask = async (path: string, method = "GET"): Promise<unknown> =>
    (await fetch(`${url}${path}`, { method, headers: { authorization: `Bearer ${token}` } })).json();
  const reported = async () => (await ask("/v1/report")) as Report;
  return { stage, sidecar, ask, reported };
}

/** No GET of the account is answered from now on. */
function hang({ exchange }: Stage): void {
  const { handle } = exchange;
  exchange.handle = (request) => (request.method === "GET" ? { kind: "hang" } : handle(request));
}

describe.concurrent("the report of a running sidecar", () => {
  it("calls nothing protected that the stream has told to be naked, while reads hang", {
    timeout: 60_000,
  }, async (context) => {
    const { stage, sidecar, reported } = await guarding(context);
    expect(await reported()).toMatchObject({ complete: true, summary: { protected: 1 } });
    hang(stage);
    const none = { stopLoss: "0", takeProfit: "0", tpslMode: "Full", positionIdx: 0 };
    stage.exchange.tradingStop({ category: "linear", symbol: "BTCUSDT", ...none });
    await context.expect.poll(async () => (await reported()).summary).toMatchObject({ protected: 0, unknown: 1 });
    expect(await reported()).toMatchObject({ complete: false, positions: [{ status: "unknown", stopLoss: null }] });
    const line = await sidecar.logged.next(({ code }) => code === "unreadable");
    expect(line).toMatchObject({ level: "error", msg: expect.stringContaining("the stream has told of a change") });
    expect(await sidecar.end()).toBe(0);
  });

  it("names a key that is refused since it runs, and so do log and history", { timeout: 60_000 }, async (context) => {
    const { stage, sidecar, ask, reported } = await guarding(context);
    expect((await reported()).accounts[0]?.findings).toEqual([]);
    stage.exchange.setFault({ kind: "retCode", retCode: 33_004, retMsg: "Your api key has expired.", times: 10_000 });
    await ask("/v1/sweep", "POST");
    const line = await sidecar.logged.next(({ code }) => code === "key-refused");
    expect(line).toMatchObject({ level: "error", account: "main", msg: expect.stringContaining("33004") });
    const refused = { code: "key-refused", severity: "critical" };
    expect(await reported()).toMatchObject({ complete: false, accounts: [{ findings: [refused] }] });
    const history = async () => ask("/v1/history?kind=finding&limit=1");
    await context.expect.poll(history).toMatchObject({ entries: [{ account: "main", symbol: null, body: refused }] });
    expect(await sidecar.end()).toBe(0);
  });
});
