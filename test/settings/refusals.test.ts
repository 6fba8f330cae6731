/** Bad configs are refused with the file, the key, the value and what is allowed. */
import { chownSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadSettings, SettingsError } from "../../src/settings/index.js";
import { ACCOUNT, CANARY_KEY, CANARY_SECRET, ENV, folder, load, refusal, STOP } from "./folder.js";

interface Case {
  readonly name: string;
  readonly config: string;
  readonly message: string;
}

const PERCENTAGE = "allowed: a percentage above 0% and below 100%, such as 2%.";
const withAccount = (lines: string) => `${ACCOUNT}${lines}\n${STOP}`;

const CASES: readonly Case[] = [
  {
    name: "a misspelt key",
    config: `${ACCOUNT}${STOP}  pastStopp: rebase\n`,
    message:
      'config/backstop.yaml:8:3: protection.pastStopp: "rebase" is an unknown key; allowed: mode, stopLoss, takeProfit, pastStop, pastTakeProfit, liquidationBuffer, onScaleIn, onDrift, hedged, attachToOrders, graceMs, vanishMs. Did you mean pastStop?',
  },
  {
    name: "a number where a percentage belongs",
    config: `${ACCOUNT}protection:\n  stopLoss: { distance: 0.02 }\n`,
    message: `config/backstop.yaml:7:25: protection.stopLoss.distance: 0.02 is not allowed; ${PERCENTAGE}`,
  },
  {
    name: "a distance of 0%",
    config: `${ACCOUNT}protection:\n  stopLoss: { distance: 0% }\n`,
    message: `config/backstop.yaml:7:25: protection.stopLoss.distance: "0%" is not allowed; ${PERCENTAGE}`,
  },
  {
    name: "a distance of 100%",
    config: `${ACCOUNT}protection:\n  stopLoss: { distance: 100% }\n`,
    message: `config/backstop.yaml:7:25: protection.stopLoss.distance: "100%" is not allowed; ${PERCENTAGE}`,
  },
  {
    name: "a negative distance in a rule",
    config: `${ACCOUNT}${STOP}rules:\n  - match: {}\n    stopLoss: { distance: -1% }\n`,
    message: `config/backstop.yaml:10:27: rules[0].stopLoss.distance: "-1%" is not allowed; ${PERCENTAGE}`,
  },
  {
    name: "an unknown mode",
    config: `${ACCOUNT}${STOP}  mode: create_only\n`,
    message:
      'config/backstop.yaml:8:9: protection.mode: "create_only" is not allowed; allowed: report-only | create-only | tighten-only | sync. Did you mean create-only?',
  },
  {
    name: "a protection without a stop",
    config: `${ACCOUNT}protection: { takeProfit: { distance: 4% } }\n`,
    message:
      "config/backstop.yaml:6:13: protection.stopLoss: is required with mode create-only; allowed: a distance such as { distance: 2% }, or mode: report-only; there is no built-in distance.",
  },
  {
    name: "no protection at all",
    config: ACCOUNT,
    message: "protection.stopLoss: is required with mode create-only; allowed: a distance such as { distance: 2% }",
  },
  {
    name: "a rule that removes the stop",
    config: `${ACCOUNT}${STOP}rules:\n  - match: { symbol: BTCUSDT }\n    stopLoss: null\n`,
    message:
      "config/backstop.yaml:10:15: rules[0].stopLoss: null is required with mode create-only; allowed: a distance",
  },
  {
    name: "a rule that writes where the default had no stop to inherit",
    config: `${ACCOUNT}protection: { mode: report-only }\nrules:\n  - match: {}\n    mode: sync\n`,
    message: "rules[0].stopLoss: is required with mode sync; allowed: a distance",
  },
  {
    name: "a rule's take-profit without a distance to inherit",
    config: `${ACCOUNT}${STOP}rules:\n  - match: {}\n    takeProfit: { triggerBy: MarkPrice }\n`,
    message: "rules[0].takeProfit.distance: is missing; allowed: a distance: there is none to inherit.",
  },
  {
    name: "a multiple that reaches 100%",
    config: `${ACCOUNT}protection: { stopLoss: { distance: 40% }, takeProfit: { distance: 2.5R } }\n`,
    message:
      'protection.takeProfit.distance: "2.5R" is 100% with a stop-loss of 40%; allowed: a multiple that stays below 100%.',
  },
  {
    name: "two accounts of one name",
    config: `${ACCOUNT}  - { name: main, environment: mainnet, key: "\${MAIN_KEY}", secret: "\${MAIN_SECRET}" }\n${STOP}`,
    message:
      'config/backstop.yaml:6:13: accounts[1].name: "main" is the name of accounts[0] too; allowed: a name used once.',
  },
  {
    name: "an account name with capitals",
    config: `${ACCOUNT.replace("main", "Main")}${STOP}`,
    message: 'config/backstop.yaml:2:11: accounts[0].name: "Main" is not allowed; allowed: 1 to 32 of a-z, 0-9 and -.',
  },
  {
    name: "an account without a secret",
    config: `${ACCOUNT.replace(/ {4}secret.*\n/, "")}${STOP}`,
    message: "accounts[0].secret: is missing; allowed: ${NAME} for an environment variable, or file:PATH.",
  },
  {
    name: "no account",
    config: `accounts: []\n${STOP}`,
    message: "accounts: (a list) is not allowed; allowed: at least one account.",
  },
  {
    name: "an empty file",
    config: "# nothing yet\n",
    message:
      "config/backstop.yaml: config: is empty or no mapping; allowed: the config, a mapping with accounts, scope,",
  },
  {
    name: "a custom exchange without its URLs",
    config: `${ACCOUNT.replace("mainnet", "custom")}${STOP}`,
    message: "accounts[0].wsUrl: is missing; allowed: a URL: environment custom needs both URLs.",
  },
  {
    name: "a URL for mainnet",
    config: withAccount("    restUrl: https://api.example.com"),
    message:
      'config/backstop.yaml:6:14: accounts[0].restUrl: "https://api.example.com" does not go with environment mainnet; allowed: only with environment custom; remove the key.',
  },
  {
    name: "the right to withdraw",
    config: withAccount("    allowPermissions: [Withdraw]"),
    message:
      'accounts[0].allowPermissions[0]: "Withdraw" is not allowed; allowed: rights of a Bybit key, such as AccountTransfer; Withdraw is never accepted.',
  },
  {
    name: "a category twice",
    config: withAccount("    categories: [linear, linear]"),
    message: "accounts[0].categories: (a list) is not allowed; allowed: linear and inverse, each once, at least one.",
  },
  {
    name: "a cron line that is none",
    config: `${ACCOUNT}${STOP}sweep: { cron: "every minute" }\n`,
    message:
      'sweep.cron: "every minute" is not allowed; allowed: a cron line, seconds first, such as "*/30 * * * * *".',
  },
  {
    name: "a cron line of five fields, which leaves the seconds out",
    config: `${ACCOUNT}${STOP}sweep: { cron: "*/30 * * * *" }\n`,
    message:
      'sweep.cron: "*/30 * * * *" is not allowed; allowed: a cron line, seconds first, such as "*/30 * * * * *".',
  },
  {
    name: "more writes than the exchange takes",
    config: `${ACCOUNT}${STOP}budget: { writesPerSecond: 11 }\n`,
    message: "budget.writesPerSecond: 11 is not allowed; allowed: a number above 0, at most 10 (the exchange's limit).",
  },
  {
    name: "half a millisecond",
    config: `${ACCOUNT}${STOP}  graceMs: 0.5\n`,
    message: "protection.graceMs: 0.5 is not allowed; allowed: a whole number of milliseconds, 0 or more.",
  },
  {
    name: "broken YAML",
    config: `${ACCOUNT}${STOP}scope: "all\n`,
    message:
      "syntax: is not valid YAML here: a bracket, a quote, a colon or a comma is missing; allowed: YAML or JSON.",
  },
  {
    name: "a bracket that is never closed",
    config: `${ACCOUNT}protection: { stopLoss: { distance: 2% }\nscope: all\n`,
    message:
      "config/backstop.yaml:7:1: syntax: is not valid YAML here: a { that was opened before is not closed; } is missing; allowed: YAML or JSON.",
  },
  {
    name: "a list that is never closed",
    config: `${ACCOUNT}    categories: [linear\n${STOP}`,
    message: "is not valid YAML here: a [ that was opened before is not closed; ] is missing; allowed: YAML or JSON.",
  },
  {
    name: "a closing bracket too far to the left",
    config: `${ACCOUNT}protection:\n  stopLoss: {\n    distance: 2%\n}\n`,
    message:
      "config/backstop.yaml:9:1: syntax: is not valid YAML here: the closing } must be indented farther than the key it belongs to; allowed: YAML or JSON.",
  },
  {
    name: "a key that stands twice",
    config: `${ACCOUNT}${STOP}scope: all\nscope: listed\n`,
    message: "config/backstop.yaml:9:1: syntax: is not valid YAML here: the key stands twice; allowed: YAML or JSON.",
  },
];

