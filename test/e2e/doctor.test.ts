/** doctor, init, schema and simulator: what a newcomer runs before the first audit. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { RestClientV5 } from "bybit-api";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { PROGRAM } from "./cli.js";
import type { Rewrite } from "./mirror.js";
import { MAIN, openStage, SECOND, type Stage, type StageOptions } from "./stage.js";

const CONTRACTS = { ContractTrade: ["Order", "Position"] };

interface Ailment {
  readonly what: string;
  readonly options?: StageOptions;
  readonly prepare?: (stage: Stage) => void;
  /** The line that must come. */
  readonly line: RegExp;
}

const keyExpiresIn =
  (days: number): Rewrite =>
  (passing, body) => {
    if (passing.path !== "/v5/user/query-api") return { body };
    const answer = JSON.parse(body) as { result: object };
    const expiredAt = new Date(Date.now() + days * 86_400_000).toISOString();
    return { body: JSON.stringify({ ...answer, result: { ...answer.result, expiredAt } }) };
  };

const CUSTOM = { name: "main", environment: "custom", key: MAIN.key, secret: MAIN.secret };
/** Nobody listens there; the path may be a token. */
const NOWHERE = { restUrl: "http://127.0.0.1:1/token", wsUrl: "ws://127.0.0.1:1" };

const AILMENTS: readonly Ailment[] = [
  {
    what: "a key that is bound to another address",
    prepare: ({ exchange }) => exchange.setAccount({ ips: ["192.0.2.1"] }),
    line: /^cure {2}main: key: .*10010.*; check key and secret, .*address/m,
  },
  {
    what: "a key that can withdraw",
    prepare: ({ exchange }) => exchange.setAccount({ permissions: { ...CONTRACTS, Wallet: ["Withdraw"] } }),
    line: /^cure {2}main: the key has the right Withdraw, .*make a key without it$/m,
  },
  {
    what: "a key that can transfer",
    prepare: ({ exchange }) => exchange.setAccount({ permissions: { ...CONTRACTS, Wallet: ["AccountTransfer"] } }),
    line: /^cure {2}main: the key has the right AccountTransfer, .*allowPermissions$/m,
  },
  {
    what: "a key without rights for contracts",
    prepare: ({ exchange }) => exchange.setAccount({ permissions: { Spot: ["SpotTrade"] } }),
    line: /^cure {2}main: the key has no right for contracts; give it Contract Orders and Positions$/m,
  },
  {
    what: "a key that is bound to no address",
    prepare: ({ exchange }) => exchange.setAccount({ ips: [] }),
    line: /^cure {2}main: the key is not bound to any IP address.*; bind it to this machine's address$/m,
  },
  {
    what: "a read-only key where writing is wanted",
    prepare: ({ exchange }) => exchange.setAccount({ readOnly: true }),
    line: /^cure {2}main: the key may only read, .*; make a key with the rights Contract Orders and Positions$/m,
  },
  {
    what: "a key that soon expires",
    options: { accounts: [{ ...MAIN, ips: [] }], rewrite: keyExpiresIn(3.5) },
    line: /^cure {2}main: the key expires in 3 days; renew it/m,
  },
  {
    what: "a clock that is ahead",
    options: { now: () => Date.now() - 5_000 },
    line: /^cure {2}main: this machine's clock is \d+ ms ahead of the exchange's; synchronise it \(NTP\)$/m,
  },
  {
    what: "a ledger folder that cannot be made",
    options: { config: { ledger: { url: "file:backstop.json/ledger.db" } } },
    line: /^cure {2}ledger folder .*cannot be written; .*ledger\.url$/m,
  },
  {
    what: "a private stream that refuses the login",
    prepare: ({ exchange }) => exchange.setFault({ kind: "streamRefuseAuth", times: 100 }),
    line: /^cure {2}main: private stream \(ws:.*\): the login was refused.*; let this machine reach it; .* every 5 s/m,
  },
  {
    what: "a copy-trading master, for which nothing is written",
    prepare: ({ exchange }) => exchange.setAccount({ isMasterTrader: true }),
    line: /^cure {2}main: copy-trading-master \(warning\): .*followers.*; set copyTradingMaster: true .*another account$/m,
  },
  {
    what: "disconnect protection",
    prepare: ({ exchange }) => exchange.setAccount({ dcp: true }),
    line: /^cure {2}main: dcp-on \(warning\): .*cancels derivative orders.*; switch it off .*stops stay$/m,
  },
  {
    what: "an account that does not say what it is",
    prepare: ({ exchange }) => exchange.setFault({ kind: "html", status: 502, path: "/v5/account/info", times: 1_000 }),
    line: /^cure {2}main: whether this is a copy-trading master could not be read, .*; ask again in a moment$/m,
  },
  {
    what: "a ledger that is none",
    prepare: ({ folder }) => {
      mkdirSync(join(folder, "state"), { mode: 0o700 });
      writeFileSync(join(folder, "state", "backstop.db"), "somebody's letter".repeat(100), { mode: 0o600 });
    },
    line: /^cure {2}ledger: .*no SQLite database.*; move the file away, .*keep it: .*makes a new one$/m,
  },
  {
    what: "locks that cannot be taken",
    prepare: ({ folder }) => {
      mkdirSync(join(folder, "state"), { mode: 0o700 });
      writeFileSync(join(folder, "state", "locks"), "", { mode: 0o600 });
    },
    line: /^cure {2}locks of the accounts in .*locks: cannot be taken; give this user the folder .*\(chown -R\)$/m,
  },
  {
    what: "a ledger whose server is not running",
    options: { config: { ledger: { url: "postgres://127.0.0.1:1/backstop" } } },
    line: /^cure {2}ledger: .*cannot be reached \(ECONNREFUSED\); start the server, or mend ledger\.url$/m,
  },
  {
    what: "an exchange behind a broken proxy",
    options: { rewrite: () => ({ status: 502, body: "<html>Bad Gateway</html>" }) },
    line: /^cure {2}main: exchange \(http:\/\/127\.0\.0\.1:\d+\): .*HTTP 502; check the network/m,
  },
  {
    what: "an address at which nothing runs",
    options: { config: { accounts: [{ ...CUSTOM, ...NOWHERE }] } },
    line: /^cure {2}main: exchange \(http:\/\/127\.0\.0\.1:1\): .*ECONNREFUSED; restUrl may be wrong, or nothing runs there$/m,
  },
  {
    what: "a rule for an account that there is not",
    options: { config: { rules: [{ match: { account: "mian" }, ignore: true }] } },
    line: /^cure {2}config .*: rules\[0\]\.match\.account: "mian" is no account of this config \(main\)/m,
  },
];

