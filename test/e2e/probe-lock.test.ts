/** Ways around the probe's lock that are no address: redirects and proxies. */
import { createServer, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { expect, test, type TestContext } from "vitest";
import { CANARY, leaks } from "./canary.js";
import { run, workplace } from "./cli.js";
import { openStage } from "./stage.js";
import { writeFileSync } from "node:fs";

interface Trap {
  readonly url: string;
  /** The beginning of whatever was sent there. */
  readonly heard: string[];
}

/** Takes note of everything, and answers nothing that helps. */
async function openTrap(context: TestContext): Promise<Trap> {
  const heard: string[] = [];
  const server = createTcpServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", (bytes) => {
      heard.push(bytes.toString("latin1"));
      socket.end("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    });
  });
  return { url: await listening(context, server as unknown as Server), heard };
}

async function listening(context: TestContext, server: Server): Promise<string> {
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  context.onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const redirects = [301, 302, 303, 307, 308];

test.for(["probe", "protect", "audit", "doctor"])(
  "%s follows no redirect",
  { timeout: 60_000 },
  async (command, context) => {
    const trap = await openTrap(context);
    let answers = 0;
    const server = createServer((_request, response) => {
      response.writeHead(redirects[answers % redirects.length] ?? 302, { location: `${trap.url}/v5/elsewhere` }).end();
      answers += 1;
    });
    const restUrl = await listening(context, server);
    const stage = await openStage(context, { accounts: [CANARY] });
    const place = await workplace({ ...stage.simulator, restUrl }, { protection: { mode: "report-only" } });
    context.onTestFinished(() => place.close());
    const { code } = await place.backstop([command, ...(command === "probe" ? ["--yes"] : [])]);
    expect(code).not.toBe(0);
    expect(answers).toBeGreaterThan(0);
    expect(trap.heard).toEqual([]);
  },
);

test("the probe tells nothing to what listens on this machine and is no simulator", async (context) => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${JSON.stringify(request.rawHeaders)}`);
    // As the real exchange would answer, behind something that passes everything on to it.
    response.end(JSON.stringify({ retCode: 0, retMsg: "OK", result: { list: [] }, time: Date.now() }));
  });
  const restUrl = await listening(context, server);
  const stage = await openStage(context, { accounts: [CANARY] });
  const place = await workplace({ ...stage.simulator, restUrl }, { protection: { mode: "report-only" } });
  context.onTestFinished(() => place.close());
  const { code, stderr } = await place.backstop(["probe", "--yes"]);
  expect(code).toBe(64);
  expect(stderr).toContain(`${restUrl} is no simulator of bybit-backstop`);
  expect(asked).toEqual([expect.stringMatching(/^GET \/_control\/snapshot /)]);
  expect(leaks(stage, asked)).toEqual([]);
});

test("a proxy of the environment is asked for the demo's host and for no other, and is told nothing", {
  timeout: 60_000,
}, async (context) => {
  const trap = await openTrap(context);
  const stage = await openStage(context, { accounts: [CANARY] });
  const account = { name: "main", environment: "demo", key: "${K}", secret: "${S}" };
  writeFileSync(stage.config, JSON.stringify({ accounts: [account], protection: { mode: "report-only" } }));
  const env = { ...stage.env, K: CANARY.key, S: CANARY.secret, HTTPS_PROXY: trap.url, HTTP_PROXY: trap.url };
  const finished = await run(["probe", "--yes", "--log-level", "trace"], stage.folder, env);
  expect(finished.code).toBe(1);
  expect(new Set(trap.heard.map((text) => text.split("\r\n")[0]))).toEqual(
    new Set(["CONNECT api-demo.bybit.com:443 HTTP/1.1"]),
  );
  expect(leaks(stage, [...trap.heard, finished.stdout, finished.stderr])).toEqual([]);
});

test("a proxy of the environment is not asked for a simulator on this machine", {
  timeout: 60_000,
}, async (context) => {
  const trap = await openTrap(context);
  const stage = await openStage(context, { accounts: [CANARY] });
  const proxies = { HTTP_PROXY: trap.url, http_proxy: trap.url, HTTPS_PROXY: trap.url, ALL_PROXY: trap.url };
  const { code } = await stage.backstop(["probe", "--yes"], proxies);
  expect(code).toBe(0);
  expect(trap.heard).toEqual([]);
});