describe("a config with a mistake is refused and the mistake is named", () => {
  test.each(CASES)("$name", async ({ config, message }) => {
    expect((await refusal(config)).message).toContain(message);
  });

  test.each(["notify", "fleet", "preset"])("the reserved key %s says that it is reserved", async (key) => {
    const { message } = await refusal(`${ACCOUNT}${STOP}${key}: { to: someone }\n`);
    expect(message).toBe(
      `config/backstop.yaml:8:1: ${key}: (a mapping) is reserved for a later version and refused until then; allowed: no ${key} yet; remove the key.`,
    );
  });

  test("a JSON file that was cut off is one problem, however many brackets are open", async () => {
    const { problems } = await refusal('{"accounts":[{"name":"main","environment":"custom","key":');
    expect(problems.map(({ line, what }) => ({ line, what }))).toEqual([
      { line: 1, what: "is not valid YAML here: a { that was opened before is not closed; } is missing" },
    ]);
  });

  describe("what stands behind an alias", () => {
    test("is shown with its value, at the line where it is written", async () => {
      const { problems } = await refusal(
        `${ACCOUNT}${STOP}rules:\n  - match: { symbol: X }\n    stopLoss: &sl { distance: 200% }\n  - match: { symbol: Y }\n    stopLoss: *sl\n`,
      );
      expect(problems.map(({ key, line, value, what }) => ({ key, line, value, what }))).toEqual([
        { key: "rules[0].stopLoss.distance", line: 10, value: '"200%"', what: "is not allowed" },
        { key: "rules[1].stopLoss.distance", line: 10, value: '"200%"', what: "is not allowed" },
      ]);
    });

    test("is shown with its value, at the alias itself where that is the value of the key", async () => {
      const { message } = await refusal(
        `${ACCOUNT}protection:\n  stopLoss: { distance: &d 2 }\n  takeProfit: { distance: *d }\n`,
      );
      expect(message).toContain("config/backstop.yaml:8:27: protection.takeProfit.distance: 2 is not allowed");
    });

    test("is not shown where it is an address, which may be a secret in its own place", async () => {
      const heartbeat = 'heartbeat: { url: &h "https://ping.example/1b2c3d4e-1111" }\n';
      const { message } = await refusal(`${ACCOUNT}${STOP}${heartbeat}sweep: { cron: *h }\n`);
      expect(message).toContain("sweep.cron: *h ");
      expect(message).not.toContain("1b2c3d4e");
    });

    test("is searched for the unknown key too", async () => {
      const { message } = await refusal(`${ACCOUNT}${STOP}rules:\n  - &r { match: {}, ignor: true }\n  - *r\n`);
      expect(message).toContain("config/backstop.yaml:9:21: rules[1].ignor: true is an unknown key");
    });
  });

  test("every mistake of a file is in one message, in the order of the file", async () => {
    const { problems, message } = await refusal(
      `${ACCOUNT.replace("MAIN_KEY", "NO_SUCH").replace("environment", "enviroment")}scoop: all\nprotection:\n  stopLoss: { distance: 0% }\n  graceMs: soon\nrules:\n  - match: {}\n    mode: sinc\n`,
    );
    expect(problems.map((problem) => problem.key)).toEqual([
      "accounts[0].environment",
      "accounts[0].enviroment",
      "accounts[0].key",
      "scoop",
      "protection.stopLoss.distance",
      "protection.graceMs",
      "rules[0].mode",
    ]);
    expect(message.split("\n")).toHaveLength(8);
  });
});

