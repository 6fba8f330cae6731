/** Killed between a write and its proof: the stop that stands is ours, and the history says when it was proven. */
import { expect, test } from "vitest";
import { reportIn } from "./cli.js";
import { startRun } from "./sidecar.js";
import { openStage, positionIn } from "./stage.js";

test("a stop that was taken before its sender was killed is ours after the restart, and proven by a look", async (context) => {
  const stage = await openStage(context);
  const first = startRun(context, stage);
  await first.watching();
  const { handle } = stage.exchange;
  const killed = new Promise<void>((resolve) => {
    stage.exchange.handle = (request) => {
      const answer = handle(request);
      if (request.method !== "POST") return answer;
      first.process.kill("SIGKILL");
      resolve();
      return answer;
    };
  });
  stage.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
  await killed;
  stage.exchange.handle = handle;
  expect(await first.end("SIGKILL")).toBe("SIGKILL");

  const second = startRun(context, stage);
  await second.watching();
  expect(await second.end()).toBe(0);
  const { stopLoss } = positionIn(reportIn(await stage.backstop(["audit"])), "BTCUSDT");
  expect(stopLoss).toMatchObject({ source: "full", origin: "ours" });
  const { stdout } = await stage.backstop(["history", "--stops", "--format", "json"]);
  expect(JSON.parse(stdout)).toMatchObject({
    stops: [{ stopLoss: stopLoss?.price, provenAt: expect.stringMatching(/Z$/) as string }],
  });
});
