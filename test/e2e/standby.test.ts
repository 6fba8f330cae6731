/** A second sidecar on the same ledger: it knows what the writer's books hold before it tells of its first look. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Report } from "../../src/report/index.js";
import { type RunningSidecar, startRun } from "./sidecar.js";
import { openStage, positionIn, type Stage } from "./stage.js";

const HTTP = { http: { host: "127.0.0.1", port: 0, tokenFile: "state/token" } };

async function call(sidecar: RunningSidecar, { folder }: Stage, method: string, path: string, body?: object) {
  const url = await sidecar.url();
  const token = (await readFile(join(folder, "state/token"), "utf8")).trim();
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  return (await fetch(`${url}${path}`, init)).json();
}

test("a standby alarms for no stop that is waived, calls ours what is ours, and hands an intent to the writer", async (context) => {
  const stage = await openStage(context, { config: HTTP });
  stage.exchange.setPrice({ symbol: "BTCUSDT", price: "64000" });
  stage.exchange.setPrice({ symbol: "ETHUSDT", price: "3400" });
  const waiver = ["--stop-loss", "none", "--reason", "hedged elsewhere", "--until", "2099-01-01T00:00:00Z"];
  stage.exchange.open({ symbol: "ETHUSDT", side: "short", size: "1" });
  await stage.backstop(["intent", "set", "--symbol", "ETHUSDT", "--side", "short", ...waiver]);
  stage.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
  const writer = startRun(context, stage);
  await writer.watching();

  const standby = startRun(context, stage);
  await standby.watching();
  expect(standby.logged.all.map(({ msg }) => msg)).toContainEqual(expect.stringMatching(/this one stands by/));
  expect(standby.logged.all.filter(({ code }) => code === "stop-missing")).toEqual([]);
  const report = (await call(standby, stage, "GET", "/v1/report")) as Report;
  expect(positionIn(report, "BTCUSDT").stopLoss).toMatchObject({ price: "62720", origin: "ours" });
  expect(positionIn(report, "ETHUSDT")).toMatchObject({ status: "ignored", findings: [{ code: "stop-waived" }] });

  const wish = { side: "long", stopLoss: "63000" };
  const bound = writer.logged.next(({ msg, symbol }) => msg === "intent bound" && symbol === "BTCUSDT");
  await call(standby, stage, "PUT", "/v1/intents/main/linear/BTCUSDT/0", wish);
  await bound;
  await call(writer, stage, "POST", "/v1/sweep");
  const seen = (await call(writer, stage, "GET", "/v1/report")) as Report;
  expect(positionIn(seen, "BTCUSDT").stopLoss).toMatchObject({ price: "63000", origin: "ours" });
  expect([await standby.end(), await writer.end()]).toEqual([0, 0]);
});