describe("a config that cannot be read", () => {
  const attempt = async (options: { file?: string; env?: NodeJS.ProcessEnv; cwd: string }) => {
    const { file, env = {}, cwd } = options;
    return loadSettings({ file, env, cwd }).catch((error: unknown) => error);
  };

  test("a missing default file says how to make one", async () => {
    const error = await attempt({ cwd: folder({}) });
    expect(error).toBeInstanceOf(SettingsError);
    expect(String(error)).toContain(
      'config/backstop.yaml: config file: "config/backstop.yaml" does not exist; allowed: a YAML or JSON file; `npx bybit-backstop init` writes one',
    );
  });

  test("a folder in place of a file is named with the option that named it", async () => {
    const error = await attempt({ file: "here", cwd: folder({ "here/x": "" }) });
    expect(String(error)).toContain(
      'here: --config: "here" cannot be read (it is a folder); allowed: a YAML or JSON file',
    );
  });

  test("an empty path is no folder and no default", async () => {
    const error = await attempt({ file: "", cwd: folder({}) });
    expect(String(error)).toContain('config: --config: "" names no file; allowed: the path of a YAML or JSON file.');
  });

  test("a file that is no text is refused", async () => {
    const cwd = folder({});
    writeFileSync(join(cwd, "raw"), Buffer.from([0x61, 0xff, 0xfe]));
    const error = await attempt({ env: { BACKSTOP_CONFIG: "raw" }, cwd });
    expect(String(error)).toContain('raw: $BACKSTOP_CONFIG: "raw" cannot be read (it is no UTF-8 text)');
  });

  test("an account asked for by a name that no account has", async () => {
    const { message } = await refusal(`${ACCOUNT}${STOP}`, { accounts: ["mian"] });
    expect(message).toContain('config/backstop.yaml: --account: "mian" is no account of this config; allowed: main.');
  });
});

