/** The systemd unit that we hand out: what its comments tell people to write is valid, and its hardening stands. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { folder, load, STOP } from "./folder.js";

const unit = readFileSync(new URL("../../config/backstop.service", import.meta.url), "utf8");
const settingsOfUnit = unit.split("\n").filter((line) => /^[A-Z]\w+=/.test(line));

test("the config lines in its head load with credentials as systemd leaves them: owned by root, read by the group", async () => {
  const modes = { key: 0o440, secret: 0o440 };
  const CREDENTIALS_DIRECTORY = folder({ key: "SomeKey00000000001\n", secret: "SomeSecret0000000001\n" }, modes);
  const shown = [...unit.matchAll(/^# {3}(key|secret|ledger|http): +(.*?)(?: {2,}\(.*\))?$/gm)];
  expect(shown.map(([, key]) => key)).toEqual(["key", "secret", "ledger", "http"]);
  const line = (index: number) => `${shown[index]?.[1]}: ${shown[index]?.[2]}\n`;
  const account = `accounts:\n  - name: main\n    environment: mainnet\n    ${line(0)}    ${line(1)}`;
  const settings = await load(`${account}${STOP}${line(2)}${line(3)}`, { env: { CREDENTIALS_DIRECTORY } });
  expect(settings.accounts[0]).toMatchObject({ key: "SomeKey00000000001", secret: "SomeSecret0000000001" });
  expect(settings.stateDir).toBe(join("/var/lib", /^StateDirectory=(.*)$/m.exec(unit)?.[1] ?? ""));
  expect(settings.http?.tokenFile).toBe(join(settings.stateDir, "token"));
});

test.each([
  "Type=notify",
  "NotifyAccess=all",
  "Restart=always",
  "RestartPreventExitStatus=64",
  "LoadCredential=key:/etc/backstop/credentials/key",
  "LoadCredential=secret:/etc/backstop/credentials/secret",
  "DynamicUser=yes",
  "StateDirectoryMode=0700",
  "ProtectSystem=strict",
  "CapabilityBoundingSet=",
  "SystemCallFilter=@system-service",
  "SystemCallFilter=~@privileged @resources",
  "LimitCORE=0",
  "MemoryDenyWriteExecute=no",
])("it says %s", (line) => {
  expect(settingsOfUnit).toContain(line);
});

test("no secret stands in it, and none comes by the environment", () => {
  expect(settingsOfUnit.filter((line) => /^(?:Environment|PassEnvironment).*(?:KEY|SECRET|TOKEN)/.test(line))).toEqual(
    [],
  );
});
