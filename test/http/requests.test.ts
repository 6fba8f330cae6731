/** Requests that are refused: wrong host, foreign pages, wrong methods, too much of everything. */
import { once } from "node:events";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { describe, expect, test } from "vitest";
import { registerSecret } from "../../src/runtime/index.js";
import { sidecarStatus } from "../builders/sidecar-status.js";
import { ask, errorCode, openWindow, TOKEN } from "./stage.js";

const CANARY = "Canary+Secret/0000000000000000000001";

describe("the Host header", () => {
  test.each(["127.0.0.1", "localhost", "LOCALHOST", "[::1]"])("may be %s with the port", async (name) => {
    const { port } = await openWindow();
    expect((await ask(port, "/healthz", { headers: { host: `${name}:${port}` } })).status).toBe(200);
  });

  test.each([
    "evil.example",
    "evil.example:PORT",
    "localhost",
    "localhost:1",
    "localhost:0PORT9",
    "localhost.evil.example:PORT",
    "localhost.:PORT",
    "user@localhost:PORT",
    "127.0.0.2:PORT",
    "2130706433:PORT",
    "0.0.0.0:PORT",
    "[::ffff:127.0.0.1]:PORT",
    "[::1:PORT",
  ])("may not be %s", async (name) => {
    const { port } = await openWindow();
    const answer = await ask(port, "/healthz", { headers: { host: name.replace("PORT", String(port)) } });
    expect([400, 403]).toContain(answer.status);
    expect(["wrong-host", "bad-request"]).toContain(errorCode(answer));
  });

  test("may be the configured name", async () => {
    const { port, url } = await openWindow({ host: "localhost" });
    expect(url).toBe(`http://localhost:${port}`);
    const answer = await ask(port, "/healthz", { headers: { host: `localhost:${port}` }, address: "localhost" });
    expect(answer.status).toBe(200);
  });

  test("may be the address that was reached when we listen on all, and no other", async () => {
    const { port, url } = await openWindow({ host: "0.0.0.0" });
    expect(url).toBe(`http://127.0.0.1:${port}`);
    const reached = (host: string) => ask(port, "/healthz", { address: "127.0.0.7", headers: { host } });
    expect((await reached(`127.0.0.7:${port}`)).status).toBe(200);
    expect((await reached(`127.0.0.8:${port}`)).status).toBe(403);
    expect((await reached(`0.0.0.0:${port}`)).status).toBe(403);
    expect((await reached(`evil.example:${port}`)).status).toBe(403);
  });

  test("refuses with the names that are allowed", async () => {
    const { port } = await openWindow();
    const answer = await ask(port, "/healthz", { headers: { host: "evil.example" } });
    expect(answer.status).toBe(403);
    expect(answer.json()).toEqual({
      error: { code: "wrong-host", message: "the Host must be one of: 127.0.0.1, localhost, [::1]; with the port" },
    });
  });
});

describe("the Origin header", () => {
  test("may be our own", async () => {
    const { port, url } = await openWindow();
    for (const origin of [url, `http://localhost:${port}`]) {
      expect((await ask(port, "/healthz", { headers: { origin } })).status).toBe(200);
    }
  });

  test.each([
    "null",
    "",
    "https://evil.example",
    "https://localhost:PORT",
    "http://localhost",
    "http://localhost:PORT/",
    "file://",
  ])("may not be %j", async (template) => {
    const { port } = await openWindow();
    const origin = template.replace("PORT", String(port));
    const answer = await ask(port, "/readyz", { headers: { origin } });
    expect([answer.status, errorCode(answer)]).toEqual([403, "wrong-origin"]);
    expect(answer.headers).not.toHaveProperty("access-control-allow-origin");
  });
});

