/** The sidecar under strain: many positions, stream drops, failing requests; it ends with a verdict. */
import { ensureBuilt, ensureInstalled, root, run } from "./prepare.mjs";
import { join } from "node:path";

ensureInstalled();
ensureBuilt();
process.exit(run(process.execPath, [join(root, "scripts", "bench", "soak.mjs"), ...process.argv.slice(2)]));
