/** Seeded simulation: the real rooms under virtual time, with everything going wrong; --seeds N, --hours H, --seed N, --found, --planted. */
import { fork } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { ensureInstalled, optionsFrom, root, runTool, say } from "./prepare.mjs";

const OPTIONS = {
  seeds: { type: "string", default: "200" },
  hours: { type: "string", default: "6" },
  from: { type: "string", default: "1" },
  seed: { type: "string" },
  found: { type: "boolean", default: false },
  planted: { type: "boolean", default: false },
  only: { type: "string" },
  twice: { type: "boolean", default: false },
  workers: { type: "string", default: String(availableParallelism()) },
  over: { type: "string", default: "{}" },
  json: { type: "boolean", default: false },
  quiet: { type: "boolean", default: false },
};

const KEPT = 3;
/** Stories that have broken an invariant once, and why; they are run again for ever, whatever a seed picks by now. */
const FOUND = join(root, "test", "simulation", "found.json");

/** Compiled beside the product, never into it; another run may still use what was compiled before. */
function ensureCompiled() {
  const hash = createHash("sha256");
  for (const folder of ["src", join("test", "simulation")]) {
    for (const file of readdirSync(join(root, folder), { recursive: true }).map(String).sort()) {
      if (file.endsWith(".ts")) hash.update(file).update(readFileSync(join(root, folder, file)));
    }
  }
  const all = join(root, ".simulation");
  const output = join(all, hash.digest("hex").slice(0, 16));
  const mark = join(output, "package.json");
  if (existsSync(mark)) return output;
  if (runTool("tsc", ["-p", "tsconfig.simulation.json", "--outDir", output]) !== 0) process.exit(1);
  writeFileSync(mark, '{ "type": "module" }\n');
  const byAge = readdirSync(all).sort(
    (one, other) => statSync(join(all, other)).mtimeMs - statSync(join(all, one)).mtimeMs,
  );
  for (const old of byAge.slice(KEPT)) rmSync(join(all, old), { recursive: true, force: true });
  return output;
}

const values = optionsFrom(OPTIONS);
ensureInstalled();
const output = ensureCompiled();

/** Gives each worker one task at a time; answers come in any order. */
async function perform(tasks, workers, onAnswer) {
  const queue = [...tasks];
  const one = () =>
    new Promise((resolve, reject) => {
      const child = fork(join(output, "test", "simulation", "worker.js"), {
        stdio: ["ignore", "inherit", "inherit", "ipc"],
        execArgv: ["--max-semi-space-size=64"],
      });
      let current = null;
      const next = () => {
        current = queue.shift() ?? null;
        if (current === null) child.disconnect();
        else child.send(current);
      };
      child.on("message", (answer) => {
        if (!answer.isReady) onAnswer(answer);
        next();
      });
      child.on("error", reject);
      child.on("exit", (code, signal) => {
        if (current === null) return resolve();
        onAnswer({ task: current, crash: `the worker ended with ${signal ?? code}` });
        // Another one takes its place.
        one().then(resolve, reject);
      });
    });
  await Promise.all(Array.from({ length: Math.min(workers, tasks.length) }, one));
}

const add = (sums, more) => {
  for (const [name, value] of Object.entries(more)) sums[name] = (sums[name] ?? 0) + value;
};

/** A failing seed: everything that it takes to see it again. */
function tellFailure({ task, story, outcome, crash }) {
  say(`\n✗ seed ${task.seed}: ${crash ?? `${outcome.violations.length} violations`}`);
  for (const { check, message, atMs } of outcome?.violations.slice(0, 5) ?? []) {
    say(`  ${check} at ${(atMs / 1_000).toFixed(1)} s: ${message}`);
  }
  if (story !== undefined) process.stdout.write(`${JSON.stringify(story)}\n`);
  const over = Object.keys(task.over).length === 0 ? "" : ` --over '${JSON.stringify(task.over)}'`;
  say(`  again: npm run simulate -- --seed ${task.seed} --hours ${task.hours}${over}`);
}

