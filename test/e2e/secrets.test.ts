/** Keys, secrets and signatures: in no output of any run, whatever the exchange answers, at the loudest log level. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, type TestContext } from "vitest";
import { FORMATS } from "../../src/report/index.js";
import type { Finished } from "./cli.js";
import { CANARY, echo, echoing, echoingSpelled, filesIn, leaks } from "./canary.js";
import type { Rewrite } from "./mirror.js";
import { openBook, openStage, SECOND, type Stage } from "./stage.js";

const FOREVER = 10_000;
const asItCame: Rewrite = (_passing, body) => ({ body });

const LOUD = ["--log-level", "trace"];

async function runBoth(stage: Stage): Promise<readonly Finished[]> {
  return Promise.all([
    stage.backstop(["doctor", ...LOUD]),
    stage.backstop(["protect", "--output", "report.html", "--format", "html", ...LOUD]),
  ]);
}

describe("no key, secret or signature is in any output", { concurrent: true }, () => {
  test("of a run that goes well, in no format", async (context) => {
    const stage = await openStage(context, { accounts: [CANARY], rewrite: asItCame, rateLimits: false });
    openBook(stage);
    const formats = FORMATS.map((format) => stage.backstop(["audit", "--format", format, "--output", format, ...LOUD]));
    const done = [...(await Promise.all(formats)), ...(await runBoth(stage))];
    expect(filesIn(stage).length).toBeGreaterThan(FORMATS.length + 1);
    expect(filesIn(stage, "state").length).toBeGreaterThan(0);
    expect(leaks(stage, [...done.flatMap(({ stdout, stderr }) => [stdout, stderr]), ...filesIn(stage)])).toEqual([]);
  });

  test.for<[string, Rewrite]>([
    ["refuses the key", (_passing, body) => ({ body: body.replace('"retCode":0', '"retCode":10003') })],
    ["answers with a 502 page", () => ({ status: 502, body: "<html>502 Bad Gateway</html>" })],
    ["blocks the address", () => ({ status: 403, body: "<html>access too frequent</html>" })],
    ["answers with garbage", () => ({ body: "�}{\u0000 garbage" })],
    ["answers with nothing", () => ({ body: "" })],
    ["repeats in its refusal what it was sent", echoing],
    ["repeats in a page what it was sent", (passing) => ({ status: 500, body: `<html>${echo(passing)}</html>` })],
    ["repeats in garbage what it was sent", (passing) => ({ body: echo(passing) })],
  ])("when the exchange %s", { timeout: 40_000 }, async ([, rewrite], context) => {
    const stage = await openStage(context, { accounts: [CANARY], rewrite });
    openBook(stage);
    const done = await runBoth(stage);
    expect(done.every(({ stderr }) => stderr !== "")).toBe(true);
    expect(leaks(stage, [...done.flatMap(({ stdout, stderr }) => [stdout, stderr]), ...filesIn(stage)])).toEqual([]);
  });

  test("when refusals of writes repeat them in any spelling, in no format, and not in the history either", {
    timeout: 60_000,
  }, async (context) => {
    const spelled = echoingSpelled();
    const rewrite: Rewrite = (passing, body) => (passing.method === "POST" ? spelled(passing, body) : { body });
    const stage = await openStage(context, { accounts: [CANARY], rewrite, rateLimits: false });
    const symbols = ["BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT", "DOGEUSDT", "LTCUSDT"];
    for (const symbol of symbols) stage.exchange.open({ symbol, side: "long", size: "10" });
    const outputs: string[] = [];
    for (const format of FORMATS) {
      const { stdout, stderr } = await stage.backstop(["protect", "--format", format, ...LOUD]);
      expect(stdout).not.toBe("");
      outputs.push(stdout, stderr);
    }
    outputs.push((await stage.backstop(["history", "--limit", "500"])).stdout);
    expect(outputs.join("")).toContain("was refused");
    expect(leaks(stage, [...outputs, ...filesIn(stage)])).toEqual([]);
  });

  test("when the exchange refuses the signature", async (context) => {
    const stage = await openStage(context, { accounts: [{ ...CANARY, secret: "another" }], rewrite: asItCame });
    const config = JSON.parse(readFileSync(stage.config, "utf8")) as { accounts: { secret: string }[] };
    const accounts = config.accounts.map((account) => ({ ...account, secret: "${S}" }));
    writeFileSync(stage.config, JSON.stringify({ ...config, accounts }));
    const { code, stdout, stderr } = await stage.backstop(["audit", ...LOUD], { S: CANARY.secret });
    expect(code).toBe(1);
    expect(stderr).toContain("10004");
    expect(leaks(stage, [stdout, stderr])).toEqual([]);
  });

  test("when writes hang; nor in the arguments that other users of the machine see", {
    timeout: 40_000,
  }, async (context) => {
    const argumentsSeen: string[] = [];
    const rewrite: Rewrite = ({ method }, body) => {
      if (method === "POST") argumentsSeen.push(...commandLines());
      return { body };
    };
    const stage = await openStage(context, { accounts: [CANARY], rewrite });
    openBook(stage);
    stage.exchange.setFault({ kind: "effectThenReset", path: "/v5/position/trading-stop", times: 1 });
    stage.exchange.setFault({ kind: "hang", path: "/v5/position/trading-stop", times: FOREVER, after: 3 });
    const { stdout, stderr } = await stage.backstop(["protect", ...LOUD]);
    expect(argumentsSeen.some((line) => line.includes("bin.js"))).toBe(process.platform === "linux");
    expect(leaks(stage, [stdout, stderr, ...argumentsSeen])).toEqual([]);
  });
});

describe("a secret among the words of a command is neither kept nor repeated", { concurrent: true }, () => {
  const said = `the key is ${CANARY.secret}`;
  const openTwo = async (context: TestContext) => openStage(context, { accounts: [CANARY, SECOND] });

  test("in the reason of a pause", async (context) => {
    const stage = await openTwo(context);
    const paused = await stage.backstop(["pause", "--account", "second", "--reason", said]);
    expect(paused).toMatchObject({ code: 0, stdout: expect.stringContaining("the key is [secret]") });
    expect(readFileSync(join(stage.folder, "state", "pauses.json"), "utf8")).toContain("the key is [secret]");
    expect(leaks(stage, [paused.stdout, paused.stderr, ...filesIn(stage)])).toEqual([]);
  });

  test("in the reason of an intent, also where it is another account's", async (context) => {
    const stage = await openTwo(context);
    const place = ["--account", "second", "--symbol", "BTCUSDT", "--side", "long"];
    const waiver = ["--stop-loss", "none", "--until", "2099-01-01T00:00:00Z", "--reason", said];
    const set = await stage.backstop(["intent", "set", ...place, ...waiver]);
    const list = await stage.backstop(["intent", "list"]);
    expect(set).toMatchObject({ code: 0, stdout: expect.stringContaining("(the key is [secret])") });
    expect(JSON.parse(list.stdout)).toMatchObject({ intents: [{ waiver: { reason: "the key is [secret]" } }] });
    const outputs = [set, list].flatMap(({ stdout, stderr }) => [stdout, stderr]);
    expect(leaks(stage, [...outputs, ...filesIn(stage)])).toEqual([]);
  });

  test.for(["audit", "pause"])("in the place of an account's name, by %s", async (command, context) => {
    const stage = await openTwo(context);
    const { code, stdout, stderr } = await stage.backstop([command, "--account", CANARY.secret]);
    expect({ code, stdout }).toEqual({ code: 64, stdout: "" });
    expect(stderr).toContain('--account: "[secret]" is no account of this config; allowed: main, second.');
    expect(leaks(stage, [stderr, ...filesIn(stage)])).toEqual([]);
  });

  test("while a secret that cannot be had keeps nobody from pausing or listing", async (context) => {
    const stage = await openTwo(context);
    const config = JSON.parse(readFileSync(stage.config, "utf8")) as { accounts: object[] };
    const accounts = config.accounts.map((account, nth) => ({ ...account, ...(nth === 1 ? { key: "${GONE}" } : {}) }));
    writeFileSync(stage.config, JSON.stringify({ ...config, accounts }));
    const paused = await stage.backstop(["pause", "--reason", said]);
    expect(paused).toMatchObject({ code: 0, stdout: expect.stringContaining("the key is [secret]") });
    expect((await stage.backstop(["intent", "list"])).code).toBe(0);
    expect(leaks(stage, [paused.stdout, ...filesIn(stage)])).toEqual([]);
  });
});

/** Every process of this machine, as `ps` shows it. */
function commandLines(): readonly string[] {
  const processes = process.platform === "linux" ? readdirSync("/proc").filter((name) => /^\d+$/.test(name)) : [];
  return processes.flatMap((id) => {
    try {
      return [readFileSync(`/proc/${id}/cmdline`, "utf8").replaceAll("\0", " ")];
    } catch {
      // It ended while we looked.
      return [];
    }
  });
}
