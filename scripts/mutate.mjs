/** Mutation test of the decision core: `npm run mutate -- --room policy`; Stryker lives in a folder of its own. */
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureInstalled, npm, optionsFrom, root, run, runTool, say } from "./prepare.mjs";

const ROOMS = ["policy", "assess", "plan", "apply", "verify"];
const LEAST_SCORE = 90;
const MOST_WORKERS = 2;
/** Share of the usual runs of each property. */
const PROPERTY_RUNS = "0.1";

const OPTIONS = {
  room: { type: "string", multiple: true, default: ROOMS },
  file: { type: "string", multiple: true },
  workers: { type: "string", default: "1" },
  json: { type: "boolean", default: false },
  coverage: { type: "boolean", default: false },
};

const tools = join(root, ".mutation");
const pinned = join(root, "scripts", "mutation");

/** Beside the project's own packages, tied to checksums by a lockfile of its own. */
function ensureTools() {
  const hash = createHash("sha256");
  for (const name of ["package.json", "package-lock.json"]) hash.update(readFileSync(join(pinned, name)));
  const fingerprint = hash.digest("hex");
  const mark = join(tools, ".fingerprint");
  if (existsSync(mark) && readFileSync(mark, "utf8") === fingerprint) return;
  say("Installing Stryker into .mutation (npm ci) …");
  mkdirSync(tools, { recursive: true });
  for (const name of ["package.json", "package-lock.json"]) copyFileSync(join(pinned, name), join(tools, name));
  // Without peers: its vitest is the project's.
  const code = npm(["ci", "--ignore-scripts", "--legacy-peer-deps", "--no-audit", "--no-fund"], { cwd: tools });
  if (code !== 0) process.exit(code);
  writeFileSync(mark, fingerprint);
}

function settingsFor(files, report, workers) {
  return {
    testRunner: "vitest",
    plugins: ["@stryker-mutator/vitest-runner"],
    vitest: { configFile: "scripts/mutation/vitest.config.mjs", related: false },
    coverageAnalysis: "perTest",
    concurrency: Math.min(MOST_WORKERS, Number(workers)),
    mutate: files,
    // What is copied to where the mutants run; a tsconfig would be rewritten through an interface that TypeScript 7 lacks.
    ignorePatterns: ["**", "!src/**/*.ts", "!test/**/*.ts", "!scripts/mutation/*.mjs", "!package.json"],
    tempDirName: ".mutation/tmp",
    reporters: ["json", process.stderr.isTTY ? "progress" : "progress-append-only"],
    jsonReporter: { fileName: report },
    allowConsoleColors: false,
    timeoutMS: 5_000,
  };
}

/** Returns Stryker's report on these files. */
function reportOn(room, files, workers) {
  const report = join(tools, `${room}.json`);
  const settings = join(tools, `${room}.stryker.json`);
  rmSync(report, { force: true });
  writeFileSync(settings, JSON.stringify(settingsFor(files, report, workers), null, 2));
  const stryker = join(tools, "node_modules", "@stryker-mutator", "core", "bin", "stryker.js");
  const env = { ...process.env, MUTATED_ROOM: room, RUNS: PROPERTY_RUNS };
  // What it tells goes to stderr: stdout belongs to the figures.
  run(process.execPath, [stryker, "run", settings], { cwd: root, env, stdio: ["ignore", 2, 2] });
  if (existsSync(report)) return JSON.parse(readFileSync(report, "utf8"));
  say("\n✗ Stryker has left no report; what it says stands above.");
  return process.exit(1);
}

/**
 * A static mutant is there while the tests are read. Where they cannot be, none of them fails, and Stryker counts a
 * survivor that no test was run against.
 */
function statusOf({ status, static: isStatic, testsCompleted }) {
  return status === "Survived" && isStatic && testsCompleted === 0 ? "Killed" : status;
}

function figuresOf(room, { files }) {
  const all = Object.entries(files).flatMap(([path, { mutants }]) =>
    mutants.map((mutant) => ({ path, ...mutant, status: statusOf(mutant) })),
  );
  const withStatus = (status) => all.filter((mutant) => mutant.status === status);
  const count = (status) => withStatus(status).length;
  const [killed, timeout, survived, noCoverage] = ["Killed", "Timeout", "Survived", "NoCoverage"].map(count);
  const mutants = killed + timeout + survived + noCoverage;
  const score = mutants === 0 ? 100 : (100 * (killed + timeout)) / mutants;
  const left = [...withStatus("Survived"), ...withStatus("NoCoverage")].map(
    ({ path, location, mutatorName, replacement }) => ({
      place: `${path}:${location.start.line}:${location.start.column}`,
      mutator: mutatorName,
      replacement,
    }),
  );
  return { room, mutants, killed, timeout, survived, noCoverage, score: Number(score.toFixed(1)), left };
}

const COLUMNS = ["room", "mutants", "killed", "timeout", "survived", "noCoverage", "score"];

function tell(figures) {
  for (const { left } of figures) {
    for (const { place, mutator, replacement } of left) {
      say(`  ${place} ${mutator}: ${(replacement ?? "").replaceAll(/\s+/g, " ").slice(0, 120)}`);
    }
  }
  const line = (cells) => cells.map((cell) => String(cell).padStart(10)).join(" ");
  process.stdout.write(`${line(COLUMNS)}\n`);
  for (const one of figures) process.stdout.write(`${line(COLUMNS.map((name) => one[name]))}\n`);
}

/** Every branch of the rooms is taken by their own tests; no mutants. Returns the exit code. */
function cover(rooms) {
  const tests = [...ROOMS, "pass"].map((room) => `test/${room}/`);
  const included = rooms.map((room) => `--coverage.include=src/${room}/**`);
  const least = ["branches", "functions", "lines"].map((what) => `--coverage.thresholds.${what}=100`);
  return runTool("vitest", ["run", ...tests, "--coverage", "--coverage.reporter=text", ...included, ...least]);
}

const values = optionsFrom(OPTIONS);
function refuse(line) {
  say(line);
  process.exit(64);
}

/** What is to be mutated of each room that was asked for. */
function filesByRoom({ room: rooms, file: only }) {
  const strange = [
    ...rooms.filter((room) => !ROOMS.includes(room)),
    ...(only ?? []).filter((file) => !rooms.some((room) => file.startsWith(`src/${room}/`))),
  ];
  if (strange.length > 0) refuse(`Not in these rooms: ${strange.join(", ")}. There are ${ROOMS.join(", ")}.`);
  return rooms
    .map((room) => [room, only?.filter((file) => file.startsWith(`src/${room}/`)) ?? [`src/${room}/**/*.ts`]])
    .filter(([, files]) => files.length > 0);
}

const rooms = filesByRoom(values);
ensureInstalled();
if (values.coverage) process.exit(cover(values.room));
ensureTools();
const figures = rooms.map(([room, files]) => figuresOf(room, reportOn(room, files, values.workers)));
if (values.json) process.stdout.write(`${JSON.stringify(figures)}\n`);
else tell(figures);
process.exit(figures.every(({ score }) => score >= LEAST_SCORE) ? 0 : 1);
