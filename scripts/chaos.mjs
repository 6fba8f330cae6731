/** Kills, pauses, cut lines, full disks and set clocks for the built program, as real processes; --seed, --rounds, --minutes, --json. */
import { join } from "node:path";
import { writeFileSync } from "node:fs";
import { ensureBuilt, ensureInstalled, root, run, runTool } from "./prepare.mjs";

ensureInstalled();
ensureBuilt();
// Compiled beside the product, never into it.
if (runTool("tsc", ["-p", "tsconfig.chaos.json"]) !== 0) process.exit(1);
writeFileSync(join(root, ".chaos", "package.json"), '{ "type": "module" }\n');
const main = join(root, ".chaos", "test", "chaos", "main.js");
process.exit(run(process.execPath, ["--enable-source-maps", main, ...process.argv.slice(2)], { cwd: root }));
