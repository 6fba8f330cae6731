/** A sidecar whose config is read anew: what is looked at by nobody meanwhile is told, and nothing of it goes on by itself. */
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { audit } from "../../src/index.js";
import type { SidecarEvent } from "../../src/index.js";
import { begin, silentNotifier } from "../../src/library/options.js";
import { openService } from "../../src/service/run/service.js";
import { createHeard } from "../stream/stage.js";
import { openStage, PLACE, type Stage } from "./stage.js";

/** Guards, from a config file, and has looked at everything. */
async function guarding(stage: Stage) {
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
  onTestFinished(() => service.close());
  await service.serving;
  await events.next(({ kind, data }) => kind === "pass" && data["state"] === "complete");

  return {
    service,
    lives,
    /** Resolves while the account is being opened anew, which takes three seconds: the key is not told. */
    reopens: async () => {
      await writeFile(file, JSON.stringify({ ...stage.config, budget: { writesPerSecond: 5 } }));
      stage.simulator.exchange.setFault({ kind: "hang", path: "/v5/user/query-api", times: 1 });
      const asked = () => stage.simulator.requests.filter(({ path }) => path === "/v5/user/query-api").length;
      const before = asked();
      service.reload();
      await vi.waitUntil(() => asked() > before, { timeout: 10_000 });
    },
  };
}

test("a config that can be read only once, such as a pipe, is enough to start with", async () => {
  const stage = await openStage();
  const file = join(stage.folder, "backstop.json");
  await writeFile(file, JSON.stringify(stage.config));
  const begun = await begin({ config: file, cwd: stage.folder, env: {} });
  await rm(file);
  const notifier = silentNotifier(begun.log);
  const opened = await openService(begun, { isDryRun: false, from: begun.from, notifier, who: "library" });
  const service = opened.start();
  onTestFinished(() => service.close());
  expect(await service.desk.sweep()).toMatchObject({ complete: true, accounts: [{ name: "main" }] });
});

test("an account that is being opened anew is not guarded by anybody who is closed", async () => {
  const stage = await openStage();
  const { service, lives, reopens } = await guarding(stage);
  await reopens();
  await service.close();

  stage.simulator.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
  const report = await audit(stage.options);
  expect(report.summary).toMatchObject({ positions: 1, unprotected: 1 });
  expect(lives).toHaveLength(1);
  expect(stage.posts()).toEqual([]);
});

test("an account that is being opened anew stays in the report, which is not complete, until it has been looked at", async () => {
  const stage = await openStage();
  stage.simulator.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
  const { service, reopens } = await guarding(stage);
  await reopens();
  expect(service.desk.report()).toMatchObject({ complete: false, accounts: [{ name: "main", readable: false }] });

  const quoted = await service.desk.quote({ ...PLACE, side: "long" });
  expect(quoted).toMatchObject({ kind: "none", httpStatus: 503 });
  const wish = { side: "long", stopLoss: "60000", ttlSeconds: 600, allowLoosen: false } as const;
  const kept = await service.desk.setIntent(PLACE, wish);
  expect(kept).toMatchObject({ status: "refused", httpStatus: 503, code: "not-read-yet" });
  expect(service.desk.accounts()).toEqual(["main"]);

  const swept = await service.desk.sweep();
  expect(swept).toMatchObject({ accounts: [{ name: "main", readable: true }], summary: { positions: 1 } });
});
