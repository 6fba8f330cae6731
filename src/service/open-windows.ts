/** What would show the key to whoever looks, or let it go out unguarded: nothing starts before it is closed. */
import { isLoopbackUrl, openInspector } from "../runtime/index.js";
import type { AccountSettings } from "../settings/index.js";
import { StartRefused } from "./refused.js";

interface Process {
  readonly env: NodeJS.ProcessEnv;
  /** What node itself was started with. */
  readonly execArgv: readonly string[];
  /** Where a debugger can connect; null: nowhere. */
  readonly inspector: string | null;
}

/**
 * A simulator's key may be looked at, so of a simulator on this machine only the SDK's own trace is refused.
 * @throws StartRefused
 */
export function refuseOpenWindows(account: AccountSettings): void {
  const here: Process = { env: process.env, execArgv: process.execArgv, inspector: openInspector() };
  const why = traceOf(here) ?? (isSimulator(account) ? null : windowOf(here, account.name));
  if (why !== null) throw new StartRefused(why);
}

function traceOf({ env }: Process): string | null {
  if (!env["BYBITTRACE"]) return null;
  return "BYBITTRACE is set, which makes the SDK print signed requests; unset it and start again";
}

function windowOf(here: Process, name: string): string | null {
  const { env, inspector } = here;
  const only = "allowed: only with a simulator on this machine.";
  if (inspector !== null) {
    return (
      `a debugger can connect to this process at ${inspector} and read the key of account ${name}; start node without ` +
      `--inspect, also in NODE_OPTIONS. ${only}`
    );
  }
  if (env["NODE_DEBUG"]) {
    return `NODE_DEBUG is set, which makes node print requests with their key and signature; unset it. ${only}`;
  }
  if (env["NODE_TLS_REJECT_UNAUTHORIZED"] === "0") {
    return (
      "NODE_TLS_REJECT_UNAUTHORIZED=0 lets anybody on the way pretend to be the exchange and read the key of account " +
      `${name}; unset it (NODE_EXTRA_CA_CERTS names a further authority). ${only}`
    );
  }
  const dump = dumpingOption(here);
  if (dump === null) return null;
  return `node's option ${dump} can write the key of account ${name} to a file; start without it, also in NODE_OPTIONS. ${only}`;
}

/** Memory, environment or the keys of TLS connections, as files. */
const DUMPS = /^--(?:heapsnapshot-|report-on-|report-uncaught-|tls-keylog|abort-on-uncaught-)/;

function dumpingOption({ env, execArgv }: Process): string | null {
  const given = [...execArgv, ...(env["NODE_OPTIONS"] ?? "").split(/[\s"]+/)];
  // Node takes _ for - in them.
  const names = given.map((option) => (option.split("=", 1)[0] ?? "").replaceAll("_", "-"));
  return names.find((option) => DUMPS.test(option)) ?? null;
}

/** By its address: what calls itself custom may be the real exchange behind another name. */
function isSimulator({ environment, restUrl }: AccountSettings): boolean {
  return environment === "custom" && restUrl !== undefined && isLoopbackUrl(restUrl);
}
