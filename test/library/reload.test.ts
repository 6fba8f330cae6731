/** A sidecar whose config is read anew: what is taken over, what is told meanwhile, and that nothing goes on once it is closed. */
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { audit } from "../../src/index.js";
import type { SidecarEvent } from "../../src/index.js";
import { begin, silentNotifier } from "../../src/library/options.js";
import { openService } from "../../src/service/run/service.js";
import { createHeard } from "../stream/stage.js";
import { MAIN, openStage, PLACE, type Stage } from "./stage.js";

const POSITIONS = "/v5/position/list";
const REPORT_ONLY = { protection: { mode: "report-only", stopLoss: { distance: "2%" } } } as const;

/** It is told by a file, as `run` is. */
async function openFromFile(stage: Stage) {
  const file = join(stage.folder, "backstop.json");
  const write = (changes: object) => writeFile(file, JSON.stringify({ ...stage.config, ...changes }));
  await write({});
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
  return {
    service,
    events,
    lives,
    write,
    /** Resolves while the account is being opened anew, which takes three seconds: the key is not told. */
    reopens: async () => {
      await write({ budget: { writesPerSecond: 5 } });
      stage.simulator.exchange.setFault({ kind: "hang", path: "/v5/user/query-api", times: 1 });
      const asked = () => stage.simulator.requests.filter(({ path }) => path === "/v5/user/query-api").length;
      const before = asked();
      service.reload();
      await vi.waitUntil(() => asked() > before, { timeout: 10_000 });
    },
  };
}

/** Guards, and has looked at everything. */
async function guarding(stage: Stage) {
  const opened = await openFromFile(stage);
  await opened.events.next(({ kind, data }) => kind === "pass" && data["state"] === "complete");
  return opened;
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

test("a key that the exchange refuses is read anew, and nothing of a config that nobody has asked to take over", async () => {
  const second = { ...MAIN, name: "second", key: "LibraryKey00000002", secret: "LibrarySecret000000000000000000000B2" };
  const stage = await openStage(REPORT_ONLY, { accounts: [MAIN, second] });
  const { service, events, write } = await guarding(stage);

  const { exchange } = stage.simulator;
  exchange.open({ account: "second", symbol: "BTCUSDT", side: "long", size: "0.1" });
  const [account] = stage.config.accounts;
  const renewed = { ...account, key: second.key, secret: second.secret, categories: ["linear"] };
  await write({ accounts: [renewed], protection: { ...REPORT_ONLY.protection, mode: "sync" } });
  exchange.setFault({ kind: "retCode", retCode: 10_003, retMsg: "API key is invalid.", path: POSITIONS, times: 4 });
  void service.desk.sweep();
  await events.next(({ kind, data }) => kind === "pass" && data["state"] === "failed");
  await events.next(({ kind, data }) => kind === "pass" && data["state"] === "complete");

  const report = service.desk.report();
  expect(report.positions).toMatchObject([{ symbol: "BTCUSDT", status: "unprotected" }]);
  expect(stage.posts()).toEqual([]);
  expect(report.accounts).toMatchObject([{ notCovered: ["spot"] }]);
});
