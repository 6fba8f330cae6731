/** One seed from its story to its verdict: a phase in which things go wrong, then calm, in which everything must come right. */
import { createHash } from "node:crypto";
import { getTasks } from "node-cron";
import { createCheckers, type Violation } from "./checkers/index.js";
import { openDisk } from "./disk.js";
import type { FaultName } from "./faults.js";
import { openHands } from "./hands.js";
import { openNemesis, type Standstill } from "./nemesis.js";
import type { Plant } from "./planted.js";
import { diceFor, type Instance, noteFault, type Run } from "./run-parts.js";
import { type Running, start } from "./sidecar.js";
import type { Story } from "./story.js";
import { openStreams } from "./stream.js";
import { enter, EPOCH_MS, leave, VirtualTime } from "./time.js";
import { openVenue } from "./venue.js";
import { keepWish } from "./wishes.js";

export interface Outcome {
  readonly seed: number;
  readonly hash: string;
  readonly violations: readonly Violation[];
  readonly fired: Readonly<Partial<Record<FaultName, number>>>;
  readonly figures: Readonly<Record<string, number>>;
}

/** A process that died is started again by its supervisor. */
const RESTART_MS = 2_000;

export async function runSeed(story: Story, plant: Plant | null, tell: Run["tell"] = null): Promise<Outcome> {
  const startedUs = cpuMicros();
  const time = new VirtualTime(story.seed);
  enter(time);
  try {
    const scene = await openScene(time, story, plant, tell);
    await scene.storm();
    await scene.calm();
    const figures = {
      ...scene.checkers.figures(),
      ...Object.fromEntries(scene.run.counts),
      events: time.events,
      cpuMs: Math.round((cpuMicros() - startedUs) / 1_000),
    };
    return {
      seed: story.seed,
      hash: scene.hash(),
      violations: scene.checkers.violations(),
      fired: Object.fromEntries(scene.run.fired),
      figures,
    };
  } finally {
    // node-cron keeps a list of its own, and with it everything that a task holds.
    for (const task of getTasks().values()) await task.destroy();
    leave();
  }
}

/** Of this process, which runs one seed at a time. */
function cpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

async function openScene(time: VirtualTime, story: Story, plant: Plant | null, tell: Run["tell"]) {
  const hash = createHash("sha256");
  const run = {
    time,
    story,
    plant,
    dice: diceFor(story.seed, 1),
    fired: new Map<FaultName, number>(),
    isCalm: false,
    counts: new Map(),
    isNetworkDown: false,
    isBanned: false,
    isJournalFull: false,
    switchTrouble: null,
    keyTrouble: null,
    spoilt: null,
    death: null,
    trace: (line: string) => void hash.update(`${Math.round(time.elapsedMs * 1_000)} ${line}\n`),
    tell: tell === null ? null : (line: string) => tell(`${clockText(time.elapsedMs)} ${line}`),
  } as unknown as { -readonly [K in keyof Run]: Run[K] };
  run.venue = openVenue(time, story, (change) => run.watcher.changed(change));
  const disk = await openDisk(run);
  const checkers = createCheckers(run, disk);
  run.watcher = checkers.watcher;
  const streams = openStreams(run);
  const running: Running[] = [];
  let pausedFromMs = Number.POSITIVE_INFINITY;
  const pausedNow = (symbol: string): string | null =>
    symbol === story.paused && time.elapsedMs >= pausedFromMs && !run.isCalm ? "paused by a person" : null;
  const place = { disk, streams, pausedNow };

  function boot(slot: number): void {
    const instance: Instance = { name: `p${slot}.${running.length}`, slot, isAlive: true, bornSkewMs: time.wallSkewMs };
    time.after(0, instance, () => {
      running.push(start(run, instance, place));
    });
  }

  run.kill = (instance) => {
    run.trace(`${instance.name} dies`);
    run.tell?.(`${instance.name} is killed`);
    (instance as { isAlive: boolean }).isAlive = false;
    streams.forget(instance);
    time.after(RESTART_MS, time.world, () => boot(instance.slot));
  };

  const alive = (): Running[] => running.filter(({ instance }) => instance.isAlive);
  const writer = (): Running | undefined => alive().find(({ instance }) => disk.holder("main") === instance);
  const hands = openHands(run, (wish) => keepWish(run, writer(), wish, checkers));
  const stop = (forMs: number, how: Standstill): void => {
    const goesOnMs = Math.min(time.elapsedMs + forMs, story.hours * 3_600_000);
    for (const { instance } of alive()) {
      const isStopped = (instance.stoppedUntilMs ?? 0) > time.elapsedMs;
      if (!isStopped) instance.stoppedFromMs = time.elapsedMs;
      const untilMs = Math.max(instance.stoppedUntilMs ?? 0, goesOnMs);
      const longerMs = untilMs - Math.max(instance.stoppedUntilMs ?? 0, time.elapsedMs);
      if (how === "asleep") instance.sleptMs = (instance.sleptMs ?? 0) + longerMs;
      instance.stoppedUntilMs = untilMs;
    }
  };
  const nemesis = openNemesis(run, { streams, hands, stop });

  async function storm(): Promise<void> {
    for (let slot = 0; slot < story.instances; slot += 1) time.after(slot * 5_000, time.world, () => boot(slot));
    hands.start();
    nemesis.start();
    pausedFromMs = story.hours * 1_800_000;
    const endMs = story.hours * 3_600_000;
    for (let untilMs = 60_000; time.elapsedMs < endMs; untilMs += 60_000) {
      await time.runUntil(Math.min(untilMs, endMs));
      minute();
    }
  }

  /** What a supervisor does: what has failed is started anew, and it is told of it. */
  function minute(): void {
    run.venue.tidy();
    for (const one of alive()) {
      if (one.failure === null) continue;
      checkers.failed(one.failure);
      run.kill(one.instance, "answer back");
    }
  }

  async function calm(): Promise<void> {
    hands.stop();
    run.isCalm = true;
    nemesis.end();
    time.wallSkewMs = 0;
    run.tell?.("calm begins");
    await checkers.calm(async (ms) => {
      const endMs = time.elapsedMs + ms;
      while (time.elapsedMs < endMs) {
        await time.runUntil(Math.min(endMs, time.elapsedMs + 10_000));
        minute();
      }
    }, writer);
    for (const { instance } of alive()) (instance as { isAlive: boolean }).isAlive = false;
    await disk.close();
  }

  return { run, checkers, storm, calm, hash: () => hash.digest("hex").slice(0, 16) };
}

export { noteFault };

function clockText(elapsedMs: number): string {
  return new Date(EPOCH_MS + elapsedMs).toISOString().slice(11, 23);
}
