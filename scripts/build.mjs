/** Compiles src into dist; a failed build leaves the last good one in place. */
import { chmodSync, cpSync, existsSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureInstalled, fingerprintFile, root, runTool, sourceFingerprint } from "./prepare.mjs";

ensureInstalled();
const fingerprint = sourceFingerprint();
const dist = join(root, "dist");
const next = join(root, `dist.next-${process.pid}`);

const code = runTool("tsc", ["-p", "tsconfig.json", "--outDir", next]);
if (code !== 0) {
  rmSync(next, { recursive: true, force: true });
  process.exit(code);
}
// Pages, styles and the like are taken over as they are.
cpSync(join(root, "src"), next, { recursive: true, filter: (file) => !file.endsWith(".ts") });
const bin = join(next, "cli", "bin.js");
if (existsSync(bin)) chmodSync(bin, 0o755);
rmSync(dist, { recursive: true, force: true });
renameSync(next, dist);
writeFileSync(fingerprintFile, fingerprint);
