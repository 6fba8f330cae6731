/** No spelling of a secret leaves the process, in reports or in logs. */
import fc from "fast-check";
import { pino } from "pino";
import { describe, expect, test } from "vitest";
import {
  createLog,
  createSecretRegistry,
  type Log,
  maskSecrets,
  registeredSecrets,
  registerSecret,
  scrub,
  scrubValue,
} from "../../src/runtime/index.js";

const SECRET = 'Canary"Secret/+ \\2é-very-secret';
const KEY = "CanaryKey000000001";

const base64 = (text: string) => Buffer.from(text, "utf8").toString("base64");

const ENCODINGS: Record<string, (secret: string) => string> = {
  "as it is": (secret) => secret,
  "in JSON": (secret) => JSON.stringify({ held: secret }),
  "in JSON in JSON": (secret) => JSON.stringify({ body: JSON.stringify({ held: secret }) }),
  "in a URL": (secret) => `/v5?held=${encodeURIComponent(secret)}`,
  "in a form": (secret) => new URLSearchParams({ held: secret }).toString(),
  "on a page": (secret) =>
    secret.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;"),
  "in JSON of a page": (secret) =>
    JSON.stringify(secret.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")),
  "in base64": (secret) => base64(secret),
  "in basic auth": (secret) => `Basic ${base64(`me:${secret}`)}`,
  "in base64 with one letter before it": (secret) => base64(`x${secret}yz`),
  "in base64 with two letters before it": (secret) => base64(`xy${secret}z`),
  "in base64 for URLs": (secret) => Buffer.from(secret, "utf8").toString("base64url"),
};

describe("scrubbing text", () => {
  test.each(Object.keys(ENCODINGS))("hides a secret %s", (name) => {
    const { register, scrub: scrubbed } = createSecretRegistry();
    register(SECRET);
    const text = ENCODINGS[name]?.(SECRET) ?? "";
    const found = scrubbed(`before ${text} after`);
    expect(found).toContain("[secret]");
    expect(found).toMatch(/^before .* after$/);
    expect(found).not.toContain(text);
  });

  test("hides any secret in any of these spellings, wherever it stands", () => {
    const secrets = fc
      .string({ minLength: 8, maxLength: 40, unit: "grapheme-ascii" })
      .filter((text) => text.trim() === text);
    fc.assert(
      fc.property(secrets, fc.constantFrom(...Object.values(ENCODINGS)), (secret, encode) => {
        const registry = createSecretRegistry();
        registry.register(secret);
        expect(registry.scrub(encode(secret))).toContain("[secret]");
        expect(registry.scrub(`${secret}${secret}`)).not.toContain(secret);
      }),
    );
  });

  test("hides the longer of two secrets whole when one is the start of the other", () => {
    const registry = createSecretRegistry();
    registry.register("abcdefgh");
    registry.register("abcdefgh-and-more");
    expect(registry.scrub("x abcdefgh-and-more y abcdefgh")).toBe("x [secret] y [secret]");
  });

  test("leaves ordinary text and words shorter than eight letters alone", () => {
    const registry = createSecretRegistry();
    registry.register("key");
    registry.register("");
    expect(registry.scrub("the key of BTCUSDT")).toBe("the key of BTCUSDT");
  });

  test("keeps JSON readable", () => {
    const registry = createSecretRegistry();
    registry.register(SECRET);
    expect(JSON.parse(registry.scrub(JSON.stringify({ held: `a ${SECRET} b` })))).toEqual({ held: "a [secret] b" });
  });

  test("goes through a value, before a form escapes what is in it or breaks it into lines", () => {
    registerSecret(SECRET);
    const value = { list: [`a ${SECRET} b`, 1, null], deep: { text: encodeURIComponent(SECRET) } };
    expect(scrubValue(value)).toEqual({ list: ["a [secret] b", 1, null], deep: { text: "[secret]" } });
  });

  test("knows the secrets that the process registered", () => {
    registerSecret("registered-secret");
    expect(scrub("a registered-secret here")).toBe("a [secret] here");
    expect(registeredSecrets()).toContain("registered-secret");
  });
});

describe("the log", () => {
  function logged(write: (log: Log) => void, options: { pretty?: boolean; secrets?: () => string[] } = {}): string {
    const lines: string[] = [];
    const log = createLog({
      level: "debug",
      stream: { write: (text: string) => lines.push(text) },
      pretty: options.pretty ?? false,
      color: false,
      secrets: options.secrets ?? (() => [SECRET, KEY]),
    });
    write(log);
    return lines.join("");
  }

  /** What an HTTP client throws: the whole signed request hangs on it. */
  function clientError(): Error {
    const headers = { "X-BAPI-API-KEY": "header-key", "X-BAPI-SIGN": "header-sign", "X-Bapi-Limit-Status": "9" };
    const cause = Object.assign(new Error("socket hang up"), { config: { headers } });
    return Object.assign(new Error(`POST failed with ${SECRET}`, { cause }), {
      code: "ECONNRESET",
      config: { headers, auth: { secret: "other-secret" } },
      toJSON: () => ({ config: { headers } }),
    });
  }

  const WRITES: Record<string, (log: Log) => void> = {
    "in the message": (log) => log.info(`signed with ${SECRET}`),
    "in a message's argument": (log) => log.info("signed with %o", { deep: { text: SECRET } }),
    "in a nested field": (log) => log.info({ a: { b: { c: { d: { e: { secret: "other-secret", text: SECRET } } } } } }),
    "in a list": (log) => log.info({ list: [{ authorization: "other-secret" }, SECRET] }),
    "in a map": (log) => log.info({ map: new Map([["secret", "other-secret"]]) }),
    "in an error": (log) => log.error(clientError()),
    "in an error's field": (log) => log.error({ err: clientError(), context: { error: clientError() } }, "failed"),
    "in headers": (log) =>
      log.info({ request: { headers: { "X-BAPI-API-KEY": "header-key", "x-bapi-sign": "header-sign" } } }),
    "in a child's bindings": (log) => log.child({ account: { key: "other-secret" }, note: SECRET }).info("hello"),
    "in a grandchild": (log) =>
      log
        .child({ a: 1 })
        .child({ b: { token: "other-secret" } })
        .warn({ c: KEY }, "hello"),
  };

  test.each(Object.keys(WRITES))("hides a secret %s, as JSON and on a terminal", (name) => {
    for (const pretty of [false, true]) {
      const text = logged((log) => WRITES[name]?.(log), { pretty });
      expect(text).toContain("[secret]");
      for (const hidden of [
        SECRET,
        JSON.stringify(SECRET).slice(1, -1),
        KEY,
        "other-secret",
        "header-key",
        "header-sign",
      ]) {
        expect(text).not.toContain(hidden);
      }
    }
  });

  test("hides secrets that were registered after it was made", () => {
    const later: string[] = [];
    const text = logged(
      (log) => {
        later.push("late-secret-1");
        log.info("late-secret-1");
      },
      { secrets: () => later },
    );
    expect(text).not.toContain("late-secret-1");
  });

  test("says what an error says: type, code, message, cause and stack", () => {
    const line = JSON.parse(logged((log) => log.error(clientError()))) as Record<string, unknown>;
    expect(line).toMatchObject({
      level: "error",
      msg: "POST failed with [secret]",
      err: { type: "Error", code: "ECONNRESET", cause: { message: "socket hang up" } },
    });
    expect(JSON.stringify(line)).toContain("secrets.test.ts");
  });

  test("keeps a position's key, which is no secret", () => {
    const key = { account: "main", category: "linear", symbol: "BTCUSDT", positionIdx: 0 };
    expect(JSON.parse(logged((log) => log.info({ key })))).toMatchObject({ key });
  });

  test("writes one JSON object per line, with time and level, and honours the level", () => {
    const text = logged((log) => {
      log.info("one");
      log.trace("below the level");
      log.warn("two");
    });
    const lines = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { level: string; time: string; msg: string });
    expect(lines.map(({ level, msg }) => `${level} ${msg}`)).toEqual(["info one", "warn two"]);
    expect(lines[0]?.time).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
  });

  test("would show the secret without its two nets, so these tests can fail", () => {
    const lines: string[] = [];
    pino({}, { write: (line: string) => lines.push(line) }).error(clientError());
    expect(lines.join("")).toContain("header-sign");
  });
});

describe("masking values", () => {
  test("survives what JSON cannot hold: circles, big integers, bytes, depth", () => {
    const circle: Record<string, unknown> = { count: 1n, bytes: Buffer.from(SECRET) };
    circle["self"] = circle;
    expect(maskSecrets(circle)).toEqual({ count: "1", bytes: "[binary]", self: "[circular]" });
    const deep = JSON.parse(`${'{"a":'.repeat(20)}1${"}".repeat(20)}`) as unknown;
    expect(JSON.stringify(maskSecrets(deep))).toContain("[deeper]");
  });
});
