/** A sidecar under faults, with everything that it says to anybody: no key, secret, signature or token is in any of it. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, type TestContext } from "vitest";
import { CANARY, echo, echoing, filesIn, leaks } from "./canary.js";
import type { Rewrite } from "./mirror.js";
import { startRun } from "./sidecar.js";
import { openBook, openStage, type Stage } from "./stage.js";

const PAGE = "<html>Bad Gateway</html>";
/** What shows that the program really was told secrets, and spoke of it. */
const REPEATED = [
  ["a refusal", /"retMsg":"\*\*\* \*\*\* \*\*\*/],
  ["a page", /HTTP 502/],
  ["garbage", /"cause":"garbage"/],
] as const;
const INTENT = "/v1/intents/main/linear/SOLUSDT/0";

/** One signed answer in four is wrong, and most of the wrong ones repeat what they were asked with. */
function unreliable(): Rewrite {
  const wrong: readonly Rewrite[] = [
    echoing,
    (passing) => ({ status: 502, body: `${PAGE}${echo(passing)}` }),
    (passing) => ({ body: echo(passing) }),
    () => ({ body: "" }),
  ];
  let answers = 0;
  return (passing, body) => {
    if (passing.headers["x-bapi-sign"] === undefined) return { body };
    const turn = answers / 4;
    answers += 1;
    const rewrite = Number.isInteger(turn) ? wrong[turn % wrong.length] : undefined;
    return rewrite?.(passing, body) ?? { body };
  };
}

interface Window {
  /** All that came back, headers included. */
  readonly heard: string[];
  ask(method: string, path: string, options?: { json?: object; authorization?: string }): Promise<number>;
}

function openWindow(url: string, token: string): Window {
  const heard: string[] = [];
  return {
    heard,
    ask: async (method, path, { json, authorization = `Bearer ${token}` } = {}) => {
      const body = json === undefined ? {} : { body: JSON.stringify(json) };
      const type = json === undefined ? {} : { "content-type": "application/json" };
      const answer = await fetch(`${url}${path}`, { method, headers: { authorization, ...type }, ...body });
      heard.push(JSON.stringify([...answer.headers]), await answer.text());
      return answer.status;
    },
  };
}

/** What is pushed, collected until the server ends it. */
async function listen(context: TestContext, url: string, token: string): Promise<{ readonly all: Promise<string> }> {
  const ending = new AbortController();
  context.onTestFinished(() => ending.abort());
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(`${url}/v1/events`, { headers, signal: ending.signal });
  // A test that has failed before its end lets go of it, which is no failure of its own.
  return { all: answer.text().catch(() => "cut off") };
}

function tokenOf({ folder }: Stage): string {
  return readFileSync(join(folder, "state", "token"), "utf8").trim();
}

test("a sidecar shows none of them in its log, answers, events, metrics or ledger, whatever the exchange repeats", {
  timeout: 60_000,
}, async (context) => {
  const config = { http: { port: 0 }, sweep: { cron: "*/2 * * * * *" } };
  const stage = await openStage(context, { accounts: [CANARY], rewrite: unreliable(), config });
  stage.exchange.setFault({ kind: "streamRefuseAuth", times: 1 });
  stage.exchange.setFault({ kind: "effectThenReset", path: "/v5/position/trading-stop", times: 1 });
  const sidecar = startRun(context, stage, ["--log-level", "trace"]);
  const url = await sidecar.url();
  const token = tokenOf(stage);
  const events = await listen(context, url, token);
  openBook(stage);
  // Both writes are judged; where nothing can be read for long, the one whose reply was lost stays uncertain.
  await sidecar.says(/^(confirmed|uncertain)$/);
  await sidecar.says(/^(confirmed|uncertain)$/);

  const window = openWindow(url, token);
  for (const path of ["/v1/report", "/v1/history?limit=200", "/metrics", "/healthz", "/readyz", "/openapi.json"]) {
    await window.ask("GET", path);
  }
  const own = { side: "long", stopLoss: "120", orderLinkId: "bot-order-1", reason: CANARY.secret };
  expect(await window.ask("PUT", INTENT, { json: own })).toBeGreaterThanOrEqual(200);
  await window.ask("GET", INTENT);
  const spoken = `because ${CANARY.key} ${encodeURIComponent(CANARY.secret)} ${token}`;
  expect(await window.ask("POST", "/v1/pause", { json: { symbols: ["SOLUSDT"], for: "1m", reason: spoken } })).toBe(
    200,
  );
  const until = new Date(Date.now() + 3_600_000).toISOString();
  const waiver = { side: "long", stopLoss: "none", reason: spoken, until, orderLinkId: CANARY.key };
  expect([200, 422]).toContain(await window.ask("PUT", "/v1/intents/main/linear/XRPUSDT/0", { json: waiver }));
  const { orderLinkId: _named, ...unnamed } = waiver;
  expect(await window.ask("PUT", "/v1/intents/main/linear/BTCUSDT/0", { json: unnamed })).toBe(200);
  await window.ask("POST", "/v1/sweep");
  expect(await window.ask("GET", `/v1/${CANARY.secret}`)).toBe(404);
  expect(
    await window.ask("GET", `/v1/report?${CANARY.key}=${token}`, { authorization: `Bearer ${CANARY.secret}` }),
  ).toBe(401);
  // Last of all: an account whose key was refused is asked again no sooner than in a minute.
  const refused = { kind: "retCode", retCode: 10004, retMsg: CANARY.secret, path: "/v5/position/list" } as const;
  stage.exchange.setFault({ ...refused, times: 100 });
  await sidecar.says(/10004/);
  expect(await sidecar.end()).toBe(0);
  const { stdout: pauses } = await stage.backstop(["resume", "--symbol", "XRPUSDT"]);

  const said = [sidecar.output(), pauses, await events.all, ...window.heard];
  expect(said[2]).toContain("event: step");
  const written = filesIn(stage, "", ["token"]);
  expect(written.some((text) => text.startsWith("SQLite format 3"))).toBe(true);
  expect(leaks(stage, [...said, ...written], [token])).toEqual([]);
  // Whatever was signed: also what went over the private stream.
  expect(said.filter((text) => /(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/i.test(text))).toEqual([]);
  expect(REPEATED.filter(([, sign]) => !sign.test(sidecar.output())).map(([what]) => what)).toEqual([]);
});

test("the program that tells systemd is told no key: not in its arguments and not in its environment", async (context) => {
  const stage = await openStage(context, { accounts: [CANARY] });
  const config = JSON.parse(readFileSync(stage.config, "utf8")) as { accounts: object[] };
  const accounts = config.accounts.map((account) => ({ ...account, key: "${K}", secret: "${S}" }));
  writeFileSync(stage.config, JSON.stringify({ ...config, accounts }));
  const bin = join(stage.folder, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "systemd-notify"), `#!/bin/sh\n(echo "told $*"; env) >> '${join(stage.folder, "told")}'\n`, {
    mode: 0o700,
  });
  const sidecar = startRun(context, stage, [], {
    PATH: `${bin}:${process.env["PATH"] ?? ""}`,
    NOTIFY_SOCKET: "/nowhere",
    WATCHDOG_USEC: "200000",
    K: CANARY.key,
    S: CANARY.secret,
  });
  await sidecar.watching();
  expect(await sidecar.end()).toBe(0);
  const told = readFileSync(join(stage.folder, "told"), "utf8");
  for (const state of ["READY=1", "WATCHDOG=1", "STOPPING=1"]) expect(told).toContain(`told ${state}`);
  expect(leaks(stage, [told])).toEqual([]);
});
