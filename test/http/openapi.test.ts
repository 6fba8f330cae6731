/** The description says what the routes do: the same paths, the same forms of what is sent and of what is answered. */
import { readFileSync } from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import * as z from "zod";
import { ERROR_CODES } from "../../src/http/answers.js";
import { createApp } from "../../src/http/app.js";
import { createFeed } from "../../src/http/feed.js";
import { createLog } from "../../src/runtime/index.js";
import { sidecarStatus } from "../builders/sidecar-status.js";
import { anUnknownPosition, anUnprotectedPosition, aPosition, aReport } from "../report/builders.js";
import { anEntry, aPause, fakeDesk } from "./desk.js";
import { ask, openAsOwner, type Owner, owned, TOKEN } from "./stage.js";
import { fakeTiming } from "./timing.js";

type Schema = Readonly<Record<string, unknown>>;

interface Described {
  readonly operationId: string;
  readonly security: readonly Schema[];
  readonly parameters?: readonly { name: string; in: string; required: boolean; schema: Schema }[];
  readonly requestBody?: { required: boolean; content: Record<string, { schema: Schema }> };
  readonly responses: Record<string, { description: string; content: Record<string, { schema: Schema }> }>;
}

interface Description {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Described>>;
  readonly components: { schemas: Record<string, Schema>; securitySchemes: Record<string, Schema> };
}

const PLACE = "/v1/intents/{account}/{category}/{symbol}/{positionIdx}";
let description: Description;
let owner: Owner;

beforeEach(async () => {
  owner = await openAsOwner();
  description = (await ask(owner.port, "/openapi.json")).json() as Description;
});

function operation(method: string, path: string): Described {
  const found = description.paths[path]?.[method.toLowerCase()];
  if (found === undefined) throw new Error(`${method} ${path} is not described`);
  return found;
}

/** What a program would make of the schema, and of nothing else. */
function formOf(schema: Schema): z.ZodType {
  // This reader takes an object with anyOf for that alone; what it says has a test of its own.
  const { anyOf: _, ...intent } = description.components.schemas["IntentDocument"] ?? {};
  const definitions = { ...schema, $defs: { ...description.components.schemas, IntentDocument: intent } };
  const text = JSON.stringify(definitions).replaceAll("#/components/schemas/", "#/$defs/");
  return z.fromJSONSchema(JSON.parse(text) as Parameters<typeof z.fromJSONSchema>[0]);
}

function pathLike(path: string, words: Readonly<Record<string, string>> = {}): string {
  const usual: Record<string, string> = { account: "main", category: "linear", symbol: "BTCUSDT", positionIdx: "0" };
  return path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(words[name] ?? usual[name] ?? ""));
}