describe("doctor", { concurrent: true }, () => {
  test("is 0 when nothing is to cure, with one line each for config, ledger, exchange, key and stream", async (context) => {
    const stage = await openStage(context, { accounts: [MAIN, SECOND] });
    const { code, stdout, stderr } = await stage.backstop(["doctor"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const lines = stdout.trimEnd().split("\n");
    expect(lines.every((line) => line.startsWith("ok    "))).toBe(true);
    expect(lines).toHaveLength(3 + 2 * 3);
    expect(stage.posts()).toEqual([]);
  });

  test("does not show what stands behind the question mark of an address: it may give access", async (context) => {
    const stage = await openStage(context);
    const { restUrl, wsUrl } = stage.simulator;
    const account = {
      name: MAIN.name,
      environment: "custom",
      key: MAIN.key,
      secret: MAIN.secret,
      restUrl,
      wsUrl: `${wsUrl}?access=\${PROXY_TOKEN}`,
    };
    writeFileSync(stage.config, JSON.stringify({ accounts: [account], protection: { mode: "report-only" } }));
    const { code, stdout, stderr } = await stage.backstop(["doctor"], { PROXY_TOKEN: "proxy-token" });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain(`main: exchange (${restUrl}) reachable`);
    expect(stdout).toContain(`main: private stream (${wsUrl}) reachable`);
    expect(stdout).not.toContain("proxy-token");
  });

  test.for(AILMENTS)(
    "finds $what, says how to cure it, and is 2",
    { timeout: 30_000 },
    async ({ options, prepare, line }, context) => {
      const stage = await openStage(context, options);
      prepare?.(stage);
      const { code, stdout } = await stage.backstop(["doctor", "--log-level", "silent"]);
      expect(stdout).toMatch(line);
      expect(code).toBe(2);
      expect(stage.posts()).toEqual([]);
    },
  );

  test("notes what else a key may do, by name, and also what nobody has heard of", async (context) => {
    const stage = await openStage(context);
    const more = { Spot: ["SpotTrade"], FiatP2P: ["FiatP2POrder"], Teleport: ["Beam"], NFT: [] };
    stage.exchange.setAccount({ permissions: { ...CONTRACTS, ...more } });
    const { code, stdout } = await stage.backstop(["doctor"]);
    expect(stdout).toMatch(
      /^note {2}main: the key may also do .*\(Spot SpotTrade, FiatP2P FiatP2POrder, Teleport Beam\)/m,
    );
    expect(code).toBe(0);
  });

  test.for([{ Withdrawals: ["Send"] }, { Wallet: ["WITHDRAW_ALL"] }, { Transfers: ["Out"] }])(
    "takes a right for one to withdraw or transfer also where the exchange calls it otherwise: %j",
    async (rights, context) => {
      const stage = await openStage(context);
      stage.exchange.setAccount({ permissions: { ...CONTRACTS, ...rights } });
      const { code, stdout } = await stage.backstop(["doctor"]);
      expect(stdout).toContain("protect and run refuse it");
      const [group = ""] = Object.keys(rights);
      expect(stdout.match(/^cure {2}main: the key has the right .*(withdraw|transfer)/im)).not.toBeNull();
      expect(stdout.includes("allowPermissions")).toBe(group === "Transfers");
      expect(code).toBe(2);
      expect((await stage.backstop(["protect"])).code).toBe(64);
    },
  );

  test("is 0 for a copy-trading master whose config says that this is wanted", async (context) => {
    const stage = await openStage(context);
    stage.exchange.setAccount({ isMasterTrader: true });
    const config = JSON.parse(readFileSync(stage.config, "utf8")) as { accounts: object[] };
    const accounts = config.accounts.map((account) => ({ ...account, copyTradingMaster: true }));
    writeFileSync(stage.config, JSON.stringify({ ...config, accounts }));
    const { code, stdout } = await stage.backstop(["doctor"]);
    expect(code).toBe(0);
    expect(stdout).not.toContain("copy-trading");
  });

  test("calls a read-only key fine in mode report-only, and tells of the read-only switch", async (context) => {
    const stage = await openStage(context, { config: { protection: { mode: "report-only" } } });
    stage.exchange.setAccount({ readOnly: true });
    const { code, stdout } = await stage.backstop(["doctor"], { BACKSTOP_READONLY: "1" });
    expect(code).toBe(0);
    expect(stdout).toContain("read-only switch: BACKSTOP_READONLY is set");
  });
});

describe("an audit that could not read an account", { concurrent: true }, () => {
  test("says where it looked, and that doctor says more", async (context) => {
    const stage = await openStage(context, { config: { accounts: [{ ...CUSTOM, ...NOWHERE }] } });
    const { code, stdout } = await stage.backstop(["audit", "--log-level", "silent"]);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /ECONNREFUSED; tried http:\/\/127\.0\.0\.1:1: restUrl may be wrong, .*; `npx bybit-backstop doctor` says more"/,
    );
    expect(stdout).not.toContain("/token");
  });

  test("points to doctor where the key was refused", async (context) => {
    const stage = await openStage(context);
    stage.exchange.setAccount({ ips: ["192.0.2.1"] });
    const { code, stdout } = await stage.backstop(["audit", "--log-level", "silent"]);
    expect(code).toBe(1);
    expect(stdout.match(/10010.*; `npx bybit-backstop doctor` says more"/g)).toHaveLength(3);
  });

  test("has warned of a rule for an account that there is not", async (context) => {
    const stage = await openStage(context, { config: { rules: [{ match: { account: "mian" }, ignore: true }] } });
    const { code, stderr } = await stage.backstop(["audit"]);
    expect(code).toBe(0);
    expect(stderr).toContain("is no account of this config (main): the rule never applies");
  });
});

describe("init", { concurrent: true }, () => {
  test("names the commands to run next with the config that it wrote", async (context) => {
    const stage = await openStage(context);
    const { stderr } = await stage.backstop(["init", "--config", "my own.yaml"]);
    expect(stderr).toMatch(/\nThen run: npx bybit-backstop audit --config 'my own\.yaml'\n$/);
    const { stderr: plain } = await stage.backstop(["init"], { BACKSTOP_CONFIG: "other.yaml" });
    expect(plain).toMatch(/\nThen run: npx bybit-backstop audit\n$/);
  });

  test("writes nothing for an account that its config does not have", async (context) => {
    const stage = await openStage(context);
    const { code, stderr } = await stage.backstop(["init", "--config", "new.yaml", "--account", "grid"]);
    expect({ code, stderr }).toEqual({
      code: 64,
      stderr: 'backstop: --account: "grid" is no account of the config that init writes; allowed: main\n',
    });
    expect(existsSync(join(stage.folder, "new.yaml"))).toBe(false);
  });

  test("says why it cannot write, and which command can", async (context) => {
    const stage = await openStage(context);
    const { code, stderr } = await stage.backstop(["init", "--config", "backstop.json/new.yaml"]);
    expect(code).toBe(64);
    expect(stderr).toMatch(
      /cannot be written \(E\w+, its folder is a file\); .*: npx bybit-backstop init --config "\$HOME\//,
    );
  });

  test("writes a config that only reports, and says which variables are missing", async (context) => {
    const stage = await openStage(context);
    const { code, stdout, stderr } = await stage.backstop(["init", "--config", "new/mine.yaml"]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    expect(stderr).toContain("Wrote new/mine.yaml");
    expect(stderr).toContain("$BYBIT_API_KEY");
    expect(stderr).not.toContain("a bug");
    const config = parse(readFileSync(join(stage.folder, "new/mine.yaml"), "utf8")) as { protection: { mode: string } };
    expect(config.protection.mode).toBe("report-only");
  });

  test("leaves a config that exists as it is, with 64", async (context) => {
    const stage = await openStage(context);
    const before = readFileSync(stage.config, "utf8");
    const { code, stderr } = await stage.backstop(["init", "--config", "backstop.json"]);
    expect(code).toBe(64);
    expect(stderr).toContain("backstop.json exists already");
    expect(readFileSync(stage.config, "utf8")).toBe(before);
  });

  test("writes what loads as soon as the variables are set and the account is named", async (context) => {
    const stage = await openStage(context);
    await stage.backstop(["init", "--config", "mine.yaml"]);
    const file = join(stage.folder, "mine.yaml");
    const urls = `environment: custom\n    restUrl: ${stage.simulator.restUrl}\n    wsUrl: ${stage.simulator.wsUrl}`;
    writeFileSync(file, readFileSync(file, "utf8").replace("environment: mainnet", urls));
    stage.exchange.open({ symbol: "BTCUSDT", side: "long", size: "0.1" });
    const env = { BYBIT_API_KEY: MAIN.key, BYBIT_API_SECRET: MAIN.secret };
    const { code, stdout } = await stage.backstop(["audit", "--config", "mine.yaml"], env);
    expect(code).toBe(2);
    expect(stdout).toContain("stop-missing");
  });
});

describe("schema", { concurrent: true }, () => {
  test("prints a JSON Schema that knows every key of the example config and refuses others", async (context) => {
    const stage = await openStage(context);
    const { code, stdout, stderr } = await stage.backstop(["schema"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const schema = JSON.parse(stdout) as JsonSchema;
    const example: unknown = parse(
      readFileSync(new URL("../../config/backstop.example.yaml", import.meta.url), "utf8"),
    );
    expect(unknownKeys(schema, example, "")).toEqual([]);
    expect(unknownKeys(schema, { scpe: "all" }, "")).toEqual([".scpe"]);
    expect(schema.additionalProperties).toBe(false);
  });
});

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: unknown;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
}

/** Keys of the value that the schema does not name. */
function unknownKeys(schema: JsonSchema, value: unknown, path: string): readonly string[] {
  const choices = schema.anyOf ?? [schema];
  const found = choices.map((choice) => unknownKeysOf(choice, value, path));
  return found.find((keys) => keys.length === 0) ?? found[0] ?? [];
}

function unknownKeysOf(schema: JsonSchema, value: unknown, path: string): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((one) => unknownKeys(schema.items ?? {}, one, `${path}[]`));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, held]) => {
    const known = schema.properties?.[key];
    return known === undefined ? [`${path}.${key}`] : unknownKeys(known, held, `${path}.${key}`);
  });
}

describe("simulator", { concurrent: true }, () => {
  test.for(["SIGTERM", "SIGINT"] as const)(
    "prints where it is, answers bybit-api, and ends on %s with 0",
    async (signal, context) => {
      const program = spawn(process.execPath, [PROGRAM, "simulator", "--port", "0"], {
        env: { PATH: process.env["PATH"] },
      });
      context.onTestFinished(() => void program.kill("SIGKILL"));
      const [line] = (await once(program.stdout.setEncoding("utf8"), "data")) as [string];
      const { restUrl, wsUrl, key, secret } = JSON.parse(line) as Record<
        "restUrl" | "wsUrl" | "key" | "secret",
        string
      >;
      expect(wsUrl).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\/v5\/private$/);
      const bot = new RestClientV5({ key, secret, baseUrl: restUrl }, { timeout: 5_000 });
      const order = { category: "linear", symbol: "BTCUSDT", side: "Buy", orderType: "Market", qty: "0.1" } as const;
      expect(await bot.submitOrder(order)).toMatchObject({ retCode: 0 });
      const { result } = await bot.getPositionInfo({ category: "linear", symbol: "BTCUSDT" });
      expect(result.list).toMatchObject([{ side: "Buy", size: "0.1" }]);
      const ended = once(program, "exit");
      program.kill(signal);
      expect(await ended).toEqual([0, null]);
    },
  );

  test("says which port is taken, with 64", async (context) => {
    const stage = await openStage(context);
    const port = new URL(stage.simulator.restUrl).port;
    const { code, stderr } = await stage.backstop(["simulator", "--port", port]);
    expect(code).toBe(64);
    expect(stderr).toContain(`--port ${port}`);
    expect(stderr).not.toContain("    at ");
  });
});
