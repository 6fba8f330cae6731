/** Everything a run needs, opened: the exchange on its sockets, two places for processes, their lines, the disk, the checkers. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Random, seededRandom } from "../../src/exchange/simulator/random.js";
import { startSimulator } from "../../src/exchange/simulator/index.js";
import { type Bot, openBot } from "./bot.js";
import { type Checkers, createCheckers } from "./checkers/index.js";
import { type Disk, type DiskKind, openDisk } from "./disk.js";
import { viewJournal } from "./journal.js";
import { type Line, openLine, type Weather } from "./line.js";
import type { Mode } from "./plan.js";
import { type Instance, openProcesses, type Processes, type Running, setClock, type Slot } from "./processes.js";
import { type ExchangeRecord, keepRecord } from "./record.js";

export interface StageOptions {
  readonly root: string;
  readonly seed: number;
  /** Seconds between two sweeps. */
  readonly sweepSeconds: number;
  readonly disk: DiskKind | "auto";
  /** From the project's folder; loaded into each process before the program. */
  readonly preload?: string | undefined;
  readonly tell?: ((line: string) => void) | undefined;
}

export interface Place extends Slot {
  readonly line: Line;
  turn(weather: Weather): void;
  /** For whoever starts here from now on. */
  configure(mode: Mode): void;
}

export interface Stage {
  readonly options: StageOptions;
  readonly dice: Random;
  readonly record: ExchangeRecord;
  readonly bot: Bot;
  readonly disk: Disk;
  readonly checkers: Checkers;
  /** The writer's place first; they change places as one takes over. */
  readonly places: [Place, Place];
  readonly processes: Processes;
  readonly stateFolder: string;
  /** Calls back as each write leaves its process, until the returned function is called. */
  onLeaving(callback: () => void): () => void;
  start(place: Place): Running;
  fillDisk(): void;
  freeDisk(): void;
  /** Runs another command of the program to its end. */
  command(...args: readonly string[]): Promise<{ readonly code: number; readonly stdout: string }>;
  close(): Promise<void>;
}

const ACCOUNT = "main";
export const VANISH_MS = 1_000;
/** Easy to find, and in need of another spelling in JSON and in URLs. */
const KEY = "CaNaRyKeY012345678";
const SECRET = 'cAnArY/sEcReT+0123&"456=7890%abc\\d';
/** So long a bad line is felt: silence is found out after seconds, and a connection made anew. */
const BAD_LINE_MS = 30_000;

export async function openStage(options: StageOptions): Promise<Stage> {
  const { root, seed } = options;
  const dice = seededRandom(seed);
  const account = { name: ACCOUNT, key: KEY, secret: SECRET, ips: ["127.0.0.1"] };
  const balances = { USDT: "1000000000" };
  const simulator = await startSimulator({ seed, accounts: [{ ...account, balances }], latencyMs: 6 });
  const { exchange } = simulator;
  const now = () => Date.now();
  const record = keepRecord(exchange, ACCOUNT, now);
  const folder = mkdtempSync(join(tmpdir(), "backstop-chaos-"));
  const state = join(folder, "state");
  const ledger = join(state, "backstop.db");
  const disk = openDisk(state, ledger, options.disk);
  const badLineAtMs = new Map<string, number>();
  const checkers = createCheckers({
    record,
    journal: viewJournal(ledger),
    tellAll: options.tell,
    secrets: [KEY, SECRET],
    badLineMs: (slot) => Math.max(0, (badLineAtMs.get(slot) ?? 0) + BAD_LINE_MS - now()),
  });
  const latest = new Map<string, Instance>();
  const leaving = new Set<() => void>();
  const processes = openProcesses({
    root,
    folder,
    now,
    ...(options.preload === undefined ? {} : { preload: options.preload }),
    said: checkers.said,
    wrote: checkers.wrote,
    ended: checkers.ended,
  });

  async function placeNamed(name: string): Promise<Place> {
    const line = await openLine<Instance>({
      target: Number(new URL(simulator.restUrl).port),
      caller: () => latest.get(name) as Instance,
      onRequest: (request) => {
        checkers.heard(request, processes.alive);
        if (request.isWrite) for (const callback of leaving) callback();
      },
    });
    const slot = { name, config: join(folder, `${name}.json`), clockFile: join(folder, `${name}.clock`) };
    setClock(slot, 0);
    const configure = (mode: Mode): void =>
      writeFileSync(slot.config, JSON.stringify(configFor(line.port, options.sweepSeconds, mode)), { mode: 0o600 });
    configure("tighten-only");
    const turn = (weather: Weather): void => {
      checkers.notes.tell(`the line of ${name} is ${weather}`);
      badLineAtMs.set(name, weather === "clear" ? now() : Number.POSITIVE_INFINITY);
      line.turn(weather);
    };
    return { ...slot, line, turn, configure };
  }

  const places: [Place, Place] = [await placeNamed("a"), await placeNamed("b")];
  const pids = () => processes.alive.map(({ pid }) => pid);
  return {
    options,
    dice,
    record,
    bot: openBot(record, dice),
    disk,
    checkers,
    places,
    processes,
    stateFolder: state,
    onLeaving: (callback) => {
      leaving.add(callback);
      return () => void leaving.delete(callback);
    },
    start: (place) => {
      const running = processes.start(place);
      latest.set(place.name, running.instance);
      checkers.started(running.instance);
      disk.started(running.instance.pid);
      return running;
    },
    fillDisk: () => {
      checkers.notes.tell("the disk is full");
      disk.fill(pids());
    },
    freeDisk: () => {
      if (!disk.isFull) return;
      checkers.notes.tell("the disk has room again");
      disk.free(pids());
    },
    command: (...args) => commandOf(root, folder, [...args, "--config", places[0].config]),
    close: async () => {
      await processes.killAll();
      for (const { line } of places) await line.close();
      await simulator.close();
      disk.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function configFor(port: number, sweepSeconds: number, mode: Mode): object {
  return {
    accounts: [
      {
        name: ACCOUNT,
        environment: "custom",
        restUrl: `http://127.0.0.1:${port}`,
        wsUrl: `ws://127.0.0.1:${port}/v5/private`,
        key: KEY,
        secret: SECRET,
        categories: ["linear"],
      },
    ],
    protection: {
      mode,
      stopLoss: { distance: "2%" },
      takeProfit: { distance: "4%" },
      vanishMs: VANISH_MS,
    },
    sweep: { cron: `*/${sweepSeconds} * * * * *` },
    ledger: { url: "file:state/backstop.db" },
  };
}

async function commandOf(root: string, folder: string, args: readonly string[]) {
  const child = spawn(process.execPath, [join(root, "dist", "cli", "bin.js"), ...args], {
    cwd: folder,
    env: { PATH: process.env["PATH"] },
    stdio: ["ignore", "pipe", "ignore"],
  });
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (part: string) => {
    stdout += part;
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code: code ?? 1, stdout };
}