describe("paths and methods", () => {
  test("are those of the app, all of them and no other", () => {
    const log = createLog({ level: "silent", stream: { write: () => undefined }, pretty: false, secrets: () => [] });
    const [desk, timing] = [fakeDesk(), fakeTiming()];
    const status = () => sidecarStatus();
    const options = { host: "127.0.0.1", status, metricsText: () => Promise.resolve(""), desk, token: TOKEN, log };
    const app = createApp(options, { feed: createFeed(desk, timing), timing });
    const real = app.routes.filter(({ method }) => method !== "ALL").map(({ method, path }) => `${method} ${path}`);
    const described = Object.entries(description.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ":$1")}`),
    );
    expect(described.toSorted()).toEqual(real.toSorted());
    expect(described).toHaveLength(14);
  });

  test("are guarded exactly where the description says so", async () => {
    for (const [path, operations] of Object.entries(description.paths)) {
      for (const [method, { security, responses }] of Object.entries(operations)) {
        const { status } = await ask(owner.port, pathLike(path), { method: method.toUpperCase() });
        const isGuarded = status === 401;
        expect([path, security]).toEqual([path, isGuarded ? [{ token: [] }] : []]);
        expect([path, "401" in responses]).toEqual([path, isGuarded || path === "/metrics"]);
      }
    }
    expect(description.components.securitySchemes["token"]).toMatchObject({ type: "http", scheme: "bearer" });
  });
});

describe("the document", () => {
  test("is OpenAPI 3.1, with one name for each operation", () => {
    expect(description.openapi).toMatch(/^3\.1\.\d$/);
    const names = Object.values(description.paths).flatMap((operations) =>
      Object.values(operations).map(({ operationId }) => operationId),
    );
    expect(new Set(names).size).toBe(names.length);
  });

  test("refers to nothing that it does not hold, and holds nothing that it does not refer to", () => {
    const refs = JSON.stringify(description).matchAll(/"\$ref":"([^"]*)"/g);
    const referred = new Set([...refs].map(([, ref = ""]) => ref.replace("#/components/schemas/", "")));
    expect([...referred].toSorted()).toEqual(Object.keys(description.components.schemas).toSorted());
  });

  test("declares each word of a path as a parameter that is required", () => {
    for (const [path, operations] of Object.entries(description.paths)) {
      const words = [...path.matchAll(/\{(\w+)\}/g)].map(([, word]) => word);
      for (const { parameters = [] } of Object.values(operations)) {
        const declared = parameters.filter((one) => one.in === "path");
        expect([declared.map(({ name }) => name), declared.every(({ required }) => required)]).toEqual([words, true]);
      }
    }
  });

  test("gives every operation the common form of errors", () => {
    for (const { responses } of Object.values(description.paths).flatMap((operations) => Object.values(operations))) {
      expect(responses["default"]?.content["application/json"]?.schema).toEqual({ $ref: "#/components/schemas/Error" });
    }
  });

  test("says what refinements ask of an intent, as far as JSON Schema can", () => {
    const anyOf = [{ required: ["stopLoss"] }, { required: ["takeProfit"] }];
    expect(description.components.schemas["IntentDocument"]).toMatchObject({ anyOf, additionalProperties: false });
  });
});

const LONG = { side: "long", stopLoss: "49000" };
const QUOTE = { account: "main", category: "linear", symbol: "BTCUSDT", side: "long" };

/** Fit and unfit ones, and each of them at least once by a reason of its own. */
const BODIES: Readonly<Record<string, readonly unknown[]>> = {
  [`PUT ${PLACE}`]: [
    LONG,
    { side: "short", takeProfit: "0.5" },
    {
      ...LONG,
      ttlSeconds: 1,
      orderLinkId: "a-_1",
      allowLoosen: true,
      reason: "r",
      who: "a@b",
    },
    { ...LONG, stopLoss: "none", reason: "r", until: "2026-01-01T00:00:00+02:00" },
    [],
    "x",
    null,
    { ...LONG, side: "buy" },
    { ...LONG, stopLoss: 49000 },
    { ...LONG, stopLoss: "0" },
    { ...LONG, stopLoss: "-1" },
    { ...LONG, stopLoss: "1e5" },
    { ...LONG, stopLoss: "9".repeat(41) },
    { ...LONG, takeProfit: "none" },
    { ...LONG, ttlSeconds: 0 },
    { ...LONG, ttlSeconds: 1.5 },
    { ...LONG, ttlSeconds: 2_678_401 },
    { ...LONG, orderLinkId: "" },
    { ...LONG, orderLinkId: "a".repeat(37) },
    { ...LONG, allowLoosen: "true" },
    { ...LONG, reason: "" },
    { ...LONG, until: "tomorrow" },
    { ...LONG, who: "<b>" },
    { ...LONG, more: 1 },
  ],
  "POST /v1/quote": [
    QUOTE,
    { ...QUOTE, price: "1.5", positionIdx: 1, reduceOnly: false },
    {},
    { ...QUOTE, category: "spot" },
    { ...QUOTE, symbol: "btcusdt" },
    { ...QUOTE, symbol: "" },
    { ...QUOTE, side: "Sell" },
    { ...QUOTE, price: "0.0" },
    { ...QUOTE, price: 1 },
    { ...QUOTE, positionIdx: 3 },
    { ...QUOTE, positionIdx: "0" },
    { ...QUOTE, reduceOnly: 1 },
    { ...QUOTE, qty: "1" },
  ],
  "POST /v1/pause": [
    {},
    { accounts: ["main"], symbols: ["BTC*"], for: "10m", reason: "r" },
    [],
    { accounts: [] },
    { accounts: "main" },
    { symbols: [] },
    { symbols: [1] },
    { for: "10" },
    { for: 10 },
    { reason: "" },
    { reason: "r".repeat(201) },
    { until: "x" },
  ],
  "POST /v1/resume": [{}, { accounts: ["main"] }, { symbols: ["BTCUSDT"] }, { symbols: [] }, { for: "10m" }, null],
  "POST /v1/sweep": [{}, { accounts: ["main"] }, [], "now"],
};

describe("what a body may be", () => {
  test("is tried for every operation that takes one", () => {
    const described = Object.entries(description.paths).flatMap(([path, operations]) =>
      Object.entries(operations).flatMap(([method, { requestBody }]) =>
        requestBody === undefined ? [] : [`${method.toUpperCase()} ${path}`],
      ),
    );
    expect(described.toSorted()).toEqual(Object.keys(BODIES).toSorted());
  });

  test.each(Object.entries(BODIES))("%s takes exactly what its schema takes", async (route, bodies) => {
    const [method = "", path = ""] = route.split(" ");
    const schema = operation(method, path).requestBody?.content["application/json"]?.schema ?? {};
    const form = formOf(schema);
    const taken = await Promise.all(
      bodies.map(async (body) => ({ body, fits: (await owner.ask(method, pathLike(path), body)).status === 200 })),
    );
    expect(taken).toEqual(bodies.map((body) => ({ body, fits: form.safeParse(body).success })));
    expect(new Set(taken.map(({ fits }) => fits))).toEqual(new Set([true, false]));
  });

  test.each(Object.keys(BODIES))("%s can do without one exactly where that is said", async (route) => {
    const [method = "", path = ""] = route.split(" ");
    const { status } = await owner.ask(method, pathLike(path));
    expect(status).toBe(operation(method, path).requestBody?.required === true ? 400 : 200);
  });
});

const WORDS: Readonly<Record<string, readonly (readonly [unknown, string])[]>> = {
  category: [
    ["linear", "linear"],
    ["inverse", "inverse"],
    ["spot", "spot"],
    ["", "%20"],
  ],
  symbol: [
    ["BTCUSDT", "BTCUSDT"],
    ["BTC-26SEP25", "BTC-26SEP25"],
    ["btcusdt", "btcusdt"],
    ["A".repeat(65), "A".repeat(65)],
  ],
  positionIdx: [
    [0, "0"],
    [2, "2"],
    [3, "3"],
    ["x", "x"],
  ],
  limit: [
    [1, "1"],
    [1000, "1000"],
    [0, "0"],
    [1001, "1001"],
    ["x", "x"],
  ],
  before: [
    [1, "1"],
    [0, "0"],
    ["x", "x"],
  ],
  account: [["main", "main"]],
  kind: [
    [["pause"], "pause"],
    [[""], ""],
  ],
};

describe("what a parameter may be", () => {
  test("is nothing, where it stands behind a question mark", () => {
    const all = Object.values(description.paths).flatMap((operations) => Object.values(operations));
    const inQuery = all.flatMap(({ parameters = [] }) => parameters.filter((one) => one.in === "query"));
    expect(inQuery.map(({ name, required }) => [name, required])).toEqual(
      ["account", "account", "symbol", "kind", "limit", "before"].map((name) => [name, false]),
    );
  });

  test.each([`GET ${PLACE}`, "GET /v1/history"])("%s takes exactly what its schemas take", async (route) => {
    const [method = "", path = ""] = route.split(" ");
    for (const { name, in: where, schema } of operation(method, path).parameters ?? []) {
      for (const [value, word] of WORDS[name] ?? []) {
        const asked = where === "path" ? pathLike(path, { [name]: word }) : `${path}?${name}=${word}`;
        const { status } = await owner.ask(method, asked);
        expect([name, value, status === 200]).toEqual([name, value, formOf(schema).safeParse(value).success]);
      }
    }
  });
});

test("docs/http.md names each path and each error code", () => {
  const text = readFileSync(new URL("../../docs/http.md", import.meta.url), "utf8");
  const paths = Object.keys(description.paths).filter((path) => !text.includes(path));
  const codes = ERROR_CODES.filter((code) => !text.includes(`\`${code}\``));
  expect([paths, codes]).toEqual([[], []]);
});

