/** How long from a fill to a stop resting at the exchange: the sidecar beside a bare script that writes from the push. */
import { ensureBuilt, ensureInstalled, root, run } from "./prepare.mjs";
import { join } from "node:path";

ensureInstalled();
ensureBuilt();
process.exit(run(process.execPath, [join(root, "scripts", "bench", "protect.mjs"), ...process.argv.slice(2)]));
