/** A good config becomes settings: defaults filled in, paths resolved, levels exact. */
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { dec, print } from "../../src/domain/decimal.js";
import {
  passwordsIn,
  configJsonSchema,
  initConfigText,
  loadSettings,
  resolveConfigPath,
  secretsOf,
} from "../../src/settings/index.js";
import { ACCOUNT, CANARY_KEY, CANARY_SECRET, ENV, folder, load, STOP } from "./folder.js";

describe("the smallest config", () => {
  test("gets the documented defaults", async () => {
    const { policy, sweep, budget, intents, http, heartbeat } = await load(`${ACCOUNT}${STOP}`);
    expect(policy).toEqual({
      scope: "all",
      defaults: {
        mode: "create-only",
        stopLoss: { distance: dec("0.02"), triggerBy: "MarkPrice" },
        takeProfit: null,
        pastStop: "rebase",
        pastTakeProfit: "skip",
        liquidationBuffer: dec("0.005"),
        onScaleIn: "keep",
        onDrift: "restore",
        hedged: "protect",
        attachToOrders: false,
        graceMs: 0,
        vanishMs: 5000,
      },
      rules: [],
    });
    expect({ sweep, budget, intents, http, heartbeat }).toEqual({
      sweep: { cron: "*/30 * * * * *" },
      budget: { writesPerSecond: 9, ipShare: 0.5 },
      intents: null,
      http: null,
      heartbeat: null,
    });
  });

  test("names an account that looks at linear and inverse contracts", async () => {
    const { accounts } = await load(`${ACCOUNT}${STOP}`);
    expect(accounts).toEqual([
      {
        name: "main",
        environment: "mainnet",
        region: "default",
        key: CANARY_KEY,
        secret: CANARY_SECRET,
        categories: ["linear", "inverse"],
        allowPermissions: [],
        copyTradingMaster: false,
      },
    ]);
  });

  test("in report-only needs no stop-loss", async () => {
    const { policy } = await load(`${ACCOUNT}protection: { mode: report-only }\n`);
    expect(policy.defaults.stopLoss).toBeNull();
  });

  test("may be JSON", async () => {
    const account = { name: "main", environment: "demo", key: "${MAIN_KEY}", secret: "${MAIN_SECRET}" };
    const config = { accounts: [account], protection: { stopLoss: { distance: "2%" } } };
    const { accounts } = await load(JSON.stringify(config, null, 2));
    expect(accounts[0]?.environment).toBe("demo");
  });
});

describe("paths", () => {
  test("are relative to the config file, not to the current folder", async () => {
    const cwd = folder({
      "etc/b.yaml": `${ACCOUNT}${STOP}http: {}\nintents: { file: in.json }\nledger: { url: "file:data/l.db" }\n`,
    });
    const settings = await loadSettings({ file: "etc/b.yaml", env: ENV, cwd });
    expect(settings.file).toBe(join(cwd, "etc/b.yaml"));
    expect(settings.ledger.url).toBe(`file:${join(cwd, "etc/data/l.db")}`);
    expect(settings.stateDir).toBe(join(cwd, "etc/data"));
    expect(settings.http).toEqual({ host: "127.0.0.1", port: 8787, tokenFile: join(cwd, "etc/state/token") });
    expect(settings.intents).toEqual({ file: join(cwd, "etc/in.json") });
  });

  test("of a pipe, which has nothing beside it, are relative to the current folder", async () => {
    const cwd = folder({ "b.yaml": `${ACCOUNT}${STOP}` });
    const open = openSync(join(cwd, "b.yaml"), "r");
    onTestFinished(() => closeSync(open));
    const settings = await loadSettings({ file: `/dev/fd/${open}`, env: ENV, cwd });
    expect(settings.stateDir).toBe(join(cwd, "state"));
  });

  test.skipIf(!existsSync("/dev/shm"))("of a config in memory are relative to it, as those of any", async () => {
    const inMemory = mkdtempSync("/dev/shm/backstop-settings-");
    onTestFinished(() => rmSync(inMemory, { recursive: true, force: true }));
    const file = join(inMemory, "b.yaml");
    writeFileSync(file, `${ACCOUNT}${STOP}`, { mode: 0o600 });
    const settings = await loadSettings({ file, env: ENV, cwd: folder({}) });
    expect(settings.stateDir).toBe(join(inMemory, "state"));
  });

  test("a database elsewhere leaves the state folder beside the config", async () => {
    const ledger = 'ledger: { url: "postgres://me:${DB_PASSWORD}@db/backstop" }\n';
    const settings = await load(`${ACCOUNT}${STOP}${ledger}`, { env: { ...ENV, DB_PASSWORD: "long-password" } });
    expect(settings.ledger.url).toBe("postgres://me:long-password@db/backstop");
    expect(settings.stateDir).toBe(join(settings.file, "../state"));
    expect(secretsOf(settings)).toContain("long-password");
  });

  test("what stands behind the question mark of an address is a secret, as it is written and as it is meant", async () => {
    const account = ACCOUNT.replace("mainnet", "custom");
    const urls =
      '    restUrl: "http://proxy.test?id=first%2Dtoken&second-token"\n    wsUrl: "ws://proxy.test?a=${TOKEN}"\n';
    const settings = await load(`${account}${urls}${STOP}`, { env: { ...ENV, TOKEN: "third-token" } });
    const tokens = ["first%2Dtoken", "first-token", "second-token", "third-token"];
    expect(secretsOf(settings)).toEqual(expect.arrayContaining(tokens));
  });

  test.each([
    ["postgres://me:long-password@db/backstop", ["long-password"]],
    ["postgres://me:p%40ss@db/x", ["p%40ss", "p@ss"]],
    ["postgres://me:p@ss/word@db/x", ["p@ss/word"]],
    ["postgres://me:100%@db/x", ["100%"]],
    ["postgres://me:pass@/x?host=/run/postgresql", ["pass"]],
    ["postgresql://db/x?user=me&password=p%2Fss&sslmode=require", ["p%2Fss", "p/ss"]],
    ["postgres://db:5432/x?sslmode=require", []],
    ["file:/state/backstop.db", []],
  ])("the password of a database is never printed: %s", (url, passwords) => {
    expect([...new Set(passwordsIn(url))]).toEqual(passwords);
  });

  test("the file is the one asked for, else the environment's, else config/backstop.yaml", () => {
    const env = { BACKSTOP_CONFIG: "/etc/backstop.json" };
    expect(resolveConfigPath("a.yaml", env, "/here")).toBe("/here/a.yaml");
    expect(resolveConfigPath(undefined, env, "/here")).toBe("/etc/backstop.json");
    expect(resolveConfigPath(undefined, {}, "/here")).toBe("/here/config/backstop.yaml");
  });
});

