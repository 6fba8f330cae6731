/** Who may ask: below /v1 the owner of the token alone, and a stranger learns nothing of it. */
import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { ask, errorCode, openAsOwner, openWindow, owned, TOKEN } from "./stage.js";

const PLACE = "/v1/intents/main/linear/BTCUSDT/0";
const GUARDED = [
  ["GET", "/v1/report"],
  ["GET", "/v1/events"],
  ["POST", "/v1/sweep"],
  ["PUT", PLACE],
  ["GET", PLACE],
  ["DELETE", PLACE],
  ["POST", "/v1/quote"],
  ["POST", "/v1/pause"],
  ["POST", "/v1/resume"],
  ["GET", "/v1/history"],
] as const;

describe("without the token", () => {
  test.each(GUARDED)("%s %s is refused, and the desk is not asked", async (method, path) => {
    const { port, desk } = await openAsOwner();
    const answer = await ask(port, path, { method });
    expect([answer.status, answer.headers["www-authenticate"], errorCode(answer)]).toEqual([
      401,
      "Bearer",
      "unauthorized",
    ]);
    expect(desk.asked).toEqual([]);
  });

  test("what is not there, and what is there with another method, looks like all the rest", async () => {
    const { port } = await openWindow();
    for (const [method, path] of [
      ["GET", "/v1/nothing"],
      ["PATCH", "/v1/report"],
      ["GET", "/v1/"],
    ] as const) {
      expect((await ask(port, path, { method })).status).toBe(401);
    }
  });

  /** However the line of the request spells the path, proxies and clients included. */
  test.each([
    "//v1/report",
    "/v1//report",
    "/%761/report",
    "/v1%2freport",
    "/v1%2Freport",
    "/V1/report",
    "/v1/report/",
    "/./v1/report",
    "/%2e/v1/report",
    "/healthz/../v1/report",
    "/healthz/..%2fv1/report",
    "/v1/report;x",
    "/v1/report%00",
    "/v1/report#x",
    "/v1/report?token",
    "\\v1\\report",
    "http://evil.example/v1/report",
    "http://localhost/v1/report",
  ])("%s leads nowhere", async (path) => {
    const { port, desk } = await openAsOwner();
    const socket = connect(port, "127.0.0.1");
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\n\r\n`);
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1\.1 40[014] /);
    expect(desk.asked).toEqual([]);
  });

  test.each([
    "Bearer",
    "Bearer ",
    "Bearer x",
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.slice(0, -1)}`,
    `Bearer ${TOKEN.toLowerCase()}`,
    `Basic ${TOKEN}`,
    TOKEN,
    `Bearer ${TOKEN} ${TOKEN}`,
  ])("%j does not open it", async (authorization) => {
    const { port } = await openWindow();
    const answer = await ask(port, "/v1/report", { headers: { authorization } });
    expect(answer.status).toBe(401);
    expect(answer.text).not.toContain(TOKEN);
  });

  test("in the query it does not count", async () => {
    const { port } = await openWindow();
    expect((await ask(port, `/v1/report?token=${TOKEN}&access_token=${TOKEN}`)).status).toBe(401);
  });

  test.each(["/healthz", "/readyz", "/metrics", "/openapi.json"])("%s is open", async (path) => {
    const { port } = await openWindow();
    expect((await ask(port, path)).status).toBe(200);
  });
});

describe("with the token", () => {
  test.each(["Bearer", "bearer", "BEARER"])("the scheme may be spelled %s", async (scheme) => {
    const { port } = await openWindow();
    expect((await ask(port, "/v1/report", { headers: { authorization: `${scheme} ${TOKEN}` } })).status).toBe(200);
  });

  test("what is not there is not there, and a wrong method is told which are right", async () => {
    const { port } = await openWindow();
    expect((await ask(port, "/v1/nothing", owned())).status).toBe(404);
    const wrong = [
      ["DELETE", "/v1/report", "GET, HEAD"],
      ["GET", "/v1/sweep", "POST"],
      ["POST", PLACE, "PUT, GET, HEAD, DELETE"],
    ] as const;
    for (const [method, path, allow] of wrong) {
      const answer = await ask(port, path, { method, ...owned() });
      expect([answer.status, answer.headers.allow]).toEqual([405, allow]);
    }
  });

  test("a page of another origin is refused all the same", async () => {
    const { port } = await openWindow();
    const { headers } = owned();
    const answer = await ask(port, "/v1/report", { headers: { ...headers, origin: "https://evil.example" } });
    expect([answer.status, errorCode(answer)]).toEqual([403, "wrong-origin"]);
  });
});
