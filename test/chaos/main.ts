/** Chaos from the command line; started by scripts/chaos.mjs in the project's folder. */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { runChaos } from "./run.js";
import { summaryOf, violationLines } from "./summary.js";

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    rounds: { type: "string", default: "240" },
    minutes: { type: "string" },
    "calm-every": { type: "string", default: "20" },
    sweep: { type: "string", default: "3" },
    disk: { type: "string", default: "auto" },
    preload: { type: "string" },
    story: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const disks = ["auto", "tmpfs", "limit", "none"] as const;
const disk = disks.find((one) => one === values.disk);
if (disk === undefined) {
  say(`--disk is one of ${disks.join(", ")}`);
  process.exit(64);
}
const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
say(`seed ${seed}`);
const mostMs = values.minutes === undefined ? Number.POSITIVE_INFINITY : Number(values.minutes) * 60_000;
const outcome = await runChaos({
  root: process.cwd(),
  seed,
  rounds: Number(values.rounds),
  calmEvery: Number(values["calm-every"]),
  sweepSeconds: Number(values.sweep),
  disk,
  mostMs,
  ...(values.preload === undefined ? {} : { preload: values.preload }),
  ...(values.story ? { tell: say } : {}),
});
if (outcome.disk === "none") say("the disk was never full: neither a tmpfs nor a limit on files could be had here");
if (values.json) process.stdout.write(`${JSON.stringify(outcome)}\n`);
else for (const line of summaryOf(outcome)) process.stdout.write(`${line}\n`);
for (const line of violationLines(outcome)) say(line);
if (outcome.violations.length > 0) say(`again: npm run chaos -- --seed ${seed} --rounds ${values.rounds} --story`);
process.exit(outcome.violations.length === 0 ? 0 : 1);