async function runSeeds(options) {
  const { hours, from } = options;
  const over = JSON.parse(options.over);
  const seeds =
    options.seed === undefined
      ? Array.from({ length: Number(options.seeds) }, (_, i) => Number(from) + i)
      : [Number(options.seed)];
  const again = options.found ? JSON.parse(readFileSync(FOUND, "utf8")) : [];
  const drawn = seeds.map((seed) => ({ seed, hours: Number(hours), over }));
  const told = again.map(({ story }) => ({ seed: story.seed, hours: story.hours, over: { ...story, ...over } }));
  const tasks = [...drawn, ...told].flatMap((one) => {
    const isTold = options.seed !== undefined && !options.quiet;
    const task = { ...one, plant: options.only ?? null, isTold };
    return options.twice ? [task, { ...task, isTold: false }] : [task];
  });
  const startedMs = performance.now();
  const hashes = new Map();
  const fired = {};
  const seedsFired = {};
  const figures = {};
  const checks = {};
  let failed = 0;
  let done = 0;
  await perform(tasks, Number(options.workers), (answer) => {
    done += 1;
    const { task, outcome } = answer;
    if (outcome !== undefined) {
      add(fired, outcome.fired);
      add(seedsFired, Object.fromEntries(Object.keys(outcome.fired).map((name) => [name, 1])));
      add(figures, outcome.figures);
      add(
        checks,
        Object.fromEntries([...new Set(outcome.violations.map(({ check }) => check))].map((name) => [name, 1])),
      );
      const name = JSON.stringify([task.seed, task.hours, task.over]);
      const before = hashes.get(name);
      if (before !== undefined && before !== outcome.hash) {
        failed += 1;
        say(`✗ seed ${task.seed}: two runs, two traces: ${before} and ${outcome.hash}`);
      }
      hashes.set(name, outcome.hash);
    }
    if (outcome === undefined || outcome.violations.length > 0) {
      failed += 1;
      tellFailure(answer);
    }
    if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${tasks.length} `);
  });
  const seconds = (performance.now() - startedMs) / 1_000;
  const report = {
    traces: [...hashes.values()],
    seeds: drawn.length + again.length,
    runs: tasks.length,
    hours: Number(hours),
    failed,
    seconds: Number(seconds.toFixed(1)),
    seedsPerSecond: Number((tasks.length / seconds).toFixed(2)),
    checks,
    figures,
    fired,
    seedsFired,
  };
  if (options.seed !== undefined) say(`trace ${[...hashes.values()][0]}`);
  if (options.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  else tellSummary(report);
  return failed === 0 ? 0 : 1;
}

function tellSummary({ seeds, runs, hours, failed, seconds, seedsPerSecond, figures, fired, seedsFired, checks }) {
  say(
    `\n${seeds} seeds × ${hours} h (${runs} runs) in ${seconds} s, ${seedsPerSecond} a second: ${failed === 0 ? "no violation" : `${failed} failed`}`,
  );
  if (failed > 0) say(`seeds by broken invariant: ${JSON.stringify(checks)}`);
  say(`figures: ${JSON.stringify(figures)}`);
  const kinds = Object.entries(fired).sort(([one], [other]) => one.localeCompare(other));
  say(`${kinds.length} kinds of fault (times / seeds):`);
  for (const [name, times] of kinds) say(`  ${name.padEnd(24)} ${String(times).padStart(9)} / ${seedsFired[name]}`);
}

const MOST_TRIES = 16;
const PLANT_HOURS = 1;

/** Each bug is tried with one seed after the other until a checker finds it; each check must find one. */
async function runPlanted(options) {
  const { PLANTS } = await import(join(output, "test", "simulation", "planted.js"));
  const { CHECKS } = await import(join(output, "test", "simulation", "checkers", "names.js"));
  const caught = new Map();
  const fired = new Set();
  for (let seed = 1; seed <= MOST_TRIES; seed += 1) {
    const left = PLANTS.filter(({ name }) => !caught.has(name) && (options.only ?? name) === name);
    const tasks = left.map(({ name }) => ({ seed, hours: PLANT_HOURS, plant: name, isTold: false, over: {} }));
    if (tasks.length === 0) break;
    await perform(tasks, Number(options.workers), ({ task, outcome, crash }) => {
      if (crash !== undefined) say(`  ${task.plant}: ${crash}`);
      const { breaks } = PLANTS.find(({ name }) => name === task.plant);
      for (const { check } of outcome?.violations ?? []) if (breaks.includes(check)) fired.add(check);
      const found = outcome?.violations.find(({ check }) => breaks.includes(check));
      if (found !== undefined) caught.set(task.plant, { seed, ...found });
      else if (outcome?.violations.length > 0 && !options.quiet)
        say(`  (${task.plant}: only ${JSON.stringify(outcome.violations[0])})`);
    });
  }
  for (const { name, breaks } of PLANTS) {
    const found = caught.get(name);
    if ((options.only ?? name) !== name) continue;
    if (found === undefined) say(`✗ ${name}: not caught (${breaks.join(", ")})`);
    else
      process.stdout.write(
        `${found.check.padEnd(7)} seed ${found.seed}  ${name}: ${found.message.split("\n")[0].slice(0, 110)}\n`,
      );
  }
  const total = options.only === undefined ? PLANTS.length : 1;
  say(`${caught.size} of ${total} planted bugs caught`);
  const idle = options.only === undefined ? CHECKS.filter((check) => !fired.has(check)) : [];
  if (idle.length > 0) say(`✗ no planted bug was found by ${idle.join(", ")}`);
  else if (options.only === undefined) say(`each of the ${CHECKS.length} checks has found one`);
  return caught.size === total && idle.length === 0 ? 0 : 1;
}

process.exit(await (values.planted ? runPlanted(values) : runSeeds(values)));
