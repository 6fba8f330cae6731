/** Where the probe goes: by the address, whatever an account calls it. */
import { describe, expect, test } from "vitest";
import { probeHost } from "../../src/cli/probe/host.js";
import type { AccountSettings } from "../../src/settings/index.js";

const ACCOUNT: AccountSettings = {
  name: "main",
  environment: "custom",
  region: "default",
  key: "k",
  secret: "s",
  categories: ["linear"],
  allowPermissions: [],
  copyTradingMaster: false,
};

const to = (restUrl: string): string => probeHost({ ...ACCOUNT, restUrl });

describe("the probe goes", () => {
  test.each([
    ["demo", "https://api-demo.bybit.com"],
    ["testnet", "https://api-testnet.bybit.com"],
  ] as const)(
    "with environment %s to %s, also where the account names another address or region",
    (environment, url) => {
      expect(probeHost({ ...ACCOUNT, environment, restUrl: "https://api.bybit.com", region: "EU" })).toBe(url);
    },
  );

  test.each([
    "http://127.0.0.1:18090",
    "http://127.1.2.3:1",
    "http://localhost:18090",
    "http://LOCALHOST:18090",
    "http://[::1]:18090",
  ])("to a simulator on this machine: %s", (url) => {
    expect(to(url)).toBe(url);
  });
});

describe("the probe does not go", () => {
  test("to mainnet", () => {
    expect(() => probeHost({ ...ACCOUNT, environment: "mainnet" })).toThrow("this account is for mainnet");
    expect(() => probeHost(ACCOUNT)).toThrow("this account is for custom");
  });

  test.each([
    "https://api.bybit.com",
    "https://API.BYBIT.COM",
    "https://api.bybit.com.",
    "https://api-demo.bybit.com.evil.com",
    "https://api-demo.bybit.com@api.bybit.com",
    "https://evil.com/https://api-demo.bybit.com",
    "https://evil.com#api-demo.bybit.com",
    "https://evil.com?x=127.0.0.1",
    "http://127.0.0.1@api.bybit.com",
    "http://127.0.0.1:80@api.bybit.com",
    "http://localhost:18090@api.bybit.com",
    "http://127.0.0.1.evil.com:8080",
    "http://localhost.evil.com",
    "http://localhost.",
    "http://127.0.0.1\u3002evil.com",
    "http://evil.com\\@127.0.0.1",
    "http://0.0.0.0:18090",
    "http://128.0.0.1",
    "http://[::ffff:1.2.3.4]",
    "http://[::]:18090",
    "localhost:18090",
    "nonsense",
  ])("to %s", (url) => {
    expect(() => to(url)).toThrow("only goes to Bybit's demo and testnet");
  });
});
