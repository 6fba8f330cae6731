/** Formats sources, tests and scripts in place. */
import { ensureInstalled, runTool } from "./prepare.mjs";

ensureInstalled();
process.exit(runTool("biome", ["format", "--write", "."]));
