/** A config that changes while the program runs is taken whole or not at all, and what changed is told without secrets. */
import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  type LoadOptions,
  type Reload,
  loadSettings,
  reloadSettings,
  type Settings,
} from "../../src/settings/index.js";
import { ACCOUNT, CANARY_KEY, CANARY_SECRET, ENV, folder, STOP } from "./folder.js";

const NEXT_SECRET = "NextCanarySecret0000000000000000002B";

interface Running {
  readonly previous: Settings;
  write(config: string): void;
  writeSecret(text: string): void;
  /** `waiting`: default: everything was written long ago. */
  reload(env?: NodeJS.ProcessEnv, waiting?: LoadOptions["waiting"]): Promise<Reload>;
}

const LONG_AFTER = {
  now: () => Date.now() + 60_000,
  sleep: () => Promise.reject(new Error("nothing is to be waited for")),
};

async function running(config: string, env: NodeJS.ProcessEnv = ENV): Promise<Running> {
  const cwd = folder({ "config/backstop.yaml": config, "config/secret": CANARY_SECRET });
  const options = { file: undefined, env, cwd };
  const previous = await loadSettings(options);
  return {
    previous,
    write: (text) => writeFileSync(join(cwd, "config/backstop.yaml"), text),
    writeSecret: (text) => writeFileSync(join(cwd, "config/secret"), text),
    reload: (now = env, waiting = LONG_AFTER) => reloadSettings(previous, { ...options, env: now, waiting }),
  };
}

type Reloaded = Extract<Reload, { kind: "reloaded" }>;

function taken(reload: Reload): Reloaded {
  if (reload.kind === "reloaded") return reload;
  throw reload.error;
}

function refusedWith(reload: Reload): string {
  if (reload.kind === "refused") return reload.error.message;
  throw new Error("the config was taken");
}

/** Each change as a line, with a mark on what needs a restart. */
const lines = ({ changes }: Reloaded) =>
  changes.map(({ text, needsRestart }) => `${needsRestart ? "restart: " : ""}${text}`);

