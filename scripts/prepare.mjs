/** What every other script needs first: the right Node, installed packages, a build that matches the sources. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
export const fingerprintFile = join(root, "dist", ".fingerprint");

const OLDEST_NODE = [20, 19];

/** Lines go to stderr: stdout belongs to the command that runs afterwards. */
export function say(line) {
  process.stderr.write(`${line}\n`);
}

function fail(line) {
  say(line);
  process.exit(1);
}

/** As `parseArgs` reads them; `--help`, and what is no option, end in a list of those that are. */
export function optionsFrom(options) {
  const names = Object.entries(options).map(([name, { type }]) =>
    type === "string" ? `--${name} VALUE` : `--${name}`,
  );
  try {
    const { values } = parseArgs({ options: { ...options, help: { type: "boolean", default: false } } });
    if (!values.help) return values;
    say(`options: ${names.join(", ")}`);
    process.exit(0);
  } catch (error) {
    say(`${error.message}\noptions: ${names.join(", ")}`);
    process.exit(64);
  }
}

function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const old = major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]);
  if (old)
    fail(`Node ${OLDEST_NODE.join(".")} or newer is needed; this is ${process.versions.node} (https://nodejs.org).`);
}

/** Runs a program to its end; its output goes to stderr. Returns the exit code. */
function runAside(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: ["ignore", 2, 2], ...options });
  if (result.error) say(`${command}: ${result.error.message}`);
  return result.status ?? 1;
}

/** Runs npm, as it was started itself where it was. Returns the exit code. */
export function npm(args, options = {}) {
  const entry = process.env.npm_execpath ?? "";
  if (/npm-cli\.c?js$/.test(entry)) return runAside(process.execPath, [entry, ...args], options);
  return runAside("npm", args, { shell: process.platform === "win32", ...options });
}

/** The packages of a lockfile, by their folder. */
function packagesIn(file) {
  const { packages = {} } = JSON.parse(readFileSync(file, "utf8"));
  return new Map(Object.entries(packages));
}

/**
 * npm writes its own record into node_modules as the last act of an install, so comparing it with the lockfile
 * tells a whole install from a broken or an old one, whatever the files' times say.
 */
function isInstalled() {
  const record = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(record)) return false;
  const installed = packagesIn(record);
  return [...packagesIn(join(root, "package-lock.json"))].every(([path, wanted]) => {
    // Optional packages are those of other machines, such as a compiler for another processor.
    if (path === "" || (wanted.optional && !installed.has(path))) return true;
    return installed.get(path)?.version === wanted.version && existsSync(join(root, path));
  });
}

export function ensureInstalled() {
  requireNode();
  if (isInstalled()) return;
  say("Installing packages (npm ci) …");
  // Development packages build and test; NODE_ENV=production would leave them out.
  const code = npm(["ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"]);
  if (code !== 0) fail("Installing failed. npm needs to reach its registry once; what it says stands above.");
}

function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

/** One hash of everything a build depends on; contents, because a checkout sets new times. */
export function sourceFingerprint() {
  const hash = createHash("sha256");
  const inputs = ["tsconfig.json", "package-lock.json", "scripts/build.mjs"].map((name) => join(root, name));
  for (const file of [...inputs, ...filesBelow(join(root, "src"))]) {
    hash
      .update(`${file.slice(root.length)}\0`)
      .update(readFileSync(file))
      .update("\0");
  }
  return hash.digest("hex");
}

export function ensureBuilt() {
  const built = existsSync(fingerprintFile) ? readFileSync(fingerprintFile, "utf8") : "";
  if (built === sourceFingerprint()) return;
  say("Building (tsc) …");
  const code = runAside(process.execPath, [join(root, "scripts", "build.mjs")]);
  if (code !== 0) fail("The build failed; what is wrong stands above.");
}

/** Runs a program with this terminal. Returns the exit code. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { stdio: "inherit", ...options });
  if (result.error) say(`${command}: ${result.error.message}`);
  return result.status ?? 1;
}

/** Runs an installed tool in the project's folder. Returns the exit code. */
export function runTool(name, args) {
  const windows = process.platform === "win32";
  const file = join(root, "node_modules", ".bin", windows ? `${name}.cmd` : name);
  return run(file, args, { cwd: root, shell: windows });
}

/** Runs the built program in the current folder. Returns the exit code. */
export function runProgram(args) {
  return run(process.execPath, [join(root, "dist", "cli", "bin.js"), ...args]);
}
