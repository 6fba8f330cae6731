/** What the program answers to wrong usage and wrong configs: code 64, one message one can act on, no stack trace. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { INSTALLED, run } from "./cli.js";

const folder = mkdtempSync(join(tmpdir(), "backstop-usage-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const COMMANDS = [
  "audit",
  "protect",
  "doctor",
  "init",
  "history",
  "pause",
  "resume",
  "schema",
  "simulator",
  "demo",
  "probe",
];
const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  version: string;
};

const AS_INSTALLED = { program: INSTALLED };

/** The program as its user would judge a refusal. */
async function refusal(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const { code, stdout, stderr } = await run(args, folder, env);
  return { code, stdout, message: stderr, hasStackTrace: /^\s+at .*:\d+/m.test(stderr) };
}

/** Code 64 and one message that has all of these in it, in any order. */
function refused(...parts: readonly string[]): object {
  const all = parts.map((part) => `(?=[^]*${part.replaceAll(/[$()*+.?[\\\]^{|}]/g, "\\$&")})`).join("");
  return {
    code: 64,
    stdout: "",
    message: expect.stringMatching(new RegExp(`^${all}`)) as string,
    hasStackTrace: false,
  };
}

describe.concurrent("help and version", () => {
  test.each(COMMANDS)("%s --help says what the command does and which options it has", async (command) => {
    const { code, stdout, stderr } = await run([command, "--help"], folder, {}, AS_INSTALLED);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain(`Usage: backstop ${command}`);
    expect(stdout).toContain("--help");
  });

  test.each(["audit", "run"])("%s --version prints the version and nothing else", async (command) => {
    expect(await run([command, "--version"], folder, {}, AS_INSTALLED)).toEqual({
      code: 0,
      stdout: `${version}\n`,
      stderr: "",
    });
  });

  test("the help of the program lists every command", async () => {
    const { code, stdout } = await run(["--help"], folder, {}, AS_INSTALLED);
    expect(code).toBe(0);
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${command} `, "m"));
  });

  test("without a command the help is shown as wrong usage", async () => {
    expect(await refusal([])).toEqual(refused("Usage: backstop"));
  });
});

const INTENT = ["intent", "set", "--symbol", "BTCUSDT", "--side", "long"];

describe.concurrent("wrong usage ends with 64 and names option, value and what is allowed", () => {
  test.each<[string, readonly string[], readonly string[]]>([
    ["an unknown command", ["adit"], ["'adit'", "audit"]],
    ["an unknown option", ["audit", "--formt", "json"], ["--formt", "--format"]],
    ["an unknown format", ["audit", "--format", "pdf"], ["--format", "'pdf'", "table, json, markdown, html, junit"]],
    ["an unknown severity", ["protect", "--fail-on", "info"], ["--fail-on", "'info'", "critical, warning, never"]],
    ["an unknown log level", ["doctor", "--log-level", "loud"], ["--log-level", "'loud'", "trace, debug, info, warn"]],
    ["an option without its value", ["audit", "--config"], ["--config", "missing"]],
    ["a word too many", ["audit", "everything"], ["too many arguments", "audit"]],
    ["a port that is no number", ["simulator", "--port", "http"], ["--port", "'http'", "0 to 65535"]],
    ["a port that cannot be", ["simulator", "--port", "70000"], ["--port", "'70000'", "0 to 65535"]],
    ["a duration without a unit", ["pause", "--for", "10"], ["--for", "'10'", "s, m, h or d, such as 10m"]],
    ["a duration of nothing", ["pause", "--for", "0m"], ["--for", "'0m'", "above 0"]],
    ["a duration of centuries", ["pause", "--for", "99999d"], ["--for", "'99999d'", "365d"]],
    [
      "a list of symbols in one value",
      ["pause", "--symbol", "BTCUSDT,ETHUSDT"],
      ["--symbol", "'BTCUSDT,ETHUSDT'", "repeat"],
    ],
    ["a symbol that is none", ["resume", "--symbol", ""], ["--symbol", "''", "BTCUSDT"]],
    ["a reason of two lines", ["pause", "--reason", "a\nb"], ["--reason", "one line"]],
    ["a kind of entry that can be none", ["history", "--kind", "Steps!"], ["--kind", "'Steps!'", "lives, intents"]],
    [
      "a kind of entry that there is not",
      ["history", "--kind", "nosuch"],
      ["--kind", "'nosuch'", "step-judged", "lives"],
    ],
    ["a number of entries that is none", ["history", "--limit", "few"], ["--limit", "'few'", "0 or more"]],
    ["a limit that is no number", ["history", "--limit", "all"], ["--limit", "'all'", "whole number"]],
    ["a report's format for the history", ["history", "--format", "html"], ["--format", "'html'", "table, json"]],
    ["a wait that is too long", [...INTENT, "--ttl", "100d"], ["--ttl", "'100d'", "31d is the most"]],
    ["a duration for resuming", ["resume", "--for", "10m"], ["--for"]],
    ["an option of another command", ["audit", "--dry-run"], ["--dry-run"]],
  ])("%s", async (_what, args, parts) => {
    expect(await refusal(args)).toEqual(refused(...parts));
  });
});

const ACCOUNT = {
  name: "main",
  environment: "custom",
  restUrl: "http://127.0.0.1:9",
  wsUrl: "ws://127.0.0.1:9",
  key: "${KEY}",
  secret: "${SECRET}",
};
const ENV = { KEY: "k".repeat(18), SECRET: "s".repeat(36) };

interface Wrong {
  readonly what: string;
  readonly config: object;
  readonly env?: NodeJS.ProcessEnv;
  readonly says: readonly string[];
}

const WRONG: readonly Wrong[] = [
  { what: "an unknown key", config: { scpe: "all" }, says: ["scpe", "Did you mean scope?"] },
  { what: "a wrong type", config: { sweep: { cron: 5 } }, says: ["sweep.cron", "5", "allowed"] },
  { what: "a missing variable", config: {}, env: { KEY: ENV.KEY }, says: ["accounts[0].secret", "$SECRET", "not set"] },
  {
    what: "a stop at a distance of nothing",
    config: { protection: { mode: "create-only", stopLoss: { distance: "0%" } } },
    says: ["protection.stopLoss.distance", "0%", "above 0%"],
  },
  {
    what: "a stop at the whole price",
    config: { protection: { mode: "create-only", stopLoss: { distance: "100%" } } },
    says: ["protection.stopLoss.distance", "100%", "below 100%"],
  },
  {
    what: "a mode that needs a stop-loss without one",
    config: { protection: { mode: "sync" } },
    says: ["protection.stopLoss", "mode sync", "report-only"],
  },
  {
    what: "two accounts of one name",
    config: { accounts: [ACCOUNT, ACCOUNT] },
    says: ["accounts[1].name", "main", "once"],
  },
  { what: "an unknown mode", config: { protection: { mode: "fix" } }, says: ["protection.mode", "fix", "create-only"] },
  {
    what: "a literal secret for the real exchange",
    config: { accounts: [{ name: "main", environment: "mainnet", key: "${KEY}", secret: "s".repeat(36) }] },
    says: ["accounts[0].secret", "${NAME}", "file:PATH"],
  },
  {
    what: "a server on all addresses",
    config: { http: { host: "0.0.0.0" } },
    says: ["http.host", "0.0.0.0", "127.0.0.1, localhost or ::1", "http.allowRemote: true"],
  },
  { what: "a key reserved for later", config: { notify: {} }, says: ["notify", "later"] },
];

describe.concurrent("a wrong config ends with 64 and names file, key, value and what is allowed", () => {
  test.each(WRONG)("$what", async ({ what, config, env = ENV, says }) => {
    const file = `${what.replaceAll(" ", "-")}.yaml`;
    const protection = { mode: "report-only" };
    writeFileSync(join(folder, file), JSON.stringify({ accounts: [ACCOUNT], protection, ...config }));
    const found = await refusal(["audit", "--config", file], env);
    expect(found).toEqual(refused(`${file}:`, ...says));
    expect(found.message).not.toContain(ENV.SECRET);
  });

  test("several mistakes come in one message", async () => {
    const file = "several.yaml";
    writeFileSync(
      join(folder, file),
      JSON.stringify({ accounts: [ACCOUNT], scpe: "all", protection: { mode: "fix" } }),
    );
    expect(await refusal(["protect", "--config", file], ENV)).toEqual(refused("problems:", "scpe", "protection.mode"));
  });

  test("a file that is no YAML", async () => {
    writeFileSync(join(folder, "broken.yaml"), "accounts: [\n  - {");
    expect(await refusal(["audit", "--config", "broken.yaml"], ENV)).toEqual(refused("broken.yaml:", "not valid YAML"));
  });

  test("a config that cannot be read", async () => {
    expect(await refusal(["audit", "--config", "."], ENV)).toEqual(refused("--config", "cannot be read"));
  });

  test("a config that is named before the command", async () => {
    for (const before of [
      ["--config", "gone.yaml"],
      ["--config=gone.yaml", "--log-level", "error"],
    ]) {
      expect(await refusal([...before, "audit"])).toEqual(refused("--config", "gone.yaml", "does not exist"));
      expect(await refusal([...before, ...INTENT])).toEqual(refused("--config", "gone.yaml", "does not exist"));
    }
    const both = await refusal(["--config", "before.yaml", "audit", "--config", "behind.yaml"]);
    expect(both).toEqual(refused("behind.yaml", "does not exist"));
    expect(await refusal(["--config", "gone.yaml"])).toEqual(refused("--config"));
  });

  test("a config that is not there: the message tells how to get one", async () => {
    expect(await refusal(["audit"])).toEqual(refused("config/backstop.yaml", "does not exist", "bybit-backstop init"));
    const named = await refusal(["audit"], { BACKSTOP_CONFIG: "gone.yaml" });
    expect(named).toEqual(refused("$BACKSTOP_CONFIG", "gone.yaml", "bybit-backstop init"));
  });

  test("an account that is not in the config", async () => {
    writeFileSync(
      join(folder, "fine.yaml"),
      JSON.stringify({ accounts: [ACCOUNT], protection: { mode: "report-only" } }),
    );
    const finished = await refusal(["audit", "--config", "fine.yaml", "--account", "mian"], ENV);
    expect(finished).toEqual(refused("--account", '"mian"', "allowed: main"));
  });

  test.each(["pause", "resume"])("an account to %s that is not in the config", async (command) => {
    const file = `${command}.yaml`;
    writeFileSync(join(folder, file), JSON.stringify({ accounts: [ACCOUNT], protection: { mode: "report-only" } }));
    const finished = await refusal([command, "--config", file, "--account", "mian"]);
    expect(finished).toEqual(refused("--account", '"mian"', "allowed: main"));
  });

  test.each<[string, readonly string[], readonly string[]]>([
    [
      "an end in words",
      ["--stop-loss", "none", "--reason", "x", "--until", "tomorrow"],
      ["--until:", '"tomorrow"', "2026-"],
    ],
    ["a price in words", ["--stop-loss", "tight"], ["--stop-loss:", '"tight"', "positive decimal"]],
    ["a waiver without its end", ["--stop-loss", "none"], ["--stop-loss none needs --reason and --until"]],
    ["no level", [], ["name --stop-loss, --take-profit or both"]],
    [
      "an end of a level",
      ["--stop-loss", "1", "--until", "2026-01-31T12:00:00Z"],
      ["--until belongs to --stop-loss none"],
    ],
  ])("an intent with %s, in the words of the options", async (what, options, says) => {
    const file = `intent-${what.replaceAll(" ", "-")}.yaml`;
    writeFileSync(join(folder, file), JSON.stringify({ accounts: [ACCOUNT], protection: { mode: "report-only" } }));
    expect(await refusal([...INTENT, "--config", file, ...options], ENV)).toEqual(refused(...says));
  });

  test("a report file that cannot be written, before the exchange is asked anything", async () => {
    writeFileSync(
      join(folder, "fine2.yaml"),
      JSON.stringify({ accounts: [ACCOUNT], protection: { mode: "report-only" } }),
    );
    const finished = await refusal(["audit", "--config", "fine2.yaml", "--output", "gone/report.json"], ENV);
    expect(finished).toEqual(refused("--output", "gone/report.json", "does not exist", "allowed"));
  });

  test("a switch of the SDK that would print signed requests", async () => {
    writeFileSync(
      join(folder, "fine3.yaml"),
      JSON.stringify({ accounts: [ACCOUNT], protection: { mode: "report-only" } }),
    );
    const finished = await refusal(["doctor", "--config", "fine3.yaml"], { ...ENV, BYBITTRACE: "true" });
    expect(finished).toEqual(refused("BYBITTRACE", "unset it"));
  });

  const REAL = { name: "main", environment: "mainnet", key: ACCOUNT.key, secret: ACCOUNT.secret };

  test.each(["audit", "protect", "run", "doctor"])("a debugger that could read the key from %s", async (command) => {
    const file = `inspected-${command}.yaml`;
    writeFileSync(join(folder, file), JSON.stringify({ accounts: [REAL], protection: { mode: "report-only" } }));
    const env = { ...ENV, NODE_OPTIONS: "--inspect=127.0.0.1:0" };
    expect(await refusal([command, "--config", file], env)).toEqual(
      refused("debugger", "at 127.0.0.1:", "account main", "without --inspect"),
    );
  });

  /** Node itself can let a key out. */
  const WINDOWS: readonly (readonly [string, NodeJS.ProcessEnv, readonly string[]])[] = [
    ["a debugger, with the real exchange behind another name", { NODE_OPTIONS: "--inspect=127.0.0.1:0" }, ["debugger"]],
    ["requests printed by node", { NODE_DEBUG: "http" }, ["NODE_DEBUG", "unset it"]],
    ["anybody taken for the exchange", { NODE_TLS_REJECT_UNAUTHORIZED: "0" }, ["NODE_TLS_REJECT_UNAUTHORIZED"]],
    ["memory on a signal", { NODE_OPTIONS: "--heapsnapshot-signal=SIGUSR2" }, ["--heapsnapshot-signal"]],
    ["memory, by the option's other spelling", { NODE_OPTIONS: "--heapsnapshot_signal=SIGUSR2" }, ["heapsnapshot"]],
    ["the environment on a signal", { NODE_OPTIONS: "--max-http-header-size=9999 --report-on-signal" }, ["report-on"]],
    ["the environment in a crash", { NODE_OPTIONS: "--report-uncaught-exception" }, ["--report-uncaught-exception"]],
    ["memory in a crash", { NODE_OPTIONS: "--abort-on-uncaught-exception" }, ["--abort-on-uncaught-exception"]],
    ["the keys of connections", { NODE_OPTIONS: "--tls-keylog=keys.log" }, ["--tls-keylog"]],
  ];
  const REMOTE = {
    ...ACCOUNT,
    restUrl: "https://exchange.example.com",
    wsUrl: "wss://exchange.example.com/v5/private",
  };

  test.each(WINDOWS)("a window: %s", async (what, window, says) => {
    const file = `window-${what.replaceAll(/\W/g, "-")}.yaml`;
    writeFileSync(join(folder, file), JSON.stringify({ accounts: [REMOTE], protection: { mode: "report-only" } }));
    const found = await refusal(["audit", "--config", file], { ...ENV, ...window });
    expect(found).toMatchObject({ code: 64, stdout: "", hasStackTrace: false });
    for (const part of [...says, "only with a simulator on this machine"]) expect(found.message).toContain(part);
    for (const secret of Object.values(ENV)) expect(found.message).not.toContain(secret);
  });
});
