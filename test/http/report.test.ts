/** The report as it stands, and a pass on demand. */
import { expect, test } from "vitest";
import { anUnprotectedPosition, aReport } from "../report/builders.js";
import { ask, errorCode, openAsOwner, owned } from "./stage.js";

test("the latest report is the desk's, whole", async () => {
  const report = aReport({ command: "run", positions: [anUnprotectedPosition()] });
  const owner = await openAsOwner({ report: () => report });
  const answer = await owner.ask("GET", "/v1/report");
  expect([answer.status, answer.headers["content-type"]]).toEqual([200, "application/json; charset=utf-8"]);
  expect(answer.json()).toEqual(report);
});

test("a sweep is answered when its pass is over, with its report", async () => {
  const report = aReport({ command: "run", generatedAt: "2026-01-01T00:00:05.000Z" });
  const order: string[] = [];
  const sweep = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    order.push("pass over");
    return report;
  };
  const owner = await openAsOwner({ sweep });
  const answer = await owner.ask("POST", "/v1/sweep");
  order.push("answered");
  expect(answer.json()).toEqual(report);
  expect(order).toEqual(["pass over", "answered"]);
  expect(owner.desk.asked).toEqual([["sweep"]]);
});

test("a sweep takes an empty object, and refuses wishes that it would not obey", async () => {
  const owner = await openAsOwner();
  expect((await owner.ask("POST", "/v1/sweep", {})).status).toBe(200);
  const answer = await owner.ask("POST", "/v1/sweep", { accounts: ["main"] });
  expect([answer.status, answer.json()]).toEqual([
    422,
    { error: { code: "unprocessable", message: "accounts: is an unknown key; allowed: none" } },
  ]);
  expect(owner.desk.asked).toHaveLength(1);
});

test("a sweep that fails by a mistake of ours says so, and nothing about how", async () => {
  const owner = await openAsOwner({ sweep: () => Promise.reject(new TypeError("at /secret/place.ts")) });
  const answer = await owner.ask("POST", "/v1/sweep");
  expect([answer.status, errorCode(answer)]).toEqual([500, "internal"]);
  expect(answer.text).not.toContain("place.ts");
  expect(owner.stage.logged()).toContain("POST /v1/sweep");
});

test("HEAD is answered like GET, without a body", async () => {
  const owner = await openAsOwner();
  const answer = await ask(owner.port, "/v1/report", { method: "HEAD", ...owned() });
  expect([answer.status, answer.text]).toEqual([200, ""]);
});