describe("keys and secrets", () => {
  const withSecret = (text: string) => `${ACCOUNT.replace("${MAIN_SECRET}", text)}${STOP}`;

  test("a missing environment variable is named", async () => {
    const { message } = await refusal(`${ACCOUNT}${STOP}`, { env: { MAIN_KEY: CANARY_KEY } });
    expect(message).toBe(
      'config/backstop.yaml:5:13: accounts[0].secret: "${MAIN_SECRET}" names $MAIN_SECRET, which is not set or empty; allowed: ${NAME} for a variable that is set, or file:PATH of a file that only its owner (and group) can read.',
    );
  });

  test("a literal secret on mainnet is refused and not repeated", async () => {
    const { message } = await refusal(withSecret(CANARY_SECRET));
    expect(message).toContain("accounts[0].secret: (value hidden) is a literal, which environment mainnet refuses");
    expect(message).not.toContain(CANARY_SECRET);
  });

  test.each(["644", "604", "660", "777"])("a secret file with mode 0%s is refused", async (mode) => {
    const more = { files: { "config/secret": CANARY_SECRET }, modes: { "config/secret": Number.parseInt(mode, 8) } };
    const { message } = await refusal(withSecret("file:secret"), more);
    expect(message).toContain('accounts[0].secret: "file:secret" names ');
    expect(message).toContain(`/config/secret with mode 0${mode}, open to others; chmod 600 or 640 closes it`);
    expect(message).not.toContain(CANARY_SECRET);
  });

  test.each(["400", "600", "440", "640"])(
    "a secret file with mode 0%s is read, its last newline left out",
    async (mode) => {
      const more = {
        files: { "config/secret": `${CANARY_SECRET}\n` },
        modes: { "config/secret": Number.parseInt(mode, 8) },
      };
      const settings = await load(withSecret("file:secret"), more);
      expect(settings.accounts[0]?.secret).toBe(CANARY_SECRET);
    },
  );

  test("a missing, an empty and an odd secret file are refused", async () => {
    const more = { files: { "config/empty": "\n", "config/folder/x": "" } };
    expect((await refusal(withSecret("file:none"), more)).message).toContain("cannot be read");
    expect((await refusal(withSecret("file:empty"), more)).message).toContain("which is empty");
    expect((await refusal(withSecret("file:folder"), more)).message).toContain("which is no small plain file");
  });

  test.skipIf(process.getuid?.() !== 0)(
    "a secret file of another user is refused (needs root to prepare)",
    async () => {
      const cwd = folder({ "config/backstop.yaml": withSecret("file:secret"), "config/secret": CANARY_SECRET });
      chownSync(join(cwd, "config/secret"), 12_345, 0);
      const error = await loadSettings({ file: undefined, env: ENV, cwd }).catch((thrown: unknown) => thrown);
      expect(String(error)).toContain("owned by user 12345; it must belong to user 0 or to root");
    },
  );

  test("a symlink inside a secret mount is followed", async () => {
    const cwd = folder({
      "config/backstop.yaml": withSecret("file:mount/secret"),
      "config/mount/..data/secret": CANARY_SECRET,
    });
    symlinkSync(join("..data", "secret"), join(cwd, "config/mount/secret"));
    const settings = await loadSettings({ file: undefined, env: ENV, cwd });
    expect(settings.accounts[0]?.secret).toBe(CANARY_SECRET);
  });

  test("an account that is not asked for needs no secret", async () => {
    const other = "  - { name: other, environment: mainnet, key: '${NONE}', secret: 'file:none' }\n";
    const settings = await load(`${ACCOUNT}${other}${STOP}`, { accounts: ["main"] });
    expect(settings.accounts.map((account) => account.name)).toEqual(["main"]);
    expect((await refusal(`${ACCOUNT}${other}${STOP}`)).problems).toHaveLength(2);
  });
});

