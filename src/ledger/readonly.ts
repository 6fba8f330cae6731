/** The switch that stops all writes: an environment variable, or a file that survives restarts. */
import { existsSync } from "node:fs";
import { join } from "node:path";

/** Why nothing may be written; null: writing is allowed. Asked again right before every write. */
export function readOnlyReason(stateDir: string, env: NodeJS.ProcessEnv): string | null {
  const variable = env["BACKSTOP_READONLY"];
  if (variable !== undefined && variable !== "" && variable !== "0")
    return "BACKSTOP_READONLY is set: nothing is written";
  const file = join(stateDir, "READONLY");
  return existsSync(file) ? `${file} exists: nothing is written` : null;
}