describe("a custom exchange", () => {
  test("takes literal keys and URLs with variables in them", async () => {
    const account = `accounts:
  - { name: sim, environment: custom, restUrl: "http://127.0.0.1:\${PORT}", wsUrl: "ws://127.0.0.1:\${PORT}/v5/private", key: plain-key, secret: "pre-\${MAIN_SECRET}" }
`;
    const { accounts } = await load(`${account}${STOP}`, { env: { ...ENV, PORT: "18090" } });
    expect(accounts[0]).toMatchObject({
      restUrl: "http://127.0.0.1:18090",
      wsUrl: "ws://127.0.0.1:18090/v5/private",
      key: "plain-key",
      secret: `pre-${CANARY_SECRET}`,
    });
  });
});

describe("rules", () => {
  test("override only what they name", async () => {
    const { policy } = await load(`${ACCOUNT}protection:
  stopLoss: { distance: 2%, triggerBy: LastPrice }
  takeProfit: { distance: 2R }
rules:
  - { match: { symbol: "BTC*", side: long }, stopLoss: { distance: 1% }, takeProfit: null }
  - { match: { account: main }, ignore: true }
  - { match: {}, mode: report-only, stopLoss: null, takeProfit: null, liquidationBuffer: 0% }
`);
    expect(policy.defaults.takeProfit).toEqual({
      distance: { kind: "risk-multiple", multiple: dec("2") },
      triggerBy: "LastPrice",
    });
    expect(policy.rules).toStrictEqual([
      {
        name: "rules[0]",
        match: { symbol: "BTC*", side: "long" },
        ignore: false,
        overrides: { stopLoss: { distance: dec("0.01") }, takeProfit: null },
      },
      { name: "rules[1]", match: { account: "main" }, ignore: true, overrides: {} },
      {
        name: "rules[2]",
        match: {},
        ignore: false,
        overrides: { mode: "report-only", stopLoss: null, takeProfit: null, liquidationBuffer: dec("0") },
      },
    ]);
  });

  test("that bring a stop or take-profit of their own get the default trigger", async () => {
    const { policy } = await load(`${ACCOUNT}protection: { mode: report-only }
rules:
  - { match: {}, mode: sync, stopLoss: { distance: 1% }, takeProfit: { distance: 3% } }
`);
    expect(policy.rules[0]?.overrides).toStrictEqual({
      mode: "sync",
      stopLoss: { distance: dec("0.01"), triggerBy: "MarkPrice" },
      takeProfit: { distance: { kind: "fraction", fraction: dec("0.03") }, triggerBy: "LastPrice" },
    });
  });
});