describe("what changed is told", () => {
  const BASE = `${ACCOUNT}${STOP}`;
  test.each<[string, string, readonly string[]]>([
    ["nothing", BASE, []],
    ["nothing, in other words", `${ACCOUNT}protection: { stopLoss: { triggerBy: MarkPrice, distance: 2.0% } }\n`, []],
    [
      "levels and a mode",
      `${ACCOUNT}protection: { mode: sync, stopLoss: { distance: 1.5% }, takeProfit: { distance: 2R }, liquidationBuffer: 1% }\n`,
      [
        "protection.mode: create-only → sync",
        "protection.stopLoss: 2% by MarkPrice → 1.5% by MarkPrice",
        "protection.takeProfit: none → 2R by LastPrice",
        "protection.liquidationBuffer: 0.5% → 1%",
      ],
    ],
    [
      "rules and scope",
      `${BASE}scope: listed\nrules: [{ match: {} }]\n`,
      ["scope: all → listed", "rules: changed (0 before, 1 now)"],
    ],
    [
      "times and budgets",
      `${BASE}sweep: { cron: "*/10 * * * * *" }\nbudget: { writesPerSecond: 5, ipShare: 25% }\n`,
      [
        "sweep.cron: */30 * * * * * → */10 * * * * *",
        "budget.writesPerSecond: 9 → 5",
        "restart: budget.ipShare: 0.5 → 0.25",
      ],
    ],
    ["a new place for the ledger", `${BASE}ledger: { url: "file:other/l.db" }\n`, ["restart: ledger.url changed"]],
    ["a server", `${BASE}http: {}\n`, ["restart: http: added"]],
    [
      "another account, and rights of the first",
      `${ACCOUNT}    categories: [linear]
    allowPermissions: [AccountTransfer]
  - { name: other, environment: demo, key: "\${MAIN_KEY}", secret: "\${MAIN_SECRET}" }
${STOP}`,
      [
        "account main: categories: linear, inverse → linear",
        "account main: allowPermissions: none → AccountTransfer",
        "account other: added",
      ],
    ],
    [
      "another name for the account",
      `${ACCOUNT.replace("name: main", "name: first")}${STOP}`,
      ["account main: removed", "account first: added"],
    ],
    [
      "another exchange for the account",
      `${ACCOUNT.replace("mainnet", "testnet")}${STOP}`,
      ["restart: account main: environment changed"],
    ],
  ])("%s", async (_what, config, told) => {
    const { write, reload } = await running(BASE);
    write(config);
    expect(lines(taken(await reload()))).toEqual(told);
  });

  test("a server's address and its token file need a restart", async () => {
    const { write, reload } = await running(`${ACCOUNT}${STOP}http: {}\n`);
    write(`${ACCOUNT}${STOP}http: { host: "::1", port: 1, tokenFile: token2 }\n`);
    expect(lines(taken(await reload()))).toEqual([
      "restart: http.host: 127.0.0.1 → ::1",
      "restart: http.port: 8787 → 1",
      expect.stringMatching(/^restart: http\.tokenFile: .*state\/token → .*token2$/),
    ]);
  });

  test("never a secret: not of a key, a database or a heartbeat", async () => {
    const secrets = (word: string) =>
      `ledger: { url: "postgres://me:${word}@db/x" }\nheartbeat: { url: "https://hc.example.com/${word}" }\n`;
    const { write, reload } = await running(`${ACCOUNT}${STOP}${secrets("first-word")}`);
    write(`${ACCOUNT}${STOP}${secrets("second-word")}`);
    const found = taken(await reload({ MAIN_KEY: "renewed-key", MAIN_SECRET: NEXT_SECRET }));
    expect(lines(found)).toEqual([
      "account main: key changed",
      "account main: secret changed",
      "restart: ledger.url changed",
      "restart: heartbeat.url changed",
    ]);
    for (const word of [CANARY_KEY, CANARY_SECRET, NEXT_SECRET, "renewed-key", "first-word", "second-word"]) {
      expect(JSON.stringify(found.changes)).not.toContain(word);
    }
  });
});

describe("secrets", () => {
  test("in files and in the environment are read again", async () => {
    const config = `${ACCOUNT.replace("${MAIN_SECRET}", "file:secret")}${STOP}`;
    const { writeSecret, reload } = await running(config);
    writeSecret(`${NEXT_SECRET}\n`);
    const { settings, changes } = taken(await reload({ ...ENV, MAIN_KEY: "renewed-key" }));
    expect(settings.accounts[0]).toMatchObject({ key: "renewed-key", secret: NEXT_SECRET });
    expect(changes.map(({ text }) => text)).toEqual(["account main: key changed", "account main: secret changed"]);
  });

  test("that have become readable for others are refused, as at the start", async () => {
    const config = `${ACCOUNT.replace("${MAIN_SECRET}", "file:secret")}${STOP}`;
    const { previous, reload } = await running(config);
    chmodSync(join(previous.file, "../secret"), 0o644);
    expect(refusedWith(await reload())).toContain("mode 0644, open to others");
  });
});

