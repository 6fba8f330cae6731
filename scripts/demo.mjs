/** The story in a minute, on the simulated exchange; needs neither key nor network. */
import { ensureBuilt, ensureInstalled, runProgram } from "./prepare.mjs";

ensureInstalled();
ensureBuilt();
process.exit(runProgram(["demo", ...process.argv.slice(2)]));
