/** Chaos from the command line; started by scripts/chaos.mjs in the project's folder. */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { type Plant, PLANTS } from "./planted.js";
import type { Violation } from "./checkers/index.js";
import { runChaos, type RunOptions } from "./run.js";
import { summaryOf, violationLines } from "./summary.js";

const OPTIONS = {
  seed: { type: "string" },
  rounds: { type: "string", default: "240" },
  minutes: { type: "string" },
  "calm-every": { type: "string", default: "20" },
  sweep: { type: "string", default: "3" },
  disk: { type: "string", default: "auto" },
  planted: { type: "boolean", default: false },
  only: { type: "string" },
  story: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
} as const;

const { values } = given();

function given() {
  try {
    return parseArgs({ options: OPTIONS });
  } catch (error) {
    say(`${error instanceof Error ? error.message : ""}\noptions: --${Object.keys(OPTIONS).join(", --")}`);
    process.exit(64);
  }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** With a kill and a standby among them, and a calm after them. */
const PLANTED_ROUNDS = 4;
const MOST_TRIES = 4;
const disks = ["auto", "tmpfs", "limit", "none"] as const;
const disk = disks.find((one) => one === values.disk);
if (disk === undefined) {
  say(`--disk is one of ${disks.join(", ")}`);
  process.exit(64);
}
// So that what is open is closed, and no process is left behind.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
const options: RunOptions = {
  root: process.cwd(),
  seed,
  rounds: Number(values.rounds),
  calmEvery: Number(values["calm-every"]),
  sweepSeconds: Number(values.sweep),
  disk,
  mostMs: values.minutes === undefined ? Number.POSITIVE_INFINITY : Number(values.minutes) * 60_000,
  tell: values.story ? say : undefined,
};
process.exit(await (values.planted ? runPlanted() : runOnce()));

async function runOnce(): Promise<number> {
  say(`seed ${seed}`);
  const outcome = await runChaos(options);
  if (outcome.disk === "none") say("the disk was never full: neither a tmpfs nor a limit on files could be had here");
  if (values.json) process.stdout.write(`${JSON.stringify(outcome)}\n`);
  else for (const line of summaryOf(outcome)) process.stdout.write(`${line}\n`);
  for (const line of violationLines(outcome)) say(line);
  const isWell = outcome.violations.length === 0;
  const { rounds, sweep, disk: filled, "calm-every": calm } = values;
  const again = `--seed ${seed} --rounds ${rounds} --calm-every ${calm} --sweep ${sweep} --disk ${filled}`;
  if (!isWell) say(`again: npm run chaos -- ${again} --story`);
  return isWell ? 0 : 1;
}

/** Each with one seed after the other until a checker finds it. */
async function runPlanted(): Promise<number> {
  const plants = PLANTS.filter(({ file }) => values.only === undefined || file.includes(values.only));
  let caught = 0;
  for (const plant of plants) {
    const found = await violationBy(plant);
    if (found !== undefined) caught += 1;
    const words = found === undefined ? `not found (${plant.breaks.join(", ")})` : `${found.check}: ${found.message}`;
    process.stdout.write(`${found === undefined ? "✗" : "✓"} ${plant.file}: ${words}\n`);
  }
  say(`${caught} of ${plants.length} planted bugs found`);
  return caught === plants.length ? 0 : 1;
}

async function violationBy({ file, breaks }: Plant): Promise<Violation | undefined> {
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const { violations } = await runChaos({
      ...options,
      seed: seed + tries,
      rounds: PLANTED_ROUNDS,
      preload: file,
    });
    const found = violations.find(({ check }) => breaks.includes(check));
    if (found !== undefined) return found;
  }
  return undefined;
}
