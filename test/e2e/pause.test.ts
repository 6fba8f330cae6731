/** `pause` and `resume` as their user meets them: what is paused is not written, and everything else is. */
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { reportIn } from "./cli.js";
import { bodyOf, MAIN, openBook, openStage, positionIn, SECOND, type Stage } from "./stage.js";

const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/;
const writtenTo = (stage: Stage) =>
  stage
    .posts()
    .map((post) => String(bodyOf(post)["symbol"]))
    .sort();
const pauseFile = ({ folder }: Stage) => join(folder, "state", "pauses.json");

async function damage(stage: Stage): Promise<void> {
  await mkdir(join(stage.folder, "state"));
  await writeFile(pauseFile(stage), '{ "pauses": [');
}

describe.concurrent("what is paused is not written", () => {
  test("one symbol: its step is skipped with the reason, the others are written, and it counts as left", async (context) => {
    const stage = await openStage(context);
    openBook(stage);
    const paused = await stage.backstop(["pause", "--symbol", "BTCUSDT", "--for", "1h", "--reason", "moving the bot"]);
    expect({ code: paused.code, stderr: paused.stderr }).toEqual({ code: 0, stderr: "" });
    const finished = await stage.backstop(["protect"]);
    const report = reportIn(finished);
    expect(finished.code).toBe(2);
    expect(writtenTo(stage)).toEqual(["ETHUSDT"]);
    expect(positionIn(report, "ETHUSDT")).toMatchObject({ status: "protected", steps: [{ outcome: "confirmed" }] });
    const held = positionIn(report, "BTCUSDT");
    expect(held).toMatchObject({ status: "unprotected", steps: [{ outcome: "skipped" }] });
    expect(held.steps[0]?.detail).toMatch(/^paused until .*Z \(all accounts, symbol BTCUSDT\): moving the bot$/);
  });

  test("everything, and audit and dry runs show it while they go on", async (context) => {
    const stage = await openStage(context);
    openBook(stage);
    await stage.backstop(["pause"]);
    for (const args of [["protect"], ["protect", "--dry-run"], ["audit"]]) {
      const finished = await stage.backstop(args);
      expect(finished.code).toBe(2);
      expect(positionIn(reportIn(finished), "BTCUSDT").steps).toMatchObject([
        { outcome: "skipped", detail: "paused until resumed (all accounts, all symbols)" },
      ]);
    }
    expect(stage.posts()).toEqual([]);
  });

  test("one account of two", async (context) => {
    const stage = await openStage(context, { accounts: [MAIN, SECOND] });
    openBook(stage);
    openBook(stage, "second");
    await stage.backstop(["pause", "--account", "second"]);
    const report = reportIn(await stage.backstop(["protect"]));
    expect(positionIn(report, "BTCUSDT").status).toBe("protected");
    expect(positionIn(report, "BTCUSDT", "second")).toMatchObject({
      status: "unprotected",
      steps: [{ outcome: "skipped", detail: "paused until resumed (account second, all symbols)" }],
    });
    expect(stage.posts()).toHaveLength(2);
  });

  test("until its time is over", async (context) => {
    const stage = await openStage(context);
    openBook(stage);
    const { stdout } = await stage.backstop(["pause", "--symbol", "BTC*", "--symbol", "ETH*", "--for", "1s"]);
    const endsAtMs = Date.parse(TIME.exec(stdout)?.[0] ?? "");
    await wait(Math.max(0, endsAtMs - Date.now()));
    expect((await stage.backstop(["protect"])).code).toBe(0);
    expect(writtenTo(stage)).toEqual(["BTCUSDT", "ETHUSDT"]);
  });

  test("until it is resumed", async (context) => {
    const stage = await openStage(context);
    openBook(stage);
    await stage.backstop(["pause"]);
    await stage.backstop(["protect"]);
    expect(stage.posts()).toEqual([]);
    await stage.backstop(["resume"]);
    expect((await stage.backstop(["protect"])).code).toBe(0);
    expect(stage.posts()).toHaveLength(2);
  });
});

