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

const PATIENCE_MS = 5_000;

/**
 * On this machine may also listen what passes everything on to the real exchange. A simulator shows its own state to
 * whoever asks; no exchange does, and nothing that it could do harm with is sent for it.
 * @throws Refusal where no simulator answers
 */
export async function refuseStranger(url: string): Promise<void> {
  if (!isLoopbackUrl(url) || (await showsItsState(url))) return;
  throw new Refusal(
    `${url} is no simulator of bybit-backstop, or it does not answer: it may pass everything on to the real exchange; ` +
      "allowed: `npx bybit-backstop simulator`, or an account of environment demo or testnet.",
  );
}

async function showsItsState(url: string): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const answer = await fetch(new URL("/_control/snapshot", url), { redirect: "error", signal });
    const state: unknown = await answer.json();
    return answer.ok && typeof state === "object" && state !== null && "accounts" in state;
  } catch {
    return false;
  }
}
