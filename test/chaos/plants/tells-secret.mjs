/** A planted bug: what was signed with is logged. */
import { readFileSync } from "node:fs";

const config = process.argv[process.argv.indexOf("--config") + 1] ?? "";
const [{ secret }] = JSON.parse(readFileSync(config, "utf8")).accounts;
process.stderr.write(`${JSON.stringify({ level: "info", msg: `signing with ${secret}` })}\n`);