describe("what is answered", () => {
  const positions = [aPosition(), anUnprotectedPosition(), anUnknownPosition()];
  const refusal = {
    status: "refused",
    httpStatus: 409,
    code: "would-loosen",
    message: "m",
    standing: "2",
    wanted: "1",
  };
  const asked = [
    ["GET", "/healthz", undefined, 200],
    ["GET", "/readyz", undefined, 200],
    ["GET", "/v1/report", undefined, 200],
    ["POST", "/v1/sweep", {}, 200],
    ["PUT", PLACE, LONG, 409],
    ["PUT", PLACE, {}, 422],
    ["GET", PLACE, undefined, 200],
    ["DELETE", PLACE, undefined, 200],
    ["POST", "/v1/quote", QUOTE, 200],
    ["POST", "/v1/quote", {}, 422],
    ["POST", "/v1/pause", {}, 200],
    ["POST", "/v1/pause", { accounts: ["nobody"] }, 404],
    ["POST", "/v1/resume", {}, 200],
    ["GET", "/v1/history", undefined, 200],
    ["GET", "/openapi.json", undefined, 200],
  ] as const;

  test.each(asked)("%s %s with %j: %i in the form that is described", async (method, path, json, expected) => {
    owner = await openAsOwner({
      report: () => aReport({ positions }),
      setIntent: () => Promise.resolve(refusal as never),
      history: () => Promise.resolve([anEntry(), anEntry({ account: null, symbol: null, body: [null] })]),
      pause: () => Promise.resolve({ added: [aPause({ untilMs: 1 })], inForce: [aPause({ account: "main" })] }),
    });
    const answer = await owner.ask(method, pathLike(path), json);
    expect(answer.status).toBe(expected);
    const schema = operation(method, path).responses[expected]?.content["application/json"]?.schema;
    const problem = formOf(schema ?? { not: {} }).safeParse(answer.json()).error?.message ?? null;
    expect(problem).toBeNull();
  });

  test("the form of a report is no form of anything else", () => {
    const form = formOf({ $ref: "#/components/schemas/Report" });
    const { summary: _, ...rest } = aReport();
    expect(form.safeParse(aReport({ positions })).success).toBe(true);
    expect(form.safeParse(rest).success).toBe(false);
    const broken = aReport({ positions: [{ ...aPosition(), status: "safe" as never }] });
    expect(form.safeParse(broken).success).toBe(false);
  });

  test("the types of texts are those that are sent", async () => {
    for (const path of ["/metrics", "/v1/events"]) {
      const [type = ""] = Object.keys(operation("GET", path).responses["200"]?.content ?? {});
      const answer = await ask(owner.port, path, { method: "HEAD", ...owned() });
      expect(answer.headers["content-type"]).toContain(type);
    }
  });
});
