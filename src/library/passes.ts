/** One pass over every account, for other programs: to look, or to set what is missing. */
import type { Report } from "../report/index.js";
import { auditOnce } from "../service/audit.js";
import { protectOnce } from "../service/protect.js";
import { fitting } from "./fitting.js";
import { begin, type Options } from "./options.js";

/**
 * Reads every position and its protection, and reports. It cannot write: it has no writer, its connection lets nothing
 * but GET out, and no ledger is opened for writing.
 *
 * What cannot be read is in the report: gaps, `unknown`, an account that is not `complete`.
 * `exitCode(report, "warning")` sums it up as the command `audit` does.
 *
 * @throws SettingsError for a config that does not fit; nothing was asked of the exchange then
 * @throws StartRefused where the process is set up such that secrets would leak
 */
export async function audit(options: Options = {}): Promise<Report> {
  return auditOnce(await begin(fitting(options, [])));
}

export interface ProtectOptions extends Options {
  /** True: plans and reports, and is handed no writer. Default false. */
  readonly dryRun?: boolean;
}

/**
 * One pass: audit, plan, apply, verify. It asks nobody; look at a dry run first. What was written and proven stands
 * under `steps` of each position, what the pass has not cured under its findings.
 *
 * @throws SettingsError for a config that does not fit
 * @throws StartRefused for a key that may withdraw, or transfer without leave; nothing was sent then
 */
export async function protect(given: ProtectOptions = {}): Promise<Report> {
  const { dryRun = false, ...options } = fitting(given, ["dryRun"]);
  return protectOnce(await begin(options), { access: dryRun ? "read" : "write" });
}