describe("what is allowed and can hardly be meant", () => {
  const rule = (account: string) => `${ACCOUNT}${STOP}rules:\n  - match: { account: "${account}" }\n    ignore: true\n`;

  test("a rule for an account that there is not is told of, with the accounts that there are", async () => {
    expect((await load(rule("mian"))).warnings).toEqual([
      'rules[0].match.account: "mian" is no account of this config (main): the rule never applies',
    ]);
  });

  test.each(["main", "MAIN", "grid-*", "{a,b}"])(
    "a rule for %s is not: it applies, or may apply to accounts to come",
    async (name) => {
      expect((await load(rule(name))).warnings).toEqual([]);
    },
  );

  test("an account that is not asked for is an account all the same", async () => {
    const other = "  - { name: other, environment: mainnet, key: '${NONE}', secret: '${NONE}' }\n";
    const { warnings } = await load(rule("other").replace(ACCOUNT, `${ACCOUNT}${other}`), { accounts: ["main"] });
    expect(warnings).toEqual([]);
  });
});

test("the place of the JSON Schema, which editors look for in the file, is taken and ignored", async () => {
  const { policy } = await load(`$schema: ./config.schema.json\n${ACCOUNT}${STOP}`);
  expect(policy).toEqual((await load(`${ACCOUNT}${STOP}`)).policy);
  expect(configJsonSchema()).toMatchObject({ properties: { $schema: { type: "string" } } });
});

test("every percentage between 0 and 100 is taken exactly, without a binary float", async () => {
  const hundredths = fc.integer({ min: 1, max: 999_999 });
  await fc.assert(
    fc.asyncProperty(hundredths, async (count) => {
      const percent = print(dec(String(count)).div(10_000));
      const { policy } = await load(`${ACCOUNT}protection: { stopLoss: { distance: ${percent}% } }\n`);
      expect(policy.defaults.stopLoss?.distance.times(1_000_000).toFixed()).toBe(String(count));
    }),
    { numRuns: 40 },
  );
});

describe("the configs that we hand out are valid", () => {
  const env = { BYBIT_API_KEY: CANARY_KEY, BYBIT_API_SECRET: CANARY_SECRET };

  test("the example, with every key in it", async () => {
    const example = readFileSync(new URL("../../config/backstop.example.yaml", import.meta.url), "utf8");
    const files = { "config/secrets/grid-bot.key": "k", "config/secrets/grid-bot.secret": "s" };
    const settings = await load(example, { env, files });
    expect(settings.accounts).toHaveLength(3);
    const known = Object.keys((configJsonSchema() as { properties: object }).properties);
    expect(known.filter((key) => !new RegExp(`^${key.replace("$", "\\$")}:`, "m").test(example))).toEqual([]);
  });

  test("the starter, which writes nothing", async () => {
    const { policy } = await load(initConfigText(), { env });
    expect(policy.defaults.mode).toBe("report-only");
  });

  test("the starter with every commented key switched on", async () => {
    const on = initConfigText()
      .replace(/^( *)# (?=( {2})?[a-zA-Z]+:( |$)| {2}(- |  ))/gm, "$1")
      .replace("mode: report-only", "mode: create-only");
    const settings = await load(on, { env });
    expect(settings.policy.rules).toHaveLength(2);
    expect(settings.policy.defaults.stopLoss?.distance).toEqual(dec("0.02"));
    expect(settings.heartbeat).not.toBeNull();
  });
});

describe("the JSON Schema of the config", () => {
  interface Node {
    description?: string;
    properties?: Record<string, Node>;
    items?: Node;
    anyOf?: Node[];
  }

  function undescribed(node: Node, path: string): string[] {
    const children = Object.entries(node.properties ?? {}).flatMap(([key, child]) => [
      ...(child.description === undefined && !hasDescribedChoice(child) ? [`${path}${key}`] : []),
      ...undescribed(child, `${path}${key}.`),
    ]);
    const inside = [...(node.anyOf ?? []), ...(node.items === undefined ? [] : [node.items])];
    return [...children, ...inside.flatMap((child) => undescribed(child, path))];
  }

  const hasDescribedChoice = (node: Node) => (node.anyOf ?? []).some((choice) => choice.description !== undefined);

  test("is draft 2020-12 and describes every key", () => {
    const schema = configJsonSchema() as Node & { $schema: string; required: string[] };
    expect(schema.$schema).toBe("https://json-schema.org/draft/2020-12/schema");
    expect(schema.required).toEqual(["accounts"]);
    expect(undescribed(schema, "")).toEqual([]);
    expect(undescribed({ properties: { bare: {} } }, "")).toEqual(["bare"]);
  });
});
