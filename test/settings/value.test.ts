/** A config handed over as a value: the same schema as the file, and keys that may stand in it. */
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadSettings, type SettingsError } from "../../src/settings/index.js";
import { CANARY_KEY, CANARY_SECRET, folder } from "./folder.js";

const ACCOUNT = { name: "main", environment: "demo", key: CANARY_KEY, secret: CANARY_SECRET };
const CONFIG = { accounts: [ACCOUNT], protection: { stopLoss: { distance: "2%" } } };

const load = (value: unknown, more: object = {}) =>
  loadSettings({ file: undefined, value, env: {}, cwd: folder({}), ...more });

async function refusal(value: unknown): Promise<SettingsError> {
  return load(value).then(
    () => Promise.reject(new Error("the config was accepted")),
    (error: SettingsError) => error,
  );
}

describe("a config as a value", () => {
  test("may hold its keys, on every environment", async () => {
    const { accounts } = await load(CONFIG);
    expect(accounts).toMatchObject([{ environment: "demo", key: CANARY_KEY, secret: CANARY_SECRET }]);
  });

  test("may point at variables and files, which are below the folder, as is its ledger", async () => {
    const cwd = folder({ "keys/secret": `${CANARY_SECRET}\n` });
    const accounts = [{ ...ACCOUNT, key: "${K}", secret: "file:keys/secret" }];
    const settings = await load({ ...CONFIG, accounts }, { cwd, env: { K: CANARY_KEY } });
    expect(settings.accounts[0]).toMatchObject({ key: CANARY_KEY, secret: CANARY_SECRET });
    expect(settings.ledger.url).toBe(`file:${join(cwd, "state/backstop.db")}`);
    expect(settings.stateDir).toBe(join(cwd, "state"));
  });

  test("has the same defaults where a key is undefined as where it is absent", async () => {
    const { policy } = await load({ ...CONFIG, scope: undefined, rules: undefined });
    expect(policy).toMatchObject({ scope: "all", rules: [] });
  });

  test("is refused with every problem by its key, and no secret in the words", async () => {
    const error = await refusal({
      ...CONFIG,
      accounts: [{ ...ACCOUNT, secert: CANARY_SECRET }],
      protection: { stopLoss: { distance: "2" }, mode: "snyc" },
    });
    expect(error.problems.map(({ file, line, key }) => [file, line, key])).toEqual([
      ["config", null, "accounts[0].secert"],
      ["config", null, "protection.mode"],
      ["config", null, "protection.stopLoss.distance"],
    ]);
    expect(error.message).toContain('config: protection.mode: "snyc" is not allowed');
    expect(error.message).toContain("Did you mean sync?");
    expect(error.message).not.toContain(CANARY_SECRET);
  });

  test("is not changed by what its owner does with it later", async () => {
    const given = structuredClone(CONFIG);
    const { policy } = await load(given);
    given.protection.stopLoss.distance = "50%";
    expect(policy.defaults.stopLoss?.distance.toFixed()).toBe("0.02");
  });
});