describe("an address of the server that other machines reach", () => {
  const http = (rest: string) => `${ACCOUNT}${STOP}http: { ${rest} }\n`;

  test.each(["0.0.0.0", "'::'", "192.0.2.1", "127.0.0.1.example.com", "bot.example.com", "'::ffff:127.0.0.1'", "'*'"])(
    "(%s) is refused, and the message names what would allow it",
    async (host) => {
      const { message } = await refusal(http(`host: ${host}`));
      expect(message).toMatch(
        /http\.host: ".*" is not allowed; allowed: 127\.0\.0\.1, localhost or ::1; there is no TLS/,
      );
      expect(message).toContain("http.allowRemote: true");
      expect((await refusal(http(`host: ${host}, allowRemote: false`))).message).toContain("allowRemote");
      expect((await load(http(`host: ${host}, allowRemote: true`))).http?.host).toBe(host.replaceAll("'", ""));
    },
  );

  test.each(["127.0.0.1", "127.0.0.2", "localhost", "'::1'"])("is not the loopback's: %s", async (host) => {
    expect((await load(http(`host: ${host}`))).http?.host).toBe(host.replaceAll("'", ""));
  });
});

describe("a secret in the wrong place stays out of every message", () => {
  const s = CANARY_SECRET;
  test.each([
    ["a misspelt secret", `${ACCOUNT}    secert: ${s}\n${STOP}`],
    ["an unknown key of the top level", `${ACCOUNT}${STOP}apiSecret: ${s}\n`],
    ["a harmless key", `${ACCOUNT}${STOP}scope: ${s}\n`],
    ["the account's name", `${ACCOUNT.replace("main\n", `${s}\n`)}${STOP}`],
    ["an alias", `${ACCOUNT.replace("${MAIN_SECRET}", `*${s}`)}${STOP}`],
    ["a tag", `${ACCOUNT.replace("${MAIN_SECRET}", `!${s}`)}${STOP}`],
    ["a block scalar's head", `${ACCOUNT.replace("${MAIN_SECRET}", `|${s}`)}${STOP}`],
    ["a forgotten space", `${ACCOUNT.replace("secret: ${MAIN_SECRET}", `secret:${s}`)}${STOP}`],
    ["an open quote", `${ACCOUNT.replace("${MAIN_SECRET}", `"${s}`)}${STOP}`],
    ["a reserved character", `${ACCOUNT.replace("${MAIN_SECRET}", `@${s}`)}${STOP}`],
    ["a list", `${ACCOUNT.replace("${MAIN_SECRET}", `[${s}]`)}${STOP}`],
    ["braces without a variable of that name", `${ACCOUNT.replace("${MAIN_SECRET}", `\${${s}}`)}${STOP}`],
    ["a file's name", `${ACCOUNT.replace("${MAIN_SECRET}", `file:${s}`)}${STOP}`],
    ["a file's name below a folder", `${ACCOUNT.replace("${MAIN_SECRET}", `file:/run/secrets/${s}/`)}${STOP}`],
    ["a variable's name in a path", `${ACCOUNT.replace("${MAIN_SECRET}", `file:\${${s}}`)}${STOP}`],
    ["a database URL", `${ACCOUNT}${STOP}ledger: { url: "mysql://me:${s}@db/x" }\n`],
    ["a database URL behind a question mark", `${ACCOUNT}${STOP}ledger: { url: "pgsql://db/x?password=${s}" }\n`],
    ["a heartbeat URL", `${ACCOUNT}${STOP}heartbeat: { url: "ftp://hc/${s}" }\n`],
    ["a key of its own, with a colon and no digit", `${ACCOUNT}${STOP}"secret:${"abcdefGHIJ".repeat(4)}": 1\n`],
    ["a key of its own", `${ACCOUNT}${STOP}${s}: 1\n`],
  ])("%s", async (_place, config) => {
    const error = await refusal(config);
    expect(error.message).not.toContain(s);
    expect(JSON.stringify(error.problems)).not.toContain(s);
  });

  test("a file's name, while the other paths are shown as they are", async () => {
    const both = `${ACCOUNT.replace("${MAIN_KEY}", "file:${PATH_TO_MY_KEYS}/key").replace("${MAIN_SECRET}", `file:${s}`)}${STOP}`;
    const { message } = await refusal(both, { env: { PATH_TO_MY_KEYS: "/no/such/KeysOfMyOwnBybitAccount" } });
    expect(message).toContain(
      'key: "file:${PATH_TO_MY_KEYS}/key" names a file that cannot be read: /no/such/KeysOfMyOwnBybitAccount/key (ENOENT);',
    );
    expect(message).toContain("secret: (value hidden) names a file that cannot be read: (path hidden) (ENOENT);");
  });

  test("a file's name that a variable holds", async () => {
    const { message } = await refusal(`${ACCOUNT.replace("${MAIN_SECRET}", "file:${MYSECRETSOFBYBIT}")}${STOP}`, {
      env: { MAIN_KEY: CANARY_KEY, MYSECRETSOFBYBIT: s },
    });
    expect(message).toContain('"file:${MYSECRETSOFBYBIT}" names a file that cannot be read: (path hidden) (ENOENT);');
  });

  /** Such as no key of the exchange has, and so nobody would know by its looks. */
  const WORD = "hunter2/x";
  test.each([
    ["of a database", `${ACCOUNT}${STOP}ledger: { url: "mysql://me:${WORD}@db/x" }\n`],
    ["of a database, with an @ in it", `${ACCOUNT}${STOP}ledger: { url: "mysql://me:pass@${WORD}@db/x" }\n`],
    ["behind a question mark", `${ACCOUNT}${STOP}ledger: { url: "mysql://db/x?user=me&password=${WORD}" }\n`],
    [
      "of an exchange's address",
      `${ACCOUNT.replace("mainnet", "custom")}    restUrl: http://me:${WORD}@127.0.0.1/\n    wsUrl: me:${WORD}@host\n${STOP}`,
    ],
  ])("a password %s", async (_whose, config) => {
    const error = await refusal(config);
    expect(error.message).toContain("(hidden)");
    expect(error.message).not.toContain("hunter2");
    expect(JSON.stringify(error.problems)).not.toContain("hunter2");
  });

  test.each(["pwd", "of"])("a password under the key %s, which nobody knows", async (key) => {
    const error = await refusal(`${ACCOUNT}${STOP}ledger: { url: "file:state/x.db", ${key}: "${WORD}" }\n`);
    expect(error.message).toContain(`ledger.${key}: (value hidden) is an unknown key`);
    expect(JSON.stringify(error.problems)).not.toContain("hunter2");
  });

  test("a secret that stands in another place as well is known there too, whatever it looks like", async () => {
    const odd = 'Odd-"secret"/+%';
    const { message } = await refusal(`${ACCOUNT}${STOP}scope: '${odd}'\n`, { env: { ...ENV, MAIN_SECRET: odd } });
    expect(message).toContain('scope: "[secret]" is not allowed');
  });

  test("the name of an account that is asked for", async () => {
    const error = await refusal(`${ACCOUNT}${STOP}`, { accounts: [`Another${s}`] });
    expect(error.message).toContain("--account: (value hidden) is no account of this config; allowed: main.");
    expect(JSON.stringify(error.problems)).not.toContain(s);
  });

  test("secrets that were read stay out of the refusal of something else", async () => {
    const { message } = await refusal(`${ACCOUNT}${STOP}scoop: 1\n`);
    expect(message).not.toContain(CANARY_KEY);
    expect(message).not.toContain(CANARY_SECRET);
  });
});

test("the folder helper cannot hide an accepted config", async () => {
  await expect(refusal(`${ACCOUNT}${STOP}`)).rejects.toThrow("the config was accepted");
});
