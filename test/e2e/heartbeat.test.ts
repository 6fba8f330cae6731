/** A dead man's switch that does not answer: no pass and no stop waits for it, and it is counted. */
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test, type TestContext } from "vitest";
import { createHeard, type Heard } from "../stream/stage.js";
import { listenTo, startRun } from "./sidecar.js";
import { openStage } from "./stage.js";

interface Switch {
  readonly url: string;
  /** Paths, as they were asked for. */
  readonly asked: Heard<string>;
}

async function openSwitch(context: TestContext, answer: RequestListener): Promise<Switch> {
  const asked = createHeard<string>();
  const server = createServer((request, response) => {
    asked.add(request.url ?? "");
    answer(request, response);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  context.onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/ping/name`, asked };
}

const EVERY_SECOND = { sweep: { cron: "* * * * * *" } };

test("sweeps and stops go on while it holds a ping for ever, one ping is held at a time, and the end waits for nobody", async (context) => {
  const held = await openSwitch(context, () => undefined);
  const stage = await openStage(context, { config: { ...EVERY_SECOND, heartbeat: { url: held.url } } });
  const events = listenTo(stage);
  const sidecar = startRun(context, stage);
  await sidecar.watching();
  await held.asked.next(() => true);
  const askedAtMs = performance.now();
  const resting = events.stopRests("BTCUSDT");
  stage.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
  await resting;
  const whole = () => sidecar.logged.next(({ msg, whole: isWhole }) => msg === "pass complete" && isWhole === true);
  for (let nth = 0; nth < 4; nth += 1) await whole();
  // Given up after ten seconds, it is asked anew; none waits in line.
  expect(held.asked.all.length).toBeLessThanOrEqual(1 + (performance.now() - askedAtMs) / 10_000);
  expect(await sidecar.end()).toBe(0);
});

test("a ping that is not heard is counted and said once, without the address that gives access", async (context) => {
  const broken = await openSwitch(context, (_request, response) => void response.writeHead(500).end());
  const config = { ...EVERY_SECOND, heartbeat: { url: broken.url }, http: { port: 0 } };
  const stage = await openStage(context, { config });
  const sidecar = startRun(context, stage);
  const url = await sidecar.url();
  // One at a time: when the third is asked, two answers are in.
  for (const path of ["/ping/name", "/ping/name", "/ping/name"]) await broken.asked.next((asked) => asked === path);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(Number(/^backstop_heartbeat_failures_total (\d+)$/m.exec(metrics)?.[1])).toBeGreaterThanOrEqual(2);
  expect(await sidecar.end()).toBe(0);
  const told = sidecar.logged.all.map(({ msg }) => msg).filter((msg) => msg.includes("heartbeat"));
  expect(told).toEqual(["the heartbeat is not heard: its server answered 500; passes go on"]);
  expect(sidecar.output()).not.toContain("/ping/name");
});
