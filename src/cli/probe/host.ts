/** Where the probe may go: demo, testnet and this machine, by their addresses and not by what a setting calls them. */
import { isLoopbackUrl } from "../../runtime/index.js";
import type { AccountSettings } from "../../settings/index.js";
import { Refusal } from "../exit.js";

/** docs/v5/guide, docs/v5/demo. Written out: no region and no setting leads anywhere else. */
const HOSTS = {
  demo: "https://api-demo.bybit.com",
  testnet: "https://api-testnet.bybit.com",
} as const;

/**
 * The address that every request of the probe goes to.
 * @throws Refusal for an account of any other exchange
 */
export function probeHost({ name, environment, restUrl }: AccountSettings): string {
  if (environment === "demo" || environment === "testnet") return HOSTS[environment];
  const isSimulator = environment === "custom" && restUrl !== undefined && isLoopbackUrl(restUrl);
  if (isSimulator) return restUrl;
  throw new Refusal(
    `account ${name}: the probe opens positions, so it only goes to Bybit's demo and testnet, and to a simulator on ` +
      `this machine; this account is for ${environment === "custom" ? (restUrl ?? "custom") : environment}. ` +
      "allowed: --account with an account of environment demo or testnet.",
  );
}
