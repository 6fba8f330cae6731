/**
 * One audit, for cron and CI: `npm run --silent audit -- --format json --fail-on critical`.
 * Arguments go to `backstop audit`; the exit code is its own (0 fine, 2 findings, 3 not all seen, 1 nothing seen, 64).
 */
import { ensureBuilt, ensureInstalled, runProgram } from "./prepare.mjs";

ensureInstalled();
ensureBuilt();
process.exit(runProgram(["audit", ...process.argv.slice(2)]));