describe("what needs a restart is not in what may be applied now", () => {
  test("the rest is", async () => {
    const { previous, write, reload } = await running(`${ACCOUNT}${STOP}`);
    write(`${ACCOUNT}${STOP}  mode: sync\nledger: { url: "file:other/l.db" }\nhttp: {}\n`);
    const { settings, applicable } = taken(await reload());
    expect(settings.stateDir).toBe(join(previous.file, "../other"));
    expect(applicable).toEqual({ ...settings, ledger: previous.ledger, stateDir: previous.stateDir, http: null });
    expect(applicable.policy.defaults.mode).toBe("sync");
  });

  test("an account that moves to another exchange stays whole, because its new key is for there", async () => {
    const { previous, write, reload } = await running(`${ACCOUNT}${STOP}`);
    write(`${ACCOUNT.replace("mainnet", "testnet")}${STOP}`);
    const { settings, applicable } = taken(await reload({ ...ENV, MAIN_KEY: "testnet-key" }));
    expect(settings.accounts[0]).toMatchObject({ environment: "testnet", key: "testnet-key" });
    expect(applicable.accounts).toEqual(previous.accounts);
  });

  test("a server, the heartbeat and the share of the address stay as they were", async () => {
    const more = (port: number, beat: string, share: string) =>
      `http: { port: ${port}, tokenFile: token${port} }\nheartbeat: { url: "https://hc.example.com/${beat}" }\n` +
      `budget: { writesPerSecond: 5, ipShare: ${share} }\n`;
    const { previous, write, reload } = await running(`${ACCOUNT}${STOP}${more(8787, "a", "50%")}`);
    write(`${ACCOUNT}${STOP}${more(1, "b", "25%")}`);
    const { applicable } = taken(await reload());
    expect(applicable.http).toEqual(previous.http);
    expect(applicable.heartbeat).toEqual(previous.heartbeat);
    expect(applicable.budget).toEqual({ writesPerSecond: 5, ipShare: 0.5 });
  });
});

describe("a config that cannot be taken leaves everything as it was, with the message of a start", () => {
  const BASE = `${ACCOUNT}${STOP}`;
  test.each<[string, string]>([
    ["empty", ""],
    ["cut off in the middle of a value", `${BASE}rules:\n  - match: { symbol: "BT`],
    ["cut off in the middle of a key", `${BASE}scop`],
    ["without its accounts", STOP],
    ["with one wrong value among good ones", `${BASE}  mode: everything\nscope: listed\n`],
    ["with a key reserved for later", `${BASE}notify: {}\n`],
  ])("%s", async (_what, config) => {
    const { previous, write, reload } = await running(BASE);
    const before = structuredClone(previous.accounts);
    write(config);
    const { file } = previous;
    const cwd = join(file, "../..");
    const atStart = await loadSettings({ file: undefined, env: ENV, cwd }).catch((error: unknown) => error);
    expect(refusedWith(await reload())).toBe((atStart as Error).message);
    expect(previous.accounts).toEqual(before);
  });

  test("being written all the time", async () => {
    const { write, reload } = await running(BASE);
    let pieces = 0;
    const sleep = async () => write(`${BASE}# ${pieces++}\n`);
    expect(refusedWith(await reload(ENV, { now: Date.now, sleep }))).toContain("it is being written all the time");
  });

  test("gone", async () => {
    const { previous, reload } = await running(BASE);
    rmSync(previous.file);
    expect(refusedWith(await reload())).toContain("does not exist");
  });

  test("without the account that the program was started for", async () => {
    const { previous, write } = await running(BASE);
    write(`${ACCOUNT.replace("name: main", "name: first")}${STOP}`);
    const cwd = join(previous.file, "../..");
    const reload = await reloadSettings(previous, { file: undefined, env: ENV, cwd, accounts: ["main"] });
    expect(refusedWith(reload)).toContain('--account: "main" is no account of this config; allowed: first');
  });
});

describe("a config of which half is written", () => {
  const HALF = `${ACCOUNT}${STOP}`;
  const RULES = `rules:\n  - match: { symbol: "BTC*" }\n    ignore: true\n`;

  test("is taken when it is whole, though that half would be a config as well", async () => {
    const { write, reload } = await running(`${HALF}${RULES}`);
    const waits: number[] = [];
    const sleep = async (ms: number) => {
      waits.push(ms);
      if (waits.length === 1) write(`${HALF}${RULES}  - match: {}\n`);
    };
    write(HALF);
    expect(lines(taken(await reload(ENV, { now: Date.now, sleep })))).toEqual(["rules: changed (1 before, 2 now)"]);
    expect(waits).toEqual([1_000, 1_000]);
  });
});