describe("routes and methods", () => {
  test.each(["/", "/nothing", "/healthz/", "/HEALTHZ", "/healthz/..%2fmetrics", "/v1x"])(
    "%s is not there",
    async (path) => {
      const { port } = await openWindow();
      const answer = await ask(port, path);
      expect(answer.status).toBe(404);
      expect(answer.json()).toEqual({ error: { code: "not-found", message: "no such route" } });
    },
  );

  test.each(["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])(
    "%s is refused where only reading is possible",
    async (method) => {
      const { port } = await openWindow();
      for (const path of ["/healthz", "/readyz", "/metrics"]) {
        const answer = await ask(port, path, { method });
        expect([answer.status, answer.headers.allow]).toEqual([405, "GET, HEAD"]);
        expect(errorCode(answer)).toBe("method-not-allowed");
      }
    },
  );
});

describe("the body", () => {
  const LIMIT = 65_536;

  test("may have 64 kB", async () => {
    const { port } = await openWindow();
    for (const body of ["x".repeat(LIMIT), ["x".repeat(LIMIT / 2), "x".repeat(LIMIT / 2)]]) {
      expect((await ask(port, "/healthz", { method: "POST", body })).status).toBe(405);
    }
  });

  test.each([
    { title: "declared", body: "x".repeat(LIMIT + 1) },
    { title: "sent in pieces", body: ["x".repeat(LIMIT), "x"] },
  ])("may not have one byte more, $title", async ({ body }) => {
    const { port } = await openWindow();
    for (const path of ["/healthz", "/nothing"]) {
      const answer = await ask(port, path, { method: "POST", body });
      expect([answer.status, errorCode(answer)]).toEqual([413, "too-large"]);
    }
  });

  test("is refused before it is sent when it is declared too large, also with GET", async () => {
    const { port } = await openWindow();
    const socket = connect(port, "127.0.0.1");
    socket.write(`GET /healthz HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Length: 9999999\r\n\r\n`);
    const [first] = (await once(socket, "data")) as [Buffer];
    socket.destroy();
    expect(first.toString()).toContain("413 Payload Too Large");
  });
});

describe("/metrics", () => {
  test("is plain text for this machine", async () => {
    const { port } = await openWindow();
    const answer = await ask(port, "/metrics");
    expect([answer.status, answer.text]).toEqual([200, "backstop_stream_up 1\n"]);
    expect(answer.headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
  });

  test("is closed to other machines, unless they bring the token", async (context) => {
    const address = otherAddress();
    if (address === undefined) return context.skip("this machine has no address beside its loopback");
    const { port } = await openWindow({ host: "0.0.0.0" });
    const answer = await ask(port, "/metrics", { address });
    expect([answer.status, answer.headers["www-authenticate"]]).toEqual([401, "Bearer"]);
    expect(answer.text).not.toContain("backstop_stream_up");
    const wrong = await ask(port, "/metrics", { address, headers: { authorization: `Bearer ${"0".repeat(64)}` } });
    expect(wrong.status).toBe(401);
    const owner = await ask(port, "/metrics", { address, headers: { authorization: `Bearer ${TOKEN}` } });
    expect([owner.status, owner.text]).toEqual([200, "backstop_stream_up 1\n"]);
    expect((await ask(port, "/healthz", { address })).status).toBe(200);
  });
});

describe("a mistake of ours", () => {
  const broken = () => {
    throw new Error(`broken with ${CANARY} at /secret/place.ts`);
  };

  test.each(["/readyz", "/metrics"])("%s says that it failed, and nothing about how", async (path) => {
    registerSecret(CANARY);
    const { port, logged } = await openWindow({ status: broken, metricsText: () => Promise.reject(new Error(CANARY)) });
    const answer = await ask(port, path);
    expect(answer.status).toBe(500);
    expect(answer.json()).toEqual({ error: { code: "internal", message: "a mistake of ours; the log says more" } });
    expect(logged()).toContain(`GET ${path}`);
    expect(logged()).not.toContain(CANARY);
  });

  test("even where something is thrown that is no error", async () => {
    const status = () => {
      // eslint-disable-next-line typescript/only-throw-error -- dependencies do such things
      throw { key: CANARY };
    };
    const { port, logged } = await openWindow({ status });
    const answer = await ask(port, "/readyz");
    expect([answer.status, errorCode(answer)]).toEqual([500, "internal"]);
    expect(logged()).not.toContain(CANARY);
  });
});

test("no answer shows a secret, wherever it comes from", async () => {
  registerSecret(CANARY);
  const { port } = await openWindow({
    status: () => sidecarStatus([{ name: CANARY, reachable: false, trouble: `key ${CANARY} refused` }]),
    metricsText: () => Promise.resolve(`backstop_stream_up{account="${CANARY}"} 1\n`),
  });
  for (const path of ["/readyz", "/metrics", "/readyz?account=x", `/readyz?account=${encodeURIComponent(CANARY)}`]) {
    const { text } = await ask(port, path);
    expect(text).toContain("[secret]");
    expect(text).not.toContain(CANARY);
  }
});

function otherAddress(): string | undefined {
  return Object.values(networkInterfaces())
    .flat()
    .find((one) => one !== undefined && one.family === "IPv4" && !one.internal)?.address;
}

test.each(["constructor", "toString", "__proto__"])("a query named %s is no mistake of ours", async (name) => {
  const { port } = await openWindow();
  expect([200, 503]).toContain((await ask(port, `/readyz?${name}=1`)).status);
  const headers = { authorization: `Bearer ${TOKEN}` };
  expect((await ask(port, `/v1/history?${name}=1`, { headers })).status).toBe(400);
});