describe.concurrent("the commands say what is paused now", () => {
  test("pausing lists what was added and everything that holds, with times in UTC", async (context) => {
    const stage = await openStage(context, { accounts: [MAIN, SECOND] });
    await stage.backstop(["pause", "--account", "second"]);
    const { stdout } = await stage.backstop(["pause", "--symbol", "BTC*", "--for", "10m", "--reason", "maintenance"]);
    expect(stdout.replaceAll(new RegExp(TIME, "g"), "THEN")).toBe(
      [
        "Paused: all accounts, symbol BTC*, until THEN: maintenance",
        "Paused now:",
        "  account second, all symbols, until resumed",
        "  all accounts, symbol BTC*, until THEN: maintenance",
        "",
      ].join("\n"),
    );
    const untilMs = Date.parse(TIME.exec(stdout)?.[0] ?? "");
    expect(untilMs - Date.now()).toBeGreaterThan(500_000);
    expect(untilMs - Date.now()).toBeLessThanOrEqual(600_000);
    expect((await stat(pauseFile(stage))).mode & 0o777).toBe(0o600);
  });

  test("resuming a part lists what was removed and what is left", async (context) => {
    const stage = await openStage(context);
    await stage.backstop(["pause", "--symbol", "BTCUSDT", "--symbol", "ETHUSDT"]);
    const { code, stdout } = await stage.backstop(["resume", "--symbol", "ETHUSDT"]);
    expect(code).toBe(0);
    expect(stdout).toBe(
      [
        "Resumed: all accounts, symbol ETHUSDT, until resumed",
        "Paused now:",
        "  all accounts, symbol BTCUSDT, until resumed",
        "",
      ].join("\n"),
    );
    const all = await stage.backstop(["resume"]);
    expect(all.stdout).toBe("Resumed: all accounts, symbol BTCUSDT, until resumed\nNothing is paused.\n");
    const again = await stage.backstop(["resume"]);
    expect(again).toMatchObject({ code: 0, stdout: "There was nothing to resume.\nNothing is paused.\n" });
  });

  test("resuming a part of what was paused as one is refused and changes nothing", async (context) => {
    const stage = await openStage(context);
    openBook(stage);
    await stage.backstop(["pause"]);
    const { code, stdout, stderr } = await stage.backstop(["resume", "--symbol", "BTCUSDT"]);
    expect({ code, stdout }).toEqual({ code: 64, stdout: "" });
    expect(stderr).toContain('--symbol "BTCUSDT": nothing was resumed');
    expect(stderr).toContain("all accounts, all symbols, until resumed");
    expect(stderr).toContain("allowed:");
    await stage.backstop(["protect"]);
    expect(stage.posts()).toEqual([]);
  });

  test("without the keys too, which pausing does not need", async (context) => {
    const stage = await openStage(context);
    const config = JSON.parse(await readFile(stage.config, "utf8")) as { accounts: object[] };
    const accounts = config.accounts.map((account) => ({ ...account, key: "${GONE}", secret: "file:gone" }));
    await writeFile(stage.config, JSON.stringify({ ...config, accounts }));
    expect((await stage.backstop(["audit"])).code).toBe(64);
    expect((await stage.backstop(["pause"])).code).toBe(0);
    expect((await stage.backstop(["resume"])).code).toBe(0);
    expect(stage.exchange.requests).toEqual([]);
  });

  test("resuming tells of the read-only switch, which holds everything all the same", async (context) => {
    const stage = await openStage(context);
    await stage.backstop(["pause"]);
    const { code, stderr } = await stage.backstop(["resume"], { BACKSTOP_READONLY: "1" });
    expect(code).toBe(0);
    expect(stderr).toContain("BACKSTOP_READONLY is set: nothing is written");
  });

  test("doctor lists what is paused", async (context) => {
    const stage = await openStage(context);
    await stage.backstop(["pause", "--symbol", "BTC*"]);
    const { code, stdout } = await stage.backstop(["doctor"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^note {2}paused: all accounts, symbol BTC\*, until resumed$/m);
  });
});

describe.concurrent("a damaged file", () => {
  test("pauses everything and is called damaged, in the log and beside each step", async (context) => {
    const stage = await openStage(context);
    openBook(stage);
    await damage(stage);
    const finished = await stage.backstop(["protect"]);
    expect(finished.code).toBe(2);
    expect(stage.posts()).toEqual([]);
    expect(finished.stderr).toContain(`${pauseFile(stage)} is damaged (it is no JSON), so everything is paused`);
    const steps = reportIn(finished).positions.flatMap((position) => position.steps);
    expect(steps.map(({ outcome }) => outcome)).toEqual(["skipped", "skipped"]);
    expect(steps[0]?.detail).toContain("is damaged");
    expect((await stage.backstop(["doctor"])).stdout).toMatch(/^cure {2}.*pauses\.json is damaged/m);
  });

  test("is not added to, and is replaced by resuming everything, which lets writes go on", async (context) => {
    const stage = await openStage(context);
    openBook(stage);
    await damage(stage);
    for (const args of [["pause"], ["resume", "--symbol", "BTCUSDT"]]) {
      const { code, stderr } = await stage.backstop(args);
      expect(code).toBe(1);
      expect(stderr).toContain("`npx bybit-backstop resume` without --account and --symbol begins a new one");
    }
    const resumed = await stage.backstop(["resume"]);
    expect(resumed.code).toBe(0);
    expect(resumed.stdout).toContain("because the file was damaged: it is no JSON\nNothing is paused.\n");
    expect((await stage.backstop(["protect"])).code).toBe(0);
    expect(stage.posts()).toHaveLength(2);
  });
});
