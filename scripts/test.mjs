/** Everything that can be tested without a network: format, lint, types, then the tests. Arguments go to vitest. */
import { join } from "node:path";
import { ensureBuilt, ensureInstalled, root, run, runTool, say } from "./prepare.mjs";

ensureInstalled();
ensureBuilt();
const checked = run(process.execPath, [join(root, "scripts", "check.mjs")]);
if (checked !== 0) process.exit(checked);

say("\n— tests —");
const tested = runTool("vitest", ["run", ...process.argv.slice(2)]);
if (tested !== 0) say("\n✗ tests failed.");
process.exit(tested);
