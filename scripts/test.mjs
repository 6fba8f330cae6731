/** Everything that can be tested without a network: format, lint, types, the tests, and 200 seeds of the simulation with those that once found something. Arguments go to vitest, and then nothing is simulated. */
import { join } from "node:path";
import { ensureBuilt, ensureInstalled, root, run, runTool, say } from "./prepare.mjs";

ensureInstalled();
ensureBuilt();
const checked = run(process.execPath, [join(root, "scripts", "check.mjs")]);
if (checked !== 0) process.exit(checked);

say("\n— tests —");
const tested = runTool("vitest", ["run", ...process.argv.slice(2)]);
if (tested !== 0) say("\n✗ tests failed.");
if (tested !== 0 || process.argv.length > 2) process.exit(tested);

say("\n— simulation —");
const seeds = ["--seeds", "200", "--hours", "6", "--found"];
const simulated = run(process.execPath, [join(root, "scripts", "simulate.mjs"), ...seeds]);
if (simulated !== 0) say("\n✗ the simulation found what must not happen; the line above runs the seed again.");
process.exit(simulated);
