/** A sidecar that is closed while its config is read anew: nothing of it goes on by itself. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { audit } from "../../src/index.js";
import { begin, silentNotifier } from "../../src/library/options.js";
import { openService } from "../../src/service/run/service.js";
import { createHeard } from "../stream/stage.js";
import type { SidecarEvent } from "../../src/index.js";
import { openStage } from "./stage.js";

test("an account that is being opened anew is not guarded by anybody who is closed", async () => {
  const stage = await openStage();
  const file = join(stage.folder, "backstop.json");
  await writeFile(file, JSON.stringify(stage.config));
  const begun = await begin({ config: file, cwd: stage.folder, env: {} });
  const notifier = silentNotifier(begun.log);
  const opened = await openService(begun, { isDryRun: false, from: begun.from, notifier, who: "library" });
  const events = createHeard<SidecarEvent>();
  const lives: SidecarEvent[] = [];
  opened.hub.listen((event) => {
    events.add(event);
    if (event.kind === "stream" && event.data["state"] === "live") lives.push(event);
  });
  const service = opened.start();
  await service.serving;
  await events.next(({ kind, data }) => kind === "pass" && data["state"] === "complete");

  // Opening it takes three seconds: the key is not told.
  await writeFile(file, JSON.stringify({ ...stage.config, budget: { writesPerSecond: 5 } }));
  stage.simulator.exchange.setFault({ kind: "hang", path: "/v5/user/query-api", times: 1 });
  const asked = () => stage.simulator.requests.filter(({ path }) => path === "/v5/user/query-api").length;
  const before = asked();
  service.reload();
  await vi.waitUntil(() => asked() > before, { timeout: 10_000 });
  await service.close();

  stage.simulator.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
  const report = await audit(stage.options);
  expect(report.summary).toMatchObject({ positions: 1, unprotected: 1 });
  expect(lives).toHaveLength(1);
  expect(stage.posts()).toEqual([]);
});
